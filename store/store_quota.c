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
 * they count: looking at an hour costs two short reads, however much it holds.
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

struct hour {
	int64_t room;
	int64_t hour;
	int64_t bytes;
	int64_t freed; /* since it was read: of the room's share, too */
	bool saturated;
	bool shut; /* dropped as a whole: takes no stranger */
	bool has_cut;
	int64_t cut;
};

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

static bool read_key(sqlite3_stmt *st, int at, struct store_key *key)
{
	if (sqlite3_column_type(st, at) == SQLITE_NULL)
		return false;
	key->time_ms = store_u64(sqlite3_column_int64(st, at));
	store_column_fixed(st, at + 1, key->id, STORE_ID_BYTES);
	return true;
}

static void bind_key(sqlite3_stmt *st, int at, const struct store_key *key)
{
	sqlite3_bind_int64(st, at, store_i64(key->time_ms));
	sqlite3_bind_blob(st, at + 1, key->id, STORE_ID_BYTES, SQLITE_STATIC);
}

/* All lines that the statement gives, with their ranks in that hour. */
static int read_costs(struct store *s, sqlite3_stmt *st, const struct hour *h,
	struct costs *out)
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
		(void)read_key(st, 4, &c->key);
	}
	sqlite3_reset(st);
	return err;
}

/* ---- sums -------------------------------------------------------------- */

static int share_add(struct store *s, int64_t room, int64_t author,
	int64_t bytes, int64_t *now)
{
	sqlite3_stmt *st = STORE_BOUND(s, STMT_SHARE_ADD, room, author, bytes);
	int err;

	*now = 0;
	if (st == NULL)
		return store_last_err(s);
	err = store_step(s, st);
	if (err > 0) {
		*now = sqlite3_column_int64(st, 0);
		err = store_step(s, st);
	}
	sqlite3_reset(st);
	return err;
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

static int hour_get(struct store *s, struct hour *h)
{
	sqlite3_stmt *st = STORE_BOUND(s, STMT_HOUR_GET, h->room, h->hour);
	int err;

	if (st == NULL)
		return store_last_err(s);
	err = store_step(s, st);
	if (err > 0) {
		h->bytes = sqlite3_column_int64(st, 0);
		h->saturated = sqlite3_column_int(st, 1) != 0;
		h->shut = sqlite3_column_int(st, 2) != 0;
		h->has_cut = sqlite3_column_type(st, 3) != SQLITE_NULL;
		h->cut = sqlite3_column_int64(st, 3);
		err = 0;
	}
	sqlite3_reset(st);
	return err;
}

static int hour_put(struct store *s, const struct hour *h)
{
	sqlite3_stmt *st = STORE_BOUND(s, STMT_HOUR_PUT, h->room, h->hour,
		P2P_MAX(h->bytes, (int64_t)0), h->saturated, h->shut);

	if (st == NULL)
		return store_last_err(s);
	if (h->has_cut)
		sqlite3_bind_int64(st, 6, h->cut);
	return store_run(s, st);
}

static int drop_line(struct store *s, struct hour *h, const struct cost *c)
{
	h->bytes -= c->bytes;
	h->freed += c->bytes;
	return store_delete_line(s, c->row);
}

/* ---- slots ------------------------------------------------------------- */

/* The author's slot, empty when there is none. */
static int slot_get(struct store *s, const struct hour *h, struct slot *slot)
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
		slot->has_cut = read_key(st, 2, &slot->cut);
		err = 0;
	}
	sqlite3_reset(st);
	return err;
}

static int slot_put(
	struct store *s, const struct hour *h, const struct slot *slot)
{
	sqlite3_stmt *st = STORE_BOUND(s, STMT_SLOT_PUT, h->room, h->hour,
		slot->rank, slot->author, slot->lines, slot->bytes);

	if (st == NULL)
		return store_last_err(s);
	if (slot->has_cut)
		bind_key(st, 7, &slot->cut);
	return store_run(s, st);
}

