/*
 * A database that is damaged beyond mending (decision 0029): a new one is made
 * beside it from every row whose seal is right, and takes its place; the old
 * file is kept under a name with the date. Until the new one is complete and
 * on the disk nothing of the old one is touched. A crash at any moment leaves
 * the old one, or a new one that the next start puts in its place.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/store_carve.h"
#include "store/store_internal.h"

_Static_assert(STORE_LINE_COST_BYTES == 320, "a statement below says so");

/* While it is being made. */
#define PART_SUFFIX "-part"

/* ---- tables ------------------------------------------------------------ */

/* In the order in which rows have their columns. */
struct carried {
	const char *table;
	const char *columns;
	const char *seal;
	size_t count;          /* of columns, with the seal */
	bool by_key;           /* no number of the row is among them */
	const char *otherwise; /* when it is there already */
};

#define NOTHING "ON CONFLICT DO NOTHING"
/* Of two that claim to be the same person the less is believed. */
#define LESS \
	"ON CONFLICT DO UPDATE SET verified = min(verified," \
	" excluded.verified), ignored = max(ignored, excluded.ignored)," \
	" seal = seal(id, peer, name, small, drawn, named_ms, first_seen_ms," \
	" last_seen_ms, max(ignored, excluded.ignored), min(verified," \
	" excluded.verified), class, days, day, since_day, since_room)"

enum {
	CARRIED_ROOMS,
	CARRIED_PEOPLE,
	CARRIED_MESSAGES,
	CARRIED_ADDRESSES,
	CARRIED_RECORDS,
	CARRIED_SETTINGS,
	CARRIED_HOURS,
	CARRIED_SLOTS,
	CARRIED_SHARES,
	CARRIED_COUNT,
};

static const struct carried tables[CARRIED_COUNT] = {
	{"rooms",
		"id, topic, joined, position, dialect, read_time_ms, read_id,"
		" unread, mentions, seq, prev, clock_ms, seal",
		SEAL_OF_ROOM, 13, false, NOTHING},
	{"people",
		"id, peer, name, first_seen_ms, last_seen_ms, ignored, small,"
		" drawn, named_ms, verified, class, days, day, since_day,"
		" since_room, seal",
		SEAL_OF_PERSON, 16, false, LESS},
	{"messages",
		"row, room, time_ms, unit_id, author, state, local, mention,"
		" unit, seal",
		SEAL_OF_MESSAGE, 10, false, NOTHING},
	{"addresses", "peer, addr, last_ok_ms, seal", SEAL_OF_ADDRESS, 4, true,
		NOTHING},
	{"records", "peer, record, seen_ms, seal", SEAL_OF_RECORD, 4, true,
		NOTHING},
	{"settings", "key, value, seal", SEAL_OF_SETTING, 3, true, NOTHING},
	{"hours", "room, hour, bytes, saturated, shut, cut, seal", SEAL_OF_HOUR,
		7, true, NOTHING},
	{"slots",
		"room, hour, rank, author, lines, bytes, cut_ms, cut_id, seal",
		SEAL_OF_SLOT, 9, true, NOTHING},
	{"shares", "room, author, bytes, floor_ms, floor_id, seal",
		SEAL_OF_SHARE, 6, true, NOTHING},
};

struct salvage {
	struct store *into;
	struct log *log;
	sqlite3_stmt *insert[CARRIED_COUNT];
	uint64_t carried[CARRIED_COUNT];
	bool ours;    /* a table of ours is named, or a row of ours is there */
	bool foreign; /* a table is named that is not ours */
};

static int prepare(struct salvage *v, size_t at)
{
	const struct carried *t = &tables[at];
	char *values = xstrdup("");
	char *sql;
	int rc;

	for (size_t i = 0; i < t->count; i++) {
		char *more = xasprintf(
			"%s%s?%zu", values, i == 0 ? "" : ", ", i + 1);

		free(values);
		values = more;
	}
	sql = xasprintf("WITH carved (%s) AS (VALUES (%s)) INSERT INTO %s (%s)"
			" SELECT %s FROM carved WHERE seal IS %s %s",
		t->columns, values, t->table, t->columns, t->columns, t->seal,
		t->otherwise);
	rc = sqlite3_prepare_v2(v->into->db, sql, -1, &v->insert[at], NULL);
	free(sql);
	free(values);
	return rc == SQLITE_OK ? 0 : store_fail(v->into, rc);
}

