/*
 * /whois and /peers: net is asked what is known of peers' addresses; its answer
 * is shown with what is known of the people, as words and as facts.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "chat/chat_internal.h"
#include "chat/cmd_internal.h"
#include "chat/out_internal.h"
#include "chat/person_internal.h"
#include "chat/room_internal.h"
#include "msg/rtt_text.h"

static void whois_ask(struct chat *c, const char *peer)
{
	struct net_msg *m = net_msg_new(NET_MSG_WHOIS, NULL, bytes_of(NULL, 0));

	snprintf(m->peer, sizeof(m->peer), "%s", peer);
	out_net(c, m, NULL);
}

/* A whole key asks of those, too, who have never said a word. */
static bool is_whole_key(struct bytes who, char text[static PEER_ID_TEXT_MAX])
{
	struct peer_id id;

	if (who.len >= PEER_ID_TEXT_MAX || peer_id_parse_text(&id, who) != 0)
		return false;
	(void)peer_id_text(&id, text);
	return true;
}

void cmd_whois(struct chat *c, struct chat_room *r, struct bytes args)
{
	char key[PEER_ID_TEXT_MAX];
	struct chat_person *p;

	(void)r;
	if (args.len == 0) {
		out_error(c, "usage", "Say whom: /whois NAME, or the key.");
		return;
	}
	if (is_whole_key(args, key)) {
		whois_ask(c, key);
		return;
	}
	p = person_resolve(c, args);
	if (p != NULL)
		whois_ask(c, p->row.peer);
}

void cmd_peers(struct chat *c, struct chat_room *r, struct bytes args)
{
	(void)r;
	(void)args;
	whois_ask(c, "");
}

/* ---- addresses --------------------------------------------------------- */

static void append_span(struct buf *out, uint64_t ms)
{
	unsigned long long s = ms / 1000;

	if (s < 120)
		(void)buf_appendf(out, "%llu s", s);
	else if (s < 7200)
		(void)buf_appendf(out, "%llu min", s / 60);
	else
		(void)buf_appendf(out, "%llu h", s / 3600);
}

/* "/ip4/10.0.0.2/tcp/4001  LAN; failed 3 times (2 more)" */
static void append_address(const struct peer_address *a, struct buf *out)
{
	(void)buf_appendf(out, "%s  %s", a->addr, a->sources);
	if (a->why_not != NULL) {
		(void)buf_appendf(out, "; %s", a->why_not);
	} else if (a->in_use) {
		(void)buf_append_str(out, "; in use");
	} else if (a->ok_ms_ago != P2P_NEVER) {
		(void)buf_append_str(out, "; worked ");
		append_span(out, a->ok_ms_ago);
		(void)buf_append_str(out, " ago");
	}
	if (a->why_not == NULL && a->failures > 0)
		(void)buf_appendf(out, "; failed %llu time%s",
			(unsigned long long)a->failures,
			a->failures == 1 ? "" : "s");
	if (a->retry_in_ms > 0) {
		(void)buf_append_str(out, ", rests ");
		append_span(out, a->retry_in_ms);
	}
	if (a->more > 0)
		(void)buf_appendf(
			out, " (%llu more)", (unsigned long long)a->more);
}

/* The answer's addresses, cleaned: names in them are others' words. */
static void take_addresses(struct ui_msg *to, const struct chat_net_msg *m)
{
	P2P_ASSERT(m->data_len % sizeof(to->addresses[0]) == 0);
	to->address_count = m->data_len / sizeof(to->addresses[0]);
	if (to->address_count > 0)
		to->addresses = xmemdup(m->data, m->data_len);
	for (size_t i = 0; i < to->address_count; i++) {
		struct peer_address *a = &to->addresses[i];
		char *clean = out_clean(bytes_str(a->addr));

		snprintf(a->addr, sizeof(a->addr), "%s", clean);
		free(clean);
	}
}

/* ---- people ------------------------------------------------------------ */

static char *rooms_of(const struct chat *c, const struct chat_person *p)
{
	struct list *pos, *tmp;
	struct buf text;
	char *copy;

	buf_init(&text, CHAT_NOTICE_BYTES_MAX);
	LIST_FOREACH(pos, tmp, &c->rooms) {
		const struct chat_room *r = ROOM_OF(pos);

		if (r->row.joined &&
			table_get(&r->members, peer_id_bytes(&p->id)) != NULL)
			buf_appendf(&text, "%s%s", text.len == 0 ? "" : "\n",
				r->row.topic);
	}
	copy = xstrdup(buf_cstr(&text));
	buf_clear(&text);
	return copy;
}

