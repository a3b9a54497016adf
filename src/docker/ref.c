/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of image references is that of github.com/distribution/reference, which every engine
 * and client parses with: [domain[:port]/]path[:tag][@digest], Docker Hub where no domain is
 * written. The words of the errors are the engine's.
 */
#include "docker/ref.h"

#include "docker/path_pattern.h"

#define DEFAULT_DOMAIN STR("docker.io")
#define LEGACY_DOMAIN  STR("index.docker.io")
#define OFFICIAL       STR("library/")

#define MAX_NAME  255
#define MAX_TAG	  128
#define ID_HEX	  64
#define LEAST_HEX 32 /* of any digest */

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_lower(c) || is_upper(c) || is_digit(c);
}

static bool is_word(char c)
{
	return is_alnum(c) || c == '_';
}

static bool is_lower_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool is_hex(char c)
{
	return is_lower_hex(c) || (c >= 'A' && c <= 'F');
}

static bool all(struct str s, bool (*is)(char))
{
	for (size_t i = 0; i < s.n; i++)
		if (!is(s.p[i]))
			return false;
	return true;
}

static bool has_upper(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (is_upper(s.p[i]))
			return true;
	return false;
}

static bool host_label_valid(struct str label)
{
	if (label.n == 0 || label.p[0] == '-' || label.p[label.n - 1] == '-')
		return false;
	for (size_t i = 0; i < label.n; i++)
		if (!is_alnum(label.p[i]) && label.p[i] != '-')
			return false;
	return true;
}

static bool host_valid(struct str host)
{
	struct str label;

	while (str_next(&host, '.', &label))
		if (!host_label_valid(label))
			return false;
	return true;
}

static bool is_ipv6_char(char c)
{
	return is_digit(c) || c == ':' || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* "reg.example:5000", "[fd00::1]:5000" */
static bool domain_valid(struct str domain)
{
	struct str host = domain, port = STR_NONE;
	ptrdiff_t end = str_find_char(domain, ']');

	if (str_starts(domain, STR("["))) {
		if (end < 2 || !all(str_of(domain.p + 1, (size_t)end - 1), is_ipv6_char))
			return false;
		port = str_skip(domain, (size_t)end + 1);
		if (port.n == 0)
			return true;
		if (port.p[0] != ':')
			return false;
		port = str_skip(port, 1);
		return port.n > 0 && all(port, is_digit);
	}
	if (str_cut(domain, ':', &host, &port) && (port.n == 0 || !all(port, is_digit)))
		return false;
	return host.n > 0 && !str_ends(host, STR(".")) && host_valid(host);
}

static bool is_path_alnum(char c)
{
	return is_lower(c) || is_digit(c);
}

/* How many bytes the separator at the beginning takes: one of . _ __ or any number of -. */
static size_t separator_length(struct str s)
{
	size_t n = 0;

	if (str_starts(s, STR("__")))
		return 2;
	if (s.p[0] == '.' || s.p[0] == '_')
		return 1;
	while (n < s.n && s.p[n] == '-')
		n++;
	return n;
}

/* Runs of letters and digits with single separators between them. */
static bool path_component_valid(struct str s)
{
	for (;;) {
		size_t n = 0;

		while (n < s.n && is_path_alnum(s.p[n]))
			n++;
		if (n == 0)
			return false;
		s = str_skip(s, n);
		if (s.n == 0)
			return true;
		n = separator_length(s);
		if (n == 0)
			return false;
		s = str_skip(s, n);
	}
}

static bool path_valid(struct str path)
{
	struct str component;

	if (path.n == 0 || path.p[path.n - 1] == '/')
		return false;
	while (str_next(&path, '/', &component))
		if (!path_component_valid(component))
			return false;
	return true;
}

static bool tag_valid(struct str tag)
{
	if (tag.n == 0 || tag.n > MAX_TAG || !is_word(tag.p[0]))
		return false;
	for (size_t i = 0; i < tag.n; i++)
		if (!is_word(tag.p[i]) && tag.p[i] != '.' && tag.p[i] != '-')
			return false;
	return true;
}

/* "sha256", "x+y.z": words of letters and digits, a letter first, with one sign between two. */
static bool is_algorithm(struct str text)
{
	bool begins = true; /* a word */

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool letter = is_lower(c) || is_upper(c);
		bool sign = str_has_char(STR("-_+."), c);

		if (!letter && (begins || (!sign && !(c >= '0' && c <= '9'))))
			return false;
		begins = sign;
	}
	return !begins;
}

