/*
 * Opening a profile's database, told as stories: older forms are brought up to
 * date and lose nothing, what is newer, foreign or damaged is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store_internal.h"
#include "tests/unit/store_lab.h"
#include "tests/unit/store_number.h"

static void test_store_refuses_a_newer_database(void **state)
{
	struct fixture *f = *state;

	reopen(f);
	add_room(f->store, "lobby");
	assert_int_equal(store_commit(f->store), 0);
	lab_close(f);
	/* Whoever has another number has it under a seal as well. */
	sql_on_file(f->path, "PRAGMA user_version = 99;"
			     "DELETE FROM settings WHERE key = 'form'");
	assert_int_equal(store_open(&f->store, f->path, NULL), P2P_ERR_TOO_NEW);
	assert_null(f->store);
	/* Nothing was changed: with the old number it opens again. */
	sql_on_file(f->path, "PRAGMA user_version = 5");
	reopen(f);
}

#define UNSEALED(table) "ALTER TABLE " table " DROP COLUMN seal;"
#define WITHOUT_SEALS \
	UNSEALED("rooms") \
	UNSEALED("people") \
	UNSEALED("addresses") \
	UNSEALED("records") \
	UNSEALED("settings") \
	UNSEALED("messages") \
	UNSEALED("hours") \
	UNSEALED("slots") UNSEALED("shares") "DROP TABLE sums;"

#define WITHOUT_QUOTA \
	WITHOUT_SEALS \
	"DROP TABLE hours; DROP TABLE slots; DROP TABLE shares;" \
	"DROP INDEX people_class; DROP INDEX messages_author;" \
	"ALTER TABLE people DROP COLUMN class;" \
	"ALTER TABLE people DROP COLUMN days;" \
	"ALTER TABLE people DROP COLUMN day;" \
	"ALTER TABLE people DROP COLUMN since_day;" \
	"ALTER TABLE people DROP COLUMN since_room;"

#define WITHOUT_LOOKS \
	"DROP INDEX people_small; DROP INDEX people_drawn;" \
	"ALTER TABLE people DROP COLUMN small;" \
	"ALTER TABLE people DROP COLUMN drawn;" \
	"ALTER TABLE people DROP COLUMN named_ms;" \
	"ALTER TABLE people DROP COLUMN verified;"

/* Who is known by form 2 comes first with the name since he was first seen. */
static void test_store_brings_form_2_up_to_date(void **state)
{
	struct fixture *f = *state;
	struct store_person alice = {
		.peer = "12D3alice", .name = "Alice", .first_seen_ms = 5};
	struct store_person first;

	reopen(f);
	assert_int_equal(store_put_person(f->store, &alice), 0);
	assert_int_equal(store_commit(f->store), 0);
	lab_close(f);
	sql_on_file(
		f->path, WITHOUT_QUOTA WITHOUT_LOOKS "PRAGMA user_version = 2");
	reopen(f);
	text_looks_of(bytes_str("ALICE"), &alice.looks);
	assert_int_equal(
		store_first_of_look(f->store, alice.looks.small, &first), 0);
	assert_string_equal(first.peer, "12D3alice");
	assert_int_equal(first.named_ms, 5);
	assert_false(first.verified);
}

/* Whoever spoke on two days is a regular from the start, and what all have is
 * counted. */
static void test_store_brings_form_3_up_to_date(void **state)
{
	struct fixture *f = *state;
	struct store_person p;
	int64_t room, old, new;

	reopen(f);
	room = add_room(f->store, "room");
	old = add_person(f->store, "12D3old", false);
	new = add_person(f->store, "12D3new", false);
	assert_true(insert(f->store, line(room, old, 86400000)));
	assert_true(insert(f->store, line(room, old, 2 * 86400000)));
	assert_true(insert(f->store, line(room, new, 2 * 86400000 + 1)));
	assert_int_equal(store_commit(f->store), 0);
	lab_close(f);
	sql_on_file(f->path, WITHOUT_QUOTA "PRAGMA user_version = 3");
	reopen(f);
	assert_int_equal(store_find_person(f->store, "12D3old", &p), 0);
	assert_int_equal(p.class, STORE_REGULAR);
	assert_int_equal(p.days, 2);
	assert_int_equal(store_find_person(f->store, "12D3new", &p), 0);
	assert_int_equal(p.class, STORE_STRANGER);
	assert_int_equal(page_count(f->store, room), 3);
	assert_int_equal(
		number_of(f->store,
			"SELECT sum(bytes) FROM hours WHERE hour = 48"),
		4 + STORE_LINE_COST_BYTES);
	assert_int_equal(number_of(f->store,
				 "SELECT bytes FROM shares WHERE author = -1"),
		2 * (4 + STORE_LINE_COST_BYTES));
	assert_int_equal(
		number_of(f->store, "SELECT bytes FROM shares WHERE room = 0"),
		4 + STORE_LINE_COST_BYTES);
}

