/*
 * What others may take of the disk (decision 0018). Of strangers an hour of a
 * room keeps everything until its budget is reached; then it is saturated, for
 * ever, and keeps slots: one a stranger, in an order that depends on the
 * profile's secret, so that nobody can choose a key for it. What was dropped
 * never comes back: each slot remembers from which line on it keeps nothing,
 * each hour from which rank on. Regulars share a budget a room, friends have
 * one each; there the oldest lines go, and a floor remembers how far.
 *
 * All of it is done inside the turn's transaction. Sums are kept beside what
 * they count (store_tally.c): looking at an hour costs nothing while it is in
 * memory, and two short reads else, however much it holds.
 */
#include <stdlib.h>

#include "base/table.h"
#include "base/xmalloc.h"
#include "store/store_internal.h"

#define HOUR_MS 3600000
/* In the column `author` of shares, where real ones are above 0. */
#define SHARE_STRANGERS 0
#define SHARE_REGULARS (-1)
/* In its column `room`: all rooms. */
#define ALL_ROOMS 0

struct slot {
	int64_t author;
	int64_t rank;
	int64_t lines;
	int64_t bytes;
	bool has_cut;
	struct store_key cut;
};

/* A line as the quota sees it. */
struct cost {
	int64_t row;
	int64_t author;
	int64_t rank;
	int64_t bytes;
	struct store_key key;
};

struct costs {
	struct cost *items;
	size_t count;
	size_t cap;
};

void store_set_quota(struct store *s, const struct store_quota *quota)
{
	s->quota = *quota;
}

static int64_t charge_of(size_t unit_len)
{
	return (int64_t)unit_len + STORE_LINE_COST_BYTES;
}

static int64_t rank_of(
	const struct store *s, int64_t room, int64_t hour, const char *peer)
{
	uint8_t in[16 + STORE_PEER_MAX] = {0};

	put_be64(in, (uint64_t)room);
	put_be64(in + 8, (uint64_t)hour);
	memcpy(in + 16, peer, strnlen(peer, STORE_PEER_MAX));
	/* 63 bits: SQLite's numbers have a sign. */
	return (int64_t)(table_hash(
				 s->quota.secret, bytes_of(in, sizeof(in))) >>
			 1);
}

static int64_t hour_of(const struct store_message *m)
{
	return store_i64(m->key.time_ms) / HOUR_MS;
}

/* ---- statements -------------------------------------------------------- */

/* All lines that the statement gives, with their ranks in that hour. */
static int read_costs(struct store *s, sqlite3_stmt *st,
	const struct store_hour *h, struct costs *out)
{
	char peer[STORE_PEER_MAX];
	int err;

	*out = (struct costs){.count = 0};
	if (st == NULL)
		return store_last_err(s);
	while ((err = store_step(s, st)) > 0) {
		struct cost *c;

		if (out->count == out->cap) {
			out->cap = P2P_MAX(64u, 2 * out->cap);
			out->items = xreallocarray(
				out->items, out->cap, sizeof(*out->items));
		}
		c = &out->items[out->count++];
		c->row = sqlite3_column_int64(st, 0);
		c->author = sqlite3_column_int64(st, 1);
		store_column_text(st, 2, peer, sizeof(peer));
		c->rank = h == NULL ? 0 : rank_of(s, h->room, h->hour, peer);
		c->bytes = charge_of((size_t)sqlite3_column_int64(st, 3));
		(void)store_column_key(st, 4, &c->key);
	}
	sqlite3_reset(st);
	return err;
}

/* ---- sums -------------------------------------------------------------- */

/* *now is what the share holds then. */
static int share_add(struct store *s, int64_t room, int64_t author,
	int64_t bytes, int64_t *now)
{
	struct store_share share;
	int err = store_share_get(s, room, author, &share);

	*now = 0;
	if (err != 0)
		return err;
	share.bytes = *now = P2P_MAX(share.bytes + bytes, (int64_t)0);
	return store_share_put(s, &share);
}

/* Of strangers: what they have in the room, and in all. */
static int strangers_add(struct store *s, int64_t room, int64_t bytes,
	int64_t *in_room, int64_t *in_all)
{
	int err = share_add(s, room, SHARE_STRANGERS, bytes, in_room);

	return err != 0 ? err
			: share_add(
				  s, ALL_ROOMS, SHARE_STRANGERS, bytes, in_all);
}

