/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One of several managers. The primary serves; a replica answers what is about the manager itself
 * and passes everything else to the primary, as it came, streams included. Who is the primary is
 * told from above (api.h).
 *
 * With what it passes on, a replica says who asks, and proves by the managers' key that it is one
 * of them:
 *   X-Swarm-Manager: <the key>
 *   X-Swarm-Client: <the client's identity, see request_client>
 * From anyone else these two are taken off.
 */
#ifndef API_REPLICA_H
#define API_REPLICA_H

#include "api/request.h"
#include "base/list.h"
#include "base/strbuf.h"
#include "http/client.h"

struct replica {
	const struct fence *fence;   /* NULL: there is one manager only */
	struct tls_context *tls;     /* towards other managers; NULL: in the clear */
	struct strbuf key;	     /* the managers' own; empty: not known (yet) */
	bool passes_on;		     /* else this manager serves */
	struct http_client *primary; /* NULL: none is known */
	struct strbuf primary_name;
	struct list passing; /* what was passed on and is not over */
};

void replica_init(struct replica *r, const struct fence *fence, struct tls_context *tls);
void replica_fini(struct replica *r);

/* For /info. A manager that led, and whose lease ran out, is none until it is elected again. */
bool replica_is_primary(const struct replica *r);
struct str replica_primary(const struct replica *r); /* of a replica: "host:port" or "none" */

/*
 * Whether this manager answers the request: the path is without its version by then. Otherwise
 * replica_pass does. ERR_NOT_PRIMARY: by its route and method it would change something, and nobody
 * leads here now.
 */
bool replica_is_own(const struct request *r);
must_check struct error *replica_enter(const struct request *r);
/* Once its route is known. */
bool replica_changes_nothing(const struct request *r);
may_suspend must_check struct error *replica_pass(struct request *r);

/* Who asks, as another manager says; STR_NONE where it was not another manager that asks. */
struct str replica_client(const struct request *r);
/* X-Swarm-Manager and X-Swarm-Client, which end here. */
bool replica_is_header(struct str name);

#endif
