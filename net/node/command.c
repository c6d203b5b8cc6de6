/*
 * What the chat thread asks of the node. Each command is served within one
 * step; what takes longer, a dial, leaves a request behind, whose answer finds
 * by its number the words in which the person asked.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/node/node_internal.h"
#include "net/wire/dialable.h"

/* ---- connect ----------------------------------------------------------- */

/* HOST:PORT, [IPV6]:PORT or [IPV6%INTERFACE]:PORT as a multiaddr. */
static int parse_host_port(struct maddr *a, const char *text)
{
	char host[256], whole[NODE_CONNECT_TEXT_MAX];
	const char *colon = strrchr(text, ':');
	const char *kind = "dns", *zone = "";
	char *percent;
	uint8_t ip[16];
	size_t len;
	int n;

	if (colon == NULL || colon == text || colon[1] == '\0')
		return P2P_ERR_MALFORMED;
	len = (size_t)(colon - text);
	/* As in URLs: without the brackets the last part of an IPv6 address
	 * could be the port. */
	if (text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	/* A slash would begin a component of the person's own. */
	if (len == 0 || len >= sizeof(host) || memchr(text, '/', len) != NULL)
		return P2P_ERR_MALFORMED;
	memcpy(host, text, len);
	host[len] = '\0';
	/* fe80::1%eth0 (RFC 4007 section 11). */
	percent = strchr(host, '%');
	if (percent != NULL && percent[1] != '\0') {
		*percent = '\0';
		zone = percent + 1;
	}
	if (inet_pton(AF_INET, host, ip) == 1)
		kind = "ip4";
	else if (inet_pton(AF_INET6, host, ip) == 1)
		kind = "ip6";
	if (zone[0] != '\0' && strcmp(kind, "ip6") != 0)
		return P2P_ERR_MALFORMED;
	n = snprintf(whole, sizeof(whole), "%s%s/%s/%s/tcp/%s",
		zone[0] == '\0' ? "" : "/ip6zone/", zone, kind, host,
		colon + 1);
	if (n < 0 || (size_t)n >= sizeof(whole))
		return P2P_ERR_TOO_BIG;
	return maddr_parse_text(a, bytes_of(whole, (size_t)n));
}

int node_parse_connect(const char *text, struct maddr *addr)
{
	size_t len = strlen(text);

	if (text[0] != '/')
		return parse_host_port(addr, text);
	/* Copied with a slash at the end, it is the same address. */
	while (len > 1 && text[len - 1] == '/')
		len--;
	return maddr_parse_text(addr, bytes_of(text, len));
}

static struct request *request_new(struct node *n, const char *text)
{
	for (size_t i = 0; i < NODE_REQUESTS_MAX; i++) {
		struct request *r = &n->requests[i];

		if (r->id != 0)
			continue;
		r->id = n->next_request++;
		(void)snprintf(r->text, sizeof(r->text), "%s", text);
		return r;
	}
	return NULL;
}

void command_dial_done(struct node *n, uint64_t request)
{
	for (size_t i = 0; i < NODE_REQUESTS_MAX; i++)
		if (n->requests[i].id == request)
			n->requests[i].id = 0;
}

void command_dial_failed(struct node *n, uint64_t request, const char *why)
{
	for (size_t i = 0; i < NODE_REQUESTS_MAX; i++) {
		struct request *r = &n->requests[i];

		if (r->id == 0 || r->id != request)
			continue;
		tell_dial_failed(n, r->text, why);
		r->id = 0;
	}
}

static void on_connect(struct node *n, const struct env *env, const char *text)
{
	struct maddr a;
	struct request *r;

	if (node_parse_connect(text, &a) != 0) {
		tell_dial_failed(n, text, "neither a multiaddr nor HOST:PORT");
		return;
	}
	/* Before the dial, which may fail at once and then asks for it. */
	r = request_new(n, text);
	if (r == NULL) {
		tell_dial_failed(n, text, "too many dials under way");
		return;
	}
	swarm_dial(n->swarm, env, &a, r->id);
}

/* ---- the others -------------------------------------------------------- */

static void on_publish(
	struct node *n, const struct env *env, const struct net_msg *m)
{
	int handed =
		gossip_publish(n->gossip, env, bytes_of(m->data, m->data_len));

	/* While nobody takes it nothing is said, and chat offers it again when
	 * somebody comes. */
	if (handed <= 0)
		return;
	n->said_ms = env->now_ms;
	tell_handed(n, m->id, (uint64_t)handed);
}

static void on_known_peer(
	struct node *n, const struct env *env, const struct net_msg *m)
{
	struct peer_id peer;
	struct maddr a;

	/* The store may be of another version, or damaged: what is not
	 * understood is not known. */
	if (peer_id_parse_text(&peer, bytes_str(m->peer)) == 0 &&
		maddr_parse_text(&a, bytes_str(m->text)) == 0)
		swarm_know(n->swarm, env, &peer, &a, false);
}

static void on_disconnect(
	struct node *n, const struct env *env, const struct net_msg *m)
{
	struct peer_id peer;

	if (peer_id_parse_text(&peer, bytes_str(m->peer)) == 0)
		swarm_disconnect(n->swarm, env, &peer);
}

int node_parse_keep(const char *text, struct peer_id *peer, struct maddr *addr)
{
	struct maddr whole;
	struct dialable at;
	struct bytes id;

	addr->len = 0;
	if (text[0] != '/')
		return peer_id_parse_text(peer, bytes_str(text));
	if (maddr_parse_text(&whole, bytes_str(text)) != 0)
		return P2P_ERR_MALFORMED;
	maddr_split_peer(&whole, addr, &id);
	dialable_of(&at, addr);
	/* Without an id anybody who answers there would be kept; and what we
	 * cannot dial we cannot keep a connection to. */
	if (id.len == 0 || !dialable_is_spoken(&at))
		return P2P_ERR_MALFORMED;
	return peer_id_parse(peer, id);
}

static void on_keep(struct node *n, const struct env *env, const char *text)
{
	struct peer_id peer;
	struct maddr addr;
	int err = node_parse_keep(text, &peer, &addr);

	/* Gossip first, since it has the maximum: a peer that is dialled for
	 * good and not heard in preference would be half kept. */
	if (err == 0)
		err = gossip_set_direct(n->gossip, env, &peer, true);
	if (err != 0) {
		tell_dial_failed(n, text,
			"neither a multiaddr with /p2p/ID nor a peer id, or "
			"too many are kept");
		return;
	}
	if (addr.len > 0)
		swarm_keep(n->swarm, env, &peer, &addr);
	else
		/* Its addresses may be known, or the LAN shows them. */
		(void)!swarm_want(n->swarm, env, &peer);
}

static void on_leave(struct node *n, const struct env *env, struct bytes topic)
{
	struct table_entry *e, *tmp;

	gossip_leave(n->gossip, env, topic);
	TABLE_FOREACH(e, tmp, &n->links) {
		const struct link *l = e->value;

		swarm_peer_takes_part(
			n->swarm, &l->peer, gossip_shares(n->gossip, &l->peer));
	}
}

static void on_known_author(struct node *n, const struct net_msg *m)
{
	struct peer_id id;

	/* Over the maximum they are strangers to the rates. */
	if (peer_id_parse_text(&id, bytes_str(m->peer)) == 0)
		(void)!gossip_set_known(n->gossip, &id, m->worth != 0);
}

static void on_worth(struct node *n, const struct net_msg *m)
{
	struct peer_id peer;

	if (peer_id_parse_text(&peer, bytes_str(m->peer)) != 0)
		return;
	stream_gossip_worth(n->gossips, &peer, m->worth);
	swarm_peer_worth(n->swarm, &peer, m->worth);
}

static void on_join(struct node *n, const struct env *env, struct bytes topic)
{
	if (gossip_join(n->gossip, env, topic) != 0)
		log_printf(
			env->log, LOG_LEVEL_WARN, "a room could not be joined");
}

static void on_known_record(
	struct node *n, const struct env *env, struct bytes record)
{
	if (swarm_learn_record(n->swarm, env, record, NULL) != 0)
		log_printf(env->log, LOG_LEVEL_INFO,
			"a saved record is of no use any more");
}

static void on_quit(struct node *n, const struct env *env)
{
	n->stopping = true;
	n->bow_at_ms = env->now_ms;
	if (n->said_ms > 0)
		n->bow_at_ms =
			P2P_MAX(env->now_ms, n->said_ms + NODE_LAST_WORDS_MS);
	stream_gossip_stop(n->gossips);
}

void command_serve(struct node *n, const struct env *env, struct net_msg *m)
{
	switch ((enum net_msg_kind)m->msg.kind) {
	case NET_MSG_JOIN:
		on_join(n, env, bytes_str(m->text));
		break;
	case NET_MSG_LEAVE:
		on_leave(n, env, bytes_str(m->text));
		break;
	case NET_MSG_PUBLISH:
		on_publish(n, env, m);
		break;
	case NET_MSG_CONNECT:
		on_connect(n, env, m->text);
		break;
	case NET_MSG_DISCONNECT:
		on_disconnect(n, env, m);
		break;
	case NET_MSG_KNOWN_PEER:
		on_known_peer(n, env, m);
		break;
	case NET_MSG_KEEP:
		on_keep(n, env, m->text == NULL ? "" : m->text);
		break;
	case NET_MSG_WORTH:
		on_worth(n, m);
		break;
	case NET_MSG_KNOWN_AUTHOR:
		on_known_author(n, m);
		break;
	case NET_MSG_STATS:
		tell_stats(n);
		break;
	case NET_MSG_KNOWN_RECORD:
		on_known_record(n, env, bytes_of(m->data, m->data_len));
		break;
	case NET_MSG_WHOIS:
		whois_answer(n, env, m->peer);
		break;
	case NET_MSG_PIPE_OPEN:
	case NET_MSG_PIPE_FRAME:
	case NET_MSG_PIPE_TOOK:
	case NET_MSG_PIPE_CLOSE:
	case NET_MSG_PIPE_RESET:
		pipes_serve(n, env, m);
		break;
	case NET_MSG_QUIT:
		on_quit(n, env);
		break;
	}
	msg_free(&m->msg);
}
