/* SPDX-License-Identifier: Apache-2.0 */
/* Reads platforms. An engine tells its machine in the kernel's words, clients use Go's. */
#include "docker/platform.h"

#include "base/attr.h"

static const struct {
	struct str text, architecture;
	int variant;
} architectures[] = {
	{ STR_INIT("amd64"), STR_INIT("amd64"), 0 },
	{ STR_INIT("x86_64"), STR_INIT("amd64"), 0 },
	{ STR_INIT("x86-64"), STR_INIT("amd64"), 0 },
	{ STR_INIT("386"), STR_INIT("386"), 0 },
	{ STR_INIT("i386"), STR_INIT("386"), 0 },
	{ STR_INIT("i586"), STR_INIT("386"), 0 },
	{ STR_INIT("i686"), STR_INIT("386"), 0 },
	{ STR_INIT("arm64"), STR_INIT("arm64"), 8 },
	{ STR_INIT("aarch64"), STR_INIT("arm64"), 8 },
	{ STR_INIT("arm"), STR_INIT("arm"), 0 },
	{ STR_INIT("armhf"), STR_INIT("arm"), 7 },
	{ STR_INIT("armel"), STR_INIT("arm"), 6 },
	{ STR_INIT("armv5l"), STR_INIT("arm"), 5 },
	{ STR_INIT("armv6l"), STR_INIT("arm"), 6 },
	{ STR_INIT("armv7l"), STR_INIT("arm"), 7 },
	{ STR_INIT("armv8l"), STR_INIT("arm"), 8 },
	{ STR_INIT("ppc64le"), STR_INIT("ppc64le"), 0 },
	{ STR_INIT("s390x"), STR_INIT("s390x"), 0 },
	{ STR_INIT("riscv64"), STR_INIT("riscv64"), 0 },
	{ STR_INIT("mips64"), STR_INIT("mips64"), 0 },
	{ STR_INIT("mips64le"), STR_INIT("mips64le"), 0 },
	{ STR_INIT("loong64"), STR_INIT("loong64"), 0 },
	{ STR_INIT("loongarch64"), STR_INIT("loong64"), 0 },
};

static const struct str systems[] = { STR_INIT("linux"), STR_INIT("windows"), STR_INIT("darwin"),
				      STR_INIT("freebsd") };

static bool read_system(struct str text, struct platform *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(systems); i++) {
		if (!str_eq_nocase(systems[i], text))
			continue;
		ret->os = systems[i];
		return true;
	}
	return false;
}

static bool read_architecture(struct str text, struct platform *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(architectures); i++) {
		if (!str_eq_nocase(architectures[i].text, text))
			continue;
		ret->architecture = architectures[i].architecture;
		ret->variant = architectures[i].variant;
		return true;
	}
	return false;
}

/* "v7", or "7". What other architectures have (amd64/v3) no engine tells of its machine. */
static bool read_variant(struct str text, struct platform *ret)
{
	int64_t n;

	if (str_empty(text))
		return false;
	if (!str_eq(ret->architecture, STR("arm")))
		return true;
	if (!str_to_i64(str_strip_prefix(text, STR("v")), &n) || n < 5 || n > 8)
		return false;
	ret->variant = (int)n;
	return true;
}

bool platform_parse(struct str text, struct platform *ret)
{
	struct platform p = { .variant = 0 };
	struct str first, rest, second, variant;

	*ret = p;
	if (!str_cut(text, '/', &first, &rest)) {
		if (!read_system(text, &p) && !read_architecture(text, &p))
			return false;
	} else {
		bool has_variant = str_cut(rest, '/', &second, &variant);

		if (!read_system(first, &p) || !read_architecture(second, &p) ||
		    (has_variant && !read_variant(variant, &p)))
			return false;
	}
	*ret = p;
	return true;
}

/* Words that are not known are kept: they equal themselves alone, and so nothing that is asked. */
struct platform platform_of_engine(struct str os_type, struct str architecture)
{
	struct platform p = { .os = os_type, .architecture = architecture };

	read_system(os_type, &p);
	read_architecture(architecture, &p);
	return p;
}

/* An amd64 runs 386, an arm64 runs arm. */
static bool runs_architecture(struct str has, struct str wanted)
{
	if (str_empty(wanted) || str_eq(has, wanted))
		return true;
	if (str_eq(wanted, STR("386")))
		return str_eq(has, STR("amd64"));
	return str_eq(wanted, STR("arm")) && str_eq(has, STR("arm64"));
}

bool platform_runs(const struct platform *p, const struct platform *wanted)
{
	if (!str_empty(wanted->os) && !str_eq(p->os, wanted->os))
		return false;
	if (!runs_architecture(p->architecture, wanted->architecture))
		return false;
	return !wanted->variant || !p->variant || p->variant >= wanted->variant;
}
