/*
 * A database that is as it was before (decision 0029), told as stories: what
 * was shown and is gone is missed, and nothing else is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store_internal.h"
#include "tests/unit/store_lab.h"

static void test_shown_an_older_database_is_noticed(void **state)
{
	struct fixture *f = *state;
	const struct store_lost *lost;
	int64_t birds, bees;
	struct buf old;
	size_t count;

	reopen(f);
	birds = add_room(f->store, "birds");
	bees = add_room(f->store, "bees");
	lab_say(f, birds, 1, 8);
	lab_say(f, bees, 1, 4);
	lab_close(f);
	old = lab_file(f, "");
	reopen(f);
	lab_say(f, birds, 8, 10);
	lab_close(f);
	lab_put_file(f, "", buf_bytes(&old));
	reopen(f);
	lost = store_lost(f->store, &count);
	assert_int_equal(count, 1);
	assert_string_equal(lost[0].topic, "birds");
	assert_true(lost[0].some && lost[0].joined);
	assert_int_equal(lost[0].lines, 2);
	assert_int_equal(lost[0].seq, 10);
	/* Until the person knows, and not after. */
	reopen(f);
	assert_int_equal(lab_lost_count(f), 1);
	store_lost_said(f->store);
	reopen(f);
	assert_int_equal(lab_lost_count(f), 0);
	lab_say(f, birds, 20, 21);
	reopen(f);
	assert_int_equal(lab_lost_count(f), 0);
	buf_clear(&old);
}

static void test_shown_a_database_that_is_gone_is_noticed(void **state)
{
	struct fixture *f = *state;
	const struct store_lost *lost;
	size_t count;

	reopen(f);
	lab_say(f, add_room(f->store, "birds"), 1, 8);
	lab_close(f);
	lab_remove(f, "");
	reopen(f);
	lost = store_lost(f->store, &count);
	assert_int_equal(count, 1);
	assert_int_equal(lost[0].lines, 7);
}

/* A kill between the commit and the note; lines that went in that commit too.
 */
static void test_shown_an_older_note_says_nothing(void **state)
{
	struct fixture *f = *state;
	struct buf note;
	int64_t room;

	reopen(f);
	room = add_room(f->store, "birds");
	lab_say(f, room, 1, 8);
	note = lab_file(f, STORE_SHOWN_SUFFIX);
	assert_int_equal(store_delete_line(f->store, 7), 0);
	assert_int_equal(store_delete_line(f->store, 3), 0);
	assert_int_equal(store_commit(f->store), 0);
	lab_close(f);
	lab_put_file(f, STORE_SHOWN_SUFFIX, buf_bytes(&note));
	reopen(f);
	assert_int_equal(lab_lost_count(f), 0);
	/* And it is true again from now on. */
	lab_close(f);
	lab_remove(f, "");
	reopen(f);
	assert_int_equal(lab_lost_count(f), 1);
	assert_int_equal(store_lost(f->store, &(size_t){0})[0].lines, 5);
	buf_clear(&note);
}

static void test_shown_a_turn_that_is_undone_is_not_noted(void **state)
{
	struct store_room other = {.topic = "birds", .joined = true};
	struct fixture *f = *state;
	int64_t room;

	reopen(f);
	room = add_room(f->store, "birds");
	lab_say(f, room, 1, 8);
	assert_true(insert(f->store, line(room, 1, 50)));
	add_room(f->store, "never");
	other.id = room;
	other.seq = 99;
	assert_int_equal(store_put_room(f->store, &other), 0);
	store_rollback(f->store);
	assert_true(insert(f->store, line(room, 1, 7777)));
	assert_int_equal(store_commit(f->store), 0);
	lab_close(f);
	lab_remove(f, "");
	reopen(f);
	assert_int_equal(lab_lost_count(f), 1);
	assert_int_equal(store_lost(f->store, &(size_t){0})[0].lines, 8);
	assert_int_equal(store_lost(f->store, &(size_t){0})[0].seq, 8);
}

/* Whatever stands where the note should: nothing is said and it opens. */
static void open_with_note(struct fixture *f)
{
	reopen(f);
	assert_int_equal(lab_lost_count(f), 0);
	lab_say(f, 1, 100 + (uint64_t)page_count(f->store, 1),
		101 + (uint64_t)page_count(f->store, 1));
	lab_close(f);
}

