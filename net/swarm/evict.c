/*
 * Who gives way when inbound places are short. A look at all of them and no
 * state of its own, but for when the last one of those who take part had to go:
 * some SWARM_CONNS_MAX squared comparisons of a few bytes, far less than the
 * handshake that led to it, and no count beside the connections themselves that
 * could come to differ from them.
 *
 *   friends                 never, SWARM_IN_FRIENDS_MAX of them
 *   a second connection     first: its peer loses nothing
 *   who does nothing        next, once it had the time to begin
 *   who takes part          by several measures at once (protect_some)
 *
 * Within each the widest site pays, and in it who is idle longest. The measures
 * are those of Bitcoin Core's AttemptToEvictConnection as far as a chat has
 * them: whoever wants to keep us from everybody must be near, must have come
 * early, must have brought what is new and must come from many networks, all at
 * once; each that he has not leaves places to others.
 */
#include <stdlib.h>

#include "net/swarm/swarm_internal.h"

/* One who may have to go, and what speaks for it. */
struct runner {
	struct conn *c;
	int worth;
	uint64_t since_ms;  /* it is ready, or began to be */
	uint64_t active_ms; /* it brought something new; or since_ms */
	uint64_t rtt_us;
	uint64_t network; /* a number that nobody else can foresee */
	bool comes_again; /* one of its site had to go lately */
};

struct field {
	struct runner r[SWARM_CONNS_MAX];
	size_t n;
};

/* Which of two stays rather, for qsort: the better ones come first. */
typedef int better_fn(const void *a, const void *b);

/* ---- sites -------------------------------------------------------------- */

/* Widest first. */
static const struct {
	enum dialable_host host;
	uint8_t bits;
	uint8_t most; /* connections, where there is a limit at all */
} widths[] = {
	{DIALABLE_HOST_IP6, 32, SWARM_CONNS_PER_IP6_32_MAX},
	{DIALABLE_HOST_IP6, 48, SWARM_CONNS_PER_IP6_48_MAX},
	{DIALABLE_HOST_IP6, 56, SWARM_CONNS_PER_IP6_56_MAX},
	{DIALABLE_HOST_IP6, 64, SWARM_CONNS_PER_ADDRESS_MAX},
	{DIALABLE_HOST_IP4, 24, SWARM_CONNS_PER_IP4_24_MAX},
	{DIALABLE_HOST_IP4, 32, SWARM_CONNS_PER_ADDRESS_MAX},
};

/* Whether two are one as far as so many bits of their addresses go. */
static bool same_network(const struct dialable_site *a,
	const struct dialable_site *b, unsigned bits)
{
	return a->host == b->host && memcmp(a->net, b->net, bits / 8) == 0;
}

static const struct dialable_site *site_of(const struct runner *r)
{
	return &r->c->at.site;
}

bool evict_site_is_full(const struct swarm *s, const struct dialable_site *site)
{
	for (size_t w = 0; w < P2P_ARRAY_LEN(widths); w++) {
		struct table_entry *e, *tmp;
		size_t n = 0;

		if (site->host != (uint8_t)widths[w].host)
			continue;
		TABLE_FOREACH(e, tmp, &s->conns)
			n += same_network(
				&((const struct conn *)e->value)->at.site, site,
				widths[w].bits);
		if (n >= widths[w].most)
			return true;
	}
	if (site->host != DIALABLE_HOST_IP4 && site->host != DIALABLE_HOST_IP6)
		return evict_count_of_site(s, site) >=
		       SWARM_CONNS_PER_ADDRESS_MAX;
	return false;
}

size_t evict_count_of_site(
	const struct swarm *s, const struct dialable_site *site)
{
	struct table_entry *e, *tmp;
	size_t n = 0;

	TABLE_FOREACH(e, tmp, &s->conns)
		n += dialable_same_site(
			&((const struct conn *)e->value)->at.site, site);
	return n;
}

static int by_site(const void *a, const void *b)
{
	return memcmp(site_of(a), site_of(b), sizeof(struct dialable_site));
}

/* Some that stand one behind the other. */
struct stretch {
	size_t from, n;
};

