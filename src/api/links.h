/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DELETE /containers/{id}?link=1: takes a name off a container that another calls it by.
 */
#ifndef API_LINKS_H
#define API_LINKS_H

#include "base/attr.h"
#include "base/error.h"

struct request;

/*
 * "web/db" is what the container web calls another, and web may be named in any form: "n1/web/db".
 * What is a container's own name its engine refuses.
 */
may_suspend must_check struct error *links_remove(struct request *r);

#endif
