/*
 * Seals, told as stories: whatever changes in a row behind the store's back is
 * noticed, and a damaged row is believed in nothing. Rows that are gone are
 * missed. An older database is sealed as it stands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "store/store_internal.h"
#include "tests/unit/store_lab.h"
#include "tests/unit/store_number.h"

/* ann and a stranger, who are heard in a room, and what else there is. */
static int64_t furnish(struct store *s)
{
	struct store_address a = {.peer = "12D3ann", .addr = "/ip4/10.0.0.2"};
	struct store_record rec = {.peer = "12D3ann", .len = 3};
	struct store_quota q = {
		1u << 20, 1u << 20, 1u << 20, 1u << 20, 1u << 20, {1, 2}};
	struct store_person ann = {.peer = "12D3ann", .verified = true};
	int64_t room = add_room(s, "lobby");
	struct store_message m = line(room, 1, 1000);
	struct store_outcome out;

	store_set_quota(s, &q);
	assert_int_equal(store_put_person(s, &ann), 0);
	for (uint64_t ms = 1000; ms < 1010; ms++) {
		m = line(room, ann.id, ms);
		assert_int_equal(store_keep(s, &m, &ann, &out), 0);
	}
	assert_int_equal(store_put_address(s, &a), 0);
	assert_int_equal(store_put_record(s, &rec), 0);
	assert_int_equal(store_set_u64(s, "seqno", 7), 0);
	assert_int_equal(store_commit(s), 0);
	return room;
}

/* Spoils the closed database and opens it again. */
static void spoil(struct fixture *f, const char *sql)
{
	assert_int_equal(store_exec(f->store, sql), 0);
	reopen(f);
}

static size_t damaged_count(struct store *s, int64_t room)
{
	struct store_rows rows;
	size_t n = 0;

	assert_int_equal(store_page(s, room, &store_key_last, 100, &rows), 0);
	for (size_t i = 0; i < rows.count; i++)
		n += rows.items[i].damaged;
	store_rows_clear(&rows);
	return n;
}

static void test_seal_covers_every_column_of_a_line(void **state)
{
	static const char *const changes[] = {"author = author + 1",
		"state = 1", "local = 1", "mention = 1", "unit = x'00'",
		"seal = seal + 1", "unit = x'756e6975'"};
	struct fixture *f = *state;
	char sql[200];
	int64_t room;

	reopen(f);
	room = furnish(f->store);
	assert_int_equal(damaged_count(f->store, room), 0);
	for (size_t i = 0; i < P2P_ARRAY_LEN(changes); i++) {
		snprintf(sql, sizeof(sql),
			"UPDATE messages SET %s WHERE time_ms = %zu",
			changes[i], 1000 + i);
		assert_int_equal(store_exec(f->store, sql), 0);
		assert_int_equal(damaged_count(f->store, room), i + 1);
	}
	assert_int_equal(page_count(f->store, room), 10);
}

static void test_seal_a_damaged_line_is_not_written_to(void **state)
{
	struct fixture *f = *state;
	struct store_message m;
	int64_t room;

	reopen(f);
	room = furnish(f->store);
	m = line(room, 1, 1000);
	assert_int_equal(
		store_exec(f->store, "UPDATE messages SET mention = 1 WHERE"
				     " time_ms = 1000"),
		0);
	assert_int_equal(
		store_set_state(f->store, room, &m.key, STORE_STATE_HANDED),
		P2P_ERR_NOT_FOUND);
	assert_int_equal(damaged_count(f->store, room), 1);
	m = line(room, 1, 1001);
	assert_int_equal(
		store_set_state(f->store, room, &m.key, STORE_STATE_HANDED), 0);
	assert_int_equal(damaged_count(f->store, room), 1);
}

/* Its author's number says nothing any more, so it hides nothing. */
static void test_seal_a_damaged_line_is_not_ignored(void **state)
{
	struct fixture *f = *state;
	int64_t room, eve;
	char sql[200];

	reopen(f);
	room = furnish(f->store);
	eve = add_person(f->store, "12D3eve", true);
	assert_int_equal(store_commit(f->store), 0);
	snprintf(sql, sizeof(sql),
		"UPDATE messages SET author = %lld WHERE time_ms = 1000",
		(long long)eve);
	assert_int_equal(store_exec(f->store, sql), 0);
	assert_int_equal(page_count(f->store, room), 10);
	assert_int_equal(damaged_count(f->store, room), 1);
}

