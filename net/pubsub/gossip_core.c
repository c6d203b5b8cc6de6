/*
 * What all other files stand on: peers by name, the topics noted of them, what
 * they are worth, what may still be held, and the events for the owner.
 */
#include "net/pubsub/gossip_internal.h"

/* ---- memory ------------------------------------------------------------ */

size_t gossip_spare(const struct gossip *g)
{
	const struct budget *all = g->held.parent;
	size_t used = all->used + GOSSIP_SPARE_BYTES;

	return used >= all->max ? 0 : all->max - used;
}

/* ---- peers ------------------------------------------------------------- */

struct gpeer *gpeer_find(const struct gossip *g, const struct peer_id *id)
{
	return table_get(&g->peers, peer_id_bytes(id));
}

bool gpeer_note(struct gossip *g, struct gpeer *p, struct table *names,
	struct bytes topic)
{
	if (table_get(names, topic) != NULL)
		return true;
	if (budget_charge(&g->held, GOSSIP_NAME_COST_BYTES) != 0) {
		g->counters.refused++;
		/* It is said once: in a room of ours it would be deaf. */
		if (table_get(&g->topics, topic) == NULL)
			return false;
		budget_owe(&g->held, GOSSIP_NAME_COST_BYTES);
	}
	(void)table_put(names, topic, p);
	return true;
}

bool gpeer_unnote(struct gossip *g, struct table *names, struct bytes topic)
{
	if (table_remove(names, topic) == NULL)
		return false;
	budget_release(&g->held, GOSSIP_NAME_COST_BYTES);
	return true;
}

void gpeer_unnote_all(struct gossip *g, struct table *names)
{
	budget_release(&g->held, names->count * GOSSIP_NAME_COST_BYTES);
	table_clear(names);
}

/* ---- scores ------------------------------------------------------------ */

double gpeer_score(const struct gossip *g, const struct gpeer *p)
{
	return score_of(g->score, &p->id);
}

bool gpeer_may_gossip(const struct gossip *g, const struct gpeer *p)
{
	return p->direct ||
	       gpeer_score(g, p) >= g->score_params->gossip_threshold;
}

bool gpeer_may_publish(const struct gossip *g, const struct gpeer *p)
{
	return p->direct ||
	       gpeer_score(g, p) >= g->score_params->publish_threshold;
}

bool gpeer_graylisted(const struct gossip *g, const struct gpeer *p)
{
	return !p->direct &&
	       gpeer_score(g, p) < g->score_params->graylist_threshold;
}

/* ---- events ------------------------------------------------------------ */

void gossip_emit(struct gossip *g, const struct gossip_event *ev)
{
	P2P_ASSERT(bufq_push(&g->events, bytes_of(ev, sizeof(*ev))) == 0);
}

/* Who takes nothing of us is nowhere: a line would be said to nobody. */
void gossip_emit_topic(struct gossip *g, const struct gpeer *p,
	struct bytes topic, bool joined)
{
	struct gossip_event ev = {.kind = GOSSIP_EV_TOPIC,
		.peer = p->id,
		.joined = joined,
		.topic_len = topic.len};

	if (!p->ready)
		return;
	memcpy(ev.topic, topic.data, topic.len);
	gossip_emit(g, &ev);
}

/* Once a heartbeat: whoever sends nothing else makes one event a second. */
void gossip_emit_unreadable(struct gossip *g, struct topic *t)
{
	struct gossip_event ev = {.kind = GOSSIP_EV_UNREADABLE,
		.peer = t->unreadable_by,
		.count = t->unreadable,
		.topic_len = t->name_len};

	if (t->unreadable == 0)
		return;
	t->unreadable = 0;
	memcpy(ev.topic, t->name, t->name_len);
	gossip_emit(g, &ev);
}

void gossip_emit_topics(struct gossip *g, const struct gpeer *p, bool joined)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &p->topics)
		gossip_emit_topic(g, p, table_key(e), joined);
}

size_t gossip_event_count(const struct gossip *g)
{
	return g->events.len / sizeof(struct gossip_event);
}

bool gossip_next_event(struct gossip *g, struct gossip_event *ev)
{
	if (g->events.len == 0)
		return false;
	memcpy(ev, bufq_peek(&g->events).data, sizeof(*ev));
	bufq_consume(&g->events, sizeof(*ev));
	return true;
}
