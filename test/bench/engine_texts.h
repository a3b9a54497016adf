/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a simulated engine says: ids, and the JSON of its answers in the shapes and sizes of Docker
 * 20.10. Nothing of a container that stands from the beginning is kept: its id says which it is.
 */
#ifndef BENCH_ENGINE_TEXTS_H
#define BENCH_ENGINE_TEXTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"

#define ID_DIGITS    64
#define LIST_ENTRY   1024 /* bytes of a container's entry in a list */
#define N_IMAGES     5	  /* on each engine, the same on all */
#define KNOWN_IMAGE  "bench:1"
#define ENGINE_CPUS  64
#define ENGINE_BYTES "270000000000"

/* Container `index` of engine `node`. */
struct identity {
	uint32_t node, index;
};

void write_id(struct identity who, char out[ID_DIGITS + 1]);
/* Of an id whole, as a manager asks. False where it is none of write_id's. */
bool read_id(struct str id, struct identity *ret);

/* A container as its texts show it. */
struct shown {
	struct identity who;
	struct str name;   /* "" for one from the beginning: "c-NODE-INDEX" */
	struct str labels; /* a JSON object; "" for one from the beginning */
	bool running;
};

void put_list_entry(const struct shown *c, struct strbuf *out);
void put_inspect(const struct shown *c, struct strbuf *out); /* some 4 KiB */
void put_images(struct strbuf *out);
void put_version(struct strbuf *out);
void put_info(uint32_t node, uint32_t containers, struct strbuf *out); /* some 3 KiB */

/* An event with its newline, as it happens now; attributes is a JSON object's inside. */
void put_event(const char *type, const char *action, struct str id, struct str attributes,
	       struct strbuf *out);

#endif
