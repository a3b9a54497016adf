/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the discovery, tells the cluster, waits until there is news. While the discovery is away
 * the nodes stay as they are; what an outage may have cost them is discovery/grace.h's affair.
 */
#include "cli/follow.h"

#include "base/log.h"
#include "cluster/cluster.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"

/* A discovery that cannot be followed is read again after the first, then ever later. */
#define PAUSE_FIRST (100 * MILLISECOND)
#define PAUSE_LAST  (5 * SECOND)

/* While nodes are kept that are not listed, this often their engines are looked at. */
#define JUDGE_PAUSE (2 * SECOND)

static bool answers(struct str addr, void *arg)
{
	_cleanup_(engine_unrefp) struct engine *e = cluster_engine(arg, addr);

	return e && engine_state(e) == ENGINE_HEALTHY;
}

static may_suspend void set_nodes(struct follow *f)
{
	_cleanup_(discovery_entries_fini) struct discovery_entries nodes = { NULL, 0 };

	grace_nodes(&f->grace, &nodes);
	cluster_set_nodes(f->cluster, nodes.v, nodes.n);
}

static bool registers(const struct discovery *d)
{
	struct error *never = discovery_check_registers(d);
	bool yes = !never;

	error_free(never);
	return yes;
}

static may_suspend struct error *fetch_nodes(struct follow *f)
{
	_cleanup_(discovery_entries_fini) struct discovery_entries entries = { NULL, 0 };

	TRY(discovery_fetch(f->discovery, &entries));
	log_info("the discovery lists nodes", LOG_CSTR("discovery", discovery_scheme(f->discovery)),
		 LOG_NUM("nodes", (int64_t)entries.n));
	grace_take(&f->grace, &entries, clock_now());
	grace_judge(&f->grace, clock_now(), answers, f->cluster);
	set_nodes(f);
	return NULL;
}

/* Entries that people write do not go by themselves: of those, what is missing was taken out. */
static void note_outage(struct follow *f)
{
	if (registers(f->discovery))
		grace_note_outage(&f->grace);
}

static void note_fetched(struct follow *f, const struct error *err)
{
	if (err) {
		note_outage(f);
		log_error("the discovery cannot be read; the nodes stay as they are",
			  LOG_CSTR("discovery", discovery_scheme(f->discovery)), LOG_ERR(err));
	} else if (f->away) {
		log_info("the discovery can be read again",
			 LOG_CSTR("discovery", discovery_scheme(f->discovery)));
	}
	f->away = err != NULL;
}

/* Until there may be news; or, while nodes are kept, until it is time to look at them. */
static may_suspend struct error *wait_for_news(struct follow *f)
{
	for (;;) {
		bool keeps = f->grace.kept.n > 0;
		_cleanup_(deadline_end) struct deadline d =
			deadline_begin(keeps ? JUDGE_PAUSE : INT64_MAX);
		struct error *err = discovery_wait(f->discovery);

		if (!keeps || !error_is(err, ERR_TIMEOUT) || !deadline_passed(&d))
			return err;
		error_free(err);
		deadline_end(&d);
		if (grace_judge(&f->grace, clock_now(), answers, f->cluster))
			set_nodes(f);
	}
}

/* The discovery ended our wait with an error: it is read at once the first time, then later. */
static may_suspend struct error *pause_after(struct follow *f, const struct error *err)
{
	if (!err) {
		f->pause = 0;
		return NULL;
	}
	note_outage(f);
	log_warn("the discovery cannot be followed; it is read again", LOG_ERR(err));
	f->pause = f->pause ? MIN(2 * f->pause, PAUSE_LAST) : PAUSE_FIRST;
	return fiber_sleep(f->pause);
}

/* One round; an error is a cancellation. */
static may_suspend struct error *follow_once(struct follow *f)
{
	_cleanup_(error_freep) struct error *fetched = fetch_nodes(f), *waited = NULL;

	if (error_is(fetched, ERR_CANCELLED))
		return take(fetched);
	note_fetched(f, fetched);
	waited = wait_for_news(f);
	if (error_is(waited, ERR_CANCELLED))
		return take(waited);
	return pause_after(f, waited);
}

may_suspend void follow_discovery(void *arg)
{
	struct follow *f = arg;
	struct error *err = NULL;

	while (!err)
		err = follow_once(f);
	error_free(err);
	grace_fini(&f->grace);
}
