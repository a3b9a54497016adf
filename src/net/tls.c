/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS streams. OpenSSL's calls never park: each is tried, says what it wants of the socket, and is
 * tried again once that has come. Reading may want to write and the other way round, so that the
 * fiber that reads and the one that writes can want the same: then one waits for the socket, and
 * the other for the first.
 */
#include "net/tls.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "fiber/fd.h"
#include "fiber/fence.h"
#include "fiber/fiber.h"
#include "fiber/waitq.h"
#include "net/sockaddr.h"
#include "net/tcp.h"
#include "net/tls_context.h"
#include "net/tls_error.h"
#include "net/tls_peer.h"
#include "net/tls_stream.h"

/* What one TLS record carries. */
#define RECORD (16 * KIB)

/* One of the two things that the socket is waited for. */
struct readiness {
	bool awaited; /* by a fiber, on the descriptor */
	struct waitq others;
};

struct tls_stream {
	struct stream base;
	struct fd *fd;
	SSL *ssl;
	struct tls_context *context;
	struct readiness readable, writable;
	struct error *fault;	      /* met while waiting: for the next read to tell */
	bool ready;		      /* the handshake is done */
	bool broken;		      /* OpenSSL forbids any further call */
	bool ended;		      /* our direction */
	bool in_clear;		      /* the peer sent plain HTTP instead of a handshake */
	char suspect[TLS_PEER_SHOWN]; /* the certificate that was not taken */
};

/* Whose turn it is to take a step of a handshake; see await_turn. */
static struct {
	bool taken;
	struct waitq others;
} turn;

static struct tls_stream *tls(struct stream *s)
{
	return container_of(s, struct tls_stream, base);
}

/* A wait on behalf of all: whatever ends it, the others look again for themselves. */
static may_suspend must_check struct error *await(struct tls_stream *t, int want)
{
	struct readiness *r = want == SSL_ERROR_WANT_WRITE ? &t->writable : &t->readable;

	if (r->awaited)
		return waitq_wait(&r->others, "the socket below TLS");

	r->awaited = true;

	struct error *err =
		want == SSL_ERROR_WANT_WRITE ? fd_wait_writable(t->fd) : fd_wait_readable(t->fd);

	r->awaited = false;
	waitq_wake_all(&r->others);
	return err;
}

static bool is_wait(int result)
{
	return result == SSL_ERROR_WANT_READ || result == SSL_ERROR_WANT_WRITE;
}

static must_check struct error *check_usable(const struct tls_stream *t)
{
	return t->broken ? error_new(ERR_CLOSED, "TLS with %s has failed", t->base.peer) : NULL;
}

/* OpenSSL's judgement of each certificate of the chain: the first that it refuses is remembered. */
int tls_note_verdict(int good, X509_STORE_CTX *chain)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_stream *t = SSL_get_app_data(ssl);

	if (!good && t->suspect[0] == '\0')
		tls_peer_describe(X509_STORE_CTX_get_current_cert(chain), t->suspect,
				  sizeof(t->suspect));
	return good;
}

/*
 * Under TLS 1.3 a server looks at our certificate when we are done with the handshake. What it
 * says of it is lost when it closes with our request unread, which resets the connection.
 */
static must_check struct error *maybe_untrusted(struct tls_stream *t, struct error *err)
{
	bool first = t->ready && !t->context->server && t->base.bytes_read == 0;

	if (!first || !t->context->files.cert)
		return err;
	return error_wrap(err, "right behind the handshake (it may not take our certificate)");
}

/* `result` of SSL_get_error, which is no wait. The stream is of no more use. */
static must_check struct error *failure(struct tls_stream *t, int result, int code)
{
	unsigned long queued = ERR_peek_error();
	struct error *err;

	t->broken = true;
	t->in_clear = ERR_GET_REASON(queued) == SSL_R_HTTP_REQUEST;
	if (result == SSL_ERROR_SYSCALL && queued == 0)
		err = maybe_untrusted(
			t, socket_error(&t->base, "talk TLS with", code ? code : ECONNRESET));
	else if (ERR_GET_REASON(queued) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		err = error_new(ERR_CLOSED, "%s closed the connection without ending TLS",
				t->base.peer);
	else if (result == SSL_ERROR_ZERO_RETURN)
		err = error_new(ERR_CLOSED, "%s ended TLS", t->base.peer);
	else
		err = tls_error(t->ssl, t->base.peer, t->suspect);
	ERR_clear_error();
	return err;
}

static void note_certificate(struct tls_stream *t)
{
	X509 *cert = SSL_get0_peer_certificate(t->ssl);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!cert || X509_digest(cert, EVP_sha256(), digest, &n) != 1)
		return;
	for (unsigned i = 0; i < n; i++)
		snprintf(t->base.certificate + (size_t)i * 2, 3, "%02x", digest[i]);
}

