/*
 * Rows out of pages: the file with its log, its free pages, long rows, records.
 * Which cells of a page are read says store_page.c.
 */
#include "store/store_carve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/store_limits.h"
#include "store/store_page.h"

#define OVERFLOW_BYTES (PAGE_BYTES - 4)
/* 64 GiB; what is behind is not read. */
#define PAGES_MAX (1u << 24)

#define WAL_HEADER_BYTES 32
#define FRAME_HEADER_BYTES 24

struct carve {
	int fd;
	int wal_fd;       /* -1: none */
	uint32_t count;   /* of pages */
	off_t *in_wal;    /* where the page's newest frame is; 0: nowhere */
	uint8_t *is_free; /* a byte a page */
	uint32_t at;      /* of `page`, from 1 */
	uint64_t reads;   /* of the rests of long records, still allowed */
	struct page page;
	uint8_t *payload; /* STORE_VALUE_BYTES_MAX */
};

static size_t read_at(int fd, uint8_t *out, size_t len, off_t at)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = pread(fd, out + have, len - have, at + (off_t)have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	return have;
}

/* What cannot be read of a page is zeros, which are no row. */
static void read_page(struct carve *c, uint32_t number, uint8_t *out)
{
	off_t in_wal = c->in_wal[number];

	memset(out, 0, PAGE_BYTES);
	if (in_wal != 0)
		(void)read_at(c->wal_fd, out, PAGE_BYTES, in_wal);
	else
		(void)read_at(c->fd, out, PAGE_BYTES,
			(off_t)(number - 1) * PAGE_BYTES);
}

/* ---- the log ----------------------------------------------------------- */

struct wal_sum {
	uint32_t a, b;
	bool big_endian;
};

static void wal_add(struct wal_sum *sum, const uint8_t *in, size_t len)
{
	for (size_t i = 0; i + 8 <= len; i += 8) {
		uint32_t x = get_be32(in + i), y = get_be32(in + i + 4);

		if (!sum->big_endian) {
			x = __builtin_bswap32(x);
			y = __builtin_bswap32(y);
		}
		sum->a += x + sum->b;
		sum->b += y + sum->a;
	}
}

static bool wal_begin(
	int fd, uint8_t head[static WAL_HEADER_BYTES], struct wal_sum *sum)
{
	if (read_at(fd, head, WAL_HEADER_BYTES, 0) != WAL_HEADER_BYTES ||
		(get_be32(head) | 1) != 0x377f0683 ||
		get_be32(head + 8) != PAGE_BYTES)
		return false;
	*sum = (struct wal_sum){.big_endian = (get_be32(head) & 1) != 0};
	wal_add(sum, head, 24);
	return sum->a == get_be32(head + 24) && sum->b == get_be32(head + 28);
}

static off_t frame_at(uint32_t frame)
{
	return WAL_HEADER_BYTES +
	       (off_t)frame * (FRAME_HEADER_BYTES + PAGE_BYTES);
}

/* How many frames from the first on are whole and committed, as SQLite reads
 * them; and pages of the database then. */
static uint32_t wal_committed(int fd, uint32_t *pages)
{
	uint8_t head[WAL_HEADER_BYTES];
	uint8_t frame[FRAME_HEADER_BYTES + PAGE_BYTES];
	struct wal_sum sum;
	uint32_t committed = 0;

	if (!wal_begin(fd, head, &sum))
		return 0;
	for (uint32_t i = 0; i < PAGES_MAX; i++) {
		if (read_at(fd, frame, sizeof(frame), frame_at(i)) !=
			sizeof(frame))
			break;
		wal_add(&sum, frame, 8);
		wal_add(&sum, frame + FRAME_HEADER_BYTES, PAGE_BYTES);
		if (memcmp(frame + 8, head + 16, 8) != 0 ||
			get_be32(frame + 16) != sum.a ||
			get_be32(frame + 20) != sum.b || get_be32(frame) == 0)
			break;
		if (get_be32(frame + 4) == 0)
			continue;
		committed = i + 1;
		*pages = get_be32(frame + 4);
	}
	return committed;
}