/* The largest network of that width; they stand by their sites. */
static struct stretch largest(
	const struct field *f, enum dialable_host host, unsigned bits)
{
	struct stretch most = {0, 0}, here = {0, 0};

	for (size_t i = 0; i < f->n; i++) {
		const struct dialable_site *site = site_of(&f->r[i]);

		if (site->host != (uint8_t)host)
			continue;
		if (here.n == 0 ||
			!same_network(site, site_of(&f->r[here.from]), bits))
			here = (struct stretch){.from = i};
		here.n++;
		if (here.n > most.n)
			most = here;
	}
	return most;
}

/* The others drop out, unless it has no more than may come of one household. */
static void keep(struct field *f, struct stretch only)
{
	if (only.n <= SWARM_SITE_FAIR)
		return;
	memmove(f->r, f->r + only.from, only.n * sizeof(f->r[0]));
	f->n = only.n;
}

/* The widest first, and within it the narrower ones: whoever has a /32 of IPv6
 * is one, and so is one machine within his network. */
static void keep_widest_site(struct field *f)
{
	struct stretch six, four;

	qsort(f->r, f->n, sizeof(f->r[0]), by_site);
	six = largest(f, DIALABLE_HOST_IP6, 32);
	four = largest(f, DIALABLE_HOST_IP4, 24);
	keep(f, six.n > four.n ? six : four);
	for (size_t w = 0; w < P2P_ARRAY_LEN(widths); w++)
		keep(f, largest(f, widths[w].host, widths[w].bits));
}

/* ---- what speaks for somebody ------------------------------------------- */

static int by_worth(const void *a, const void *b)
{
	const struct runner *x = a, *y = b;

	if (x->worth != y->worth)
		return x->worth > y->worth ? -1 : 1;
	return x->since_ms < y->since_ms ? -1 : x->since_ms > y->since_ms;
}

static int by_rtt(const void *a, const void *b)
{
	const struct runner *x = a, *y = b;

	return x->rtt_us < y->rtt_us ? -1 : x->rtt_us > y->rtt_us;
}

static int by_activity(const void *a, const void *b)
{
	const struct runner *x = a, *y = b;

	return x->active_ms > y->active_ms ? -1 : x->active_ms < y->active_ms;
}

static int by_age(const void *a, const void *b)
{
	const struct runner *x = a, *y = b;

	return x->since_ms < y->since_ms ? -1 : x->since_ms > y->since_ms;
}

static int by_network(const void *a, const void *b)
{
	const struct runner *x = a, *y = b;

	if (x->network != y->network)
		return x->network < y->network ? -1 : 1;
	return by_age(a, b);
}

/* The best ones by that measure are out of it. */
static void protect(struct field *f, better_fn *better, size_t count)
{
	count = P2P_MIN(count, f->n);
	qsort(f->r, f->n, sizeof(f->r[0]), better);
	f->n -= count;
	memmove(f->r, f->r + count, f->n * sizeof(f->r[0]));
}

/* The eldest of each of so many networks. */
static void protect_networks(struct field *f, size_t count)
{
	size_t kept = 0;
	uint64_t last = 0;

	qsort(f->r, f->n, sizeof(f->r[0]), by_network);
	for (size_t i = 0; i < f->n; i++) {
		bool first = i == 0 || f->r[i].network != last;

		last = f->r[i].network;
		if (first && count > 0)
			count--;
		else
			f->r[kept++] = f->r[i];
	}
	f->n = kept;
}

/* Whoever brought nothing is by_activity as old as his connection. */
static void protect_active(struct field *f, size_t count)
{
	qsort(f->r, f->n, sizeof(f->r[0]), by_activity);
	for (size_t i = 0; i < f->n && count > 0;) {
		if (f->r[i].active_ms == f->r[i].since_ms) {
			i++;
			continue;
		}
		f->n--;
		count--;
		memmove(&f->r[i], &f->r[i + 1], (f->n - i) * sizeof(f->r[0]));
	}
}

static void protect_some(struct field *f)
{
	protect_networks(f, SWARM_IN_NETWORKS);
	protect(f, by_rtt, SWARM_IN_NEAREST);
	protect_active(f, SWARM_IN_ACTIVE);
	protect(f, by_age, (f->n + 1) / 2);
}

/* ---- who is looked at ---------------------------------------------------- */

bool evict_is_friend(const struct peer *p)
{
	return p->worth >= SWARM_WORTH_FRIEND ||
	       book_worth(&p->known) == BOOK_WANTED;
}

