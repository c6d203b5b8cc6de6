/* Whole upgrades: two stacks joined by a pipe, and partners made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/upgrade/upgrader.h"
#include "tests/lib/mem_pipe.h"
#include "tests/lib/noise_forger.h"
#include "tests/lib/test_env.h"

#define HEADER "\x13/multistream/1.0.0\n"
#define NOISE "\x07/noise\n"
#define TLS "\x0b/tls/1.0.0\n"
#define NA "\x03na\n"
#define YAMUX "/yamux/1.0.0"
#define MPLEX "/mplex/6.7.0"
#define OUT_BYTES_MAX 196608
#define NO_STREAM 0

static struct identity who[3];

/* ---- one side: asks on a stream of its own, echoes on the other's ------ */

struct side {
	struct channel *up;
	struct test_env *te;
	struct budget budget;
	struct buf unsent; /* to be written on the own stream */
	struct buf got;    /* what came back on it */
	uint64_t own;      /* NO_STREAM before it is opened */
	uint64_t echoes;   /* the stream that is echoed */
	int secured, ready, failed;
	bool closed;
};

static struct upgrader_cfg default_cfg(bool initiator)
{
	return (struct upgrader_cfg){
		.initiator = initiator,
		.early_muxers = true,
		.offer_yamux = true,
		.offer_mplex = true,
		.out_bytes_max = OUT_BYTES_MAX,
		.muxer =
			{
				.streams_in_max = 100,
				.streams_unaccepted_max = 10,
				.ping_interval_ms = P2P_NEVER,
				.ping_timeout_ms = 10000,
			},
	};
}

static void side_init(struct side *s, struct test_env *te,
	const struct identity *me, const struct upgrader_cfg *cfg)
{
	struct upgrader_cfg own = *cfg;

	*s = (struct side){.te = te};
	budget_init(&s->budget, &te->budget, 8u << 20);
	own.me = me;
	own.muxer.budget = &s->budget;
	buf_init(&s->unsent, 4u << 20);
	buf_init(&s->got, 4u << 20);
	s->up = upgrader_new(&own, &te->env);
}

static void side_clear(struct side *s)
{
	channel_free(s->up);
	assert_int_equal(s->budget.used, 0);
	buf_clear(&s->unsent);
	buf_clear(&s->got);
}

static void side_write(struct side *s)
{
	size_t taken;

	if (channel_info(s->up).muxer == NULL || s->unsent.len == 0)
		return;
	if (s->own == NO_STREAM &&
		channel_stream_open(s->up, &s->te->env, &s->own) != 0)
		return;
	if (channel_stream_write(
		    s->up, s->own, buf_bytes(&s->unsent), &taken) != 0)
		return;
	buf_drop_front(&s->unsent, taken);
	if (s->unsent.len == 0) {
		s->closed = true;
		(void)channel_stream_close_write(s->up, s->own);
	}
}

static void side_echo(struct side *s, uint64_t stream)
{
	bool end;
	struct bytes in = channel_stream_peek(s->up, stream, &end);
	size_t taken = 0;

	if (channel_stream_write(s->up, stream, in, &taken) != 0)
		return;
	(void)channel_stream_consume(s->up, stream, taken);
	if (end && taken == in.len)
		(void)channel_stream_close_write(s->up, stream);
}

static void side_read(struct side *s)
{
	bool end;
	struct bytes in = channel_stream_peek(s->up, s->own, &end);

	assert_int_equal(buf_append(&s->got, in), 0);
	(void)channel_stream_consume(s->up, s->own, in.len);
}

static void side_mux_event(struct side *s, const struct mux_event *ev)
{
	if (ev->kind == MUX_EV_OPENED) {
		s->echoes = ev->stream;
		(void)channel_stream_accept(s->up, ev->stream);
	} else if (ev->kind == MUX_EV_READABLE && ev->stream == s->own) {
		side_read(s);
	} else if (ev->kind == MUX_EV_WRITABLE && ev->stream == s->own) {
		side_write(s);
	} else if (ev->kind == MUX_EV_READABLE || ev->kind == MUX_EV_WRITABLE) {
		side_echo(s, ev->stream);
	}
}

