/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way in which anything fails. A function that can fail returns `struct error *`: NULL is
 * success. The kind is what callers branch on; the message is the text that a Docker user sees.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/str.h"

/* Only what some caller branches on, or what has an HTTP status of its own (api/reply.c). */
enum error_kind {
	ERR_INTERNAL,	     /* a fault of ours or of the system: 500 */
	ERR_INVALID,	     /* the request is wrong: 400 */
	ERR_UNAUTHORIZED,    /* 401 */
	ERR_FORBIDDEN,	     /* 403 */
	ERR_NOT_FOUND,	     /* 404 */
	ERR_NO_IMAGE,	     /* 404 on create: the image is not on that engine */
	ERR_BAD_METHOD,	     /* 405 */
	ERR_CONFLICT,	     /* 409 */
	ERR_AMBIGUOUS,	     /* a name or prefix that several things have: 400, lists them */
	ERR_TOO_LARGE,	     /* over a limit of base/limits.h: 413 */
	ERR_HEAD_TOO_LARGE,  /* the request's head is over its limit: 431 */
	ERR_NOT_IMPLEMENTED, /* 501 */
	ERR_UNAVAILABLE,     /* cannot be served now: 503 */
	ERR_NOT_PRIMARY,     /* for the primary manager, which this is not: 503, come again */
	ERR_NO_NODE,	     /* no node can take the container: 500 */
	ERR_NODE_DOWN,	     /* the node that holds it is unhealthy: 500 */
	ERR_ENGINE,	     /* an engine's own refusal: error_status() is the engine's status */

	/* Of the transport: met by net/, http/ and engine/, never shown as they are. */
	ERR_CANCELLED, /* the fiber's group was cancelled */
	ERR_TIMEOUT,   /* the deadline passed */
	ERR_REFUSED,   /* could not connect: nothing was sent */
	ERR_CLOSED,    /* the peer ended the stream where more was due, or reset it */
	ERR_PROTOCOL,  /* the peer sent what the protocol does not allow */
	ERR_TLS,       /* handshake or certificate: the message says which and why */
};

struct error;

/* The message is formatted at once; nothing is borrowed. */
struct error *error_new(enum error_kind kind, const char *fmt, ...) must_check printf_like(2, 3);
struct error *error_newv(enum error_kind kind, const char *fmt, va_list args) must_check
	printf_like(2, 0);

/*
 * What a peer sent is over a limit of base/limits.h, whatever the kind: the operator is told of it.
 * Wrapping, copying and another kind keep that.
 */
struct error *error_over_limit(enum error_kind kind, const char *fmt, ...) must_check
	printf_like(2, 3);

/*
 * ERR_INTERNAL, the system's word for errno `code` behind the text: "cannot open X: No such file".
 */
struct error *error_errno(int code, const char *fmt, ...) must_check printf_like(2, 3);

/*
 * An engine's refusal: its HTTP status and its message, both kept as they are. The kind follows the
 * status (404 ERR_NOT_FOUND, 409 ERR_CONFLICT ...), ERR_ENGINE where no kind fits.
 */
struct error *error_from_status(int status, struct str message) must_check;

/* Takes err, answers it with "text: " before its message; kind and status stay. NULL stays NULL. */
struct error *error_wrap(struct error *err, const char *fmt, ...) must_check printf_like(2, 3);

/* Takes err, answers an error of another kind with the same message (status dropped). */
struct error *error_as(enum error_kind kind, struct error *err) must_check;

struct error *error_copy(const struct error *err) must_check; /* of NULL: NULL */

bool error_is(const struct error *err, enum error_kind kind); /* false for NULL */
enum error_kind error_kind(const struct error *err);	      /* not of NULL */
const char *error_message(const struct error *err); /* lives as long as err; of NULL: "" */
int error_status(const struct error *err);	    /* the engine's HTTP status, or 0 */
bool error_is_over_limit(const struct error *err);  /* false for NULL */
void error_free(struct error *err);		    /* NULL is fine */

/* The peer failed at the level of its connection, so it counts against the node's health. */
bool error_is_transport(const struct error *err);

/*
 * Keeps the first error of several: where *slot is NULL takes err into it, else frees err.
 */
void error_keep(struct error **slot, struct error *err);

/* Takes both, answers one: the kind and status of the first, "first; second". NULL is nothing. */
struct error *error_join(struct error *first, struct error *second) must_check;

DEFINE_CLEANUP(struct error *, error_free)

/* Returns from the enclosing function when expr is an error. Our only control-flow macro. */
#define TRY(expr)                            \
	do {                                 \
		struct error *_try = (expr); \
		if (_try)                    \
			return _try;         \
	} while (0)

#endif
