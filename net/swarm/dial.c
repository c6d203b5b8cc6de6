/*
 * Which address is dialled when. A peer that is wanted and not connected has
 * at most one attempt set under way:
 *
 *   wait --dial_at_ms--> set: first address -> stagger -> next ... --> wait
 *                         '-- one is ready: the others are cancelled
 *
 * Addresses that failed less come first; then loopback and LAN, and of the LAN
 * those of the network where the peer was heard; then public IPv6 and IPv4 in
 * turn (RFC 8305), then names. Those that this machine has itself come last.
 * Relayed ones cannot be dialled yet. After a set without success only one
 * address is tried at a time, with pauses that double, with jitter so that two
 * sides do not keep step.
 *
 * Slots are shared: peers that were reached before go first, and those that
 * somebody merely named have less than half of the slots, so that invented ones
 * cannot keep us from the others. Some slots are for peers that are named and
 * for those that the LAN shows just now: who comes to another network has many
 * saved ones that are not there.
 */
#include "net/swarm/swarm_internal.h"

#define MINUTE_MS 60000

/* ---- what may be dialled ----------------------------------------------- */

enum book_teller dial_teller(const struct conn *c)
{
	if (dialable_is_loopback(&c->at))
		return BOOK_FROM_HERE;
	return dialable_is_near(&c->at) ? BOOK_FROM_NEAR : BOOK_FROM_AFAR;
}

bool dial_may_be_named(const struct maddr *addr, enum book_teller from)
{
	struct dialable at;

	dialable_of(&at, addr);
	if (addr->len == 0 || dialable_is_nowhere(&at))
		return false;
	if (dialable_is_loopback(&at))
		return from == BOOK_FROM_HERE;
	/* Reserved ones too may lead nearby: NAT64 has a range of them. Where
	 * a name leads is up to whoever asks: also to machines nearby. */
	return from != BOOK_FROM_AFAR ||
	       (at.scope == IP_SCOPE_PUBLIC && at.host != DIALABLE_HOST_NAME);
}

/* One of this machine's own addresses; port 0: at any port of it. */
static bool is_own(const struct swarm *s, struct bytes ip, uint16_t port)
{
	for (unsigned i = 0; ip.len > 0 && i < s->own_count; i++) {
		const struct own_host *o = &s->own[i];

		if ((port == 0 || port == o->port) &&
			bytes_equal(ip, bytes_of(o->ip, o->len)))
			return true;
	}
	return false;
}

bool dial_is_self(
	const struct swarm *s, const struct env *env, const struct maddr *addr)
{
	struct dialable at;

	dialable_of(&at, addr);
	if (dialable_is_spoken(&at) && at.port != 0 &&
		is_own(s, dialable_ip(addr), at.port))
		return true;
	for (unsigned i = 0; i < SWARM_SELVES_MAX; i++)
		if (s->selves[i].until_ms > env->now_ms &&
			maddr_equal(&s->selves[i].addr, addr))
			return true;
	return false;
}

const char *dial_why_not(const struct swarm *s, const struct env *env,
	const struct maddr *addr, const struct dialable *at)
{
	const char *why = dialable_why_not(at);

	if (why == NULL && dial_is_self(s, env, addr))
		why = "that is this program itself";
	return why;
}

/* Were it us there would be the other end, which cannot know yet who calls: our
 * last handshake message has not gone. (A stranger who holds a call open hides
 * the copy until the next dial; it is never seen where there is none.) */
bool dial_met_copy(const struct swarm *s, const struct conn *c)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &s->conns) {
		const struct conn *other = e->value;

		if (!other->outbound && !other->secured)
			return false;
	}
	return c->outbound;
}

void dial_was_self(struct swarm *s, const struct env *env, struct conn *c)
{
	struct self_addr *self = &s->selves[s->self_next];
	struct peer *p = peer_find(s, &c->expect);

	if (!c->outbound)
		return;
	if (dial_met_copy(s, c))
		swarm_emit(s, &(struct swarm_event){.kind = SWARM_EV_COPY,
				      .addr = c->remote});
	/* The oldest of the ring is overwritten, whether its time is over or
	 * not: it costs a dial to learn it again. */
	s->self_next = (s->self_next + 1) % SWARM_SELVES_MAX;
	self->addr = c->remote;
	self->until_ms = env_after(env, SWARM_SELF_MS);
	/* Whoever named it for this peer was wrong, or lied. */
	if (p != NULL)
		book_drop(&s->book, &p->known, &c->remote);
}

