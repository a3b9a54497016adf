/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes that are on no node yet and whose node is chosen already: whoever names one meanwhile
 * goes there, so that two creates of one new volume do not make two.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cluster/internal.h"

struct claim {
	char *volume;
	struct engine *engine; /* a reference */
	unsigned int uses;
};

struct str claim_key(const void *claim)
{
	return str_from(((const struct claim *)claim)->volume);
}

struct engine *claim_engine(const struct cluster *c, struct str volume)
{
	const struct claim *claim = map_get(&c->claims, volume);

	return claim ? claim->engine : NULL;
}

/* The node of the first one counts. */
void claim_take(struct cluster *c, struct str volume, struct engine *e)
{
	struct claim *claim = map_get(&c->claims, volume);

	if (!claim) {
		claim = mem_new(struct claim);
		claim->volume = str_dup(volume);
		claim->engine = engine_ref(e);
		map_put(&c->claims, claim);
	}
	claim->uses++;
}

void claim_drop(struct cluster *c, struct str volume)
{
	struct claim *claim = map_get(&c->claims, volume);

	assert(claim && claim->uses);
	if (--claim->uses)
		return;
	map_del(&c->claims, volume);
	engine_unref(claim->engine);
	free(claim->volume);
	free(claim);
}
