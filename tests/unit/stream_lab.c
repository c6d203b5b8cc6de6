#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/proto/identify.h"
#include "net/unit/unit.h"
#include "tests/unit/stream_lab.h"

const struct service_ops *const stream_lab_whole[] = {
	&identify_ops, &identify_push_ops, &gossip_ops, NULL};

void stream_lab_join(struct swarm_lab *l, unsigned i,
	const struct service_ops *const *services)
{
	struct serve_cfg cfg = {.offer_yamux = true, .services = services};

	lab_replace(l, i, cfg, true);
	assert_int_equal(gossip_join(stream_lab_core(l, i), &l->te.env,
				 bytes_str(STREAM_LAB_TOPIC)),
		0);
}

struct stream_gossip *stream_lab_at(struct swarm_lab *l, unsigned i)
{
	return serve_self(l->host[i].sv, &gossip_ops);
}

struct gossip *stream_lab_core(struct swarm_lab *l, unsigned i)
{
	return stream_gossip_core(stream_lab_at(l, i));
}

void stream_lab_flush(struct swarm_lab *l)
{
	for (unsigned i = 0; i < LAB_HOSTS; i++)
		if (stream_lab_at(l, i) != NULL)
			stream_gossip_flush(stream_lab_at(l, i), &l->te.env);
	lab_run(l);
}

void stream_lab_pass(struct swarm_lab *l, uint64_t ms)
{
	for (uint64_t done = 0; done < ms; done += 100) {
		lab_pass(l, 100);
		stream_lab_flush(l);
	}
}

void stream_lab_say(struct swarm_lab *l, unsigned i, struct bytes text)
{
	static uint64_t seqno;
	struct buf unit;

	buf_init(&unit, UNIT_BYTES_MAX);
	assert_int_equal(unit_sign(&l->host[i].me, ++seqno,
				 bytes_str(STREAM_LAB_TOPIC), text, &unit),
		0);
	(void)!gossip_publish(
		stream_lab_core(l, i), &l->te.env, buf_bytes(&unit));
	buf_clear(&unit);
	stream_lab_flush(l);
}

void stream_lab_give(struct swarm_lab *l, unsigned i, struct unit_batch *b)
{
	unit_batch_check(b);
	gossip_verified(stream_lab_core(l, i), &l->te.env, b);
	stream_gossip_verified(stream_lab_at(l, i), &l->te.env);
}

unsigned stream_lab_come(struct swarm_lab *l, unsigned to)
{
	struct gossip *g = stream_lab_core(l, to);
	struct unit_batch *b;
	struct gossip_event ev;
	unsigned n = 0;

	while ((b = gossip_next_verify(g)) != NULL) {
		stream_lab_give(l, to, b);
		stream_lab_flush(l);
	}
	while (gossip_next_event(g, &ev)) {
		n += ev.kind == GOSSIP_EV_UNIT;
		free(ev.unit);
	}
	return n;
}
