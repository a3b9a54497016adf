/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS settings, and the contexts that are in use, so that all can read their files again.
 */
#include "net/tls_context.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "fiber/offload.h"
#include "net/tls_files.h"

/* Every context there is. */
static struct list all = LIST_INIT(all);

/*
 * What a ticket holds of its client was verified when it first came. OpenSSL would take it for as
 * long as the client comes often enough, with a certificate that has expired meanwhile too. Of who
 * signed it nothing has changed: files that are read anew come with keys for tickets of their own.
 */
static SSL_TICKET_RETURN judge_ticket(_unused_ SSL *ssl, SSL_SESSION *session,
				      _unused_ const unsigned char *key_name, _unused_ size_t n,
				      SSL_TICKET_STATUS status, _unused_ void *arg)
{
	const X509 *peer;

	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	peer = SSL_SESSION_get0_peer(session);
	if (peer && X509_cmp_current_time(X509_get0_notAfter(peer)) <= 0)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

static void set_up(SSL_CTX *ssl, bool server, bool verify)
{
	int mode = SSL_VERIFY_NONE;

	if (verify)
		mode = SSL_VERIFY_PEER | (server ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
	SSL_CTX_set_verify(ssl, mode, tls_note_verdict);
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* One system call for a record instead of two. */
	SSL_CTX_set_read_ahead(ssl, 1);
	/* Sessions are resumed by tickets, which the client keeps: none are stored here. */
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ssl, 1);
	/* Without it, resumption under mutual TLS fails. */
	SSL_CTX_set_session_id_context(ssl, (const unsigned char *)"swarm", 5);
	SSL_CTX_set_session_ticket_cb(ssl, NULL, judge_ticket, NULL);
}

/* Blocks: the files are read. */
static must_check struct error *settings_new(const struct tls_files *files, bool server,
					     SSL_CTX **ret, struct strbuf *ret_idle)
{
	SSL_CTX *ssl = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	struct error *err;

	assert(ssl);
	set_up(ssl, server, files->verify);
	err = tls_files_load(files, server, ssl, ret_idle);
	if (err)
		SSL_CTX_free(ssl);
	else
		*ret = ssl;
	return err;
}

static void log_idle(const struct strbuf *idle)
{
	if (idle->n)
		log_warn("some certificates of a CA file do not count",
			 LOG_STR("why", strbuf_str(idle)));
}

static char *copy(const char *path)
{
	return path ? mem_strdup(path) : NULL;
}

static must_check struct error *context_new(const struct tls_files *files, bool server,
					    struct tls_context **ret)
{
	_cleanup_(strbuf_fini) struct strbuf idle = STRBUF_INIT;
	struct tls_context *c;
	SSL_CTX *ssl;

	TRY(settings_new(files, server, &ssl, &idle));
	log_idle(&idle);
	c = mem_new(struct tls_context);
	c->refs = 1;
	c->server = server;
	c->ssl = ssl;
	c->files = (struct tls_files){ .ca = copy(files->ca),
				       .cert = copy(files->cert),
				       .key = copy(files->key),
				       .verify = files->verify,
				       .system_ca = files->system_ca };
	list_append(&all, &c->link);
	*ret = c;
	return NULL;
}

struct error *tls_context_new_client(const struct tls_files *files, struct tls_context **ret)
{
	return context_new(files, false, ret);
}

struct error *tls_context_new_server(const struct tls_files *files, struct tls_context **ret)
{
	return context_new(files, true, ret);
}

struct tls_context *tls_context_ref(struct tls_context *c)
{
	c->refs++;
	return c;
}

void tls_context_unref(struct tls_context *c)
{
	if (!c || --c->refs > 0)
		return;
	list_remove(&c->link);
	SSL_CTX_free(c->ssl);
	free((char *)c->files.ca);
	free((char *)c->files.cert);
	free((char *)c->files.key);
	free(c);
}

struct reading {
	const struct tls_context *context;
	SSL_CTX *ssl;
	struct strbuf idle;
	struct error *err;
};

static void read_again(void *arg)
{
	struct reading *r = arg;

	r->err = settings_new(&r->context->files, r->context->server, &r->ssl, &r->idle);
	/* What the library keeps for this thread is of no more use. */
	OPENSSL_thread_stop();
}

/* Streams hold their settings by themselves: those under way keep what they began with. */
static may_suspend must_check struct error *reload(struct tls_context *c)
{
	struct reading r = { .context = c, .idle = STRBUF_INIT };

	offload(read_again, &r);
	if (!r.err)
		log_idle(&r.idle);
	strbuf_fini(&r.idle);
	if (r.err)
		return r.err;
	SSL_CTX_free(c->ssl);
	c->ssl = r.ssl;
	return NULL;
}

static void contexts_release(struct vec *contexts)
{
	for (size_t i = 0; i < contexts->n; i++)
		tls_context_unref(contexts->v[i]);
	vec_fini(contexts);
}

/* Several contexts may have one faulty file. */
static struct error *add_fault(struct error *faults, struct error *err)
{
	if (faults && err && strstr(error_message(faults), error_message(err))) {
		error_free(err);
		return faults;
	}
	return error_join(faults, err);
}

may_suspend struct error *tls_reload(size_t *ret_n)
{
	_cleanup_(contexts_release) struct vec contexts = VEC_INIT;
	struct error *faults = NULL;

	list_for_each(link, &all)
		vec_push(&contexts, tls_context_ref(list_item(link, struct tls_context, link)));
	for (size_t i = 0; i < contexts.n; i++)
		faults = add_fault(faults, reload(contexts.v[i]));
	*ret_n = contexts.n;
	return faults;
}
