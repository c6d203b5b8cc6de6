/* Stories of strangers who say too much, and of those who do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/ui_world.h"
#include "ui/model/fold.h"

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	world_open(w, 24, 80);
	say_ready(w);
	say_room(w, LOBBY, "lobby", 0, 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	free(*state);
	return 0;
}

/* Who says it: friends have names with a capital letter. */
static struct ui_msg *said(
	struct world *w, const char *name, unsigned ms, const char *text)
{
	struct ui_msg *m = line_at(w, LOBBY, name, 0, text);

	m->line.time_ms = NOON_MS + ms;
	m->line.known = m->line.own || (name[0] >= 'A' && name[0] <= 'Z');
	snprintf(m->line.from, sizeof(m->line.from), "12D3%.40s", name);
	return m;
}

static void live(
	struct world *w, const char *name, unsigned ms, const char *text)
{
	say(w, said(w, name, ms, text));
}

static void paged(
	struct world *w, const char *name, unsigned ms, const char *text)
{
	struct ui_msg *m = said(w, name, ms, text);

	m->line.origin = UI_LINE_PAGE;
	say(w, m);
}

/* Different lines, so many ms apart. */
static void flood(struct world *w, const char *name, unsigned from_ms,
	unsigned count, unsigned step_ms)
{
	char text[64];

	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%s says %u", name, i);
		live(w, name, from_ms + i * step_ms, text);
	}
}

#define SEES(w, text) assert_non_null(strstr(screen(w), text))
#define MISSES(w, text) assert_null(strstr(screen(w), text))

static void open_lobby(struct world *w)
{
	page_end(w, LOBBY, false);
	live(w, "Mali", 0, "before it all");
}

static void test_more_than_three_a_second_of_one_stranger_fold(void **state)
{
	struct world *w = *state;

	open_lobby(w);
	flood(w, "eve", 1000, 15, 300);
	SEES(w, "eve says 14");
	MISSES(w, "lines by");
	live(w, "eve", 1000 + 4600, "one more");
	SEES(w, "-- 16 lines by eve (Alt-e opens)");
	MISSES(w, "eve says");
	SEES(w, "before it all");
	/* As many in a longer time do not. */
	flood(w, "tom", 100000, 16, 400);
	SEES(w, "tom says 15");
}

static void test_who_never_stops_folds_too(void **state)
{
	struct world *w = *state;

	open_lobby(w);
	flood(w, "eve", 1000, 20, 1100);
	SEES(w, "eve says 19");
	live(w, "eve", 1000 + 20 * 1100, "and on");
	SEES(w, "-- 21 lines by eve (Alt-e opens)");
}

static void test_a_long_line_counts_as_three(void **state)
{
	struct world *w = *state;
	char text[400];

	open_lobby(w);
	for (unsigned i = 0; i < 6; i++) {
		memset(text, 'x', sizeof(text) - 1);
		snprintf(text + 390, 10, " end %u", i);
		live(w, "eve", 1000 + i * 100, text);
		if (i == 4)
			SEES(w, "12:00  eve       xxx");
	}
	SEES(w, "-- 6 lines by eve (Alt-e opens)");
}

static void test_friends_and_regulars_are_never_folded(void **state)
{
	struct world *w = *state;

	open_lobby(w);
	flood(w, "Mali", 1000, 60, 10);
	SEES(w, "Mali says 59");
	SEES(w, "Mali says 45");
	MISSES(w, "lines by");
	flood(w, "you", 5000, 60, 10);
	SEES(w, "you says 45");
	MISSES(w, "lines by");
}

static void test_eight_who_drown_the_talk_leave_it_on_the_screen(void **state)
{
	struct world *w = *state;
	char name[8], text[32];

	open_lobby(w);
	for (unsigned i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "eve%u", i % 8);
		snprintf(text, sizeof(text), "spam %u", i);
		live(w, name, 1000 + i * 50, text);
		if (i % 100 == 50) {
			snprintf(text, sizeof(text), "honest %u.", i);
			live(w, "Mali", 1020 + i * 50, text);
		}
		if (i % 100 == 75) {
			snprintf(text, sizeof(text), "slow %u.", i);
			live(w, "bob", 1020 + i * 50, text);
		}
		if (i < 400)
			continue;
		snprintf(text, sizeof(text), "honest %u.",
			(i - 51) / 100 * 100 + 50);
		SEES(w, text);
		snprintf(text, sizeof(text), "slow %u.",
			(i - 76) / 100 * 100 + 75);
		SEES(w, text);
	}
	SEES(w, "lines by eve");
}

