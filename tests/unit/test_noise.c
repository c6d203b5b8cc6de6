/* The secure channel: pairs that meet, and forgers that are kept out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "tests/lib/mem_pipe.h"
#include "tests/lib/noise_forger.h"
#include "tests/lib/test_env.h"
#include "tests/lib/vector.h"

#define OUT_BYTES 200000
#define YAMUX "/yamux/1.0.0"
#define MPLEX "/mplex/6.7.0"

static const char *const yamux_mplex[] = {YAMUX, MPLEX, NULL};
static const char *const mplex_yamux[] = {MPLEX, YAMUX, NULL};
static const char *const yamux_only[] = {YAMUX, NULL};
static const char *const mplex_only[] = {MPLEX, NULL};

static struct identity who[3];

/* ---- one side, driven through the pipe --------------------------------- */

struct side {
	struct noise *noise;
	struct bufq out;
	struct buf got;    /* plaintext received */
	struct buf unsent; /* plaintext still to be sent */
	struct budget budget;
};

static void side_init(struct side *s, struct test_env *te,
	const struct identity *me, const struct noise_cfg *cfg)
{
	struct noise_cfg own = *cfg;

	budget_init(&s->budget, &te->budget, 1u << 20);
	own.me = me;
	own.budget = &s->budget;
	bufq_init(&s->out, OUT_BYTES);
	buf_init(&s->got, 4u << 20);
	buf_init(&s->unsent, 4u << 20);
	s->noise = noise_new(&own, &te->env);
	if (own.initiator)
		assert_int_equal(noise_start(s->noise, &s->out), 0);
}

static void side_clear(struct side *s)
{
	noise_free(s->noise);
	assert_int_equal(s->budget.used, 0);
	bufq_clear(&s->out);
	buf_clear(&s->got);
	buf_clear(&s->unsent);
}

static int side_feed(void *machine, struct bytes in, size_t *taken)
{
	struct side *s = machine;
	int err = noise_feed(s->noise, in, taken, &s->out);
	struct bytes plain = noise_peek(s->noise);

	assert_int_equal(buf_append(&s->got, plain), 0);
	noise_consume(s->noise, plain.len);
	return err;
}

static struct bytes side_peek(void *machine)
{
	struct side *s = machine;
	size_t taken = 0;

	if (s->unsent.len > 0 && noise_done(s->noise)) {
		assert_int_equal(noise_seal(s->noise, buf_bytes(&s->unsent),
					 &taken, &s->out),
			0);
		buf_drop_front(&s->unsent, taken);
	}
	return bufq_peek(&s->out);
}

static void side_consume(void *machine, size_t n)
{
	bufq_consume(&((struct side *)machine)->out, n);
}

/* Two sides and the pipe between them. */
struct pair {
	struct test_env te;
	struct side a; /* initiator */
	struct side b;
	struct mem_pipe pipe;
};

static void pair_init(struct pair *p, uint64_t seed, const char *const *a,
	const char *const *b, const struct peer_id *expect)
{
	struct noise_cfg cfg = {.initiator = true, .muxers = a};
	struct mem_end ends[2];

	test_env_init(&p->te, seed);
	if (expect != NULL)
		cfg.expect = *expect;
	side_init(&p->a, &p->te, &who[0], &cfg);
	cfg = (struct noise_cfg){.muxers = b};
	side_init(&p->b, &p->te, &who[1], &cfg);
	ends[0] = (struct mem_end){&p->a, side_feed, side_peek, side_consume};
	ends[1] = (struct mem_end){&p->b, side_feed, side_peek, side_consume};
	mem_pipe_init(&p->pipe, &ends[0], &ends[1], seed);
}

static void pair_clear(struct pair *p)
{
	mem_pipe_clear(&p->pipe);
	side_clear(&p->a);
	side_clear(&p->b);
}

static bool both_done(const struct pair *p)
{
	return noise_done(p->a.noise) && noise_done(p->b.noise);
}

/* ---- meeting ----------------------------------------------------------- */

