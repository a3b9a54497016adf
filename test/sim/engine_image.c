/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The images of an engine.
 *
 * What is loaded is no tar but lines "image REF\n": the same text, the same image.
 */
#include "sim/engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rand.h"
#include "docker/auth.h"
#include "docker/ref.h"
#include "docker/version.h"
#include "fiber/fiber.h"
#include "sim/internal.h"

struct str fake_image_familiar(struct str ref, struct arena *arena)
{
	struct image_ref parsed;
	struct error *err = image_ref_parse(ref, arena, &parsed);

	if (err) {
		error_free(err);
		return arena_dup(arena, ref);
	}
	return arena_dup(arena, image_ref_familiar(&parsed, arena));
}

/* As many digits as an id has, out of a hash of the text that does not depend on the seed. */
char *fake_image_id_of(const char *text)
{
	struct strbuf id = STRBUF_INIT;

	strbuf_add(&id, STR("sha256:"));
	for (uint64_t i = 0; i < 4; i++) {
		uint64_t key[2] = { i + 1, 0x5157 };

		strbuf_addf(&id, "%016llx",
			    (unsigned long long)str_hash_keyed(str_from(text), key));
	}
	return strbuf_take(&id);
}

static bool has_text(const struct vec *v, struct str text)
{
	for (size_t i = 0; i < v->n; i++)
		if (str_eq(str_from(v->v[i]), text))
			return true;
	return false;
}

static void remove_text(struct vec *v, struct str text)
{
	for (size_t i = 0; i < v->n; i++)
		if (str_eq(str_from(v->v[i]), text)) {
			char *found = v->v[i];

			vec_remove(v, found);
			free(found);
			return;
		}
}

struct sim_image *fake_image_find(const struct sim_engine *e, struct str ref)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str familiar = fake_image_familiar(ref, &arena);
	struct str hex = str_strip_prefix(ref, STR("sha256:"));

	for (size_t i = 0; i < e->images.n; i++) {
		struct sim_image *image = e->images.v[i];

		if (has_text(&image->tags, familiar) || has_text(&image->digests, familiar))
			return image;
		if (hex.n >= 4 && str_starts(str_from(image->id + strlen("sha256:")), hex))
			return image;
	}
	return NULL;
}

static void image_free(struct sim_image *image)
{
	for (size_t i = 0; i < image->tags.n; i++)
		free(image->tags.v[i]);
	for (size_t i = 0; i < image->digests.n; i++)
		free(image->digests.v[i]);
	vec_fini(&image->tags);
	vec_fini(&image->digests);
	free(image->id);
	free(image->parent);
	free(image->labels);
	free(image);
}

void fake_images_fini(struct sim_engine *e)
{
	for (size_t i = 0; i < e->images.n; i++)
		image_free(e->images.v[i]);
	vec_fini(&e->images);
}

void fake_image_remove(struct sim_engine *e, struct sim_image *image)
{
	vec_remove(&e->images, image);
	image_free(image);
}

/* A tag names one image only. */
static void give_tag(struct sim_engine *e, struct sim_image *image, const char *tag)
{
	for (size_t i = 0; i < e->images.n; i++)
		remove_text(&((struct sim_image *)e->images.v[i])->tags, str_from(tag));
	vec_push(&image->tags, mem_strdup(tag));
}

struct sim_image *fake_image_add(struct sim_engine *e, const char *id, const char *tag,
				 const char *digest)
{
	struct sim_image *image = fake_image_find(e, str_from(id));

	if (!image) {
		image = mem_new(struct sim_image);
		image->id = mem_strdup(id);
		image->created = fake_clock(e) / SECOND;
		image->size = 4000000;
		vec_push(&e->images, image);
	}
	if (tag)
		give_tag(e, image, tag);
	if (digest && !has_text(&image->digests, str_from(digest)))
		vec_push(&image->digests, mem_strdup(digest));
	return image;
}

static void image_event(struct sim_engine *e, const char *action, const char *actor)
{
	fake_event(e, "image", action, actor, "", "\"name\":\"x\"");
}

