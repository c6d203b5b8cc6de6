/*
 * Steps that say valid lines, each by its own rule of whom, when and how long:
 * nothing in them is against a protocol, and there is too much of it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/unit/unit.h"
#include "net/wire/pb.h"
#include "tests/program/hostile.h"

#define LARGE_BYTES 60000
#define YEAR_S (366ull * 86400)
#define HOUR_S 3600
/* Lines of one key before the next is made. */
#define CHURN_LINES 5

static void put_line(struct buf *b, struct foe *f, const struct identity *who,
	size_t length, uint64_t wall_s)
{
	struct buf text, unit;
	char head[160];

	buf_init(&text, UNIT_BYTES_MAX);
	buf_init(&unit, UNIT_BYTES_MAX);
	(void)snprintf(head, sizeof(head),
		"{\"type\":\"message\",\"username\":\"foe\",\"timestamp\":%llu,"
		"\"content\":\"line %llu ",
		(unsigned long long)wall_s, (unsigned long long)f->count++);
	(void)buf_append(&text, bytes_str(head));
	while (text.len < length)
		(void)buf_append(&text, bytes_str("much "));
	(void)buf_append(&text, bytes_str("\"}"));
	if (unit_sign(who, clock_wall_ms() * 1000000 + f->count,
		    bytes_str(LOBBY), buf_bytes(&text), &unit) != 0)
		abort();
	pb_put_bytes(b, RPC_PUBLISH, buf_bytes(&unit));
	buf_clear(&unit);
	buf_clear(&text);
}

static uint64_t now_s(void)
{
	return clock_wall_ms() / 1000;
}

static void new_key(struct identity *who)
{
	uint8_t seed[32];

	rng_fill(&rng, seed, sizeof(seed));
	identity_from_seed(who, seed);
}

void do_large_lines(struct foe *f)
{
	struct buf b;

	if (!idle(f))
		return;
	buf_init(&b, RPC_BYTES);
	put_line(&b, f, &f->me, LARGE_BYTES, now_s());
	rpc(f, &b);
}

/* Twenty lines, with another key after each `lines`; 0: its own. */
static void say_twenty(struct foe *f, unsigned lines)
{
	struct identity who = f->me;
	struct buf b;

	if (!idle(f))
		return;
	buf_init(&b, RPC_BYTES);
	for (unsigned i = 0; i < 20; i++) {
		if (lines > 0 && i % lines == 0)
			new_key(&who);
		put_line(&b, f, &who, 0, now_s());
	}
	rpc(f, &b);
}

void do_key_a_line(struct foe *f)
{
	say_twenty(f, 1);
}

void do_key_churn(struct foe *f)
{
	say_twenty(f, CHURN_LINES);
}

void do_clones(struct foe *f)
{
	say_twenty(f, 0);
}

void do_dated(struct foe *f)
{
	struct buf b;

	if (!idle(f))
		return;
	buf_init(&b, RPC_BYTES);
	for (unsigned i = 0; i < 20; i++)
		put_line(
			&b, f, &f->me, 0, now_s() - f->count * HOUR_S % YEAR_S);
	rpc(f, &b);
}

void do_joins(struct foe *f)
{
	struct buf b;

	if (!idle(f))
		return;
	buf_init(&b, RPC_BYTES);
	for (unsigned i = 0; i < 50; i++)
		subscribe(&b, LOBBY, f->count++ % 2 == 1);
	rpc(f, &b);
}