static void test_identity_sig_is_the_vector_of_js_libp2p(void **state)
{
	static const char want[] =
		"0f8e6a9b52ba043c365dc82a06bf808cd02a3edb8787e418a7bed106954a"
		"bf55cbc5cf014ea418795358dceaccb7c16e5937bac070090e71f1a3b047"
		"258dec00";
	uint8_t seed[32], key[32] = {0}, sig[64], expected[64];
	struct identity me;

	(void)state;
	memset(seed, 1, sizeof(seed));
	identity_from_seed(&me, seed);
	noise_sign_key(sig, &me, key);
	vector_hex_fixed(want, expected, sizeof(expected));
	assert_memory_equal(sig, expected, sizeof(sig));
}

static void test_pair_proves_both_identities(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct pair p;

		pair_init(&p, seed, NULL, NULL, &who[1].id);
		mem_pipe_run(&p.pipe);
		assert_true(both_done(&p));
		assert_true(peer_id_equal(noise_peer(p.a.noise), &who[1].id));
		assert_true(peer_id_equal(noise_peer(p.b.noise), &who[0].id));
		assert_true(bytes_equal(noise_peer_key(p.a.noise),
			bytes_of(who[1].public_pb, KEY_ED25519_PB_BYTES)));
		/* Sizes as seen on the wire of other implementations. */
		assert_int_equal(p.pipe.lane[0].sent, 2 + 32 + 2 + 168);
		assert_int_equal(p.pipe.lane[1].sent, 2 + 200);
		pair_clear(&p);
	}
}

struct muxer_case {
	const char *const *a;
	const char *const *b;
	int at_a, at_b;
	int err_a;
};

static void test_muxers_are_agreed_on_only_when_both_offer(void **state)
{
	static const struct muxer_case cases[] = {
		{yamux_mplex, yamux_mplex, 0, 0, 0},
		{mplex_yamux, yamux_mplex, 0, 1, 0},
		{yamux_mplex, mplex_yamux, 0, 1, 0},
		{yamux_mplex, mplex_only, 1, 0, 0},
		{mplex_only, yamux_mplex, 0, 1, 0},
		{yamux_only, yamux_mplex, 0, 0, 0},
		{yamux_mplex, NULL, -1, -1, 0},
		{NULL, yamux_mplex, -1, -1, 0},
		{NULL, NULL, -1, -1, 0},
		{yamux_only, mplex_only, -1, -1, P2P_ERR_NO_PROTOCOL},
	};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(cases); i++) {
		const struct muxer_case *c = &cases[i];
		struct pair p;

		pair_init(&p, i, c->a, c->b, NULL);
		mem_pipe_run(&p.pipe);
		assert_int_equal(p.pipe.err[0], c->err_a);
		assert_int_equal(both_done(&p), c->err_a == 0);
		if (c->err_a == 0) {
			assert_int_equal(noise_muxer(p.a.noise), c->at_a);
			assert_int_equal(noise_muxer(p.b.noise), c->at_b);
			assert_int_equal(
				noise_muxer_by_responder(p.b.noise), c->at_b);
		}
		pair_clear(&p);
	}
}

static void test_noise_rejects_wrong_peer_id(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, 1, yamux_mplex, yamux_mplex, &who[2].id);
	mem_pipe_run(&p.pipe);
	assert_int_equal(p.pipe.err[0], P2P_ERR_MISMATCH);
	/* Who we are is not told to the wrong one. */
	assert_int_equal(p.pipe.lane[0].sent, 2 + 32);
	assert_false(noise_done(p.a.noise));
	assert_false(noise_done(p.b.noise));
	pair_clear(&p);
}

/* ---- changed, lost and repeated bytes ---------------------------------- */

static void test_no_byte_of_the_handshake_can_be_changed(void **state)
{
	(void)state;
	for (int lane = 0; lane < 2; lane++) {
		uint64_t len = lane == 0 ? 34 + 170 : 202;

		for (uint64_t at = 0; at < len; at++) {
			struct pair p;

			pair_init(&p, at, NULL, NULL, NULL);
			p.pipe.lane[lane].bend_at = at;
			p.pipe.lane[lane].bend_mask = (uint8_t)(1u << at % 8);
			mem_pipe_run(&p.pipe);
			assert_false(both_done(&p));
			pair_clear(&p);
		}
	}
}

static void test_cut_handshake_waits_and_never_completes(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < 34 + 170; at += 3) {
		struct pair p;

		pair_init(&p, at, NULL, NULL, NULL);
		p.pipe.lane[0].lose_from = at;
		mem_pipe_run(&p.pipe);
		assert_false(noise_done(p.b.noise));
		assert_int_equal(p.pipe.err[0], 0);
		assert_int_equal(p.pipe.err[1], 0);
		pair_clear(&p);
	}
}

