/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast json_parse reads a list of containers as an engine sends it, how large the index is, and
 * what it costs to look up one field of each container.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/duration.h"
#include "base/rand.h"
#include "json/build.h"

enum { CONTAINERS = 20000, ROUNDS = 9 };

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static void put_hex(struct json_out *o, const char *key, size_t digits, const char *before)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	strbuf_add(&text, str_from(before));
	rand_hex(&text, digits);
	json_put_str(o, key, strbuf_str(&text));
}

static void put_network(struct json_out *o)
{
	json_key(o, "NetworkSettings");
	json_begin_object(o);
	json_key(o, "Networks");
	json_begin_object(o);
	json_key(o, "bridge");
	json_begin_object(o);
	json_put_raw(o, "IPAMConfig", STR("null"));
	put_hex(o, "NetworkID", 64, "");
	put_hex(o, "EndpointID", 64, "");
	json_put_str(o, "Gateway", STR("172.17.0.1"));
	json_put_str(o, "IPAddress", STR("172.17.0.2"));
	json_put_i64(o, "IPPrefixLen", 16);
	json_put_str(o, "MacAddress", STR("02:42:ac:11:00:02"));
	json_end_object(o);
	json_end_object(o);
	json_end_object(o);
}

static void put_container(struct json_out *o, int i)
{
	json_begin_object(o);
	put_hex(o, "Id", 64, "");
	json_key(o, "Names");
	json_begin_array(o);
	json_str_value(o, STR("/project-web-1"));
	json_end_array(o);
	json_put_str(o, "Image", STR("registry.example.com/team/web:1.27-alpine"));
	put_hex(o, "ImageID", 64, "sha256:");
	json_put_str(o, "Command", STR("\"/docker-entrypoint.sh nginx -g 'daemon off;'\""));
	json_put_i64(o, "Created", 1795328975 + i);
	json_put_raw(o, "Ports",
		     STR("[{\"IP\":\"0.0.0.0\",\"PrivatePort\":80,\"PublicPort\":8080,"
			 "\"Type\":\"tcp\"}]"));
	json_put_raw(o, "Labels",
		     STR("{\"com.docker.compose.project\":\"project\","
			 "\"com.docker.compose.service\":\"web\","
			 "\"maintainer\":\"NGINX Docker Maintainers <docker@example.com>\"}"));
	json_put_str(o, "State", STR("running"));
	json_put_str(o, "Status", STR("Up 3 hours"));
	json_put_raw(o, "HostConfig", STR("{\"NetworkMode\":\"bridge\"}"));
	put_network(o);
	json_put_raw(o, "Mounts", STR("[]"));
	json_end_object(o);
}

static struct json parse(struct str text, struct arena *arena)
{
	struct json v;
	struct error *err = json_parse(text, arena, &v);

	if (err) {
		fprintf(stderr, "%s\n", error_message(err));
		exit(1);
	}
	return v;
}

int main(void)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);
	int64_t parsing = INT64_MAX, looking = INT64_MAX, start;
	size_t index = 0, running = 0;

	rand_seed(1);
	json_begin_array(&o);
	for (int i = 0; i < CONTAINERS; i++)
		put_container(&o, i);
	json_end_array(&o);

	/* The best of several rounds: what else the machine does is not what is measured. */
	for (int round = 0; round < ROUNDS; round++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct json_iter it;
		struct json v, item;

		start = now();
		v = parse(strbuf_str(&text), &arena);
		parsing = MIN(parsing, now() - start);
		index = arena.total;

		start = now();
		running = 0;
		for (it = json_iter(v); json_next(&it, NULL, &item);)
			running += json_str_eq(json_get(item, "State"), STR("running"));
		looking = MIN(looking, now() - start);
	}
	printf("%d containers, %zu bytes, index %zu bytes (%.2f of the text), %zu running\n",
	       CONTAINERS, text.n, index, (double)index / (double)text.n, running);
	printf("json_parse: %.2f ms, %.0f MB/s\n", (double)parsing / MILLISECOND,
	       (double)text.n / 1e6 / ((double)parsing / SECOND));
	printf("json_get: %.0f ns a container\n", (double)looking / CONTAINERS);
	return 0;
}