/* Anybody on the LAN can say so of any address. */
void dial_own_id(
	struct swarm *s, const struct env *env, const struct maddr *addr)
{
	struct dialable at;

	dialable_of(&at, addr);
	if (s->copy_at_ms > env->now_ms || s->dials >= SWARM_DIALS_MAX ||
		dial_why_not(s, env, addr, &at) != NULL)
		return;
	if (conn_new_outbound(s, env, addr, &s->cfg.me->id) != NULL)
		s->copy_at_ms = env_after(env, SWARM_COPY_MS);
}

/* ---- when -------------------------------------------------------------- */

static bool is_hint(const struct peer *p)
{
	return book_worth(&p->known) == BOOK_HINT;
}

static void set_time(struct swarm *s, struct peer *p, uint64_t at_ms)
{
	p->dial_at_ms = at_ms;
	swarm_due(s, at_ms);
}

void dial_soon(struct swarm *s, const struct env *env, struct peer *p,
	uint64_t delay_ms)
{
	/* Two that see each other at once dial at slightly different times. */
	set_time(s, p, env_after(env, delay_ms + rng_below(env->rng, 50)));
}

/* Without jitter. */
static uint64_t base_pause(unsigned failures)
{
	uint64_t pause = SWARM_REDIAL_FIRST_MS;

	if (failures > SWARM_REDIAL_RARELY_AFTER)
		return SWARM_REDIAL_RARELY_MS;
	for (unsigned i = 1; i < failures; i++)
		pause = P2P_MIN(pause * 2, (uint64_t)SWARM_REDIAL_MAX_MS);
	return pause;
}

uint64_t dial_pause(const struct env *env, unsigned failures)
{
	uint64_t pause = base_pause(failures);

	/* On the average the pause itself. */
	return pause / 2 + rng_below(env->rng, pause);
}

/* When `max` dials a minute allow the next one; not after now: at once. */
static uint64_t allowed_at(const struct peer *p, unsigned max)
{
	/* dialled_ms is a ring whose next slot holds the oldest time: the one
	 * `max` dials ago must have been a minute ago. */
	unsigned i = p->dialled_next + SWARM_DIALS_A_MINUTE - max;
	uint64_t then = p->dialled_ms[i % SWARM_DIALS_A_MINUTE];

	return then == 0 ? 0 : then + MINUTE_MS;
}

static void count_dial(struct peer *p, const struct env *env)
{
	/* 0 stands for none. */
	p->dialled_ms[p->dialled_next] = P2P_MAX(env->now_ms, UINT64_C(1));
	p->dialled_next = (p->dialled_next + 1) % SWARM_DIALS_A_MINUTE;
}

/* Retries leave some room for what is seen just now. */
static unsigned a_minute(const struct peer *p)
{
	return p->failures > 0 ? SWARM_REDIALS_A_MINUTE : SWARM_DIALS_A_MINUTE;
}

uint64_t dial_rests_until(const struct peer *p)
{
	/* While a dial is under way the next comes when that one has failed. */
	if (peer_has_direct(p) || p->dials > 0 || p->dial_at_ms == P2P_NEVER)
		return 0;
	return P2P_MAX(p->dial_at_ms, allowed_at(p, a_minute(p)));
}

static bool is_busy(const struct peer *p)
{
	return peer_has_direct(p) || p->dials > 0;
}

void dial_wanted(struct swarm *s, const struct env *env, struct peer *p)
{
	if (p->wanted && !is_busy(p) && p->dial_at_ms == P2P_NEVER)
		dial_soon(s, env, p, 0);
}

void dial_seen(struct swarm *s, const struct env *env, struct peer *p,
	const struct book_addr *at, bool is_new)
{
	uint64_t later;

	p->losses = 0;
	/* While another address is tried in vain the one that was seen is not
	 * to wait for the end of that. */
	if (peer_has_direct(p) ||
		(p->dials > 0 && (at == NULL || at->tried_in == p->set)))
		return;
	/* It is there: what failed before failed for other reasons. A peer that
	 * was never reached may be invented, and its inventor shouts as often
	 * as he likes: for him a sight shortens the rest and does not end it.
	 */
	if (is_new || !is_hint(p)) {
		p->seen = true;
		p->failures = 0;
		p->set_left = SWARM_ADDRESSES_PER_PEER_MAX;
		book_rested(&p->known);
		dial_soon(s, env, p, 0);
		return;
	}
	if (p->dials > 0)
		return;
	p->failures = P2P_MIN(p->failures, SWARM_REDIAL_SEEN_AFTER);
	later = env_after(env, dial_pause(env, p->failures));
	book_hurry(&p->known, SWARM_REDIAL_SEEN_AFTER, later);
	if (p->dial_at_ms > later)
		set_time(s, p, later);
}

