/* SPDX-License-Identifier: Apache-2.0 */
#include "api/in_flight.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

struct in_flight_client {
	char *name;
	size_t n;
};

static struct str client_name(const void *item)
{
	return str_from(((const struct in_flight_client *)item)->name);
}

void in_flight_init(struct in_flight *f, size_t most)
{
	map_init(&f->clients, client_name);
	f->most = most;
}

void in_flight_fini(struct in_flight *f)
{
	assert(f->clients.n == 0);
	map_fini(&f->clients);
}

static struct in_flight_client *client_add(struct in_flight *f, struct str name)
{
	struct in_flight_client *c = mem_new(struct in_flight_client);

	c->name = str_dup(name);
	map_put(&f->clients, c);
	return c;
}

struct error *in_flight_begin(struct in_flight *f, struct str client, struct in_flight_client **ret)
{
	struct in_flight_client *c = map_get(&f->clients, client);

	if (c && c->n >= f->most)
		return error_from_status(429, STR("too many requests of this client are under "
						  "way"));
	*ret = c ? c : client_add(f, client);
	(*ret)->n++;
	return NULL;
}

void in_flight_end(struct in_flight *f, struct in_flight_client *c)
{
	if (!c || --c->n > 0)
		return;
	map_del(&f->clients, client_name(c));
	free(c->name);
	free(c);
}
