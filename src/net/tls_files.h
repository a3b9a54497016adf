/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates and keys out of files into OpenSSL, judged on the way. Blocks, and touches nothing
 * but its arguments: it may run on a helper thread. Private to net/.
 */
#ifndef NET_TLS_FILES_H
#define NET_TLS_FILES_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/strbuf.h"
#include "net/tls.h"

/*
 * ERR_TLS names the file and what is wrong with it. Appends to ret_idle, for a warning, which CAs
 * are out of their time beside others that are not.
 */
must_check struct error *tls_files_load(const struct tls_files *files, bool server, SSL_CTX *ssl,
					struct strbuf *ret_idle);

#endif
