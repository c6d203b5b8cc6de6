/*
 * The verbs of gossip.h about peers, topics, time and output; own lines are in
 * gossip_publish.c, what arrives in gossip_recv.c. A peer is noted when it is
 * first seen, since it may speak before our stream to it is open; it is `ready`
 * while such a stream is.
 */
#include "net/pubsub/gossip.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/pubsub/gossip_cache.h"
#include "net/pubsub/gossip_heartbeat.h"
#include "net/pubsub/gossip_idontwant.h"
#include "net/pubsub/gossip_ihave.h"
#include "net/pubsub/gossip_internal.h"
#include "net/pubsub/gossip_mesh.h"
#include "net/pubsub/gossip_outbox.h"
#include "net/pubsub/gossip_promise.h"
#include "net/pubsub/gossip_px.h"
#include "net/pubsub/gossip_rate.h"
#include "net/pubsub/gossip_send.h"
#include "net/pubsub/gossip_told.h"
#include "net/pubsub/gossip_verify.h"

struct gossip *gossip_new(const struct gossip_cfg *cfg, const struct env *env)
{
	struct gossip *g = xcalloc(1, sizeof(*g));

	g->cfg = *cfg;
	table_init(&g->peers, env->rng);
	table_init(&g->topics, env->rng);
	table_init(&g->direct, env->rng);
	table_init(&g->left, env->rng);
	list_init(&g->senders);
	table_init(&g->seen, env->rng);
	table_init(&g->cache, env->rng);
	table_init(&g->aliases, env->rng);
	table_init(&g->asked, env->rng);
	list_init(&g->cache_order);
	budget_init(&g->cache_budget, env->budget, GOSSIP_CACHE_BYTES_MAX);
	/* Its parts have maxima of their own; together the parent's holds. */
	budget_init(&g->held, env->budget, SIZE_MAX);
	verify_init(g, env);
	rate_init(g, env);
	/* The other machine with our key is nobody's stranger. */
	P2P_ASSERT(gossip_set_known(g, &g->cfg.me, true) == 0);
	bufq_init(&g->events, GOSSIP_EVENTS_BYTES_MAX);
	g->heartbeat_ms = P2P_NEVER;
	g->trials_ms = P2P_NEVER;
	g->score_params = cfg->score != NULL ? cfg->score : &score_params_chat;
	g->score = score_new(g->score_params, env);
	promises_init(&g->promises, env);
	return g;
}

static void gpeer_free(struct gossip *g, struct gpeer *p)
{
	outbox_clear(g, p);
	idontwant_clear(p);
	px_forget_record(g, p);
	promise_forget(&g->promises, p);
	g->slots[p->slot] = NULL;
	gpeer_unnote_all(g, &p->topics);
	gpeer_unnote_all(g, &p->early);
	gpeer_unnote_all(g, &p->left);
	budget_release(&g->held, GOSSIP_PEER_COST_BYTES);
	free(p);
}

void gossip_free(struct gossip *g)
{
	struct table_entry *e, *tmp;
	struct gossip_event ev;

	if (g == NULL)
		return;
	while (gossip_next_event(g, &ev))
		free(ev.unit);
	TABLE_FOREACH(e, tmp, &g->topics)
		topic_free(e->value);
	TABLE_FOREACH(e, tmp, &g->left)
		topic_free(e->value);
	/* Lines note with their peers what they were served. */
	verify_clear(g);
	TABLE_FOREACH(e, tmp, &g->peers)
		gpeer_free(g, e->value);
	outbox_release(g->last);
	rate_clear(g);
	cache_clear(g);
	score_free(g->score);
	promises_clear(&g->promises);
	table_clear(&g->peers);
	table_clear(&g->topics);
	table_clear(&g->direct);
	table_clear(&g->left);
	table_clear(&g->seen);
	table_clear(&g->cache);
	table_clear(&g->aliases);
	asked_clear(g);
	bufq_clear(&g->events);
	free(g);
}

/* ---- peers ------------------------------------------------------------- */