static void put_texts(struct json_out *o, const char *key, const struct vec *v, const char *none)
{
	json_key(o, key);
	json_begin_array(o);
	for (size_t i = 0; i < v->n; i++)
		json_str_value(o, str_from(v->v[i]));
	if (!v->n && none)
		json_str_value(o, str_from(none));
	json_end_array(o);
}

static bool is_hidden(const struct sim_call *call, const struct sim_image *image)
{
	if (image->tags.n || image->digests.n || http_param_bool(&call->in->url, "all", false))
		return false;
	for (size_t i = 0; i < call->e->images.n; i++) {
		const struct sim_image *other = call->e->images.v[i];

		if (other->parent && strcmp(other->parent, image->id) == 0)
			return true;
	}
	return false;
}

/* They are asked for lists in the newest version that they have. */
static bool is_before(const struct sim_engine *e, int minor)
{
	struct api_version newest;

	assert_true(api_version_parse(str_from(e->api_newest), &newest));
	return api_version_cmp(newest, API_VERSION(1, minor)) < 0;
}

static int64_t count_users(const struct sim_engine *e, const struct sim_image *image)
{
	int64_t n = 0;

	for (size_t i = 0; i < e->containers.n; i++) {
		const struct sim_container *c = e->containers.v[i];

		n += str_eq(c->image_id, str_from(image->id));
	}
	return n;
}

static void put_users(struct json_out *o, const struct sim_engine *e, const struct sim_image *image)
{
	json_key(o, "Containers");
	json_begin_array(o);
	for (size_t i = 0; i < e->containers.n; i++) {
		const struct sim_container *c = e->containers.v[i];

		if (str_eq(c->image_id, str_from(image->id)))
			json_str_value(o, str_from(c->id));
	}
	json_end_array(o);
}

/* What containerd's store has of an image: packed, which is its own size, and unpacked. */
static void put_store(struct json_out *o, const struct sim_call *call,
		      const struct sim_image *image)
{
	if (!call->e->image_store || is_before(call->e, 48))
		return;
	json_key(o, "Descriptor");
	json_begin_object(o);
	json_put_str(o, "digest", str_from(image->id));
	json_end_object(o);
	if (!http_param_bool(&call->in->url, "manifests", false))
		return;
	json_key(o, "Manifests");
	json_begin_array(o);
	json_begin_object(o);
	json_put_str(o, "ID", str_from(image->id));
	json_key(o, "Available");
	json_bool_value(o, true);
	json_key(o, "ImageData");
	json_begin_object(o);
	put_users(o, call->e, image);
	json_end_object(o);
	json_key(o, "Size");
	json_begin_object(o);
	json_put_i64(o, "Content", image->size);
	json_put_i64(o, "Total", 2 * image->size);
	json_end_object(o);
	json_end_object(o);
	json_end_array(o);
}

may_suspend struct error *serve_image_list(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);
	bool shares =
		!is_before(call->e, 42) && http_param_bool(&call->in->url, "shared-size", false);

	json_begin_array(&o);
	for (size_t i = 0; i < call->e->images.n; i++) {
		const struct sim_image *image = call->e->images.v[i];

		if (is_hidden(call, image))
			continue;
		json_begin_object(&o);
		json_put_i64(&o, "Containers",
			     is_before(call->e, 51) ? -1 : count_users(call->e, image));
		json_put_i64(&o, "Created", image->created);
		json_put_str(&o, "Id", str_from(image->id));
		json_put_raw(&o, "Labels", STR("null"));
		json_put_str(&o, "ParentId", image->parent ? str_from(image->parent) : STR(""));
		put_store(&o, call, image);
		put_texts(&o, "RepoDigests", &image->digests, "<none>@<none>");
		put_texts(&o, "RepoTags", &image->tags, "<none>:<none>");
		json_put_i64(&o, "SharedSize", shares ? image->size / 2 : -1);
		json_put_i64(&o, "Size", call->e->image_store ? 2 * image->size : image->size);
		if (is_before(call->e, 44))
			json_put_i64(&o, "VirtualSize", image->size);
		json_end_object(&o);
	}
	json_end_array(&o);
	return fake_reply(call, 200, &text);
}

static struct error *get_image(const struct sim_call *call, struct sim_image **ret)
{
	*ret = fake_image_find(call->e, call->name);
	return *ret ? NULL : fake_refuse(404, "No such image: %.*s", STR_ARG(call->name));
}