static void fill(struct buf *b, size_t len, struct rng *r)
{
	uint8_t *to = buf_extend(b, len);

	assert_non_null(to);
	rng_fill(r, to, len);
}

static void check_same(const struct buf *got, const struct buf *sent)
{
	assert_int_equal(got->len, sent->len);
	if (sent->len > 0)
		assert_memory_equal(got->data, sent->data, sent->len);
}

static void test_data_flows_both_ways_in_any_pieces(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 12; seed++) {
		struct buf sent[2];
		struct pair p;

		pair_init(&p, seed, NULL, NULL, NULL);
		for (int i = 0; i < 2; i++) {
			buf_init(&sent[i], 4u << 20);
			fill(&sent[i], rng_below(&p.te.rng, 400000), &p.te.rng);
		}
		assert_int_equal(
			buf_append(&p.a.unsent, buf_bytes(&sent[0])), 0);
		assert_int_equal(
			buf_append(&p.b.unsent, buf_bytes(&sent[1])), 0);
		mem_pipe_run(&p.pipe);
		check_same(&p.b.got, &sent[0]);
		check_same(&p.a.got, &sent[1]);
		assert_int_equal(p.pipe.err[0], 0);
		assert_int_equal(p.pipe.err[1], 0);
		pair_clear(&p);
		buf_clear(&sent[0]);
		buf_clear(&sent[1]);
	}
}

static void test_bent_transport_byte_kills_the_connection(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < 18 + 5; at++) {
		struct pair p;

		pair_init(&p, at, NULL, NULL, NULL);
		assert_int_equal(buf_append_str(&p.a.unsent, "hello"), 0);
		/* Behind the handshake; lengths that grow leave b waiting. */
		p.pipe.lane[0].bend_at = 34 + 170 + at;
		p.pipe.lane[0].bend_mask = 0x04;
		mem_pipe_run(&p.pipe);
		assert_int_equal(p.b.got.len, 0);
		if (at > 1)
			assert_int_equal(p.pipe.err[1], P2P_ERR_AUTH);
		pair_clear(&p);
	}
}

static void handshake(struct pair *p, uint64_t seed)
{
	pair_init(p, seed, NULL, NULL, NULL);
	mem_pipe_run(&p->pipe);
	assert_true(both_done(p));
}

static void test_replayed_frame_kills_the_connection(void **state)
{
	struct pair p;
	size_t taken;
	struct bytes frame;

	(void)state;
	handshake(&p, 1);
	assert_int_equal(
		noise_seal(p.a.noise, bytes_str("once"), &taken, &p.a.out), 0);
	frame = bufq_peek(&p.a.out);
	assert_int_equal(noise_feed(p.b.noise, frame, &taken, &p.b.out), 0);
	assert_int_equal(taken, frame.len);
	assert_int_equal(noise_peek(p.b.noise).len, 4);
	assert_int_equal(
		noise_feed(p.b.noise, frame, &taken, &p.b.out), P2P_ERR_AUTH);
	assert_int_equal(
		noise_feed(p.b.noise, frame, &taken, &p.b.out), P2P_ERR_STATE);
	assert_int_equal(
		noise_seal(p.b.noise, bytes_str("x"), &taken, &p.b.out),
		P2P_ERR_STATE);
	pair_clear(&p);
}

static void test_reader_that_does_not_read_stops_the_writer(void **state)
{
	struct pair p;
	struct buf sent;
	struct bytes wire;
	size_t taken;

	(void)state;
	handshake(&p, 2);
	buf_init(&sent, 1u << 20);
	fill(&sent, 195000, &p.te.rng);
	assert_int_equal(
		noise_seal(p.a.noise, buf_bytes(&sent), &taken, &p.a.out), 0);
	assert_int_equal(taken, sent.len);
	while (p.a.out.len > 0) {
		struct bytes plain;

		wire = bufq_peek(&p.a.out);
		assert_int_equal(
			noise_feed(p.b.noise, wire, &taken, &p.b.out), 0);
		plain = noise_peek(p.b.noise);
		assert_true(plain.len <= 2 * NOISE_PLAIN_BYTES_MAX);
		assert_true(taken > 0);
		assert_int_equal(buf_append(&p.b.got, plain), 0);
		/* Without reading, nothing more is taken but the start of
		 * the frame that does not fit. */
		if (taken < wire.len) {
			size_t more;

			assert_int_equal(
				noise_feed(p.b.noise, bytes_skip(wire, taken),
					&more, &p.b.out),
				0);
			assert_int_equal(more, 0);
		}
		bufq_consume(&p.a.out, taken);
		noise_consume(p.b.noise, plain.len);
	}
	check_same(&p.b.got, &sent);
	buf_clear(&sent);
	pair_clear(&p);
}