static void side_events(struct side *s)
{
	struct channel_event ev;

	while (channel_next_event(s->up, &ev)) {
		switch (ev.kind) {
		case CHANNEL_EV_SECURED:
			assert_int_equal(s->ready, 0);
			s->secured++;
			break;
		case CHANNEL_EV_READY:
			assert_int_equal(s->secured, 1);
			s->ready++;
			side_write(s);
			break;
		case CHANNEL_EV_MUX:
			assert_int_equal(s->ready, 1);
			side_mux_event(s, &ev.mux);
			break;
		case CHANNEL_EV_FAILED:
			s->failed = ev.err;
			break;
		}
	}
}

static int side_feed(void *machine, struct bytes in, size_t *taken)
{
	struct side *s = machine;
	int err = channel_feed(s->up, &s->te->env, in, taken);

	side_events(s);
	/* Bytes are only left while there are some to be written first. */
	if (err == 0 && *taken < in.len)
		assert_true(channel_out_peek(s->up, &s->te->env).len > 0);
	return err;
}

static struct bytes side_peek(void *machine)
{
	struct side *s = machine;

	(void)channel_out_peek(s->up, &s->te->env);
	side_events(s);
	return channel_out_peek(s->up, &s->te->env);
}

static void side_consume(void *machine, size_t n)
{
	channel_out_consume(((struct side *)machine)->up, n);
}

struct pair {
	struct test_env te;
	struct side a, b;
	struct mem_pipe pipe;
};

static void pair_init(struct pair *p, uint64_t seed,
	const struct upgrader_cfg *a, const struct upgrader_cfg *b)
{
	struct mem_end ends[2];

	test_env_init(&p->te, seed);
	side_init(&p->a, &p->te, &who[0], a);
	side_init(&p->b, &p->te, &who[1], b);
	ends[0] = (struct mem_end){&p->a, side_feed, side_peek, side_consume};
	ends[1] = (struct mem_end){&p->b, side_feed, side_peek, side_consume};
	mem_pipe_init(&p->pipe, &ends[0], &ends[1], seed);
}

static void pair_default(struct pair *p, uint64_t seed)
{
	struct upgrader_cfg a = default_cfg(true), b = default_cfg(false);

	pair_init(p, seed, &a, &b);
}

static void pair_clear(struct pair *p)
{
	mem_pipe_clear(&p->pipe);
	side_clear(&p->a);
	side_clear(&p->b);
}

/* Random bytes for s to ask with, the same in *copy. */
static void give(struct side *s, size_t len, struct buf *copy)
{
	buf_init(copy, 4u << 20);
	rng_fill(&s->te->rng, buf_extend(copy, len), len);
	assert_int_equal(buf_append(&s->unsent, buf_bytes(copy)), 0);
}

static void check_same(const struct buf *got, const struct buf *sent)
{
	assert_int_equal(got->len, sent->len);
	assert_memory_equal(got->data, sent->data, sent->len);
}

/* ---- honest pairs ------------------------------------------------------ */

static void test_initiator_sends_everything_in_one_flight(void **state)
{
	struct upgrader_cfg cfg = default_cfg(true);
	struct test_env te;
	struct side a;
	struct bytes out;

	(void)state;
	test_env_init(&te, 1);
	side_init(&a, &te, &who[0], &cfg);
	out = channel_out_peek(a.up, &te.env);
	assert_int_equal(out.len, 28 + 2 + 32);
	assert_memory_equal(out.data, HEADER NOISE "\0\x20", 30);
	side_clear(&a);
}

/* Bits of a combination: early muxers, yamux, mplex of each side. */
static void cfg_of_bits(struct upgrader_cfg *cfg, unsigned bits)
{
	cfg->early_muxers = bits & 1;
	cfg->offer_yamux = bits & 2;
	cfg->offer_mplex = bits & 4;
}

static void check_agreement(struct pair *p, unsigned common)
{
	const char *want = common & 2 ? "yamux" : "mplex";

	assert_int_equal(p->a.secured + p->b.secured, 2);
	assert_int_equal(p->a.ready + p->b.ready, 2);
	assert_true(peer_id_equal(channel_peer(p->a.up), &who[1].id));
	assert_true(peer_id_equal(channel_peer(p->b.up), &who[0].id));
	assert_true(bytes_equal(channel_peer_key(p->b.up),
		bytes_of(who[0].public_pb, KEY_ED25519_PB_BYTES)));
	assert_string_equal(channel_info(p->a.up).muxer, want);
	assert_string_equal(channel_info(p->b.up).muxer, want);
}

