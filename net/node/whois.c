/*
 * What is known of a peer and its addresses, for people: the book's words made
 * into the facts that chat passes on to the face. Times are spans: the node's
 * clock is nobody else's.
 */
#include <stdio.h>

#include "msg/peer_facts.h"
#include "net/node/node_internal.h"

static const char *kind_word(enum key_kind kind)
{
	switch (kind) {
	case KEY_KIND_RSA:
		return "RSA";
	case KEY_KIND_ED25519:
		return "Ed25519";
	case KEY_KIND_SECP256K1:
		return "secp256k1";
	case KEY_KIND_ECDSA:
		return "ECDSA";
	}
	return NULL;
}

/* The key is in a short id; else the peer must have proven it. */
static const char *key_of(struct node *n, const struct peer_id *id)
{
	struct swarm_peer_info info;
	struct bytes pb = peer_id_key(id);
	struct public_key key;

	if (pb.len == 0 && swarm_peer_info(n->swarm, id, &info))
		pb = info.key;
	if (pb.len == 0 || public_key_parse(&key, pb) != 0)
		return NULL;
	return kind_word(key.kind);
}

static struct peer_address facts(
	const struct peer_id *id, const struct swarm_known *k)
{
	struct peer_address a = {
		.certified = k->certified,
		.in_use = k->in_use,
		.seen_ms_ago = k->seen_ms_ago,
		.ok_ms_ago = k->ok_ms_ago,
		.failures = k->failures,
		.retry_in_ms = k->retry_in_ms,
		.why_not = k->why_not,
	};

	_Static_assert(MSG_ADDRESS_MAX >= MADDR_TEXT_MAX, "any address fits");
	_Static_assert(sizeof(a.sources) >= sizeof(k->sources), "all sources");
	(void)peer_id_text(id, a.peer);
	(void)maddr_text(&k->addr, a.addr);
	(void)snprintf(a.sources, sizeof(a.sources), "%s", k->sources);
	return a;
}

static size_t known_of(struct node *n, const struct env *env,
	const struct peer_id *id, struct swarm_known *known)
{
	return swarm_known(
		n->swarm, env, id, known, SWARM_ADDRESSES_PER_PEER_MAX);
}

/* Those that a person typed and where nobody has answered yet. */
static size_t take_typed(struct node *n, const struct env *env,
	struct peer_address *list, size_t max)
{
	struct swarm_known known[NODE_WHOIS_TYPED_MAX];
	struct peer_id expect[NODE_WHOIS_TYPED_MAX];
	size_t count = swarm_typed(n->swarm, env, expect, known,
		P2P_MIN(max, P2P_ARRAY_LEN(known)));

	for (size_t i = 0; i < count; i++) {
		list[i] = facts(&expect[i], &known[i]);
		if (peer_id_none(&expect[i]))
			list[i].peer[0] = '\0';
	}
	return count;
}

static void answer_all(struct node *n, const struct env *env)
{
	struct swarm_known known[SWARM_ADDRESSES_PER_PEER_MAX];
	struct peer_address list[NODE_WHOIS_PEERS_MAX + NODE_WHOIS_TYPED_MAX];
	struct peer_id ids[NODE_WHOIS_PEERS_MAX];
	struct chat_net_msg *m;
	size_t all = swarm_known_peers(n->swarm, ids, NODE_WHOIS_PEERS_MAX);
	size_t typed = take_typed(n, env, list, NODE_WHOIS_TYPED_MAX);
	size_t count = typed;

	for (size_t i = 0; i < P2P_MIN(all, P2P_ARRAY_LEN(ids)); i++) {
		size_t addrs = known_of(n, env, &ids[i], known);

		/* One line each: the address that is dialled first. */
		if (addrs == 0)
			continue;
		list[count] = facts(&ids[i], &known[0]);
		list[count++].more = addrs - 1;
	}
	m = chat_net_msg_new(
		CHAT_MSG_WHOIS, NULL, bytes_of(list, count * sizeof(list[0])));
	/* More than are listed, perhaps: the face says how many. */
	m->number = all + typed;
	tell_whois(n, m);
}

static void answer_one(
	struct node *n, const struct env *env, const struct peer_id *id)
{
	struct swarm_known known[SWARM_ADDRESSES_PER_PEER_MAX];
	struct peer_address list[SWARM_ADDRESSES_PER_PEER_MAX];
	size_t count = known_of(n, env, id, known);
	struct chat_net_msg *m;

	for (size_t i = 0; i < count; i++)
		list[i] = facts(id, &known[i]);
	m = chat_net_msg_new(
		CHAT_MSG_WHOIS, NULL, bytes_of(list, count * sizeof(list[0])));
	(void)peer_id_text(id, m->peer);
	m->key = key_of(n, id);
	m->kept = gossip_is_direct(n->gossip, id);
	m->scored = link_find(n, id) != NULL;
	m->score = gossip_peer_score(n->gossip, id);
	tell_whois(n, m);
}

void whois_answer(struct node *n, const struct env *env, const char *peer)
{
	struct peer_id id;

	if (peer[0] == '\0')
		answer_all(n, env);
	else if (peer_id_parse_text(&id, bytes_str(peer)) == 0)
		answer_one(n, env, &id);
}