static void describe(struct chat *c, struct chat_person *p, struct ui_person *u)
{
	person_describe(c, p, u);
	u->how = p->connected ? p->how : NULL;
	u->first_seen_ms = p->row.first_seen_ms;
	u->rooms = rooms_of(c, p);
}

static void append_ago(struct buf *text, uint64_t then_ms, uint64_t now_ms)
{
	uint64_t minutes = now_ms > then_ms ? (now_ms - then_ms) / 60000 : 0;

	if (minutes == 0)
		buf_append_str(text, "just now");
	else if (minutes < 120)
		buf_appendf(text, "%llu min ago", (unsigned long long)minutes);
	else if (minutes < 48 * 60)
		buf_appendf(
			text, "%llu h ago", (unsigned long long)minutes / 60);
	else
		buf_appendf(text, "%llu days ago",
			(unsigned long long)minutes / (24 * 60));
}

static void append_rtt(const struct chat_person *p, struct buf *text)
{
	char rtt[RTT_TEXT_MAX];

	if (p->rtt_us == UINT64_MAX)
		return;
	rtt_text(p->rtt_us, true, rtt);
	buf_appendf(text, ", %s", rtt);
}

/* ---- /whois ------------------------------------------------------------ */

static void append_connection(const struct chat_person *p, struct buf *text)
{
	if (!p->connected) {
		buf_append_str(text, "\nconnected  no");
		return;
	}
	buf_appendf(text, "\nconnected  %s, %s",
		p->relayed ? "relayed" : "direct",
		p->outbound ? "we called" : "it called us");
	if (p->muxer != NULL)
		buf_appendf(text, ", %s", p->muxer);
	append_rtt(p, text);
	if (p->address != NULL)
		buf_appendf(text, "\nat         %s", p->address);
	if (p->agent != NULL && p->agent[0] != '\0')
		buf_appendf(text, "\nprogram    %s", p->agent);
}

static void append_person(
	struct chat *c, struct chat_person *p, struct buf *text)
{
	struct list *pos, *tmp;
	char *name = person_full_name(p);

	buf_appendf(text, "%c%s%s%s\nkey        %s", person_mark(c, p), name,
		p->row.ignored ? ", ignored" : "",
		p->row.verified ? ", verified" : "", p->row.peer);
	free(name);
	append_connection(p, text);
	buf_append_str(text, "\nfirst seen ");
	append_ago(text, p->row.first_seen_ms, c->env->wall_ms);
	LIST_FOREACH(pos, tmp, &c->rooms) {
		const struct chat_room *r = ROOM_OF(pos);

		if (table_get(&r->members, peer_id_bytes(&p->id)) != NULL)
			buf_appendf(text, "\nin         %s", r->title);
	}
}

/* What net alone knows. */
static void append_facts(const struct chat_net_msg *m, struct buf *text)
{
	if (m->key != NULL)
		buf_appendf(text, "\nkey kind   %s", m->key);
	if (m->kept)
		buf_append_str(text, "\nkept       yes");
	if (m->scored)
		buf_appendf(text, "\nscore      %.1f", m->score);
}

/* Our own are those that we listen on. */
static void append_own(const struct chat *c, struct buf *text)
{
	const char *at = c->listen == NULL ? "" : c->listen;

	for (size_t n; *at != '\0'; at += n + (at[n] == '\n')) {
		n = strcspn(at, "\n");
		buf_appendf(text, "\naddress    %.*s", (int)n, at);
	}
}

static void append_addresses(const struct ui_msg *from, struct buf *text)
{
	if (from->address_count == 0)
		buf_append_str(text, "\naddresses  none are known");
	for (size_t i = 0; i < from->address_count; i++) {
		buf_append_str(text, "\naddress    ");
		append_address(&from->addresses[i], text);
	}
}

