/*
 * A database that is damaged beyond mending (decision 0029), told as stories:
 * all that can be read is in the new one and nothing else, and the old one is
 * kept as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store_internal.h"
#include "store/store_page.h"
#include "tests/unit/store_lab.h"
#include "tests/unit/store_number.h"

/* 2026-11-30, in the evening. */
#define TODAY_MS 1796068800000u
#define ASIDE ".damaged-2026-11-30"

#define LINES 400

/* Some of everything: a long line, cuts of the quota, marks. */
static int64_t furnish(struct fixture *f)
{
	static uint8_t longest[20000];
	struct store_address a = {.peer = "12D3ann", .addr = "/ip4/10.0.0.2"};
	struct store_record rec = {.peer = "12D3ann", .len = 3};
	struct store_person ann = {.peer = "12D3ann", .verified = true};
	struct store_message m;
	int64_t room;

	reopen(f);
	room = add_room(f->store, "birds");
	assert_int_equal(store_put_person(f->store, &ann), 0);
	add_person(f->store, "12D3eve", true);
	lab_say(f, room, 1, LINES);
	m = line(room, ann.id, LINES);
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = (uint8_t)(i * i >> 3);
	m.unit = bytes_of(longest, sizeof(longest));
	m.state = STORE_STATE_WAITING;
	assert_true(insert(f->store, m));
	assert_int_equal(store_put_address(f->store, &a), 0);
	assert_int_equal(store_put_record(f->store, &rec), 0);
	assert_int_equal(store_set_u64(f->store, "seqno", 7), 0);
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(
		store_exec(f->store,
			"INSERT INTO hours VALUES (1, 5, 0, 1, 1, 77, 0);"
			"UPDATE hours SET seal = " SEAL_OF_HOUR ";"
			"INSERT INTO shares VALUES (1, -1, 0, 9, x'aa', 0);"
			"UPDATE shares SET seal = " SEAL_OF_SHARE),
		0);
	return room;
}

static void check_salvaged(struct fixture *f, int64_t room)
{
	static const struct {
		const char *sql;
		int64_t value;
	} all[] = {
		{"SELECT count(*) FROM messages", LINES},
		{"SELECT length(unit) FROM messages WHERE state = 1", 20000},
		{"SELECT count(*) FROM messages WHERE seal IS NOT"
		 " " SEAL_OF_MESSAGE,
			0},
		{"SELECT count(*) FROM people", 2},
		{"SELECT verified FROM people WHERE peer = '12D3ann'", 1},
		{"SELECT ignored FROM people WHERE peer = '12D3eve'", 1},
		{"SELECT count(*) FROM addresses", 1},
		{"SELECT count(*) FROM records", 1},
		{"SELECT cut FROM hours WHERE shut = 1", 77},
		{"SELECT floor_ms FROM shares WHERE author = -1", 9},
		{"SELECT seq FROM rooms", LINES},
	};
	uint64_t seqno = 0;

	for (size_t i = 0; i < P2P_ARRAY_LEN(all); i++)
		assert_int_equal(number_of(f->store, all[i].sql), all[i].value);
	assert_int_equal(store_get_u64(f->store, "seqno", &seqno), 0);
	assert_int_equal(seqno, 7);
	assert_int_equal(page_count(f->store, room), 100);
	assert_int_equal(store_damage(f->store)->saved_lines, LINES);
	assert_int_equal(store_damage(f->store)->saved_people, 2);
	assert_int_equal(store_damage(f->store)->saved_rooms, 1);
	assert_int_equal(lab_lost_count(f), 0);
}