static void test_seal_fills_small_room_only_when_nothing_waits(void **state)
{
	struct pair p;
	uint8_t data[10000] = {0};
	size_t taken;

	(void)state;
	handshake(&p, 3);
	p.a.out.max = 1000;
	assert_int_equal(noise_seal(p.a.noise, bytes_of(data, sizeof(data)),
				 &taken, &p.a.out),
		0);
	assert_int_equal(taken, 1000 - NOISE_FRAME_EXTRA);
	bufq_consume(&p.a.out, 500);
	assert_int_equal(noise_seal(p.a.noise, bytes_of(data, sizeof(data)),
				 &taken, &p.a.out),
		0);
	assert_int_equal(taken, 0);
	assert_int_equal(
		noise_seal(p.a.noise, bytes_of(data, 400), &taken, &p.a.out),
		0);
	assert_int_equal(taken, 400);
	pair_clear(&p);
}

/* ---- forgers ----------------------------------------------------------- */

static int forger_feed(struct forger *f, struct side *s)
{
	size_t taken;

	return noise_feed(s->noise, bytes_of(f->wire, f->len), &taken, &s->out);
}

/* What a responder answers to this payload in message 2. */
static int answer_to_payload(struct bytes payload)
{
	struct noise_cfg cfg = {.initiator = true, .muxers = yamux_mplex};
	struct test_env te;
	struct forger f;
	struct side a;
	int err;

	test_env_init(&te, 5);
	side_init(&a, &te, &who[0], &cfg);
	forger_init(&f, false);
	bufq_consume(&a.out, forger_read(&f, bufq_peek(&a.out)));
	forger_write(&f, payload);
	err = forger_feed(&f, &a);
	assert_int_equal(a.out.len > 0, err == 0);
	side_clear(&a);
	return err;
}

static void test_noise_rejects_bent_payloads(void **state)
{
	struct forger f;
	struct buf good, bad;

	(void)state;
	forger_init(&f, false);
	buf_init(&good, 512);
	buf_init(&bad, 4096);
	forger_payload(&f, &who[1], NULL, &good);
	assert_int_equal(answer_to_payload(buf_bytes(&good)), 0);
	/* Each bit of the signature and of the key inside the key protobuf;
	 * good is 0a 24 <36 key> 12 40 <64 signature>. */
	for (size_t at = 2 + 4; at < good.len; at++) {
		if (at == 38 || at == 39)
			continue;
		good.data[at] ^= (uint8_t)(1u << at % 8);
		assert_int_equal(
			answer_to_payload(buf_bytes(&good)), P2P_ERR_AUTH);
		good.data[at] ^= (uint8_t)(1u << at % 8);
	}
	/* Somebody else's honest signature over another static key. */
	f.core.s_public[0] ^= 1;
	forger_payload(&f, &who[1], NULL, &bad);
	assert_int_equal(answer_to_payload(buf_bytes(&bad)), P2P_ERR_AUTH);
	/* Nothing; only a key; cut short; a kind of key we cannot check. */
	assert_int_equal(
		answer_to_payload(bytes_of(NULL, 0)), P2P_ERR_MALFORMED);
	assert_int_equal(
		answer_to_payload(bytes_of(good.data, 38)), P2P_ERR_MALFORMED);
	assert_int_equal(answer_to_payload(bytes_of(good.data, good.len - 1)),
		P2P_ERR_TRUNCATED);
	good.data[3] = KEY_KIND_SECP256K1;
	assert_true(answer_to_payload(buf_bytes(&good)) != 0);
	buf_clear(&good);
	buf_clear(&bad);
}

