/*
 * What a profile remembers, told as stories: what was committed stays, the
 * rest is gone; a line is kept once; a page costs the same however long the
 * room is; a second start learns who is in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store_internal.h"
#include "tests/unit/store_lab.h"

static void test_store_keeps_what_was_committed(void **state)
{
	struct fixture *f = *state;
	int64_t room;

	reopen(f);
	room = add_room(f->store, "lobby");
	assert_true(insert(f->store, line(room, 1, 10)));
	assert_int_equal(store_commit(f->store), 0);
	assert_true(insert(f->store, line(room, 1, 11)));
	reopen(f);
	assert_int_equal(page_count(f->store, room), 1);
}

static void test_store_files_are_private(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char wal[128];

	reopen(f);
	add_room(f->store, "lobby");
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(wal, sizeof(wal), "%s-wal", f->path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* Exclusive mode needs no shared memory. */
	snprintf(wal, sizeof(wal), "%s-shm", f->path);
	assert_int_equal(stat(wal, &st), -1);
}

static void test_store_keeps_a_line_once(void **state)
{
	struct fixture *f = *state;
	int64_t lobby, dev;
	struct store_message m;

	reopen(f);
	lobby = add_room(f->store, "lobby");
	dev = add_room(f->store, "dev");
	m = line(lobby, 1, 10);
	assert_true(insert(f->store, m));
	assert_false(insert(f->store, m));
	m.room = dev;
	assert_true(insert(f->store, m));
	assert_int_equal(page_count(f->store, lobby), 1);
}

/* A line without a time of its own gets that of its arrival: when it arrives
 * again, later, it is still the same line. */
static void test_store_keeps_a_local_line_once(void **state)
{
	struct fixture *f = *state;
	int64_t room;
	struct store_message m;

	reopen(f);
	room = add_room(f->store, "lobby");
	m = line(room, 1, 10);
	m.local = true;
	assert_true(insert(f->store, m));
	m.key.time_ms = 500;
	assert_false(insert(f->store, m));
}

static void test_store_pages_backwards_in_order(void **state)
{
	struct fixture *f = *state;
	struct store_key before = store_key_last;
	struct store_rows rows;
	uint64_t expected = 249;
	int64_t room;
	bool more;

	reopen(f);
	room = add_room(f->store, "lobby");
	/* Arrival in another order than that of the times. */
	for (uint64_t i = 0; i < 250; i++)
		insert(f->store, line(room, 1, i * 7 % 250));
	do {
		assert_int_equal(
			store_page(f->store, room, &before, 60, &rows), 0);
		for (size_t i = 0; i < rows.count; i++)
			assert_int_equal(rows.items[i].key.time_ms, expected--);
		before = rows.items[rows.count - 1].key;
		more = rows.more;
		store_rows_clear(&rows);
	} while (more);
	assert_int_equal(expected, UINT64_MAX);
}

static void test_store_page_orders_one_moment_by_id(void **state)
{
	struct fixture *f = *state;
	struct store_rows rows;
	struct store_message m;
	int64_t room;

	reopen(f);
	room = add_room(f->store, "lobby");
	for (uint8_t i = 0; i < 5; i++) {
		m = line(room, 1, 10);
		m.key.id[0] = (uint8_t)(i * 3 % 5);
		insert(f->store, m);
	}
	assert_int_equal(
		store_page(f->store, room, &store_key_last, 2, &rows), 0);
	assert_int_equal(rows.items[1].key.id[0], 3);
	m.key = rows.items[1].key;
	store_rows_clear(&rows);
	assert_int_equal(store_page(f->store, room, &m.key, 9, &rows), 0);
	assert_int_equal(rows.count, 3);
	assert_int_equal(rows.items[0].key.id[0], 2);
	assert_false(rows.more);
	store_rows_clear(&rows);
}

