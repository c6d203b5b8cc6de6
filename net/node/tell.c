/*
 * What chat is told, and how it waits while chat's queue is full.
 *
 * Lines were verified and are never dropped; instead the streams that bring
 * them are not read while NODE_TELLS_* are reached. What only tells how things
 * stand (a peer, its ping, a status) waits once, with its newest value, so that
 * however long chat is busy it does not grow.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "net/node/node_internal.h"
#include "net/wire/dialable.h"

struct link *link_find(const struct node *n, const struct peer_id *peer)
{
	return table_get(&n->links, peer_id_bytes(peer));
}

static struct chat_net_msg *new_message(
	enum chat_msg_kind kind, const struct peer_id *peer, const char *text)
{
	struct chat_net_msg *m =
		chat_net_msg_new(kind, text, bytes_of(NULL, 0));

	_Static_assert(MSG_PEER_MAX >= PEER_ID_TEXT_MAX, "an id's text fits");
	if (peer != NULL)
		(void)peer_id_text(peer, m->peer);
	return m;
}

/* ---- what waits -------------------------------------------------------- */

static struct chat_net_msg *tell_remove(struct node *n, struct tell *t)
{
	struct chat_net_msg *m = t->msg;

	if (t->latest != NULL)
		*t->latest = NULL;
	list_remove(&t->order);
	list_remove(&t->of_link);
	n->tell_count--;
	n->tell_bytes -= m->data_len;
	budget_release(&n->budget, t->cost);
	free(t);
	return m;
}

static void tell_drop(struct node *n, struct tell *t)
{
	msg_free(&tell_remove(n, t)->msg);
}

bool tell_has_room(const struct node *n)
{
	return !n->chat_full && n->untold == NULL &&
	       n->tell_count < NODE_TELLS_PER_TURN;
}

struct chat_net_msg *tell_take(struct node *n)
{
	struct tell *t;

	if (list_empty(&n->tells))
		return NULL;
	t = LIST_ITEM(n->tells.next, struct tell, order);
	/* From now on chat has to be told that the peer is gone. */
	if (t->link != NULL && t->msg->msg.kind == CHAT_MSG_PEER)
		t->link->known = true;
	return tell_remove(n, t);
}

/* What is verified is told, whatever there is room for: NODE_TELLS_* hold. */
static void tell_owe(struct node *n, struct tell *t)
{
	t->cost = sizeof(*t) + t->msg->msg.bytes;
	budget_owe(&n->budget, t->cost);
}

static struct tell *tell_message(
	struct node *n, struct link *l, struct chat_net_msg *m)
{
	struct tell *t = xcalloc(1, sizeof(*t));

	chat_net_msg_charge(m);
	t->msg = m;
	t->link = l;
	list_init(&t->of_link);
	if (l != NULL)
		list_push_back(&l->tells, &t->of_link);
	list_push_back(&n->tells, &t->order);
	n->tell_count++;
	n->tell_bytes += m->data_len;
	tell_owe(n, t);
	return t;
}

/* The newest of its sort: where an older one waits, it stands there now. */
static void tell_latest(struct node *n, struct link *l, struct chat_net_msg *m,
	struct tell **latest)
{
	/* It keeps the older one's place, in front of what came since: who is
	 * told anew each second would else never be told. */
	if (*latest != NULL) {
		chat_net_msg_charge(m);
		msg_free(&(*latest)->msg->msg);
		(*latest)->msg = m;
		budget_release(&n->budget, (*latest)->cost);
		tell_owe(n, *latest);
		return;
	}
	*latest = tell_message(n, l, m);
	(*latest)->latest = latest;
}

void tell_forget_link(struct link *l)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &l->tells) {
		struct tell *t = LIST_ITEM(pos, struct tell, of_link);

		t->link = NULL;
		t->latest = NULL;
		list_remove(&t->of_link);
	}
}

/* ---- peers ------------------------------------------------------------- */

void tell_up(struct node *n, struct link *l)
{
	struct chat_net_msg *m = new_message(CHAT_MSG_PEER, &l->peer, NULL);
	struct swarm_peer_info info = {.rtt_us = P2P_NEVER};
	char text[MADDR_TEXT_MAX];

	m->state = 1;
	m->number = l->conns_more;
	/* It may have gone in this very step: then it is told bare, and that it
	 * went follows. */
	if (swarm_peer_info(n->swarm, &l->peer, &info)) {
		m->text = xstrdup(maddr_text(&info.remote, text));
		m->outbound = info.outbound;
		m->how = info.how;
		m->muxer = info.muxer;
		m->agent = xstrdup(info.agent);
		m->protocols = xstrdup(info.protocols);
	}
	tell_latest(n, l, m, &l->peer_tell);
	/* The first ping is answered before the peer is told of. */
	if (l->rtt_told_us == P2P_NEVER && info.rtt_us != P2P_NEVER)
		tell_rtt(n, l, info.rtt_us);
}

