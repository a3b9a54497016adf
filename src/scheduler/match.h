/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The value of an expression as something to compare with: plain text, a glob with `*`, or a
 * /regex/ (PCRE2 with a match limit). Compiled once for a request.
 */
#ifndef SCHEDULER_MATCH_H
#define SCHEDULER_MATCH_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

enum match_kind { MATCH_PLAIN, MATCH_GLOB, MATCH_REGEX };

struct match {
	enum match_kind kind;
	struct str text;   /* as written, between the slashes of a regex */
	void *code;	   /* of a regex; freed by match_fini */
	bool exceeded;	   /* a regex ran over its budget; its answers since were "no" */
};

must_check struct error *match_init(struct match *m, struct str value); /* ERR_INVALID quotes it */
void match_fini(struct match *m);
bool match_test(struct match *m, struct str text);

#endif
