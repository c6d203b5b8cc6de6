/*
 * Statements and their errors: what all files of the store stand on. A
 * statement is prepared at its first use and kept; the first that writes opens
 * the transaction that store_commit ends. What SQLite says becomes one of our
 * errors here and nowhere else.
 */
#include <stdio.h>

#include "store/store_internal.h"

static int err_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return P2P_ERR_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	/* Our statements are fixed: one that does not fit the schema, or a
	 * value that does not fit its column, means that the file is wrong. */
	case SQLITE_ERROR:
	case SQLITE_SCHEMA:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return P2P_ERR_CORRUPT;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN:
		return P2P_ERR_DENIED;
	case SQLITE_FULL:
		return P2P_ERR_NO_SPACE;
	case SQLITE_TOOBIG:
		return P2P_ERR_TOO_BIG;
	default:
		return P2P_ERR_IO;
	}
}

int store_fail(struct store *s, int rc)
{
	snprintf(s->error, sizeof(s->error), "%s", sqlite3_errmsg(s->db));
	log_printf(s->log, LOG_LEVEL_WARN, "store: %s (%d)", s->error,
		sqlite3_extended_errcode(s->db));
	if (s->open && err_of(rc) == P2P_ERR_CORRUPT)
		store_suspect(s);
	return err_of(rc);
}

int store_last_err(struct store *s)
{
	int err = err_of(sqlite3_errcode(s->db));

	return err == 0 ? P2P_ERR_IO : err;
}

int store_exec(struct store *s, const char *sql)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : store_fail(s, rc);
}

sqlite3_stmt *store_stmt(struct store *s, enum store_stmt which)
{
	sqlite3_stmt **st = &s->stmts[which];
	int rc;

	if (*st != NULL) {
		sqlite3_reset(*st);
		sqlite3_clear_bindings(*st);
		return *st;
	}
	rc = sqlite3_prepare_v3(s->db, store_sql[which], -1,
		SQLITE_PREPARE_PERSISTENT, st, NULL);
	if (rc != SQLITE_OK)
		store_fail(s, rc);
	return *st;
}

int store_step(struct store *s, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : store_fail(s, rc);
}

int store_run(struct store *s, sqlite3_stmt *st)
{
	int rc = store_step(s, st);

	sqlite3_reset(st);
	return rc > 0 ? 0 : rc;
}

sqlite3_stmt *store_write_stmt(struct store *s, enum store_stmt which)
{
	sqlite3_stmt *begin;

	if (!s->in_transaction) {
		begin = store_stmt(s, STMT_BEGIN);
		if (begin == NULL || store_run(s, begin) != 0)
			return NULL;
		s->in_transaction = true;
	}
	return store_stmt(s, which);
}

sqlite3_stmt *store_bound(struct store *s, enum store_stmt which,
	const int64_t *values, size_t count)
{
	sqlite3_stmt *st = store_write_stmt(s, which);

	for (size_t i = 0; st != NULL && i < count; i++)
		sqlite3_bind_int64(st, (int)i + 1, values[i]);
	return st;
}

int store_run_with(struct store *s, enum store_stmt which,
	const int64_t *values, size_t count)
{
	sqlite3_stmt *st = store_bound(s, which, values, count);

	return st == NULL ? store_last_err(s) : store_run(s, st);
}

int store_ask(struct store *s, const char *sql, int64_t *value)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);

	*value = 0;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*value = sqlite3_column_int64(st, 0);
	else if (rc != SQLITE_DONE)
		rc = store_fail(s, rc);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : rc;
}

int store_size_bytes(struct store *s, uint64_t *bytes)
{
	int64_t value;
	int err = store_ask(s,
		"SELECT page_count * page_size"
		" FROM pragma_page_count, pragma_page_size",
		&value);

	*bytes = store_u64(value);
	return err;
}

/* ---- places ------------------------------------------------------------- */

const struct store_key store_key_first = {.time_ms = 0};
const struct store_key store_key_last = {
	.time_ms = (uint64_t)INT64_MAX,
	.id = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff},
};

int store_key_compare(const struct store_key *a, const struct store_key *b)
{
	if (a->time_ms != b->time_ms)
		return a->time_ms < b->time_ms ? -1 : 1;
	return memcmp(a->id, b->id, STORE_ID_BYTES);
}