/* ---- rows -------------------------------------------------------------- */

static void bind_value(sqlite3_stmt *st, int at, const struct carve_value *v)
{
	/* A NULL pointer would be SQL's NULL. */
	const void *data = v->data.len == 0 ? "" : (const void *)v->data.data;

	switch (v->kind) {
	case CARVE_NULL:
		sqlite3_bind_null(st, at);
		break;
	case CARVE_NUMBER:
		sqlite3_bind_int64(st, at, v->number);
		break;
	case CARVE_TEXT:
		sqlite3_bind_text64(
			st, at, data, v->data.len, SQLITE_STATIC, SQLITE_UTF8);
		break;
	case CARVE_BLOB:
		sqlite3_bind_blob64(st, at, data, v->data.len, SQLITE_STATIC);
		break;
	}
}

/* Goes in if its seal is right, which the statement asks. */
static int try_row(struct salvage *v, size_t at, const struct carve_row *row)
{
	sqlite3_stmt *st = v->insert[at];
	int64_t before = sqlite3_total_changes64(v->into->db);
	int rc;

	for (size_t i = 0; i < row->count; i++)
		bind_value(st, (int)i + 1, &row->values[i]);
	if (row->has_number)
		sqlite3_bind_int64(st, 1, row->number);
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	/* A value of another kind than the column's: no row of this table. */
	if ((rc & 0xff) == SQLITE_CONSTRAINT)
		return 0;
	if (rc != SQLITE_DONE)
		return store_fail(v->into, rc);
	v->carried[at] += sqlite3_total_changes64(v->into->db) > before;
	return 0;
}

/* A row of the schema names its table. */
static void see_schema(struct salvage *v, const struct carve_row *row)
{
	const struct carve_value *kind = &row->values[0];
	const struct carve_value *name = &row->values[1];

	if (!row->has_number || row->count != 5 || kind->kind != CARVE_TEXT ||
		name->kind != CARVE_TEXT ||
		!bytes_equal(kind->data, bytes_str("table")))
		return;
	for (size_t i = 0; i < CARRIED_COUNT; i++)
		if (bytes_equal(name->data, bytes_str(tables[i].table))) {
			v->ours = true;
			return;
		}
	v->foreign = v->foreign || !bytes_equal(name->data, bytes_str("sums"));
}

static int carry_rows(struct salvage *v, struct carve *c)
{
	struct carve_row row;
	int err = 0;

	while (err == 0 && carve_next(c, &row)) {
		see_schema(v, &row);
		for (size_t i = 0; err == 0 && i < CARRIED_COUNT; i++)
			if (tables[i].count == row.count &&
				tables[i].by_key != row.has_number)
				err = try_row(v, i, &row);
	}
	return err;
}

/* ---- the new one ------------------------------------------------------- */

/* Numbers of people that are gone go to nobody else. */
static const char close_gaps[] =
	"INSERT INTO people (id, peer, name, first_seen_ms, last_seen_ms,"
	" ignored, small, drawn, named_ms, verified, class, days, day,"
	" since_day, since_room, seal) SELECT DISTINCT author, 'damaged '"
	" || author, '', 0, 0, 0, '', '', 0, 0, 0, 0, 0, 0, 0, seal(author,"
	" 'damaged ' || author, '', '', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)"
	" FROM messages WHERE author NOT IN (SELECT id FROM people);"
	"DELETE FROM shares WHERE author > 0"
	" AND author NOT IN (SELECT id FROM people);";

/* An hour that does not have the slots of all who speak in it fills up again
 * before it keeps slots; what slots hold is counted. */