/* Damages the closed file, which is then refused, salvaged and opened. */
static void salvage(struct fixture *f, struct buf *bad)
{
	struct buf kept;

	lab_put_file(f, "", buf_bytes(bad));
	assert_int_equal(store_open(&f->store, f->path, NULL), P2P_ERR_CORRUPT);
	kept = lab_file(f, "");
	assert_true(bytes_equal(buf_bytes(&kept), buf_bytes(bad)));
	buf_clear(&kept);
	assert_int_equal(store_salvage(f->path, TODAY_MS, NULL), 0);
	kept = lab_file(f, ASIDE);
	assert_true(bytes_equal(buf_bytes(&kept), buf_bytes(bad)));
	buf_clear(&kept);
	reopen(f);
	assert_string_equal(store_damage(f->store)->aside, "chat.db" ASIDE);
}

static void test_salvage_carries_all_over_without_the_first_page(void **state)
{
	struct fixture *f = *state;
	int64_t room = furnish(f);
	struct buf bad;

	lab_close(f);
	bad = lab_file(f, "");
	memset(bad.data, 0x5a, PAGE_BYTES);
	salvage(f, &bad);
	check_salvaged(f, room);
	assert_false(lab_is_there(f, "-part") || lab_is_there(f, "-salvaged"));
	/* It is said until it was said. */
	reopen(f);
	assert_string_equal(store_damage(f->store)->aside, "chat.db" ASIDE);
	assert_int_equal(store_salvage_said(f->store), 0);
	assert_int_equal(store_commit(f->store), 0);
	reopen(f);
	assert_string_equal(store_damage(f->store)->aside, "");
	/* The second of a day has a name of its own. */
	lab_close(f);
	lab_put_file(f, "", buf_bytes(&bad));
	assert_int_equal(store_salvage(f->path, TODAY_MS, NULL), 0);
	assert_true(lab_is_there(f, ASIDE "-2"));
	buf_clear(&bad);
}

/* Every other page of the file, once: what is not gone is there, what is, is
 * said. */
static void test_salvage_each_page_may_be_noise(void **state)
{
	struct fixture *f = *state;
	struct buf good;
	size_t pages, refused = 0;

	furnish(f);
	lab_close(f);
	good = lab_file(f, "");
	pages = good.len / PAGE_BYTES;
	for (size_t i = 1; i < pages; i += 2) {
		struct buf bad;
		size_t lost;
		uint64_t have;

		buf_init(&bad, 64u << 20);
		assert_int_equal(buf_append(&bad, buf_bytes(&good)), 0);
		for (size_t n = 0; n < PAGE_BYTES; n++)
			bad.data[i * PAGE_BYTES + n] =
				(uint8_t)(n * n * 31 >> 4);
		lab_put_file(f, "", buf_bytes(&bad));
		buf_clear(&bad);
		if (store_open(&f->store, f->path, NULL) != 0) {
			refused++;
			assert_int_equal(
				store_salvage(f->path, TODAY_MS, NULL), 0);
			reopen(f);
		}
		have = (uint64_t)number_of(
			f->store, "SELECT count(*) FROM messages");
		lost = lab_lost_count(f);
		assert_true(have >= LINES - 100);
		assert_true(have == LINES || lost == 1 ||
			    store_damage(f->store)->lines > 0);
		if (lost == 1)
			assert_int_equal(store_lost(f->store, &lost)[0].lines,
				LINES - have);
		assert_true(insert(f->store, line(1, 1, 9999)));
		lab_close(f);
		lab_remove(f, ASIDE);
	}
	assert_true(refused > pages / 4);
	buf_clear(&good);
}

/* What was dropped, and people as they were, stand in pages that are free. */
static void test_salvage_what_was_deleted_stays_so(void **state)
{
	struct fixture *f = *state;
	struct buf bad;

	furnish(f);
	/* As where SQLite does not wipe what it frees. */
	(void)number_of(f->store, "PRAGMA secure_delete = 0");
	for (int64_t row = 1; row < LINES; row++)
		assert_int_equal(store_delete_line(f->store, row), 0);
	assert_int_equal(store_commit(f->store), 0);
	assert_true(number_of(f->store, "PRAGMA freelist_count") > 3);
	lab_close(f);
	bad = lab_file(f, "");
	/* The root of the schema: the header with its list stays. */
	memset(bad.data + 100, 0, 50);
	salvage(f, &bad);
	assert_int_equal(
		number_of(f->store, "SELECT count(*) FROM messages"), 1);
	buf_clear(&bad);
}

