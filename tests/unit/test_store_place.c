/*
 * The store's files while it is open: what is moved away or removed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "store/store_internal.h"
#include "tests/unit/store_lab.h"

static void test_store_that_was_moved_keeps_nothing(void **state)
{
	struct fixture *f = *state;
	char away[128];
	int64_t room;

	(void)snprintf(away, sizeof(away), "%s.away", f->path);
	reopen(f);
	room = add_room(f->store, "lobby");
	insert(f->store, line(room, 1, 1));
	assert_int_equal(store_commit(f->store), 0);
	assert_int_equal(store_look_at_place(f->store), 0);
	assert_int_equal(rename(f->path, away), 0);
	assert_int_equal(store_look_at_place(f->store), P2P_ERR_MOVED);
	insert(f->store, line(room, 1, 2));
	assert_int_equal(store_commit(f->store), P2P_ERR_MOVED);
	assert_string_equal(
		store_error(f->store), "the database was moved or removed");
	store_rollback(f->store);
	assert_int_equal(page_count(f->store, room), 1);
	/* Back in its place all is well. */
	assert_int_equal(rename(away, f->path), 0);
	insert(f->store, line(room, 1, 3));
	assert_int_equal(store_commit(f->store), 0);
	reopen(f);
	assert_int_equal(page_count(f->store, room), 2);
}

static void test_store_knows_another_file_in_its_place(void **state)
{
	struct fixture *f = *state;
	char away[128];

	(void)snprintf(away, sizeof(away), "%s.away", f->path);
	reopen(f);
	assert_int_equal(rename(f->path, away), 0);
	sql_on_file(f->path, "CREATE TABLE other (x)");
	assert_int_equal(store_look_at_place(f->store), P2P_ERR_MOVED);
	assert_int_equal(rename(away, f->path), 0);
	assert_int_equal(store_look_at_place(f->store), 0);
}

static void test_store_in_memory_has_no_place(void **state)
{
	struct store *s;

	(void)state;
	assert_int_equal(store_open_memory(&s, bytes_of(NULL, 0), NULL), 0);
	assert_false(store_has_file(s));
	assert_int_equal(store_look_at_place(s), 0);
	store_close(s);
}

/* The files as a kill would leave them. */
static void copy_file(const char *from, const char *to)
{
	static uint8_t raw[1 << 20];
	FILE *in = fopen(from, "rbe"), *out = fopen(to, "wbe");
	size_t len;

	assert_non_null(in);
	assert_non_null(out);
	len = fread(raw, 1, sizeof(raw), in);
	assert_in_range(len, 1, sizeof(raw) - 1);
	assert_int_equal(fwrite(raw, 1, len, out), len);
	assert_int_equal(fclose(in), 0);
	assert_int_equal(fclose(out), 0);
}

static void test_store_saves_what_a_removed_log_held(void **state)
{
	struct fixture *f = *state;
	char log[128], copy[128], copy_log[140];
	struct store *again;
	int64_t room;

	(void)snprintf(log, sizeof(log), "%s-wal", f->path);
	(void)snprintf(copy, sizeof(copy), "%s.copy", f->path);
	(void)snprintf(copy_log, sizeof(copy_log), "%s-wal", copy);
	reopen(f);
	assert_true(store_has_file(f->store));
	room = add_room(f->store, "lobby");
	for (uint64_t i = 1; i <= 6; i++) {
		insert(f->store, line(room, 1, i));
		assert_int_equal(store_commit(f->store), 0);
		if (i == 2)
			assert_int_equal(unlink(log), 0);
	}
	assert_int_equal(access(log, F_OK), 0);
	copy_file(f->path, copy);
	copy_file(log, copy_log);
	assert_int_equal(store_open(&again, copy, NULL), 0);
	assert_int_equal(page_count(again, room), 6);
	store_close(again);
	(void)unlink(copy);
	(void)unlink(copy_log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_store_that_was_moved_keeps_nothing),
		STORY(test_store_knows_another_file_in_its_place),
		STORY(test_store_in_memory_has_no_place),
		STORY(test_store_saves_what_a_removed_log_held),
	};

	return cmocka_run_group_tests_name("store_place", tests, NULL, NULL);
}