/* ---- which ------------------------------------------------------------- */

enum address_class {
	CLASS_LOOPBACK,
	CLASS_NEAR,
	CLASS_PUBLIC,
	CLASS_NAME,
};

static enum address_class class_of(const struct dialable *at)
{
	if (dialable_is_loopback(at))
		return CLASS_LOOPBACK;
	if (dialable_is_near(at))
		return CLASS_NEAR;
	return at->host == DIALABLE_HOST_NAME ? CLASS_NAME : CLASS_PUBLIC;
}

static bool is_ip6(const struct book_addr *a)
{
	return a->at.host == DIALABLE_HOST_IP6;
}

/* Another program of this machine may be there, or a machine that has a network
 * of its own with the numbers of one of ours: as all do that run containers. */
static bool is_of_this_machine(const struct swarm *s, const struct book_addr *a)
{
	return !dialable_is_loopback(&a->at) &&
	       is_own(s, dialable_ip(&a->addr), 0);
}

/* How likely the LAN leads there, 0: most. */
static unsigned distance(const struct book_addr *a)
{
	if ((a->sources & BOOK_ON_LINK) == 0)
		return 2;
	/* Each of a machine's interfaces has one of these, and the zone says
	 * only which of ours leads to the machine. */
	return a->at.scope == IP_SCOPE_LINK_LOCAL;
}

bool dial_comes_before(const struct swarm *s, const struct peer *p,
	const struct book_addr *a, const struct book_addr *b)
{
	enum address_class class = class_of(&a->at);
	bool six = is_ip6(a);
	bool here = is_of_this_machine(s, a);

	/* Whatever has failed: of the peers with many addresses most have some
	 * of these, and they would use up the dials that a peer has. */
	if (here != is_of_this_machine(s, b))
		return !here;
	/* An address that fails gives way even to a class behind its own, or a
	 * dead one of the LAN would come first for ever. */
	if (a->failures != b->failures)
		return a->failures < b->failures;
	if (class != class_of(&b->at))
		return class < class_of(&b->at);
	if (class == CLASS_NEAR && distance(a) != distance(b))
		return distance(a) < distance(b);
	/* The other family than the last: where one of them leads nowhere,
	 * every second dial is of the other (RFC 8305 section 4). */
	if (class == CLASS_PUBLIC && six != is_ip6(b))
		return six != p->last_was_ip6;
	if ((a->ok_ms == P2P_NEVER) != (b->ok_ms == P2P_NEVER))
		return a->ok_ms != P2P_NEVER;
	return a->seen_ms > b->seen_ms;
}

/* The next address of the set, or NULL. */
static struct book_addr *next_address(
	const struct swarm *s, const struct env *env, const struct peer *p)
{
	struct book_addr *best = NULL;

	if (p->set_left == 0)
		return NULL;
	for (unsigned i = 0; i < p->known.count; i++) {
		struct book_addr *a = p->known.addrs[i];

		if (a->tried_in == p->set || a->retry_ms > env->now_ms ||
			dial_why_not(s, env, &a->addr, &a->at) != NULL)
			continue;
		if (best == NULL || dial_comes_before(s, p, a, best))
			best = a;
	}
	return best;
}

/* ---- the attempt set --------------------------------------------------- */

/* How long the carrier has. */
static uint64_t patience(const struct peer *p, const struct book_addr *a)
{
	/* A silent machine of the LAN holds a slot that others wait for, while
	 * from afar an answer may take its time. */
	if (!is_hint(p) || !dialable_is_near(&a->at))
		return SWARM_DIAL_MS;
	return a->failures == 0 ? SWARM_DIAL_HINT_MS : SWARM_DIAL_HINT_AGAIN_MS;
}

static bool begin(struct swarm *s, const struct env *env, struct peer *p,
	struct book_addr *a)
{
	struct conn *c = NULL;

	if (evict_spares_dial(s, p))
		c = conn_new_outbound(s, env, &a->addr, &p->id);