static void test_every_combination_of_muxers_agrees_and_echoes(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 64; bits++) {
		struct upgrader_cfg a = default_cfg(true);
		struct upgrader_cfg b = default_cfg(false);
		unsigned common = bits & bits >> 3 & 6;
		struct buf sent[2];
		struct pair p;

		if ((bits & 6) == 0 || (bits >> 3 & 6) == 0)
			continue;
		cfg_of_bits(&a, bits);
		cfg_of_bits(&b, bits >> 3);
		pair_init(&p, bits, &a, &b);
		give(&p.a, 30000, &sent[0]);
		give(&p.b, 20000, &sent[1]);
		mem_pipe_run(&p.pipe);
		if (common == 0) {
			assert_int_equal(p.a.ready + p.b.ready, 0);
			assert_true(p.pipe.err[0] == P2P_ERR_NO_PROTOCOL ||
				    p.pipe.err[1] == P2P_ERR_NO_PROTOCOL);
		} else {
			check_agreement(&p, common);
			assert_int_equal(channel_info(p.a.up).muxer_early,
				bits & bits >> 3 & 1);
			assert_int_equal(channel_info(p.b.up).muxer_early,
				bits & bits >> 3 & 1);
			check_same(&p.a.got, &sent[0]);
			check_same(&p.b.got, &sent[1]);
		}
		pair_clear(&p);
		buf_clear(&sent[0]);
		buf_clear(&sent[1]);
	}
}

static void test_megabytes_pass_through_small_lanes(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 6; seed++) {
		struct upgrader_cfg a = default_cfg(true);
		struct upgrader_cfg b = default_cfg(false);
		struct buf sent[2];
		struct pair p;

		a.offer_yamux = seed % 2 == 0;
		/* Small queues make every layer wait for every other. */
		a.out_bytes_max = 4096 << seed;
		pair_init(&p, seed, &a, &b);
		give(&p.a, 700000, &sent[0]);
		give(&p.b, 500000, &sent[1]);
		mem_pipe_run(&p.pipe);
		check_same(&p.a.got, &sent[0]);
		check_same(&p.b.got, &sent[1]);
		pair_clear(&p);
		buf_clear(&sent[0]);
		buf_clear(&sent[1]);
	}
}

static void test_upgrade_rejects_wrong_peer_id(void **state)
{
	struct upgrader_cfg a = default_cfg(true), b = default_cfg(false);
	struct pair p;

	(void)state;
	a.expect = who[2].id;
	pair_init(&p, 3, &a, &b);
	mem_pipe_run(&p.pipe);
	assert_int_equal(p.pipe.err[0], P2P_ERR_MISMATCH);
	assert_int_equal(p.a.secured + p.b.secured, 0);
	assert_int_equal(p.pipe.lane[0].sent, 28 + 34);
	/* Dead for good. */
	assert_int_equal(side_feed(&p.a, bytes_str("x"), &(size_t){0}),
		P2P_ERR_MISMATCH);
	pair_clear(&p);
}

static void test_own_stream_needs_a_ready_connection(void **state)
{
	struct pair p;
	uint64_t stream;
	size_t taken;

	(void)state;
	pair_default(&p, 4);
	assert_int_equal(
		channel_stream_open(p.a.up, &p.te.env, &stream), P2P_ERR_STATE);
	assert_int_equal(
		channel_stream_write(p.a.up, 1, bytes_str("x"), &taken),
		P2P_ERR_STATE);
	assert_int_equal(channel_deadline(p.a.up), P2P_NEVER);
	pair_clear(&p);
}

/* ---- a carrier that does not move -------------------------------------- */

