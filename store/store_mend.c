/*
 * What is damaged, looked for when the database is opened (decision 0022).
 * First its structure, by SQLite's own check, for what seals say is worth
 * nothing when trees are mixed up: an index that is wrong is built anew from
 * its table, anything else is refused. Then the seals of all rows but those of
 * lines. A row that is damaged is believed in nothing: it is taken away and
 * counted, so that the person can be told. Lines are looked at when they are
 * read.
 */
#include <stdio.h>
#include <stdlib.h>

#include "store/store_internal.h"

/* Tables whose rows are only taken away. */
struct sealed {
	const char *table;
	const char *seal;
	/* Tables with their rows in the tree of the key: a damaged key may
	 * stand in a wrong place, where it cannot be deleted. */
	bool by_key;
};

static const struct sealed tables[] = {
	{"addresses", SEAL_OF_ADDRESS, true},
	{"records", SEAL_OF_RECORD, true},
	{"settings", SEAL_OF_SETTING, true},
	{"hours", SEAL_OF_HOUR, true},
	{"slots", SEAL_OF_SLOT, true},
	{"shares", SEAL_OF_SHARE, true},
	{"sums", SEAL_OF_SUM, false},
	{"rooms", SEAL_OF_ROOM, false},
	{"people", SEAL_OF_PERSON, false},
};

/* In the order of the tables above. */
enum {
	TABLE_ADDRESSES,
	TABLE_RECORDS,
	TABLE_SETTINGS,
	TABLE_HOURS,
	TABLE_SLOTS,
	TABLE_SHARES,
	TABLE_SUMS,
	TABLE_ROOMS,
	TABLE_PEOPLE,
	TABLE_COUNT,
};

/* What has begun is written, or all of it taken back; err: whether it failed.
 */
static int end_change(struct store *s, int err)
{
	if (err == 0)
		err = store_exec(s, "COMMIT");
	if (err != 0)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

/* ---- rows -------------------------------------------------------------- */

static int count_damaged(struct store *s, int at, uint64_t *count)
{
	char sql[400];
	int64_t value;
	int err;

	(void)snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM %s WHERE seal IS NOT %s",
		tables[at].table, tables[at].seal);
	err = store_ask(s, sql, &value);
	*count += store_u64(value);
	return err;
}

/* Only what is sound is put back. */
static int fill_anew(struct store *s, int at)
{
	const char *table = tables[at].table;
	char sql[600];

	(void)snprintf(sql, sizeof(sql),
		"CREATE TEMP TABLE sound AS SELECT * FROM main.%s"
		" WHERE seal IS %s;"
		"DELETE FROM main.%s;"
		"INSERT OR IGNORE INTO main.%s SELECT * FROM temp.sound;"
		"DROP TABLE temp.sound;",
		table, tables[at].seal, table, table);
	return store_exec(s, sql);
}

static int take_away(struct store *s, int at)
{
	char sql[600];

	if (tables[at].by_key)
		return fill_anew(s, at);
	/* The row stays, with nothing in it: lines refer to its number, which
	 * must not become another's. */
	if (at == TABLE_PEOPLE)
		return store_exec(s,
			"UPDATE people SET peer = 'damaged ' || id, name = '',"
			" small = '', drawn = '', named_ms = 0,"
			" first_seen_ms = 0, last_seen_ms = 0, ignored = 0,"
			" verified = 0, class = 0, days = 0, day = 0,"
			" since_day = 0, since_room = 0,"
			" seal = seal(id, 'damaged ' || id, '', '', '', 0, 0,"
			" 0, 0, 0, 0, 0, 0, 0, 0)"
			" WHERE seal IS NOT " SEAL_OF_PERSON);
	(void)snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE seal IS NOT %s",
		tables[at].table, tables[at].seal);
	return store_exec(s, sql);
}

_Static_assert(STORE_LINE_COST_BYTES == 320, "the statements below say so");

/* What has which share, from the lines that are there. */
static int count_shares(struct store *s)
{
	return store_exec(s,
		"UPDATE hours SET bytes = 0;"
		"INSERT INTO hours SELECT room, time_ms / 3600000,"
		" sum(length(unit) + 320), 0, 0, NULL, 0 FROM messages"
		" WHERE state = 0"
		" AND author IN (SELECT id FROM people WHERE class = 0)"
		" GROUP BY 1, 2 ON CONFLICT (room, hour) DO UPDATE SET"
		" bytes = excluded.bytes;"
		"UPDATE hours SET seal = " SEAL_OF_HOUR ";"
		"UPDATE shares SET bytes = 0;"
		"INSERT INTO shares SELECT room, 0, sum(bytes), NULL, NULL, 0"
		" FROM hours GROUP BY room ON CONFLICT (room, author)"
		" DO UPDATE SET bytes = excluded.bytes;"
		"INSERT INTO shares SELECT 0, 0, coalesce(sum(bytes), 0), NULL,"
		" NULL, 0 FROM hours WHERE true ON CONFLICT (room, author)"
		" DO UPDATE SET bytes = excluded.bytes;"
		"INSERT INTO shares SELECT room, iif(class = 1, -1, author),"
		" sum(length(unit) + 320), NULL, NULL, 0 FROM messages"
		" JOIN people ON people.id = author WHERE state = 0"
		" AND class > 0 GROUP BY 1, 2 ON CONFLICT (room, author)"
		" DO UPDATE SET bytes = excluded.bytes;"
		"UPDATE shares SET seal = " SEAL_OF_SHARE ";");
}