/* A profile of the first form keeps all it has and takes records from now. */
static void test_store_brings_form_1_up_to_date(void **state)
{
	struct fixture *f = *state;
	struct store_address a = {.peer = "12D3mali",
		.addr = "/ip4/10.0.0.2/tcp/4001",
		.last_ok_ms = 7};
	struct store_record r = {.peer = "12D3mali", .seen_ms = 8, .len = 3};
	struct store_address *addresses;
	struct store_record *records;
	size_t count;

	reopen(f);
	assert_int_equal(store_put_address(f->store, &a), 0);
	assert_int_equal(store_commit(f->store), 0);
	lab_close(f);
	sql_on_file(f->path,
		WITHOUT_QUOTA WITHOUT_LOOKS "DROP TABLE records; "
					    "PRAGMA user_version = 1");
	reopen(f);
	assert_int_equal(
		store_load_addresses(f->store, 9, &addresses, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(addresses[0].addr, a.addr);
	free(addresses);
	memcpy(r.record, "abc", 3);
	assert_int_equal(store_put_record(f->store, &r), 0);
	assert_int_equal(store_commit(f->store), 0);
	reopen(f);
	assert_int_equal(store_load_records(f->store, 9, &records, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(records[0].len, 3);
	assert_memory_equal(records[0].record, "abc", 3);
	free(records);
}

static void test_store_refuses_what_is_no_database(void **state)
{
	struct fixture *f = *state;
	FILE *file = fopen(f->path, "w");

	for (int i = 0; i < 1000; i++)
		fputs("this is no database at all\n", file);
	fclose(file);
	assert_int_equal(store_open(&f->store, f->path, NULL), P2P_ERR_CORRUPT);
}

static void test_store_refuses_a_foreign_database(void **state)
{
	struct fixture *f = *state;

	sql_on_file(f->path, "CREATE TABLE rooms (x)");
	assert_int_equal(store_open(&f->store, f->path, NULL), P2P_ERR_CORRUPT);
}

static void test_store_says_when_it_is_open_already(void **state)
{
	struct fixture *f = *state;
	struct store *second;

	reopen(f);
	assert_int_equal(store_open(&second, f->path, NULL), P2P_ERR_BUSY);
	assert_null(second);
	add_room(f->store, "undisturbed");
	assert_int_equal(store_commit(f->store), 0);
}

static void test_store_without_a_folder_is_an_error(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		store_open(&f->store, "/nonexistent/dir/x", NULL), P2P_ERR_IO);
	if (geteuid() == 0)
		return; /* root may write anywhere */
	assert_int_equal(chmod(f->dir, 0500), 0);
	assert_int_equal(store_open(&f->store, f->path, NULL), P2P_ERR_DENIED);
	assert_int_equal(chmod(f->dir, 0700), 0);
}

static void test_store_full_disk_loses_nothing_committed(void **state)
{
	struct fixture *f = *state;
	static uint8_t big[65536];
	struct store_message m;
	int64_t room;
	bool is_new;
	int err = 0;

	reopen(f);
	room = add_room(f->store, "lobby");
	insert(f->store, line(room, 1, 1));
	assert_int_equal(store_commit(f->store), 0);
	/* SQLite's own limit answers as a full disk does. */
	assert_int_equal(store_exec(f->store, "PRAGMA max_page_count = 30"), 0);
	for (uint64_t i = 2; i < 20 && err == 0; i++) {
		m = line(room, 1, i);
		m.unit = bytes_of(big, sizeof(big));
		err = store_insert(f->store, &m, &is_new);
	}
	assert_int_equal(err, P2P_ERR_NO_SPACE);
	store_rollback(f->store);
	assert_int_equal(page_count(f->store, room), 1);
	insert(f->store, line(room, 1, 2));
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(page_count(f->store, room), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_store_refuses_a_newer_database),
		STORY(test_store_brings_form_1_up_to_date),
		STORY(test_store_brings_form_2_up_to_date),
		STORY(test_store_brings_form_3_up_to_date),
		STORY(test_store_refuses_what_is_no_database),
		STORY(test_store_refuses_a_foreign_database),
		STORY(test_store_says_when_it_is_open_already),
		STORY(test_store_without_a_folder_is_an_error),
		STORY(test_store_full_disk_loses_nothing_committed),
	};

	return cmocka_run_group_tests_name("store_open", tests, NULL, NULL);
}
