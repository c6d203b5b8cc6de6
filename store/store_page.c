/*
 * The form is SQLite's: a header, an array of pointers to cells, and the cells,
 * which fill the page from its end and have free blocks and at most three
 * unused bytes between them ("Database File Format", "B-tree Pages").
 */
#include "store/store_page.h"

#include "store/store_limits.h"

/* Of a record that is kept in its page whole: in a table, in an index; and the
 * least that is kept there of a longer one. */
#define LOCAL_TABLE_MAX (PAGE_BYTES - 35)
#define LOCAL_INDEX_MAX ((PAGE_BYTES - 12) * 64 / 255 - 23)
#define LOCAL_MIN ((PAGE_BYTES - 12) * 32 / 255 - 23)
#define OVERFLOW_BYTES (PAGE_BYTES - 4)
/* No cell and no free block is smaller. */
#define PIECE_MIN 4
#define FRAGMENT_MAX 3

enum mark {
	POINTED = 1, /* a cell begins there, the page says */
	FREE = 2,    /* a free block does */
	REACHED = 4, /* one does behind the end of another */
};

bool span_varint(struct span *in, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < 9 && i < in->len; i++) {
		bool last = i == 8 || in->at[i] < 0x80;

		*value = i == 8 ? *value << 8 | in->at[i]
				: *value << 7 | (in->at[i] & 0x7f);
		if (last) {
			in->at += i + 1;
			in->len -= i + 1;
			return true;
		}
	}
	return false;
}

/* ---- kinds ------------------------------------------------------------- */

static bool nearly(uint8_t a, uint8_t b)
{
	return __builtin_popcount(a ^ b) <= 1;
}

/*
 * One bit of it may be wrong. The rest of a long row, which is whatever its
 * author wrote, begins with the high byte of a page's number: 0. It is none of
 * these with one bit wrong either, but for 2, which has no lines or people.
 */
static enum page_kind kind_of(uint8_t first)
{
	if (first == 2)
		return PAGE_INDEX_INNER;
	if (nearly(first, 0))
		return PAGE_NO_ROWS;
	if (nearly(first, 13))
		return PAGE_TABLE_LEAF;
	if (nearly(first, 10))
		return PAGE_INDEX_LEAF;
	return nearly(first, 2) ? PAGE_INDEX_INNER : PAGE_NO_ROWS;
}

/* ---- cells ------------------------------------------------------------- */

static size_t local_of(enum page_kind kind, size_t len)
{
	size_t most =
		kind == PAGE_TABLE_LEAF ? LOCAL_TABLE_MAX : LOCAL_INDEX_MAX;
	size_t local;

	if (len <= most)
		return len;
	local = LOCAL_MIN + (len - LOCAL_MIN) % OVERFLOW_BYTES;
	return local <= most ? local : LOCAL_MIN;
}

static bool read_cell(const struct page *p, size_t at, struct page_cell *cell)
{
	struct span in = {p->raw + at, PAGE_BYTES - at};
	uint64_t len;

	*cell = (struct page_cell){.number = 0};
	/* The number of the page below. */
	if (p->kind == PAGE_INDEX_INNER) {
		if (in.len < 4)
			return false;
		in.at += 4;
		in.len -= 4;
	}
	if (!span_varint(&in, &len) || len == 0 || len > STORE_VALUE_BYTES_MAX)
		return false;
	if (p->kind == PAGE_TABLE_LEAF && !span_varint(&in, &cell->number))
		return false;
	cell->len = (size_t)len;
	cell->at = PAGE_BYTES - in.len;
	cell->local = local_of(p->kind, cell->len);
	cell->end = cell->at + cell->local + (cell->local < cell->len ? 4 : 0);
	cell->end = P2P_MAX(cell->end, at + PIECE_MIN);
	return cell->end <= PAGE_BYTES;
}

/* ---- what the page says ------------------------------------------------ */

