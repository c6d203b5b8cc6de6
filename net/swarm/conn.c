/*
 * A connection's life: made by a dial, by somebody who calls or on a stream
 * that carries it; upgraded; ended. What moves through it is pump.c's.
 */
#include "net/swarm/swarm_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/upgrade/upgrader.h"

struct conn *conn_find(const struct swarm *s, uint64_t id)
{
	return table_get(&s->conns, bytes_of(&id, sizeof(id)));
}

/* NULL when the budget of those without a peer refuses. */
static struct conn *conn_new(struct swarm *s, const struct maddr *remote,
	const struct dialable *at)
{
	struct budget budget;
	struct conn *c;

	budget_init(&budget, &s->unproven, SWARM_CONN_BUDGET_BYTES);
	if (budget_charge(&budget, SWARM_CONN_COST_BYTES) != 0) {
		count_refused(s, &s->counters.refused_memory);
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	c->budget = budget;
	c->id = s->next_id++;
	c->remote = *remote;
	c->at = *at;
	c->ready_ms = P2P_NEVER;
	c->ends_ms = P2P_NEVER;
	c->open_after_ms = P2P_NEVER;
	list_init(&c->of_peer);
	list_init(&c->streams);
	bufq_init_charged(&c->in, SWARM_CONN_IN_BYTES, &c->budget);
	(void)table_put(&s->conns, bytes_of(&c->id, sizeof(c->id)), c);
	return c;
}

void conn_upgrade(struct swarm *s, const struct env *env, struct conn *c)
{
	struct upgrader_cfg cfg = {
		.me = s->cfg.me,
		.initiator = c->outbound,
		.expect = c->expect,
		.early_muxers = s->cfg.early_muxers,
		.offer_yamux = s->cfg.offer_yamux,
		.offer_mplex = s->cfg.offer_mplex,
		.out_bytes_max = SWARM_CONN_OUT_BYTES,
		.muxer =
			{
				.budget = &c->budget,
				.streams_in_max = SWARM_STREAMS_IN_MAX,
				.streams_unaccepted_max =
					SWARM_STREAMS_UNACCEPTED_MAX,
				.ping_interval_ms = s->cfg.ping_interval_ms,
				.ping_timeout_ms = SWARM_PING_TIMEOUT_MS,
			},
	};

	c->state = CONN_UPGRADING;
	c->deadline_ms = env_after(env, SWARM_UPGRADE_MS);
	c->up = upgrader_new(&cfg, env);
	s->preauth++;
}

struct conn *conn_new_inbound(struct swarm *s, const struct env *env,
	const struct maddr *remote, const struct dialable *at)
{
	struct conn *c = conn_new(s, remote, at);

	if (c == NULL)
		return NULL;
	s->conns_in++;
	conn_upgrade(s, env, c);
	return c;
}

struct conn *conn_new_carried(struct swarm *s, const struct env *env,
	const struct swarm_carrier *k, const struct dialable *at)
{
	struct conn *c = conn_new(s, &k->remote, at);

	if (c == NULL)
		return NULL;
	c->outbound = k->outbound;
	s->conns_in += !k->outbound;
	c->expect = k->expect;
	c->carrier = k->stream;
	c->limited = k->limited;
	c->bytes_left = k->bytes_max;
	c->ends_ms = env_after(env, k->lasts_ms);
	swarm_due(s, c->ends_ms);
	conn_upgrade(s, env, c);
	return c;
}

struct conn *conn_new_outbound(struct swarm *s, const struct env *env,
	const struct maddr *addr, const struct peer_id *expect)
{
	struct dialable at;
	struct conn *c;

	if (s->shutting_down || s->conns.count >= s->cfg.conns_max)
		return NULL;
	dialable_of(&at, addr);
	if (dialable_why_not(&at) != NULL)
		return NULL;
	c = conn_new(s, addr, &at);
	if (c == NULL)
		return NULL;
	c->outbound = true;
	c->expect = *expect;
	c->state = CONN_DIALING;
	c->deadline_ms = env_after(env, SWARM_DIAL_MS);
	swarm_due(s, c->deadline_ms);
	s->dials++;
	s->counters.dials_started++;
	swarm_act(s, SWARM_ACT_DIAL, c);
	return c;
}

/* ---- the end ----------------------------------------------------------- */

void conn_tell_dial_failed(
	struct swarm *s, const struct conn *c, const char *reason)
{
	struct swarm_event ev = {
		.kind = SWARM_EV_DIAL_FAILED, .number = c->request};

	if (c->request == 0)
		return;
	(void)snprintf(ev.text, sizeof(ev.text), "%s", reason);
	swarm_emit(s, &ev);
}

static const char *why_failed(int err)
{
	switch (err) {
	case P2P_ERR_MISMATCH:
		return "another peer than the address names answered";
	case P2P_ERR_AUTH:
		return "the other side could not prove its key";
	case P2P_ERR_TIMEOUT:
		return "no answer in time";
	case P2P_ERR_NO_PROTOCOL:
		return "no protocol in common";
	case P2P_ERR_CLOSED:
		return "the connection was closed";
	default:
		return p2p_err_text(err);
	}
}

/* A dial that did not come to a ready connection: who asked for it hears, and
 * an address where we ourselves answer is remembered. */
static void report_failure(
	struct swarm *s, const struct env *env, struct conn *c, int err)
{
	if (c->state == CONN_DIALING)
		dial_slot_freed(s, env, c);
	if (c->state == CONN_UPGRADING)
		count_upgrade_failed(s, err);
	if (c->outbound)
		count_dial_failed(s, c, err);
	/* Another peer than expected has proven its key: is it us? */
	if (err == P2P_ERR_MISMATCH && c->up != NULL && !c->secured &&
		peer_id_equal(channel_peer(c->up), &s->cfg.me->id))
		dial_was_self(s, env, c);
	conn_tell_dial_failed(s, c, why_failed(err));
}

static void conn_free(struct swarm *s, struct conn *c)
{
	swarm_act(s, SWARM_ACT_CLOSE, c);
	count_conn_ended(s, c);
	channel_free(c->up);
	bufq_clear(&c->in);
	budget_clear(&c->budget);
	free(c);
}

/*
 * The order matters. Streams are ended while the channel still has their last
 * bytes and the peer is still known; the connection is out of the tables before
 * peer and dialling look at what is left; what they do may find this peer again
 * by its address, so the expected one is looked up only then; memory goes last,
 * when nothing is charged to it any more.
 */
void conn_fail(struct swarm *s, const struct env *env, struct conn *c, int err)
{
	bool was_ready = c->state == CONN_READY || c->state == CONN_CLOSING;
	struct peer *expected;

	if (!was_ready)
		report_failure(s, env, c, err);
	if (c->up != NULL && !c->secured)
		s->preauth--;
	while (!list_empty(&c->streams))
		stream_end(s,
			LIST_ITEM(c->streams.next, struct stream, of_conn),
			err);
	if (!c->outbound)
		s->conns_in--;
	(void)table_remove(&s->conns, bytes_of(&c->id, sizeof(c->id)));
	if (c->peer != NULL)
		peer_conn_gone(s, env, c);
	expected = peer_id_none(&c->expect) ? NULL : peer_find(s, &c->expect);
	if (c->scheduled && !was_ready && expected != NULL)
		dial_ended(s, env, expected, c);
	conn_free(s, c);
}