static const char count_sums[] = "DELETE FROM sums WHERE room > 0;"
				 "INSERT INTO sums SELECT room, count(*),"
				 " seal_sum(row, room, time_ms, unit_id), 0"
				 " FROM messages GROUP BY room;"
				 "UPDATE sums SET seal = " SEAL_OF_SUM ";";

static int take_all_away(struct store *s, const uint64_t damaged[TABLE_COUNT])
{
	bool shares = damaged[TABLE_HOURS] > 0 || damaged[TABLE_SLOTS] > 0 ||
		      damaged[TABLE_SHARES] > 0;
	int err = store_exec(s, "BEGIN IMMEDIATE");

	for (int i = 0; err == 0 && i < TABLE_COUNT; i++)
		if (damaged[i] > 0)
			err = take_away(s, i);
	if (err == 0 && shares)
		err = count_shares(s);
	if (err == 0 && damaged[TABLE_SUMS] > 0)
		err = store_exec(s, count_sums);
	return end_change(s, err);
}

static void note(struct store *s, const uint64_t damaged[TABLE_COUNT])
{
	struct store_damage *d = &s->damage;

	d->addresses += damaged[TABLE_ADDRESSES] + damaged[TABLE_RECORDS];
	d->settings += damaged[TABLE_SETTINGS];
	d->shares += damaged[TABLE_HOURS] + damaged[TABLE_SLOTS] +
		     damaged[TABLE_SHARES];
	d->rooms += damaged[TABLE_ROOMS];
	d->people += damaged[TABLE_PEOPLE];
	d->uncounted = d->uncounted || damaged[TABLE_SUMS] > 0;
	for (int i = 0; i < TABLE_COUNT; i++)
		if (damaged[i] > 0)
			log_printf(s->log, LOG_LEVEL_ERROR,
				"store: damaged rows of %s taken away: %llu",
				tables[i].table,
				(unsigned long long)damaged[i]);
}

int store_mend_rows(struct store *s)
{
	uint64_t damaged[TABLE_COUNT] = {0}, all = 0;
	int err = 0;

	for (int i = 0; err == 0 && i < TABLE_COUNT; i++) {
		err = count_damaged(s, i, &damaged[i]);
		all += damaged[i];
	}
	if (err != 0 || all == 0)
		return err;
	/* Before anything is written. */
	err = store_mend_structure(s, true);
	if (err == 0)
		err = take_all_away(s, damaged);
	if (err == 0)
		note(s, damaged);
	return err;
}

int store_count_anew(struct store *s)
{
	int err = count_shares(s);

	return err == 0 ? store_exec(s, count_sums) : err;
}

int store_seal_all(struct store *s)
{
	char sql[400];
	int err = store_exec(s, "UPDATE messages SET seal = " SEAL_OF_MESSAGE);

	for (int i = 0; err == 0 && i < TABLE_COUNT; i++) {
		(void)snprintf(sql, sizeof(sql), "UPDATE %s SET seal = %s",
			tables[i].table, tables[i].seal);
		err = store_exec(s, sql);
	}
	return err == 0 ? store_exec(s, count_sums) : err;
}

/* ---- structure --------------------------------------------------------- */

/* What SQLite says of a value that does not fit its column: of one row, whose
 * seal says so as well. */
static bool is_of_a_value(const char *fault)
{
	return strstr(fault, " value in ") != NULL;
}

static int is_whole(struct store *s, bool *whole)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(
		s->db, "PRAGMA integrity_check(1000)", -1, &st, NULL);

	*whole = true;
	while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		const char *fault = (const char *)sqlite3_column_text(st, 0);

		rc = SQLITE_OK;
		if (fault == NULL || strcmp(fault, "ok") == 0 ||
			is_of_a_value(fault))
			continue;
		*whole = false;
		log_printf(s->log, LOG_LEVEL_ERROR, "store: %s", fault);
	}
	if (rc != SQLITE_DONE)
		rc = store_fail(s, rc);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? 0 : rc;
}

