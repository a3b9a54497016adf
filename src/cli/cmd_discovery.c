/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swarm discovery: the token service alone.
 */
#include <signal.h>

#include "api/in_flight.h"
#include "api/reply.h"
#include "api/request.h"
#include "base/duration.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/limit_options.h"
#include "cli/serving.h"
#include "cli/tls_options.h"
#include "cli/version.h"
#include "fiber/loop.h"
#include "fiber/signal.h"
#include "http/reply.h"
#include "http/server.h"
#include "net/listener.h"
#include "net/stream.h"
#include "registry/registry.h"

/* What a request under way gets to come to its end when the service stops. */
#define STOP_GRACE (1 * SECOND)

struct service_options {
	struct texts hosts, limits;
	const char *state_dir;
	struct tls_options tls;
};

static const struct flag service_flags[] = {
	HOST_FLAG(struct service_options),
	{ .name = "state-dir",
	  .type = FLAG_TEXT,
	  .at = offsetof(struct service_options, state_dir),
	  .value = "DIR",
	  .fallback = "/var/lib/swarm",
	  .takes = "a directory",
	  .help = "Where the clusters are kept" },
	LIMIT_FLAG(struct service_options),
	TLS_FLAGS(struct service_options),
	{ 0 },
};

struct service {
	const struct service_options *options;
	struct api_limits limits;
	size_t wanted; /* connections, before the room for them was looked at */
	struct in_flight in_flight;
	struct serving serving;
	struct strbuf headers;
	struct vec listeners; /* until the server takes them */
	struct registry *registry;
	struct http_server *server;
	struct error *err;
};

static struct str common_headers(void *arg)
{
	const struct service *s = arg;

	return strbuf_str(&s->headers);
}

/* Without the path, in which tokens are. */
static void log_failure(const struct service *s, const struct http_incoming *in,
			const struct error *err)
{
	int status = reply_status(err);
	bool limit = error_is_over_limit(err) || reply_is_limit(status);

	if (limit && http_server_may_log(s->server))
		log_info("request over a limit", LOG_CSTR("client", in->client->peer),
			 LOG_NUM("status", status), LOG_ERR(err));
	log_debug("request failed", LOG_STR("method", in->head.method), LOG_ERR(err));
}

static may_suspend struct error *serve_one(struct service *s, struct http_incoming *in)
{
	struct str name =
		client_identity(str_from(in->client->certificate), str_from(in->client->peer));
	struct in_flight_client *client;
	struct error *err;

	TRY(in_flight_begin(&s->in_flight, name, &client));
	err = registry_serve(s->registry, in);
	in_flight_end(&s->in_flight, client);
	return err;
}

static may_suspend void serve(struct http_incoming *in, void *arg)
{
	struct service *s = arg;
	_cleanup_(error_freep) struct error *err = serve_one(s, in);
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;

	if (!err || error_is(err, ERR_CANCELLED))
		return;
	log_failure(s, in, err);
	if (http_reply_begun(in))
		return;
	reply_error_body(reply_status(err), error_message(err), &body);
	/* Where even this cannot be sent, the client has gone. */
	error_free(
		http_reply(in, reply_status(err), "application/json", NULL, 0, strbuf_str(&body)));
}

static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

static may_suspend struct error *serve_until_stopped(struct service *s)
{
	int number;

	TRY(serving_open(&s->serving, &s->listeners));
	TRY(registry_open(s->options->state_dir, &s->registry));
	s->server = http_server_new(&(struct http_server_config){
		.handler = serve,
		.arg = s,
		.common_headers = common_headers,
		.error_body = reply_error_body,
		.limits = &s->limits.http,
	});
	log_info("token service", LOG_CSTR("version", swarm_version));
	serving_log_room(s->limits.http.connections, s->wanted);
	for (size_t i = 0; i < s->listeners.n; i++) {
		serving_log(&s->serving, s->listeners.v[i],
			    "whoever reaches this address can make clusters: --tlsverify asks for "
			    "certificates");
		http_server_listen(s->server, s->listeners.v[i]);
	}
	vec_clear(&s->listeners);
	TRY(serving_wait(signals, ARRAY_LEN(signals), &number));
	log_info("stopping", LOG_CSTR("signal", number == SIGTERM ? "SIGTERM" : "SIGINT"));
	return NULL;
}

static may_suspend void service_main(void *arg)
{
	struct service *s = arg;

	signal_watch(signals, ARRAY_LEN(signals));
	s->err = serve_until_stopped(s);
	if (s->server)
		http_server_stop(s->server, STOP_GRACE);
	http_server_free(s->server);
	registry_close(s->registry);
	for (size_t i = 0; i < s->listeners.n; i++)
		listener_close(s->listeners.v[i]);
}

static struct error *parse_hosts(const struct texts *hosts, struct arena *arena,
				 struct serving *ret)
{
	struct addr *v = arena_new_array(arena, struct addr, hosts->n);

	for (size_t i = 0; i < hosts->n; i++)
		TRY(addr_parse(str_from(hosts->v[i]), &v[i]));
	ret->hosts = v;
	ret->n_hosts = hosts->n;
	return NULL;
}

static struct error *open_tls(const struct service_options *o, struct serving *ret)
{
	const struct tls_files files = tls_options_files(&o->tls);

	TRY(tls_options_check(&o->tls));
	ret->verify = files.verify;
	return tls_options_on(&o->tls) ? tls_context_new_server(&files, &ret->tls) : NULL;
}

static struct error *service_run(const void *options, const struct texts *words)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct service s = { .options = options };

	TRY(no_arguments(words));
	TRY(parse_hosts(&s.options->hosts, &arena, &s.serving));
	TRY(limit_options_read(&s.options->limits, &s.limits));
	TRY(open_tls(s.options, &s.serving));
	s.err = serving_make_state_dir(s.options->state_dir, NULL);
	if (!s.err) {
		s.wanted = s.limits.http.connections;
		s.limits.http.connections = serving_room(s.wanted);
		in_flight_init(&s.in_flight, s.limits.client_requests);
		strbuf_addf(&s.headers, "Server: swarm/%s\r\n", swarm_version);
		loop_run(LOOP_REAL, service_main, &s);
		in_flight_fini(&s.in_flight);
	}
	tls_context_unref(s.serving.tls);
	vec_fini(&s.listeners);
	strbuf_fini(&s.headers);
	return s.err;
}

const struct command command_discovery = {
	.name = "discovery",
	.synopsis = "[FLAGS]",
	.summary = "Serve the token discovery",
	.flags = service_flags,
	.options_size = sizeof(struct service_options),
	.run = service_run,
};
