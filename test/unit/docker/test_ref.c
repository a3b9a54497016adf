/* SPDX-License-Identifier: Apache-2.0 */
/* docker/ref.c: references that engines take, in their short form, and those that they refuse. */
#include "unit/testing.h"

#include "docker/ref.h"

#define HEX16 "0123456789abcdef"
#define HEX64 HEX16 HEX16 HEX16 HEX16
#define A50   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *text, *domain, *path, *tag, *digest, *familiar;
} good[] = {
	{ "busybox", "docker.io", "library/busybox", "", "", "busybox:latest" },
	{ "busybox:1.36", "docker.io", "library/busybox", "1.36", "", "busybox:1.36" },
	{ "library/busybox", "docker.io", "library/busybox", "", "", "busybox:latest" },
	{ "docker.io/busybox", "docker.io", "library/busybox", "", "", "busybox:latest" },
	{ "index.docker.io/library/busybox", "docker.io", "library/busybox", "", "",
	  "busybox:latest" },
	{ "docker/swarm", "docker.io", "docker/swarm", "", "", "docker/swarm:latest" },
	{ "library/a/b", "docker.io", "library/a/b", "", "", "library/a/b:latest" },
	{ "reg:5000/a/b:tag", "reg:5000", "a/b", "tag", "", "reg:5000/a/b:tag" },
	{ "localhost/a", "localhost", "a", "", "", "localhost/a:latest" },
	{ "reg.example.com/library/x", "reg.example.com", "library/x", "", "",
	  "reg.example.com/library/x:latest" },
	{ "REG.example/x", "REG.example", "x", "", "", "REG.example/x:latest" },
	{ "[fd00::1]:5000/x:1", "[fd00::1]:5000", "x", "1", "", "[fd00::1]:5000/x:1" },
	{ "a__b/c.d-e--f_g", "docker.io", "a__b/c.d-e--f_g", "", "", "a__b/c.d-e--f_g:latest" },
	{ "x@sha256:" HEX64, "docker.io", "library/x", "", "sha256:" HEX64, "x@sha256:" HEX64 },
	{ "x:1@sha256:" HEX64, "docker.io", "library/x", "1", "sha256:" HEX64, "x@sha256:" HEX64 },
	{ "x:_a.B-1", "docker.io", "library/x", "_a.B-1", "", "x:_a.B-1" },
	{ "host/x:80", "docker.io", "host/x", "80", "", "host/x:80" },
};

static const struct {
	const char *text, *why;
} bad[] = {
	{ "", "invalid reference format" },
	{ "/", "invalid reference format" },
	{ "a/", "invalid reference format" },
	{ "/a", "invalid reference format" },
	{ "a//b", "invalid reference format" },
	{ "a:", "invalid reference format" },
	{ ":a", "invalid reference format" },
	{ "a@", "invalid reference format" },
	{ "a b", "invalid reference format" },
	{ "-a", "invalid reference format" },
	{ "a-", "invalid reference format" },
	{ "a..b", "invalid reference format" },
	{ "a___b", "invalid reference format" },
	{ "a._b", "invalid reference format" },
	{ "a:-b", "invalid reference format" },
	{ "a:b:c", "invalid reference format" },
	{ "a:b/c", "invalid reference format" },
	{ "reg:/a", "invalid reference format" },
	{ "reg:80x/a", "invalid reference format" },
	{ "-reg.example/a", "invalid reference format" },
	{ "reg..example/a", "invalid reference format" },
	{ "reg.example./a", "invalid reference format" },
	{ "[fd00::1/a", "invalid reference format" },
	{ "[]:80/a", "invalid reference format" },
	{ "[::1]80/a", "invalid reference format" },
	{ "Busybox", "invalid reference format: repository name must be lowercase" },
	{ "HOST/x", "invalid reference format: repository name must be lowercase" },
	{ HEX64,
	  "invalid repository name (" HEX64 "), cannot specify 64-byte hexadecimal strings" },
	{ "a@sha256:12", "invalid reference format" },
	{ "a@sha256:" HEX16 "0123456789abcde", "invalid reference format" },
	{ "a@sha256:" HEX16 HEX16, "invalid checksum digest length" },
	{ "a@sha256:" HEX64 "z", "invalid reference format" },
	{ "a@1md5:" HEX16 HEX16, "invalid reference format" },
	{ "a@x++y:" HEX16 HEX16, "invalid reference format" },
	{ "a@x.:" HEX16 HEX16, "invalid reference format" },
	{ "a@x+y2:" HEX16 HEX16, "unsupported digest algorithm" },
	{ "a@sha256:" HEX16 HEX16 HEX16 "0123456789ABCDEF", "invalid checksum digest format" },
	{ "a@md5:" HEX16 HEX16, "unsupported digest algorithm" },
	{ "a@" HEX64, "invalid reference format" },
	{ A50 A50 A50 A50 A50 "aaaaaa", "repository name must not be more than 255 characters" },
	{ "a:" A50 A50 A50, "invalid reference format" },
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct image_ref ref;

		assert_ok(image_ref_parse(str_from(good[i].text), &arena, &ref));
		assert_str(ref.domain, good[i].domain);
		assert_str(ref.path, good[i].path);
		assert_str(ref.tag, good[i].tag);
		assert_str(ref.digest, good[i].digest);
		assert_str(image_ref_familiar(&ref, &arena), good[i].familiar);
	}
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct image_ref ref;

		assert_err(image_ref_parse(str_from(bad[i].text), &arena, &ref), ERR_INVALID,
			   bad[i].why);
	}
}

static void test_ids(void **state)
{
	static const struct {
		const char *text;
		bool is, maybe;
	} cases[] = {
		{ HEX64, true, true },		{ "sha256:" HEX64, true, true },
		{ "sha256:0123", true, true },	{ "sha256:", false, false },
		{ "sha256:xyz", false, false }, { "sha256:" HEX64 "0", false, false },
		{ "0123", false, true },	{ "012", false, false },
		{ "cafe", false, true },	{ "CAFE", false, false },
		{ "busybox", false, false },	{ HEX64 "0", false, false },
		{ "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(image_id_is(str_from(cases[i].text)), cases[i].is);
		assert_int_equal(image_id_maybe(str_from(cases[i].text)), cases[i].maybe);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