static struct gpeer *gpeer_new(
	struct gossip *g, const struct env *env, const struct peer_id *id)
{
	static const struct score_site nowhere;
	struct table_entry *e, *tmp;
	struct gpeer *p;

	_Static_assert(sizeof(*p) + 3 * GOSSIP_CACHE_ENTRY_BYTES +
				       sizeof(p->unwanted) <=
			       GOSSIP_PEER_COST_BYTES,
		"what a peer costs");
	if (g->peers.count >= GOSSIP_PEERS_MAX ||
		budget_charge(&g->held, GOSSIP_PEER_COST_BYTES) != 0) {
		g->counters.refused++;
		return NULL;
	}
	p = xcalloc(1, sizeof(*p));
	p->id = *id;
	p->since = g->heartbeat;
	p->direct = table_get(&g->direct, peer_id_bytes(id)) != NULL;
	while (g->slots[p->slot] != NULL)
		p->slot++;
	g->slots[p->slot] = p;
	/* Bits of who had the slot before would be taken for this one's. */
	cache_forget_slot(g, p->slot);
	TABLE_FOREACH(e, tmp, &g->topics)
		told_forget(e->value, p->slot);
	verify_forget_slot(g, p->slot);
	list_init(&p->sender);
	table_init(&p->topics, env->rng);
	table_init(&p->early, env->rng);
	table_init(&p->left, env->rng);
	outbox_init(p, env);
	buf_init(&p->record, GOSSIP_PX_RECORD_BYTES_MAX);
	for (size_t i = 0; i < P2P_ARRAY_LEN(p->unwanted); i++)
		buf_init(&p->unwanted[i],
			GOSSIP_IDONTWANT_IDS_MAX * sizeof(uint64_t));
	(void)table_put(&g->peers, peer_id_bytes(id), p);
	score_connect(g->score, env, id, &nowhere);
	if (g->heartbeat_ms == P2P_NEVER)
		g->heartbeat_ms = env_after(env, GOSSIP_HEARTBEAT_MS);
	return p;
}

int gossip_peer_seen(
	struct gossip *g, const struct env *env, const struct peer_id *id)
{
	if (gpeer_find(g, id) == NULL && gpeer_new(g, env, id) == NULL)
		return P2P_ERR_LIMIT;
	return 0;
}

/*
 * What we said lately may have been lost with the old stream, though it was
 * counted as handed over; who has it already knows it by its id.
 */
static void send_own_again(struct gossip *g, struct gpeer *p)
{
	struct list *pos, *tmp;

	if (!gpeer_may_publish(g, p))
		return;
	LIST_FOREACH(pos, tmp, &g->cache_order) {
		struct cached *c = LIST_ITEM(pos, struct cached, order);

		if (cached_by(c, &g->cfg.me) &&
			gpeer_subscribed(p, cached_topic(c)) &&
			send_message(g, p, cached_unit(c)))
			(void)slots_add(&c->given, p);
	}
}

/* What is recent, to who may have missed it. */
static void send_recent(struct gossip *g, struct gpeer *p)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &g->cache_order) {
		struct cached *c = LIST_ITEM(pos, struct cached, order);

		if (gpeer_subscribed(p, cached_topic(c)) &&
			send_message(g, p, cached_unit(c)))
			(void)slots_add(&c->given, p);
	}
}

void gossip_peer_twins(struct gossip *g, const struct peer_id *peer, bool twins)
{
	struct gpeer *p = gpeer_find(g, peer);
	struct table_entry *e, *tmp;

	if (p == NULL)
		return;
	p->twins = twins;
	if (!twins || !gpeer_may_publish(g, p))
		return;
	TABLE_FOREACH(e, tmp, &g->topics)
		(void)send_subscribe(g, p, table_key(e), true);
	send_recent(g, p);
}

int gossip_peer_add(
	struct gossip *g, const struct env *env, const struct gossip_peer *peer)
{
	struct gpeer *p = gpeer_find(g, &peer->id);
	struct table_entry *e, *tmp;
	bool again;

