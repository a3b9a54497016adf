/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of records (cluster/records.h) in the state directory: a file for each,
 * DIR/reschedule/SCOPE/KEY.json, readable by its owner alone.
 */
#ifndef CLI_RECORD_DIR_H
#define CLI_RECORD_DIR_H

#include "base/str.h"
#include "cluster/records.h"

struct record_dir;

/*
 * `discovery` tells one pool's records from another's that were kept in the same state directory;
 * empty: the manager's own token service. Touches no file: directories are made at the first put.
 */
struct record_dir *record_dir_new(const char *state_dir, struct str discovery);
void record_dir_free(struct record_dir *d); /* NULL is fine */
const struct record_store *record_dir_store(const struct record_dir *d);

#endif