may_suspend struct error *serve_image_inspect(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT, created = STRBUF_INIT;
	struct json_out o = json_out(&text);
	struct sim_image *image;

	TRY(fake_work(call, MILLISECOND));
	TRY(get_image(call, &image));
	time_format_rfc3339_nano(image->created * SECOND, &created);
	json_begin_object(&o);
	json_put_str(&o, "Id", str_from(image->id));
	put_texts(&o, "RepoTags", &image->tags, NULL);
	put_texts(&o, "RepoDigests", &image->digests, NULL);
	json_put_str(&o, "Parent", image->parent ? str_from(image->parent) : STR(""));
	json_put_str(&o, "Created", strbuf_str(&created));
	json_put_str(&o, "Architecture", STR("amd64"));
	json_put_str(&o, "Os", STR("linux"));
	json_put_i64(&o, "Size", image->size);
	if (is_before(call->e, 44))
		json_put_i64(&o, "VirtualSize", image->size);
	put_store(&o, call, image);
	json_key(&o, "Config");
	json_begin_object(&o);
	json_put_raw(&o, "Labels", image->labels ? str_from(image->labels) : STR("null"));
	json_end_object(&o);
	json_end_object(&o);
	return fake_reply(call, 200, &text);
}

void sim_date_image(struct sim_engine *e, const char *ref, int64_t created)
{
	struct sim_image *image = fake_image_find(e, str_from(ref));

	assert_non_null(image);
	image->created = created;
}

static may_suspend struct error *progress_bars(struct sim_call *call, int bars)
{
	for (int i = 1; i <= bars; i++) {
		_cleanup_(strbuf_fini) struct strbuf line = STRBUF_INIT;

		strbuf_addf(&line,
			    "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":%d,"
			    "\"total\":%d},\"id\":\"0123456789ab\"}\r\n",
			    i, bars);
		TRY(http_reply_write(call->in, strbuf_str(&line)));
	}
	return NULL;
}

static may_suspend struct error *progress(struct sim_call *call, const char *status, const char *id)
{
	_cleanup_(strbuf_fini) struct strbuf line = STRBUF_INIT;
	struct json_out o = json_out(&line);

	json_begin_object(&o);
	json_put_str(&o, "status", str_from(status));
	if (id)
		json_put_str(&o, "id", str_from(id));
	json_end_object(&o);
	strbuf_add(&line, STR("\r\n"));
	return http_reply_write(call->in, strbuf_str(&line));
}

static may_suspend struct error *progress_error(struct sim_call *call, const char *message)
{
	_cleanup_(strbuf_fini) struct strbuf line = STRBUF_INIT;

	strbuf_addf(&line, "{\"errorDetail\":{\"message\":\"%s\"},\"error\":\"%s\"}\r\n", message,
		    message);
	TRY(http_reply_write(call->in, strbuf_str(&line)));
	return http_reply_end(call->in);
}

static may_suspend struct error *begin_progress(struct sim_call *call)
{
	struct http_header type = { STR("Content-Type"), STR("application/json") };

	return http_reply_begin(call->in, 200, STR(""), &type, 1, -1);
}

/* Without a tag: what of the repository the registry has, and what it is called. */
static bool pulls_all(const struct sim_call *call)
{
	struct str from = http_param(&call->in->url, "fromImage"), domain, path;

	if (!str_rcut(from, '/', &domain, &path))
		path = from;
	return str_empty(http_param(&call->in->url, "tag")) && !str_has_char(path, ':');
}

/* The event is one, of the bare name. */
static void add_all(struct sim_call *call)
{
	struct str from = http_param(&call->in->url, "fromImage");
	const struct registry_image *image;

	for (size_t at = 0; (image = fake_registry_next(call->e->sim, from, &at));)
		fake_image_add(call->e, image->id, image->ref, image->digest);
	image_event(call->e, "pull", arena_cstr(call->arena, from));
}

