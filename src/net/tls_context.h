/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tls_context.c and tls.c share. Private to net/.
 */
#ifndef NET_TLS_CONTEXT_H
#define NET_TLS_CONTEXT_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/list.h"
#include "net/tls.h"

struct tls_context {
	SSL_CTX *ssl;
	unsigned refs;
	bool server;
	struct tls_files files; /* copies */
	struct list link;	/* among all contexts */
};

/* tls.c: SSL_CTX_set_verify's callback, which keeps what an error message tells later. */
int tls_note_verdict(int good, X509_STORE_CTX *chain);

#endif
