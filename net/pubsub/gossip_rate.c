/*
 * Rates of what is pushed: buckets that drain with time. There is one an
 * author, heard of lately; strangers, whom the owner does not know, share one
 * a peer that brings them, one a room and one for all rooms.
 *
 * New authors cost the peer that brings them, so nobody can bring a key a line;
 * an author is new once, and its bucket stays until GOSSIP_RATE_AUTHORS_MAX
 * others were heard of.
 */
#include "net/pubsub/gossip_rate.h"

#include <stdlib.h>

#include "base/xmalloc.h"

/* So many parts of one unit drain in a millisecond, for each that may come in
 * a minute. */
#define PARTS 60000u

struct author_rate {
	struct bucket said[2]; /* lines and bytes */
};

struct limit {
	uint64_t a_minute;
	uint64_t burst;
};

static const struct limit new_authors = {
	GOSSIP_RATE_NEW_A_MINUTE, GOSSIP_RATE_NEW_BURST};
static const struct limit author_bytes = {
	GOSSIP_RATE_AUTHOR_BYTES * 60, GOSSIP_RATE_AUTHOR_BYTES_BURST};
/* Lines and bytes. */
static const struct limit of_peer[2] = {
	{GOSSIP_RATE_PEER_LINES * 60, GOSSIP_RATE_PEER_LINES_BURST},
	{GOSSIP_RATE_PEER_BYTES * 60, GOSSIP_RATE_PEER_BYTES_BURST}};
static const struct limit of_room[2] = {
	{GOSSIP_RATE_ROOM_LINES * 60, GOSSIP_RATE_ROOM_LINES_BURST},
	{GOSSIP_RATE_ROOM_BYTES * 60, GOSSIP_RATE_ROOM_BYTES_BURST}};
/* What is over a rate costs its sender credit, and is forgiven so fast: nobody
 * honest is brought more by one peer. */
static const struct limit forgiven = {
	GOSSIP_RATE_ROOM_BYTES * 60, GOSSIP_RATE_OVER_BYTES_MAX};
static const struct limit all_bytes = {
	GOSSIP_RATE_ALL_BYTES * 60, GOSSIP_RATE_ALL_BYTES_BURST};

void rate_init(struct gossip *g, const struct env *env)
{
	table_init(&g->rate.authors, env->rng);
	table_init(&g->rate.known, env->rng);
}

static void drop_author(struct gossip *g, struct table_entry *e)
{
	free(table_remove(&g->rate.authors, table_key(e)));
	budget_release(&g->held, GOSSIP_RATE_AUTHOR_COST_BYTES);
}

void rate_clear(struct gossip *g)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &g->rate.authors)
		drop_author(g, e);
	table_clear(&g->rate.authors);
	table_clear(&g->rate.known);
}

void gossip_limit_authors(struct gossip *g, unsigned lines_a_minute)
{
	g->rate.author_lines = lines_a_minute;
}

int gossip_set_known(struct gossip *g, const struct peer_id *id, bool known)
{
	struct bytes key = peer_id_bytes(id);

	if (!known) {
		(void)table_remove(&g->rate.known, key);
		return 0;
	}
	if (g->rate.known.count >= GOSSIP_KNOWN_MAX &&
		table_get(&g->rate.known, key) == NULL)
		return P2P_ERR_LIMIT;
	(void)table_put(&g->rate.known, key, g);
	return 0;
}

/* ---- buckets ----------------------------------------------------------- */

static bool fits(struct bucket *b, const struct env *env,
	const struct limit *limit, uint64_t count)
{
	uint64_t gone = (env->now_ms - b->since_ms) * limit->a_minute;

	b->used = b->used > gone ? b->used - gone : 0;
	b->since_ms = env->now_ms;
	return b->used + count * PARTS <= limit->burst * PARTS;
}

static void fill(struct bucket *b, uint64_t count)
{
	b->used += count * PARTS;
}

/* One line of so many bytes. */
static bool both_fit(struct bucket pair[static 2], const struct env *env,
	const struct limit limits[static 2], uint64_t bytes)
{
	return fits(&pair[0], env, &limits[0], 1) &&
	       fits(&pair[1], env, &limits[1], bytes);
}

static void fill_both(struct bucket pair[static 2], uint64_t bytes)
{
	fill(&pair[0], 1);
	fill(&pair[1], bytes);
}

/* ---- authors ----------------------------------------------------------- */