static void test_seal_lines_that_are_gone_are_missed(void **state)
{
	struct fixture *f = *state;

	reopen(f);
	furnish(f->store);
	spoil(f, "DELETE FROM messages WHERE time_ms IN (1001, 1007)");
	assert_int_equal(store_damage(f->store)->lines, 2);
	reopen(f);
	assert_int_equal(store_damage(f->store)->lines, 0);
	spoil(f, "DELETE FROM sums");
	assert_true(store_damage(f->store)->uncounted);
}

/* Lines come, go and are rolled back while they are counted. */
static void test_seal_counting_takes_its_time(void **state)
{
	struct fixture *f = *state;
	bool done = false;
	int64_t room;

	reopen(f);
	room = furnish(f->store);
	f->store->sums.walked = false;
	for (uint64_t i = 0; !done; i++) {
		assert_int_equal(store_count_lines(f->store, 2, &done), 0);
		assert_true(i < 20);
		insert(f->store, line(room, 1, i < 3 ? 1 + i : 5000 + i));
		if (i == 1)
			assert_int_equal(store_delete_line(f->store, 1), 0);
		if (i == 4) {
			store_rollback(f->store);
			continue;
		}
		if (i == 5)
			break;
	}
	assert_int_equal(store_commit(f->store), 0);
	while (!done)
		assert_int_equal(store_count_lines(f->store, 2, &done), 0);
	assert_int_equal(store_damage(f->store)->lines, 0);
	assert_int_equal(store_damage(f->store)->moved, 0);
	assert_false(store_damage(f->store)->uncounted);
	reopen(f);
	assert_int_equal(store_damage(f->store)->lines, 0);
}

static void test_seal_a_mark_that_nobody_set_is_none(void **state)
{
	struct fixture *f = *state;
	struct store_person p;
	int64_t room;

	reopen(f);
	room = furnish(f->store);
	add_person(f->store, "12D3eve", false);
	assert_int_equal(store_commit(f->store), 0);
	spoil(f, "UPDATE people SET verified = 1 WHERE peer = '12D3eve'");
	assert_int_equal(store_damage(f->store)->people, 1);
	assert_int_equal(
		store_find_person(f->store, "12D3eve", &p), P2P_ERR_NOT_FOUND);
	assert_int_equal(store_find_person(f->store, "12D3ann", &p), 0);
	assert_true(p.verified);
	/* The number of who is gone goes to nobody else. */
	assert_int_equal(add_person(f->store, "12D3eve", false), p.id + 2);
	assert_int_equal(page_count(f->store, room), 10);
	/* While it runs as well: it is neither read nor written to. */
	assert_int_equal(store_exec(f->store,
				 "UPDATE people SET verified = 0 WHERE peer ="
				 " '12D3ann'"),
		0);
	assert_int_equal(store_put_person(f->store, &p), P2P_ERR_CORRUPT);
	assert_int_equal(
		store_find_person(f->store, "12D3ann", &p), P2P_ERR_NOT_FOUND);
}

