/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exchange needs of its client. Private to http/.
 */
#ifndef HTTP_CLIENT_CORE_H
#define HTTP_CLIENT_CORE_H

#include "http/client.h"

/* An idle connection, or NULL. */
struct stream *http_client_idle(struct http_client *c);
may_suspend must_check struct error *http_client_dial(struct http_client *c, struct stream **ret);
void http_client_give_back(struct http_client *c, struct stream *s); /* takes s */
const struct fence *http_client_fence(const struct http_client *c);
const char *http_client_name(const struct http_client *c); /* "10.0.0.1:2375" */

/*
 * Takes err, answers it with the host's address before its message. What is not its doing stays
 * bare.
 */
struct error *http_client_error(const struct http_client *c, struct error *err) must_check;

/* http_exchange_begin with the answer's head in an arena of the caller's (NULL: its own). */
may_suspend must_check struct error *http_exchange_begin_in(struct http_client *c,
							    const struct http_call *call,
							    struct arena *arena,
							    struct http_exchange **ret);

#endif
