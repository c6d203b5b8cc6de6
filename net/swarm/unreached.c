/*
 * Whom the LAN shows and nobody reaches: with a firewall at both ends neither
 * gets through, though each sees the other. People are told how many those are.
 */
#include "net/swarm/swarm_internal.h"

static bool is_shown(const struct peer *p)
{
	bool lan = false;

	for (unsigned i = 0; i < p->known.count; i++) {
		const struct book_addr *a = p->known.addrs[i];

		/* Who was reached before is away, most likely. */
		if (a->ok_ms != P2P_NEVER || (a->sources & BOOK_SAVED) != 0)
			return false;
		lan = lan || (a->sources & BOOK_LAN) != 0;
	}
	return lan;
}

static bool is_unreached(const struct peer *p)
{
	return p->failures >= SWARM_UNREACHED_AFTER && list_empty(&p->conns) &&
	       is_shown(p);
}

void unreached_look(struct swarm *s)
{
	struct table_entry *e, *tmp;
	unsigned count = 0;

	TABLE_FOREACH(e, tmp, &s->peers)
		count += is_unreached(e->value);
	if (count == s->unreached)
		return;
	s->unreached = count;
	swarm_emit(s, &(struct swarm_event){
			      .kind = SWARM_EV_UNREACHED, .number = count});
}
