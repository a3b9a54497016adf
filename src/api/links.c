/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine finds a link by the name of the container that it leads from, and not by its id: that
 * name goes into the path.
 */
#include "api/links.h"

#include "api/proxy.h"
#include "cluster/cluster.h"
#include "http/url.h"

/* The name that is to go, and whose it is. */
struct link_removal {
	struct engine *engine;
	struct str alias; /* "/web/db" */
};

static void link_removal_fini(struct link_removal *l)
{
	engine_unref(l->engine);
}

/* The client's next list shows it no more; where that fails, the next refresh will tell. */
static may_suspend void refresh_at_head(void *arg, int status)
{
	const struct link_removal *l = arg;
	_cleanup_(container_unrefp) struct container *ct = NULL;

	if (status < 300)
		ct = cluster_container_called(l->engine, l->alias);
	if (ct)
		engine_read_back_container(l->engine, ct->id);
}

/* Where nothing is before a slash, or no container, the whole is what one is called itself. */
static struct error *find(const struct request *r, struct str *ret_alias, struct container **ret)
{
	struct str parent;
	struct error *err;

	if (str_rcut(r->name, '/', &parent, ret_alias) && !str_empty(parent)) {
		err = cluster_live_container(r->cluster, parent, ret);
		if (!error_is(err, ERR_NOT_FOUND))
			return err;
		error_free(err);
	}
	*ret_alias = STR_NONE;
	return cluster_live_container(r->cluster, r->name, ret);
}

may_suspend struct error *links_remove(struct request *r)
{
	_cleanup_(container_unrefp) struct container *from = NULL;
	_cleanup_(link_removal_fini) struct link_removal l = { NULL, STR_NONE };
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	struct proxy p = { .on_head = refresh_at_head, .arg = &l };
	struct str alias;

	TRY(find(r, &alias, &from));
	l.engine = engine_ref(from->engine);
	l.alias = arena_printf(r->arena, "/%.*s%s%.*s", STR_ARG(from->name),
			       str_empty(alias) ? "" : "/", STR_ARG(alias));
	strbuf_add(&path, STR("/containers"));
	http_encode_path(&path, l.alias);
	p.engine = l.engine;
	p.path = request_with_query(r, strbuf_str(&path));
	return proxy_pass(r, &p);
}