static void test_lists_without_a_common_muxer_fail(void **state)
{
	static const char *const other[] = {"/other/1", NULL};
	static const char *const other_mplex[] = {"/other/1", MPLEX, NULL};
	struct forger f;
	struct buf pay;

	(void)state;
	forger_init(&f, false);
	buf_init(&pay, 512);
	forger_payload(&f, &who[1], other, &pay);
	assert_int_equal(
		answer_to_payload(buf_bytes(&pay)), P2P_ERR_NO_PROTOCOL);
	/* One more that we have, behind it, is enough. */
	buf_reset(&pay);
	forger_payload(&f, &who[1], other_mplex, &pay);
	assert_int_equal(answer_to_payload(buf_bytes(&pay)), 0);
	buf_clear(&pay);
}

/* A responder, and a forger who has brought it to message `upto`. */
static void forge_initiator(struct forger *f, struct side *b,
	struct test_env *te, const char *const *muxers)
{
	struct noise_cfg cfg = {.muxers = muxers};

	test_env_init(te, 6);
	side_init(b, te, &who[1], &cfg);
	forger_init(f, true);
}

static void test_first_message_must_be_empty(void **state)
{
	struct test_env te;
	struct forger f;
	struct side b;

	(void)state;
	forge_initiator(&f, &b, &te, NULL);
	forger_write(&f, bytes_str("early"));
	assert_int_equal(forger_feed(&f, &b), P2P_ERR_PROTOCOL);
	assert_int_equal(b.out.len, 0);
	side_clear(&b);
}

static void test_zero_point_is_refused_without_an_answer(void **state)
{
	static const uint8_t zero[2 + 32] = {0, 32};
	struct test_env te;
	struct forger f;
	struct side b;
	size_t taken;

	(void)state;
	forge_initiator(&f, &b, &te, NULL);
	assert_int_equal(
		noise_feed(b.noise, bytes_of(zero, 34), &taken, &b.out),
		P2P_ERR_AUTH);
	assert_int_equal(b.out.len, 0);
	side_clear(&b);
}

static void test_lengths_are_judged_before_anything_is_kept(void **state)
{
	static const struct {
		uint8_t length[2];
		int want;
	} cases[] = {
		{{0, 0}, P2P_ERR_TRUNCATED},
		{{0, 31}, P2P_ERR_TRUNCATED},
		{{0x20, 1}, P2P_ERR_TOO_BIG},
		{{0xff, 0xff}, P2P_ERR_TOO_BIG},
	};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(cases); i++) {
		struct test_env te;
		struct forger f;
		struct side b;
		size_t taken;

		forge_initiator(&f, &b, &te, NULL);
		assert_int_equal(
			noise_feed(b.noise, bytes_of(cases[i].length, 2),
				&taken, &b.out),
			cases[i].want);
		side_clear(&b);
		/* The same when the length comes in two pieces. */
		forge_initiator(&f, &b, &te, NULL);
		assert_int_equal(
			noise_feed(b.noise, bytes_of(cases[i].length, 1),
				&taken, &b.out),
			0);
		assert_int_equal(
			noise_feed(b.noise, bytes_of(cases[i].length + 1, 1),
				&taken, &b.out),
			cases[i].want);
		side_clear(&b);
	}
}

/* An initiator that prefers mplex and lists both: the spec says mplex, the
 * order of the responder yamux. */
static void test_responder_knows_both_rules(void **state)
{
	struct test_env te;
	struct forger f;
	struct side b;
	struct buf pay;

	(void)state;
	forge_initiator(&f, &b, &te, yamux_mplex);
	forger_write(&f, bytes_of(NULL, 0));
	assert_int_equal(forger_feed(&f, &b), 0);
	bufq_consume(&b.out, forger_read(&f, bufq_peek(&b.out)));
	buf_init(&pay, 512);
	forger_payload(&f, &who[0], mplex_yamux, &pay);
	forger_write(&f, buf_bytes(&pay));
	assert_int_equal(forger_feed(&f, &b), 0);
	assert_true(noise_done(b.noise));
	assert_int_equal(noise_muxer(b.noise), 1);
	assert_int_equal(noise_muxer_by_responder(b.noise), 0);
	buf_clear(&pay);
	side_clear(&b);
}

static int forger_send(struct forger *f, struct side *s, struct bytes plain)
{
	forger_seal(f, plain);
	return forger_feed(f, s);
}

