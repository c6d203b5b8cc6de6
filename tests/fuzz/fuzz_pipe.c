/*
 * Pipes between a peer that writes what it likes and an owner that does what it
 * likes. The connection is upgraded by a partner that has keys, so the script
 * speaks plaintext to mplex, whose frames are short. Of each pipe UP comes at
 * most once, nothing after GONE, and no more waits than may; nothing is held at
 * the end.
 */
#include <stdlib.h>

#include "base/cursor.h"
#include "net/serve/pipe.h"
#include "tests/lib/noise_forger.h"
#include "tests/lib/test_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAME_MAX 300
#define PIPES 8

static const char *const one_name[] = {"/p/1", NULL};
static const char *const two_names[] = {"/q/2", "/q/1", NULL};
static const struct service_ops p_ops = {PIPE_OPS, .names = one_name,
	.in_per_peer = 2, .newest_stays = true, .early = true, .life_ms = 3000,
	.frame_bytes_max = FRAME_MAX};
static const struct service_ops q_ops = {PIPE_OPS, .names = two_names,
	.in_per_peer = 3, .early = true, .idle_ms = 1000,
	.frame_bytes_max = FRAME_MAX};
static const struct service_ops *const services[] = {&p_ops, &q_ops, NULL};
static const char *const mplex[] = {"/mplex/6.7.0", NULL};

struct fuzz {
	struct test_env te;
	struct identity me, other;
	struct serve *sv;
	struct forger forger;
	uint64_t conn;
	uint64_t pipes[PIPES]; /* numbers that were told of, 0: none */
	bool gone[PIPES];
	unsigned next;
	uint64_t opened;
};

static void note(struct fuzz *f, uint64_t pipe)
{
	unsigned i = f->next++ % PIPES;

	f->pipes[i] = pipe;
	f->gone[i] = false;
}

static void hear(struct fuzz *f)
{
	struct pipe_event ev;
	unsigned i;

	while (pipe_next_event(f->sv, &ev)) {
		for (i = 0; i < PIPES && f->pipes[i] != ev.pipe; i++)
			continue;
		P2P_ASSERT(i == PIPES || !f->gone[i]);
		P2P_ASSERT(ev.kind != PIPE_EV_FRAME || ev.len <= FRAME_MAX);
		if (ev.kind == PIPE_EV_UP) {
			P2P_ASSERT(ev.inbound == (ev.pipe < PIPE_OURS));
			P2P_ASSERT(i == PIPES || !ev.inbound);
			if (i == PIPES)
				note(f, ev.pipe);
		}
		if (ev.kind == PIPE_EV_GONE && i < PIPES)
			f->gone[i] = true;
		free(ev.data);
	}
}

static void settle(struct fuzz *f)
{
	struct swarm_event ev;
	struct swarm_action act;

	do {
		while (serve_step(f->sv, &f->te.env, &ev))
			continue;
	} while (serve_next_action(f->sv, &f->te.env, &act));
}

static void bytes(struct fuzz *f, struct bytes in)
{
	swarm_bytes(serve_swarm(f->sv), &f->te.env, f->conn, in);
	settle(f);
}

static void drain(struct fuzz *f, size_t max)
{
	struct swarm *s = serve_swarm(f->sv);
	size_t n = swarm_out_peek(s, &f->te.env, f->conn).len;

	swarm_out_consume(s, &f->te.env, f->conn, P2P_MIN(n, max));
	settle(f);
}

static void upgrade(struct fuzz *f)
{
	struct swarm *s = serve_swarm(f->sv);
	struct maddr from;
	struct buf payload;

	P2P_ASSERT(
		maddr_parse_text(&from, bytes_str("/ip4/9.9.9.9/tcp/9")) == 0);
	f->conn = swarm_accepted(s, &f->te.env, &from);
	bytes(f, bytes_str("\x13/multistream/1.0.0\n\x07/noise\n"));
	drain(f, SIZE_MAX);
	forger_init(&f->forger, true);
	forger_write(&f->forger, bytes_of(NULL, 0));
	bytes(f, bytes_of(f->forger.wire, f->forger.len));
	drain(f, forger_read(
			 &f->forger, swarm_out_peek(s, &f->te.env, f->conn)));
	buf_init(&payload, 512);
	forger_payload(&f->forger, &f->other, mplex, &payload);
	forger_write(&f->forger, buf_bytes(&payload));
	bytes(f, bytes_of(f->forger.wire, f->forger.len));
	buf_clear(&payload);
}

/* The other thread's part. */
static void own(struct fuzz *f, uint8_t op, struct bytes in)
{
	uint64_t pipe = f->pipes[op / 8 % PIPES];
	bool two = (op & 64) != 0;

	switch (op % 4) {
	case 0:
		if (pipe_open(f->sv, &f->te.env, PIPE_OURS + f->opened,
			    &f->other.id, two ? "/q/2" : "/p/1") == 0)
			note(f, PIPE_OURS + f->opened);
		f->opened++;
		break;
	case 1:
		pipe_send(f->sv, &f->te.env, pipe, in);
		break;
	case 2:
		pipe_took(f->sv, pipe, in.len * 16);
		break;
	default:
		pipe_close(f->sv, &f->te.env, pipe, two);
	}
	settle(f);
}

static void one(struct fuzz *f, struct cursor *c)
{
	uint8_t op = cur_u8(c);
	size_t n = cur_u8(c);
	struct bytes in = cur_take(c, P2P_MIN(n, cur_left(c)));

	switch (op % 8) {
	case 0:
	case 1:
	case 2:
		forger_seal(&f->forger, in);
		bytes(f, bytes_of(f->forger.wire, f->forger.len));
		break;
	case 3:
		drain(f, in.len * in.len);
		break;
	case 4:
		f->te.env.now_ms += in.len * 10;
		serve_tick(f->sv, &f->te.env);
		settle(f);
		break;
	case 5:
		hear(f);
		break;
	default:
		own(f, op / 8, in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cur_of(bytes_of(data, size));
	uint8_t seed[32] = {1};
	static struct fuzz f;
	struct serve_cfg cfg = {.me = &f.me,
		.agent = "fuzz",
		.offer_mplex = true,
		.early_muxers = true,
		.services = services};

	f = (struct fuzz){.conn = 0};
	P2P_ASSERT(crypto_init() == 0);
	test_env_init(&f.te, 1);
	identity_from_seed(&f.me, seed);
	seed[0] = 2;
	identity_from_seed(&f.other, seed);
	f.sv = serve_new(&cfg, &f.te.env);
	upgrade(&f);
	while (cur_left(&c) > 0)
		one(&f, &c);
	serve_free(f.sv);
	P2P_ASSERT(f.te.budget.used == 0);
	return 0;
}
