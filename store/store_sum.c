/*
 * What each room has: how many lines, and the sum of the seals of their places
 * (decision 0022). A row says whether it is damaged; only a sum says that one
 * is no longer there. Sums are kept in memory and written with the commit;
 * a walk through the index that all pages are read by counts what is found.
 * Lines that come and go behind the walk are counted as found or gone, so it
 * may take its time.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "store/store_internal.h"

/* The room's sum, made when there is none. */
static struct store_sum *sum_of(struct store_sums *sums, int64_t room)
{
	struct store_sum *sum;

	for (size_t i = 0; i < sums->count; i++)
		if (sums->items[i].room == room)
			return &sums->items[i];
	if (sums->count == sums->cap) {
		sums->cap = P2P_MAX(16u, 2 * sums->cap);
		sums->items = xreallocarray(
			sums->items, sums->cap, sizeof(*sums->items));
	}
	sum = &sums->items[sums->count++];
	*sum = (struct store_sum){.room = room};
	return sum;
}

const struct store_sum *store_sum_find(const struct store *s, int64_t room)
{
	for (size_t i = 0; i < s->sums.count; i++)
		if (s->sums.items[i].room == room)
			return &s->sums.items[i];
	return NULL;
}

bool store_sum_changed(const struct store_sum *sum)
{
	return sum->lines != sum->saved_lines || sum->keys != sum->saved_keys;
}

/* In the table of sums the commits stand where no room is. */
int store_sums_load(struct store *s)
{
	sqlite3_stmt *st = store_stmt(s, STMT_SUM_LOAD);
	int err;

	if (st == NULL)
		return store_last_err(s);
	while ((err = store_step(s, st)) > 0) {
		struct store_sum *sum;

		if (sqlite3_column_int64(st, 0) == STORE_SUM_COMMITS) {
			s->sums.commit = sqlite3_column_int64(st, 1);
			continue;
		}
		sum = sum_of(&s->sums, sqlite3_column_int64(st, 0));
		sum->lines = sum->saved_lines = sqlite3_column_int64(st, 1);
		sum->keys = sum->saved_keys = sqlite3_column_int64(st, 2);
	}
	sqlite3_reset(st);
	return err;
}

/* Whether the walk has come by that place. */
static bool is_behind(const struct store_sums *sums, int64_t room,
	const struct store_key *key)
{
	if (room != sums->walk_room)
		return room < sums->walk_room;
	return store_key_compare(key, &sums->walk_key) <= 0;
}

void store_sums_add(struct store *s, const struct store_message *m, int count)
{
	struct store_sum *sum = sum_of(&s->sums, m->room);
	int64_t seal = store_seal_place(m->row, m->room, &m->key);

	s->sums.changed = true;
	sum->lines += count;
	sum->keys ^= seal;
	if (s->sums.walked || !is_behind(&s->sums, m->room, &m->key))
		return;
	sum->found_lines += count;
	sum->found_keys ^= seal;
}

static int put_sum(struct store *s, const struct store_sum *sum)
{
	if (!store_sum_changed(sum))
		return 0;
	return STORE_RUN(s, STMT_SUM_PUT, sum->room, sum->lines, sum->keys);
}

int store_sums_flush(struct store *s)
{
	int err = 0;

	if (!s->sums.changed)
		return 0;
	for (size_t i = 0; err == 0 && i < s->sums.count; i++)
		err = put_sum(s, &s->sums.items[i]);
	if (err == 0)
		err = STORE_RUN(s, STMT_SUM_PUT, STORE_SUM_COMMITS,
			++s->sums.commit, 0);
	return err;
}

void store_sums_saved(struct store *s)
{
	for (size_t i = 0; i < s->sums.count && s->sums.changed; i++) {
		struct store_sum *sum = &s->sums.items[i];

		sum->saved_lines = sum->lines;
		sum->saved_keys = sum->keys;
	}
	s->sums.changed = false;
}