static int drop_line(
	struct store *s, struct store_hour *h, const struct cost *c)
{
	h->bytes -= c->bytes;
	return store_delete_line(s, c->row);
}

/* ---- slots ------------------------------------------------------------- */

/* The author's slot, empty when there is none. */
static int slot_get(
	struct store *s, const struct store_hour *h, struct slot *slot)
{
	sqlite3_stmt *st = STORE_BOUND(
		s, STMT_SLOT_GET, h->room, h->hour, slot->rank, slot->author);
	int err;

	if (st == NULL)
		return store_last_err(s);
	err = store_step(s, st);
	if (err > 0) {
		slot->lines = sqlite3_column_int64(st, 0);
		slot->bytes = sqlite3_column_int64(st, 1);
		slot->has_cut = store_column_key(st, 2, &slot->cut);
		err = 0;
	}
	sqlite3_reset(st);
	return err;
}

static int slot_put(
	struct store *s, const struct store_hour *h, const struct slot *slot)
{
	sqlite3_stmt *st = STORE_BOUND(s, STMT_SLOT_PUT, h->room, h->hour,
		slot->rank, slot->author, slot->lines, slot->bytes);

	if (st == NULL)
		return store_last_err(s);
	if (slot->has_cut)
		store_bind_key(st, 7, &slot->cut);
	return store_run(s, st);
}

static bool above_cut(const struct store_hour *h, int64_t rank)
{
	return h->shut || (h->has_cut && rank >= h->cut);
}

static bool behind_cut(const struct slot *slot, const struct store_key *key)
{
	return slot->has_cut && store_key_compare(key, &slot->cut) >= 0;
}

/*
 * The author's lines in order, up to the slot's size: the first that finds no
 * room is its cut. They are all that the hour has of the author.
 */
static int slot_fill(struct store *s, struct store_hour *h, struct slot *slot,
	const struct cost *lines, size_t count)
{
	bool none = above_cut(h, slot->rank);
	int err = 0;

	slot->lines = slot->bytes = 0;
	for (size_t i = 0; err == 0 && i < count; i++) {
		bool fits =
			slot->lines < STORE_SLOT_LINES_MAX &&
			slot->bytes + lines[i].bytes <= STORE_SLOT_BYTES_MAX;

		if (!none && fits && !behind_cut(slot, &lines[i].key)) {
			slot->lines++;
			slot->bytes += lines[i].bytes;
			continue;
		}
		if (!behind_cut(slot, &lines[i].key)) {
			slot->has_cut = true;
			slot->cut = lines[i].key;
		}
		err = drop_line(s, h, &lines[i]);
	}
	if (err != 0 || none)
		return err;
	return slot_put(s, h, slot);
}

static int author_lines(struct store *s, const struct store_hour *h,
	int64_t author, struct costs *out)
{
	return read_costs(s,
		STORE_BOUND(s, STMT_HOUR_AUTHOR_LINES, h->room,
			h->hour * HOUR_MS, (h->hour + 1) * HOUR_MS, author),
		h, out);
}

/* The stranger of the highest rank goes; the hour takes none so high again. */
static int drop_last_slot(struct store *s, struct store_hour *h)
{
	sqlite3_stmt *st = STORE_BOUND(s, STMT_SLOT_LAST, h->room, h->hour);
	struct slot slot = {.rank = 0};
	struct costs lines;
	int err;

	if (st == NULL)
		return store_last_err(s);
	err = store_step(s, st);
	slot.rank = sqlite3_column_int64(st, 0);
	slot.author = sqlite3_column_int64(st, 1);
	sqlite3_reset(st);
	/* No slot is left: the sum is wrong, and is nothing now. */
	if (err == 0)
		h->bytes = 0;
	if (err <= 0)
		return err;
	err = author_lines(s, h, slot.author, &lines);
	for (size_t i = 0; err == 0 && i < lines.count; i++)
		err = drop_line(s, h, &lines.items[i]);
	free(lines.items);
	h->has_cut = true;
	h->cut = slot.rank;
	return err != 0 ? err
			: STORE_RUN(s, STMT_SLOT_DELETE, h->room, h->hour,
				  slot.rank, slot.author);
}

