/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One engine's GET /images/get is another's POST /images/load, at the pace of the slower.
 */
#include "cluster/carry.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cluster/internal.h"
#include "engine/client.h"
#include "fiber/deadline.h"
#include "http/url.h"

#define PIECE (64 * KIB)
#define STALL (60 * SECOND) /* in which a piece must have been taken */

/* Empty at the end. */
static may_suspend struct error *send_piece(struct http_exchange *to, struct str piece)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(STALL);
	struct error *err;

	err = piece.n ? http_exchange_write(to, piece) : http_exchange_write_end(to);
	if (!error_is(err, ERR_TIMEOUT) || !deadline_passed(&d))
		return err;
	error_free(err);
	return error_new(ERR_TIMEOUT, "nothing of the image was taken for 60 s");
}

/* An engine may be long in packing an image before its first byte comes: that has no limit. */
static may_suspend struct error *pass_archive(struct http_exchange *from, struct http_exchange *to)
{
	_cleanup_(mem_freep) char *piece = mem_alloc(PIECE);
	struct error *err;
	size_t n;

	do {
		TRY(http_exchange_read(from, piece, PIECE, &n));
		err = send_piece(to, str_of(piece, n));
		/* It takes no more: its answer says why. */
		if (error_is(err, ERR_CLOSED)) {
			error_free(err);
			return NULL;
		}
		TRY(err);
	} while (n > 0);
	return NULL;
}

static may_suspend struct error *begin_save(const struct carry_request *req,
					    struct http_exchange **ret)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	struct http_call call = { .method = STR("GET") };
	const struct http_response *head;

	strbuf_add(&path, STR("/images/get?names="));
	http_encode_query(&path, req->image);
	TRY(engine_exchange(req->from, req->version, strbuf_str(&path), &call, &x));
	TRY(http_exchange_response(x, &head));
	if (head->status >= 400)
		return engine_refusal(x);
	*ret = take(x);
	return NULL;
}

static may_suspend struct error *begin_load(const struct carry_request *req,
					    struct http_exchange **ret)
{
	struct http_header type = { STR("Content-Type"), STR("application/x-tar") };
	struct http_call call = {
		.method = STR("POST"),
		.headers = &type,
		.n_headers = 1,
		.send = HTTP_SEND_CHUNKED,
	};

	return engine_exchange(req->to, req->version, STR("/images/load?quiet=1"), &call, ret);
}

static may_suspend struct error *carry(const struct carry_request *req)
{
	_cleanup_(http_exchange_freep) struct http_exchange *from = NULL;
	_cleanup_(http_exchange_freep) struct http_exchange *to = NULL;

	TRY(begin_save(req, &from));
	TRY(begin_load(req, &to));
	TRY(pass_archive(from, to));
	TRY(engine_read_lines(to, NULL, NULL));
	return engine_refresh_image(req->to, req->image);
}

/* One image on its way to one node. */
struct carrying {
	struct list link; /* in the cluster's carryings, while others may join */
	size_t waiting;
	struct carry_request req; /* its own references and texts */
	struct group group;	  /* of the one fiber that carries */
	struct waitq over_now;
	bool over;
	struct error *err; /* how it ended */
};

static may_suspend void carry_main(void *arg)
{
	struct carrying *t = arg;
	const struct carry_request *req = &t->req;
	struct error *err = carry(req);

	if (err)
		err = error_wrap(err, "bringing image %.*s from node %.*s to node %.*s",
				 STR_ARG(req->image), STR_ARG(engine_name(req->from)),
				 STR_ARG(engine_name(req->to)));
	else
		log_info("image brought", LOG_STR("image", req->image),
			 LOG_STR("from", engine_name(req->from)),
			 LOG_STR("to", engine_name(req->to)));
	t->err = err;
	t->over = true;
	list_remove(&t->link);
	waitq_wake_all(&t->over_now);
}

/* Another node that has the image would bring the same. */
static struct carrying *find(struct cluster *c, const struct carry_request *req)
{
	list_for_each(link, &c->carryings) {
		struct carrying *t = list_item(link, struct carrying, link);

		if (t->req.to == req->to && str_eq(t->req.image, req->image) &&
		    str_eq(t->req.id, req->id))
			return t;
	}
	return NULL;
}

static struct carrying *join(struct cluster *c, const struct carry_request *req)
{
	struct carrying *t = find(c, req);

	if (!t) {
		t = mem_new(struct carrying);
		t->req = (struct carry_request){ engine_ref(req->from), engine_ref(req->to),
						 str_from(str_dup(req->image)),
						 str_from(str_dup(req->id)), req->version };
		list_append(&c->carryings, &t->link);
		group_go(&t->group, "carry", carry_main, t);
	}
	t->waiting++;
	return t;
}

static may_suspend void leave(struct carrying **at)
{
	struct carrying *t = *at;

	if (--t->waiting)
		return;
	list_remove(&t->link);
	group_finish(&t->group);
	waitq_fini(&t->over_now);
	engine_unref(t->req.from);
	engine_unref(t->req.to);
	free((char *)t->req.image.p);
	free((char *)t->req.id.p);
	error_free(t->err);
	free(t);
}

/* "app:latest" of "app": by the bare name an engine would give all tags. Borrowed. */
static struct str name_of_one(const struct cluster *c, struct str image)
{
	const struct slot *slot = image_index_find(&c->images, image);

	return slot && !image_index_is_id(slot) ? slot->key : image;
}

may_suspend struct error *carry_image(struct cluster *c, const struct carry_request *req)
{
	struct carry_request one = { req->from, req->to, name_of_one(c, req->image), req->id,
				     req->version };
	_cleanup_(leave) struct carrying *t = join(c, &one);

	while (!t->over)
		TRY(waitq_wait(&t->over_now, "an image to be brought"));
	return error_copy(t->err);
}