/* What a killed program left in its log counts. */
static void test_salvage_reads_the_log(void **state)
{
	struct fixture *f = *state;
	int64_t room = furnish(f);
	struct buf bad, wal;

	lab_close(f);
	reopen(f);
	lab_say(f, room, LINES + 1, LINES + 50);
	bad = lab_file(f, "");
	wal = lab_file(f, "-wal");
	assert_true(wal.len > PAGE_BYTES);
	lab_close(f);
	memset(bad.data, 0, PAGE_BYTES);
	lab_put_file(f, "-wal", buf_bytes(&wal));
	salvage(f, &bad);
	assert_true(lab_is_there(f, ASIDE "-wal"));
	assert_int_equal(number_of(f->store, "SELECT count(*) FROM messages"),
		LINES + 49);
	assert_int_equal(lab_lost_count(f), 0);
	buf_clear(&bad);
	buf_clear(&wal);
}

/* The number of who is lost goes to nobody else. */
static void test_salvage_a_lost_author_is_nobody_else(void **state)
{
	struct fixture *f = *state;
	int64_t room = furnish(f);
	struct buf bad;
	int64_t nobody;

	nobody = add_person(f->store, "12D3bob", false);
	assert_true(insert(f->store, line(room, nobody, 5000)));
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(
		store_exec(f->store,
			"UPDATE people SET days = 9 WHERE"
			" peer = '12D3bob';"
			"UPDATE messages SET mention = 1 WHERE row = 3"),
		0);
	lab_close(f);
	bad = lab_file(f, "");
	memset(bad.data, 0, PAGE_BYTES);
	salvage(f, &bad);
	assert_int_equal(number_of(f->store, "SELECT count(*) FROM people"), 3);
	assert_int_equal(number_of(f->store, "SELECT count(*) FROM people WHERE"
					     " peer = '12D3bob'"),
		0);
	assert_int_equal(add_person(f->store, "12D3bob", false), nobody + 1);
	/* A line that is damaged is gone. */
	assert_int_equal(
		number_of(f->store, "SELECT count(*) FROM messages"), LINES);
	buf_clear(&bad);
}

static void test_salvage_leaves_what_is_not_ours(void **state)
{
	struct fixture *f = *state;
	struct buf before, after;

	sql_on_file(f->path, "CREATE TABLE other (x);"
			     "INSERT INTO other VALUES (1)");
	before = lab_file(f, "");
	assert_int_equal(store_open(&f->store, f->path, NULL), P2P_ERR_CORRUPT);
	assert_int_equal(
		store_salvage(f->path, TODAY_MS, NULL), P2P_ERR_CORRUPT);
	after = lab_file(f, "");
	assert_true(bytes_equal(buf_bytes(&before), buf_bytes(&after)));
	assert_false(lab_is_there(f, ASIDE) || lab_is_there(f, "-part"));
	buf_clear(&before);
	buf_clear(&after);
}

static void test_salvage_goes_on_after_a_crash(void **state)
{
	struct fixture *f = *state;
	int64_t room = furnish(f);
	struct buf good;

	lab_close(f);
	good = lab_file(f, "");
	/* It was being made: the old one counts. */
	lab_put_file(f, "-part", bytes_of(good.data, PAGE_BYTES));
	reopen(f);
	lab_close(f);
	/* It was complete, and the old one not yet aside. */
	lab_put_file(f, "-salvaged", buf_bytes(&good));
	lab_put_file(f, "", bytes_of(good.data, PAGE_BYTES));
	reopen(f);
	assert_int_equal(page_count(f->store, room), 100);
	assert_false(lab_is_there(f, "-salvaged"));
	lab_close(f);
	/* It was aside. */
	lab_put_file(f, "-salvaged", buf_bytes(&good));
	lab_remove(f, "");
	reopen(f);
	assert_int_equal(page_count(f->store, room), 100);
	buf_clear(&good);
}