static int fit_hour(struct store *s, struct store_hour *h)
{
	int err = 0;

	while (err == 0 && h->bytes > store_i64(s->quota.strangers_hour))
		err = drop_last_slot(s, h);
	return err;
}

/* From now on the hour keeps slots: what it has goes into them. */
static int saturate(struct store *s, struct store_hour *h)
{
	struct costs lines;
	int err = read_costs(s,
		STORE_BOUND(s, STMT_HOUR_LINES, h->room, h->hour * HOUR_MS,
			(h->hour + 1) * HOUR_MS),
		h, &lines);

	h->saturated = true;
	for (size_t i = 0, end; err == 0 && i < lines.count; i = end) {
		struct slot slot = {.author = lines.items[i].author,
			.rank = lines.items[i].rank};

		for (end = i; end < lines.count; end++)
			if (lines.items[end].author != slot.author)
				break;
		err = slot_fill(s, h, &slot, lines.items + i, end - i);
	}
	free(lines.items);
	return err != 0 ? err : fit_hour(s, h);
}

/* The author's slot anew, after a line was added to the hour. */
static int refill(struct store *s, struct store_hour *h, struct slot *slot)
{
	struct costs lines;
	int err = author_lines(s, h, slot->author, &lines);

	if (err == 0)
		err = slot_fill(s, h, slot, lines.items, lines.count);
	free(lines.items);
	return err != 0 ? err : fit_hour(s, h);
}

/* ---- whole hours ------------------------------------------------------- */

/* All that strangers have in it goes, and it takes none of them again. */
static int shut_hour(struct store *s, struct store_hour *h)
{
	struct costs lines;
	int err = read_costs(s,
		STORE_BOUND(s, STMT_HOUR_LINES, h->room, h->hour * HOUR_MS,
			(h->hour + 1) * HOUR_MS),
		h, &lines);

	for (size_t i = 0; err == 0 && i < lines.count; i++) {
		const struct cost *c = &lines.items[i];

		err = store_delete_line(s, c->row);
		if (err == 0)
			err = STORE_RUN(s, STMT_SLOT_DELETE, h->room, h->hour,
				c->rank, c->author);
	}
	free(lines.items);
	h->bytes = 0;
	h->saturated = h->shut = true;
	return err != 0 ? err : store_hour_put(s, h);
}

/* The oldest in which strangers have anything: 1, or 0 when there is none. */
static int oldest_hour(struct store *s, enum store_stmt which, int64_t room,
	struct store_hour *h)
{
	int err = store_tallies_flush(s);
	int64_t hour = 0;
	sqlite3_stmt *st;

	if (err != 0)
		return err;
	st = STORE_BOUND(s, which, room);
	if (st == NULL)
		return store_last_err(s);
	err = store_step(s, st);
	if (err > 0) {
		room = sqlite3_column_int64(st, 0);
		hour = sqlite3_column_int64(st, 1);
	}
	sqlite3_reset(st);
	if (err <= 0)
		return err;
	err = store_hour_get(s, room, hour, h);
	return err != 0 ? err : 1;
}

/* Strangers' oldest hours go until they are within the room's share, and all
 * rooms' within theirs. */
static int fit_strangers(
	struct store *s, int64_t room, int64_t in_room, int64_t in_all)
{
	int err = 0;

	while (err == 0 && (in_room > store_i64(s->quota.strangers_room) ||
				   in_all > store_i64(s->quota.strangers))) {
		bool here = in_room > store_i64(s->quota.strangers_room);
		struct store_hour h = {0};
		int64_t rest = in_room, had;

		err = oldest_hour(s,
			here ? STMT_HOUR_OLDEST : STMT_HOUR_OLDEST_OF_ALL, room,
			&h);
		if (err <= 0)
			return err;
		had = h.bytes;
		err = shut_hour(s, &h);
		if (err == 0)
			err = strangers_add(s, h.room, -had, &rest, &in_all);
		if (h.room == room)
			in_room = rest;
	}
	return err;
}

/* ---- keeping ----------------------------------------------------------- */

static int is_there(struct store *s, int64_t row, bool *there)
{
	sqlite3_stmt *st = STORE_BOUND(s, STMT_MESSAGE_BY_ROW, row);
	int err;

	if (st == NULL)
		return store_last_err(s);
	err = store_step(s, st);
	*there = err > 0;
	sqlite3_reset(st);
	return P2P_MIN(err, 0);
}

