/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client's request, as handlers see it, and what they commonly ask of it.
 */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "docker/filters.h"
#include "docker/version.h"
#include "http/server.h"

struct api;
struct cluster;
struct route;

struct request {
	struct api *api;
	struct cluster *cluster;
	struct http_incoming *in;
	const struct route *route;
	struct str path;	    /* decoded, its version taken off */
	struct str name;	    /* what {} of the route's pattern stands for */
	struct api_version version; /* the client's; the pool's where it names none */
	struct arena *arena;	    /* the request's */
	/*
	 * A container that goes to its engine by its id, and what the client called it (echoed.h).
	 */
	struct str asked_id, asked_name;
};

/*
 * Takes "/v1.41" off the front of a path: false where it has no version, and the path is as it was.
 */
bool request_take_version(struct str *path, struct str *ret_version);

/* A parameter of the query; STR_NONE where it is not there. */
struct str request_param(const struct request *r, const char *name);
bool request_flag(const struct request *r, const char *name);
must_check struct error *request_filters(const struct request *r, struct filters *ret);

/* The query without one parameter, in the arena; empty where nothing is left. */
struct str request_query_without(const struct request *r, const char *name);
/* With its `since` and `until`, in seconds, as a clock has them that is so many ns ahead of ours. */
struct str request_query_ahead(const struct request *r, int64_t ahead);

/* `path` with the query as the client sent it. In the arena. */
struct str request_with_query(const struct request *r, struct str path);

/* The headers that go on to an engine: end to end, what the codec writes itself left out. */
struct http_headers request_headers(const struct request *r);

/*
 * Who asks (section 6 of the contract, "the same client"): the certificate's fingerprint, else the
 * address without its port, on a unix socket the user. In the arena or of the connection.
 */
struct str request_client(const struct request *r);
struct str client_identity(struct str certificate, struct str peer);

/* ERR_INVALID, in the engine's words, where there is a body that does not say it is JSON. */
must_check struct error *request_check_json(const struct request *r);

/* The whole body, at most LIMIT_JSON_BODY. ERR_INVALID where it was cut short. */
may_suspend must_check struct error *request_body(struct request *r, struct str *ret);

#endif
