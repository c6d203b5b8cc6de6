/*
 * One number that SQL gives of a store, for tests that count behind its back.
 */
#ifndef TESTS_UNIT_STORE_NUMBER_H
#define TESTS_UNIT_STORE_NUMBER_H

#include "store/store_internal.h"

static inline int64_t number_of(struct store *s, const char *sql)
{
	sqlite3_stmt *st;
	int64_t value;

	assert_int_equal(sqlite3_prepare_v2(s->db, sql, -1, &st, NULL), 0);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return value;
}

#endif