void tell_down(struct node *n, struct link *l)
{
	struct list *pos, *tmp;

	if (l->known) {
		(void)tell_message(
			n, NULL, new_message(CHAT_MSG_PEER, &l->peer, NULL));
		return;
	}
	/* It came and went while chat was busy: nobody missed it. */
	LIST_FOREACH(pos, tmp, &l->tells)
		tell_drop(n, LIST_ITEM(pos, struct tell, of_link));
}

static bool is_noticed(uint64_t old_us, uint64_t rtt_us)
{
	return old_us == P2P_NEVER ||
	       rtt_us > (old_us + NODE_RTT_MORE_US) * NODE_RTT_FACTOR ||
	       old_us > (rtt_us + NODE_RTT_LESS_US) * NODE_RTT_FACTOR;
}

void tell_rtt(struct node *n, struct link *l, uint64_t rtt_us)
{
	struct chat_net_msg *m;

	/* Each telling redraws a screen. */
	if (!is_noticed(l->rtt_told_us, rtt_us))
		return;
	l->rtt_told_us = rtt_us;
	m = new_message(CHAT_MSG_RTT, &l->peer, NULL);
	m->number = rtt_us;
	tell_latest(n, l, m, &l->rtt_tell);
}

/* What waits about this topic of the peer, or NULL. */
static struct tell *topic_tell(struct link *l, const char *topic)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &l->tells) {
		struct tell *t = LIST_ITEM(pos, struct tell, of_link);

		if (t->msg->msg.kind == CHAT_MSG_TOPIC &&
			strcmp(t->msg->text, topic) == 0)
			return t;
	}
	return NULL;
}

void tell_topic(struct node *n, const struct gossip_event *ev)
{
	struct link *l = link_find(n, &ev->peer);
	struct chat_net_msg *m;
	struct tell *t;

	/* A topic with a NUL inside cannot be named by anybody here. */
	if (strlen(ev->topic) != ev->topic_len)
		return;
	/* Whoever joins and leaves all the time makes one message wait. */
	t = l == NULL ? NULL : topic_tell(l, ev->topic);
	if (t != NULL) {
		t->msg->state = ev->joined;
		return;
	}
	m = new_message(CHAT_MSG_TOPIC, &ev->peer, ev->topic);
	m->state = ev->joined;
	(void)tell_message(n, l, m);
}

/* ---- the others -------------------------------------------------------- */

void tell_unit(struct node *n, struct gossip_event *ev)
{
	struct chat_net_msg *m = new_message(CHAT_MSG_UNIT, NULL, NULL);

	m->data = ev->unit;
	m->data_len = ev->unit_len;
	ev->unit = NULL;
	(void)tell_message(n, NULL, m);
}

/* Lost when chat is busy: only their number would be. */
void tell_unreadable(struct node *n, const struct gossip_event *ev)
{
	struct chat_net_msg *m;

	if (n->tell_count >= NODE_TELLS_MAX ||
		strlen(ev->topic) != ev->topic_len)
		return;
	m = new_message(CHAT_MSG_UNREADABLE, &ev->peer, ev->topic);
	m->number = ev->count;
	(void)tell_message(n, NULL, m);
}

void tell_handed(struct node *n, const uint8_t *id, uint64_t count)
{
	struct chat_net_msg *m = new_message(CHAT_MSG_HANDED, NULL, NULL);

	memcpy(m->id, id, sizeof(m->id));
	m->number = count;
	(void)tell_message(n, NULL, m);
}

void tell_address(
	struct node *n, const struct peer_id *peer, const struct maddr *addr)
{
	char text[MADDR_TEXT_MAX];

	/* Saved for the next run only, and told again at the next success. */
	if (n->tell_count >= NODE_TELLS_MAX)
		return;
	(void)tell_message(n, NULL,
		new_message(CHAT_MSG_ADDRESS, peer, maddr_text(addr, text)));
}

void tell_record(struct node *n, const struct peer_id *peer)
{
	struct bytes record = swarm_peer_record(n->swarm, peer);
	struct chat_net_msg *m;

	if (n->tell_count >= NODE_TELLS_MAX || record.len == 0)
		return;
	m = chat_net_msg_new(CHAT_MSG_RECORD, NULL, record);
	(void)peer_id_text(peer, m->peer);
	(void)tell_message(n, NULL, m);
}

void tell_whois(struct node *n, struct chat_net_msg *m)
{
	(void)tell_message(n, NULL, m);
}

void tell_copy(struct node *n, const struct maddr *addr)
{
	char text[MADDR_TEXT_MAX];

	/* Said again at the next dial. */
	if (n->tell_count >= NODE_TELLS_MAX)
		return;
	(void)tell_message(n, NULL,
		new_message(CHAT_MSG_COPY, NULL, maddr_text(addr, text)));
}

void tell_dial_failed(struct node *n, const char *what, const char *why)
{
	struct chat_net_msg *m = new_message(CHAT_MSG_DIAL_FAILED, NULL, what);

	m->agent = xstrdup(why);
	(void)tell_message(n, NULL, m);
}

/* The newest number only, in one place of the queue. */
void tell_unreached(struct node *n, uint64_t count)
{
	struct chat_net_msg *m = new_message(CHAT_MSG_UNREACHED, NULL, NULL);

	m->number = count;
	tell_latest(n, NULL, m, &n->unreached_tell);
}

