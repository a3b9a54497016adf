/* SPDX-License-Identifier: Apache-2.0 */
/* docker/devices.c */
#include "unit/testing.h"

#include "base/limits.h"
#include "docker/devices.h"

static struct arena arena;

static int teardown(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

static struct json parsed(const char *text)
{
	struct json root;

	assert_ok(json_parse(str_from(text), &arena, &root));
	return root;
}

static void join(struct strbuf *out, struct str_array a)
{
	for (size_t i = 0; i < a.n; i++)
		strbuf_addf(out, "%s%.*s", i ? "," : "", STR_ARG(a.v[i]));
}

/* "gpu,nvidia 2 GPU-1,GPU-2;": capabilities, how many, ids. */
static void test_requests(void **state)
{
	static const struct {
		const char *text, *read;
	} cases[] = {
		{ "null", "" },
		{ "[]", "" },
		{ "\"gpu\"", "" },
		{ "[null, 7]", "" },
		{ "[{\"Driver\":\"\",\"Count\":-1,\"DeviceIDs\":null,\"Capabilities\":[[\"gpu\"]],"
		  "\"Options\":{}}]",
		  "gpu -1 ;" },
		{ "[{\"Count\":2,\"Capabilities\":[[\"gpu\",\"nvidia\"],[\"compute\"]]}]",
		  "gpu,nvidia,compute 2 ;" },
		{ "[{\"DeviceIDs\":[\"GPU-1\",\"GPU-2\"],\"Capabilities\":[[\"gpu\"]]}]",
		  "gpu 2 GPU-1,GPU-2;" },
		{ "[{\"Driver\":\"cdi\",\"DeviceIDs\":[\"vendor.com/fpga=0\"]}]",
		  "cdi 1 vendor.com/fpga=0;" },
		{ "[{\"driver\":\"nvidia\",\"count\":1},{\"Count\":\"x\",\"Capabilities\":[[]]}]",
		  "nvidia 1 ; 0 ;" },
		{ "[{\"Count\":-9,\"Capabilities\":\"gpu\"}]", " -1 ;" },
		{ "[{\"Count\":9223372036854775807,\"Capabilities\":[[\"\",3,\"gpu\"]]}]",
		  "gpu 1000000 ;" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
		struct device_requests r;

		assert_ok(device_requests_read(parsed(cases[i].text), &arena, &r));
		for (size_t k = 0; k < r.n; k++) {
			join(&out, r.v[k].kinds);
			strbuf_addf(&out, " %lld ", (long long)r.v[k].n);
			join(&out, r.v[k].ids);
			strbuf_addc(&out, ';');
		}
		assert_buf(out, cases[i].read);
	}
}

static void test_too_many(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct device_requests r;

	(void)state;
	strbuf_add(&text, STR("[{\"DeviceIDs\":[\"0\""));
	for (int i = 0; i < LIMIT_DEVICE_ITEMS; i++)
		strbuf_addf(&text, ",\"%d\"", i);
	strbuf_add(&text, STR("]}]"));
	strbuf_addc(&text, '\0');
	assert_err(device_requests_read(parsed(text.p), &arena, &r), ERR_INVALID,
		   "more than 256 items in DeviceRequests");
	assert_int_equal(r.n, 0);
}

static const char everything[] =
	"{\"GenericResources\":[{\"DiscreteResourceSpec\":{\"Kind\":\"SSD\",\"Value\":3}},"
	"{\"NamedResourceSpec\":{\"Kind\":\"NVIDIA-GPU\",\"Value\":\"GPU-1\"}},"
	"{\"NamedResourceSpec\":{\"Kind\":\"NVIDIA-GPU\",\"Value\":\"GPU-2\"}}],"
	"\"DiscoveredDevices\":[{\"Source\":\"cdi\",\"ID\":\"vendor.com/fpga=0\"},"
	"{\"Source\":\"cdi\",\"ID\":\"vendor.com/fpga=all\"},{\"ID\":\"strange\"}],"
	"\"Runtimes\":{\"runc\":{\"path\":\"runc\"},\"nvidia\":{},\"kata\":{}}}";

static void test_engines(void **state)
{
	static const struct {
		const char *info, *read;
	} cases[] = {
		{ "{}", ":  " },
		{ "{\"GenericResources\":null,\"Runtimes\":[],\"DiscoveredDevices\":{}}", ":  " },
		{ "{\"GenericResources\":[7,{\"DiscreteResourceSpec\":{\"Kind\":\"a\",\"Value\":-1}"
		  "},"
		  "{\"DiscreteResourceSpec\":{\"Kind\":\"\",\"Value\":1}},"
		  "{\"DiscreteResourceSpec\":{\"Kind\":\"b\",\"Value\":9000000000}}]}",
		  "a 0,b 1000000,:  " },
		{ everything, "SSD 3,NVIDIA-GPU 2,vendor.com/fpga 0,nvidia-gpu 0,:"
			      "GPU-1,GPU-2,vendor.com/fpga=0,vendor.com/fpga=all "
			      "runc,nvidia,kata " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
		struct devices d;

		devices_read(parsed(cases[i].info), &arena, &d);
		for (size_t k = 0; k < d.n_kinds; k++)
			strbuf_addf(&out, "%.*s %lld,", STR_ARG(d.kinds[k].name),
				    (long long)d.kinds[k].total);
		strbuf_addc(&out, ':');
		join(&out, d.ids);
		strbuf_addc(&out, ' ');
		join(&out, d.runtimes);
		strbuf_addc(&out, ' ');
		assert_buf(out, cases[i].read);
	}
}

/* Of a hostile engine no more than the limit is kept. */
static void test_an_engine_with_too_many(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct devices d;

	(void)state;
	strbuf_add(&text, STR("{\"GenericResources\":[{}"));
	for (int i = 0; i < 1000; i++)
		strbuf_addf(&text, ",{\"NamedResourceSpec\":{\"Kind\":\"k%d\",\"Value\":\"v\"}}",
			    i);
	strbuf_add(&text, STR("]}"));
	strbuf_addc(&text, '\0');
	devices_read(parsed(text.p), &arena, &d);
	assert_int_equal(d.n_kinds, LIMIT_DEVICE_ITEMS - 1);
}

static void test_what_serves_what(void **state)
{
	static const struct {
		const char *request, *kind; /* NULL: none */
		int64_t n;
		bool ids;
	} cases[] = {
		{ "{\"Count\":1,\"Capabilities\":[[\"gpu\"]]}", "NVIDIA-GPU", 1, true },
		{ "{\"Count\":-1,\"Capabilities\":[[\"gpu\"]]}", "NVIDIA-GPU", 2, true },
		{ "{\"Count\":1,\"Capabilities\":[[\"compute\",\"gpu\"]]}", "NVIDIA-GPU", 1, true },
		{ "{\"Count\":1,\"Capabilities\":[[\"ssd\"]]}", "SSD", 1, true },
		{ "{\"Count\":1,\"Capabilities\":[[\"nvidia-gpu\"]]}", "NVIDIA-GPU", 1, true },
		{ "{\"Count\":1,\"Capabilities\":[[\"pu\"]]}", NULL, 0, true },
		{ "{\"Count\":1,\"Driver\":\"nvidia\"}", "NVIDIA-GPU", 1, true },
		{ "{\"Count\":-1,\"Capabilities\":[[\"fpga\"]]}", "vendor.com/fpga", 0, true },
		{ "{\"Driver\":\"cdi\",\"DeviceIDs\":[\"vendor.com/fpga=0\"]}", NULL, 0, true },
		{ "{\"Driver\":\"cdi\",\"DeviceIDs\":[\"vendor.com/fpga=1\"]}", NULL, 0, false },
		{ "{\"DeviceIDs\":[\"GPU-2\",\"GPU-9\"],\"Capabilities\":[[\"gpu\"]]}",
		  "NVIDIA-GPU", 2, false },
	};
	struct devices d;

	(void)state;
	devices_read(parsed(everything), &arena, &d);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct device_kind *kind;
		struct device_requests r;
		struct str list = arena_printf(&arena, "[%s]", cases[i].request);

		assert_ok(device_requests_read(parsed(list.p), &arena, &r));
		kind = devices_kind(&d, &r.v[0]);
		if (!cases[i].kind) {
			assert_null(kind);
		} else {
			assert_str(kind->name, cases[i].kind);
			assert_int_equal(device_request_count(&r.v[0], kind), cases[i].n);
		}
		assert_int_equal(devices_have_ids(&d, &r.v[0]), cases[i].ids);
		assert_null(devices_kind(NULL, &r.v[0]));
	}
	assert_true(devices_have_runtime(&d, STR("kata")));
	assert_false(devices_have_runtime(&d, STR("")));
	assert_false(devices_have_runtime(NULL, STR("kata")));
}

#define test(fn) cmocka_unit_test_teardown(fn, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_requests),	     test(test_too_many),
		test(test_engines),	     test(test_an_engine_with_too_many),
		test(test_what_serves_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