static void test_a_crowd_of_quiet_strangers_folds_when_it_is_one(void **state)
{
	struct world *w = *state;
	char name[12], text[32];

	open_lobby(w);
	for (unsigned i = 0; i < 51; i++) {
		snprintf(name, sizeof(name), "key%u", i);
		snprintf(text, sizeof(text), "said %u.", i);
		live(w, name, 1000 + i * 90, text);
		if (i == 49)
			SEES(w, "said 49.");
	}
	SEES(w, "-- 51 lines by key0, key1 and 49 others (Alt-e opens)");
	MISSES(w, "said");
}

static void test_in_a_crowd_the_talkative_fold_first(void **state)
{
	struct world *w = *state;
	char name[12], text[32];

	open_lobby(w);
	for (unsigned i = 0; i < 70; i++) {
		snprintf(name, sizeof(name), "key%u", i % 10);
		snprintf(text, sizeof(text), "said %u.", i);
		live(w, name, 1000 + i * 400, text);
	}
	live(w, "bob", 29000, "a word of mine");
	SEES(w, "a word of mine");
	MISSES(w, "said");
	SEES(w, "-- 70 lines by key0, key1");
}

static void test_lines_dated_ahead_fold_when_there_are_many(void **state)
{
	struct world *w = *state;
	struct ui_msg *m;
	char text[32];

	open_lobby(w);
	for (unsigned i = 0; i < 6; i++) {
		snprintf(text, sizeof(text), "from far %u.", i);
		m = said(w, "eve", 3600000 + i * 600000, text);
		m->line.clock_wrong = true;
		say(w, m);
		if (i == 4)
			SEES(w, "from far 4.");
	}
	MISSES(w, "from far");
	SEES(w, "-- 6 lines by eve");
}

static void test_equal_lines_are_one_row_with_a_count(void **state)
{
	struct world *w = *state;

	open_lobby(w);
	live(w, "eve", 10000, "spam");
	live(w, "eve", 20000, "spam");
	MISSES(w, "times");
	for (unsigned i = 2; i < 25; i++)
		live(w, "eve", 10000 + i * 10000, "spam");
	SEES(w, "-- 25 times by eve: spam");
	live(w, "eve", 300000, "spam!");
	SEES(w, "eve       spam!");
	/* Of one's own each has a mark to bear. */
	for (unsigned i = 0; i < 3; i++)
		live(w, "you", 400000 + i, "well");
	MISSES(w, "3 times");
	/* Of a friend nothing is hidden: short ones only. */
	for (unsigned i = 0; i < 3; i++)
		live(w, "Mali", 500000 + i, "lol");
	SEES(w, "-- 3 times by Mali: lol");
	for (unsigned i = 0; i < 3; i++)
		live(w, "Mali", 600000 + i, "a sentence of more than that");
	MISSES(w, "3 times by Mali: a sentence");
	/* Time passes between. */
	for (unsigned i = 0; i < 3; i++)
		live(w, "eve", 1000000 + i * FOLD_SAME_MS, "hello?");
	MISSES(w, "3 times by eve");
}

static void test_several_who_agree_are_heard(void **state)
{
	struct world *w = *state;
	static const char *const names[] = {"al", "bo", "cy", "di", "ed"};

	open_lobby(w);
	for (unsigned i = 0; i < 4; i++)
		live(w, names[i], 10000 + i * 1000, "yes");
	MISSES(w, "times");
	live(w, names[4], 14000, "yes");
	SEES(w, "-- 5 times by al, bo and 3 others: yes");
	for (unsigned i = 0; i < 5; i++)
		live(w, i % 2 ? "Mali" : "Tom", 30000 + i * 1000, "no");
	MISSES(w, "times by Tom");
}

