/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handlers that the rows of routes.c name, by the file that they are in.
 */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include "base/attr.h"
#include "base/error.h"

struct request;

/* containers.c */
may_suspend must_check struct error *containers_list(struct request *r);
may_suspend must_check struct error *containers_create(struct request *r);
may_suspend must_check struct error *containers_inspect(struct request *r);
may_suspend must_check struct error *containers_pass(struct request *r);
may_suspend must_check struct error *containers_act(struct request *r);
may_suspend must_check struct error *containers_logs(struct request *r);
may_suspend must_check struct error *containers_attach(struct request *r);
may_suspend must_check struct error *containers_attach_ws(struct request *r);
may_suspend must_check struct error *containers_wait(struct request *r);
may_suspend must_check struct error *containers_rename(struct request *r);
may_suspend must_check struct error *containers_update(struct request *r);
may_suspend must_check struct error *containers_remove(struct request *r);
may_suspend must_check struct error *containers_exec(struct request *r);
may_suspend must_check struct error *containers_drop_checkpoint(struct request *r);
may_suspend must_check struct error *containers_commit(struct request *r);

/* exec.c */
may_suspend must_check struct error *exec_pass(struct request *r);
may_suspend must_check struct error *exec_start(struct request *r);

/* images.c */
may_suspend must_check struct error *images_list(struct request *r);
may_suspend must_check struct error *images_inspect(struct request *r);
may_suspend must_check struct error *images_pass(struct request *r);
may_suspend must_check struct error *images_push(struct request *r);
may_suspend must_check struct error *images_get(struct request *r);
may_suspend must_check struct error *images_get_one(struct request *r);
may_suspend must_check struct error *images_create(struct request *r);
may_suspend must_check struct error *images_load(struct request *r);
may_suspend must_check struct error *images_tag(struct request *r);
may_suspend must_check struct error *images_remove(struct request *r);

/* prune.c */
may_suspend must_check struct error *containers_prune(struct request *r);
may_suspend must_check struct error *images_prune(struct request *r);
may_suspend must_check struct error *build_prune(struct request *r);
may_suspend must_check struct error *volumes_prune(struct request *r);
may_suspend must_check struct error *networks_prune(struct request *r);

/* volumes.c */
may_suspend must_check struct error *volumes_list(struct request *r);
may_suspend must_check struct error *volumes_create(struct request *r);
may_suspend must_check struct error *volumes_inspect(struct request *r);
may_suspend must_check struct error *volumes_remove(struct request *r);

/* networks.c */
may_suspend must_check struct error *networks_list(struct request *r);
may_suspend must_check struct error *networks_create(struct request *r);
may_suspend must_check struct error *networks_inspect(struct request *r);
may_suspend must_check struct error *networks_remove(struct request *r);
may_suspend must_check struct error *networks_connect(struct request *r);
may_suspend must_check struct error *networks_disconnect(struct request *r);

/* build.c */
may_suspend must_check struct error *build_start(struct request *r);
may_suspend must_check struct error *build_cancel(struct request *r);
may_suspend must_check struct error *build_session(struct request *r);
may_suspend must_check struct error *build_grpc(struct request *r);

/* system.c */
may_suspend must_check struct error *system_ping(struct request *r);
may_suspend must_check struct error *system_version(struct request *r);
may_suspend must_check struct error *system_any_node(struct request *r);
may_suspend must_check struct error *system_df(struct request *r);
may_suspend must_check struct error *system_plugins(struct request *r);

/* nodes.c */
may_suspend must_check struct error *nodes_list(struct request *r);
may_suspend must_check struct error *nodes_inspect(struct request *r);
may_suspend must_check struct error *placement_tell(struct request *r);

/* info.c */
may_suspend must_check struct error *system_info(struct request *r);

/* events.c */
may_suspend must_check struct error *events_stream(struct request *r);

/* refused.c */
may_suspend must_check struct error *refuse_swarm_mode(struct request *r);
may_suspend must_check struct error *refuse_for_now(struct request *r);
may_suspend must_check struct error *refuse_unknown(struct request *r);

#endif
