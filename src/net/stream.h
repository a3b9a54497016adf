/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection: bytes both ways, each direction ending on its own. TCP, unix socket, TLS over
 * either, or a pair in memory (tests, simulation). One owner; one fiber may read while another
 * writes. An end of the stream is 0 bytes read; ERR_CLOSED is a reset or a write to a peer that is
 * gone.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/str.h"

struct fence;
struct fiber;
struct stream;

#define STREAM_PARTS 16 /* that one write takes */

struct stream_ops {
	may_suspend struct error *(*handshake)(struct stream *s); /* NULL: there is none */
	may_suspend struct error *(*read)(struct stream *s, void *buf, size_t cap, size_t *ret_n);
	may_suspend struct error *(*write)(struct stream *s, const struct str *parts, size_t n);
	may_suspend struct error *(*shutdown)(struct stream *s);
	may_suspend struct error *(*wait_readable)(struct stream *s);
	void (*cancel_on_hangup)(struct stream *s, struct fiber *f);
	void (*cancel_when_gone)(struct stream *s, struct fiber *f);
	bool (*quiet)(struct stream *s);
	void (*set_patient)(struct stream *s); /* NULL: it always is */
	void (*close)(struct stream *s, bool abort);
};

struct stream {
	const struct stream_ops *ops;
	bool patient;			    /* see stream_set_patient */
	uint64_t bytes_read, bytes_written; /* of a write that is under way what was taken so far */
	char peer[80];	      /* numeric address with port, "unix:<uid>", or a name in memory */
	char certificate[65]; /* SHA-256 of the peer's certificate in hex; "" without one */
	/* Asked right before anything is handed to the system: a refusal ends the write there. */
	const struct fence *fence; /* NULL: none. Borrowed */
};

/*
 * Until the two sides have agreed to talk (TLS); at once where there is nothing to agree on. The
 * first read or write does it too.
 */
may_suspend must_check struct error *stream_handshake(struct stream *s);

/* Reads at least one byte, 0 at the end of the stream. */
may_suspend must_check struct error *stream_read(struct stream *s, void *buf, size_t cap,
						 size_t *ret_n);
may_suspend must_check struct error *stream_write(struct stream *s,
						  struct str data); /* all of it */
may_suspend must_check struct error *stream_writev(struct stream *s, const struct str *parts,
						   size_t n); /* all of it */

/* Ends our direction; the other goes on (FIN; over TLS close_notify, then FIN). */
may_suspend must_check struct error *stream_shutdown(struct stream *s);

/* Parks until a read would not: how an idle connection waits without holding a buffer. */
may_suspend must_check struct error *stream_wait_readable(struct stream *s);

/* While set, a peer that hangs up cancels the fiber (see fiber/fd.h); NULL turns it off. */
void stream_cancel_on_hangup(struct stream *s, struct fiber *f);
/* While set, one that has gone altogether does: an end of its stream alone is no hang-up. */
void stream_cancel_when_gone(struct stream *s, struct fiber *f);

/*
 * A peer that was dialled and takes nothing for 30 s is gone, and writing to it ERR_CLOSED; one that
 * was accepted has all the time. Patient: the dialled one has too, since who is behind it may. That
 * a host is gone without a word is found in a minute all the same, while nothing is under way.
 */
void stream_set_patient(struct stream *s, bool patient);

/* Nothing came and the peer has not closed: an idle pooled connection may be used again. */
bool stream_quiet(struct stream *s);

/* Both free it and never park. Nobody may be using it. NULL is fine. */
void stream_close(struct stream *s);
void stream_abort(struct stream *s); /* the peer sees a reset where the transport has one */

DEFINE_CLEANUP(struct stream *, stream_close)

#endif
