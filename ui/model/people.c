/*
 * Who is around, as a sorted array that is searched from end to end: there are
 * at most UI_PEOPLE_MAX, and drawing wants them in order. When it is full, who
 * is neither connected nor in a room makes place.
 */
#include "ui/model/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"

#define KEY_TAIL 8

void people_init(struct people *p)
{
	*p = (struct people){0};
}

void people_clear(struct people *p)
{
	free(p->all);
	people_init(p);
}

static int by_name(const void *a, const void *b)
{
	const struct person *x = a;
	const struct person *y = b;
	int c = y->named - x->named;

	if (c == 0)
		c = strcmp(x->name, y->name);
	return c != 0 ? c : strcmp(x->peer, y->peer);
}

static void count_links(struct people *p)
{
	p->direct = 0;
	p->relayed = 0;
	for (size_t i = 0; i < p->count; i++) {
		const struct person *q = &p->all[i];

		if (!q->connected || q->stale)
			continue;
		if (q->relayed)
			p->relayed++;
		else
			p->direct++;
	}
}

static void settle(struct people *p)
{
	if (p->count > 1)
		qsort(p->all, p->count, sizeof(p->all[0]), by_name);
	count_links(p);
}

static struct person *find(const struct people *p, const char *peer)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->all[i].peer, peer) == 0)
			return &p->all[i];
	return NULL;
}

const struct person *people_find(const struct people *p, const char *peer)
{
	return find(p, peer);
}

/* Somebody who is neither connected nor in a room, or NULL. */
static struct person *find_idle(struct people *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (!p->all[i].connected && p->all[i].rooms == 0)
			return &p->all[i];
	return NULL;
}

/* NULL when everybody known is needed and there are too many. */
static struct person *find_or_add(struct people *p, const char *peer)
{
	struct person *q = find(p, peer);
	size_t len = strlen(peer);

	if (q != NULL)
		return q;
	if (p->count == UI_PEOPLE_MAX) {
		q = find_idle(p);
		if (q == NULL)
			return NULL;
	} else {
		if (p->all == NULL)
			p->all = xcalloc(UI_PEOPLE_MAX, sizeof(p->all[0]));
		q = &p->all[p->count++];
	}
	*q = (struct person){.name_mark = ' ', .rtt_us = UINT64_MAX};
	snprintf(q->peer, sizeof(q->peer), "%s", peer);
	snprintf(q->name, sizeof(q->name), "..%s",
		peer + (len > KEY_TAIL ? len - KEY_TAIL : 0));
	return q;
}

void people_update(struct people *p, const struct ui_person *u)
{
	struct person *q;

	if (u->peer[0] == '\0')
		return;
	q = find_or_add(p, u->peer);
	if (q == NULL)
		return;
	if (u->name[0] != '\0') {
		snprintf(q->name, sizeof(q->name), "%s", u->name);
		q->named = true;
	}
	snprintf(q->tag, sizeof(q->tag), "%s", u->tag);
	snprintf(q->agent, sizeof(q->agent), "%.39s",
		u->agent == NULL ? "" : u->agent);
	q->name_mark = u->name_mark == '\0' ? ' ' : u->name_mark;
	q->connected = u->connected;
	q->relayed = u->relayed;
	q->outbound = u->outbound;
	q->ignored = u->ignored;
	q->known = u->known;
	q->rtt_us = u->rtt_us;
	q->stale = false;
	if (!u->connected)
		q->rooms = 0;
	settle(p);
}

bool people_set_member(
	struct people *p, const char *peer, unsigned slot, bool in)
{
	struct person *q = find(p, peer);
	uint64_t bit = UINT64_C(1) << slot;
	bool was;

	P2P_ASSERT(slot < UI_ROOMS_MAX);
	if (q == NULL && in && peer[0] != '\0') {
		(void)find_or_add(p, peer);
		settle(p);
		q = find(p, peer);
	}
	if (q == NULL)
		return false;
	was = (q->rooms & bit) != 0;
	q->rooms = in ? q->rooms | bit : q->rooms & ~bit;
	if (in)
		q->stale = false;
	return was != in;
}

void people_forget_room(struct people *p, unsigned slot)
{
	for (size_t i = 0; i < p->count; i++)
		p->all[i].rooms &= ~(UINT64_C(1) << slot);
}

void people_mark_stale(struct people *p)
{
	for (size_t i = 0; i < p->count; i++)
		p->all[i].stale = true;
	count_links(p);
}

bool person_is_in(const struct person *p, unsigned slot)
{
	return !p->stale && (p->rooms >> slot & 1) != 0;
}