bool rate_knows(const struct gossip *g, const struct peer_id *id)
{
	struct bytes key = peer_id_bytes(id);

	return table_get(&g->rate.known, key) != NULL ||
	       table_get(&g->direct, key) != NULL;
}

static struct author_rate *author_get(
	struct gossip *g, const struct peer_id *author)
{
	struct bytes key = peer_id_bytes(author);
	struct author_rate *a = table_get(&g->rate.authors, key);

	if (a != NULL)
		return a;
	if (g->rate.authors.count >= GOSSIP_RATE_AUTHORS_MAX)
		drop_author(g, table_oldest(&g->rate.authors));
	budget_owe(&g->held, GOSSIP_RATE_AUTHOR_COST_BYTES);
	a = xcalloc(1, sizeof(*a));
	(void)table_put(&g->rate.authors, key, a);
	return a;
}

static void author_limits(const struct gossip *g, struct limit out[static 2])
{
	out[0].a_minute = g->rate.author_lines;
	/* A minute's lines at once, and some for those that the network has
	 * pushed together: who keeps to the rate never meets it. */
	out[0].burst = g->rate.author_lines + g->rate.author_lines / 4 + 1;
	out[1] = author_bytes;
}

static bool author_may(struct gossip *g, const struct env *env,
	struct author_rate *a, const struct unit *u)
{
	struct limit limits[2];

	author_limits(g, limits);
	if (both_fit(a->said, env, limits, u->data.len))
		return true;
	g->counters.rate_author++;
	return false;
}

/* ---- the two looks ----------------------------------------------------- */

/* Whether the peer pays for bringing it. */
static bool is_charged(
	const struct gossip *g, const struct gpeer *p, const struct unit *u)
{
	return g->rate.author_lines != 0 && !p->direct &&
	       !rate_knows(g, &u->from);
}

/* All of the room's strangers, and of all rooms'. */
static bool room_may(struct gossip *g, const struct env *env, struct topic *t,
	const struct unit *u)
{
	if (fits(&g->rate.strangers, env, &all_bytes, u->data.len) &&
		both_fit(t->strangers, env, of_room, u->data.len))
		return true;
	g->counters.rate_room++;
	return false;
}

static bool may_check(struct gossip *g, const struct env *env, struct gpeer *p,
	struct topic *t, const struct unit *u)
{
	struct author_rate *a =
		table_get(&g->rate.authors, peer_id_bytes(&u->from));

	if (g->rate.author_lines == 0)
		return true;
	if (a != NULL && !author_may(g, env, a, u))
		return false;
	if (!is_charged(g, p, u))
		return true;
	if (a == NULL && !fits(&p->new_authors, env, &new_authors, 1)) {
		g->counters.rate_new++;
		return false;
	}
	if (both_fit(p->strangers, env, of_peer, u->data.len))
		return room_may(g, env, t, u);
	g->counters.rate_peer++;
	return false;
}

/* A line costs work beside its bytes. */
static void note_over(
	const struct env *env, struct gpeer *p, const struct unit *u)
{
	uint64_t cost = GOSSIP_RATE_OVER_LINE_BYTES + u->data.len;

	if (fits(&p->over, env, &forgiven, cost))
		fill(&p->over, cost);
}

bool rate_may_check(struct gossip *g, const struct env *env, struct gpeer *p,
	struct topic *t, const struct unit *u)
{
	bool may = may_check(g, env, p, t, u);

	if (!may)
		note_over(env, p, u);
	return may;
}

size_t rate_over(const struct env *env, struct gpeer *p)
{
	(void)fits(&p->over, env, &forgiven, 0);
	return p->over.used / PARTS;
}

void rate_brought(struct gossip *g, struct gpeer *p, const struct unit *u)
{
	if (!is_charged(g, p, u))
		return;
	if (table_get(&g->rate.authors, peer_id_bytes(&u->from)) == NULL) {
		fill(&p->new_authors, 1);
		(void)author_get(g, &u->from);
	}
	fill_both(p->strangers, u->data.len);
}

bool rate_take(struct gossip *g, const struct env *env, struct topic *t,
	const struct unit *u)
{
	struct author_rate *a;

	if (g->rate.author_lines == 0)
		return true;
	a = author_get(g, &u->from);
	if (!author_may(g, env, a, u))
		return false;
	if (!rate_knows(g, &u->from)) {
		if (!room_may(g, env, t, u))
			return false;
		fill(&g->rate.strangers, u->data.len);
		fill_both(t->strangers, u->data.len);
	}
	fill_both(a->said, u->data.len);
	return true;
}