static void test_seal_covers_the_small_tables(void **state)
{
	struct fixture *f = *state;
	struct store_address *addresses;
	struct store_record *records;
	size_t count;
	uint64_t n;

	reopen(f);
	furnish(f->store);
	spoil(f, "UPDATE settings SET value = x'0000000000000008'"
		 " WHERE key = 'seqno';"
		 "UPDATE addresses SET addr = '/ip4/10.0.0.3';"
		 "UPDATE records SET seen_ms = 9");
	assert_int_equal(store_damage(f->store)->settings, 1);
	assert_int_equal(store_damage(f->store)->addresses, 2);
	assert_int_equal(
		store_get_u64(f->store, "seqno", &n), P2P_ERR_NOT_FOUND);
	assert_int_equal(
		store_load_addresses(f->store, 9, &addresses, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(store_load_records(f->store, 9, &records, &count), 0);
	assert_int_equal(count, 0);
	free(addresses);
	free(records);
}

/* A share that a bit made large would drop lines, or refuse them for ever. */
static void test_seal_shares_are_counted_anew(void **state)
{
	static const char sum[] = "SELECT sum(bytes) FROM hours";
	static const char all[] = "SELECT bytes FROM shares WHERE room = 0";
	struct fixture *f = *state;
	int64_t bytes;

	reopen(f);
	furnish(f->store);
	bytes = number_of(f->store, sum);
	assert_int_equal(bytes, 10 * (4 + STORE_LINE_COST_BYTES));
	spoil(f, "UPDATE hours SET bytes = bytes + 1048576, shut = 1;"
		 "UPDATE shares SET floor_ms = 1, floor_id = x'00'");
	assert_true(store_damage(f->store)->shares > 0);
	assert_int_equal(number_of(f->store, sum), bytes);
	assert_int_equal(number_of(f->store, all), bytes);
	assert_int_equal(number_of(f->store, "SELECT sum(shut) FROM hours"), 0);
}

static void test_seal_a_room_that_is_gone_is_named(void **state)
{
	struct fixture *f = *state;
	int64_t *lost, room;
	size_t count;

	reopen(f);
	room = furnish(f->store);
	spoil(f, "UPDATE rooms SET joined = 0");
	assert_int_equal(store_damage(f->store)->rooms, 1);
	assert_int_equal(store_lost_rooms(f->store, &lost, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(lost[0], room);
	free(lost);
}

static void test_seal_the_schema_is_refused_when_changed(void **state)
{
	struct fixture *f = *state;

	reopen(f);
	furnish(f->store);
	assert_int_equal(
		store_exec(f->store, "DROP INDEX messages_waiting;"
				     "CREATE INDEX messages_waiting ON messages"
				     " (room, time_ms, unit_id)"
				     " WHERE state = 3"),
		0);
	lab_close(f);
	assert_int_equal(store_open(&f->store, f->path, NULL), P2P_ERR_CORRUPT);
}

/* An index that leaves out a line is built anew, and the line is there. */
static void test_seal_an_index_is_built_anew(void **state)
{
	struct fixture *f = *state;
	struct buf image;
	int64_t room;
	size_t found = 0;

	assert_int_equal(
		store_open_memory(&f->store, bytes_of(NULL, 0), NULL), 0);
	room = furnish(f->store);
	buf_init(&image, 64u << 20);
	assert_int_equal(store_save_image(f->store, &image), 0);
	lab_close(f);
	/* Each place of that id but the row's own is one of an index. */
	for (size_t i = 0; i + 40 < image.len; i++) {
		uint8_t id[32] = {0};

		put_be64(id, 1001);
		if (memcmp(image.data + i, id, 32) != 0)
			continue;
		found++;
		image.data[i + 20] ^= 1;
		assert_int_equal(
			store_open_memory(&f->store, buf_bytes(&image), NULL),
			0);
		image.data[i + 20] ^= 1;
		assert_true(store_damage(f->store)->indexes);
		assert_int_equal(page_count(f->store, room), 10);
		assert_true(damaged_count(f->store, room) <= 1);
		assert_int_equal(store_damage(f->store)->lines, 0);
		lab_close(f);
	}
	assert_true(found >= 3);
	buf_clear(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_seal_covers_every_column_of_a_line),
		STORY(test_seal_a_damaged_line_is_not_written_to),
		STORY(test_seal_a_damaged_line_is_not_ignored),
		STORY(test_seal_lines_that_are_gone_are_missed),
		STORY(test_seal_counting_takes_its_time),
		STORY(test_seal_a_mark_that_nobody_set_is_none),
		STORY(test_seal_covers_the_small_tables),
		STORY(test_seal_shares_are_counted_anew),
		STORY(test_seal_a_room_that_is_gone_is_named),
		STORY(test_seal_the_schema_is_refused_when_changed),
		STORY(test_seal_an_index_is_built_anew),
	};

	return cmocka_run_group_tests_name("store_seal", tests, NULL, NULL);
}