static void draw_secret(struct swarm *s, const struct env *env)
{
	if (s->secret == 0)
		s->secret = rng_u64(env->rng);
}

/* splitmix64 of so many bytes of an address and a number of ours: who has many
 * addresses cannot choose some that are protected, nor meet another's. */
static uint64_t site_number(
	const struct swarm *s, const struct dialable_site *site, size_t bytes)
{
	uint8_t net[8] = {0};
	uint64_t x;

	memcpy(net, site->net, bytes);
	x = (get_be64(net) ^ s->secret) + site->host;
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

void evict_note(struct swarm *s, const struct env *env, const struct conn *c)
{
	uint64_t n = site_number(s, &c->at.site, sizeof(c->at.site.net));

	s->sent_away[n % P2P_ARRAY_LEN(s->sent_away)] = (struct sent_away){
		.site = (uint32_t)(n >> 32), .at_ms = env->now_ms};
}

/* When it became ready, or began to. */
static uint64_t since(const struct conn *c)
{
	return c->state == CONN_READY ? c->ready_ms
				      : c->deadline_ms - SWARM_UPGRADE_MS;
}

/* Whether one of its site had to go lately, and it came after that: who was
 * there already pays for nobody. */
static bool comes_again(
	const struct swarm *s, const struct env *env, const struct conn *c)
{
	uint64_t n = site_number(s, &c->at.site, sizeof(c->at.site.net));
	const struct sent_away *a =
		&s->sent_away[n % P2P_ARRAY_LEN(s->sent_away)];

	return a->site == (uint32_t)(n >> 32) && a->at_ms <= since(c) &&
	       env->now_ms - a->at_ms <= SWARM_SENT_AWAY_MS;
}

static bool is_proven_in(const struct conn *c)
{
	return !c->outbound && c->secured && !c->leaving &&
	       c->state != CONN_CLOSING;
}

size_t evict_places_taken(const struct swarm *s)
{
	struct table_entry *e, *tmp;
	size_t n = 0;

	TABLE_FOREACH(e, tmp, &s->conns)
		n += is_proven_in(e->value);
	return n;
}

/* Besides those who are there already, those of whom `wanted` holds. */
static void gather_more(const struct swarm *s, const struct env *env,
	struct field *f,
	bool (*wanted)(const struct env *env, const struct conn *c))
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &s->conns) {
		struct conn *c = e->value;
		const struct peer *p = c->peer;

		if (!is_proven_in(c) || !wanted(env, c))
			continue;
		P2P_ASSERT(f->n < P2P_ARRAY_LEN(f->r));
		f->r[f->n++] = (struct runner){
			.c = c,
			.worth = p->worth,
			.since_ms = since(c),
			.active_ms = P2P_MAX(p->useful_ms, since(c)),
			.rtt_us = p->rtt_us,
			.network = site_number(s, &c->at.site,
				c->at.site.host == DIALABLE_HOST_IP4 ? 3 : 4),
			.comes_again = comes_again(s, env, c),
		};
	}
}

static void gather(const struct swarm *s, const struct env *env,
	struct field *f,
	bool (*wanted)(const struct env *env, const struct conn *c))
{
	f->n = 0;
	gather_more(s, env, f, wanted);
}

/* It had the time to say who it is and what it wants. */
static bool had_time(const struct env *env, const struct conn *c)
{
	return c->state == CONN_READY &&
	       env->now_ms - c->ready_ms >= SWARM_MEET_MS;
}

/* Its peer has another one that is as good: of two that are, the older. */
static bool is_second(const struct env *env, const struct conn *c)
{
	const struct conn *best = peer_conn(c->peer);

	return had_time(env, c) && best != NULL && best != c &&
	       !best->limited && !best->leaving;
}

static bool is_stranger(const struct conn *c)
{
	return !evict_is_friend(c->peer);
}

static bool does_nothing(const struct env *env, const struct conn *c)
{
	return had_time(env, c) && is_stranger(c) && !c->peer->takes_part &&
	       c->peer->useful_ms == 0 && c->peer->worth <= 0;
}

/* All that there is to know of it is known. */
static bool is_met(const struct env *env, const struct conn *c)
{
	return had_time(env, c) || (c->state == CONN_READY && c->peer->judged &&
					   c->peer->takes_part);
}