	if (p == NULL)
		p = gpeer_new(g, env, &peer->id);
	if (p == NULL)
		return P2P_ERR_LIMIT;
	p->version = peer->version;
	p->outbound = peer->outbound;
	p->chosen = peer->chosen;
	if (peer->form != GOSSIP_FORM_UNKNOWN)
		p->form = peer->form;
	score_connect(g->score, env, &p->id, &peer->site);
	/* A new stream starts with our subscriptions; what an older one did
	 * not take is gone with it. */
	again = p->ready;
	promise_forget(&g->promises, p);
	outbox_clear(g, p);
	idontwant_clear(p);
	p->ready = true;
	if (!again)
		gossip_emit_topics(g, p, true);
	(void)send_subscriptions(g, p);
	TABLE_FOREACH(e, tmp, &g->topics)
		mesh_renew(g, env, e->value, p);
	mesh_answer_early(g, env, p);
	if (again)
		send_own_again(g, p);
	return 0;
}

void gossip_peer_mute(struct gossip *g, const struct peer_id *id)
{
	struct gpeer *p = gpeer_find(g, id);
	struct table_entry *e, *tmp;

	if (p == NULL)
		return;
	outbox_clear(g, p);
	gossip_emit_topics(g, p, false);
	p->ready = false;
	promise_forget(&g->promises, p);
	TABLE_FOREACH(e, tmp, &g->topics)
		mesh_remove(g, e->value, p);
}

void gossip_peer_remove(
	struct gossip *g, const struct env *env, const struct peer_id *id)
{
	struct gpeer *p = gpeer_find(g, id);

	if (p == NULL)
		return;
	gossip_emit_topics(g, p, false);
	(void)table_remove(&g->peers, peer_id_bytes(id));
	mesh_lose(g, env, p);
	score_disconnect(g->score, env, id);
	gpeer_free(g, p);
}

bool gossip_shares(const struct gossip *g, const struct peer_id *id)
{
	const struct gpeer *p = gpeer_find(g, id);
	struct table_entry *e, *tmp;

	if (p == NULL || !p->ready)
		return false;
	TABLE_FOREACH(e, tmp, &g->topics)
		if (gpeer_subscribed(p, topic_name(e->value)))
			return true;
	return false;
}

void gossip_farewell(
	struct gossip *g, const struct env *env, const struct peer_id *id)
{
	struct gpeer *p = gpeer_find(g, id);
	struct table_entry *e, *tmp;

	if (p == NULL || !p->ready)
		return;
	TABLE_FOREACH(e, tmp, &g->topics)
		if (gpeer_subscribed(p, topic_name(e->value)))
			mesh_prune_surplus(g, env, e->value, p);
}

int gossip_set_direct(struct gossip *g, const struct env *env,
	const struct peer_id *id, bool on)
{
	struct gpeer *p = gpeer_find(g, id);

	if (on && g->direct.count >= GOSSIP_DIRECT_MAX &&
		table_get(&g->direct, peer_id_bytes(id)) == NULL)
		return P2P_ERR_LIMIT;
	if (on)
		(void)table_put(&g->direct, peer_id_bytes(id), g);
	else
		(void)table_remove(&g->direct, peer_id_bytes(id));
	if (p == NULL)
		return 0;
	p->direct = on;
	if (on)
		mesh_leave_all(g, env, p);
	return 0;
}

bool gossip_is_direct(const struct gossip *g, const struct peer_id *id)
{
	return table_get(&g->direct, peer_id_bytes(id)) != NULL;
}

/* ---- topics ------------------------------------------------------------ */

int gossip_join(struct gossip *g, const struct env *env, struct bytes name)
{
	struct table_entry *e, *tmp;

	if (name.len == 0 || name.len > GOSSIP_TOPIC_BYTES_MAX)
		return P2P_ERR_INVAL;
	if (table_get(&g->topics, name) != NULL)
		return 0;
	if (g->topics.count >= GOSSIP_TOPICS_MAX)
		return P2P_ERR_LIMIT;
	TABLE_FOREACH(e, tmp, &g->peers) {
		(void)send_subscribe(g, e->value, name, true);
		/* Said again: whoever listens keeps only some of the rooms
		 * that it is not in. */
		if (gpeer_subscribed(e->value, name))
			gossip_emit_topic(g, e->value, name, true);
	}
	mesh_fill(g, env, topic_new(g, env, name));
	return 0;
}

