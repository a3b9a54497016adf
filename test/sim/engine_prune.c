/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an engine's disk holds, and what it clears away when it is asked to: stopped containers,
 * images that nobody uses. Each container has written 1000 bytes.
 */
#include "sim/engine.h"

#include "docker/filters.h"

enum { WRITTEN = 1000 };

static struct error *read_filters(const struct sim_call *call, const char *const *known,
				  struct filters *ret)
{
	TRY(filters_parse(http_param(&call->in->url, "filters"), call->arena, ret));
	return filters_check(ret, known);
}

static bool get_label(const void *labels, struct str key, struct str *ret_value)
{
	struct json_iter it = json_iter(*(const struct json *)labels);
	struct json value;
	struct str name;

	while (json_next(&it, &name, &value)) {
		if (str_eq(name, key)) {
			*ret_value = json_str(value);
			return true;
		}
	}
	return false;
}

/* Some container that is to go; NULL: none. */
static struct sim_container *prunable(const struct sim_engine *e, const struct filters *f)
{
	for (size_t i = 0; i < e->containers.n; i++) {
		struct sim_container *c = e->containers.v[i];
		struct json labels = json_field(c->config, "Labels");

		if (c->state != C_RUNNING && filters_match_labels(f, "label", get_label, &labels))
			return c;
	}
	return NULL;
}

may_suspend struct error *serve_container_prune(struct sim_call *call)
{
	static const char *const known[] = { "label", "label!", "until", NULL };
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);
	struct sim_container *c;
	struct filters filters;
	int64_t space = 0;

	TRY(read_filters(call, known, &filters));
	TRY(fake_work(call, 10 * MILLISECOND));
	json_begin_object(&o);
	json_key(&o, "ContainersDeleted");
	if (!prunable(call->e, &filters)) {
		json_null_value(&o);
	} else {
		json_begin_array(&o);
		while ((c = prunable(call->e, &filters))) {
			json_str_value(&o, str_from(c->id));
			fake_container_destroy(c);
			space += WRITTEN;
		}
		json_end_array(&o);
	}
	json_put_i64(&o, "SpaceReclaimed", space);
	json_end_object(&o);
	return fake_reply(call, 200, &text);
}

static bool is_used(const struct sim_engine *e, const struct sim_image *image)
{
	for (size_t i = 0; i < e->containers.n; i++) {
		const struct sim_container *c = e->containers.v[i];

		if (str_eq(c->image_id, str_from(image->id)))
			return true;
	}
	return false;
}

static void prune_image(struct sim_engine *e, struct sim_image *image, struct json_out *o)
{
	for (size_t i = 0; i < image->tags.n; i++) {
		json_begin_object(o);
		json_put_str(o, "Untagged", str_from(image->tags.v[i]));
		json_end_object(o);
	}
	json_begin_object(o);
	json_put_str(o, "Deleted", str_from(image->id));
	json_end_object(o);
	/* A layer, which is no image. */
	json_begin_object(o);
	json_put_str(o, "Deleted", STR("sha256:1a7e5"));
	json_end_object(o);
	fake_event(e, "image", "delete", image->id, "", "\"name\":\"x\"");
	fake_image_remove(e, image);
}

/* dangling=false: all that no container uses, as `docker image prune -a`. */
may_suspend struct error *serve_image_prune(struct sim_call *call)
{
	static const char *const known[] = { "dangling", "label", "label!", "until", NULL };
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);
	struct filters filters;
	int64_t space = 0;
	bool all;

	TRY(read_filters(call, known, &filters));
	TRY(fake_work(call, 10 * MILLISECOND));
	all = filters_have(&filters, "dangling", STR("false")) ||
	      filters_have(&filters, "dangling", STR("0"));
	json_begin_object(&o);
	json_key(&o, "ImagesDeleted");
	json_begin_array(&o);
	for (size_t i = 0; i < call->e->images.n;) {
		struct sim_image *image = call->e->images.v[i];

		if (is_used(call->e, image) || (!all && image->tags.n)) {
			i++;
			continue;
		}
		space += image->size;
		prune_image(call->e, image, &o);
	}
	json_end_array(&o);
	json_put_i64(&o, "SpaceReclaimed", space);
	json_end_object(&o);
	return fake_reply(call, 200, &text);
}

may_suspend struct error *serve_build_prune(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "{\"CachesDeleted\":[\"cache-%s\"],\"SpaceReclaimed\":500}",
		    call->e->name);
	return fake_reply(call, 200, &text);
}

static void put_images(const struct sim_engine *e, struct json_out *o)
{
	for (size_t i = 0; i < e->images.n; i++) {
		const struct sim_image *image = e->images.v[i];

		json_begin_object(o);
		json_put_str(o, "Id", str_from(image->id));
		json_key(o, "RepoTags");
		json_begin_array(o);
		for (size_t k = 0; k < image->tags.n; k++)
			json_str_value(o, str_from(image->tags.v[k]));
		json_end_array(o);
		json_key(o, "RepoDigests");
		json_null_value(o);
		json_put_i64(o, "Size", image->size);
		json_put_i64(o, "SharedSize", 0);
		json_put_i64(o, "Containers", is_used(e, image));
		json_end_object(o);
	}
}

static void put_containers(const struct sim_engine *e, struct json_out *o)
{
	for (size_t i = 0; i < e->containers.n; i++) {
		const struct sim_container *c = e->containers.v[i];

		json_begin_object(o);
		json_put_str(o, "Id", str_from(c->id));
		strbuf_addf(o->b, ",\"Names\":[\"/%s\"]", c->name);
		json_put_i64(o, "SizeRw", WRITTEN);
		json_end_object(o);
	}
}

/* A figure that only this engine has heard of is among them. */
may_suspend struct error *serve_disk_usage(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);

	TRY(fake_work(call, 10 * MILLISECOND));
	json_begin_object(&o);
	json_put_i64(&o, "LayersSize", (int64_t)call->e->images.n * 4000000);
	json_key(&o, "Images");
	json_begin_array(&o);
	put_images(call->e, &o);
	json_end_array(&o);
	json_key(&o, "Containers");
	json_begin_array(&o);
	put_containers(call->e, &o);
	json_end_array(&o);
	json_put_raw(&o, "Volumes",
		     STR("[{\"Name\":\"data\",\"Scope\":\"local\",\"UsageData\":{\"Size\":5}}]"));
	json_put_raw(&o, "BuildCache", STR("[{\"ID\":\"x\",\"Size\":7}]"));
	json_put_i64(&o, "NewFigure", 3);
	json_end_object(&o);
	return fake_reply(call, 200, &text);
}