static void test_writer_is_stopped_and_told_when_to_go_on(void **state)
{
	struct pair p;
	struct buf sent;
	size_t held;

	(void)state;
	for (unsigned yamux = 0; yamux < 2; yamux++) {
		struct upgrader_cfg a = default_cfg(true);
		struct upgrader_cfg b = default_cfg(false);

		a.offer_yamux = yamux;
		pair_init(&p, 5, &a, &b);
		mem_pipe_run(&p.pipe);
		give(&p.a, 3u << 20, &sent);
		side_write(&p.a);
		(void)channel_out_peek(p.a.up, &p.te.env);
		side_events(&p.a);
		held = p.a.unsent.len;
		/* Both queues of ours, and not a byte more. */
		assert_true(sent.len - held <= OUT_BYTES_MAX + 131072);
		assert_true(sent.len - held >= 65536);
		mem_pipe_run(&p.pipe);
		check_same(&p.a.got, &sent);
		buf_clear(&sent);
		pair_clear(&p);
	}
}

/* Whoever sends pings and reads no answers is no longer read from. */
static void test_full_queues_stop_the_reading(void **state)
{
	static const uint8_t ping[12] = {0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7};
	struct upgrader_cfg cfg = default_cfg(false);
	static const char *const yamux[] = {YAMUX, NULL};
	struct test_env te;
	struct forger f;
	struct side b;
	struct buf pay;
	struct bytes out;
	size_t taken, fed = 0;

	(void)state;
	test_env_init(&te, 6);
	cfg.out_bytes_max = 4096;
	side_init(&b, &te, &who[1], &cfg);
	forger_init(&f, true);
	assert_int_equal(side_feed(&b, bytes_str(HEADER NOISE), &taken), 0);
	channel_out_consume(b.up, 28);
	forger_write(&f, bytes_of(NULL, 0));
	assert_int_equal(side_feed(&b, bytes_of(f.wire, f.len), &taken), 0);
	out = side_peek(&b);
	channel_out_consume(b.up, forger_read(&f, out));
	buf_init(&pay, 512);
	forger_payload(&f, &who[0], yamux, &pay);
	forger_write(&f, buf_bytes(&pay));
	assert_int_equal(side_feed(&b, bytes_of(f.wire, f.len), &taken), 0);
	assert_int_equal(b.ready, 1);
	/* Slowly enough for the limit on pings. */
	do {
		te.env.now_ms += 1000;
		forger_seal(&f, bytes_of(ping, sizeof(ping)));
		assert_int_equal(
			side_feed(&b, bytes_of(f.wire, f.len), &taken), 0);
		(void)side_peek(&b);
		fed++;
		assert_true(fed < 100000);
	} while (taken == f.len);
	assert_true(side_peek(&b).len <= 4096);
	/* Once the answers are read, it goes on. */
	while ((out = side_peek(&b)).len > 0)
		channel_out_consume(b.up, out.len);
	assert_int_equal(
		side_feed(&b, bytes_of(f.wire + taken, f.len - taken), &taken),
		0);
	assert_true(taken > 0);
	buf_clear(&pay);
	side_clear(&b);
}

/* ---- bent, lost and repeated bytes ------------------------------------- */

static void check_prefix(const struct buf *got, const struct buf *sent)
{
	assert_true(got->len <= sent->len);
	if (got->len > 0)
		assert_memory_equal(got->data, sent->data, got->len);
}

static void run_damaged(int lane, uint64_t bend_at, uint64_t lose_from)
{
	struct buf sent;
	struct pair p;

	pair_default(&p, bend_at + lose_from);
	give(&p.a, 300, &sent);
	p.pipe.lane[lane].bend_at = bend_at;
	p.pipe.lane[lane].bend_mask = (uint8_t)(1u << bend_at % 8);
	p.pipe.lane[lane].lose_from = lose_from;
	mem_pipe_run(&p.pipe);
	/* Never a wrong byte, and never all of them. */
	check_prefix(&p.a.got, &sent);
	assert_true(p.a.got.len < sent.len);
	pair_clear(&p);
	buf_clear(&sent);
}

static void test_no_byte_can_be_changed_unseen(void **state)
{
	(void)state;
	/* Up to the end of the data; behind it there are only credit and
	 * closes, which the echo does not need. */
	for (uint64_t at = 0; at < 260 + 312; at++)
		run_damaged(0, at, MEM_PIPE_NOWHERE);
	for (uint64_t at = 0; at < 28 + 202; at++)
		run_damaged(1, at, MEM_PIPE_NOWHERE);
}

