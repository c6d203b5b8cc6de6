/*
 * What net says about peers, topics and itself.
 */
#include "chat/peers_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "chat/chat_internal.h"
#include "chat/out_internal.h"
#include "chat/person_internal.h"
#include "chat/profile_internal.h"
#include "chat/room_internal.h"
#include "chat/send_internal.h"

/* ---- the checklist ----------------------------------------------------- */

void peers_tell_status(struct chat *c, enum chat_status_item item)
{
	const struct chat_status *s = &c->status[item];
	struct ui_msg *m;

	if (!s->known)
		return;
	m = ui_msg_new(UI_MSG_STATUS, NULL, s->text);
	m->item = item;
	m->status = s->state;
	out_ui(c, m);
}

void peers_set_status(struct chat *c, enum chat_status_item item,
	enum chat_status_state state, const char *text)
{
	struct chat_status *s = &c->status[item];

	if (s->known && s->state == state && strcmp(s->text, text) == 0)
		return;
	free(s->text);
	*s = (struct chat_status){
		.known = true, .state = state, .text = xstrdup(text)};
	peers_tell_status(c, item);
}

void peers_status(struct chat *c, const struct chat_net_msg *m)
{
	char *text;

	if ((int)m->item < 0 || m->item >= CHAT_STATUS_COUNT)
		return;
	text = out_clean(bytes_str(m->text));
	peers_set_status(c, m->item, (enum chat_status_state)m->state, text);
	free(text);
}

/* What to do, once a run: the other side reads the same, and one is enough. */
static void say_firewalls(struct chat *c)
{
	const char *port =
		c->listen == NULL ? NULL : strstr(c->listen, "/tcp/");
	int digits;

	if (c->firewalls_said || port == NULL)
		return;
	c->firewalls_said = true;
	port += strlen("/tcp/");
	digits = (int)strspn(port, "0123456789");
	out_notice(c, UI_LEVEL_WARN, NULL,
		"Others are seen on this network, and neither side gets "
		"through to the other: mostly a firewall on both machines. Let "
		"TCP port %.*s in on this one (ufw: sudo ufw allow %.*s/tcp), "
		"or the like on the other; one of them is enough.",
		digits, port, digits, port);
}

void peers_people_status(struct chat *c)
{
	char text[64];

	if (c->connected_count == 0 && c->unreached > 0) {
		snprintf(text, sizeof(text),
			c->unreached == 1
				? "mDNS sees %llu program, it cannot be reached"
				: "mDNS sees %llu programs, none can be "
				  "reached",
			(unsigned long long)c->unreached);
		peers_set_status(
			c, CHAT_STATUS_PEOPLE, CHAT_STATE_FAILED, text);
		return;
	}
	if (c->connected_count == 0) {
		peers_set_status(c, CHAT_STATUS_PEOPLE, CHAT_STATE_BUSY,
			"nobody yet: looking");
		return;
	}
	snprintf(text, sizeof(text), "%zu connected", c->connected_count);
	peers_set_status(c, CHAT_STATUS_PEOPLE, CHAT_STATE_OK, text);
}

/* ---- net itself -------------------------------------------------------- */

void peers_tell_ready(struct chat *c)
{
	struct ui_msg *m;

	if (!c->net_ready)
		return;
	m = ui_msg_new(UI_MSG_READY,
		c->focus == NULL ? NULL : c->focus->row.topic, c->listen);
	m->title = c->focus == NULL ? NULL : xstrdup(c->focus->title);
	snprintf(m->peer, sizeof(m->peer), "%s", c->me_text);
	snprintf(m->name, sizeof(m->name), "%s", c->self->row.name);
	out_ui(c, m);
}

void peers_net_ready(struct chat *c, const struct chat_net_msg *m)
{
	c->net_ready = true;
	free(c->listen);
	c->listen = xstrdup(m->text == NULL ? "" : m->text);
	peers_tell_ready(c);
}

static struct net_msg *net_msg_about(enum net_msg_kind kind, const char *text)
{
	return net_msg_new(kind, text, bytes_of(NULL, 0));
}

