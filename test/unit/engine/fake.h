/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One Docker Engine in memory, as far as engine/ asks it, on a virtual loop; and an observer that
 * writes down what it is told. The whole pool is tested in test/sim; here is what one engine does.
 */
#ifndef UNIT_ENGINE_FAKE_H
#define UNIT_ENGINE_FAKE_H

#include "unit/testing.h"

#include "base/duration.h"
#include "base/vec.h"
#include "engine/client.h"
#include "engine/engine.h"
#include "fiber/group.h"
#include "fiber/waitq.h"
#include "http/server.h"

enum fake_mode {
	FAKE_UP,
	FAKE_REFUSING,
	FAKE_SILENT, /* takes no connection and answers none */
	FAKE_MUTE,   /* takes connections, answers none: a process that is stopped */
};

struct fake_container {
	char id[65], name[32];
	const char *state; /* "running", "exited" */
	int revision;	   /* a label: shows in the list entry */
};

struct fake_image {
	char id[80], tag[32]; /* tag "": none */
};

struct fake_object {
	char key[65]; /* a volume's name, a network's id */
	char scope[8];
};

struct fake {
	/* What it is. */
	const char *id, *name, *api, *oldest_api;
	int64_t skew;
	struct fake_container containers[16];
	size_t n_containers;
	struct fake_image images[8];
	size_t n_images;
	struct fake_object objects[OBJECT_KINDS][8];
	size_t n_objects[OBJECT_KINDS];
	struct vec events; /* of char *: what it remembers, oldest first */

	/* How it behaves. */
	enum fake_mode mode;
	int64_t latency;	 /* before each answer but to /_ping */
	const char *slow_path;	 /* where not NULL, only paths with this in them are slow */
	const char *broken_path; /* paths with this in them are answered by broken_status, _body */
	int broken_status;
	const char *broken_body;

	/* What it was asked. */
	unsigned int pings, infos, streams, lists, single_lists, inspects, image_lists,
		image_inspects, object_lists, object_inspects, connects;
	unsigned int busy, most_busy; /* requests about single containers, at once */
	struct strbuf requests;	      /* "GET /v1.41/x\n" of all but pings */
	struct strbuf body;	      /* of the last one that had one */

	struct listener *listener;
	struct http_server *server;
	unsigned int epoch; /* streams of an older one end */
	struct waitq news;
};

/* Runs a story on a virtual loop, over a fake that is up with nothing on it. */
typedef may_suspend void fake_story(struct fake *f);
void fake_tell(fake_story *story);

struct fake_container *fake_add(struct fake *f, const char *name); /* id: the name, padded with 0 */
void fake_remove(struct fake *f, const char *name);
struct fake_container *fake_find(struct fake *f, const char *name);
struct str fake_id(const char *name); /* valid until the next call */
void fake_add_image(struct fake *f, const char *id, const char *tag);
void fake_add_object(struct fake *f, enum object_kind kind, const char *key, const char *scope);

/* Something happens on it, with an event at the present time; attributes as JSON members or "". */
void fake_event(struct fake *f, const char *type, const char *action, const char *actor,
		const char *attributes);
void fake_container_event(struct fake *f, const char *action, const char *name,
			  const char *attributes);
void fake_break_streams(struct fake *f);
may_suspend void fake_crash(struct fake *f); /* all connections break, none is taken */
void fake_start(struct fake *f);	     /* up again, with no memory of events */

/* Lets virtual time pass. */
may_suspend void pass(int64_t span);
#define until(condition, span) assert_true(until_in(span, condition))
#define until_in(span, condition)                          \
	({                                                 \
		int64_t _end = clock_now() + (span);       \
		while (!(condition) && clock_now() < _end) \
			pass(10 * MILLISECOND);            \
		(condition);                               \
	})

/* What an engine told: "+web running\n", "state Healthy\n", "event container start web\n" ... */
struct ear {
	struct strbuf heard;
	int64_t lost_from, lost_to;
	const char *refusal; /* validate answers this */
};

bool ear_heard(const struct ear *ear, const char *part);
unsigned int ear_count(const struct ear *ear, const char *part);
void ear_forget(struct ear *ear);

/* An engine over the fake that tells an ear; it ends with the scope. */
struct node {
	struct ear ear;
	struct engine *e;
	const char *addr; /* NULL: 10.0.0.1:2375 */
};

void node_start(struct node *n);
may_suspend void node_stop(struct node *n);
may_suspend void node_up(struct node *n); /* started, healthy, and what it told forgotten */
bool is(const struct node *n, enum engine_state s);

/* A cmocka test out of a story. */
#define TEST(name)                            \
	static void test_##name(void **state) \
	{                                     \
		(void)state;                  \
		fake_tell(story_##name);      \
	}

#endif