static void test_cut_connection_never_pretends_to_be_whole(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < 260 + 312; at += 7)
		run_damaged(0, MEM_PIPE_NOWHERE, at);
	for (uint64_t at = 0; at < 28 + 202; at += 7)
		run_damaged(1, MEM_PIPE_NOWHERE, at);
}

static void test_replayed_connection_is_refused(void **state)
{
	struct upgrader_cfg a = default_cfg(true), b = default_cfg(false);
	struct buf sent, record;
	struct pair p;
	struct side again;
	struct bytes out;
	size_t taken;
	int err = 0;

	(void)state;
	pair_init(&p, 8, &a, &b);
	give(&p.a, 100, &sent);
	buf_init(&record, 65536);
	/* By hand, to keep what a sends. */
	for (int i = 0; i < 10; i++) {
		out = side_peek(&p.a);
		assert_int_equal(buf_append(&record, out), 0);
		assert_int_equal(side_feed(&p.b, out, &taken), 0);
		assert_int_equal(taken, out.len);
		side_consume(&p.a, taken);
		out = side_peek(&p.b);
		assert_int_equal(side_feed(&p.a, out, &taken), 0);
		side_consume(&p.b, taken);
	}
	check_same(&p.a.got, &sent);
	side_init(&again, &p.te, &who[1], &b);
	err = side_feed(&again, buf_bytes(&record), &taken);
	assert_int_equal(err, P2P_ERR_AUTH);
	assert_int_equal(again.secured, 0);
	side_clear(&again);
	pair_clear(&p);
	buf_clear(&sent);
	buf_clear(&record);
}

/* ---- partners made by hand --------------------------------------------- */

static int feed_text(struct side *s, const char *text)
{
	size_t taken;
	int err = side_feed(s, bytes_str(text), &taken);

	if (err == 0)
		assert_int_equal(taken, strlen(text));
	return err;
}

static void expect_out(struct side *s, const char *text)
{
	struct bytes out = side_peek(s);

	assert_int_equal(out.len, strlen(text));
	assert_memory_equal(out.data, text, out.len);
	side_consume(s, out.len);
}

/* Brings a listener through the handshake with the forger's own list. */
static void forge_upgrade(struct forger *f, struct side *b, struct test_env *te,
	const char *const *muxers)
{
	struct upgrader_cfg cfg = default_cfg(false);
	struct buf pay;
	size_t taken;

	test_env_init(te, 10);
	side_init(b, te, &who[1], &cfg);
	/* As go-libp2p does it: TLS is asked for first. */
	assert_int_equal(feed_text(b, HEADER TLS), 0);
	expect_out(b, HEADER NA);
	assert_int_equal(feed_text(b, NOISE), 0);
	expect_out(b, NOISE);
	forger_init(f, true);
	forger_write(f, bytes_of(NULL, 0));
	assert_int_equal(side_feed(b, bytes_of(f->wire, f->len), &taken), 0);
	side_consume(b, forger_read(f, side_peek(b)));
	buf_init(&pay, 512);
	forger_payload(f, &who[0], muxers, &pay);
	forger_write(f, buf_bytes(&pay));
	assert_int_equal(side_feed(b, bytes_of(f->wire, f->len), &taken), 0);
	assert_int_equal(b->secured, 1);
	buf_clear(&pay);
}

static void test_listener_refuses_tls_and_then_takes_noise(void **state)
{
	static const char *const yamux[] = {YAMUX, NULL};
	struct test_env te;
	struct forger f;
	struct side b;

	(void)state;
	forge_upgrade(&f, &b, &te, yamux);
	assert_int_equal(b.ready, 1);
	assert_string_equal(channel_info(b.up).muxer, "yamux");
	side_clear(&b);
}

static int send_sealed(struct forger *f, struct side *b, struct bytes plain)
{
	size_t taken;

	forger_seal(f, plain);
	return side_feed(b, bytes_of(f->wire, f->len), &taken);
}

/* Both muxers are possible when an initiator prefers mplex: what it says
 * first tells which one it took. */