static void test_history_folds_as_it_did_when_it_came(void **state)
{
	struct world *w = *state;
	struct world again;
	char text[32], before[4096];

	open_lobby(w);
	for (unsigned i = 0; i < 90; i++) {
		snprintf(text, sizeof(text), "spam %u", i);
		live(w, i % 2 ? "eve" : "mal", 1000 + i * 97, text);
		if (i % 30 == 20)
			live(w, "Mali", 1050 + i * 97, text);
		if (i % 5 == 0)
			(void)screen(w); /* reckoned on the way as well */
	}
	snprintf(before, sizeof(before), "%s", screen(w));
	assert_non_null(strstr(before, "lines by"));

	world_open(&again, 24, 80);
	say_ready(&again);
	say_room(&again, LOBBY, "lobby", 0, 0);
	/* The newest first, then what is older. */
	for (int part = 1; part >= 0; part--) {
		again.lines = 0;
		for (unsigned i = 0; i < w->ui->current->win.count; i++) {
			const struct line *l = w->ui->current->win.lines[i];

			again.lines = l->key.id[31] - 1u;
			if ((int)(i >= 30) == part)
				paged(&again, l->name,
					(unsigned)(l->key.time_ms - NOON_MS),
					l->text);
		}
		page_end(&again, LOBBY, part == 1);
	}
	assert_string_equal(screen(&again), before);
	world_close(&again);
}

static void test_a_scrolled_view_never_moves(void **state)
{
	struct world *w = *state;
	char before[4096], text[32];
	size_t same;

	page_end(w, LOBBY, false);
	for (unsigned i = 0; i < 60; i++) {
		snprintf(text, sizeof(text), "line %u.", i);
		live(w, i % 2 ? "Mali" : "bob", i * 10000, text);
	}
	press(w, UI_KEY_PGUP);
	snprintf(before, sizeof(before), "%s", screen(w));
	same = (size_t)(strstr(before, "-- older lines") - before) - 20;
	/* A flood at the end, among what is read, by a name that is wide; and
	 * among bob's lines enough to fold them. */
	for (unsigned i = 0; i < 100; i++) {
		unsigned ms = i % 2 ? 250000 + i : 900000 + i;

		snprintf(text, sizeof(text), "spam %u", i);
		live(w, i % 3 ? "bob" : "a-name-that-is-wide", ms, text);
		assert_memory_equal(screen(w), before, same);
	}
	SEES(w, "-- 100 newer below");
	press(w, UI_KEY_END);
	SEES(w, "lines by");
	assert_int_equal(w->ui->current->win.held, 0);
}

/* Older lines, of the same flood, do not fold what is being read. */
static void test_a_page_above_leaves_what_is_read(void **state)
{
	struct world *w = *state;
	char text[32];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(text, sizeof(text), "line %u.", i);
		paged(w, i < 10 ? "bob" : "Mali",
			i < 10 ? 10000 + i * 100 : i * 10000, text);
	}
	page_end(w, LOBBY, true);
	press_mod(w, UI_KEY_HOME, UI_MOD_ALT, 0);
	SEES(w, "line 5.");
	for (unsigned i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "older %u.", i);
		paged(w, "bob", 9000 + i * 100, text);
	}
	page_end(w, LOBBY, false);
	SEES(w, "line 5.");
	SEES(w, "-- 10 lines by bob");
	press(w, UI_KEY_PGDN);
	press(w, UI_KEY_PGUP);
	MISSES(w, "line 5.");
	SEES(w, "-- 20 lines by bob");
}

static void test_a_fold_opens_and_closes(void **state)
{
	struct world *w = *state;
	char before[4096];

	open_lobby(w);
	flood(w, "eve", 1000, 30, 10);
	live(w, "Mali", 9000, "behind it");
	snprintf(before, sizeof(before), "%s", screen(w));
	SEES(w, "-- 30 lines by eve (Alt-e opens)");
	alt(w, 'e');
	/* Its first line is seen, at the top. */
	SEES(w, "eve says 0\n");
	MISSES(w, "lines by");
	MISSES(w, "behind it");
	press(w, UI_KEY_PGDN);
	SEES(w, "eve says 29");
	press(w, UI_KEY_PGUP);
	alt(w, 'e');
	MISSES(w, "eve says");
	press(w, UI_KEY_END);
	/* What stays seen stays open. */
	assert_string_equal(strstr(screen(w), "lines by eve"),
		strstr(before, "lines by eve"));
	/* By the command, all on the screen. */
	say(w, ui_msg_new(UI_MSG_UNFOLD, LOBBY, NULL));
	SEES(w, "eve says 0\n");
	press(w, UI_KEY_END);
	flood(w, "eve", 10000, 30, 10);
	SEES(w, "lines by eve");
	SEES(w, "behind it");
}

