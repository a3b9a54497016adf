/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes an image out of what the engine says of it, in the one shape of its list.
 */
#include "engine/image.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/sum.h"
#include "json/build.h"

/* Engines before API 1.43 say "<none>:<none>" where there is no tag, "x:<none>" beside a digest. */
static bool is_reference(struct str s)
{
	return !str_empty(s) && !str_contains(s, STR("<none>"));
}

/* Counts references and their bytes; with `to`, writes them there. */
static uint32_t each_reference(struct json array, struct str *to, char **text, size_t *bytes)
{
	struct json_iter it = json_iter(array);
	struct json item;
	uint32_t n = 0;

	while (json_type(array) == JSON_ARRAY && json_next(&it, NULL, &item)) {
		struct str s = json_str(item);

		if (!is_reference(s))
			continue;
		if (to) {
			memcpy(*text, s.p, s.n);
			to[n] = str_of(*text, s.n);
			*text += s.n;
		}
		*bytes += s.n;
		n++;
	}
	return n;
}

static struct str put_text(char **at, struct str s)
{
	struct str copy = str_of(*at, s.n);

	if (s.n)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

/* One allocation: the struct, the arrays, then all texts. */
struct error *image_new_from_list(struct json entry, struct image **ret)
{
	struct json tags = json_get(entry, "RepoTags"), digests = json_get(entry, "RepoDigests");
	struct str id = json_get_str(entry, "Id"), raw = json_raw(entry);
	struct str parent = json_get_str(entry, "ParentId");
	size_t bytes = id.n + parent.n + raw.n;
	uint32_t n_tags = each_reference(tags, NULL, NULL, &bytes);
	uint32_t n_digests = each_reference(digests, NULL, NULL, &bytes);
	size_t arrays = ((size_t)n_tags + n_digests) * sizeof(struct str);
	struct image *i;
	struct str *refs;
	char *text;

	if (str_empty(id))
		return error_new(ERR_PROTOCOL, "the engine lists an image without an Id");

	i = mem_alloc(sizeof(*i) + arrays + bytes);
	refs = (struct str *)(i + 1);
	text = (char *)(i + 1) + arrays;
	*i = (struct image){
		.refs = 1,
		.created = json_get_i64(entry, "Created", 0),
		.tags = refs,
		.n_tags = n_tags,
		.digests = refs + n_tags,
		.n_digests = n_digests,
	};
	i->id = put_text(&text, id);
	i->parent = put_text(&text, parent);
	i->entry = put_text(&text, raw);
	each_reference(tags, refs, &text, &bytes);
	each_reference(digests, refs + n_tags, &text, &bytes);
	*ret = i;
	return NULL;
}

static void put_raw_or(struct json_out *o, const char *key, struct json value,
		       const char *otherwise)
{
	enum json_type type = json_type(value);

	json_put_raw(o, key,
		     type == JSON_MISSING || type == JSON_NULL ? str_from(otherwise)
							       : json_raw(value));
}

static int64_t created_at(struct json inspect)
{
	int64_t ns;

	if (!time_parse_rfc3339(json_get_str(inspect, "Created"), &ns))
		return 0;
	return ns / SECOND;
}

/*
 * Where images lie in containerd's store, a list says what all platforms of one take, packed and
 * unpacked, and inspect's own Size is what one takes packed.
 */
static void put_size(struct json_out *o, struct json inspect)
{
	struct json manifests = json_get(inspect, "Manifests"), manifest;
	struct json_iter it = json_iter(manifests);
	int64_t total = 0;

	if (json_type(manifests) != JSON_ARRAY || !json_count(manifests)) {
		put_raw_or(o, "Size", json_get(inspect, "Size"), "0");
		return;
	}
	while (json_next(&it, NULL, &manifest))
		total = sum_capped(total, json_get_i64(json_get(manifest, "Size"), "Total", 0));
	json_put_i64(o, "Size", total);
}

/*
 * The members of an engine's list, in its order; what it does not work out by default is -1 there.
 */
static void write_list_entry(struct json inspect, struct strbuf *text)
{
	struct json_out o = json_out(text);
	struct json virtual_size = json_get(inspect, "VirtualSize");
	struct json descriptor = json_get(inspect, "Descriptor");

	json_begin_object(&o);
	json_put_i64(&o, "Containers", -1);
	json_put_i64(&o, "Created", created_at(inspect));
	json_put_str(&o, "Id", json_get_str(inspect, "Id"));
	put_raw_or(&o, "Labels", json_get(json_get(inspect, "Config"), "Labels"), "null");
	json_put_str(&o, "ParentId", json_get_str(inspect, "Parent"));
	if (json_exists(descriptor))
		json_put_raw(&o, "Descriptor", json_raw(descriptor));
	put_raw_or(&o, "RepoDigests", json_get(inspect, "RepoDigests"), "[]");
	put_raw_or(&o, "RepoTags", json_get(inspect, "RepoTags"), "[]");
	json_put_i64(&o, "SharedSize", -1);
	put_size(&o, inspect);
	if (json_exists(virtual_size))
		json_put_raw(&o, "VirtualSize", json_raw(virtual_size));
	json_end_object(&o);
}

struct error *image_new_from_inspect(struct json inspect, struct image **ret)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json entry;

	write_list_entry(inspect, &text);
	TRY(json_parse(strbuf_str(&text), &arena, &entry));
	return image_new_from_list(entry, ret);
}

struct image *image_ref(struct image *i)
{
	i->refs++;
	return i;
}

void image_unref(struct image *i)
{
	if (i && --i->refs == 0)
		free(i);
}