static void answer_peer(struct chat *c, const struct chat_net_msg *m)
{
	struct ui_msg *to = ui_msg_new(UI_MSG_WHOIS, NULL, NULL);
	struct chat_person *p;
	struct peer_id id;
	struct buf text;

	P2P_ASSERT(peer_id_parse_text(&id, bytes_str(m->peer)) == 0);
	p = table_get(&c->people, peer_id_bytes(&id));
	buf_init(&text, CHAT_NOTICE_BYTES_MAX);
	take_addresses(to, m);
	if (p != NULL) {
		describe(c, p, &to->person);
		append_person(c, p, &text);
	} else {
		snprintf(to->person.peer, sizeof(to->person.peer), "%s",
			m->peer);
		to->person.rtt_us = UINT64_MAX;
		buf_appendf(&text, "key        %s", m->peer);
	}
	to->person.key = m->key;
	to->person.kept = m->kept;
	to->person.scored = m->scored;
	to->person.score = m->score;
	append_facts(m, &text);
	if (p != NULL && p->self)
		append_own(c, &text);
	else
		append_addresses(to, &text);
	to->text = xstrdup(buf_cstr(&text));
	to->msg.bytes += text.len;
	ui_msg_charge_peers(to);
	out_ui(c, to);
	buf_clear(&text);
}

/* ---- /peers ------------------------------------------------------------ */

/* "mali~c31e4f  direct, 0.4 ms, in lobby", its key, its address. */
static void append_connected(
	struct chat *c, struct chat_person *p, struct buf *text)
{
	const struct chat_room *r = c->focus;
	char *name = person_full_name(p);
	char mark = person_mark(c, p);

	if (text->len > 0)
		buf_append_str(text, "\n");
	buf_appendf(text, "%c%s  %s", mark, name,
		p->relayed ? "relayed" : "direct");
	free(name);
	append_rtt(p, text);
	if (r != NULL && table_get(&r->members, peer_id_bytes(&p->id)) != NULL)
		buf_appendf(text, ", in %s", r->title);
	if (p->row.ignored)
		buf_append_str(text, ", ignored");
	if (mark == '!')
		buf_append_str(text, ", NAME CLASH");
	buf_appendf(text, "\n  %s", p->row.peer);
	if (p->address != NULL)
		buf_appendf(text, "\n  %s%s%s", p->address,
			p->how == NULL ? "" : "  ",
			p->how == NULL ? "" : p->how);
}

static void append_known(
	struct chat *c, const struct peer_address *a, struct buf *text)
{
	struct chat_person *p = NULL;
	struct peer_id id;

	if (peer_id_parse_text(&id, bytes_str(a->peer)) == 0)
		p = table_get(&c->people, peer_id_bytes(&id));
	if (p != NULL) {
		char *name = person_full_name(p);

		buf_appendf(text, "\n%c%s  ", person_mark(c, p), name);
		free(name);
	} else {
		buf_append_str(text, "\n (no name yet)  ");
	}
	append_address(a, text);
	/* Whoever answers there. */
	buf_appendf(text, "\n  %s", a->peer[0] == '\0' ? "any key" : a->peer);
}

static void take_connected(struct chat *c, struct ui_msg *to, struct buf *text)
{
	struct table_entry *e, *tmp;

	to->people =
		xcalloc(P2P_MAX(c->connected_count, 1), sizeof(*to->people));
	TABLE_FOREACH(e, tmp, &c->people) {
		struct chat_person *p = e->value;

		if (!p->connected || to->people_count >= c->connected_count)
			continue;
		describe(c, p, &to->people[to->people_count++]);
		append_connected(c, p, text);
	}
	if (to->people_count == 0)
		buf_append_str(text, "Nobody is connected.");
}

static void answer_all(struct chat *c, const struct chat_net_msg *m)
{
	struct ui_msg *to = ui_msg_new(UI_MSG_PEERS, NULL, NULL);
	struct buf text;

	buf_init(&text, CHAT_NOTICE_BYTES_MAX);
	take_connected(c, to, &text);
	take_addresses(to, m);
	to->known = m->number;
	if (to->address_count > 0)
		buf_appendf(&text, "\nKnown and not connected: %llu",
			(unsigned long long)m->number);
	for (size_t i = 0; i < to->address_count; i++)
		append_known(c, &to->addresses[i], &text);
	to->text = xstrdup(buf_cstr(&text));
	to->msg.bytes += text.len;
	ui_msg_charge_peers(to);
	out_ui(c, to);
	buf_clear(&text);
}

void cmd_whois_answer(struct chat *c, const struct chat_net_msg *m)
{
	if (m->peer[0] == '\0')
		answer_all(c, m);
	else
		answer_peer(c, m);
}
