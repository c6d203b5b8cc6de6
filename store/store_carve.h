/*
 * The rows of a database whose structure cannot be believed (decision 0029):
 * every page is read by itself, and what looks like a row is given out. Whether
 * it is one says its seal, which the caller asks; whether it is in a row's
 * place says store_page.c. The form is SQLite's ("Database File Format",
 * "WAL-mode File Format"). Pages that the list of free pages names are left
 * out, and the committed part of the write-ahead log counts, as for SQLite.
 *
 * Nothing is written, and every byte is hostile: no loop is longer than the
 * file.
 */
#ifndef STORE_STORE_CARVE_H
#define STORE_STORE_CARVE_H

#include "base/bytes.h"

/* Columns of a row at most: our widest table has 16. */
#define CARVE_VALUES_MAX 20

enum carve_kind {
	CARVE_NULL,
	CARVE_NUMBER,
	CARVE_TEXT,
	CARVE_BLOB,
};

struct carve_value {
	enum carve_kind kind;
	int64_t number;
	struct bytes data; /* of a text or a blob; until the next row */
};

struct carve_row {
	bool has_number;
	int64_t number; /* of the row; in its place among the values is NULL */
	size_t count;
	struct carve_value values[CARVE_VALUES_MAX];
};

struct carve;

/* Opens the file and its log. NULL when it cannot be read: errno says why. */
struct carve *carve_new(const char *path);
void carve_free(struct carve *c);
/* The next that looks like a row; false behind the last. */
bool carve_next(struct carve *c, struct carve_row *row);

/* Whether the header of the file at that path is as SQLite writes it for us;
 * an empty or missing file has none, and that is fine. */
bool carve_header_is_sound(const char *path);

#endif