static void map_wal(struct carve *c, uint32_t frames)
{
	uint8_t head[FRAME_HEADER_BYTES];

	for (uint32_t i = 0; i < frames; i++) {
		uint32_t page;

		if (read_at(c->wal_fd, head, sizeof(head), frame_at(i)) !=
			sizeof(head))
			return;
		page = get_be32(head);
		if (page >= 1 && page <= c->count)
			c->in_wal[page] = frame_at(i) + FRAME_HEADER_BYTES;
	}
}

/* ---- free pages -------------------------------------------------------- */

/* Their rows are old: what was dropped, and people as they were. */
static void mark_free(struct carve *c)
{
	uint8_t page[PAGE_BYTES];
	uint32_t trunk;

	read_page(c, 1, page);
	trunk = get_be32(page + 32);
	for (uint32_t i = 0; i < c->count; i++) {
		uint32_t leaves;

		if (trunk < 2 || trunk > c->count || c->is_free[trunk])
			return;
		read_page(c, trunk, page);
		/* Of the next one's number: a page with rows is none. */
		if (page[0] != 0)
			return;
		c->is_free[trunk] = 1;
		leaves = get_be32(page + 4);
		if (leaves > PAGE_BYTES / 4 - 2)
			return;
		for (uint32_t n = 0; n < leaves; n++) {
			uint32_t leaf = get_be32(page + 8 + 4 * n);

			if (leaf >= 2 && leaf <= c->count)
				c->is_free[leaf] = 1;
		}
		trunk = get_be32(page);
	}
}

/* ---- records ----------------------------------------------------------- */

/* The rest of a record that did not fit its page. */
static bool read_overflow(
	struct carve *c, uint32_t page, uint8_t *out, size_t len)
{
	uint8_t raw[PAGE_BYTES];

	while (len > 0) {
		size_t n = P2P_MIN(len, (size_t)OVERFLOW_BYTES);

		if (page < 2 || page > c->count || c->reads == 0)
			return false;
		c->reads--;
		read_page(c, page, raw);
		memcpy(out, raw + 4, n);
		out += n;
		len -= n;
		page = get_be32(raw);
	}
	return true;
}

/* A record as a whole. */
static bool read_payload(struct carve *c, const struct page_cell *cell)
{
	const uint8_t *here = c->page.raw + cell->at;

	memcpy(c->payload, here, cell->local);
	return cell->local == cell->len ||
	       read_overflow(c, get_be32(here + cell->local),
		       c->payload + cell->local, cell->len - cell->local);
}

static bool read_value(uint64_t type, struct span *body, struct carve_value *v)
{
	static const uint8_t widths[] = {0, 1, 2, 3, 4, 6, 8};
	uint64_t number = 0;
	size_t len;

	*v = (struct carve_value){.kind = CARVE_NUMBER};
	if (type == 8 || type == 9) {
		v->number = (int64_t)type - 8;
		return true;
	}
	if (type >= 12) {
		v->kind = type % 2 == 0 ? CARVE_BLOB : CARVE_TEXT;
		if ((type - 12) / 2 > body->len)
			return false;
		len = (size_t)((type - 12) / 2);
		v->data = bytes_of(body->at, len);
	} else if (type < P2P_ARRAY_LEN(widths)) {
		len = widths[type];
		if (len > body->len)
			return false;
		if (type == 0)
			v->kind = CARVE_NULL;
		if (len > 0 && body->at[0] >= 0x80)
			number = UINT64_MAX;
		for (size_t i = 0; i < len; i++)
			number = number << 8 | body->at[i];
		v->number = (int64_t)number;
	} else {
		return false;
	}
	body->at += len;
	body->len -= len;
	return true;
}

static bool read_record(struct bytes payload, struct carve_row *row)
{
	struct span head = {payload.data, payload.len}, body;
	uint64_t head_len, type;
	size_t taken;

	if (!span_varint(&head, &head_len) || head_len > payload.len)
		return false;
	taken = payload.len - head.len;
	if (head_len < taken)
		return false;
	body.at = payload.data + head_len;
	body.len = payload.len - (size_t)head_len;
	head.len = (size_t)head_len - taken;
	row->count = 0;
	while (head.len > 0) {
		if (row->count == CARVE_VALUES_MAX ||
			!span_varint(&head, &type) ||
			!read_value(type, &body, &row->values[row->count++]))
			return false;
	}
	return body.len == 0 && row->count > 0;
}

/* ---- pages ------------------------------------------------------------- */

