/*
 * The end of a connection, whatever has caused it: the one place where all that
 * hangs on it is undone.
 */
#include "net/swarm/swarm_internal.h"

#include <stdio.h>
#include <stdlib.h>

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
		return SWARM_WORD_OTHER_KEY;
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

/* Another peer than expected has proven its key: is it us? */
static void met_another(struct swarm *s, const struct env *env, struct conn *c)
{
	struct peer *p = peer_find(s, &c->expect);

	if (peer_id_equal(channel_peer(c->up), &s->cfg.me->id))
		dial_was_self(s, env, c);
	else if (c->scheduled && p != NULL)
		typed_other_key(s, env, p, &c->remote);
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
	if (err == P2P_ERR_MISMATCH && c->up != NULL && !c->secured)
		met_another(s, env, c);
	if (c->typed)
		typed_failed(s, env, c, err);
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