static const char count_slots[] =
	"DELETE FROM slots WHERE author NOT IN"
	" (SELECT id FROM people WHERE substr(peer, 1, 8) <> 'damaged ');"
	"UPDATE hours SET saturated = 0 WHERE saturated AND NOT shut"
	" AND EXISTS (SELECT 1 FROM messages AS m JOIN people AS p"
	" ON p.id = m.author WHERE m.room = hours.room"
	" AND m.time_ms >= hours.hour * 3600000"
	" AND m.time_ms < (hours.hour + 1) * 3600000"
	" AND m.state = 0 AND p.class = 0 AND NOT EXISTS (SELECT 1"
	" FROM slots AS t WHERE t.room = hours.room"
	" AND t.hour = hours.hour AND t.author = m.author));"
	"DELETE FROM slots WHERE NOT EXISTS (SELECT 1 FROM hours AS h"
	" WHERE h.room = slots.room AND h.hour = slots.hour AND h.saturated);"
	"UPDATE slots SET (lines, bytes) = (SELECT count(*),"
	" coalesce(sum(length(unit) + 320), 0) FROM messages AS m"
	" WHERE m.author = slots.author AND m.room = slots.room"
	" AND m.time_ms >= slots.hour * 3600000"
	" AND m.time_ms < (slots.hour + 1) * 3600000 AND m.state = 0);"
	"UPDATE slots SET seal = " SEAL_OF_SLOT ";";

static int fill(struct salvage *v, struct carve *c, const char *aside)
{
	/* If it fails it is thrown away, so it needs no log on the disk. */
	int err = store_exec(v->into, "PRAGMA synchronous = OFF;"
				      "PRAGMA journal_mode = MEMORY;"
				      "BEGIN IMMEDIATE");

	for (size_t i = 0; err == 0 && i < CARRIED_COUNT; i++)
		err = prepare(v, i);
	if (err == 0)
		err = carry_rows(v, c);
	for (size_t i = 0; i < CARRIED_COUNT; i++)
		sqlite3_finalize(v->insert[i]);
	/* Whose it is nobody can say when nothing at all can be read. */
	for (size_t i = 0; i < CARRIED_COUNT; i++)
		v->ours = v->ours || v->carried[i] > 0;
	if (err == 0 && v->foreign && !v->ours)
		err = P2P_ERR_CORRUPT;
	if (err == 0)
		err = store_exec(v->into, close_gaps);
	if (err == 0)
		err = store_exec(v->into, count_slots);
	if (err == 0)
		err = store_count_anew(v->into);
	v->into->in_transaction = true;
	if (err == 0)
		err = store_note_salvaged(v->into,
			&(struct store_damage){
				.saved_lines = v->carried[CARRIED_MESSAGES],
				.saved_people = v->carried[CARRIED_PEOPLE],
				.saved_rooms = v->carried[CARRIED_ROOMS]},
			aside);
	return err == 0 ? store_commit(v->into) : err;
}

static void remove_part(const char *part)
{
	static const char *const ends[] = {"", "-wal", "-journal"};

	for (size_t i = 0; i < P2P_ARRAY_LEN(ends); i++) {
		char *path = xasprintf("%s%s", part, ends[i]);

		(void)unlink(path);
		free(path);
	}
}

static int make_new(
	struct salvage *v, struct carve *c, const char *part, const char *aside)
{
	int err;

	remove_part(part);
	err = store_open_bare(&v->into, part, v->log);
	if (err == 0)
		err = fill(v, c, aside);
	store_close(v->into);
	v->into = NULL;
	if (err == 0)
		err = store_sync_path(part, O_RDWR);
	if (err != 0)
		remove_part(part);
	return err;
}

/* ---- as a whole --------------------------------------------------------- */

int store_salvage(const char *path, uint64_t wall_ms, struct log *log)
{
	struct salvage v = {.log = log};
	struct carve *c = carve_new(path);
	char *part = xasprintf("%s" PART_SUFFIX, path);
	char *complete = xasprintf("%s" STORE_COMPLETE_SUFFIX, path);
	char *aside = store_aside_name(path, (time_t)(wall_ms / 1000));
	int err = 0;

	if (c == NULL || aside == NULL)
		err = P2P_ERR_CORRUPT;
	if (err == 0)
		err = make_new(&v, c, part, aside);
	if (err == 0 && rename(part, complete) != 0)
		err = store_err_of_errno();
	if (err == 0)
		err = store_put_in_place(path, complete, aside);
	log_printf(log, LOG_LEVEL_ERROR,
		"store: salvage: %s; %llu lines, %llu people, %llu rooms",
		err == 0 ? "done" : p2p_err_text(err),
		(unsigned long long)v.carried[CARRIED_MESSAGES],
		(unsigned long long)v.carried[CARRIED_PEOPLE],
		(unsigned long long)v.carried[CARRIED_ROOMS]);
	carve_free(c);
	free(part);
	free(complete);
	free(aside);
	return err;
}