/*
 * A step of a handshake costs some 2 ms of CPU. One is taken in each turn of the loop, so that a
 * crowd that shakes hands holds up nobody who is through with it. Who gives its turn up hands it
 * to the next in line: it is never free while somebody waits.
 */
static may_suspend must_check struct error *await_turn(void)
{
	struct error *err;

	if (turn.taken)
		TRY(waitq_wait(&turn.others, "its turn to shake hands"));
	turn.taken = true;
	err = fiber_yield();
	turn.taken = !waitq_empty(&turn.others);
	waitq_wake_one(&turn.others);
	return err;
}

/* Both sides' fibers may be in here at once: the one that comes second finds it done. */
static may_suspend must_check struct error *handshake(struct tls_stream *t)
{
	while (!t->ready) {
		TRY(await_turn());
		if (t->ready)
			break;
		TRY(check_usable(t));
		ERR_clear_error();
		errno = 0;

		int n = SSL_do_handshake(t->ssl);
		int code = errno, result = SSL_get_error(t->ssl, n);

		if (n == 1) {
			t->ready = true;
			note_certificate(t);
		} else if (is_wait(result)) {
			TRY(await(t, result));
		} else {
			return failure(t, result, code);
		}
	}
	return NULL;
}

may_suspend struct error *tls_stream_handshake(struct stream *s)
{
	return handshake(tls(s));
}

static may_suspend struct error *tls_read(struct stream *s, void *buf, size_t cap, size_t *ret_n)
{
	struct tls_stream *t = tls(s);

	if (t->fault)
		return take(t->fault);
	TRY(handshake(t));
	for (;;) {
		size_t n = 0;

		TRY(check_usable(t));
		ERR_clear_error();
		errno = 0;

		int ok = SSL_read_ex(t->ssl, buf, cap, &n);
		int code = errno, result = SSL_get_error(t->ssl, ok);

		if (ok == 1 || result == SSL_ERROR_ZERO_RETURN) {
			*ret_n = n;
			return NULL;
		}
		if (!is_wait(result))
			return failure(t, result, code);
		TRY(await(t, result));
	}
}

/* A record that was begun must not be ended by a farewell either. */
static must_check struct error *check_fence(struct tls_stream *t)
{
	struct error *err = fence_check(t->base.fence);

	t->broken |= err != NULL;
	return err;
}

static may_suspend must_check struct error *write_all(struct tls_stream *t, const char *p, size_t n)
{
	while (n > 0) {
		size_t written = 0;

		TRY(check_usable(t));
		TRY(check_fence(t));
		ERR_clear_error();
		errno = 0;

		int ok = SSL_write_ex(t->ssl, p, n, &written);
		int code = errno, result = SSL_get_error(t->ssl, ok);

		if (ok == 1) {
			t->base.bytes_written += written;
			p += written;
			n -= written;
		} else if (is_wait(result)) {
			TRY(await(t, result));
		} else {
			return failure(t, result, code);
		}
	}
	return NULL;
}

/* Parts share records: a chunk's few bytes of frame are not worth one each. */
static may_suspend struct error *tls_write(struct stream *s, const struct str *parts, size_t n)
{
	_cleanup_(strbuf_fini) struct strbuf record = STRBUF_INIT;
	struct tls_stream *t = tls(s);

	TRY(handshake(t));
	if (t->ended)
		return socket_error(s, "write to", EPIPE);
	if (n == 1)
		return write_all(t, parts[0].p, parts[0].n);
	for (size_t i = 0; i < n; i++) {
		struct str rest = parts[i];

		while (rest.n > 0) {
			struct str some = str_first(rest, RECORD - record.n);

			strbuf_add(&record, some);
			rest = str_skip(rest, some.n);
			if (record.n < RECORD)
				continue;
			TRY(write_all(t, record.p, record.n));
			strbuf_reset(&record);
		}
	}
	return write_all(t, record.p, record.n);
}

static may_suspend struct error *tls_shutdown(struct stream *s)
{
	struct tls_stream *t = tls(s);

	TRY(handshake(t));
	while (!t->ended) {
		TRY(check_usable(t));
		ERR_clear_error();
		errno = 0;

		int n = SSL_shutdown(t->ssl);
		int code = errno, result = SSL_get_error(t->ssl, n);

		if (n >= 0)
			t->ended = true;
		else if (is_wait(result))
			TRY(await(t, result));
		else
			return failure(t, result, code);
	}
	if (shutdown(fd_descriptor(t->fd), SHUT_WR) != 0)
		return socket_error(s, "end the stream to", errno);
	return NULL;
}

/* SSL_get_error's answer for a read, which is not done. A peek takes in tickets on the way. */
static int peek(struct tls_stream *t)
{
	char c;
	size_t n;

	ERR_clear_error();
	errno = 0;
	return SSL_get_error(t->ssl, SSL_peek_ex(t->ssl, &c, 1, &n));
}

