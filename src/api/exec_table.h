/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which engine has an exec: remembered when its id passes through, the last LIMIT_EXECS of them.
 * What is forgotten is asked for (exec.c).
 */
#ifndef API_EXEC_TABLE_H
#define API_EXEC_TABLE_H

#include "base/list.h"
#include "base/map.h"
#include "engine/engine.h"

struct exec_table {
	struct map by_id;
	struct list recent; /* the longest unused first */
};

void exec_table_init(struct exec_table *t);
void exec_table_fini(struct exec_table *t);
void exec_table_put(struct exec_table *t, struct str id, struct engine *e); /* takes a reference */
struct engine *exec_table_get(struct exec_table *t, struct str id); /* a new reference, or NULL */
void exec_table_forget(struct exec_table *t, struct str id);

#endif
