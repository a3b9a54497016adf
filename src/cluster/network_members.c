/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers that join a network, and leave it.
 */
#include "base/duration.h"
#include "base/log.h"
#include "cluster/call.h"
#include "cluster/internal.h"
#include "cluster/networks.h"
#include "cluster/objects.h"
#include "cluster/watchdog.h"
#include "fiber/deadline.h"
#include "json/build.h"
#include "json/edit.h"

#define CHANGE_TIME (60 * SECOND)

struct membership {
	struct cluster *c;
	struct api_version version;
	struct str ref; /* the network, as the user wrote it */
	struct arena arena;
	struct json body;
	struct str container; /* likewise */
	bool is_clients;      /* who is to hear of it when it is remembered */
};

static void membership_fini(struct membership *m)
{
	arena_fini(&m->arena);
}

static struct error *membership_read(struct membership *m, struct str body)
{
	TRY(json_parse(body, &m->arena, &m->body));
	if (json_type(m->body) != JSON_OBJECT)
		return error_new(ERR_INVALID, "the body is no JSON object");
	m->container = json_str(json_field(m->body, "Container"));
	return NULL;
}

/* A client's body; our own names no container where it is gone. */
static struct error *membership_asked(struct membership *m, struct str body)
{
	TRY(membership_read(m, body));
	if (str_empty(m->container))
		return error_new(ERR_INVALID, "invalid name or ID supplied: \"\"");
	return NULL;
}

static struct str node_names(const struct found *f, struct arena *arena)
{
	return arena_printf(arena, "%.*s%s", STR_ARG(engine_name(f->v[0].engine)),
			    f->n > 1 ? " and others" : "");
}

/* The id that the network has on this node, whichever nodes have one of that name. */
static struct error *network_on(struct membership *m, const struct engine *e, struct str *ret_id)
{
	_cleanup_(found_fini) struct found f = { NULL, 0 };
	const struct object *global = NULL;

	object_index_find_all(&m->c->objects[OBJECT_NETWORK], m->ref, &f);
	/* Nothing, or the beginning of several ids: an error either way. */
	if (!f.n)
		TRY(object_index_find(&m->c->objects[OBJECT_NETWORK], m->ref, &f));
	for (size_t i = 0; i < f.n; i++) {
		if (f.v[i].engine == e || f.v[i].object->global)
			global = f.v[i].object;
		if (f.v[i].engine == e)
			break;
	}
	if (!global)
		return error_new(ERR_NOT_FOUND,
				 "network %.*s not found on %.*s, where the container is: it is on "
				 "%.*s, of local scope",
				 STR_ARG(m->ref), STR_ARG(engine_name(e)),
				 STR_ARG(node_names(&f, &m->arena)));
	*ret_id = arena_dup(&m->arena, global->key);
	return NULL;
}

static may_suspend struct error *call(struct membership *m, struct engine *e, struct str id,
				      const char *what, struct str container)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT, name = STRBUF_INIT,
					     out = STRBUF_INIT;
	_cleanup_(deadline_end) struct deadline d = deadline_begin(CHANGE_TIME);
	struct json_edit *edit = json_edit_new(m->body, &m->arena);
	struct str nothing;

	strbuf_addf(&path, "/networks/%.*s/%s", STR_ARG(id), what);
	json_quote(&name, container);
	if (json_exists(json_field(m->body, "Container")))
		json_edit_replace(edit, json_field(m->body, "Container"), strbuf_str(&name));
	json_edit_apply(edit, &out);
	return call_engine_json(e, m->version, "POST", strbuf_str(&path), strbuf_str(&out),
				&m->arena, &nothing);
}

/* Its entry shows its networks; a network that came along with it is told by an event. */
static may_suspend void read_back(struct engine *e, struct str container, struct str network)
{
	engine_read_back_container(e, container);
	if (!map_get(engine_networks(e), network))
		object_read_back(e, OBJECT_NETWORK, network);
}

static may_suspend struct error *act(struct membership *m, const struct container *ct,
				     const char *what)
{
	_cleanup_(engine_unrefp) struct engine *e = engine_ref(ct->engine);
	struct str id, container = arena_dup(&m->arena, ct->id);

	TRY(network_on(m, e, &id));
	TRY(call(m, e, id, what, container));
	read_back(e, container, id);
	if (m->is_clients)
		cluster_await_remembered(m->c, container);
	return NULL;
}

static may_suspend struct error *connect(struct membership *m, struct str body)
{
	_cleanup_(container_unrefp) struct container *ct = NULL;

	TRY(membership_asked(m, body));
	TRY(cluster_live_container(m->c, m->container, &ct));
	return act(m, ct, "connect");
}

may_suspend struct error *cluster_connect_network(struct cluster *c, struct str ref,
						  struct str body, struct api_version version)
{
	_cleanup_(membership_fini) struct membership m = {
		.c = c, .version = version, .ref = ref, .is_clients = true
	};

	return connect(&m, body);
}

may_suspend struct error *cluster_connect_again(struct cluster *c, struct str ref, struct str body)
{
	_cleanup_(membership_fini) struct membership m = { .c = c,
							   .version = API_VERSION_NEWEST,
							   .ref = ref };

	return connect(&m, body);
}

/* The container, or its node, is not there: any node that has the network can let it go. */
static may_suspend struct error *disconnect_lost(struct membership *m)
{
	_cleanup_(found_fini) struct found f = { NULL, 0 };
	const struct found_copy *live;
	struct str node, name;

	TRY(object_index_find(&m->c->objects[OBJECT_NETWORK], m->ref, &f));
	TRY(object_live_copy(&f, &live));
	if (!str_cut(m->container, '/', &node, &name))
		name = m->container;
	return call(m, live->engine, live->object->key, "disconnect", name);
}

may_suspend struct error *cluster_disconnect_lost(struct cluster *c, struct str network,
						  struct str container_name)
{
	_cleanup_(membership_fini) struct membership m = { .c = c,
							   .version = API_VERSION_NEWEST,
							   .ref = network };

	TRY(membership_read(&m, STR("{\"Container\":\"\",\"Force\":true}")));
	m.container = container_name;
	return disconnect_lost(&m);
}

static bool is_lost(const struct error *err)
{
	return error_is(err, ERR_NOT_FOUND) || error_is(err, ERR_NODE_DOWN);
}

may_suspend struct error *cluster_disconnect_network(struct cluster *c, struct str ref,
						     struct str body, struct api_version version)
{
	_cleanup_(membership_fini) struct membership m = {
		.c = c, .version = version, .ref = ref, .is_clients = true
	};
	_cleanup_(container_unrefp) struct container *ct = NULL;
	struct error *err, *lost;

	TRY(membership_asked(&m, body));
	err = cluster_live_container(c, m.container, &ct);
	if (!err)
		return act(&m, ct, "disconnect");
	if (!is_lost(err) || !json_is_true(json_field(m.body, "Force")))
		return err;
	lost = disconnect_lost(&m);
	/* Where the network is not to be found either, the container's absence is the reason. */
	if (lost && error_is(err, ERR_NODE_DOWN)) {
		error_free(lost);
		return err;
	}
	error_free(err);
	return lost;
}