/* What can be made from what is sound; then it is looked at once more. */
static int build_anew(struct store *s)
{
	uint64_t damaged[TABLE_COUNT] = {0};
	bool whole = false;
	int err = store_exec(s, "BEGIN IMMEDIATE");

	for (int i = 0; err == 0 && i < TABLE_COUNT; i++) {
		if (!tables[i].by_key)
			continue;
		err = count_damaged(s, i, &damaged[i]);
		if (err == 0)
			err = fill_anew(s, i);
	}
	if (err == 0)
		err = store_exec(s, "REINDEX");
	if (err == 0)
		err = is_whole(s, &whole);
	if (err == 0 && !whole)
		err = P2P_ERR_CORRUPT;
	if (err == 0 && damaged[TABLE_HOURS] + damaged[TABLE_SHARES] > 0)
		err = count_shares(s);
	err = end_change(s, err);
	if (err != 0)
		return err;
	s->damage.indexes = true;
	note(s, damaged);
	return 0;
}

int store_mend_structure(struct store *s, bool all)
{
	uint64_t bytes;
	bool whole;
	int err = store_size_bytes(s, &bytes);

	if (err != 0 || s->whole || (!all && bytes > STORE_WHOLE_BYTES_MAX))
		return err;
	err = is_whole(s, &whole);
	if (err == 0 && !whole)
		err = build_anew(s);
	s->whole = err == 0;
	return err;
}

/* ---- the schema -------------------------------------------------------- */

#define SCHEMA_SETTING "schema"

/* What our statements stand on: a change in it could leave out rows without
 * any error. Places of trees are left out, which VACUUM changes. */
static int schema_seal(struct store *s, uint64_t *seal)
{
	int64_t value;
	int err = store_ask(s,
		"SELECT seal_sum(type, name, tbl_name, sql) FROM sqlite_schema",
		&value);

	*seal = (uint64_t)value;
	return err;
}

int store_seal_schema(struct store *s)
{
	uint64_t seal;
	int err = schema_seal(s, &seal);
	uint8_t raw[8];
	sqlite3_stmt *st;

	put_be64(raw, seal);
	/* Inside the transaction of the migration. */
	st = err == 0 ? store_stmt(s, STMT_SETTING_PUT) : NULL;
	if (st == NULL)
		return err != 0 ? err : store_last_err(s);
	store_bind_text(st, 1, SCHEMA_SETTING);
	store_bind_bytes(st, 2, bytes_of(raw, sizeof(raw)));
	return store_run(s, st);
}

int store_seal_form(struct store *s)
{
	uint8_t raw[8];
	sqlite3_stmt *st = store_stmt(s, STMT_SETTING_PUT);

	put_be64(raw, STORE_VERSION);
	if (st == NULL)
		return store_last_err(s);
	store_bind_text(st, 1, STORE_FORM_SETTING);
	store_bind_bytes(st, 2, bytes_of(raw, sizeof(raw)));
	return store_run(s, st);
}

int store_mend_schema(struct store *s)
{
	uint64_t seal, noted;
	int err = schema_seal(s, &seal);

	if (err == 0)
		err = store_get_u64(s, SCHEMA_SETTING, &noted);
	if (err == 0 && noted != seal) {
		(void)snprintf(
			s->error, sizeof(s->error), "the schema is damaged");
		err = P2P_ERR_CORRUPT;
	}
	if (err != P2P_ERR_NOT_FOUND)
		return err;
	/* The note itself is damaged, and is taken away with its row. */
	err = store_mend_structure(s, true);
	if (err == 0)
		err = store_exec(s, "BEGIN IMMEDIATE");
	if (err == 0)
		err = store_seal_schema(s);
	if (err == 0)
		err = store_seal_form(s);
	return end_change(s, err);
}

/* ---- what was saved ---------------------------------------------------- */

#define SALVAGED_SETTING "salvaged"

/* It lives in the new one so that no crash between here and chat loses it. */
int store_note_salvaged(
	struct store *s, const struct store_damage *saved, const char *aside)
{
	uint8_t raw[STORE_SALVAGED_BYTES] = {0};
	const char *name = strrchr(aside, '/');

	name = name == NULL ? aside : name + 1;
	put_be64(raw, saved->saved_lines);
	put_be64(raw + 8, saved->saved_people);
	put_be64(raw + 16, saved->saved_rooms);
	memcpy(raw + 24, name, strnlen(name, STORE_ASIDE_MAX - 1));
	return store_set(s, SALVAGED_SETTING, bytes_of(raw, sizeof(raw)));
}

int store_salvage_load(struct store *s)
{
	struct store_damage *d = &s->damage;
	struct buf raw;
	int err;

	buf_init(&raw, STORE_SETTING_BYTES_MAX);
	err = store_get(s, SALVAGED_SETTING, &raw);
	if (err == 0 && raw.len == STORE_SALVAGED_BYTES) {
		d->saved_lines = get_be64(raw.data);
		d->saved_people = get_be64(raw.data + 8);
		d->saved_rooms = get_be64(raw.data + 16);
		memcpy(d->aside, raw.data + 24, STORE_ASIDE_MAX - 1);
	}
	buf_clear(&raw);
	return err == P2P_ERR_NOT_FOUND ? 0 : err;
}

int store_salvage_said(struct store *s)
{
	if (s->damage.aside[0] == '\0')
		return 0;
	return store_set(s, SALVAGED_SETTING, bytes_of(NULL, 0));
}