/* One bit makes neither an older nor a newer program's of it. */
static void test_salvage_a_wrong_version_is_put_right(void **state)
{
	static const char *const wrong[] = {"PRAGMA user_version = 4",
		"PRAGMA user_version = 0", "PRAGMA user_version = 1029"};
	struct fixture *f = *state;

	furnish(f);
	for (size_t i = 0; i < P2P_ARRAY_LEN(wrong); i++) {
		lab_close(f);
		sql_on_file(f->path, wrong[i]);
		reopen(f);
		assert_int_equal(number_of(f->store, "PRAGMA user_version"),
			STORE_VERSION);
		assert_int_equal(
			number_of(f->store, "SELECT count(*) FROM messages"),
			LINES);
	}
}

/* Damage that is met while it runs is looked for at the next start, however
 * large the database is. */
static void test_salvage_a_suspicion_is_followed(void **state)
{
	struct fixture *f = *state;

	furnish(f);
	assert_int_equal(
		store_exec(f->store, "no SQL at all"), P2P_ERR_CORRUPT);
	assert_true(lab_is_there(f, "-suspect"));
	assert_true(store_is_suspect(f->store));
	reopen(f);
	assert_false(lab_is_there(f, "-suspect"));
	assert_true(f->store->whole);
}

/* ---- words that look like rows ------------------------------------------- */

#define FORGED "12D3forged"
#define COLUMNS_OF_PEOPLE 16

static size_t position_of(struct bytes in, const void *what, size_t len)
{
	size_t at = 0;

	while (at + len <= in.len && memcmp(in.data + at, what, len) != 0)
		at++;
	assert_true(at + len <= in.len);
	return at;
}

/* The bytes of a row with its seal: somebody whose key was compared. */
static struct buf forge(struct fixture *f)
{
	struct store_person p = {.peer = FORGED, .verified = true};
	struct buf file, cell;
	size_t at = 0;

	reopen(f);
	for (int i = 0; i < 50; i++)
		add_person(f->store, (char[]){(char)('0' + i), '\0'}, false);
	assert_int_equal(store_put_person(f->store, &p), 0);
	assert_int_equal(store_commit(f->store), 0);
	lab_close(f);
	file = lab_file(f, "");
	/* In the table, not in the index. */
	do
		at += 1 + position_of(bytes_skip(buf_bytes(&file), at + 1),
				  FORGED, strlen(FORGED));
	while (file.data[at - 1 - COLUMNS_OF_PEOPLE] != 1 + COLUMNS_OF_PEOPLE);
	at -= 1 + COLUMNS_OF_PEOPLE + 2;
	buf_init(&cell, PAGE_BYTES);
	assert_int_equal(
		buf_append(&cell, bytes_of(file.data + at, 2u + file.data[at])),
		0);
	buf_clear(&file);
	lab_remove(f, "");
	lab_remove(f, STORE_SHOWN_SUFFIX);
	return cell;
}

/* A new database with lines of such bytes, and its file. */
static struct buf tell(struct fixture *f, struct bytes unit, uint64_t lines)
{
	int64_t room;

	lab_remove(f, "");
	lab_remove(f, STORE_SHOWN_SUFFIX);
	reopen(f);
	room = add_room(f->store, "birds");
	(void)add_person(f->store, "12D3ann", false);
	for (uint64_t i = 1; i <= lines; i++) {
		struct store_message m = line(room, 1, i);

		m.unit = unit;
		assert_true(insert(f->store, m));
	}
	assert_int_equal(store_commit(f->store), 0);
	lab_close(f);
	return lab_file(f, "");
}