static may_suspend struct error *pull_found(struct sim_call *call,
					    const struct registry_image *found)
{
	TRY(begin_progress(call));
	TRY(progress(call, "Pulling from library", "latest"));
	TRY(progress_bars(call, found->bars));
	for (int i = 0; i < 4; i++) {
		TRY(progress(call, "Downloading", "0123456789ab"));
		TRY(fiber_sleep(found->takes / 4));
	}
	if (found->error)
		return progress_error(call, found->error);
	if (pulls_all(call)) {
		add_all(call);
	} else {
		fake_image_add(call->e, found->id, found->ref, found->digest);
		image_event(call->e, "pull", found->ref);
	}
	TRY(progress(call, "Pull complete", "0123456789ab"));
	TRY(progress(call, "Status: Downloaded newer image", NULL));
	return http_reply_end(call->in);
}

static may_suspend struct error *import(struct sim_call *call)
{
	_cleanup_(mem_freep) char *id = fake_draw_id();
	_cleanup_(strbuf_fini) struct strbuf tag = STRBUF_INIT;
	struct str repo = http_param(&call->in->url, "repo"), body;
	struct str given = http_param(&call->in->url, "tag");
	char full[80];

	TRY(http_incoming_read_all(call->in, 16 * MIB, &body));
	snprintf(full, sizeof(full), "sha256:%s", id);
	if (!str_empty(repo))
		strbuf_addf(&tag, "%.*s:%.*s", STR_ARG(repo),
			    STR_ARG(str_empty(given) ? STR("latest") : given));
	fake_image_add(call->e, full, tag.p, NULL);
	image_event(call->e, "import", full);
	TRY(begin_progress(call));
	TRY(progress(call, full, NULL));
	return http_reply_end(call->in);
}

may_suspend struct error *serve_image_pull(struct sim_call *call)
{
	struct str from = http_param(&call->in->url, "fromImage");
	struct str tag = http_param(&call->in->url, "tag");
	struct str auth = http_header(&call->in->head.headers, "X-Registry-Auth");
	const struct registry_image *found;

	if (!str_empty(http_param(&call->in->url, "fromSrc")))
		return import(call);
	TRY(fake_work(call, 50 * MILLISECOND));
	if (!str_empty(tag))
		from = arena_printf(call->arena, "%.*s:%.*s", STR_ARG(from), STR_ARG(tag));
	found = pulls_all(call)
			? fake_registry_next(call->e->sim, from, &(size_t){ 0 })
			: fake_registry_find(call->e->sim, fake_image_familiar(from, call->arena));
	if (!found || (found->private && !registry_auth_present(auth)))
		return fake_refuse(404,
				   "pull access denied for %.*s, repository does not exist or may "
				   "require 'docker login': denied: requested access to the "
				   "resource is denied",
				   STR_ARG(from));
	return pull_found(call, found);
}

static void load_line(struct sim_call *call, struct str line, struct strbuf *said)
{
	struct str word, ref, familiar;

	if (!str_cut(str_trim(line), ' ', &word, &ref) || !str_eq(word, STR("image")))
		return;
	familiar = fake_image_familiar(ref, call->arena);

	char *id = fake_image_id_of(familiar.p);

	fake_image_add(call->e, id, familiar.p, NULL);
	image_event(call->e, "load", id);
	strbuf_addf(said, "{\"stream\":\"Loaded image: %.*s\\n\"}\r\n", STR_ARG(familiar));
	free(id);
}

/* A line for each tag that is named, and for all of a repository that is named alone. */
static void save_lines(struct sim_call *call, struct str name, struct strbuf *out)
{
	struct str prefix = arena_printf(call->arena, "%.*s:", STR_ARG(name));

	for (size_t i = 0; i < call->e->images.n; i++) {
		const struct sim_image *image = call->e->images.v[i];

		for (size_t k = 0; k < image->tags.n; k++)
			if (str_starts(str_from(image->tags.v[k]), prefix))
				strbuf_addf(out, "image %s\n", (char *)image->tags.v[k]);
	}
	if (!out->n && fake_image_find(call->e, name))
		strbuf_addf(out, "image %.*s\n", STR_ARG(name));
}

/* What serve_image_load takes. */
may_suspend struct error *serve_image_save(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf lines = STRBUF_INIT;
	struct str name = call->name;

	if (str_empty(name))
		name = http_param(&call->in->url, "names");
	TRY(fake_work(call, 20 * MILLISECOND));
	save_lines(call, name, &lines);
	if (!lines.n)
		return fake_refuse(404, "No such image: %.*s", STR_ARG(name));
	TRY(begin_progress(call));
	TRY(http_reply_write(call->in, strbuf_str(&lines)));
	return http_reply_end(call->in);
}