static void test_a_fold_in_the_last_row_opens(void **state)
{
	struct world *w = *state;

	open_lobby(w);
	flood(w, "Mali", 1000, 40, 10000);
	for (unsigned i = 0; i < 3; i++)
		live(w, "Tom", 600000 + i, "lol");
	SEES(w, "-- 3 times by Tom: lol");
	alt(w, 'e');
	MISSES(w, "3 times");
	SEES(w, "Tom       lol");
	alt(w, 'e');
	SEES(w, "-- 3 times by Tom: lol");
}

static void test_where_nothing_is_folded_it_says_so(void **state)
{
	struct world *w = *state;

	open_lobby(w);
	alt(w, 'e');
	SEES(w, "nothing is folded on this screen");
}

/* 60 kB: of a stranger a quarter of the pane, of a friend a screenful. */
static void test_a_line_of_thousands_of_rows_folds_and_opens(void **state)
{
	struct world *w = *state;
	char *text = xcalloc(1, 60001);
	struct chat_ui_msg *ask;
	struct ui_msg *m;
	size_t top;

	for (unsigned i = 0; i < 30000; i++)
		memcpy(text + i * 2, i == 29999 ? "E\n" : "x\n", 2);
	open_lobby(w);
	m = said(w, "eve", 1000, text);
	say(w, m);
	live(w, "Mali", 2000, "not drowned");
	SEES(w, "before it all");
	SEES(w, "not drowned");
	SEES(w, "-- 59 kB more (Alt-e opens)");
	/* What is kept of it is little. */
	assert_true(w->ui->current->win.bytes < 4096);
	while (was_posted(w, CHAT_MSG_PAGE, NULL))
		;
	alt(w, 'e');
	ask = posted(w, CHAT_MSG_PAGE);
	assert_non_null(ask);
	assert_int_equal(ask->count, 1);
	assert_int_equal(ask->time_ms, NOON_MS + 1000);
	msg_free(&ask->msg);
	w->lines--;
	w->lines--;
	paged(w, "eve", 1000, text);
	page_end(w, LOBBY, true);
	top = w->ui->current->win.count;
	assert_true(w->ui->current->at_oldest);
	press(w, UI_KEY_END);
	SEES(w, "E\n");
	assert_int_equal(w->ui->current->win.count, top);
	w->lines += 10;
	live(w, "Mali", 3000, text);
	press(w, UI_KEY_END);
	SEES(w, "-- 59 kB more (Alt-e opens)");
	MISSES(w, "before it all");
	free(text);
}

static void test_only_known_leaves_strangers_out(void **state)
{
	struct world *w = *state;
	struct ui_msg *m;

	open_lobby(w);
	live(w, "bob", 100, "of a stranger");
	SEES(w, "of a stranger");
	while (was_posted(w, CHAT_MSG_PAGE, NULL))
		;
	m = ui_msg_new(UI_MSG_ROOM, LOBBY, NULL);
	m->joined = true;
	m->only_known = true;
	say(w, m);
	SEES(w, "strangers left out (/only all)");
	assert_true(was_posted(w, CHAT_MSG_PAGE, NULL));
	w->lines = 0;
	paged(w, "Mali", 0, "before it all");
	page_end(w, LOBBY, false);
	live(w, "bob", 200, "of a stranger again");
	live(w, "Mali", 300, "of a friend");
	SEES(w, "of a friend");
	MISSES(w, "of a stranger");
	ui_resize(w->ui, 12, 40);
	SEES(w, " #lobby 0 here, no strangers");
	/* A room in which strangers are shown says nothing. */
	m = ui_msg_new(UI_MSG_ROOM, LOBBY, NULL);
	m->joined = true;
	say(w, m);
	MISSES(w, "strangers");
	assert_true(was_posted(w, CHAT_MSG_PAGE, NULL));
}

