/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Docker Engine in memory, after moby 20.10: its tables, its requests, its events. What it says
 * is shaped as API 1.41 has it; what it does takes a little virtual time. Not the engine of
 * src/engine: that is the manager's view of one.
 *
 * What a container runs follows its Cmd: "sleep N", "cat", "echo WORD...", "exit N", "count N"
 * (that many lines, ten a second), "flood N" (that many KiB at once), "missing" (cannot start);
 * all else runs until it is stopped.
 */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include "sim/sim.h"

#include "base/map.h"
#include "base/vec.h"
#include "docker/version.h"
#include "fiber/group.h"
#include "fiber/waitq.h"
#include "http/reply.h"
#include "http/server.h"
#include "json/build.h"
#include "net/addr.h"

#define SIM_EVENTS 256 /* that an engine keeps */

struct sim_exec;

struct sim_image {
	char *id, *parent;	  /* parent NULL: none */
	char *labels;		  /* JSON: those of the container that it was committed from */
	struct vec tags, digests; /* of char * */
	int64_t created, size;
};

struct sim_volume {
	char *name, *driver, *labels; /* labels: JSON */
	bool global;
	int64_t created; /* unix s */
};

struct sim_network {
	char *id, *name, *driver, *labels; /* labels: JSON */
	const char *scope;
	bool attachable;
	int64_t created;
};

struct sim_exec {
	char *id;
	struct sim_container *container; /* a reference */
	struct strbuf config;
	bool started, running;
	int exit_code;
};

struct sim_container {
	unsigned int refs;
	struct sim_engine *engine;
	char *id, *name;
	struct arena arena;
	struct json config; /* the body of its create */
	struct str image_ref, image_id;
	struct str *argv;
	size_t n_argv;
	bool tty, open_stdin, auto_remove;
	int64_t memory, nano_cpus, cpu_shares;
	struct vec volumes, networks; /* of char *, in the arena: names */
	struct vec aliases;	      /* of char *: "/web/db", names that links give it */

	enum { C_CREATED, C_RUNNING, C_EXITED } state;
	bool paused, removed, removing;
	int exit_code, pid;
	unsigned int run;		    /* how many times it was started */
	int64_t created, started, finished; /* of the engine's clock */
	int signal;			    /* that it is to die of */
	struct strbuf output;		    /* framed as logs and attach give it */
	struct strbuf input;
	bool input_ended;
	struct waitq changed; /* any of the above */
};

struct sim_lie {
	const char *request; /* those that are answered so; NULL: none */
	struct str first, more;
};

struct sim_engine {
	struct sim *sim;
	char *name, *id;
	char addr_text[64];
	struct addr addr;
	int64_t cpus, memory, skew;
	struct vec labels; /* of char *: "k=v" */
	const char *api_oldest, *api_newest;
	const char *os, *architecture; /* NULL: linux, x86_64 */
	const char *devices;	       /* GenericResources of /info; NULL: none */
	bool image_store;	       /* images lie in containerd's */
	const char *refusal;	       /* of each create; NULL: none */
	const char *scripted;	       /* the requests that have a scripted answer; NULL: none */
	const char *scripted_body;
	int scripted_status;
	struct sim_lie lie;
	size_t most_lied;
	unsigned int creating, most_creating;
	bool listed, up, cut;
	struct waitq line; /* it was cut or mended */

	struct http_server *server;
	struct listener *listener;
	struct group processes;
	struct strbuf common_headers, requests;

	struct vec containers; /* of struct sim_container, the newest last */
	struct vec images;     /* of struct sim_image */
	struct vec execs;      /* of struct sim_exec */
	struct vec volumes;    /* of struct sim_volume */
	struct vec networks;   /* of struct sim_network */
	enum { SWARM_NONE, SWARM_WORKER, SWARM_MANAGER } swarm;
	struct vec builds; /* of struct sim_build, those that run */
	struct vec links;  /* of struct sim_link: sessions and gRPC that are open */
	uint16_t next_port;

	char *events[SIM_EVENTS];
	int64_t event_times[SIM_EVENTS];
	uint64_t n_events, first_event; /* since its start the first that it knows */
	int64_t last_event_time;
	int64_t overtaken_by; /* the next event is that much older than the last; 0: it is newer */
	struct waitq news;
};

/* One request to it. */
struct sim_call {
	struct sim_engine *e;
	struct http_incoming *in;
	struct arena *arena;
	struct str path;	    /* decoded, without version */
	struct api_version version; /* the client's; zero: none */
	struct str name;	    /* what {} stood for */
};

typedef may_suspend struct error *sim_handler_fn(struct sim_call *call);

/* engine.c */
int64_t fake_clock(const struct sim_engine *e);
char *fake_draw_id(void); /* 64 hex digits; the caller frees */
/* An error that is answered with this status. */
must_check struct error *fake_refuse(int status, const char *fmt, ...) printf_like(2, 3);
may_suspend must_check struct error *fake_reply(struct sim_call *call, int status,
						struct strbuf *json);
