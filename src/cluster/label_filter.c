/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/label_filter.h"

static bool get_label(const void *labels, struct str key, struct str *ret_value)
{
	struct json_iter it = json_iter(*(const struct json *)labels);
	struct json value;
	struct str name;

	while (json_next(&it, &name, &value)) {
		if (!str_eq(name, key))
			continue;
		*ret_value = json_str(value);
		return true;
	}
	return false;
}

bool label_filter_match(const struct filters *f, struct str entry)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct json root, labels;
	struct error *err;

	if (!filters_get(f, "label"))
		return true;
	err = json_parse(entry, &arena, &root);
	if (err) {
		error_free(err);
		return false;
	}
	labels = json_get(root, "Labels");
	return filters_match_labels(f, "label", get_label, &labels);
}
