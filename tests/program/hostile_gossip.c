/*
 * Steps that break the rules of gossip, or keep them too eagerly.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/unit/unit.h"
#include "net/wire/pb.h"
#include "tests/program/hostile.h"

void do_subscriptions(struct foe *f)
{
	char topic[400];
	struct buf b;

	if (!idle(f))
		return;
	buf_init(&b, RPC_BYTES);
	/* Mostly as many as one RPC may hold, for those count. */
	for (int i = f->count % 20 == 0 ? -5000 : 0; i < 200; i++) {
		(void)snprintf(topic, sizeof(topic), "topic-%0*llu",
			i % 50 == 0 ? 300 : 20, (unsigned long long)f->count++);
		subscribe(&b, topic, true);
	}
	rpc(f, &b);
}

void do_empties(struct foe *f)
{
	static const uint8_t entries[] = {
		0x0a, 0x00, 0x12, 0x00, 0x1a, 0x00, 0x22, 0x00};
	struct buf b;

	if (!idle(f))
		return;
	buf_init(&b, RPC_BYTES);
	while (b.len + sizeof(entries) < RPC_BYTES - 16)
		(void)buf_append(&b, bytes_of(entries, sizeof(entries)));
	rpc(f, &b);
}

void do_giant(struct foe *f)
{
	static const char *const lengths[] = {"\xff\xff\xff\xff\x0f",
		"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "\x81\x80\x40",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"};
	uint32_t id;

	id = propose(f, MESHSUB);
	data(f, 0, id, bytes_str(lengths[f->count++ % 4]));
	for (int i = 0; i < 8; i++)
		data(f, 0, id, bytes_str("some bytes behind the length"));
}

static void put_unit(struct foe *f, struct buf *b, bool forged)
{
	char text[300];
	struct buf unit;

	(void)snprintf(text, sizeof(text),
		"{\"type\":\"message\",\"content\":\"flood %llu\","
		"\"username\":\"foe\",\"timestamp\":1700000000}",
		(unsigned long long)f->count++);
	buf_init(&unit, UNIT_BYTES_MAX);
	if (unit_sign(&f->me, clock_wall_ms() * 1000000 + f->count,
		    bytes_str(LOBBY), bytes_str(text), &unit) != 0)
		abort();
	if (forged)
		unit.data[unit.len - 50] ^= 1;
	pb_put_bytes(b, RPC_PUBLISH, buf_bytes(&unit));
	buf_clear(&unit);
}

void do_units(struct foe *f)
{
	struct buf b;

	if (!idle(f))
		return;
	buf_init(&b, RPC_BYTES);
	for (int i = 0; i < 20; i++)
		put_unit(f, &b, attack->forged);
	rpc(f, &b);
}

void do_ids(struct foe *f)
{
	struct buf b;
	size_t control, part;
	bool have = f->count++ % 2 == 0;
	uint8_t id[46];

	if (!idle(f))
		return;
	buf_init(&b, RPC_BYTES);
	control = pb_begin(&b, RPC_CONTROL);
	part = pb_begin(&b, have ? CONTROL_IHAVE : CONTROL_IWANT);
	if (have)
		pb_put_bytes(&b, IHAVE_TOPIC, bytes_str(LOBBY));
	for (int i = 0; i < 4000; i++) {
		rng_fill(&rng, id, sizeof(id));
		memcpy(id, f->me.id.raw, 38);
		pb_put_bytes(&b, have ? IHAVE_IDS : IWANT_IDS,
			bytes_of(id, sizeof(id)));
	}
	pb_end(&b, part);
	pb_end(&b, control);
	rpc(f, &b);
}

void do_grafts(struct foe *f)
{
	struct buf b;
	char topic[64];
	size_t control, part;

	if (!idle(f))
		return;
	buf_init(&b, RPC_BYTES);
	control = pb_begin(&b, RPC_CONTROL);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(topic, sizeof(topic), "graft-%llu",
			(unsigned long long)f->count++);
		part = pb_begin(&b, CONTROL_GRAFT);
		pb_put_bytes(&b, GRAFT_TOPIC,
			bytes_str(i % 10 == 0 ? LOBBY : topic));
		pb_end(&b, part);
		part = pb_begin(&b, CONTROL_PRUNE);
		pb_put_bytes(&b, PRUNE_TOPIC, bytes_str(topic));
		pb_put_uint(&b, PRUNE_BACKOFF, UINT64_MAX);
		pb_end(&b, part);
	}
	pb_end(&b, control);
	rpc(f, &b);
}

/* One valid line. */
void do_line(struct foe *f)
{
	struct buf b;

	if (f->main_id == 0 || f->count > 0)
		return;
	buf_init(&b, RPC_BYTES);
	put_unit(f, &b, false);
	rpc(f, &b);
}

/* Pauses that overflow a clock, for the room that both are in. */
void do_prunes(struct foe *f)
{
	static const uint64_t pauses[] = {
		UINT64_MAX, INT64_MAX, UINT64_MAX / 1000, 1ull << 32, 0};
	struct buf b;
	size_t control, part;

	if (!idle(f))
		return;
	buf_init(&b, RPC_BYTES);
	control = pb_begin(&b, RPC_CONTROL);
	for (int i = 0; i < 200; i++) {
		part = pb_begin(&b, CONTROL_PRUNE);
		pb_put_bytes(&b, PRUNE_TOPIC, bytes_str(LOBBY));
		pb_put_uint(&b, PRUNE_BACKOFF, pauses[f->count++ % 5]);
		pb_end(&b, part);
		part = pb_begin(&b, CONTROL_GRAFT);
		pb_put_bytes(&b, GRAFT_TOPIC, bytes_str(LOBBY));
		pb_end(&b, part);
	}
	pb_end(&b, control);
	rpc(f, &b);
}

/* Nothing more: its sin is not to read, or what identify says. */
void do_nothing(struct foe *f)
{
	(void)f;
}

/* All but the last byte of much, on every stream that takes some. */
void do_hoard(struct foe *f)
{
	static uint8_t much[200000];
	uint32_t id;

	if (f->count++ >= 60)
		return;
	id = propose(f, f->count % 2 == 0 ? PUSH : MESHSUB);
	data(f, 0, id,
		bytes_str(f->count % 2 == 0 ? "\xff\xff\x03" : "\xff\xff\x3f"));
	memset(much, 0x0a, sizeof(much));
	for (int i = 0; i < 12; i++)
		data(f, 0, id, bytes_of(much, 16384));
}