static may_suspend struct error *tls_wait_readable(struct stream *s)
{
	struct tls_stream *t = tls(s);
	int result = SSL_ERROR_NONE;

	TRY(handshake(t));
	while (!t->broken && is_wait(result = peek(t)))
		TRY(await(t, result));
	/* A fatal alert is told once: after it the stream looks as if it had ended well. */
	if (!t->broken && result != SSL_ERROR_NONE && result != SSL_ERROR_ZERO_RETURN)
		t->fault = failure(t, result, errno);
	return NULL;
}

static void tls_cancel_on_hangup(struct stream *s, struct fiber *f)
{
	fd_cancel_on_hangup(tls(s)->fd, f);
}

static void tls_cancel_when_gone(struct stream *s, struct fiber *f)
{
	fd_cancel_when_gone(tls(s)->fd, f);
}

static bool tls_quiet(struct stream *s)
{
	struct tls_stream *t = tls(s);

	return t->ready && !t->broken && peek(t) == SSL_ERROR_WANT_READ;
}

/* All but the descriptor. */
static void tls_free(struct tls_stream *t)
{
	error_free(t->fault);
	SSL_free(t->ssl);
	waitq_fini(&t->readable.others);
	waitq_fini(&t->writable.others);
	tls_context_unref(t->context);
	free(t);
}

static void tls_set_patient(struct stream *s)
{
	socket_limit_silence(fd_descriptor(tls(s)->fd), !s->patient);
}

static void tls_close(struct stream *s, bool abort)
{
	struct tls_stream *t = tls(s);
	struct fd *fd = t->fd;

	/* What the socket has room for now; nobody waits for the rest. */
	if (t->ready && !t->broken && !t->ended && !abort)
		(void)SSL_shutdown(t->ssl);
	ERR_clear_error();
	if (abort)
		socket_reset_on_close(fd_descriptor(fd));
	tls_free(t);
	fd_close(fd);
}

static const struct stream_ops tls_ops = {
	.handshake = tls_stream_handshake,
	.read = tls_read,
	.write = tls_write,
	.shutdown = tls_shutdown,
	.wait_readable = tls_wait_readable,
	.cancel_on_hangup = tls_cancel_on_hangup,
	.cancel_when_gone = tls_cancel_when_gone,
	.quiet = tls_quiet,
	.set_patient = tls_set_patient,
	.close = tls_close,
};

struct stream *tls_stream_in_clear(struct stream *s)
{
	struct fd *fd;

	if (s->ops != &tls_ops || !tls(s)->in_clear)
		return NULL;
	fd = tls(s)->fd;
	tls_free(tls(s));
	return tcp_stream_new(fd);
}

/* By its bytes: the kernel takes more forms of an address than a certificate has ("127.1", a scope). */
static int expect_address(X509_VERIFY_PARAM *param, const struct sockaddr_any *a)
{
	if (a->any.sa_family == AF_INET6)
		return X509_VERIFY_PARAM_set1_ip(param, a->v6.sin6_addr.s6_addr,
						 sizeof(a->v6.sin6_addr.s6_addr));
	return X509_VERIFY_PARAM_set1_ip(param, (const unsigned char *)&a->v4.sin_addr,
					 sizeof(a->v4.sin_addr));
}

/* The name that we dialled must be in the server's certificate. */
static void expect_name(struct tls_stream *t, const char *name)
{
	struct sockaddr_any address;
	bool numeric = sockaddr_numeric(name, 0, &address);

	if (!numeric)
		SSL_set_tlsext_host_name(t->ssl, name);
	if (!t->context->files.verify)
		return;

	int ok = numeric ? expect_address(SSL_get0_param(t->ssl), &address)
			 : SSL_set1_host(t->ssl, name);

	assert(ok == 1);
}

struct stream *tls_stream_over(struct tls_context *c, struct fd *fd, const char *name)
{
	struct tls_stream *t = mem_new(struct tls_stream);

	t->base.ops = &tls_ops;
	t->fd = fd;
	t->context = tls_context_ref(c);
	t->ssl = SSL_new(c->ssl);
	if (!t->ssl || SSL_set_fd(t->ssl, fd_descriptor(fd)) != 1 ||
	    SSL_set_app_data(t->ssl, t) != 1)
		abort();
	socket_peer(fd_descriptor(fd), t->base.peer, sizeof(t->base.peer));
	if (c->server) {
		SSL_set_accept_state(t->ssl);
	} else {
		SSL_set_connect_state(t->ssl);
		expect_name(t, name);
	}
	return &t->base;
}

struct stream *tls_stream_new(struct tls_context *c, int descriptor, const char *name)
{
	return tls_stream_over(c, fd_new(descriptor), name);
}
