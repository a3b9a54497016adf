/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of this layer share: an ear on the log, and the addresses that a discovery has.
 */
#ifndef UNIT_DISCOVERY_HEARD_H
#define UNIT_DISCOVERY_HEARD_H

#include "unit/testing.h"

#include "base/duration.h"
#include "base/log.h"
#include "discovery/discovery.h"
#include "fiber/loop.h"

static struct strbuf heard; /* all lines of the log */

static inline void hear(_unused_ enum log_level level, struct str line, _unused_ void *arg)
{
	strbuf_add(&heard, line);
	strbuf_addc(&heard, '\n');
}

static inline int ear_setup(_unused_ void **state)
{
	log_set_sink(hear, NULL);
	loop_set_hog_limit(0); /* a slow machine is none of discovery's news */
	return 0;
}

static inline int ear_teardown(_unused_ void **state)
{
	log_set_sink(NULL, NULL);
	strbuf_fini(&heard);
	return 0;
}

static const struct discovery_options no_options = { .heartbeat = MINUTE };

/* What a fetch answers, with spaces between. */
static inline may_suspend void fetched(struct discovery *d, struct strbuf *out)
{
	_cleanup_(discovery_entries_fini) struct discovery_entries entries = { NULL, 0 };

	assert_ok(discovery_fetch(d, &entries));
	strbuf_reset(out);
	strbuf_add(out, STR(""));
	for (size_t i = 0; i < entries.n; i++) {
		if (i > 0)
			strbuf_addc(out, ' ');
		addr_format(&entries.v[i], out);
	}
}

#define assert_fetch(d, expected)                                        \
	do {                                                             \
		_cleanup_(strbuf_fini) struct strbuf _all = STRBUF_INIT; \
		fetched(d, &_all);                                       \
		assert_buf(_all, expected);                              \
	} while (0)

#define assert_heard(part) assert_true(str_contains(strbuf_str(&heard), STR(part)))
#define assert_silent()	   assert_int_equal(heard.n, 0)

#endif
