/*
 * Gossip among eight peers: each step is a byte that says what happens and to
 * whom, and bytes for it. RPCs are raw, or cut from a grammar of parts whose
 * topics, ids and units are valid ones. What is not read of an RPC is fed again
 * before anything else of that peer; now and then a stream ends, and its last
 * words are fed. What is held stays under its caps; at the end all is given
 * back (the leak checker looks).
 */
#include <stdlib.h>

#include "base/cursor.h"
#include "net/identity/peer_record.h"
#include "net/pubsub/gossip_id.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/wire/pb.h"
#include "tests/lib/test_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PEERS 8
#define TOPICS 4
#define PARTS_MAX 64
#define BATCHES 4
#define LARGE_BYTES 48000

static const char *const topics[TOPICS] = {"a", "b", "room", "d"};

struct fuzz {
	struct test_env te;
	struct identity who[PEERS]; /* [0] is ours */
	struct gossip *g;
	struct unit_batch *out[BATCHES]; /* NULL: none */
	struct buf rest[PEERS]; /* of an RPC of each, to be fed again */
	struct cursor c;
};

/* What each vouches for; made once, keys are the same in all runs. */
static struct buf records[PEERS];

static struct bytes topic_of(uint8_t n)
{
	return bytes_str(topics[n % TOPICS]);
}

/* from || seqno in one of four forms, the last of no form. */
static void put_id(struct fuzz *f, struct buf *b, uint32_t number, uint8_t n)
{
	uint8_t raw[UNIT_GOSSIP_ID_BYTES_MAX], out[GOSSIP_ID_BYTES_MAX];
	const struct peer_id *from = &f->who[n % PEERS].id;
	size_t len;

	memcpy(raw, from->raw, from->len);
	put_be64(raw + from->len, n / 64);
	len = gossip_id_write((enum gossip_id_form)(n / 8 % 4),
		bytes_of(raw, from->len + 8u), out);
	pb_put_bytes(
		b, number, len > 0 ? bytes_of(out, len) : bytes_str("no form"));
}

/* kind & 128: the key in it is not the author's; & 64: it is large. */
static void put_unit(struct fuzz *f, struct buf *rpc, uint8_t n, uint8_t kind)
{
	static uint8_t data[LARGE_BYTES];
	size_t len = kind & 64 ? sizeof(data) : 1;
	bool forged = kind & 128;
	struct buf unit;

	data[0] = n;
	buf_init(&unit, UNIT_BYTES_MAX);
	P2P_ASSERT(unit_sign(&f->who[n % PEERS], n / 64, topic_of(n / 8),
			   bytes_of(data, len), &unit) == 0);
	if (forged)
		unit.data[unit.len - 1] ^= 1;
	/* Now and then a byte of the signature, which stands before the key. */
	if (n % 64 >= 60)
		unit.data[unit.len - 40] ^= 1;
	pb_put_bytes(rpc, RPC_PUBLISH, buf_bytes(&unit));
	buf_clear(&unit);
}

/* A peer named in a PRUNE, with its record, another's, or none. */
static void put_peer(struct fuzz *f, struct buf *b, uint8_t n)
{
	size_t mark = pb_begin(b, PRUNE_PEERS);

	pb_put_bytes(b, PEER_INFO_ID, peer_id_bytes(&f->who[n % PEERS].id));
	if (n < 192)
		pb_put_bytes(b, PEER_INFO_RECORD,
			buf_bytes(&records[(n + n / 128) % PEERS]));
	pb_end(b, mark);
}

static void put_control(
	struct fuzz *f, struct buf *rpc, uint8_t kind, uint8_t n)
{
	/* IHAVE to the extensions, and one of later versions. */
	uint32_t part = kind % 7u + 1;
	size_t outer = pb_begin(rpc, RPC_CONTROL);
	size_t inner = pb_begin(rpc, part);