static void test_store_pages_leave_out_the_ignored(void **state)
{
	struct fixture *f = *state;
	struct store_counts counts;
	int64_t room, friend, foe;

	reopen(f);
	room = add_room(f->store, "lobby");
	friend = add_person(f->store, "12D3friend", false);
	foe = add_person(f->store, "12D3foe", true);
	for (uint64_t i = 1; i <= 10; i++)
		insert(f->store, line(room, i % 2 == 0 ? friend : foe, i));
	assert_int_equal(page_count(f->store, room), 5);
	assert_int_equal(store_count_after(f->store, room, &store_key_first,
				 UINT64_MAX, &counts),
		0);
	assert_int_equal(counts.unread, 5);
}

static void test_store_counts_unread_and_mentions(void **state)
{
	struct fixture *f = *state;
	struct store_counts counts;
	struct store_message m;
	int64_t room;

	reopen(f);
	room = add_room(f->store, "lobby");
	for (uint64_t i = 1; i <= 5; i++) {
		m = line(room, 1, i);
		m.mention = i == 4;
		insert(f->store, m);
	}
	m = line(room, 1, 6);
	m.state = STORE_STATE_WAITING;
	insert(f->store, m);
	insert(f->store, line(room, 1, 253402300799000));
	m = line(room, 1, 2);
	assert_int_equal(
		store_count_after(f->store, room, &m.key, 1000, &counts), 0);
	assert_int_equal(counts.unread, 3);
	assert_int_equal(counts.mentions, 1);
}

