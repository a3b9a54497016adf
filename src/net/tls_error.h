/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why TLS has failed, in words for whoever set up the two sides. Private to net/.
 */
#ifndef NET_TLS_ERROR_H
#define NET_TLS_ERROR_H

#include <openssl/ssl.h>

#include "base/error.h"

/*
 * ERR_TLS, out of the first error in OpenSSL's queue, which stays there. `suspect`: the certificate
 * that was not taken, in words (net/tls_peer.h).
 */
must_check struct error *tls_error(const SSL *ssl, const char *peer, const char *suspect);

#endif
