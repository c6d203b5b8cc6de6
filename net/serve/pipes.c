/*
 * What all pipes of a node share: their numbers, and the one queue of events in
 * which the owner hears of them in the order in which things happened.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/serve/serve_internal.h"

struct waiting {
	struct list order;
	struct pipe_event ev;
};

struct pipes *pipes_new(const struct env *env)
{
	struct pipes *ps = xcalloc(1, sizeof(*ps));

	table_init(&ps->streams, env->rng);
	list_init(&ps->events);
	return ps;
}

void pipes_free(struct pipes *ps)
{
	struct pipe_event ev;

	while (pipes_take(ps, &ev))
		free(ev.data);
	table_clear(&ps->streams);
	free(ps);
}

void pipes_put(struct pipes *ps, const struct pipe_event *ev)
{
	struct waiting *w = xcalloc(1, sizeof(*w));

	w->ev = *ev;
	list_push_back(&ps->events, &w->order);
	ps->count++;
}

bool pipes_take(struct pipes *ps, struct pipe_event *ev)
{
	struct waiting *w;

	if (list_empty(&ps->events))
		return false;
	w = LIST_ITEM(ps->events.next, struct waiting, order);
	list_remove(&w->order);
	ps->count--;
	*ev = w->ev;
	free(w);
	return true;
}