/* Behind an insert: the sums, and what they lead to. */
static int settle_stranger(
	struct store *s, struct store_hour *h, struct slot *slot, int64_t bytes)
{
	int64_t in_room, in_all;
	int64_t had = h->bytes;
	int err = 0;

	h->bytes += bytes;
	if (h->saturated)
		err = refill(s, h, slot);
	else if (h->bytes > store_i64(s->quota.strangers_hour))
		err = saturate(s, h);
	if (err == 0)
		err = store_hour_put(s, h);
	if (err == 0)
		err = strangers_add(
			s, h->room, h->bytes - had, &in_room, &in_all);
	return err != 0 ? err : fit_strangers(s, h->room, in_room, in_all);
}

/* What went to make room may be the line that it was made for. */
static int note_kept(struct store *s, int64_t row, uint64_t dropped,
	struct store_outcome *out)
{
	bool there = true;
	int err = s->dropped == dropped ? 0 : is_there(s, row, &there);

	out->kept = there ? STORE_KEPT : STORE_NOT_KEPT;
	return err;
}

static int keep_stranger(struct store *s, struct store_message *m,
	const struct store_person *author, struct store_outcome *out)
{
	struct slot slot = {.author = author->id};
	uint64_t dropped = s->dropped;
	struct store_hour h;
	bool is_new, saturated;
	int err = store_hour_get(s, m->room, hour_of(m), &h);

	saturated = h.saturated;
	slot.rank = rank_of(s, h.room, h.hour, author->peer);
	if (err == 0 && saturated)
		err = slot_get(s, &h, &slot);
	if (err != 0)
		return err;
	if (saturated &&
		(above_cut(&h, slot.rank) || behind_cut(&slot, &m->key)))
		return 0;
	err = store_insert(s, m, &is_new);
	if (err == 0 && !is_new)
		out->kept = STORE_KEPT_ALREADY;
	if (err != 0 || !is_new)
		return err;
	err = settle_stranger(s, &h, &slot, charge_of(m->unit.len));
	out->saturated = h.saturated && !saturated;
	return err != 0 ? err : note_kept(s, m->row, dropped, out);
}

/* ---- friends and regulars ---------------------------------------------- */

/* The share that its lines are counted in, and how much it may hold. */
static int share_of(struct store *s, int64_t room,
	const struct store_person *author, struct store_share *share,
	int64_t *limit)
{
	bool friend = author->class == STORE_FRIEND;

	*limit = store_i64(
		friend ? s->quota.friend_room : s->quota.regulars_room);
	return store_share_get(
		s, room, friend ? author->id : SHARE_REGULARS, share);
}

static int read_oldest(
	struct store *s, const struct store_share *share, struct costs *lines)
{
	bool all = share->author == SHARE_REGULARS;
	sqlite3_stmt *st = store_write_stmt(
		s, all ? STMT_SHARE_OLDEST_OF_REGULARS : STMT_SHARE_OLDEST);

	if (st == NULL)
		return store_last_err(s);
	sqlite3_bind_int64(st, 1, share->room);
	store_bind_key(
		st, 2, share->has_floor ? &share->floor : &store_key_first);
	if (!all)
		sqlite3_bind_int64(st, 4, share->author);
	return read_costs(s, st, NULL, lines);
}

/* The oldest lines go; the floor is the last one that went. */
static int fit_share(struct store *s, struct store_share *share, int64_t limit)
{
	struct costs lines = {0};
	int err = read_oldest(s, share, &lines);

	for (size_t i = 0; err == 0 && i < lines.count && share->bytes > limit;
		i++) {
		share->bytes -= lines.items[i].bytes;
		share->has_floor = true;
		share->floor = lines.items[i].key;
		err = store_delete_line(s, lines.items[i].row);
	}
	free(lines.items);
	return err;
}

static bool below_floor(
	const struct store_share *share, const struct store_key *key)
{
	return share->has_floor && store_key_compare(key, &share->floor) <= 0;
}

