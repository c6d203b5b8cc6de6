/*
 * An answer of our own, for rust-libp2p. It asks from a port of its own, so
 * that Avahi answers to that port (RFC 6762 section 6.7), where it does not
 * listen; of what is sent to the group it reads the additional records alone,
 * and Avahi puts everything among the answers. The answer goes out as
 * rust-libp2p's own do, from a port that is not 5353: Avahi passes over it, so
 * that it can neither clash with Avahi's records nor be cached beside them.
 */
#include "base/clock.h"
#include "net/discover/mdns.h"
#include "net/loop/loop_internal.h"

/* RFC 6762 section 6: a record goes out once in a second. */
#define PAUSE_MS 1000

void answer_init(struct loop *l)
{
	buf_init(&l->answer, MDNS_ANSWER_BYTES_MAX);
}

void answer_clear(struct loop *l)
{
	buf_clear(&l->answer);
}

void answer_prepare(struct loop *l, const struct maddr *addrs, size_t count)
{
	char instance[MDNS_INSTANCE_CHARS + 1];

	mdns_instance_name(&l->rng, instance);
	buf_reset(&l->answer);
	if (mdns_packet_answer(&l->answer, instance, addrs, count) != 0)
		buf_reset(&l->answer);
}

void answer_asked(struct loop *l)
{
	l->answer_due = true;
	answer_if_due(l);
}

void answer_if_due(struct loop *l)
{
	uint64_t now_ms = clock_now_ms();

	if (!l->answer_due || l->answer.len == 0 ||
		now_ms < l->answered_ms + PAUSE_MS)
		return;
	l->answer_due = false;
	l->answered_ms = now_ms;
	query_multicast(buf_bytes(&l->answer));
}