void tell_other_key(
	struct node *n, const struct peer_id *peer, const struct maddr *addr)
{
	struct maddr whole;
	char text[MADDR_TEXT_MAX];

	if (n->tell_count < NODE_TELLS_MAX &&
		maddr_join_peer(&whole, addr, peer_id_bytes(peer)) == 0)
		tell_dial_failed(n, maddr_text(&whole, text),
			"another key answers there now; it is tried again");
}

void tell_followed(struct node *n, const struct peer_id *peer,
	const struct peer_id *was, const struct maddr *addr)
{
	char text[MADDR_TEXT_MAX], id[PEER_ID_TEXT_MAX];
	struct chat_net_msg *m;

	if (n->tell_count >= NODE_TELLS_MAX)
		return;
	m = new_message(CHAT_MSG_FOLLOWED, peer, maddr_text(addr, text));
	(void)peer_id_text(was, id);
	m->agent = xstrdup(id);
	(void)tell_message(n, NULL, m);
}

void tell_status(struct node *n, enum chat_status_item item,
	enum chat_status_state state, const char *text)
{
	struct chat_net_msg *m = new_message(CHAT_MSG_STATUS, NULL, text);

	m->item = item;
	m->state = (int)state;
	tell_latest(n, NULL, m, &n->status_tell[item]);
}

void tell_stats(struct node *n)
{
	uint64_t figures[NET_FIGURE_COUNT];

	node_figures(n, figures);
	tell_latest(n, NULL,
		chat_net_msg_new(CHAT_MSG_STATS, NULL,
			bytes_of(figures, sizeof(figures))),
		&n->stats_tell);
}

/* The first address that others can use, else the first; NULL: there is none.
 * *at is what it is made of. */
static const struct maddr *best_address(
	const struct node *n, struct dialable *at)
{
	const struct maddr *best = NULL;

	for (size_t i = 0; i < n->addr_count; i++) {
		struct dialable d;

		dialable_of(&d, &n->addrs[i]);
		if (best != NULL &&
			(!dialable_is_loopback(at) || dialable_is_loopback(&d)))
			continue;
		best = &n->addrs[i];
		*at = d;
	}
	return best;
}

/* "192.168.1.20 tcp 4001, 1 more" */
static void describe(const struct node *n, struct buf *out)
{
	struct dialable at = {.port = 0};
	const struct maddr *best = best_address(n, &at);
	struct bytes ip = best == NULL ? bytes_of(NULL, 0) : dialable_ip(best);
	char host[INET6_ADDRSTRLEN];

	if (ip.len == 0 || inet_ntop(ip.len == 4 ? AF_INET : AF_INET6, ip.data,
				   host, sizeof(host)) == NULL) {
		(void)buf_append_str(out, "no address");
		return;
	}
	(void)buf_appendf(out, "%s tcp %u", host, at.port);
	if (n->addr_count > 1)
		(void)buf_appendf(out, ", %zu more", n->addr_count - 1);
}

void tell_listening(struct node *n, const char *note)
{
	char text[MADDR_TEXT_MAX];
	char id[PEER_ID_TEXT_MAX];
	struct buf lines, status;

	buf_init(&lines, NODE_TELL_TEXT_BYTES_MAX);
	buf_init(&status, NODE_TELL_TEXT_BYTES_MAX);
	(void)peer_id_text(&n->cfg.me->id, id);
	for (size_t i = 0; i < n->addr_count; i++)
		(void)buf_appendf(&lines, "%s%s/p2p/%s", i == 0 ? "" : "\n",
			maddr_text(&n->addrs[i], text), id);
	describe(n, &status);
	if (note != NULL)
		(void)buf_appendf(&status, "; %s", note);
	tell_status(n, CHAT_STATUS_LISTEN,
		n->addr_count == 0 ? CHAT_STATE_FAILED : CHAT_STATE_OK,
		buf_cstr(&status));
	tell_latest(n, NULL,
		new_message(
			CHAT_MSG_NET_READY, &n->cfg.me->id, buf_cstr(&lines)),
		&n->ready_tell);
	buf_clear(&lines);
	buf_clear(&status);
}

void tell_pipe(struct node *n, struct pipe_event *ev)
{
	static const enum chat_msg_kind kinds[] = {
		[PIPE_EV_UP] = CHAT_MSG_PIPE_UP,
		[PIPE_EV_FRAME] = CHAT_MSG_PIPE_FRAME,
		[PIPE_EV_ROOM] = CHAT_MSG_PIPE_ROOM,
		[PIPE_EV_END] = CHAT_MSG_PIPE_END,
		[PIPE_EV_GONE] = CHAT_MSG_PIPE_GONE,
	};
	struct chat_net_msg *m =
		new_message(kinds[ev->kind], &ev->peer, ev->name);

	m->pipe = ev->pipe;
	m->state = ev->kind == PIPE_EV_UP ? ev->inbound : ev->err;
	m->number = ev->len;
	m->data = ev->data;
	m->data_len = ev->data == NULL ? 0 : ev->len;
	ev->data = NULL;
	(void)tell_message(n, NULL, m);
}
