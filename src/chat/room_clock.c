/*
 * Clocks are judged against the room, not against ourselves. Each author
 * lately heard has an offset: the time of its lines minus the machine's own
 * running clock (which does not jump). Ours is among them unless our wall
 * clock stands before this program's release: then it is not set, and the
 * room's time is taken. The median of the offsets is the room's time; of two
 * middle ones the nearer to our own counts.
 *
 * Lines wait, so a late line proves nothing; being ahead of the room proves a
 * wrong clock, and so does lying a month back or before 2015. Whoever has said
 * two lines some time apart at the same distance from us did not wait: several
 * such people prove that we are ahead ourselves (decision 0021).
 *
 * What was heard (row.clock_ms) is kept apart from where our own clock has put
 * lines (placed_ms): when it goes back the one stays true, the other does not.
 */
#include "chat/room_internal.h"

#include <stdlib.h>

#include "chat/chat_internal.h"
#include "chat/out_internal.h"

/* An offset that late lines pulled down is renewed after this time. */
#define FRESH_MS 600000
#define YEAR_2015_MS 1420070400000ULL

static bool wall_is_set(const struct chat *c)
{
	return c->env->wall_ms >= CHAT_RELEASE_MS;
}

static int64_t own_offset(const struct chat *c)
{
	return (int64_t)c->env->wall_ms - (int64_t)c->env->now_ms;
}