	if (part != CONTROL_IWANT && part != CONTROL_IDONTWANT)
		pb_put_bytes(rpc, GRAFT_TOPIC, topic_of(n));
	for (unsigned i = 0; part == CONTROL_PRUNE && i < kind / 32u; i++)
		put_peer(f, rpc, (uint8_t)(n + i));
	if (part == CONTROL_PRUNE)
		pb_put_uint(rpc, PRUNE_BACKOFF, (uint64_t)n << (n % 60));
	for (unsigned i = 0; i < kind / 32u; i++)
		put_id(f, rpc, part == CONTROL_IHAVE ? IHAVE_IDS : IWANT_IDS,
			(uint8_t)(n + i));
	pb_end(rpc, inner);
	pb_end(rpc, outer);
}

static void put_part(struct fuzz *f, struct buf *rpc)
{
	uint8_t kind = cur_u8(&f->c), n = cur_u8(&f->c);
	size_t mark;

	switch (kind % 4) {
	case 0:
		mark = pb_begin(rpc, RPC_SUBSCRIPTIONS);
		pb_put_uint(rpc, SUBOPTS_SUBSCRIBE, n & 128);
		pb_put_bytes(rpc, SUBOPTS_TOPIC, topic_of(n));
		pb_end(rpc, mark);
		break;
	case 1:
		put_unit(f, rpc, n, kind);
		break;
	case 2:
		put_control(f, rpc, kind / 4, n);
		break;
	default:
		(void)buf_append(rpc, cur_take(&f->c, n % 16));
	}
}

/* What is left is an end of what was there, and waits for a verdict. An error
 * ends the stream. */
static void feed(struct fuzz *f, unsigned peer, struct bytes in, bool last)
{
	const struct peer_id *id = &f->who[peer].id;
	struct bytes rest = in;
	struct buf left;
	int err = last ? gossip_feed_last(f->g, &f->te.env, id, &rest)
		       : gossip_feed(f->g, &f->te.env, id, &rest);

	P2P_ASSERT(rest.len <= in.len);
	P2P_ASSERT(rest.len == 0 || rest.data + rest.len == in.data + in.len);
	P2P_ASSERT(err != 0 || rest.len == 0 || f->g->verify.pending.count > 0);
	buf_init(&left, GOSSIP_RPC_BYTES_MAX);
	if (err == 0)
		(void)buf_append(&left, rest);
	/* `in` may be what was left before. */
	buf_clear(&f->rest[peer]);
	f->rest[peer] = left;
}

/* The rest of an RPC, if there is room for it; true when nothing is left. */
static bool feed_rest(struct fuzz *f, unsigned peer, bool last)
{
	struct bytes rest = buf_bytes(&f->rest[peer]);
	bool room = gossip_has_room(f->g, &f->who[peer].id);

	if (rest.len == 0)
		return true;
	if (!room && !last)
		return false;
	feed(f, peer, rest, last);
	/* Room is for one message at least. */
	P2P_ASSERT(!room ||
		   f->g->verify.budget.used > GOSSIP_VERIFY_BYTES_MAX / 2 ||
		   f->rest[peer].len < rest.len);
	return f->rest[peer].len == 0;
}

static void hear(struct fuzz *f, unsigned peer)
{
	uint8_t how = cur_u8(&f->c);
	bool last = how / PARTS_MAX == 3;
	struct buf rpc;

	if (gossip_peer_seen(f->g, &f->te.env, &f->who[peer].id) != 0)
		return;
	if (feed_rest(f, peer, last)) {
		buf_init(&rpc, GOSSIP_RPC_BYTES_MAX);
		for (unsigned i = 0; i < how % PARTS_MAX; i++)
			if (cur_left(&f->c) > 0)
				put_part(f, &rpc);
		feed(f, peer, buf_bytes(&rpc), last);
		buf_clear(&rpc);
	}
	/* The stream is over, and what was not heard with it. */
	if (last)
		buf_clear(&f->rest[peer]);
}

/* Has a batch cut, or gives one back with its verdicts, in any order. */
static void verify(struct fuzz *f, uint8_t n)
{
	struct unit_batch **b = &f->out[n % BATCHES];

	if (*b == NULL) {
		*b = gossip_next_verify(f->g);
		return;
	}
	unit_batch_check(*b);
	gossip_verified(f->g, &f->te.env, *b);
	*b = NULL;
}

