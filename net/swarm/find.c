/*
 * What is where: connections and peers by their ids, and which connection of a
 * peer counts.
 */
#include "net/swarm/swarm_internal.h"

struct conn *conn_find(const struct swarm *s, uint64_t id)
{
	return table_get(&s->conns, bytes_of(&id, sizeof(id)));
}

struct peer *peer_find(const struct swarm *s, const struct peer_id *id)
{
	return table_get(&s->peers, peer_id_bytes(id));
}

struct conn *peer_conn(const struct peer *p)
{
	struct conn *limited = NULL;
	struct list *pos, *tmp;

	/* The newest that works: an older one may be dead unnoticed. */
	for (pos = p->conns.prev, tmp = pos->prev; pos != &p->conns;
		pos = tmp, tmp = pos->prev) {
		struct conn *c = LIST_ITEM(pos, struct conn, of_peer);

		if (c->state == CONN_READY && !c->limited)
			return c;
		if (c->state == CONN_READY && limited == NULL)
			limited = c;
	}
	return limited;
}

bool peer_has_direct(const struct peer *p)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &p->conns)
		if (!LIST_ITEM(pos, struct conn, of_peer)->limited)
			return true;
	return false;
}

void peer_hold(struct peer *p)
{
	p->known.held = !list_empty(&p->conns) || p->dials > 0;
}

bool swarm_peer_speaks(
	const struct swarm *s, const struct peer_id *id, const char *protocol)
{
	struct peer *p = peer_find(s, id);
	size_t n = strlen(protocol);
	const char *line;

	if (p == NULL)
		return false;
	line = buf_cstr(&p->protocols);
	while (*line != '\0') {
		const char *end = strchrnul(line, '\n');

		if ((size_t)(end - line) == n && memcmp(line, protocol, n) == 0)
			return true;
		line = *end == '\0' ? end : end + 1;
	}
	return false;
}
