/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intrusive doubly linked list: a link in the item, a head that is a link too. Owns nothing.
 * An unlinked link points at itself or is zero; list_remove of either does nothing.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct list {
	struct list *prev, *next;
};

#define LIST_INIT(name)          \
	{                        \
		&(name), &(name) \
	}

static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}

static inline bool list_empty(const struct list *head)
{
	return !head->next || head->next == head;
}

static inline bool list_linked(const struct list *item)
{
	return item->next && item->next != item;
}

static inline void list_insert_before(struct list *where, struct list *item)
{
	item->prev = where->prev;
	item->next = where;
	where->prev->next = item;
	where->prev = item;
}

static inline void list_append(struct list *head, struct list *item)
{
	list_insert_before(head, item);
}

static inline void list_prepend(struct list *head, struct list *item)
{
	list_insert_before(head->next, item);
}

static inline void list_remove(struct list *item)
{
	if (!item->next)
		return;
	item->prev->next = item->next;
	item->next->prev = item->prev;
	item->prev = item->next = item;
}

/* The first item, taken off; NULL when the list is empty. */
static inline struct list *list_pop(struct list *head)
{
	struct list *first = head->next;

	if (list_empty(head))
		return NULL;
	list_remove(first);
	return first;
}

/* The item at hand may be removed (only it). */
#define list_for_each(link, head)                                                       \
	for (struct list *link = (head)->next, *link##_next = link ? link->next : NULL; \
	     link && link != (head); link = link##_next, link##_next = link->next)

#define list_item(link, type, member) container_of(link, type, member)

#endif