static void test_store_waiting_lines_until_handed(void **state)
{
	struct fixture *f = *state;
	struct store_rows rows;
	struct store_message m;
	uint64_t count;
	int64_t room;

	reopen(f);
	room = add_room(f->store, "lobby");
	for (uint64_t i = 1; i <= 3; i++) {
		m = line(room, 1, i);
		m.state = STORE_STATE_WAITING;
		insert(f->store, m);
	}
	insert(f->store, line(room, 1, 4));
	m = line(room, 1, 2);
	assert_int_equal(
		store_set_state(f->store, room, &m.key, STORE_STATE_HANDED), 0);
	m.key.id[31] = 1;
	assert_int_equal(
		store_set_state(f->store, room, &m.key, STORE_STATE_HANDED),
		P2P_ERR_NOT_FOUND);
	assert_int_equal(store_commit(f->store), 0);
	reopen(f);
	assert_int_equal(store_count_waiting(f->store, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(
		store_waiting(f->store, room, &store_key_first, 9, &rows), 0);
	assert_int_equal(rows.count, 2);
	assert_int_equal(rows.items[0].key.time_ms, 1);
	assert_int_equal(rows.items[1].key.time_ms, 3);
	assert_int_equal(rows.items[1].state, STORE_STATE_WAITING);
	store_rows_clear(&rows);
}

static void test_store_page_is_bounded_in_bytes(void **state)
{
	struct fixture *f = *state;
	static uint8_t big[65536];
	struct store_rows rows;
	struct store_message m;
	int64_t room;

	reopen(f);
	room = add_room(f->store, "lobby");
	for (uint64_t i = 1; i <= 40; i++) {
		m = line(room, 1, i);
		m.unit = bytes_of(big, sizeof(big));
		insert(f->store, m);
	}
	assert_int_equal(
		store_page(f->store, room, &store_key_last, 40, &rows), 0);
	assert_int_equal(rows.count, STORE_ROWS_BYTES_MAX / sizeof(big));
	assert_true(rows.more);
	store_rows_clear(&rows);
}

static void test_store_arrivals_in_order_of_arrival(void **state)
{
	struct fixture *f = *state;
	struct store_rows rows;
	int64_t lobby, dev, row;

	reopen(f);
	assert_int_equal(store_last_row(f->store, &row), 0);
	assert_int_equal(row, 0);
	lobby = add_room(f->store, "lobby");
	dev = add_room(f->store, "dev");
	insert(f->store, line(lobby, 1, 9));
	insert(f->store, line(dev, 1, 5));
	insert(f->store, line(lobby, 1, 1));
	assert_int_equal(store_last_row(f->store, &row), 0);
	assert_int_equal(row, 3);
	assert_int_equal(store_arrivals(f->store, 1, 9, &rows), 0);
	assert_int_equal(rows.count, 2);
	assert_int_equal(rows.items[0].room, dev);
	assert_int_equal(rows.items[1].key.time_ms, 1);
	store_rows_clear(&rows);
}

static void test_store_room_comes_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct store_room room = {.topic = "kitchen",
		.joined = true,
		.position = 3,
		.dialect = 2,
		.read.time_ms = 77,
		.unread = 4,
		.mentions = 1,
		.seq = 9,
		.clock_ms = 1234};
	struct store_room *rooms;
	size_t count;

	memset(room.prev, 0xab, sizeof(room.prev));
	reopen(f);
	assert_int_equal(store_put_room(f->store, &room), 0);
	room.unread = 5;
	assert_int_equal(store_put_room(f->store, &room), 0);
	add_room(f->store, "first");
	assert_int_equal(store_commit(f->store), 0);
	reopen(f);
	assert_int_equal(store_load_rooms(f->store, &rooms, &count), 0);
	assert_int_equal(count, 2);
	assert_string_equal(rooms[0].topic, "first");
	assert_memory_equal(&rooms[1], &room, sizeof(room));
	free(rooms);
}

static void test_store_person_is_one_per_peer(void **state)
{
	struct fixture *f = *state;
	struct store_person mali = {.peer = "12D3mali",
		.name = "mali",
		.first_seen_ms = 5,
		.last_seen_ms = 6};
	struct store_person again = mali;
	struct store_person *people;
	size_t count;

	reopen(f);
	assert_int_equal(store_put_person(f->store, &mali), 0);
	again.first_seen_ms = 100;
	again.ignored = true;
	assert_int_equal(store_put_person(f->store, &again), 0);
	assert_int_equal(again.id, mali.id);
	assert_int_equal(store_find_person(f->store, "12D3mali", &mali), 0);
	assert_true(mali.ignored);
	assert_int_equal(mali.first_seen_ms, 5);
	assert_int_equal(store_find_person(f->store, "12D3tom", &mali),
		P2P_ERR_NOT_FOUND);
	add_person(f->store, "12D3tom", false);
	assert_int_equal(store_load_people(f->store, 1, &people, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(people[0].peer, "12D3mali");
	free(people);
}

static int64_t add_named(
	struct store *s, const char *peer, const char *name, uint64_t named_ms)
{
	struct store_person p = {.named_ms = named_ms};

	snprintf(p.peer, sizeof(p.peer), "%s", peer);
	snprintf(p.name, sizeof(p.name), "%s", name);
	text_looks_of(bytes_str(name), &p.looks);
	assert_int_equal(store_put_person(s, &p), 0);
	return p.id;
}

static const char *first_of(struct store *s, const char *look)
{
	static struct store_person p;

	return store_first_of_look(s, look, &p) == 0 ? p.peer : NULL;
}

static void test_store_knows_who_is_first_of_a_look(void **state)
{
	struct fixture *f = *state;
	struct store_person p;
	struct text_looks alice;

	reopen(f);
	text_looks_of(bytes_str("alice"), &alice);
	assert_null(first_of(f->store, alice.small));
	/* Nobody is first of no name. */
	add_named(f->store, "12D3nobody", "", 1);
	assert_null(first_of(f->store, ""));
	add_named(f->store, "12D3late", "ALICE", 9);
	add_named(f->store, "12D3early", "Alice", 5);
	/* Only one key of "AIice" is that of "alice". */
	add_named(f->store, "12D3drawn", "AIice", 4);
	assert_string_equal(first_of(f->store, alice.small), "12D3drawn");
	/* Of those since the same time, who was stored first. */
	add_named(f->store, "12D3drawn", "other", 10);
	add_named(f->store, "12D3same", "alice", 5);
	assert_string_equal(first_of(f->store, alice.small), "12D3early");
	/* The verified before all. */
	assert_int_equal(store_find_person(f->store, "12D3late", &p), 0);
	p.verified = true;
	assert_int_equal(store_put_person(f->store, &p), 0);
	assert_string_equal(first_of(f->store, alice.small), "12D3late");
}

static void test_store_addresses_are_capped(void **state)
{
	struct fixture *f = *state;
	struct store_address a = {.peer = "12D3mali"};
	struct store_address *all;
	size_t count;

	reopen(f);
	for (uint64_t i = 1; i <= 20; i++) {
		snprintf(a.addr, sizeof(a.addr), "/ip4/10.0.0.%d/tcp/4001",
			(int)i);
		a.last_ok_ms = i;
		assert_int_equal(store_put_address(f->store, &a), 0);
	}
	assert_int_equal(store_load_addresses(f->store, 100, &all, &count), 0);
	assert_int_equal(count, STORE_ADDRS_PER_PEER_MAX);
	assert_string_equal(all[0].addr, "/ip4/10.0.0.20/tcp/4001");
	free(all);
	for (int i = 0; i < STORE_ADDRS_MAX + 20; i++) {
		snprintf(a.peer, sizeof(a.peer), "12D3peer%d", i);
		a.last_ok_ms = 100 + (uint64_t)i;
		assert_int_equal(store_put_address(f->store, &a), 0);
	}
	assert_int_equal(store_load_addresses(f->store, 9999, &all, &count), 0);
	assert_int_equal(count, STORE_ADDRS_MAX);
	free(all);
}

static void test_store_records_are_capped_and_the_newest(void **state)
{
	struct fixture *f = *state;
	struct store_record r = {.len = STORE_RECORD_BYTES_MAX};
	struct store_record *all;
	size_t count;

	reopen(f);
	for (int i = 0; i < STORE_RECORDS_MAX + 20; i++) {
		snprintf(r.peer, sizeof(r.peer), "12D3peer%d", i);
		r.seen_ms = 100 + (uint64_t)i;
		assert_int_equal(store_put_record(f->store, &r), 0);
	}
	r.record[0] = 9;
	r.len = 1;
	assert_int_equal(store_put_record(f->store, &r), 0);
	assert_int_equal(store_load_records(f->store, 9999, &all, &count), 0);
	assert_int_equal(count, STORE_RECORDS_MAX);
	assert_string_equal(all[0].peer, r.peer);
	assert_int_equal(all[0].len, 1);
	assert_int_equal(all[0].record[0], 9);
	assert_int_equal(all[1].len, STORE_RECORD_BYTES_MAX);
	free(all);
}

static void test_store_forgets_what_is_stale(void **state)
{
	struct fixture *f = *state;
	struct store_address a = {.addr = "/ip4/10.0.0.2/tcp/4001"};
	struct store_record r = {.len = 1};
	struct store_address *addresses;
	struct store_record *records;
	size_t count;

	reopen(f);
	for (uint64_t i = 1; i <= 10; i++) {
		snprintf(a.peer, sizeof(a.peer), "12D3peer%d", (int)i);
		snprintf(r.peer, sizeof(r.peer), "12D3peer%d", (int)i);
		a.last_ok_ms = r.seen_ms = i * 10;
		assert_int_equal(store_put_address(f->store, &a), 0);
		assert_int_equal(store_put_record(f->store, &r), 0);
	}
	assert_int_equal(store_forget_stale(f->store, 30, 90), 0);
	assert_int_equal(
		store_load_addresses(f->store, 99, &addresses, &count), 0);
	assert_int_equal(count, 8);
	free(addresses);
	assert_int_equal(store_load_records(f->store, 99, &records, &count), 0);
	assert_int_equal(count, 2);
	free(records);
}

static void test_store_settings(void **state)
{
	struct fixture *f = *state;
	struct buf value;
	uint64_t n = 7;

	buf_init(&value, 100);
	reopen(f);
	assert_int_equal(
		store_get(f->store, "name", &value), P2P_ERR_NOT_FOUND);
	assert_int_equal(
		store_get_u64(f->store, "seqno", &n), P2P_ERR_NOT_FOUND);
	assert_int_equal(n, 7);
	assert_int_equal(store_set(f->store, "name", bytes_str("mali")), 0);
	assert_int_equal(store_set(f->store, "name", bytes_str("tom")), 0);
	assert_int_equal(store_set_u64(f->store, "seqno", UINT64_MAX), 0);
	assert_int_equal(store_get(f->store, "name", &value), 0);
	assert_string_equal(buf_cstr(&value), "tom");
	assert_int_equal(store_get_u64(f->store, "seqno", &n), 0);
	assert_true(n == UINT64_MAX);
	buf_clear(&value);
}

/* ---- SQLite ------------------------------------------------------------ */

static void test_store_settings_of_sqlite_are_hardened(void **state)
{
	struct fixture *f = *state;
	int on;

	reopen(f);
	sqlite3_db_config(f->store->db, SQLITE_DBCONFIG_DEFENSIVE, -1, &on);
	assert_int_equal(on, 1);
	sqlite3_db_config(
		f->store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, -1, &on);
	assert_int_equal(on, 0);
	assert_int_equal(
		sqlite3_limit(f->store->db, SQLITE_LIMIT_ATTACHED, -1), 0);
	assert_int_not_equal(store_exec(f->store, "ATTACH ':memory:' AS x"), 0);
}

static char *pragma(struct store *s, const char *sql)
{
	static char value[64];
	sqlite3_stmt *st;

	assert_int_equal(
		sqlite3_prepare_v2(s->db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	snprintf(value, sizeof(value), "%s", sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	return value;
}

static void test_store_is_durable_by_its_settings(void **state)
{
	struct fixture *f = *state;

	reopen(f);
	assert_string_equal(pragma(f->store, "PRAGMA journal_mode"), "wal");
	assert_string_equal(pragma(f->store, "PRAGMA synchronous"), "2");
	assert_string_equal(
		pragma(f->store, "PRAGMA locking_mode"), "exclusive");
	assert_string_equal(pragma(f->store, "PRAGMA cell_size_check"), "1");
}

/* ---- plans ------------------------------------------------------------- */

static void plan_of(
	struct store *s, enum store_stmt which, char *out, size_t size)
{
	char sql[2048];
	sqlite3_stmt *st;
	size_t len = 0;

	snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", store_sql[which]);
	assert_int_equal(
		sqlite3_prepare_v2(s->db, sql, -1, &st, NULL), SQLITE_OK);
	out[0] = '\0';
	while (sqlite3_step(st) == SQLITE_ROW && len < size)
		len += (size_t)snprintf(out + len, size - len, "%s\n",
			sqlite3_column_text(st, 3));
	sqlite3_finalize(st);
}

static void test_store_reads_messages_by_index_only(void **state)
{
	static const enum store_stmt reads[] = {STMT_MESSAGE_STATE,
		STMT_MESSAGE_PAGE, STMT_MESSAGE_AFTER, STMT_MESSAGE_WAITING,
		STMT_MESSAGE_ARRIVALS, STMT_MESSAGE_UNREAD};
	struct fixture *f = *state;
	static const enum store_stmt looks[] = {
		STMT_PERSON_FIRST_SMALL, STMT_PERSON_FIRST_DRAWN};
	char plan[1000];

	reopen(f);
	for (size_t i = 0; i < P2P_ARRAY_LEN(reads); i++) {
		plan_of(f->store, reads[i], plan, sizeof(plan));
		if (strstr(plan, "SCAN messages") != NULL ||
			strstr(plan, "TEMP B-TREE") != NULL)
			fail_msg("%s: %s", store_sql[reads[i]], plan);
		assert_non_null(strstr(plan, "SEARCH messages"));
	}
	for (size_t i = 0; i < P2P_ARRAY_LEN(looks); i++) {
		plan_of(f->store, looks[i], plan, sizeof(plan));
		assert_null(strstr(plan, "TEMP B-TREE"));
		assert_non_null(strstr(plan, "SEARCH people USING INDEX"));
	}
	plan_of(f->store, STMT_MESSAGE_PAGE, plan, sizeof(plan));
	assert_non_null(strstr(
		plan, "messages_key (room=? AND (time_ms,unit_id)<(?,?))"));
}

static void test_store_statements_all_prepare(void **state)
{
	struct fixture *f = *state;

	reopen(f);
	for (int i = 0; i < STMT_COUNT; i++)
		assert_non_null(store_stmt(f->store, (enum store_stmt)i));
}

/* ---- memory ------------------------------------------------------------ */

static void test_store_in_memory_crashes_back_to_its_commit(void **state)
{
	struct fixture *f = *state;
	struct buf image;
	int64_t room;

	buf_init(&image, 64u << 20);
	assert_int_equal(
		store_open_memory(&f->store, bytes_of(NULL, 0), NULL), 0);
	room = add_room(f->store, "lobby");
	insert(f->store, line(room, 1, 1));
	assert_int_equal(store_commit(f->store), 0);
	insert(f->store, line(room, 1, 2));
	assert_int_equal(store_save_image(f->store, &image), 0);
	store_close(f->store);
	assert_int_equal(
		store_open_memory(&f->store, buf_bytes(&image), NULL), 0);
	buf_clear(&image);
	assert_int_equal(page_count(f->store, room), 1);
	for (uint64_t i = 10; i < 3000; i++)
		insert(f->store, line(room, 1, i));
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(page_count(f->store, room), 100);
}

/* ---- the lock ---------------------------------------------------------- */

static void test_store_lock_names_its_holder(void **state)
{
	struct fixture *f = *state;
	struct store_lock *lock, *second;
	int status, go[2];
	char byte = 'x';
	long holder;
	pid_t child;

	assert_int_equal(pipe(go), 0);
	child = fork();
	if (child == 0) {
		if (store_lock_take(&lock, f->lock, &holder) != 0)
			_exit(1);
		if (write(go[1], &byte, 1) != 1)
			_exit(2);
		pause();
	}
	assert_int_equal(read(go[0], &byte, 1), 1);
	assert_int_equal(
		store_lock_take(&second, f->lock, &holder), P2P_ERR_BUSY);
	assert_null(second);
	assert_int_equal(holder, child);
	/* However the holder ends, the lock ends with it. */
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(store_lock_take(&second, f->lock, &holder), 0);
	store_lock_free(second);
	close(go[0]);
	close(go[1]);
}

static void test_store_lock_within_one_process(void **state)
{
	struct fixture *f = *state;
	struct store_lock *first, *second;
	long holder;

	assert_int_equal(store_lock_take(&first, f->lock, &holder), 0);
	assert_int_equal(
		store_lock_take(&second, f->lock, &holder), P2P_ERR_BUSY);
	assert_int_equal(holder, getpid());
	store_lock_free(first);
	assert_int_equal(store_lock_take(&second, f->lock, &holder), 0);
	store_lock_free(second);
	assert_int_equal(store_lock_take(&first, "/nonexistent/lock", &holder),
		P2P_ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_store_keeps_what_was_committed),
		STORY(test_store_files_are_private),
		STORY(test_store_keeps_a_line_once),
		STORY(test_store_keeps_a_local_line_once),
		STORY(test_store_pages_backwards_in_order),
		STORY(test_store_page_orders_one_moment_by_id),
		STORY(test_store_pages_leave_out_the_ignored),
		STORY(test_store_counts_unread_and_mentions),
		STORY(test_store_waiting_lines_until_handed),
		STORY(test_store_page_is_bounded_in_bytes),
		STORY(test_store_arrivals_in_order_of_arrival),
		STORY(test_store_room_comes_back_as_it_was),
		STORY(test_store_person_is_one_per_peer),
		STORY(test_store_knows_who_is_first_of_a_look),
		STORY(test_store_addresses_are_capped),
		STORY(test_store_records_are_capped_and_the_newest),
		STORY(test_store_forgets_what_is_stale),
		STORY(test_store_settings),
		STORY(test_store_settings_of_sqlite_are_hardened),
		STORY(test_store_is_durable_by_its_settings),
		STORY(test_store_reads_messages_by_index_only),
		STORY(test_store_statements_all_prepare),
		STORY(test_store_in_memory_crashes_back_to_its_commit),
		STORY(test_store_lock_names_its_holder),
		STORY(test_store_lock_within_one_process),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