static bool above_cut(const struct hour *h, int64_t rank)
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
static int slot_fill(struct store *s, struct hour *h, struct slot *slot,
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

static int author_lines(struct store *s, const struct hour *h, int64_t author,
	struct costs *out)
{
	return read_costs(s,
		STORE_BOUND(s, STMT_HOUR_AUTHOR_LINES, h->room,
			h->hour * HOUR_MS, (h->hour + 1) * HOUR_MS, author),
		h, out);
}

/* The stranger of the highest rank goes; the hour takes none so high again. */
static int drop_last_slot(struct store *s, struct hour *h)
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

static int fit_hour(struct store *s, struct hour *h)
{
	int err = 0;

	while (err == 0 && h->bytes > store_i64(s->quota.strangers_hour))
		err = drop_last_slot(s, h);
	return err;
}

/* From now on the hour keeps slots: what it has goes into them. */
static int saturate(struct store *s, struct hour *h)
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
static int refill(struct store *s, struct hour *h, struct slot *slot)
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
static int shut_hour(struct store *s, struct hour *h)
{
	struct costs lines;
	int err = hour_get(s, h);

	if (err == 0)
		err = read_costs(s,
			STORE_BOUND(s, STMT_HOUR_LINES, h->room,
				h->hour * HOUR_MS, (h->hour + 1) * HOUR_MS),
			h, &lines);
	if (err != 0)
		return err;
	h->freed = h->bytes;
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
	return err != 0 ? err : hour_put(s, h);
}

static int oldest_hour(
	struct store *s, enum store_stmt which, int64_t room, struct hour *h)
{
	sqlite3_stmt *st = STORE_BOUND(s, which, room);
	int err;

	*h = (struct hour){.room = room};
	if (st == NULL)
		return store_last_err(s);
	err = store_step(s, st);
	if (err > 0) {
		h->room = sqlite3_column_int64(st, 0);
		h->hour = sqlite3_column_int64(st, 1);
	}
	sqlite3_reset(st);
	return err;
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
		struct hour h;
		int64_t rest = in_room;

		err = oldest_hour(s,
			here ? STMT_HOUR_OLDEST : STMT_HOUR_OLDEST_OF_ALL, room,
			&h);
		if (err <= 0)
			return err;
		err = shut_hour(s, &h);
		if (err == 0)
			err = strangers_add(
				s, h.room, -h.freed, &rest, &in_all);
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
	struct store *s, struct hour *h, struct slot *slot, int64_t bytes)
{
	int64_t in_room, in_all;
	int err = 0;

	h->bytes += bytes;
	if (h->saturated)
		err = refill(s, h, slot);
	else if (h->bytes > store_i64(s->quota.strangers_hour))
		err = saturate(s, h);
	if (err == 0)
		err = hour_put(s, h);
	if (err == 0)
		err = strangers_add(
			s, h->room, bytes - h->freed, &in_room, &in_all);
	return err != 0 ? err : fit_strangers(s, h->room, in_room, in_all);
}

static int keep_stranger(struct store *s, struct store_message *m,
	const struct store_person *author, struct store_outcome *out)
{
	struct hour h = {.room = m->room, .hour = hour_of(m)};
	struct slot slot = {.author = author->id,
		.rank = rank_of(s, m->room, hour_of(m), author->peer)};
	bool is_new, there = true, saturated;
	int err = hour_get(s, &h);

	saturated = h.saturated;
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
	/* What went to make room may be this one. */
	if (err == 0)
		err = is_there(s, m->row, &there);
	out->kept = there ? STORE_KEPT : STORE_NOT_KEPT;
	return err;
}

/* ---- friends and regulars ---------------------------------------------- */

struct share {
	int64_t room;
	int64_t author; /* or SHARE_REGULARS */
	int64_t limit;
	bool has_floor;
	struct store_key floor;
};

static struct share share_of(
	const struct store *s, int64_t room, const struct store_person *author)
{
	bool friend = author->class == STORE_FRIEND;

	return (struct share){.room = room,
		.author = friend ? author->id : SHARE_REGULARS,
		.limit = store_i64(friend ? s->quota.friend_room
					  : s->quota.regulars_room)};
}

static int share_floor(struct store *s, struct share *share)
{
	sqlite3_stmt *st =
		STORE_BOUND(s, STMT_SHARE_GET, share->room, share->author);
	int err;

	if (st == NULL)
		return store_last_err(s);
	err = store_step(s, st);
	if (err > 0)
		share->has_floor = read_key(st, 1, &share->floor);
	sqlite3_reset(st);
	return P2P_MIN(err, 0);
}

static int read_oldest(
	struct store *s, const struct share *share, struct costs *lines)
{
	bool all = share->author == SHARE_REGULARS;
	sqlite3_stmt *st = store_write_stmt(
		s, all ? STMT_SHARE_OLDEST_OF_REGULARS : STMT_SHARE_OLDEST);

	if (st == NULL)
		return store_last_err(s);
	sqlite3_bind_int64(st, 1, share->room);
	bind_key(st, 2, share->has_floor ? &share->floor : &store_key_first);
	if (!all)
		sqlite3_bind_int64(st, 4, share->author);
	return read_costs(s, st, NULL, lines);
}

/* The oldest lines go; the floor is the last one that went. */
static int fit_share(struct store *s, struct share *share, int64_t bytes)
{
	struct costs lines = {0};
	sqlite3_stmt *st;
	int64_t rest;
	int err = read_oldest(s, share, &lines);
	int64_t gone = 0;

	for (size_t i = 0;
		err == 0 && i < lines.count && bytes - gone > share->limit;
		i++) {
		gone += lines.items[i].bytes;
		share->has_floor = true;
		share->floor = lines.items[i].key;
		err = store_delete_line(s, lines.items[i].row);
	}
	free(lines.items);
	if (err != 0 || gone == 0)
		return err;
	st = STORE_BOUND(s, STMT_SHARE_FLOOR, share->room, share->author);
	if (st == NULL)
		return store_last_err(s);
	bind_key(st, 3, &share->floor);
	err = store_run(s, st);
	return err != 0
		       ? err
		       : share_add(s, share->room, share->author, -gone, &rest);
}

static int keep_known(struct store *s, struct store_message *m,
	const struct store_person *author, struct store_outcome *out)
{
	struct share share = share_of(s, m->room, author);
	int err = share_floor(s, &share);
	bool is_new, there = true;
	int64_t bytes;

	if (err != 0 || (share.has_floor &&
				store_key_compare(&m->key, &share.floor) <= 0))
		return err;
	err = store_insert(s, m, &is_new);
	if (err == 0 && !is_new)
		out->kept = STORE_KEPT_ALREADY;
	if (err != 0 || !is_new)
		return err;
	err = share_add(
		s, share.room, share.author, charge_of(m->unit.len), &bytes);
	if (err == 0 && bytes > share.limit) {
		err = fit_share(s, &share, bytes);
		if (err == 0)
			err = is_there(s, m->row, &there);
	}
	out->kept = there ? STORE_KEPT : STORE_NOT_KEPT;
	return err;
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

/* Out of the share that it is in. */
static int leave_share(struct store *s, const struct store_person *person,
	const struct part *part)
{
	struct share share = share_of(s, part->room, person);
	struct hour h = {.room = part->room, .hour = part->hour};
	int64_t rest, all;
	int err;

	if (person->class != STORE_STRANGER)
		return share_add(
			s, share.room, share.author, -part->bytes, &rest);
	err = hour_get(s, &h);
	h.bytes -= part->bytes;
	if (err == 0)
		err = hour_put(s, &h);
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
	struct share share = share_of(s, part->room, person);
	struct hour h = {.room = part->room, .hour = part->hour};
	struct slot slot = {.author = person->id,
		.rank = rank_of(s, h.room, h.hour, person->peer)};
	int64_t now;
	int err;

	if (person->class != STORE_STRANGER)
		return share_add(
			s, share.room, share.author, part->bytes, &now);
	err = hour_get(s, &h);
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
