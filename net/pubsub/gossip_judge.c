/*
 * What the score is told of the peers' deeds, and the thresholds that it is
 * held against (gossipsub v1.1 spec, "Score Thresholds", "Extended
 * Validators").
 */
#include "net/pubsub/gossip_judge.h"

#include "net/pubsub/gossip_cache.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/pubsub/gossip_told.h"
#include "net/wire/pb.h"

void judge_misbehaviour(struct gossip *g, const struct gpeer *p, unsigned count)
{
	g->counters.behaviour += count;
	score_misbehave(g->score, &p->id, count);
}

/* ---- deliveries -------------------------------------------------------- */

void judge_first(struct gossip *g, const struct env *env,
	const struct peer_id *peer, const struct unit *u)
{
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];
	struct cached *c = cache_find(g, bytes_of(id, unit_gossip_id(u, id)));
	const struct gpeer *p = gpeer_find(g, peer);

	if (c != NULL)
		c->came_ms = env->now_ms;
	if (c != NULL && p != NULL) {
		(void)slots_add(&c->brought, p);
		told_has(g, c, p);
	}
	score_first(g->score, peer, u->topic);
}

void judge_duplicate(struct gossip *g, const struct env *env,
	const struct gpeer *p, struct bytes id)
{
	struct cached *c = cache_find(g, id);

	if (c != NULL)
		told_has(g, c, p);
	if (c == NULL || env->now_ms - c->came_ms >
				 g->score_params->topic.mesh_window_ms)
		return;
	if (slots_add(&c->brought, p))
		score_near_first(g->score, &p->id, cached_topic(c));
}

/* ---- forgeries --------------------------------------------------------- */

/*
 * Points of Ed25519 that have a small order, or more than one encoding: what
 * they verify, some programs accept and others refuse (libsodium refuses them,
 * go and others do not). y, little endian, the sign bit left out; all of them
 * are 0 or 1, at least p - 1, or of order 8.
 */
static bool point_is_disputed(const uint8_t point[static 32])
{
	static const uint8_t order8[2][32] = {
		{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3,
			0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac,
			0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
			0x6d, 0x53, 0xfc, 0x05},
		{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c,
			0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53,
			0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
			0x92, 0xac, 0x03, 0x7a}};
	uint8_t y[32];
	bool low = true, high = true;

	memcpy(y, point, sizeof(y));
	y[31] &= 0x7f;
	for (size_t i = 1; i < sizeof(y); i++) {
		low = low && y[i] == 0;
		high = high && y[i] == (i == 31 ? 0x7f : 0xff);
	}
	return (low && y[0] <= 1) || (high && y[0] >= 0xec) ||
	       memcmp(y, order8[0], sizeof(y)) == 0 ||
	       memcmp(y, order8[1], sizeof(y)) == 0;
}

/*
 * Whether every program finds this unit forged. Where verdicts may differ an
 * honest peer can have been made to forward it, and is not blamed.
 */
static bool is_surely_forged(const struct unit *u)
{
	struct bytes key_pb =
		u->key.data != NULL ? u->key : peer_id_key(&u->from);
	struct public_key key;
	struct peer_id owner;

	/* js compares no key with an author's id that is a hash. */
	peer_id_of_key(&owner, key_pb);
	if (peer_id_key(&u->from).len == 0 && !peer_id_equal(&owner, &u->from))
		return false;
	/* A key that is there and empty is like none to some. */
	if (public_key_parse(&key, key_pb) != 0)
		return false;
	if (key.kind != KEY_KIND_ED25519)
		return public_key_refusal_is_sure(&key, u->signature);
	return u->signature.len != CRYPTO_SIG_BYTES ||
	       (!point_is_disputed(bytes_skip(key_pb, 4).data) &&
		       !point_is_disputed(u->signature.data));
}

void judge_forged(struct gossip *g, const struct env *env,
	const struct peer_id *peer, const struct unit *u)
{
	if (is_surely_forged(u))
		score_invalid(g->score, env, peer, u->topic);
}

enum gossip_verdict gossip_verdict_of(int err)
{
	if (err == 0)
		return GOSSIP_ACCEPT;
	return err == P2P_ERR_AUTH || err == P2P_ERR_MALFORMED ? GOSSIP_REJECT
							       : GOSSIP_IGNORE;
}

/* Others may mend what stands twice or in another order, and forward it; what
 * ends inside a field no decoder reads. */
void judge_malformed(struct gossip *g, const struct env *env,
	const struct gpeer *p, struct bytes raw)
{
	struct bytes topic = bytes_of(NULL, 0);
	struct cursor c = cur_of(raw);
	struct pb_field f;

	while (pb_next(&c, &f))
		if (f.number == MESSAGE_TOPIC && f.wire == PB_WIRE_BYTES)
			topic = f.bytes;
	if (cur_err(&c) != P2P_ERR_TRUNCATED)
		return;
	if (table_get(&g->topics, topic) != NULL)
		score_invalid(g->score, env, &p->id, topic);
	else
		judge_misbehaviour(g, p, 1);
}
