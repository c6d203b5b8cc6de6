/*
 * Intrusive doubly linked list. The head is a node that points to itself when
 * the list is empty. An item is in at most one list per node it holds.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/compiler.h"

struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l;
	l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_insert_before(struct list *where, struct list *item)
{
	item->next = where;
	item->prev = where->prev;
	where->prev->next = item;
	where->prev = item;
}

static inline void list_push_back(struct list *head, struct list *item)
{
	list_insert_before(head, item);
}

static inline void list_push_front(struct list *head, struct list *item)
{
	list_insert_before(head->next, item);
}

/* The item's node points to itself afterwards, so removing twice is safe. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}

#define LIST_ITEM(node, type, member) P2P_CONTAINER_OF(node, type, member)

/* `pos` is the struct list of each item; the current one may be removed. */
#define LIST_FOREACH(pos, tmp, head) \
	for ((pos) = (head)->next, (tmp) = (pos)->next; (pos) != (head); \
		(pos) = (tmp), (tmp) = (pos)->next)

#endif