static uint64_t ago(const struct chat *c, uint64_t age_ms)
{
	return c->env->wall_ms > age_ms ? c->env->wall_ms - age_ms : 0;
}

/* Records first: their addresses stand when the peers are dialled. */
static void tell_saved(struct chat *c)
{
	struct store_address *saved = NULL;
	struct store_record *records = NULL;
	size_t count = 0;

	if (chat_saves(c) &&
		!chat_store_ok(c, store_forget_stale(c->store,
					  ago(c, CHAT_STALE_ADDRESS_MS),
					  ago(c, CHAT_STALE_RECORD_MS))))
		return;
	if (!chat_store_ok(
		    c, store_load_records(c->store, CHAT_KNOWN_RECORDS_MAX,
			       &records, &count)))
		return;
	for (size_t i = 0; i < count; i++)
		out_net(c,
			net_msg_new(NET_MSG_KNOWN_RECORD, NULL,
				bytes_of(records[i].record, records[i].len)),
			NULL);
	free(records);
	if (!chat_store_ok(c, store_load_addresses(c->store,
				      CHAT_KNOWN_PEERS_MAX, &saved, &count)))
		return;
	for (size_t i = 0; i < count; i++) {
		struct net_msg *m =
			net_msg_about(NET_MSG_KNOWN_PEER, saved[i].addr);

		snprintf(m->peer, sizeof(m->peer), "%s", saved[i].peer);
		out_net(c, m, NULL);
	}
	free(saved);
}

void peers_tell_net(struct chat *c)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &c->rooms)
		if (ROOM_OF(pos)->row.joined)
			out_net(c,
				net_msg_about(
					NET_MSG_JOIN, ROOM_OF(pos)->row.topic),
				NULL);
	for (size_t i = 0; i < c->keep_count; i++)
		out_net(c, net_msg_about(NET_MSG_KEEP, c->keep[i]), NULL);
	for (size_t i = 0; i < c->connect_count; i++)
		out_net(c, net_msg_about(NET_MSG_CONNECT, c->connect[i]), NULL);
	tell_saved(c);
}

void peers_address(struct chat *c, const struct chat_net_msg *m)
{
	struct store_address a = {.last_ok_ms = c->env->wall_ms};

	if (m->text == NULL || strlen(m->text) >= sizeof(a.addr))
		return;
	snprintf(a.peer, sizeof(a.peer), "%s", m->peer);
	snprintf(a.addr, sizeof(a.addr), "%s", m->text);
	(void)chat_store_ok(c, store_put_address(c->store, &a));
}

void peers_record(struct chat *c, const struct chat_net_msg *m)
{
	struct store_record r = {.seen_ms = c->env->wall_ms};

	if (m->data_len == 0 || m->data_len > sizeof(r.record))
		return;
	snprintf(r.peer, sizeof(r.peer), "%s", m->peer);
	r.len = m->data_len;
	memcpy(r.record, m->data, m->data_len);
	(void)chat_store_ok(c, store_put_record(c->store, &r));
}

static void dial_failed(struct chat *c, const struct chat_net_msg *m)
{
	char *addr = out_clean(bytes_str(m->text));
	char *why = out_clean(bytes_str(m->agent));

	out_error(c, "dial-failed", "No connection to %s: %s", addr, why);
	free(addr);
	free(why);
}

static void followed(struct chat *c, const struct chat_net_msg *m)
{
	char *addr;

	if (m->text == NULL || m->agent == NULL)
		return;
	addr = out_clean(bytes_str(m->text));
	out_notice(c, UI_LEVEL_WARN, NULL,
		"Another key answers at %s now: %s. It was %s. The address was "
		"given without a key, so the connection stays; write "
		"/p2p/KEY behind it to take that one only.",
		addr, m->peer, m->agent);
	free(addr);
}

static void unreached(struct chat *c, const struct chat_net_msg *m)
{
	c->unreached = m->number;
	if (c->unreached > 0 && c->connected_count == 0)
		say_firewalls(c);
	peers_people_status(c);
}