static bool read_row(
	struct carve *c, const struct page_cell *cell, struct carve_row *row)
{
	row->has_number = c->page.kind == PAGE_TABLE_LEAF;
	row->number = (int64_t)cell->number;
	return read_payload(c, cell) &&
	       read_record(bytes_of(c->payload, cell->len), row);
}

static bool next_page(struct carve *c)
{
	do {
		if (c->at >= c->count)
			return false;
		c->at++;
	} while (c->is_free[c->at]);
	read_page(c, c->at, c->page.raw);
	page_look(&c->page, c->at == 1);
	return true;
}

bool carve_next(struct carve *c, struct carve_row *row)
{
	struct page_cell cell;

	do {
		while (page_next(&c->page, &cell))
			if (read_row(c, &cell, row))
				return true;
	} while (next_page(c));
	return false;
}

/* ---- opening ----------------------------------------------------------- */

static bool is_page_size(const uint8_t in[static 2])
{
	unsigned size = get_be16(in);

	return size == 1 || (size >= 512 && (size & (size - 1)) == 0);
}

static int open_regular(const char *path, off_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		errno = EINVAL;
		return -1;
	}
	*size = st.st_size;
	return fd;
}

static const char magic[] = "SQLite format 3";

/* What we never wrote; noise has no such header. */
static bool has_other_pages(int fd)
{
	uint8_t head[sizeof(magic) + 2];
	const uint8_t *size = head + sizeof(magic);

	return read_at(fd, head, sizeof(head), 0) == sizeof(head) &&
	       memcmp(head, magic, sizeof(magic)) == 0 && is_page_size(size) &&
	       get_be16(size) != PAGE_BYTES;
}

/* The size that the log says is not the file's before it is folded back; a
 * hostile one is no reason to ask for memory. */
static void map_pages(struct carve *c, off_t size)
{
	uint32_t frames = 0, pages = 0;
	off_t in_file = (size + PAGE_BYTES - 1) / PAGE_BYTES;

	if (c->wal_fd >= 0)
		frames = wal_committed(c->wal_fd, &pages);
	in_file = P2P_MIN(in_file, (off_t)PAGES_MAX);
	pages = P2P_MIN(pages, (uint32_t)in_file + 1 + frames);
	c->count = P2P_MAX(P2P_MAX((uint32_t)in_file, pages), 1u);
	c->in_wal = xcalloc((size_t)c->count + 1, sizeof(*c->in_wal));
	c->is_free = xcalloc((size_t)c->count + 1, 1);
	map_wal(c, frames);
}

struct carve *carve_new(const char *path)
{
	off_t size = 0, wal_size;
	int fd = open_regular(path, &size);
	char *wal;
	struct carve *c;

	if (fd < 0)
		return NULL;
	if (has_other_pages(fd)) {
		(void)close(fd);
		errno = ENOTSUP;
		return NULL;
	}
	wal = xasprintf("%s-wal", path);
	c = xcalloc(1, sizeof(*c));
	c->fd = fd;
	c->wal_fd = open_regular(wal, &wal_size);
	free(wal);
	c->payload = xmalloc(STORE_VALUE_BYTES_MAX);
	map_pages(c, size);
	mark_free(c);
	/* Each once, and some for those that are damaged. */
	c->reads = 3 * (uint64_t)c->count;
	return c;
}

void carve_free(struct carve *c)
{
	if (c == NULL)
		return;
	(void)close(c->fd);
	if (c->wal_fd >= 0)
		(void)close(c->wal_fd);
	free(c->in_wal);
	free(c->is_free);
	free(c->payload);
	free(c);
}

bool carve_header_is_sound(const char *path)
{
	uint8_t h[PAGE_FILE_HEADER_BYTES];
	off_t size = 0;
	int fd = open_regular(path, &size);
	size_t len;

	if (fd < 0)
		return true;
	len = read_at(fd, h, sizeof(h), 0);
	(void)close(fd);
	if (len == 0)
		return true;
	return len == sizeof(h) && memcmp(h, magic, sizeof(magic)) == 0 &&
	       is_page_size(h + 16) && h[18] >= 1 && h[18] <= 2 && h[19] >= 1 &&
	       h[19] <= 2 && h[20] == 0 && h[21] == 64 && h[22] == 32 &&
	       h[23] == 32 && get_be32(h + 44) <= 4 && get_be32(h + 56) <= 1;
}
