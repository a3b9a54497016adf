/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all streams have in common: counting bytes, and letting others run now and then, since a
 * stream between two fast peers may never have to wait.
 */
#include "net/stream.h"

#include <assert.h>

#include "fiber/fiber.h"

may_suspend struct error *stream_handshake(struct stream *s)
{
	return s->ops->handshake ? s->ops->handshake(s) : NULL;
}

may_suspend struct error *stream_read(struct stream *s, void *buf, size_t cap, size_t *ret_n)
{
	size_t n = 0;

	assert(cap > 0);
	TRY(fiber_pace());
	TRY(s->ops->read(s, buf, cap, &n));
	s->bytes_read += n;
	*ret_n = n;
	return NULL;
}

may_suspend struct error *stream_write(struct stream *s, struct str data)
{
	return stream_writev(s, &data, 1);
}

may_suspend struct error *stream_writev(struct stream *s, const struct str *parts, size_t n)
{
	assert(n <= STREAM_PARTS);
	TRY(fiber_pace());
	return s->ops->write(s, parts, n);
}

may_suspend struct error *stream_shutdown(struct stream *s)
{
	return s->ops->shutdown(s);
}

may_suspend struct error *stream_wait_readable(struct stream *s)
{
	return s->ops->wait_readable(s);
}

void stream_cancel_on_hangup(struct stream *s, struct fiber *f)
{
	s->ops->cancel_on_hangup(s, f);
}

void stream_cancel_when_gone(struct stream *s, struct fiber *f)
{
	s->ops->cancel_when_gone(s, f);
}

void stream_set_patient(struct stream *s, bool patient)
{
	if (patient == s->patient)
		return;
	s->patient = patient;
	if (s->ops->set_patient)
		s->ops->set_patient(s);
}

bool stream_quiet(struct stream *s)
{
	return s->ops->quiet(s);
}

void stream_close(struct stream *s)
{
	if (s)
		s->ops->close(s, false);
}

void stream_abort(struct stream *s)
{
	if (s)
		s->ops->close(s, true);
}