static void own_mood(struct fuzz *f, const struct peer_id *peer, uint8_t n)
{
	if (n % 4 == 0)
		gossip_peer_mute(f->g, peer);
	else if (n % 4 == 1)
		gossip_unread(f->g, &f->te.env);
	else
		gossip_peer_app(f->g, peer, (n - 16.0) * 64);
}

static void own_action(struct fuzz *f, uint8_t n)
{
	struct buf unit;

	if (n % 4 == 0) {
		(void)!gossip_join(f->g, &f->te.env, topic_of(n / 4));
	} else if (n % 4 == 1) {
		gossip_leave(f->g, &f->te.env, topic_of(n / 4));
	} else {
		buf_init(&unit, UNIT_BYTES_MAX);
		P2P_ASSERT(unit_sign(f->who, n, topic_of(n / 4),
				   bytes_of(&n, 1), &unit) == 0);
		(void)!gossip_publish(f->g, &f->te.env, buf_bytes(&unit));
		buf_clear(&unit);
	}
}

static void step(struct fuzz *f)
{
	uint8_t op = cur_u8(&f->c);
	unsigned who = 1 + op / 8 % (PEERS - 1);
	struct gossip_peer peer = {.id = f->who[who].id};
	struct bytes in;
	uint8_t n;

	switch (op % 8) {
	case 0:
		n = cur_u8(&f->c);
		peer.version = (enum gossip_version)(n % 5);
		peer.form = (enum gossip_id_form)(n / 5 % 7);
		peer.outbound = n & 128;
		peer.site = (struct score_site){.local = n & 1, .len = 4};
		(void)!gossip_peer_add(f->g, &f->te.env, &peer);
		if (who % 2 == 0)
			gossip_peer_record(f->g, &peer.id,
				n & 64 ? bytes_of(NULL, 0)
				       : buf_bytes(&records[who]));
		break;
	case 1:
		gossip_peer_remove(f->g, &f->te.env, &peer.id);
		buf_clear(&f->rest[who]);
		break;
	case 2:
		n = cur_u8(&f->c);
		gossip_out_consume(f->g, &peer.id,
			P2P_MIN(gossip_out_peek(f->g, &peer.id).len,
				(size_t)n * n));
		break;
	case 3:
		f->te.env.now_ms += (uint64_t)cur_u8(&f->c) * 50;
		gossip_tick(f->g, &f->te.env);
		P2P_ASSERT(gossip_deadline(f->g) > f->te.env.now_ms);
		break;
	case 4:
		n = cur_u8(&f->c);
		if (n % 8 == 6)
			(void)!gossip_set_direct(
				f->g, &f->te.env, &peer.id, n & 8);
		else if (n % 8 == 7)
			own_mood(f, &peer.id, n / 8);
		else
			own_action(f, n);
		break;
	case 5:
		n = cur_u8(&f->c);
		in = cur_take(&f->c, P2P_MIN((size_t)n, cur_left(&f->c)));
		if (feed_rest(f, who, false))
			feed(f, who, in, false);
		break;
	case 6:
		(void)gossip_next_sender(f->g, &peer.id);
		verify(f, cur_u8(&f->c));
		break;
	default:
		hear(f, who);
	}
}

static void check_verify(struct fuzz *f)
{
	struct verify *v = &f->g->verify;

	P2P_ASSERT(v->budget.used <= GOSSIP_VERIFY_BYTES_MAX);
	P2P_ASSERT((v->pending.count == 0) == (v->budget.used == 0));
	P2P_ASSERT((v->pending.count == 0) == (v->lines.count == 0));
	P2P_ASSERT(v->lines.count <= v->pending.count);
}

/* Nobody in a mesh is without a stream, or of those who are in none; scores are
 * numbers; promises are few and their owners are there. */