static void walk_anew(struct store_sums *sums)
{
	for (size_t i = 0; i < sums->count; i++)
		sums->items[i].found_lines = sums->items[i].found_keys = 0;
	sums->walk_room = 0;
	sums->walk_key = store_key_first;
}

void store_sums_undo(struct store *s)
{
	if (!s->sums.changed)
		return;
	for (size_t i = 0; i < s->sums.count; i++) {
		struct store_sum *sum = &s->sums.items[i];

		sum->lines = sum->saved_lines;
		sum->keys = sum->saved_keys;
	}
	s->sums.changed = false;
	if (!s->sums.walked)
		walk_anew(&s->sums);
}

int store_delete_line(struct store *s, int64_t row)
{
	sqlite3_stmt *st = STORE_BOUND(s, STMT_MESSAGE_DELETE, row);
	struct store_message m = {.row = row};
	int err;

	if (st == NULL)
		return store_last_err(s);
	err = store_step(s, st);
	if (err > 0) {
		m.room = sqlite3_column_int64(st, 0);
		m.key.time_ms = store_u64(sqlite3_column_int64(st, 1));
		store_column_fixed(st, 2, m.key.id, STORE_ID_BYTES);
		store_sums_add(s, &m, -1);
		s->dropped++;
		/* RETURNING gives its row before the statement ends. */
		err = store_step(s, st);
	}
	sqlite3_reset(st);
	return err;
}

/* ---- the walk ---------------------------------------------------------- */

/* What is there now is what is believed from here on: a loss is said once. */
static void compare(struct store *s, struct store_sum *sum)
{
	if (sum->found_lines == sum->lines && sum->found_keys == sum->keys)
		return;
	log_printf(s->log, LOG_LEVEL_ERROR,
		"store: room %lld has %lld lines, and should have %lld",
		(long long)sum->room, (long long)sum->found_lines,
		(long long)sum->lines);
	if (sum->found_lines < sum->lines)
		s->damage.lines += store_u64(sum->lines - sum->found_lines);
	else if (sum->found_lines == sum->lines)
		s->damage.moved++;
	else
		s->damage.uncounted = true;
	sum->lines = sum->found_lines;
	sum->keys = sum->found_keys;
	s->sums.changed = true;
}

static int read_places(struct store *s, size_t max, size_t *count)
{
	struct store_sums *sums = &s->sums;
	sqlite3_stmt *st = store_stmt(s, STMT_PLACES);
	int err;

	*count = 0;
	if (st == NULL)
		return store_last_err(s);
	sqlite3_bind_int64(st, 1, sums->walk_room);
	sqlite3_bind_int64(st, 2, store_i64(sums->walk_key.time_ms));
	sqlite3_bind_blob(
		st, 3, sums->walk_key.id, STORE_ID_BYTES, SQLITE_TRANSIENT);
	sqlite3_bind_int64(st, 4, (int64_t)max);
	while ((err = store_step(s, st)) > 0) {
		struct store_sum *sum =
			sum_of(sums, sqlite3_column_int64(st, 0));

		sum->found_lines++;
		sum->found_keys ^= sqlite3_column_int64(st, 3);
		sums->walk_room = sum->room;
		sums->walk_key.time_ms = store_u64(sqlite3_column_int64(st, 1));
		store_column_fixed(st, 2, sums->walk_key.id, STORE_ID_BYTES);
		++*count;
	}
	sqlite3_reset(st);
	return err;
}

int store_count_lines(struct store *s, size_t max, bool *done)
{
	sqlite3_stmt *st;
	size_t count;
	int err;

	*done = s->sums.walked;
	if (*done)
		return 0;
	err = read_places(s, max, &count);
	if (err != 0 || count == max)
		return err;
	s->sums.walked = *done = true;
	for (size_t i = 0; i < s->sums.count; i++)
		compare(s, &s->sums.items[i]);
	if (!s->sums.changed)
		return 0;
	/* Opens a transaction, so that the new sums are written. */
	st = store_write_stmt(s, STMT_SUM_LOAD);
	return st == NULL ? store_last_err(s) : 0;
}
