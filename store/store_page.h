/*
 * A page of a database whose structure cannot be believed (decision 0029), and
 * which of its cells are: seals find damage, they keep nobody out. A stranger
 * may send a line that holds the bytes of a row with its seal, and damage may
 * point into that line. So only those cells are believed that the page points
 * to and that lie end to end with what stands before them.
 */
#ifndef STORE_STORE_PAGE_H
#define STORE_STORE_PAGE_H

#include "base/bytes.h"

#define PAGE_BYTES 4096
#define PAGE_FILE_HEADER_BYTES 100 /* in the first page, before its own */

enum page_kind {
	PAGE_NO_ROWS, /* or the rest of a long row */
	PAGE_TABLE_LEAF,
	PAGE_INDEX_LEAF,
	PAGE_INDEX_INNER,
};

struct page {
	uint8_t raw[PAGE_BYTES];
	uint8_t marks[PAGE_BYTES];
	enum page_kind kind;
	size_t at; /* where page_next looks */
};

struct page_cell {
	uint64_t number; /* of the row, in a table */
	size_t len;      /* of the record */
	size_t at;       /* of its first byte */
	size_t local;    /* so many are here; the number of the page with */
	size_t end;      /* the others stands before the cell's end then */
};

/* Bytes as they are taken from the front. */
struct span {
	const uint8_t *at;
	size_t len;
};

/* SQLite's numbers of up to nine bytes; false when the bytes end before it. */
bool span_varint(struct span *in, uint64_t *value);

/* Looks at what stands in p->raw. */
void page_look(struct page *p, bool is_first);
/* The next cell that is believed; false behind the last. */
bool page_next(struct page *p, struct page_cell *cell);

#endif