static bool takes_part(const struct env *env, const struct conn *c)
{
	return is_met(env, c) && is_stranger(c);
}

static bool is_friends(const struct env *env, const struct conn *c)
{
	return is_met(env, c) && !is_stranger(c);
}

static bool is_unmet(const struct env *env, const struct conn *c)
{
	return !is_met(env, c) && is_stranger(c);
}

/* ---- dials --------------------------------------------------------------- */

size_t evict_dials_max(const struct swarm *s, bool friend)
{
	size_t max = friend ? SWARM_CONNS_OUT_MAX
			    : SWARM_CONNS_OUT_MAX - SWARM_CONNS_OUT_FRIENDS;

	return s->cfg.conns_max * max / SWARM_CONNS_MAX;
}

bool evict_spares_dial(const struct swarm *s, const struct peer *p)
{
	return s->conns.count - s->conns_in <
	       evict_dials_max(s, evict_is_friend(p));
}

/* ---- the choice ---------------------------------------------------------- */

/* The one that is idle longest, or the one that came last. */
static struct conn *worst(struct field *f, bool newest)
{
	if (f->n == 0)
		return NULL;
	keep_widest_site(f);
	qsort(f->r, f->n, sizeof(f->r[0]), newest ? by_age : by_activity);
	return f->r[f->n - 1].c;
}

/* The same among those who come again and again, if there are some: in a storm
 * of them others still have the time to say who they are. */
static struct conn *worst_guest(struct field *f, bool newest)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++)
		if (f->r[i].comes_again)
			f->r[kept++] = f->r[i];
	if (kept > 0)
		f->n = kept;
	return worst(f, newest);
}

/*
 * A place of one who takes part goes over to somebody else now and then; else
 * those who were there first would have it for ever. In between whoever came
 * last is sent on, so that a crowd does not turn all the time.
 */
static struct conn *of_participants(
	struct swarm *s, const struct env *env, struct field *f)
{
	bool turn = env->now_ms >= s->turn_at_ms;
	struct conn *c;

	/* Friends over their number are as everybody else. */
	gather(s, env, f, is_friends);
	protect(f, by_worth, SWARM_IN_FRIENDS_MAX);
	gather_more(s, env, f, takes_part);
	if (turn) {
		struct field rest = *f;

		protect_some(&rest);
		c = worst(&rest, false);
		if (c != NULL) {
			s->turn_at_ms = env_after(env, SWARM_TURN_MS);
			return c;
		}
	}
	return worst_guest(f, true);
}

struct conn *evict_choose(struct swarm *s, const struct env *env, bool now)
{
	struct field f;
	struct conn *c;

	draw_secret(s, env);
	gather(s, env, &f, is_second);
	c = worst(&f, false);
	if (c != NULL)
		return c;
	gather(s, env, &f, does_nothing);
	c = worst_guest(&f, false);
	if (c != NULL)
		return c;
	/* Who has just come and said nothing yet drives nobody away. */
	gather(s, env, &f, is_unmet);
	if (now && f.n > 0)
		return worst_guest(&f, false);
	if (!now && evict_places_taken(s) <= SWARM_CONNS_IN_MAX + f.n)
		return NULL;
	return of_participants(s, env, &f);
}

/* ---- those without a proof ----------------------------------------------- */

struct conn *evict_choose_unproven(struct swarm *s, const struct env *env)
{
	struct table_entry *e, *tmp;
	struct field f = {.n = 0};

	draw_secret(s, env);
	TABLE_FOREACH(e, tmp, &s->conns) {
		struct conn *c = e->value;

		if (c->secured || c->outbound)
			continue;
		P2P_ASSERT(f.n < P2P_ARRAY_LEN(f.r));
		f.r[f.n++] = (struct runner){.c = c,
			.active_ms = c->id,
			.comes_again = comes_again(s, env, c)};
	}
	return worst_guest(&f, false);
}

struct conn *evict_choose_leaving(const struct swarm *s)
{
	struct table_entry *e, *tmp;

	/* The table is walked from its oldest. */
	TABLE_FOREACH(e, tmp, &s->conns) {
		struct conn *c = e->value;

		if (!c->outbound && c->leaving)
			return c;
	}
	return NULL;
}