void gossip_leave(struct gossip *g, const struct env *env, struct bytes name)
{
	struct topic *t = table_remove(&g->topics, name);
	struct table_entry *e, *tmp;

	if (t == NULL)
		return;
	TABLE_FOREACH(e, tmp, &t->mesh) {
		(void)send_prune(
			g, e->value, name, GOSSIP_UNSUBSCRIBE_BACKOFF_S);
		/* It holds for us, too, should we come back. */
		mesh_back_off(env, t, e->value, GOSSIP_UNSUBSCRIBE_BACKOFF_S);
	}
	TABLE_FOREACH(e, tmp, &g->peers) {
		struct gpeer *p = e->value;

		(void)gpeer_unnote(g, &p->left, name);
		(void)send_subscribe(g, p, name, false);
	}
	topic_leave(g, t);
}

/* ---- time and output --------------------------------------------------- */

void gossip_tick(struct gossip *g, const struct env *env)
{
	gossip_name_trials(g, env);
	if (g->heartbeat_ms > env->now_ms)
		return;
	/* We were late, so answers may lie unread. */
	if (env->now_ms - g->heartbeat_ms >= GOSSIP_HEARTBEAT_MS)
		gossip_unread(g, env);
	gossip_heartbeat(g, env);
	/* Alone there is nothing to keep up: the program sleeps. */
	g->heartbeat_ms = g->peers.count == 0 && g->cache.count == 0
				  ? P2P_NEVER
				  : env_after(env, GOSSIP_HEARTBEAT_MS);
}

uint64_t gossip_deadline(const struct gossip *g)
{
	return P2P_MIN(g->heartbeat_ms, g->trials_ms);
}

struct bytes gossip_out_peek(struct gossip *g, const struct peer_id *id)
{
	struct gpeer *p = gpeer_find(g, id);

	if (p == NULL)
		return bytes_of(NULL, 0);
	outbox_frame(g, p);
	return bufq_peek(&p->out.frames);
}

void gossip_out_consume(struct gossip *g, const struct peer_id *id, size_t n)
{
	struct gpeer *p = gpeer_find(g, id);

	if (p != NULL)
		outbox_consume(g, p, n);
}

bool gossip_next_sender(struct gossip *g, struct peer_id *id)
{
	struct gpeer *p;

	if (list_empty(&g->senders))
		return false;
	p = LIST_ITEM(g->senders.next, struct gpeer, sender);
	list_remove(&p->sender);
	*id = p->id;
	return true;
}

/* ---- scores ------------------------------------------------------------ */

void gossip_peer_app(struct gossip *g, const struct peer_id *peer, double value)
{
	score_app(g->score, peer, value);
}

double gossip_peer_score(const struct gossip *g, const struct peer_id *peer)
{
	return score_of(g->score, peer);
}

void gossip_unread(struct gossip *g, const struct env *env)
{
	promise_wait(&g->promises, env);
}

/* ---- looking in -------------------------------------------------------- */

const struct gossip_counters *gossip_counters(const struct gossip *g)
{
	return &g->counters;
}

size_t gossip_out_bytes(const struct gossip *g)
{
	return g->out_bytes;
}

size_t gossip_cache_bytes(const struct gossip *g)
{
	return g->cache_budget.used;
}

size_t gossip_mesh_size(const struct gossip *g, struct bytes topic)
{
	struct topic *t = table_get(&g->topics, topic);

	return t == NULL ? 0 : t->mesh.count;
}

bool gossip_in_mesh(
	const struct gossip *g, struct bytes topic, const struct peer_id *peer)
{
	struct topic *t = table_get(&g->topics, topic);

	return t != NULL && table_get(&t->mesh, peer_id_bytes(peer)) != NULL;
}
