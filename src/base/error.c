/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An error is one block of memory: kind, status, message, and whether it is about a limit.
 */
#include "base/error.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"

struct error {
	enum error_kind kind;
	int status;
	bool over_limit;
	char message[];
};

static struct error *make(enum error_kind kind, int status, struct str message)
{
	struct error *err = mem_alloc(sizeof(*err) + message.n + 1);

	err->kind = kind;
	err->status = status;
	err->over_limit = false;
	if (message.n)
		memcpy(err->message, message.p, message.n);
	err->message[message.n] = '\0';
	return err;
}

/* Of the same kind, with another message. */
static struct error *make_like(const struct error *err, struct str message)
{
	struct error *made = make(err->kind, err->status, message);

	made->over_limit = err->over_limit;
	return made;
}

struct error *error_new(enum error_kind kind, const char *fmt, ...)
{
	struct error *err;
	va_list args;

	va_start(args, fmt);
	err = error_newv(kind, fmt, args);
	va_end(args);
	return err;
}

struct error *error_newv(enum error_kind kind, const char *fmt, va_list args)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	strbuf_addv(&text, fmt, args);
	return make(kind, 0, strbuf_str(&text));
}

struct error *error_over_limit(enum error_kind kind, const char *fmt, ...)
{
	struct error *err;
	va_list args;

	va_start(args, fmt);
	err = error_newv(kind, fmt, args);
	va_end(args);
	err->over_limit = true;
	return err;
}

struct error *error_errno(int code, const char *fmt, ...)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	char word[128];
	va_list args;

	va_start(args, fmt);
	strbuf_addv(&text, fmt, args);
	va_end(args);
	strbuf_addf(&text, ": %s", strerror_r(code, word, sizeof(word)));
	return make(ERR_INTERNAL, 0, strbuf_str(&text));
}

static enum error_kind kind_of_status(int status)
{
	switch (status) {
	case 400:
		return ERR_INVALID;
	case 401:
		return ERR_UNAUTHORIZED;
	case 403:
		return ERR_FORBIDDEN;
	case 404:
		return ERR_NOT_FOUND;
	case 405:
		return ERR_BAD_METHOD;
	case 409:
		return ERR_CONFLICT;
	case 413:
		return ERR_TOO_LARGE;
	case 501:
		return ERR_NOT_IMPLEMENTED;
	case 503:
		return ERR_UNAVAILABLE;
	default:
		return ERR_ENGINE;
	}
}

struct error *error_from_status(int status, struct str message)
{
	return make(kind_of_status(status), status, message);
}

struct error *error_wrap(struct error *err, const char *fmt, ...)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct error *wrapped;
	va_list args;

	if (!err)
		return NULL;
	va_start(args, fmt);
	strbuf_addv(&text, fmt, args);
	va_end(args);
	strbuf_addf(&text, ": %s", err->message);
	wrapped = make_like(err, strbuf_str(&text));
	error_free(err);
	return wrapped;
}

struct error *error_as(enum error_kind kind, struct error *err)
{
	if (!err)
		return NULL;
	err->kind = kind;
	err->status = 0;
	return err;
}

struct error *error_copy(const struct error *err)
{
	return err ? make_like(err, str_from(err->message)) : NULL;
}

bool error_is(const struct error *err, enum error_kind kind)
{
	return err && err->kind == kind;
}

enum error_kind error_kind(const struct error *err)
{
	assert(err);
	return err->kind;
}

const char *error_message(const struct error *err)
{
	return err ? err->message : "";
}

int error_status(const struct error *err)
{
	return err ? err->status : 0;
}

bool error_is_over_limit(const struct error *err)
{
	return err && err->over_limit;
}

void error_free(struct error *err)
{
	free(err);
}

bool error_is_transport(const struct error *err)
{
	if (!err)
		return false;
	switch (err->kind) {
	case ERR_TIMEOUT:
	case ERR_REFUSED:
	case ERR_CLOSED:
	case ERR_PROTOCOL:
	case ERR_TLS:
		return true;
	default:
		return false;
	}
}

void error_keep(struct error **slot, struct error *err)
{
	if (*slot)
		error_free(err);
	else
		*slot = err;
}

struct error *error_join(struct error *first, struct error *second)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct error *joined;

	if (!first || !second)
		return first ? first : second;
	strbuf_addf(&text, "%s; %s", first->message, second->message);
	joined = make_like(first, strbuf_str(&text));
	error_free(first);
	error_free(second);
	return joined;
}