static void test_shown_a_note_of_anything_stops_nothing(void **state)
{
	struct fixture *f = *state;
	char *note = lab_beside(f, STORE_SHOWN_SUFFIX);
	char *target = lab_beside(f, "-target");
	struct buf good;

	reopen(f);
	lab_say(f, add_room(f->store, "birds"), 1, 8);
	lab_close(f);
	good = lab_file(f, STORE_SHOWN_SUFFIX);
	for (size_t bit = 0; bit < 8 * good.len; bit += 7) {
		good.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		lab_put_file(f, STORE_SHOWN_SUFFIX, buf_bytes(&good));
		good.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		reopen(f);
		assert_int_equal(lab_lost_count(f), 0);
		lab_close(f);
	}
	lab_put_file(f, STORE_SHOWN_SUFFIX, bytes_of(good.data, 100));
	open_with_note(f);
	lab_put_file(f, STORE_SHOWN_SUFFIX, bytes_str("anything"));
	open_with_note(f);
	assert_int_equal(unlink(note), 0);
	open_with_note(f);
	assert_int_equal(unlink(note), 0);
	assert_int_equal(mkfifo(note, 0600), 0);
	open_with_note(f);
	assert_int_equal(unlink(note), 0);
	assert_int_equal(mkdir(note, 0700), 0);
	open_with_note(f);
	assert_int_equal(rmdir(note), 0);
	/* A link is not written through. */
	lab_put_file(f, "-target", bytes_str("mine"));
	assert_int_equal(symlink(target, note), 0);
	open_with_note(f);
	buf_clear(&good);
	good = lab_file(f, "-target");
	assert_true(bytes_equal(buf_bytes(&good), bytes_str("mine")));
	assert_int_equal(unlink(note), 0);
	buf_clear(&good);
	free(note);
	free(target);
}

/* A bit of the note makes no other loss of it. */
static void test_shown_a_damaged_note_says_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct buf note;

	reopen(f);
	lab_say(f, add_room(f->store, "birds"), 1, 8);
	lab_close(f);
	note = lab_file(f, STORE_SHOWN_SUFFIX);
	lab_remove(f, "");
	for (size_t bit = 0; bit < 8 * note.len; bit += 5) {
		note.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		lab_put_file(f, STORE_SHOWN_SUFFIX, buf_bytes(&note));
		note.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (f->store == NULL)
			reopen(f);
		store_shown_close(f->store);
		f->store->shown = (struct store_shown){.fd = -1};
		assert_int_equal(store_shown_open(f->store), 0);
		assert_int_equal(lab_lost_count(f), 0);
	}
	buf_clear(&note);
}

/* Our own count is damaged: the note knows better. */
static void test_shown_counts_where_the_database_cannot(void **state)
{
	struct fixture *f = *state;
	int64_t room;

	reopen(f);
	room = add_room(f->store, "birds");
	lab_say(f, room, 1, 8);
	assert_int_equal(store_exec(f->store, "UPDATE sums SET lines = 9"), 0);
	reopen(f);
	assert_int_equal(lab_lost_count(f), 0);
	assert_false(store_damage(f->store)->uncounted);
	assert_int_equal(store_exec(f->store, "UPDATE sums SET lines = 9;"
					      "DELETE FROM messages WHERE"
					      " row IN (2, 3)"),
		0);
	reopen(f);
	assert_int_equal(lab_lost_count(f), 1);
	assert_int_equal(store_lost(f->store, &(size_t){0})[0].lines, 2);
	/* Without it nobody knows. */
	assert_int_equal(store_exec(f->store, "UPDATE sums SET lines = 9"), 0);
	lab_close(f);
	lab_remove(f, STORE_SHOWN_SUFFIX);
	reopen(f);
	assert_true(store_damage(f->store)->uncounted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_shown_an_older_database_is_noticed),
		STORY(test_shown_a_database_that_is_gone_is_noticed),
		STORY(test_shown_an_older_note_says_nothing),
		STORY(test_shown_a_turn_that_is_undone_is_not_noted),
		STORY(test_shown_a_note_of_anything_stops_nothing),
		STORY(test_shown_a_damaged_note_says_nothing_else),
		STORY(test_shown_counts_where_the_database_cannot),
	};

	return cmocka_run_group_tests_name("store_shown", tests, NULL, NULL);
}