/* Of an array two of whose pointers lead nowhere no more is believed. */
static void mark_pointers(struct page *p, size_t array, size_t count)
{
	size_t wrong = 0;

	for (size_t at = array; count > 0 && wrong < 2 && at + 2 <= PAGE_BYTES;
		at += 2, count--) {
		size_t to = get_be16(p->raw + at);

		if (to < at + 2 || to > PAGE_BYTES - PIECE_MIN)
			wrong++;
		else
			p->marks[to] |= POINTED;
	}
}

/* They are in order. */
static void mark_free(struct page *p, size_t at, size_t behind)
{
	while (at >= behind && at <= PAGE_BYTES - PIECE_MIN) {
		p->marks[at] |= FREE;
		behind = at + PIECE_MIN;
		at = get_be16(p->raw + at);
	}
}

static size_t next_pointed(const struct page *p, size_t at)
{
	while (at < PAGE_BYTES && (p->marks[at] & POINTED) == 0)
		at++;
	return at;
}

/* ---- end to end -------------------------------------------------------- */

/* Where the next piece begins: a few bytes may be unused. `at` itself when
 * nothing is known to. */
static size_t piece_at(const struct page *p, size_t at)
{
	for (size_t i = at; i <= at + FRAGMENT_MAX && i < PAGE_BYTES; i++)
		if ((p->marks[i] & (POINTED | FREE)) != 0)
			return i;
	return at;
}

static bool is_joint(const struct page *p, size_t at)
{
	return at + FRAGMENT_MAX >= PAGE_BYTES ||
	       (p->marks[piece_at(p, at)] & (POINTED | FREE)) != 0;
}

/* Something ends there: another piece stands behind it, or a cell that lost
 * its pointer and has one behind itself. */
static bool is_end(const struct page *p, size_t at)
{
	struct page_cell lost;

	return is_joint(p, at) ||
	       (read_cell(p, at, &lost) && is_joint(p, lost.end));
}

/* 0: it is no cell, or its length is damaged. A single pointer that leads into
 * it is what is damaged, when it ends where something does. */
static size_t end_of_cell(const struct page *p, size_t at)
{
	struct page_cell cell;
	size_t inside = 0;

	if (!read_cell(p, at, &cell))
		return 0;
	for (size_t i = at + 1; i < cell.end && inside < 2; i++)
		inside += (p->marks[i] & POINTED) != 0;
	if (inside > 1 || (inside == 1 && !is_end(p, cell.end)))
		return 0;
	return cell.end;
}

static void walk(struct page *p, size_t at)
{
	while (at <= PAGE_BYTES - PIECE_MIN) {
		size_t end;

		at = piece_at(p, at);
		if (at > PAGE_BYTES - PIECE_MIN)
			return;
		if ((p->marks[at] & (POINTED | FREE)) == FREE) {
			at += P2P_MAX(
				get_be16(p->raw + at + 2), (unsigned)PIECE_MIN);
			continue;
		}
		end = end_of_cell(p, at);
		if (end != 0)
			p->marks[at] |= REACHED;
		at = end != 0 ? end : next_pointed(p, at + 1);
	}
}

void page_look(struct page *p, bool is_first)
{
	size_t begin = is_first ? PAGE_FILE_HEADER_BYTES : 0;
	size_t array, lowest, content;

	memset(p->marks, 0, sizeof(p->marks));
	p->at = 0;
	p->kind = kind_of(p->raw[begin]);
	if (p->kind == PAGE_NO_ROWS)
		return;
	array = begin + (p->kind == PAGE_INDEX_INNER ? 12 : 8);
	mark_pointers(p, array, get_be16(p->raw + begin + 3));
	mark_free(p, get_be16(p->raw + begin + 1), array);
	lowest = next_pointed(p, 0);
	content = get_be16(p->raw + begin + 5);
	walk(p, content >= array && content <= lowest ? content : lowest);
}

bool page_next(struct page *p, struct page_cell *cell)
{
	while (p->kind != PAGE_NO_ROWS && p->at < PAGE_BYTES) {
		size_t at = p->at++;

		if ((p->marks[at] & (POINTED | REACHED)) ==
				(POINTED | REACHED) &&
			read_cell(p, at, cell))
			return true;
	}
	return false;
}