	/* Even without a connection, or the set would not end. */
	a->tried_in = p->set;
	if (c == NULL)
		return false;
	c->scheduled = true;
	c->hint = is_hint(p);
	c->deadline_ms = env_after(env, patience(p, a));
	swarm_due(s, c->deadline_ms);
	s->hint_dials += c->hint;
	s->counters.dials_hint += c->hint;
	p->dials++;
	p->set_left--;
	p->last_was_ip6 = is_ip6(a);
	count_dial(p, env);
	peer_hold(p);
	return true;
}

static uint64_t earliest_retry(const struct peer *p)
{
	uint64_t first = P2P_NEVER;

	for (unsigned i = 0; i < p->known.count; i++)
		if (dialable_is_spoken(&p->known.addrs[i]->at))
			first = P2P_MIN(first, p->known.addrs[i]->retry_ms);
	return first;
}

static void end_set(struct swarm *s, const struct env *env, struct peer *p)
{
	uint64_t at = earliest_retry(p);

	p->in_set = false;
	p->seen = false;
	p->failures++;
	if (p->failures >= SWARM_UNREACHED_AFTER)
		unreached_look(s);
	/* Without an address that can be dialled it waits for being named. */
	if (!p->wanted || at == P2P_NEVER)
		return;
	/* Each address has a rest of its own; so has the peer, or one with many
	 * dead addresses would be dialled all the time. */
	at = P2P_MAX(at, env_after(env, dial_pause(env, p->failures)));
	set_time(s, p, at);
}

static void begin_set(struct peer *p)
{
	p->in_set = true;
	p->set++;
	/* After a failure nobody is expected there: one try, and the rest. */
	p->set_left = p->failures == 0 ? SWARM_ADDRESSES_PER_PEER_MAX : 1;
	p->last_was_ip6 = false;
}

/* Its time has come, and there is a slot. */
static void dial_next(struct swarm *s, const struct env *env, struct peer *p)
{
	struct book_addr *a;
	uint64_t allowed = allowed_at(p, a_minute(p));

	p->dial_at_ms = P2P_NEVER;
	if (peer_has_direct(p) || s->shutting_down)
		return;
	/* One of a set that another connection ended: dial_ended goes on. */
	if (!p->in_set && p->dials > 0)
		return;
	if (allowed > env->now_ms) {
		set_time(s, p, allowed);
		return;
	}
	if (!p->in_set)
		begin_set(p);
	while ((a = next_address(s, env, p)) != NULL) {
		bool near = dialable_is_near(&a->at);

		/* Refused by a maximum of ours: the others will be, too, and
		 * the set ends as if nobody had answered. */
		if (!begin(s, env, p, a))
			continue;
		/* The next comes beside this one, without waiting for its end:
		 * RFC 8305's race, sooner where answers are quick. */
		if (next_address(s, env, p) != NULL)
			set_time(s, p,
				env_after(env, near ? SWARM_DIAL_STAGGER_NEAR_MS
						    : SWARM_DIAL_STAGGER_MS));
		return;
	}
	if (p->dials == 0)
		end_set(s, env, p);
}

/* ---- slots ------------------------------------------------------------- */

static bool has_slot(const struct swarm *s, const struct peer *p)
{
	if (s->dials >= SWARM_DIALS_MAX)
		return false;
	if (is_hint(p))
		return s->hint_dials < SWARM_HINT_DIALS_MAX;
	return p->seen ||
	       s->dials - s->hint_dials < SWARM_DIALS_MAX - SWARM_SEEN_DIALS;
}

/* Friends first, then those reached before, of them who is seen just now, then
 * who has not failed before, then who waits longest. */
static bool goes_first(const struct peer *p, const struct peer *q)
{
	bool hint = is_hint(p), friend = evict_is_friend(p);

	if (friend != evict_is_friend(q))
		return friend;
	if (hint != is_hint(q))
		return !hint;
	if (!hint && p->seen != q->seen)
		return p->seen;
	if ((p->failures > 0) != (q->failures > 0))
		return p->failures == 0;
	return p->dial_at_ms < q->dial_at_ms;
}

void dial_tick(struct swarm *s, const struct env *env)
{
	struct table_entry *e, *tmp;
	struct peer *first;

	/* Each turn sets the time of one of them anew, later or to never, so
	 * that the loop ends. */
	do {
		first = NULL;
		TABLE_FOREACH(e, tmp, &s->peers) {
			struct peer *p = e->value;

			if (p->dial_at_ms <= env->now_ms && has_slot(s, p) &&
				(first == NULL || goes_first(p, first)))
				first = p;
		}
		if (first != NULL)
			dial_next(s, env, first);
	} while (first != NULL);
}