static void test_first_bytes_tell_which_muxer_was_meant(void **state)
{
	static const char *const both[] = {MPLEX, YAMUX, NULL};
	static const struct {
		const char *text;
		size_t len;
		const char *want;
	} cases[] = {
		{"\0\0\0\1\0\0\0\1\0\0\0\0", 12, "yamux"},
		{"\0\1\0\1\0\0\0\1\0\0\0\0", 12, "yamux"},
		{"\0\2\0\1\0\0\0\0\0\0\0\7", 12, "yamux"},
		{"\0\2i0", 4, "mplex"},
		{"\0\0\2\1x", 5, "mplex"},
		{"\0\1\x30\2\1x", 6, "mplex"},
	};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(cases); i++) {
		struct bytes all = bytes_of(cases[i].text, cases[i].len);
		struct test_env te;
		struct forger f;
		struct side b;

		forge_upgrade(&f, &b, &te, both);
		assert_int_equal(b.ready, 0);
		assert_int_equal(send_sealed(&f, &b, bytes_first(all, 2)), 0);
		assert_int_equal(b.ready, 0);
		assert_int_equal(send_sealed(&f, &b, bytes_skip(all, 2)), 0);
		assert_int_equal(b.ready, 1);
		assert_string_equal(channel_info(b.up).muxer, cases[i].want);
		side_clear(&b);
	}
}

static void test_whoever_does_not_speak_multistream_is_refused(void **state)
{
	static const uint8_t hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc"
				       "\x03\x03 a TLS hello is no header";
	struct upgrader_cfg cfg = default_cfg(false);
	struct test_env te;
	struct side b;
	size_t taken;

	(void)state;
	test_env_init(&te, 11);
	side_init(&b, &te, &who[1], &cfg);
	assert_int_equal(side_feed(&b, bytes_of(hello, sizeof(hello)), &taken),
		P2P_ERR_MALFORMED);
	assert_int_equal(side_peek(&b).len, 0);
	side_clear(&b);
}

/* ---- limits ------------------------------------------------------------ */

/* The same meeting with the nth charge refused; false: there was none. */
static bool meet_refusing(uint64_t seed, uint64_t nth)
{
	struct buf sent;
	struct pair p;
	bool refused;

	pair_default(&p, seed);
	give(&p.a, 40000, &sent);
	(void)budget_test_refuse_nth(nth);
	mem_pipe_run(&p.pipe);
	refused = budget_test_refuse_nth(0) >= nth;
	check_prefix(&p.a.got, &sent);
	if (!refused)
		check_same(&p.a.got, &sent);
	pair_clear(&p);
	buf_clear(&sent);
	return refused;
}

static void test_every_refusal_of_the_budget_is_survived(void **state)
{
	uint64_t refusals = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 8; seed++) {
		uint64_t nth = 1;

		while (meet_refusing(seed, nth))
			nth++;
		refusals += nth - 1;
	}
	assert_true(refusals > 50);
}

static int setup(void **state)
{
	uint8_t seed[32];

	(void)state;
	for (int i = 0; i < 3; i++) {
		memset(seed, 0x51 + i, sizeof(seed));
		identity_from_seed(&who[i], seed);
	}
	return crypto_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_initiator_sends_everything_in_one_flight),
		cmocka_unit_test(
			test_every_combination_of_muxers_agrees_and_echoes),
		cmocka_unit_test(test_megabytes_pass_through_small_lanes),
		cmocka_unit_test(test_upgrade_rejects_wrong_peer_id),
		cmocka_unit_test(test_own_stream_needs_a_ready_connection),
		cmocka_unit_test(test_writer_is_stopped_and_told_when_to_go_on),
		cmocka_unit_test(test_full_queues_stop_the_reading),
		cmocka_unit_test(test_no_byte_can_be_changed_unseen),
		cmocka_unit_test(
			test_cut_connection_never_pretends_to_be_whole),
		cmocka_unit_test(test_replayed_connection_is_refused),
		cmocka_unit_test(
			test_listener_refuses_tls_and_then_takes_noise),
		cmocka_unit_test(test_first_bytes_tell_which_muxer_was_meant),
		cmocka_unit_test(
			test_whoever_does_not_speak_multistream_is_refused),
		cmocka_unit_test(test_every_refusal_of_the_budget_is_survived),
	};

	return cmocka_run_group_tests_name("upgrader", tests, setup, NULL);
}
