/*
 * /whois: net is asked what is known of a peer's addresses; its answer is
 * shown below what is known of the person.
 */
#include <stdio.h>
#include <stdlib.h>

#include "chat/chat_internal.h"

void whois_ask(struct chat *c, const char *peer)
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

/* ---- the answer -------------------------------------------------------- */

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
	if (p->rtt_ms != UINT64_MAX)
		buf_appendf(text, ", %llu ms", (unsigned long long)p->rtt_ms);
	if (p->address != NULL)
		buf_appendf(text, "\nat         %s", p->address);
	if (p->agent != NULL && p->agent[0] != '\0')
		buf_appendf(text, "\nprogram    %s", p->agent);
}

static void append_person(
	const struct chat *c, const struct chat_person *p, struct buf *text)
{
	struct list *pos, *tmp;
	char *name = person_full_name(p);

	buf_appendf(text, "%c%s%s\nkey        %s", person_mark(c, p), name,
		p->row.ignored ? ", ignored" : "", p->row.peer);
	free(name);
	append_connection(p, text);
	buf_append_str(text, "\nfirst seen ");
	append_ago(text, p->row.first_seen_ms, c->env->wall_ms);
	LIST_FOREACH(pos, tmp, &c->rooms) {
		const struct chat_room *r =
			LIST_ITEM(pos, struct chat_room, order);

		if (table_get(&r->members, peer_id_bytes(&p->id)) != NULL)
			buf_appendf(text, "\nin         %s", r->title);
	}
}

static void answer_peer(struct chat *c, const struct chat_net_msg *m)
{
	const char *at = m->text == NULL ? "" : m->text;
	struct peer_id id;
	const struct chat_person *p;
	struct buf text;

	if (peer_id_parse_text(&id, bytes_str(m->peer)) != 0)
		return;
	p = table_get(&c->people, peer_id_bytes(&id));
	buf_init(&text, CHAT_NOTICE_BYTES_MAX);
	if (p != NULL)
		append_person(c, p, &text);
	else
		buf_appendf(&text, "key        %s", m->peer);
	if (p != NULL && p->self)
		at = c->listen == NULL ? "" : c->listen;
	else if (*at == '\0')
		buf_append_str(&text, "\naddresses  none are known");
	for (size_t n; *at != '\0'; at += n + (at[n] == '\n')) {
		char *clean;

		n = strcspn(at, "\n");
		clean = out_clean(bytes_of(at, n));
		buf_appendf(&text, "\naddress    %s", clean);
		free(clean);
	}
	out_notice(c, UI_LEVEL_INFO, NULL, "%s", buf_cstr(&text));
	buf_clear(&text);
}

/* "ID<tab>2 addresses (LAN), failed 3 times" with the name, if there is one. */
static void append_known(struct chat *c, struct bytes line, struct buf *text)
{
	const struct chat_person *p = NULL;
	struct peer_id id;
	size_t n = 0;
	char *clean;

	while (n < line.len && line.data[n] != '\t')
		n++;
	if (n == line.len || peer_id_parse_text(&id, bytes_first(line, n)) != 0)
		return;
	p = table_get(&c->people, peer_id_bytes(&id));
	if (p != NULL) {
		char *name = person_full_name(p);

		buf_appendf(text, "\n%c%s", person_mark(c, p), name);
		free(name);
	} else {
		buf_append_str(text, "\n (no name yet)");
	}
	clean = out_clean(bytes_skip(line, n + 1));
	buf_appendf(
		text, "  %s\n  %.*s", clean, (int)n, (const char *)line.data);
	free(clean);
}

static void answer_all(struct chat *c, const struct chat_net_msg *m)
{
	const char *at = m->text == NULL ? "" : m->text;
	struct buf text;

	if (*at == '\0')
		return;
	buf_init(&text, CHAT_NOTICE_BYTES_MAX);
	buf_appendf(&text, "Known and not connected: %llu",
		(unsigned long long)m->number);
	for (size_t n; *at != '\0'; at += n + (at[n] == '\n')) {
		n = strcspn(at, "\n");
		append_known(c, bytes_of(at, n), &text);
	}
	out_notice(c, UI_LEVEL_INFO, NULL, "%s", buf_cstr(&text));
	buf_clear(&text);
}

void peers_whois(struct chat *c, const struct chat_net_msg *m)
{
	if (m->peer[0] == '\0')
		answer_all(c, m);
	else
		answer_peer(c, m);
}
