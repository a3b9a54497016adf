/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Consul's HTTP API is asked and answers, as text. No I/O. Private to kv/.
 *
 * What cannot be read is ERR_PROTOCOL.
 */
#ifndef KV_CONSUL_CODEC_H
#define KV_CONSUL_CODEC_H

#include "base/strbuf.h"
#include "kv/backend.h"

/* The body of /v1/session/create: keys go with the session, and can be taken again at once. */
void consul_write_session(struct strbuf *out, int64_t seconds);

must_check struct error *consul_read_session(struct str text, struct arena *arena, struct str *ret);
/* Of /v1/session/renew. */
must_check struct error *consul_read_renewed(struct str text, struct arena *arena);
/* Of a PUT or a DELETE of a key. */
must_check struct error *consul_read_done(struct str text, struct arena *arena, bool *ret);
/* Of a GET; names are whole keys. The revision is in a header and left 0. */
must_check struct error *consul_read_entries(struct str text, struct arena *arena,
					     struct kv_list *ret);

#endif
