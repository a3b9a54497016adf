/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS 1.2 or later over a stream's socket, by OpenSSL (which no other layer sees). Errors are
 * ERR_TLS and say which certificate and what is wrong with it.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>

#include "base/error.h"
#include "net/stream.h"

struct tls_files {
	const char *ca;	  /* PEM file, or NULL */
	const char *cert; /* with the chain behind it */
	const char *key;
	bool verify; /* the peer must show a certificate of this CA; a client checks the name too */
	bool system_ca; /* of a CA that this system trusts, instead of `ca`; clients only */
};

struct tls_context;

must_check struct error *tls_context_new_client(const struct tls_files *files,
						struct tls_context **ret);
must_check struct error *tls_context_new_server(const struct tls_files *files,
						struct tls_context **ret);
struct tls_context *tls_context_ref(struct tls_context *c);
void tls_context_unref(struct tls_context *c); /* NULL is fine */
DEFINE_CLEANUP(struct tls_context *, tls_context_unref)

/*
 * Every context reads its files again; where one is at fault its context stays as it was, and the
 * error tells of all that are. Streams that exist go on with what they began with. *ret_n, which
 * is always set, is how many contexts there are.
 */
may_suspend must_check struct error *tls_reload(size_t *ret_n);

/* Takes a connected, non-blocking socket descriptor. `name` is checked on a client's side. */
struct stream *tls_stream_new(struct tls_context *c, int descriptor, const char *name);
may_suspend must_check struct error *tls_stream_handshake(struct stream *s);

/*
 * After a server's handshake that failed because the client speaks plain HTTP: takes s, and answers
 * the connection in the clear, on which to say so. NULL, and s untouched, for all other streams.
 */
struct stream *tls_stream_in_clear(struct stream *s);

#endif
