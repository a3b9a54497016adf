/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backend of discovery is: a file here, and a row of the table in discovery.c. Private to
 * discovery/.
 */
#ifndef DISCOVERY_BACKEND_H
#define DISCOVERY_BACKEND_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/vec.h"
#include "discovery/discovery.h"

struct discovery_backend {
	const char *scheme; /* "nodes", without :// */
	bool has_ranges;    /* its entries are written by people: "10.0.0.[1:9]:2375" */
	bool is_store;	    /* a key-value store: managers can compete for a key in it */
	bool takes_options; /* --discovery-opt */
	bool uses_tls;	    /* discovery_options.tls */

	/* `rest` is what follows "scheme://", borrowed. */
	struct error *(*open)(struct str rest, const struct discovery_options *options,
			      struct discovery **ret);
	/* The entries as they are written, each a struct str * in the arena. */
	may_suspend struct error *(*fetch)(struct discovery *d, struct arena *arena,
					   struct vec *ret);
	may_suspend struct error *(*wait)(struct discovery *d);
	/*
	 * Whether an entry can be kept for that long at a time; NULL: for any. Connects to nothing.
	 */
	struct error *(*check_ttl)(const struct discovery *d, int64_t ttl);
	/* `entry` is the address as addr_format writes it. Both NULL: people write the entries. */
	may_suspend struct error *(*enter)(struct discovery *d, struct str entry, int64_t ttl);
	may_suspend struct error *(*leave)(struct discovery *d, struct str entry);
	may_suspend void (*stop)(struct discovery *d); /* NULL: it keeps nothing up */
	void (*close)(struct discovery *d);	       /* frees d */
};

/* The first member of what each backend keeps; discovery_open fills it in. */
struct discovery {
	const struct discovery_backend *backend;
};

extern const struct discovery_backend discovery_nodes, discovery_file, discovery_token,
	discovery_etcd, discovery_consul, discovery_zookeeper;

/* Copies text into the arena and appends it to ret, as fetch answers it. */
void discovery_push(struct arena *arena, struct vec *ret, struct str text);

/* The lines of a file's text without comments and space, empty ones left out. */
void discovery_parse_lines(struct str text, struct arena *arena, struct vec *ret);

#endif