static void test_empty_frames_are_skipped_and_short_ones_refused(void **state)
{
	static const uint8_t tiny[] = {0, 15, 1, 2, 3};
	struct test_env te;
	struct forger f;
	struct side b;
	struct buf pay;
	size_t taken;

	(void)state;
	forge_initiator(&f, &b, &te, NULL);
	forger_write(&f, bytes_of(NULL, 0));
	assert_int_equal(forger_feed(&f, &b), 0);
	bufq_consume(&b.out, forger_read(&f, bufq_peek(&b.out)));
	buf_init(&pay, 512);
	forger_payload(&f, &who[0], NULL, &pay);
	forger_write(&f, buf_bytes(&pay));
	assert_int_equal(forger_feed(&f, &b), 0);
	assert_true(noise_done(b.noise));
	assert_int_equal(forger_send(&f, &b, bytes_of(NULL, 0)), 0);
	assert_int_equal(noise_peek(b.noise).len, 0);
	assert_int_equal(forger_send(&f, &b, bytes_str("full")), 0);
	assert_int_equal(noise_peek(b.noise).len, 4);
	assert_int_equal(noise_feed(b.noise, bytes_of(tiny, 5), &taken, &b.out),
		P2P_ERR_MALFORMED);
	buf_clear(&pay);
	side_clear(&b);
}

/* ---- limits ------------------------------------------------------------ */

/* The same meeting with the nth charge refused; false: there was none. */
static bool meet_refusing(uint64_t seed, uint64_t nth)
{
	struct pair p;
	bool refused;

	pair_init(&p, seed, NULL, NULL, NULL);
	assert_int_equal(buf_append_str(&p.a.unsent, "some words"), 0);
	(void)budget_test_refuse_nth(nth);
	mem_pipe_run(&p.pipe);
	refused = budget_test_refuse_nth(0) >= nth;
	assert_int_equal(p.pipe.err[0] == P2P_ERR_LIMIT ||
				 p.pipe.err[1] == P2P_ERR_LIMIT,
		refused);
	assert_int_equal(p.b.got.len, refused ? 0 : 10);
	pair_clear(&p);
	return refused;
}

static void test_every_refusal_of_the_budget_ends_in_an_error(void **state)
{
	uint64_t refusals = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 10; seed++) {
		uint64_t nth = 1;

		while (meet_refusing(seed, nth))
			nth++;
		refusals += nth - 1;
	}
	assert_true(refusals > 20);
}

static int setup(void **state)
{
	uint8_t seed[32];

	(void)state;
	for (int i = 0; i < 3; i++) {
		memset(seed, 0x41 + i, sizeof(seed));
		identity_from_seed(&who[i], seed);
	}
	return crypto_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity_sig_is_the_vector_of_js_libp2p),
		cmocka_unit_test(test_pair_proves_both_identities),
		cmocka_unit_test(
			test_muxers_are_agreed_on_only_when_both_offer),
		cmocka_unit_test(test_noise_rejects_wrong_peer_id),
		cmocka_unit_test(test_no_byte_of_the_handshake_can_be_changed),
		cmocka_unit_test(test_cut_handshake_waits_and_never_completes),
		cmocka_unit_test(test_data_flows_both_ways_in_any_pieces),
		cmocka_unit_test(test_bent_transport_byte_kills_the_connection),
		cmocka_unit_test(test_replayed_frame_kills_the_connection),
		cmocka_unit_test(
			test_reader_that_does_not_read_stops_the_writer),
		cmocka_unit_test(
			test_seal_fills_small_room_only_when_nothing_waits),
		cmocka_unit_test(test_noise_rejects_bent_payloads),
		cmocka_unit_test(test_lists_without_a_common_muxer_fail),
		cmocka_unit_test(test_first_message_must_be_empty),
		cmocka_unit_test(test_zero_point_is_refused_without_an_answer),
		cmocka_unit_test(
			test_lengths_are_judged_before_anything_is_kept),
		cmocka_unit_test(test_responder_knows_both_rules),
		cmocka_unit_test(
			test_empty_frames_are_skipped_and_short_ones_refused),
		cmocka_unit_test(
			test_every_refusal_of_the_budget_ends_in_an_error),
	};

	return cmocka_run_group_tests_name("noise", tests, setup, NULL);
}
