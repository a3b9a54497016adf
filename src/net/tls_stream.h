/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS over a descriptor that the loop watches already. Private to net/.
 */
#ifndef NET_TLS_STREAM_H
#define NET_TLS_STREAM_H

struct fd;
struct stream;
struct tls_context;

/* As tls_stream_new; takes fd. */
struct stream *tls_stream_over(struct tls_context *c, struct fd *fd, const char *name);

#endif