static void check_scores(struct fuzz *f)
{
	struct table_entry *e, *tmp, *m, *tmp2;
	struct list *pos, *next;
	size_t promised = 0;

	TABLE_FOREACH(e, tmp, &f->g->peers) {
		struct gpeer *p = e->value;
		double score = gossip_peer_score(f->g, &p->id);

		/* False for what is no number, too. */
		P2P_ASSERT(score > -1e16 && score < 1e4);
		P2P_ASSERT(p->promises <= GOSSIP_PROMISES_PER_PEER_MAX);
		P2P_ASSERT(p->early.count <= TOPICS);
		P2P_ASSERT(p->left.count <= TOPICS);
		promised += p->promises;
	}
	LIST_FOREACH(pos, next, &f->g->promises.order)
		promised--;
	P2P_ASSERT(promised == 0);
	P2P_ASSERT(score_retained(f->g->score) < PEERS);
	TABLE_FOREACH(e, tmp, &f->g->topics) {
		struct topic *t = e->value;

		TABLE_FOREACH(m, tmp2, &t->mesh) {
			const struct gpeer *p = m->value;

			P2P_ASSERT(p->ready && !p->direct);
			P2P_ASSERT(p->version != GOSSIP_FLOODSUB);
		}
	}
}

static void check(struct fuzz *f)
{
	struct table_entry *e, *tmp;
	struct gossip_event ev;
	size_t out = 0;

	while (gossip_next_event(f->g, &ev)) {
		if (ev.kind == GOSSIP_EV_BEHIND)
			gossip_peer_mute(f->g, &ev.peer);
		free(ev.unit);
	}
	TABLE_FOREACH(e, tmp, &f->g->peers) {
		struct gpeer *p = e->value;

		out += p->out.bytes;
		P2P_ASSERT(p->topics.count <= GOSSIP_TOPICS_PER_PEER_MAX);
		P2P_ASSERT(f->g->slots[p->slot] == p);
		P2P_ASSERT(p->named || p->out.bytes == 0);
	}
	P2P_ASSERT(out == f->g->out_bytes);
	P2P_ASSERT(out <= GOSSIP_OUT_TOTAL_BYTES_MAX +
				  PEERS * TOPICS * GOSSIP_RPC_PACK_BYTES);
	P2P_ASSERT(f->g->cache_budget.used <= GOSSIP_CACHE_BYTES_MAX);
	P2P_ASSERT((f->g->cache.count == 0) == (f->g->cache_budget.used == 0));
	P2P_ASSERT(f->g->aliases.count <= 3 * f->g->cache.count);
	TABLE_FOREACH(e, tmp, &f->g->topics) {
		struct topic *t = e->value;

		P2P_ASSERT(t->mesh.count <= f->g->peers.count);
		P2P_ASSERT(t->backoff.count <= PEERS);
	}
	P2P_ASSERT(f->g->left.count <= TOPICS);
	check_verify(f);
	check_scores(f);
}

static void seal_record(const struct identity *who, struct buf *out)
{
	struct peer_record r = {.seq = 1};

	if (out->len > 0)
		return;
	buf_init(out, ENVELOPE_BYTES_MAX);
	P2P_ASSERT(peer_record_seal(who, &r, out) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;
	uint8_t seed[32] = {1};
	struct gossip_cfg cfg = {.me = {.len = 0}};

	f = (struct fuzz){.c = cur_of(bytes_of(data, size))};
	P2P_ASSERT(crypto_init() == 0);
	test_env_init(&f.te, 1);
	for (unsigned i = 0; i < PEERS; i++) {
		seed[1] = (uint8_t)i;
		identity_from_seed(&f.who[i], seed);
		seal_record(&f.who[i], &records[i]);
		buf_init(&f.rest[i], GOSSIP_RPC_BYTES_MAX);
	}
	cfg.me = f.who[0].id;
	f.g = gossip_new(&cfg, &f.te.env);
	while (cur_left(&f.c) > 0) {
		step(&f);
		check(&f);
	}
	gossip_free(f.g);
	for (unsigned i = 0; i < PEERS; i++)
		buf_clear(&f.rest[i]);
	/* Whoever holds a batch may end after gossip. */
	for (unsigned i = 0; i < BATCHES; i++)
		if (f.out[i] != NULL)
			msg_free(&f.out[i]->msg);
	P2P_ASSERT(f.te.budget.used == 0);
	return 0;
}
