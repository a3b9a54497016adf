/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer's certificate in words, for errors about it. Private to net/.
 */
#ifndef NET_TLS_PEER_H
#define NET_TLS_PEER_H

#include <openssl/x509.h>
#include <stddef.h>

#define TLS_PEER_SHOWN 256 /* bytes of the words, NUL included; longer ones are cut */

/*
 * "CN=node-1, issued by CN=ca, for DNS:node-1, IP Address:10.0.0.1". Printable, whoever wrote it.
 */
void tls_peer_describe(X509 *cert, char *ret, size_t cap);

#endif
