/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/engine_texts.h"

#include <inttypes.h>

#include "base/duration.h"
#include "fiber/clock.h"

/* Odd, so that multiplying by it can be undone. */
#define SCATTER ((uint64_t)0x9e3779b97f4a7c15)

#define CREATED 1700000000
#define BEGAN	"2023-11-14T22:13:20.123456789Z"

static uint64_t inverse(uint64_t odd)
{
	uint64_t x = odd;

	for (int i = 0; i < 6; i++)
		x *= 2 - odd * x;
	return x;
}

/* Neighbours are to differ in their first digits, as real ids do; unscatter takes it back. */
static uint64_t scatter(uint64_t x)
{
	x *= SCATTER;
	x ^= x >> 32;
	return x * SCATTER;
}

static uint64_t unscatter(uint64_t x)
{
	x *= inverse(SCATTER);
	x ^= x >> 32;
	return x * inverse(SCATTER);
}

void write_id(struct identity who, char out[ID_DIGITS + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t part = (uint64_t)who.node << 32 | who.index;

	for (int at = 0; at < ID_DIGITS;) {
		part = scatter(part);
		for (int shift = 60; shift >= 0; shift -= 4)
			out[at++] = digits[part >> shift & 15];
	}
	out[ID_DIGITS] = '\0';
}

bool read_id(struct str id, struct identity *ret)
{
	char again[ID_DIGITS + 1];
	uint64_t first = 0;

	if (id.n != ID_DIGITS)
		return false;
	for (int i = 0; i < 16; i++) {
		char c = id.p[i];

		first = first << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	first = unscatter(first);
	*ret = (struct identity){ (uint32_t)(first >> 32), (uint32_t)first };
	write_id(*ret, again);
	return str_eq(id, str_of(again, ID_DIGITS));
}

static void put_name(const struct shown *c, struct strbuf *out)
{
	if (str_empty(c->name))
		strbuf_addf(out, "c-%" PRIu32 "-%" PRIu32, c->who.node, c->who.index);
	else
		strbuf_add(out, c->name);
}

/* A label that brings the text to `size`, where the labels are our own. */
static void put_labels(const struct shown *c, size_t size, size_t so_far, size_t tail,
		       struct strbuf *out)
{
	static const char head[] = "{\"role\":\"web\",\"padding\":\"";
	size_t around = so_far + sizeof(head) - 1 + 2 + tail;

	if (!str_empty(c->labels)) {
		strbuf_add(out, c->labels);
		return;
	}
	strbuf_add(out, str_from(head));
	if (around < size) {
		strbuf_reserve(out, size - around);
		memset(out->p + out->n, 'p', size - around);
		strbuf_extend(out, size - around);
	}
	strbuf_add(out, STR("\"}"));
}

void put_list_entry(const struct shown *c, struct strbuf *out)
{
	static const char tail[] =
		",\"State\":\"%s\",\"Status\":\"%s\",\"HostConfig\":{\"NetworkMode\":\"default\"},"
		"\"NetworkSettings\":{\"Networks\":{\"bridge\":{\"IPAMConfig\":null,\"Links\":null,"
		"\"Aliases\":null,\"NetworkID\":\"b0c1d2e3f405162738495a6b7c8d9e0f\","
		"\"EndpointID\":"
		"\"e0\",\"Gateway\":\"172.17.0.1\",\"IPAddress\":\"172.17.0.2\",\"IPPrefixLen\":16,"
		"\"MacAddress\":\"02:42:ac:11:00:02\",\"DriverOpts\":null}}},\"Mounts\":[]}";
	const char *state = c->running ? "running" : "created";
	const char *status = c->running ? "Up 2 hours" : "Created";
	size_t begin = out->n;
	char id[ID_DIGITS + 1];

	write_id(c->who, id);
	strbuf_addf(out, "{\"Id\":\"%s\",\"Names\":[\"/", id);
	put_name(c, out);
	strbuf_addf(out,
		    "\"],\"Image\":\"" KNOWN_IMAGE "\",\"ImageID\":\"sha256:%064d\",\"Command\":"
		    "\"/bin/serve\",\"Created\":%" PRIu32 ",\"Ports\":[],\"Labels\":",
		    1,
		    CREATED + (uint32_t)(scatter((uint64_t)c->who.node << 32 | c->who.index) %
					 10000000));
	put_labels(c, LIST_ENTRY, out->n - begin,
		   sizeof(tail) - 1 - 4 + strlen(state) + strlen(status), out);
	strbuf_addf(out, tail, state, status);
}

void put_inspect(const struct shown *c, struct strbuf *out)
{
	static const char tail[] =
		"},\"NetworkSettings\":{\"Bridge\":\"\",\"SandboxID\":\"\",\"Ports\":{},"
		"\"Networks\":{\"bridge\":{\"NetworkID\":\"b0\",\"IPAddress\":\"172.17.0.2\"}}}}";
	size_t begin = out->n;
	char id[ID_DIGITS + 1];

	write_id(c->who, id);
	strbuf_addf(out,
		    "{\"Id\":\"%s\",\"Created\":\"" BEGAN "\",\"Path\":\"/bin/serve\",\"Args\":[],"
		    "\"State\":{\"Status\":\"%s\",\"Running\":%s,\"Paused\":false,\"Restarting\":"
		    "false,\"OOMKilled\":false,\"Dead\":false,\"Pid\":%d,\"ExitCode\":0,\"Error\":"
		    "\"\",\"StartedAt\":\"%s\",\"FinishedAt\":\"0001-01-01T00:00:00Z\"},"
		    "\"Image\":\"sha256:%064d\",\"Name\":\"/",
		    id, c->running ? "running" : "created", c->running ? "true" : "false",
		    c->running ? 4711 : 0, c->running ? BEGAN : "0001-01-01T00:00:00Z", 1);
	put_name(c, out);
	strbuf_add(
		out,
		STR("\",\"RestartCount\":0,\"Driver\":\"overlay2\",\"HostConfig\":{\"Binds\":null,"
		    "\"NetworkMode\":\"default\",\"PortBindings\":{},\"CpuShares\":0,\"Memory\":0,"
		    "\"NanoCpus\":0,\"VolumesFrom\":null,\"Privileged\":false,\"LogConfig\":{"
		    "\"Type\":\"json-file\",\"Config\":{}}},\"Mounts\":[],\"Config\":{\"Hostname\":"
		    "\"web\",\"Env\":[\"PATH=/bin\"],\"Cmd\":[\"/bin/serve\"],\"Image\":"
		    "\"" KNOWN_IMAGE "\",\"Labels\":"));
	put_labels(c, 4 * LIST_ENTRY, out->n - begin, sizeof(tail) - 1, out);
	strbuf_add(out, str_from(tail));
}

void put_images(struct strbuf *out)
{
	strbuf_addc(out, '[');
	for (int i = 1; i <= N_IMAGES; i++)
		strbuf_addf(out,
			    "%s{\"Containers\":-1,\"Created\":%d,\"Id\":\"sha256:%064d\","
			    "\"Labels\":null,\"ParentId\":\"\",\"RepoDigests\":[\"bench@sha256:%"
			    "064d\"],"
			    "\"RepoTags\":[\"bench:%d\"],\"SharedSize\":-1,\"Size\":1234567,"
			    "\"VirtualSize\":1234567}",
			    i > 1 ? "," : "", CREATED, i, 100 + i, i);
	strbuf_add(out, STR("]\n"));
}

void put_version(struct strbuf *out)
{
	strbuf_add(
		out,
		STR("{\"Platform\":{\"Name\":\"\"},\"Components\":[{\"Name\":\"Engine\","
		    "\"Version\":"
		    "\"20.10.24\",\"Details\":{\"ApiVersion\":\"1.41\",\"Arch\":\"amd64\","
		    "\"Experimental\":\"false\",\"GoVersion\":\"go1.19.8\",\"MinAPIVersion\":\"1."
		    "12\","
		    "\"Os\":\"linux\"}},{\"Name\":\"containerd\",\"Version\":\"1.6.20\"},{\"Name\":"
		    "\"runc\",\"Version\":\"1.1.5\"}],\"Version\":\"20.10.24\",\"ApiVersion\":\"1."
		    "41\","
		    "\"MinAPIVersion\":\"1.12\",\"GitCommit\":\"5d6db84\",\"GoVersion\":\"go1.19."
		    "8\","
		    "\"Os\":\"linux\",\"Arch\":\"amd64\",\"KernelVersion\":\"6.1.0\",\"BuildTime\":"
		    "\"2023-05-18T14:37:38.000000000+00:00\"}\n"));
}

void put_info(uint32_t node, uint32_t containers, struct strbuf *out)
{
	size_t begin = out->n;

	strbuf_addf(
		out,
		"{\"ID\":\"BENCH:%08" PRIX32 "\",\"Containers\":%" PRIu32
		",\"ContainersRunning\":%" PRIu32
		",\"ContainersPaused\":0,\"ContainersStopped\":0,\"Images\":%d,\"Driver\":"
		"\"overlay2\",\"MemoryLimit\":true,\"SwapLimit\":true,\"NCPU\":%d,\"MemTotal\":%s,"
		"\"KernelVersion\":\"6.1.0\",\"OperatingSystem\":\"Debian GNU/Linux 12\","
		"\"OSType\":\"linux\",\"Architecture\":\"x86_64\",\"Name\":\"node-%" PRIu32
		"\",\"Labels\":[\"storage=ssd\",\"zone=%" PRIu32
		"\"],\"ServerVersion\":\"20.10.24\",\"DefaultRuntime\":\"runc\",\"Warnings\":[",
		node, containers, containers, N_IMAGES, ENGINE_CPUS, ENGINE_BYTES, node, node % 10);
	/* The rest of a real answer: networks, plugins, security options, address pools. */
	for (int i = 0; out->n - begin < 3000; i++)
		strbuf_addf(out, "%s\"WARNING: no such feature %d\"", i ? "," : "", i);
	strbuf_add(out, STR("]}\n"));
}

void put_event(const char *type, const char *action, struct str id, struct str attributes,
	       struct strbuf *out)
{
	int64_t now = clock_wall();

	strbuf_addf(out,
		    "{\"status\":\"%s\",\"id\":\"%.*s\",\"from\":\"" KNOWN_IMAGE "\",\"Type\":"
		    "\"%s\",\"Action\":\"%s\",\"Actor\":{\"ID\":\"%.*s\",\"Attributes\":{%.*s}},"
		    "\"scope\":\"local\",\"time\":%" PRId64 ",\"timeNano\":%" PRId64 "}\n",
		    action, STR_ARG(id), type, action, STR_ARG(id), STR_ARG(attributes),
		    now / SECOND, now);
}