static int64_t forged_in(struct fixture *f, struct bytes file)
{
	int64_t count;

	lab_put_file(f, "", file);
	assert_int_equal(store_salvage(f->path, TODAY_MS, NULL), 0);
	reopen(f);
	count = number_of(f->store,
		"SELECT count(*) FROM people WHERE peer = '" FORGED "'");
	assert_int_equal(
		number_of(f->store, "SELECT count(*) FROM people"), 1 + count);
	lab_close(f);
	lab_remove(f, ASIDE);
	return count;
}

/* Where a cell of the page is, which has no other byte of that row. */
static void lead_to(uint8_t *page, uint16_t to)
{
	put_be16(page + 3, 1);
	put_be16(page + 5, to);
	put_be16(page + 8, to);
}

static void set_first(struct buf *file, uint8_t from, uint8_t to)
{
	for (size_t at = PAGE_BYTES; at < file->len; at += PAGE_BYTES)
		if (file->data[at] == from)
			file->data[at] = to;
}

/* The rest of a long line fills pages of its own, to the byte as its author
 * wants: such a page may be one with rows, but for its first byte. */
static void test_salvage_the_rest_of_a_line_is_no_page_of_rows(void **state)
{
	static uint8_t unit[20000];
	struct fixture *f = *state;
	struct buf cell = forge(f), file;
	uint64_t mix = 1;
	size_t pages, long_pages = 0;

	for (size_t i = 0; i < sizeof(unit); i++) {
		mix = mix * 6364136223846793005u + 1442695040888963407u;
		unit[i] = (uint8_t)(mix >> 56);
	}
	file = tell(f, bytes_of(unit, sizeof(unit)), 1);
	pages = file.len / PAGE_BYTES;
	for (size_t i = 1; i < pages; i++) {
		const uint8_t *page = file.data + i * PAGE_BYTES;
		uint8_t as_rows[PAGE_BYTES] = {0};
		size_t at;

		if (page[0] != 0)
			continue;
		at = position_of(bytes_of(unit, sizeof(unit)), page + 4, 16);
		lead_to(as_rows, 1024);
		memcpy(as_rows + 1024, cell.data, cell.len);
		memcpy(unit + at, as_rows + 4,
			P2P_MIN(sizeof(unit) - at, (size_t)PAGE_BYTES - 4));
		long_pages++;
	}
	assert_true(long_pages >= 4);
	buf_clear(&file);
	file = tell(f, bytes_of(unit, sizeof(unit)), 1);
	assert_int_equal(file.len / PAGE_BYTES, pages);
	assert_int_equal(forged_in(f, buf_bytes(&file)), 0);
	memset(file.data, 0x5a, PAGE_BYTES);
	assert_int_equal(forged_in(f, buf_bytes(&file)), 0);
	/* Whatever bit is wrong in its first byte, people come out of none. */
	for (int bit = 0; bit < 8; bit++) {
		set_first(&file, 0, (uint8_t)(1 << bit));
		assert_int_equal(forged_in(f, buf_bytes(&file)), 0);
		set_first(&file, (uint8_t)(1 << bit), 0);
	}
	/* It would be one: nothing else keeps it out. */
	set_first(&file, 0, 13);
	assert_int_equal(forged_in(f, buf_bytes(&file)), 1);
	buf_clear(&file);
	buf_clear(&cell);
}

