/*
 * Lines: inserted, marked, read by pages. A line's place is (time, id), which
 * is the same on every machine. Pages are bounded by rows and by bytes, but
 * hold one row at least, so that a reader always moves on.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "store/store_internal.h"

int store_insert(struct store *s, struct store_message *m, bool *is_new)
{
	sqlite3_stmt *st = store_write_stmt(s, STMT_MESSAGE_INSERT);
	int err;

	*is_new = false;
	if (st == NULL)
		return store_last_err(s);
	sqlite3_bind_int64(st, 1, m->room);
	store_bind_key(st, 2, &m->key);
	sqlite3_bind_int64(st, 4, m->author);
	sqlite3_bind_int(st, 5, (int)m->state);
	sqlite3_bind_int(st, 6, m->local);
	sqlite3_bind_int(st, 7, m->mention);
	store_bind_bytes(st, 8, m->unit);
	/* The number of a row that was deleted is not used again: the newest
	 * of them may have been told already. */
	sqlite3_bind_int64(st, 9, s->last_row + 1);
	err = store_run(s, st);
	if (err == 0)
		*is_new = sqlite3_changes(s->db) > 0;
	if (*is_new) {
		m->row = ++s->last_row;
		store_sums_add(s, m, 1);
	}
	return err;
}

int store_set_state(struct store *s, int64_t room, const struct store_key *key,
	enum store_state state)
{
	sqlite3_stmt *st = store_write_stmt(s, STMT_MESSAGE_STATE);
	int err;

	if (st == NULL)
		return store_last_err(s);
	sqlite3_bind_int64(st, 1, room);
	store_bind_key(st, 2, key);
	sqlite3_bind_int(st, 4, (int)state);
	err = store_run(s, st);
	if (err == 0 && sqlite3_changes(s->db) == 0)
		err = P2P_ERR_NOT_FOUND;
	return err;
}

void store_rows_clear(struct store_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		free((void *)(uintptr_t)rows->items[i].unit.data);
	free(rows->items);
	*rows = (struct store_rows){.count = 0};
}

static void read_row(sqlite3_stmt *st, struct store_message *m)
{
	const void *unit = sqlite3_column_blob(st, 8);
	size_t len = (size_t)sqlite3_column_bytes(st, 8);

	*m = (struct store_message){
		.row = sqlite3_column_int64(st, 0),
		.room = sqlite3_column_int64(st, 1),
		.key.time_ms = store_u64(sqlite3_column_int64(st, 2)),
		.author = sqlite3_column_int64(st, 4),
		.state = (enum store_state)sqlite3_column_int(st, 5),
		.local = sqlite3_column_int(st, 6) != 0,
		.mention = sqlite3_column_int(st, 7) != 0,
		.damaged = sqlite3_column_int(st, 9) == 0,
	};
	store_column_fixed(st, 3, m->key.id, STORE_ID_BYTES);
	if (len > 0)
		m->unit = bytes_of(xmemdup(unit, len), len);
}

/*
 * Reads what the statement gives, at most max rows (it was asked for one
 * more) and STORE_ROWS_BYTES_MAX of units, but always at least one row, so
 * that a reader moves on.
 */
static int read_rows(
	struct store *s, sqlite3_stmt *st, size_t max, struct store_rows *rows)
{
	size_t bytes = 0;
	int err;

	*rows = (struct store_rows){.count = 0};
	rows->items = xcalloc(max, sizeof(*rows->items));
	while ((err = store_step(s, st)) > 0) {
		bytes += (size_t)sqlite3_column_bytes(st, 8);
		if (rows->count == max ||
			(rows->count > 0 && bytes > STORE_ROWS_BYTES_MAX)) {
			rows->more = true;
			break;
		}
		read_row(st, &rows->items[rows->count++]);
	}
	sqlite3_reset(st);
	if (err < 0) {
		store_rows_clear(rows);
		return err;
	}
	return 0;
}

/* The lines of one room on one side of a key. */
struct keyset {
	int64_t room;
	const struct store_key *key;
	size_t max;
};

static int read_keyset(struct store *s, enum store_stmt which,
	const struct keyset *what, struct store_rows *rows)
{
	sqlite3_stmt *st = store_stmt(s, which);

	P2P_ASSERT(what->max > 0 && what->max <= STORE_ROWS_MAX);
	if (st == NULL)
		return store_last_err(s);
	sqlite3_bind_int64(st, 1, what->room);
	store_bind_key(st, 2, what->key);
	sqlite3_bind_int64(st, 4, (int64_t)what->max + 1);
	return read_rows(s, st, what->max, rows);
}

int store_page(struct store *s, int64_t room, const struct store_key *before,
	size_t max, struct store_rows *rows)
{
	struct keyset what = {room, before, max};

	return read_keyset(s, STMT_MESSAGE_PAGE, &what, rows);
}

int store_page_after(struct store *s, int64_t room,
	const struct store_key *after, size_t max, struct store_rows *rows)
{
	struct keyset what = {room, after, max};

	return read_keyset(s, STMT_MESSAGE_AFTER, &what, rows);
}

int store_waiting(struct store *s, int64_t room, const struct store_key *after,
	size_t max, struct store_rows *rows)
{
	struct keyset what = {room, after, max};

	return read_keyset(s, STMT_MESSAGE_WAITING, &what, rows);
}

int store_arrivals(
	struct store *s, int64_t after, size_t max, struct store_rows *rows)
{
	sqlite3_stmt *st = store_stmt(s, STMT_MESSAGE_ARRIVALS);

	P2P_ASSERT(max > 0 && max <= STORE_ROWS_MAX);
	if (st == NULL)
		return store_last_err(s);
	sqlite3_bind_int64(st, 1, after);
	sqlite3_bind_int64(st, 2, (int64_t)max + 1);
	return read_rows(s, st, max, rows);
}

int store_count_after(struct store *s, int64_t room,
	const struct store_key *after, uint64_t until_ms,
	struct store_counts *counts)
{
	sqlite3_stmt *st = store_stmt(s, STMT_MESSAGE_UNREAD);
	int err;

	*counts = (struct store_counts){.unread = 0};
	if (st == NULL)
		return store_last_err(s);
	sqlite3_bind_int64(st, 1, room);
	store_bind_key(st, 2, after);
	sqlite3_bind_int64(st, 4, store_i64(until_ms));
	sqlite3_bind_int(st, 5, STORE_COUNT_MAX);
	err = store_step(s, st);
	if (err > 0) {
		counts->unread = (uint32_t)sqlite3_column_int(st, 0);
		counts->mentions = (uint32_t)sqlite3_column_int(st, 1);
		err = 0;
	}
	sqlite3_reset(st);
	return err;
}

/* A statement without parameters that gives one number. */
static int read_number(struct store *s, enum store_stmt which, int64_t *value)
{
	sqlite3_stmt *st = store_stmt(s, which);
	int err;

	*value = 0;
	if (st == NULL)
		return store_last_err(s);
	err = store_step(s, st);
	if (err > 0) {
		*value = sqlite3_column_int64(st, 0);
		err = 0;
	}
	sqlite3_reset(st);
	return err;
}

int store_count_waiting(struct store *s, uint64_t *count)
{
	int64_t value;
	int err = read_number(s, STMT_MESSAGE_COUNT_WAITING, &value);

	*count = store_u64(value);
	return err;
}

int store_last_row(struct store *s, int64_t *row)
{
	int err = read_number(s, STMT_MESSAGE_LAST_ROW, row);

	*row = P2P_MAX(*row, s->last_row);
	return err;
}