may_suspend must_check struct error *fake_reply_empty(struct sim_call *call, int status);
must_check may_suspend struct error *fake_read_json(struct sim_call *call, struct json *ret);
/* The time that an engine takes for a thing: about `span`, never twice the same. */
may_suspend must_check struct error *fake_work(struct sim_call *call, int64_t span);
may_suspend void fake_serve(struct http_incoming *in, void *engine); /* engine_routes.c */

/* engine_events.c */
void fake_event(struct sim_engine *e, const char *type, const char *action, const char *actor,
		const char *from, const char *attributes); /* JSON members, or "" */
void fake_forget_events(struct sim_engine *e);
void fake_container_event(struct sim_container *c, const char *action, const char *more);

/* engine_container.c */
struct sim_container *fake_container_find(const struct sim_engine *e, struct str name);
must_check struct error *fake_container_get(const struct sim_engine *e, struct str name,
					    struct sim_container **ret);
struct sim_container *fake_container_hold(struct sim_container *c);
void fake_container_release(struct sim_container *c);
must_check struct error *fake_container_make(struct sim_engine *e, struct str name, struct str body,
					     struct sim_container **ret);
void fake_container_destroy(struct sim_container *c); /* takes it off the engine */
DEFINE_CLEANUP(struct sim_container *, fake_container_release)

/* engine_inspect.c */
const char *fake_container_state_name(const struct sim_container *c);
void fake_container_write_ports(const struct sim_container *c, struct json_out *o, bool list);

/* engine_run.c */
must_check struct error *fake_container_start(struct sim_container *c);
void fake_container_kill(struct sim_container *c, int signal);
void fake_container_stop_at_once(struct sim_container *c, int exit_code); /* with its daemon */
void fake_container_say(struct sim_container *c, int stream, struct str data);

/* engine_image.c */
struct sim_image *fake_image_find(const struct sim_engine *e, struct str ref);
struct sim_image *fake_image_add(struct sim_engine *e, const char *id, const char *tag,
				 const char *digest);
char *fake_image_id_of(const char *text); /* the same text, the same id; the caller frees */
void fake_images_fini(struct sim_engine *e);
void fake_image_remove(struct sim_engine *e, struct sim_image *image);
struct str fake_image_familiar(struct str ref, struct arena *arena);

/* engine_registry.c; the next of a repository's images, NULL behind the last. */
struct registry_image *fake_registry_find(const struct sim *s, struct str ref);
const struct registry_image *fake_registry_next(const struct sim *s, struct str repository,
						size_t *at);

/* engine_volume.c */
struct sim_volume *fake_volume_find(const struct sim_engine *e, struct str name);
must_check struct error *fake_volume_make(struct sim_engine *e, struct str name, struct str driver,
					  struct str labels, struct sim_volume **ret);
must_check struct error *fake_volumes_use(struct sim_container *c);
void fake_container_write_mounts(const struct sim_container *c, struct json_out *o);
void fake_volumes_fini(struct sim_engine *e);

/* engine_network.c */
struct sim_network *fake_network_find(const struct sim_engine *e, struct str ref);
void fake_networks_init(struct sim_engine *e); /* those that each engine has */
void fake_networks_join(struct sim_container *c);
must_check struct error *fake_networks_check(const struct sim_container *c); /* before its start */
void fake_networks_connected(struct sim_container *c);
void fake_container_write_networks(const struct sim_container *c, struct json_out *o);
void fake_networks_fini(struct sim_engine *e);

/* engine_exec.c */
void fake_execs_fini(struct sim_engine *e);

/* Handlers, each in the file of its matter. */
sim_handler_fn serve_host_plugins, serve_host_ping, serve_host_version, serve_host_info,
	serve_events_follow;
sim_handler_fn serve_container_list, serve_container_inspect, serve_container_create,
	serve_container_remove, serve_container_rename, serve_container_update,
	serve_container_commit;
sim_handler_fn serve_container_start, serve_container_stop, serve_container_kill,
	serve_container_restart, serve_container_pause, serve_container_unpause,
	serve_container_wait;
sim_handler_fn serve_container_logs, serve_container_attach, serve_container_resize,
	serve_container_top, serve_container_stats, serve_container_changes, serve_container_export,
	serve_container_archive_get, serve_container_archive_put;
sim_handler_fn serve_exec_create, serve_exec_start, serve_exec_inspect, serve_exec_resize;
sim_handler_fn serve_image_list, serve_image_inspect, serve_image_pull, serve_image_load,
	serve_image_save, serve_image_tag, serve_image_push, serve_image_delete;
sim_handler_fn serve_container_prune, serve_image_prune, serve_build_prune, serve_disk_usage;
sim_handler_fn serve_build, serve_build_cancel, serve_session, serve_grpc;
sim_handler_fn serve_volume_list, serve_volume_create, serve_volume_inspect, serve_volume_remove,
	serve_volume_prune;
sim_handler_fn serve_network_list, serve_network_create, serve_network_inspect,
	serve_network_remove, serve_network_prune, serve_network_connect, serve_network_disconnect;

#endif
