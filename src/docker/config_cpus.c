/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CPU as users ask for it (cores), as an engine gets it (shares, or NanoCpus), and as it is read
 * back from a container. CpuShares mean cores here and a relative weight to Docker; the label
 * com.docker.swarm.cpus says which it was, "0" for a weight.
 */
#include "docker/config.h"

#include "base/limits.h"

#define NANO	  INT64_C(1000000000)
#define MAX_CORES INT64_C(1000000)

/* The kernel's own bounds. */
#define MIN_SHARES INT64_C(2)
#define MAX_SHARES INT64_C(262144)

/* Below this nobody writes a weight: Docker's are 512, 1024. */
#define WEIGHT_FROM 128

int64_t config_shares_as_nano_cpus(int64_t shares, enum cpushares_mode mode,
				   int64_t largest_node_cpus)
{
	if (shares <= 0 || mode == CPUSHARES_WEIGHT)
		return 0;
	if (mode == CPUSHARES_AUTO && shares >= WEIGHT_FROM && shares > largest_node_cpus)
		return 0;
	return MIN(shares, MAX_CORES) * NANO;
}

int64_t config_nano_cpus_as_shares(int64_t nano_cpus, int64_t ncpu)
{
	int64_t cores = nano_cpus / NANO, rest = nano_cpus % NANO;

	if (ncpu <= 0 || nano_cpus <= 0)
		return MIN_SHARES;
	if (cores >= MAX_CORES)
		return MAX_SHARES;

	int64_t scaled = cores * 1024 * NANO + rest * 1024;
	int64_t unit = MIN(ncpu, MAX_CORES) * NANO;
	int64_t shares = scaled / unit + (scaled % unit != 0);

	return MAX(MIN_SHARES, MIN(shares, MAX_SHARES));
}

int64_t container_config_nano_cpus(const struct container_config *c, enum cpushares_mode mode,
				   int64_t largest_node_cpus)
{
	if (c->nano_cpus > 0)
		return c->nano_cpus;
	return config_shares_as_nano_cpus(c->cpu_shares, mode, largest_node_cpus);
}

/* "2" or "1.5", up to nine digits behind the point. */
bool config_cores_parse(struct str text, int64_t *ret_nano_cpus)
{
	struct str whole, fraction;
	uint64_t cores, part = 0;
	bool pointed = str_cut(text, '.', &whole, &fraction);

	if (!str_to_u64(whole, &cores) || cores > (uint64_t)MAX_CORES)
		return false;
	if (pointed) {
		if (fraction.n > 9 || !str_to_u64(fraction, &part))
			return false;
		for (size_t i = fraction.n; i < 9; i++)
			part *= 10;
	}
	*ret_nano_cpus = (int64_t)cores * NANO + (int64_t)part;
	return true;
}

struct str config_cores_format(int64_t nano_cpus, struct arena *arena)
{
	struct str text = arena_printf(arena, "%lld.%09lld", (long long)(nano_cpus / NANO),
				       (long long)(nano_cpus % NANO));

	while (str_ends(text, STR("0")))
		text.n--;
	if (str_ends(text, STR(".")))
		text.n--;
	return text;
}

static int64_t positive(struct json object, const char *key)
{
	return MAX(0, json_get_i64(object, key, 0));
}

/*
 * 1024 shares are the whole node, as the original Swarm had it. A share is 1953125 / 2 nano-CPUs.
 */
static int64_t shares_of_node(int64_t shares, int64_t node_cpus)
{
	int64_t ncpu = MAX(0, MIN(node_cpus, MAX_CORES));

	return MIN(shares, MAX_SHARES) * ncpu * 1953125 / 2;
}

static int64_t reserved_nano_cpus(struct json labels, struct json host, int64_t node_cpus)
{
	int64_t nano_cpus = positive(host, "NanoCpus");
	int64_t shares = positive(host, "CpuShares");
	int64_t asked;

	if (nano_cpus)
		return nano_cpus;
	if (config_cores_parse(json_get_str(labels, LABEL_SWARM_CPUS), &asked) &&
	    (asked == 0 || shares == config_nano_cpus_as_shares(asked, node_cpus)))
		return asked;
	if (!json_exists(json_get(labels, LABEL_SWARM_ID)))
		return 0;
	return shares_of_node(shares, node_cpus);
}

void container_reservation_read(struct json inspect, int64_t node_cpus, int64_t *ret_nano_cpus,
				int64_t *ret_memory)
{
	struct json labels = json_get(json_get(inspect, "Config"), "Labels");
	struct json host = json_get(inspect, "HostConfig");

	*ret_nano_cpus = MIN(reserved_nano_cpus(labels, host, node_cpus), LIMIT_ENGINE_CPUS * NANO);
	*ret_memory = MIN(positive(host, "Memory"), LIMIT_ENGINE_MEMORY);
}