/* Chat looks only so far back at a time. */
static void test_only_known_goes_on_where_chat_stopped(void **state)
{
	struct world *w = *state;
	struct chat_ui_msg *ask;
	struct ui_msg *m;

	page_end(w, LOBBY, false);
	m = ui_msg_new(UI_MSG_ROOM, LOBBY, NULL);
	m->joined = true;
	m->only_known = true;
	say(w, m);
	while (was_posted(w, CHAT_MSG_PAGE, NULL))
		;
	m = ui_msg_new(UI_MSG_PAGE_END, LOBBY, NULL);
	m->more = true;
	m->line.time_ms = NOON_MS + 77;
	say(w, m);
	/* Not by itself: that would go on for ever. */
	assert_false(was_posted(w, CHAT_MSG_PAGE, NULL));
	press(w, UI_KEY_PGUP);
	ask = posted(w, CHAT_MSG_PAGE);
	assert_non_null(ask);
	assert_int_equal(ask->time_ms, NOON_MS + 77);
	msg_free(&ask->msg);
}

static void test_who_becomes_a_friend_is_unfolded(void **state)
{
	struct world *w = *state;
	struct ui_msg *m;

	open_lobby(w);
	flood(w, "eve", 1000, 16, 10);
	SEES(w, "16 lines by eve");
	for (int known = 1; known >= 0; known--) {
		m = ui_msg_new(UI_MSG_PERSON, NULL, NULL);
		snprintf(m->person.peer, sizeof(m->person.peer), "12D3eve");
		m->person.known = known == 1;
		say(w, m);
		if (known == 1)
			SEES(w, "eve says 15");
		else
			SEES(w, "16 lines by eve");
	}
}

/* Who came and went within a fold is in it; a day and "new" end it. */
static void test_rules_end_a_fold_and_comings_do_not(void **state)
{
	struct world *w = *state;
	struct ui_msg *m;
	unsigned midnight = 12 * 3600 * 1000;

	page_end(w, LOBBY, false);
	flood(w, "eve", midnight - 1600, 32, 100);
	SEES(w, "-- 16 lines by eve");
	SEES(w, "Fri 21 Nov");
	m = said(w, "key", midnight + 50, "");
	m->line.type = UI_TYPE_JOIN;
	say(w, m);
	MISSES(w, "came");
	alt(w, '=');
	SEES(w, "key came");
}

static void test_the_window_stays_bounded_when_all_is_folded(void **state)
{
	struct world *w = *state;
	struct chat_ui_msg *ask;
	unsigned asked = 0;

	page_end(w, LOBBY, true);
	w->ui->current->load = ROOM_LOAD_DONE;
	flood(w, "eve", 1000, UI_WINDOW_LINES_MAX + 500, 5);
	SEES(w, "lines by eve");
	assert_int_equal(w->ui->current->win.count, UI_WINDOW_LINES_MAX);
	while ((ask = posted(w, CHAT_MSG_PAGE)) != NULL) {
		msg_free(&ask->msg);
		asked++;
	}
	/* A page that would push itself out is not asked for again and
	 * again. */
	w->ui->current->load = ROOM_LOAD_DONE;
	w->ui->current->page_empty = false;
	for (unsigned i = 0; i < 10; i++) {
		flood(w, "eve", 100000 + i, 1, 5);
		(void)screen(w);
	}
	assert_false(was_posted(w, CHAT_MSG_PAGE, NULL));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_more_than_three_a_second_of_one_stranger_fold),
		T(test_who_never_stops_folds_too),
		T(test_a_long_line_counts_as_three),
		T(test_friends_and_regulars_are_never_folded),
		T(test_eight_who_drown_the_talk_leave_it_on_the_screen),
		T(test_a_crowd_of_quiet_strangers_folds_when_it_is_one),
		T(test_in_a_crowd_the_talkative_fold_first),
		T(test_lines_dated_ahead_fold_when_there_are_many),
		T(test_equal_lines_are_one_row_with_a_count),
		T(test_several_who_agree_are_heard),
		T(test_history_folds_as_it_did_when_it_came),
		T(test_a_scrolled_view_never_moves),
		T(test_a_page_above_leaves_what_is_read),
		T(test_a_fold_opens_and_closes),
		T(test_a_fold_in_the_last_row_opens),
		T(test_where_nothing_is_folded_it_says_so),
		T(test_a_line_of_thousands_of_rows_folds_and_opens),
		T(test_only_known_leaves_strangers_out),
		T(test_only_known_goes_on_where_chat_stopped),
		T(test_who_becomes_a_friend_is_unfolded),
		T(test_rules_end_a_fold_and_comings_do_not),
		T(test_the_window_stays_bounded_when_all_is_folded),
	};

	return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