static int compare_offsets(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* False when there is nobody to ask. */
static bool median_offset(
	const struct chat *c, const struct chat_room *r, int64_t *median)
{
	int64_t all[CHAT_CLOCKS_MAX + 1];
	int64_t own = own_offset(c);
	size_t n = 0;

	for (size_t i = 0; i < r->clock_count; i++)
		all[n++] = r->clocks[i].offset_ms;
	if (wall_is_set(c))
		all[n++] = own;
	if (n == 0)
		return false;
	qsort(all, n, sizeof(all[0]), compare_offsets);
	*median = all[n / 2];
	if (n % 2 == 0) {
		int64_t low = all[n / 2 - 1], high = all[n / 2];

		*median = wall_is_set(c) && own >= high ? high : low;
		/* Both on our far side: the nearer one. */
		if (wall_is_set(c) && own > low && own < high)
			*median = own - low < high - own ? low : high;
	}
	return true;
}

static uint64_t at_offset(const struct chat *c, int64_t offset)
{
	int64_t ms = (int64_t)c->env->now_ms + offset;

	return ms < 0 ? 0 : (uint64_t)ms;
}

bool clock_is_known(const struct chat *c, const struct chat_room *r)
{
	return wall_is_set(c) || r->clock_count > 0;
}

uint64_t clock_room_ms(const struct chat *c, const struct chat_room *r)
{
	int64_t median;

	if (wall_is_set(c) && r->clock_count == 0)
		return c->env->wall_ms;
	if (median_offset(c, r, &median))
		return at_offset(c, median);
	/* The number of our last line was the time once. */
	return P2P_MAX(
		P2P_MAX(c->env->wall_ms, r->row.clock_ms), c->seqno / 1000000);
}

/* Nobody is ahead who is not ahead of us too, if our clock is set: late lines
 * of others may have pulled the median back. */
static uint64_t ahead_base(const struct chat *c, uint64_t room_ms)
{
	return wall_is_set(c) ? P2P_MAX(room_ms, c->env->wall_ms) : room_ms;
}

uint64_t clock_latest_ms(const struct chat *c, const struct chat_room *r)
{
	return ahead_base(c, clock_room_ms(c, r)) + CHAT_CLOCK_LEAD_MS_MAX;
}

bool clock_is_ahead(
	const struct chat *c, const struct chat_room *r, uint64_t time_ms)
{
	return time_ms >
	       ahead_base(c, clock_room_ms(c, r)) + CHAT_CLOCK_AHEAD_MS;
}

static void renew(struct chat_clock *k, int64_t offset, uint64_t now)
{
	int64_t moved = offset - k->offset_ms;
	bool same = llabs(moved) < CHAT_CLOCK_STEADY_MS;

	if (same && now - k->heard_ms >= CHAT_CLOCK_STEADY_GAP_MS)
		k->steady = true;
	if (moved < 0 && now - k->heard_ms < FRESH_MS)
		return;
	k->steady = k->steady && same;
	k->offset_ms = offset;
	k->heard_ms = now;
}

static void note_offset(
	struct chat *c, struct chat_room *r, int64_t author, int64_t offset)
{
	struct chat_clock *oldest = NULL, *k;
	uint64_t now = c->env->now_ms;

	for (size_t i = 0; i < r->clock_count; i++) {
		k = &r->clocks[i];
		if (k->author == author) {
			renew(k, offset, now);
			return;
		}
		if (oldest == NULL || k->heard_ms < oldest->heard_ms)
			oldest = k;
	}
	k = r->clock_count < CHAT_CLOCKS_MAX ? &r->clocks[r->clock_count++]
					     : oldest;
	*k = (struct chat_clock){
		.author = author, .offset_ms = offset, .heard_ms = now};
}

static bool is_wrong(
	const struct chat *c, const struct chat_room *r, uint64_t time_ms)
{
	uint64_t room_ms = clock_room_ms(c, r);

	if (time_ms > ahead_base(c, room_ms) + CHAT_CLOCK_AHEAD_MS)
		return true;
	return time_ms < YEAR_2015_MS ||
	       (int64_t)room_ms - (int64_t)time_ms > CHAT_CLOCK_BEHIND_MS;
}

bool clock_hear(
	struct chat *c, struct chat_room *r, int64_t author, uint64_t time_ms)
{
	bool wrong;

	note_offset(c, r, author, (int64_t)time_ms - (int64_t)c->env->now_ms);
	wrong = is_wrong(c, r, time_ms);
	if (!wrong && time_ms > r->row.clock_ms) {
		r->row.clock_ms = time_ms;
		r->dirty = true;
	}
	return wrong;
}

/*
 * Whether those who are here prove that our clock is ahead, and by how much
 * theirs are from our running clock: the nearest to ours of them, so that who
 * is far back drags nobody along.
 */
static bool others_prove_ahead(
	const struct chat *c, const struct chat_room *r, int64_t *offset)
{
	int64_t own = own_offset(c);
	size_t behind = 0, rest = 1; /* we agree with ourselves */

	*offset = INT64_MIN;
	for (size_t i = 0; i < r->clock_count; i++) {
		const struct chat_clock *k = &r->clocks[i];

		if (!k->steady)
			continue;
		if (own - k->offset_ms <= CHAT_CLOCK_AHEAD_MS) {
			rest++;
			continue;
		}
		*offset = P2P_MAX(*offset, k->offset_ms);
		behind++;
	}
	return behind > rest;
}

static void say_ahead(struct chat *c, struct chat_room *r, uint64_t base)
{
	unsigned long long minutes = (c->env->wall_ms - base + 30000) / 60000;

	if (c->clock_said)
		return;
	c->clock_said = true;
	out_warn(c, "clock-ahead", r,
		"This machine's clock is %llu %s ahead of the people here. "
		"Your lines take their time; please set the clock.",
		minutes < 120 ? minutes : (minutes + 30) / 60,
		minutes < 120 ? "minutes" : "hours");
}

/* The time that we believe it is. */
static uint64_t believed_ms(struct chat *c, struct chat_room *r)
{
	int64_t offset;
	uint64_t base;

	if (!wall_is_set(c))
		return P2P_MAX(c->env->wall_ms, clock_room_ms(c, r));
	if (!others_prove_ahead(c, r, &offset))
		return c->env->wall_ms;
	base = at_offset(c, offset);
	say_ahead(c, r, base);
	return base;
}

/* By a clock that has gone back since, lines were put and others' believed
 * that were as far ahead. */
static void step_back(struct chat *c, struct chat_room *r, int64_t offset)
{
	if (r->placed_ms == 0 ||
		r->placed_offset - offset <= CHAT_CLOCK_AHEAD_MS)
		return;
	r->placed_ms = 0;
	if (clock_is_ahead(c, r, r->row.clock_ms))
		r->row.clock_ms = 0;
}

uint64_t clock_next(struct chat *c, struct chat_room *r)
{
	uint64_t base = believed_ms(c, r);
	int64_t offset = (int64_t)base - (int64_t)c->env->now_ms;
	bool limited = wall_is_set(c) || r->clock_count > 0;
	uint64_t heard, at, run = c->seqno / 1000000;

	step_back(c, r, offset);
	/* Nothing was put yet in this run: not before what the last one said,
	 * unless the clock was ahead then. */
	if (r->placed_ms == 0 && run <= base + CHAT_CLOCK_AHEAD_MS)
		r->placed_ms = run;
	heard = r->row.clock_ms + 1;
	if (limited)
		heard = P2P_MIN(heard, P2P_MAX(base, c->env->wall_ms) +
					       CHAT_CLOCK_LEAD_MS_MAX);
	at = P2P_MAX(heard, P2P_MAX(base, r->placed_ms + 1));
	/* Ours alone is forgotten with the run: time has gone on then. */
	if (at <= heard || !wall_is_set(c)) {
		r->row.clock_ms = at;
		r->dirty = true;
	}
	r->placed_ms = at;
	r->placed_offset = offset;
	return at;
}