static must_check struct error *digest_check(struct str digest)
{
	static const struct {
		struct str name;
		size_t hex;
	} algorithms[] = { { STR_INIT("sha256"), 64 },
			   { STR_INIT("sha384"), 96 },
			   { STR_INIT("sha512"), 128 } };
	struct str algorithm, hex;

	if (!str_cut(digest, ':', &algorithm, &hex) || !is_algorithm(algorithm) ||
	    hex.n < LEAST_HEX || !all(hex, is_hex))
		return error_new(ERR_INVALID, "invalid reference format");
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		if (!str_eq(algorithm, algorithms[i].name))
			continue;
		if (hex.n != algorithms[i].hex)
			return error_new(ERR_INVALID, "invalid checksum digest length");
		if (!all(hex, is_lower_hex))
			return error_new(ERR_INVALID, "invalid checksum digest format");
		return NULL;
	}
	return error_new(ERR_INVALID, "unsupported digest algorithm");
}

/* The first part is a domain where it looks like one: a dot, a colon, or localhost. */
static void split_domain(struct str text, struct str *ret_domain, struct str *ret_rest)
{
	struct str first, rest;

	if (!str_cut(text, '/', &first, &rest) ||
	    (!str_has_char(first, '.') && !str_has_char(first, ':') &&
	     !str_eq(first, STR("localhost")))) {
		*ret_domain = DEFAULT_DOMAIN;
		*ret_rest = text;
		return;
	}
	*ret_domain = str_eq(first, LEGACY_DOMAIN) ? DEFAULT_DOMAIN : first;
	*ret_rest = rest;
}

static must_check struct error *check(const struct image_ref *ref, bool tagged, bool digested)
{
	if (has_upper(ref->path))
		return error_new(ERR_INVALID,
				 "invalid reference format: repository name must be lowercase");
	if (!domain_valid(ref->domain) || !path_valid(ref->path))
		return error_new(ERR_INVALID, "invalid reference format");
	if (tagged && !tag_valid(ref->tag))
		return error_new(ERR_INVALID, "invalid reference format");
	if (ref->domain.n + 1 + ref->path.n > MAX_NAME)
		return error_new(ERR_INVALID, "repository name must not be more than %d characters",
				 MAX_NAME);
	return digested ? digest_check(ref->digest) : NULL;
}

struct error *image_ref_parse(struct str text, struct arena *arena, struct image_ref *ret)
{
	struct image_ref ref = { 0 };
	bool tagged, digested;
	struct str rest;

	if (text.n == ID_HEX && all(text, is_lower_hex))
		return error_new(ERR_INVALID,
				 "invalid repository name (%.*s), cannot specify 64-byte "
				 "hexadecimal strings",
				 STR_ARG(text));

	split_domain(text, &ref.domain, &rest);
	digested = str_cut(rest, '@', &rest, &ref.digest);
	tagged = str_cut(rest, ':', &ref.path, &ref.tag);
	TRY(check(&ref, tagged, digested));

	/* Docker Hub's official images are written without their first part. */
	if (str_eq(ref.domain, DEFAULT_DOMAIN) && !str_has_char(ref.path, '/'))
		ref.path = arena_printf(arena, "library/%.*s", STR_ARG(ref.path));
	*ret = ref;
	return NULL;
}

struct str image_ref_familiar_name(const struct image_ref *ref, struct arena *arena)
{
	struct str rest;

	if (!str_eq(ref->domain, DEFAULT_DOMAIN))
		return arena_printf(arena, "%.*s/%.*s", STR_ARG(ref->domain), STR_ARG(ref->path));
	rest = str_strip_prefix(ref->path, OFFICIAL);
	return str_has_char(rest, '/') ? ref->path : rest;
}

bool image_ref_is_tagged(struct str text)
{
	return str_has_char(str_skip(text, (size_t)(str_rfind_char(text, '/') + 1)), ':');
}

struct str image_ref_familiar(const struct image_ref *ref, struct arena *arena)
{
	struct str name = image_ref_familiar_name(ref, arena);

	if (ref->digest.n)
		return arena_printf(arena, "%.*s@%.*s", STR_ARG(name), STR_ARG(ref->digest));
	return arena_printf(arena, "%.*s:%.*s", STR_ARG(name),
			    STR_ARG(ref->tag.n ? ref->tag : STR("latest")));
}

bool image_id_is(struct str text)
{
	struct str hex = str_strip_prefix(text, STR("sha256:"));

	if (hex.n == text.n)
		return hex.n == ID_HEX && all(hex, is_lower_hex);
	return hex.n > 0 && hex.n <= ID_HEX && all(hex, is_lower_hex);
}

bool image_id_maybe(struct str text)
{
	return image_id_is(text) || (text.n >= 4 && text.n < ID_HEX && all(text, is_lower_hex));
}

bool image_ref_match(struct str pattern, struct str familiar)
{
	struct str name = familiar, rest;

	if (!str_cut(familiar, '@', &name, &rest) &&
	    str_rfind_char(familiar, ':') > str_rfind_char(familiar, '/'))
		str_rcut(familiar, ':', &name, &rest);
	return path_pattern_match(pattern, familiar) || path_pattern_match(pattern, name);
}