void peers_of_dials(struct chat *c, const struct chat_net_msg *m)
{
	if (m->msg.kind == CHAT_MSG_UNREACHED)
		unreached(c, m);
	else if (m->msg.kind == CHAT_MSG_FOLLOWED)
		followed(c, m);
	else
		dial_failed(c, m);
}

/* ---- peers ------------------------------------------------------------- */

/*
 * What a program is taken for until it has said something. The JavaScript
 * program is built on libp2p 1.x, which names itself "libp2p/1...", and has
 * no muxer but mplex; whoever has yamux never settles on mplex with us, since
 * we offer it last. Without this hint it would miss our lines until it spoke.
 */
static enum dialect hint_of(const struct chat_net_msg *m)
{
	const char *agent = m->agent == NULL ? "" : m->agent;

	if (strncmp(agent, "p2pchat-tui", 11) == 0)
		return DIALECT_NATIVE;
	if (m->muxer != NULL && strstr(m->muxer, "mplex") != NULL &&
		strncmp(agent, "libp2p/", 7) == 0)
		return DIALECT_SEED_JS;
	return DIALECT_NONE;
}

static void set_text(char **to, const char *text)
{
	free(*to);
	*to = text == NULL ? NULL : out_clean(bytes_str(text));
}

static void peer_gone(struct chat *c, struct chat_person *p)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &c->rooms)
		room_remove_member(c, ROOM_OF(pos), p);
	if (!p->connected)
		return;
	profile_leave(c, p);
	p->connected = false;
	p->worth_told = 0;
	p->announce = true;
	p->rtt_us = UINT64_MAX;
	if (p->speaks_is_hint)
		p->speaks = DIALECT_NONE;
	c->connected_count--;
	person_changed(c, p);
	peers_people_status(c);
}

void peers_peer(struct chat *c, const struct chat_net_msg *m)
{
	struct chat_person *p = person_get_text(c, m->peer);

	if (p == NULL || p->self)
		return;
	if (m->state == 0) {
		peer_gone(c, p);
		return;
	}
	if (!p->connected) {
		p->connected = true;
		p->announce = true;
		/* Net waits for the word, also that it is nobody. */
		p->worth_told = CHAT_WORTH_UNTOLD;
		c->connected_count++;
	}
	p->outbound = m->outbound;
	p->relayed = m->relayed;
	p->muxer = m->muxer;
	p->how = m->how;
	set_text(&p->address, m->text);
	set_text(&p->agent, m->agent);
	free(p->protocols);
	p->protocols = m->protocols == NULL ? NULL : xstrdup(m->protocols);
	if (p->speaks == DIALECT_NONE || p->speaks_is_hint) {
		p->speaks = hint_of(m);
		p->speaks_is_hint = true;
	}
	profile_meet(c, p, m->number);
	person_changed(c, p);
	peers_people_status(c);
}

void peers_rtt(struct chat *c, const struct chat_net_msg *m)
{
	struct chat_person *p = person_get_text(c, m->peer);

	if (p == NULL || !p->connected)
		return;
	p->rtt_us = m->number;
	person_changed(c, p);
}

void peers_topic(struct chat *c, const struct chat_net_msg *m)
{
	struct chat_person *p = person_get_text(c, m->peer);
	struct chat_room *r;

	if (p == NULL || p->self || m->text == NULL ||
		strlen(m->text) >= MSG_TOPIC_MAX || m->text[0] == '\0')
		return;
	if (m->state == 0) {
		r = room_find(c, m->text);
		if (r != NULL)
			room_remove_member(c, r, p);
		return;
	}
	r = room_hear_of(c, m->text);
	/* A member of a room just joined is told of once more. */
	if (r == NULL || table_get(&r->members, peer_id_bytes(&p->id)) != NULL)
		return;
	room_add_member(c, r, p);
	if (r->row.joined)
		profile_share_room(c, p);
	if (p->speaks == DIALECT_SEED_GO)
		send_join(c, r);
	send_offer_waiting(c, r);
}