/* A pointer of the page is damaged and leads into somebody's words. */
static void test_salvage_a_pointer_into_a_line_finds_no_row(void **state)
{
	static uint8_t unit[1300];
	struct fixture *f = *state;
	struct buf cell = forge(f), file;
	size_t at, begin, count;
	uint8_t *page;

	memset(unit, 'u', sizeof(unit));
	file = tell(f, bytes_of(unit, sizeof(unit)), 3);
	at = position_of(buf_bytes(&file), unit, sizeof(unit));
	page = file.data + at / PAGE_BYTES * PAGE_BYTES;
	count = page[4];
	assert_int_equal(count, 3);
	/* The lowest is the last: what stands before the words of a line is as
	 * long in each. */
	begin = at % PAGE_BYTES - get_be16(page + 12);
	buf_clear(&file);
	/* Where one bit of the pointer may lead. */
	for (size_t bit = 128; bit + cell.len <= begin + sizeof(unit); bit *= 2)
		memcpy(unit + bit - begin, cell.data, cell.len);
	file = tell(f, bytes_of(unit, sizeof(unit)), 3);
	memset(file.data, 0x5a, PAGE_BYTES);
	page = file.data + at / PAGE_BYTES * PAGE_BYTES;
	for (size_t to = at % PAGE_BYTES; to < PAGE_BYTES - cell.len; to++) {
		uint8_t good[14];

		if (memcmp(page + to, cell.data, cell.len) != 0)
			continue;
		memcpy(good, page, sizeof(good));
		for (size_t i = 0; i < count; i++) {
			put_be16(page + 8 + 2 * i, (uint16_t)to);
			assert_int_equal(forged_in(f, buf_bytes(&file)), 0);
			memcpy(page, good, sizeof(good));
		}
		/* It would be one where a cell may begin. */
		lead_to(page, (uint16_t)to);
		assert_int_equal(forged_in(f, buf_bytes(&file)), 1);
		memcpy(page, good, sizeof(good));
	}
	buf_clear(&file);
	buf_clear(&cell);
}

/* What a page says of its rows may be damaged: it costs that row, and one
 * beside it when it seems to begin a byte or two later. */
static void test_salvage_a_bit_in_a_page_costs_two_rows_at_most(void **state)
{
	struct fixture *f = *state;
	static uint8_t unit[200];
	struct buf file;
	size_t at;

	memset(unit, 'u', sizeof(unit));
	file = tell(f, bytes_of(unit, sizeof(unit)), 12);
	at = position_of(buf_bytes(&file), unit, sizeof(unit));
	at -= at % PAGE_BYTES;
	memset(file.data, 0x5a, PAGE_BYTES);
	/* The header and the first pointers. */
	for (size_t bit = 0; bit < 8 * (8 + 2 * 3); bit++) {
		uint8_t *byte = &file.data[at + bit / 8];
		int64_t have;

		*byte ^= (uint8_t)(1 << bit % 8);
		lab_put_file(f, "", buf_bytes(&file));
		*byte ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(store_salvage(f->path, TODAY_MS, NULL), 0);
		reopen(f);
		have = number_of(f->store, "SELECT count(*) FROM messages");
		/* Of the count of cells, which are in order, a bit may cost
		 * more. */
		if (bit / 8 != 3 && bit / 8 != 4)
			assert_true(have >= 10);
		assert_true(have <= 12);
		lab_close(f);
		lab_remove(f, ASIDE);
	}
	buf_clear(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_salvage_carries_all_over_without_the_first_page),
		STORY(test_salvage_each_page_may_be_noise),
		STORY(test_salvage_what_was_deleted_stays_so),
		STORY(test_salvage_reads_the_log),
		STORY(test_salvage_a_lost_author_is_nobody_else),
		STORY(test_salvage_leaves_what_is_not_ours),
		STORY(test_salvage_goes_on_after_a_crash),
		STORY(test_salvage_a_wrong_version_is_put_right),
		STORY(test_salvage_the_rest_of_a_line_is_no_page_of_rows),
		STORY(test_salvage_a_pointer_into_a_line_finds_no_row),
		STORY(test_salvage_a_bit_in_a_page_costs_two_rows_at_most),
		STORY(test_salvage_a_suspicion_is_followed),
	};

	return cmocka_run_group_tests_name("store_salvage", tests, NULL, NULL);
}