may_suspend struct error *serve_image_load(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT, said = STRBUF_INIT;
	struct str rest, line;
	size_t n = 1;

	while (n > 0) {
		strbuf_reserve(&body, 32 * KIB);
		TRY(http_incoming_read(call->in, body.p + body.n, 32 * KIB, &n));
		strbuf_extend(&body, n);
		TRY(fiber_sleep(100 * MICROSECOND));
	}
	rest = strbuf_str(&body);
	while (str_next(&rest, '\n', &line))
		load_line(call, line, &said);
	TRY(begin_progress(call));
	if (!said.n)
		return progress_error(call, "archive/tar: invalid tar header");
	TRY(http_reply_write(call->in, strbuf_str(&said)));
	return http_reply_end(call->in);
}

may_suspend struct error *serve_image_tag(struct sim_call *call)
{
	struct str repo = http_param(&call->in->url, "repo");
	struct str tag = http_param(&call->in->url, "tag"), full;
	struct sim_image *image;

	TRY(fake_work(call, MILLISECOND));
	TRY(get_image(call, &image));
	full = arena_printf(call->arena, "%.*s:%.*s", STR_ARG(repo),
			    STR_ARG(str_empty(tag) ? STR("latest") : tag));
	give_tag(call->e, image, fake_image_familiar(full, call->arena).p);
	image_event(call->e, "tag", image->id);
	return fake_reply_empty(call, 201);
}

static bool has_repository(const struct sim_call *call)
{
	struct str prefix = arena_printf(call->arena, "%.*s:", STR_ARG(call->name));

	for (size_t i = 0; i < call->e->images.n; i++) {
		const struct sim_image *image = call->e->images.v[i];

		for (size_t k = 0; k < image->tags.n; k++)
			if (str_starts(str_from(image->tags.v[k]), prefix))
				return true;
	}
	return false;
}

/* Says what it would push, and to nobody. */
may_suspend struct error *serve_image_push(struct sim_call *call)
{
	TRY(fake_work(call, MILLISECOND));
	TRY(begin_progress(call));
	if (!has_repository(call))
		return progress_error(call, "An image does not exist locally with the tag");
	TRY(progress(call, "Pushed", arena_cstr(call->arena, call->name)));
	return http_reply_end(call->in);
}

static const struct sim_container *image_user(const struct sim_engine *e,
					      const struct sim_image *image)
{
	for (size_t i = 0; i < e->containers.n; i++) {
		const struct sim_container *c = e->containers.v[i];

		if (str_eq(c->image_id, str_from(image->id)))
			return c;
	}
	return NULL;
}

static struct error *check_unused(const struct sim_call *call, const struct sim_image *image)
{
	const struct sim_container *user = image_user(call->e, image);

	if (!user || http_param_bool(&call->in->url, "force", false) || image->tags.n > 1)
		return NULL;
	return fake_refuse(409,
			   "conflict: unable to remove repository reference \"%.*s\" (must force) "
			   "- container %.12s is using its referenced image %.12s",
			   STR_ARG(call->name), user->id, image->id + strlen("sha256:"));
}

may_suspend struct error *serve_image_delete(struct sim_call *call)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct str familiar = fake_image_familiar(call->name, call->arena);
	struct sim_image *image;

	TRY(fake_work(call, 5 * MILLISECOND));
	TRY(get_image(call, &image));
	TRY(check_unused(call, image));
	strbuf_addc(&text, '[');
	if (has_text(&image->tags, familiar)) {
		remove_text(&image->tags, familiar);
		strbuf_addf(&text, "{\"Untagged\":\"%.*s\"}", STR_ARG(familiar));
		image_event(call->e, "untag", image->id);
	}
	if (!image->tags.n) {
		strbuf_addf(&text, "%s{\"Deleted\":\"%s\"}", text.n > 1 ? "," : "", image->id);
		image_event(call->e, "delete", image->id);
		fake_image_remove(call->e, image);
	}
	strbuf_addc(&text, ']');
	return fake_reply(call, 200, &text);
}