static int keep_known(struct store *s, struct store_message *m,
	const struct store_person *author, struct store_outcome *out)
{
	uint64_t dropped = s->dropped;
	struct store_share share;
	int64_t limit;
	int err = share_of(s, m->room, author, &share, &limit);
	bool is_new;

	if (err != 0 || below_floor(&share, &m->key))
		return err;
	err = store_insert(s, m, &is_new);
	if (err == 0 && !is_new)
		out->kept = STORE_KEPT_ALREADY;
	if (err != 0 || !is_new)
		return err;
	share.bytes += charge_of(m->unit.len);
	if (share.bytes > limit)
		err = fit_share(s, &share, limit);
	if (err == 0)
		err = store_share_put(s, &share);
	return err != 0 ? err : note_kept(s, m->row, dropped, out);
}

int store_keep(struct store *s, struct store_message *m,
	const struct store_person *author, struct store_outcome *out)
{
	bool is_new;
	int err;

	*out = (struct store_outcome){.kept = STORE_NOT_KEPT};
	if (s->quota.strangers_hour != 0)
		return author->class == STORE_STRANGER
			       ? keep_stranger(s, m, author, out)
			       : keep_known(s, m, author, out);
	err = store_insert(s, m, &is_new);
	if (err == 0)
		out->kept = is_new ? STORE_KEPT : STORE_KEPT_ALREADY;
	return err;
}

/* ---- classes ----------------------------------------------------------- */

/* What an author has in an hour. */
struct part {
	int64_t room;
	int64_t hour;
	int64_t bytes;
};

static int read_parts(
	struct store *s, int64_t author, struct part **out, size_t *count)
{
	sqlite3_stmt *st = STORE_BOUND(
		s, STMT_HOURS_OF_AUTHOR, author, STORE_LINE_COST_BYTES);
	size_t cap = 0;
	int err;

	*out = NULL;
	*count = 0;
	if (st == NULL)
		return store_last_err(s);
	while ((err = store_step(s, st)) > 0) {
		if (*count == cap) {
			cap = P2P_MAX(64u, 2 * cap);
			*out = xreallocarray(*out, cap, sizeof(**out));
		}
		(*out)[(*count)++] = (struct part){sqlite3_column_int64(st, 0),
			sqlite3_column_int64(st, 1),
			sqlite3_column_int64(st, 2)};
	}
	sqlite3_reset(st);
	return err;
}

/* Into or out of the share of its class. */
static int known_add(struct store *s, const struct store_person *person,
	int64_t room, int64_t bytes)
{
	int64_t now;

	return share_add(s, room,
		person->class == STORE_FRIEND ? person->id : SHARE_REGULARS,
		bytes, &now);
}

/* Out of the share that it is in. */
static int leave_share(struct store *s, const struct store_person *person,
	const struct part *part)
{
	struct store_hour h;
	int64_t rest, all;
	int err;

	if (person->class != STORE_STRANGER)
		return known_add(s, person, part->room, -part->bytes);
	err = store_hour_get(s, part->room, part->hour, &h);
	h.bytes -= part->bytes;
	if (err == 0)
		err = store_hour_put(s, &h);
	if (err == 0 && h.saturated)
		err = STORE_RUN(s, STMT_SLOT_DELETE, h.room, h.hour,
			rank_of(s, h.room, h.hour, person->peer), person->id);
	return err != 0 ? err
			: strangers_add(s, h.room, -part->bytes, &rest, &all);
}

/* Into that of its new class, which is noted already. */
static int enter_share(struct store *s, const struct store_person *person,
	const struct part *part)
{
	struct slot slot = {.author = person->id,
		.rank = rank_of(s, part->room, part->hour, person->peer)};
	struct store_hour h;
	int err;

	if (person->class != STORE_STRANGER)
		return known_add(s, person, part->room, part->bytes);
	err = store_hour_get(s, part->room, part->hour, &h);
	return err != 0 ? err : settle_stranger(s, &h, &slot, part->bytes);
}

int store_set_class(
	struct store *s, struct store_person *person, enum store_class class)
{
	struct part *parts;
	size_t count;
	int err;

	if (person->class == class)
		return 0;
	err = read_parts(s, person->id, &parts, &count);
	for (size_t i = 0; err == 0 && i < count; i++)
		err = leave_share(s, person, &parts[i]);
	if (err == 0)
		err = STORE_RUN(s, STMT_PERSON_CLASS, person->id, class,
			person->since_day, person->since_room);
	if (err == 0)
		person->class = class;
	for (size_t i = 0; err == 0 && i < count; i++)
		err = enter_share(s, person, &parts[i]);
	free(parts);
	return err;
}
