/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What etcd's JSON gateway is asked and answers, as text: keys and values are base64, 64-bit
 * numbers are strings, and what has its default value is left out. No I/O. Private to kv/.
 *
 * What cannot be read is ERR_PROTOCOL.
 */
#ifndef KV_ETCD_CODEC_H
#define KV_ETCD_CODEC_H

#include "base/strbuf.h"
#include "kv/backend.h"

/* Of /v3/kv/range and deleterange. `end` empty: that key alone; else all from key up to it. */
void etcd_write_range(struct strbuf *out, struct str key, struct str end);
/* `lease` 0: none. */
void etcd_write_put(struct strbuf *out, struct str key, struct str value, int64_t lease);
/* Of /v3/kv/txn: put it where no lease has the key, else tell what is there. */
void etcd_write_lock(struct strbuf *out, struct str key, struct str value, int64_t lease);
void etcd_write_grant(struct strbuf *out, int64_t seconds);
void etcd_write_lease(struct strbuf *out, int64_t lease); /* of keepalive and revoke */
void etcd_write_watch(struct strbuf *out, struct str key, struct str end, uint64_t from_revision);

/* Of a put or a deletion: that it was done. */
must_check struct error *etcd_read_done(struct str text, struct arena *arena);

/* Names are whole keys. */
must_check struct error *etcd_read_range(struct str text, struct arena *arena, struct kv_list *ret);

/* *ret_holder: the lease of the key that is in the way; 0 where there is none. */
must_check struct error *etcd_read_lock(struct str text, struct arena *arena, bool *ret_done,
					int64_t *ret_holder);
must_check struct error *etcd_read_grant(struct str text, struct arena *arena, int64_t *ret_lease,
					 int64_t *ret_seconds);
/* 0 seconds: the lease is lost. */
must_check struct error *etcd_read_keepalive(struct str text, struct arena *arena,
					     int64_t *ret_seconds);

/*
 * One answer of a watch from revision + 1 on: is there any reason to look again? A store that has
 * not come to that revision yet is another one (or an old copy), so that is one too.
 * ERR_UNAVAILABLE: the watch has ended.
 */
must_check struct error *etcd_read_watch(struct str text, struct arena *arena, uint64_t revision,
					 bool *ret_news);

#endif
