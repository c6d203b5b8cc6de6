/*
 * What is known of a peer's addresses and how, in words for people: one line
 * an address, or one line a peer.
 */
#include "net/node/node_internal.h"

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

static void append_fortune(const struct swarm_known *k, struct buf *out)
{
	if (k->why_not != NULL) {
		(void)buf_appendf(out, "; %s", k->why_not);
		return;
	}
	if (k->in_use) {
		(void)buf_append_str(out, "; in use");
	} else if (k->ok_ms_ago != P2P_NEVER) {
		(void)buf_append_str(out, "; worked ");
		append_span(out, k->ok_ms_ago);
		(void)buf_append_str(out, " ago");
	}
	if (k->failures > 0)
		(void)buf_appendf(out, "; failed %u time%s", k->failures,
			k->failures == 1 ? "" : "s");
	if (k->retry_in_ms > 0) {
		(void)buf_append_str(out, ", rests ");
		append_span(out, k->retry_in_ms);
	}
}

static size_t known_of(struct node *n, const struct env *env,
	const struct peer_id *id, struct swarm_known *known)
{
	return swarm_known(
		n->swarm, env, id, known, SWARM_ADDRESSES_PER_PEER_MAX);
}

static void append_addresses(struct node *n, const struct env *env,
	const struct peer_id *id, struct buf *out)
{
	struct swarm_known known[SWARM_ADDRESSES_PER_PEER_MAX];
	size_t count = known_of(n, env, id, known);
	char text[MADDR_TEXT_MAX];

	for (size_t i = 0; i < count; i++) {
		(void)buf_appendf(out, "%s%s  %s", i == 0 ? "" : "\n",
			maddr_text(&known[i].addr, text), known[i].sources);
		append_fortune(&known[i], out);
	}
}

/* "ID<tab>/ip4/10.0.0.2/tcp/4001  LAN; failed 3 times (2 more)" */
static void append_peer(struct node *n, const struct env *env,
	const struct peer_id *id, struct buf *out)
{
	struct swarm_known known[SWARM_ADDRESSES_PER_PEER_MAX];
	size_t count = known_of(n, env, id, known);
	char text[MADDR_TEXT_MAX];
	char id_text[PEER_ID_TEXT_MAX];

	if (count == 0)
		return;
	(void)peer_id_text(id, id_text);
	(void)buf_appendf(out, "%s%s\t%s  %s", out->len == 0 ? "" : "\n",
		id_text, maddr_text(&known[0].addr, text), known[0].sources);
	append_fortune(&known[0], out);
	if (count > 1)
		(void)buf_appendf(out, " (%zu more)", count - 1);
}

static void answer_all(struct node *n, const struct env *env)
{
	struct peer_id ids[NODE_WHOIS_PEERS_MAX];
	size_t all = swarm_known_peers(n->swarm, ids, NODE_WHOIS_PEERS_MAX);
	struct buf out;

	buf_init(&out, NODE_WHOIS_BYTES_MAX);
	for (size_t i = 0; i < P2P_MIN(all, P2P_ARRAY_LEN(ids)); i++)
		append_peer(n, env, &ids[i], &out);
	tell_whois(n, NULL, buf_cstr(&out), all);
	buf_clear(&out);
}

void whois_answer(struct node *n, const struct env *env, const char *peer)
{
	struct peer_id id;
	struct buf out;

	if (peer[0] == '\0') {
		answer_all(n, env);
		return;
	}
	if (peer_id_parse_text(&id, bytes_str(peer)) != 0)
		return;
	buf_init(&out, NODE_WHOIS_BYTES_MAX);
	append_addresses(n, env, &id, &out);
	tell_whois(n, &id, buf_cstr(&out), 0);
	buf_clear(&out);
}