uint64_t dial_deadline(const struct swarm *s, const struct peer *p)
{
	/* With all dials in flight the end of one of them comes first. */
	if (p->dial_at_ms == P2P_NEVER || !has_slot(s, p))
		return P2P_NEVER;
	return p->dial_at_ms;
}

void dial_slot_freed(
	struct swarm *s, const struct env *env, const struct conn *c)
{
	s->dials--;
	s->hint_dials -= c->hint;
	/* Peers whose time has come may have waited for one. */
	swarm_due(s, env->now_ms);
}

/* ---- how it ended ------------------------------------------------------ */

static bool has_others(const struct swarm *s, const struct peer *but)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &s->conns) {
		const struct conn *c = e->value;

		if (c->state == CONN_READY && !c->leaving && !c->sent_on &&
			c->peer != but)
			return true;
	}
	return false;
}

static uint64_t pause_when_sent_on(const struct env *env, unsigned times)
{
	uint64_t pause = SWARM_SENT_ON_FIRST_MS;

	for (; times > 0 && pause < SWARM_SENT_ON_MAX_MS; times--)
		pause *= 2;
	pause = P2P_MIN(pause, (uint64_t)SWARM_SENT_ON_MAX_MS);
	return pause / 2 + rng_below(env->rng, pause);
}

void dial_lost(struct swarm *s, const struct env *env, struct peer *p,
	const struct conn *c)
{
	uint64_t pause = SWARM_REDIAL_FIRST_MS;

	if (c->ready_ms == P2P_NEVER) {
		/* A dial that failed late: dial_ended goes on. One of the
		 * other side may have held up a dial of ours. */
		if (!c->scheduled && p->dials == 0 &&
			p->dial_at_ms == P2P_NEVER)
			dial_soon(s, env, p, pause);
		return;
	}
	/* Who takes us and hangs up each time is asked less and less. */
	p->losses =
		env->now_ms - c->ready_ms < SWARM_STEADY_MS ? p->losses + 1 : 0;
	if (p->losses > 1)
		pause = dial_pause(env, p->losses);
	/* Who has no place for us needs ours for others, and has named some. */
	if (p->losses == 0 || !c->sent_on)
		p->sent_on = 0;
	else if (has_others(s, p))
		pause = pause_when_sent_on(env, p->sent_on++);
	dial_soon(s, env, p, pause);
}

void dial_won(
	struct swarm *s, const struct env *env, struct peer *p, struct conn *c)
{
	struct table_entry *e, *tmp;

	p->failures = 0;
	p->in_set = false;
	p->seen = false;
	p->dial_at_ms = P2P_NEVER;
	/* From here on dial_ended is not called for it. */
	if (c->scheduled && p->dials > 0)
		p->dials--;
	peer_hold(p);
	/* What the other side dials stays: if both sides dropped their own
	 * dial for the other's, none would be left. */
	if (!c->outbound || p->dials == 0)
		return;
	TABLE_FOREACH(e, tmp, &s->conns) {
		struct conn *d = e->value;

		if (d == c || !d->scheduled || d->secured ||
			!peer_id_equal(&d->expect, &p->id))
			continue;
		/* By its deadline, not here: this is called from the middle of
		 * another connection's turn. */
		d->lost_race = true;
		d->deadline_ms = env->now_ms;
		swarm_due(s, env->now_ms);
	}
}

void dial_ended(struct swarm *s, const struct env *env, struct peer *p,
	const struct conn *c)
{
	const struct book_addr *a = book_find(&p->known, &c->remote);

	if (p->dials > 0)
		p->dials--;
	peer_hold(p);
	/* Who was merely outrun has not failed. The rest is the shortest that
	 * the peer's own pause comes to, so that it is over by then. */
	if (a != NULL && !c->lost_race)
		book_failed(&p->known, &c->remote, env->now_ms,
			base_pause(a->failures + 1) / 2);
	if (!p->wanted || s->shutting_down || peer_has_direct(p))
		return;
	if (!p->in_set) {
		/* The set was won, and the winner is gone already. */
		if (p->dials == 0 && p->dial_at_ms == P2P_NEVER)
			dial_soon(s, env, p, SWARM_REDIAL_FIRST_MS);
		return;
	}
	/* The next address of the set does not wait for the stagger. */
	if (next_address(s, env, p) != NULL)
		set_time(s, p, env->now_ms);
	else if (p->dials == 0)
		end_set(s, env, p);
}
