/* Stories of rooms, lines and people, told by the chat thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/ui_world.h"

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	world_open(w, 24, 80);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	free(*state);
	return 0;
}

/* The lobby with so many lines on a page, "line 0" and on. */
static void open_lobby(struct world *w, unsigned count, bool more)
{
	char text[32];

	say_ready(w);
	say_room(w, LOBBY, "lobby", 0, 0);
	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "line %u.", i);
		page_line(w, LOBBY, "mali", i, text);
	}
	page_end(w, LOBBY, more);
}

/* The chat thread's answer to CHAT_MSG_PAGE. */
static void test_a_room_that_is_shown_asks_for_its_newest_page(void **state)
{
	struct world *w = *state;
	struct chat_ui_msg *m;

	say_ready(w);
	m = posted(w, CHAT_MSG_FOCUS);
	assert_non_null(m);
	assert_string_equal(m->room, LOBBY);
	msg_free(&m->msg);
	m = posted(w, CHAT_MSG_PAGE);
	assert_non_null(m);
	assert_true(m->time_ms == UINT64_MAX);
	msg_free(&m->msg);
}

static void test_page_and_live_lines_are_shown_once_in_order(void **state)
{
	struct world *w = *state;
	struct ui_msg *twice;

	open_lobby(w, 3, false);
	say_line(w, LOBBY, "tom", 9, "late");
	say_line(w, LOBBY, "tom", 1, "early"); /* sorts in */
	twice = line_at(w, LOBBY, "tom", 9, "late");
	twice->line.id[31] = 4; /* the id of "late" */
	say(w, twice);
	assert_int_equal(w->ui->current->win.count, 5);
	assert_string_equal(w->ui->current->win.lines[2]->text, "early");
	assert_string_equal(w->ui->current->win.lines[4]->text, "late");
}

static void test_what_is_seen_is_marked_read(void **state)
{
	struct world *w = *state;
	struct chat_ui_msg *m;

	open_lobby(w, 3, false);
	m = posted(w, CHAT_MSG_READ);
	assert_non_null(m);
	assert_int_equal(m->time_ms, NOON_MS + 2 * 60000);
	assert_int_equal(m->id[31], 3);
	msg_free(&m->msg);
	assert_false(was_posted(w, CHAT_MSG_READ, NULL));
}

static void test_arrivals_never_move_a_scrolled_view(void **state)
{
	struct world *w = *state;
	char before[4096];
	const char *after;
	size_t same;

	open_lobby(w, 100, false);
	press(w, UI_KEY_PGUP);
	snprintf(before, sizeof(before), "%s", screen(w));
	say_line(w, LOBBY, "tom", 200, "news");
	say_line(w, LOBBY, "tom", 201, "more news");
	after = screen(w);
	/* All above the hint is as it was. */
	same = (size_t)(strstr(before, "-- older lines") - before) - 20;
	assert_true(same > 500);
	assert_memory_equal(before, after, same);
	assert_non_null(strstr(after, "-- 2 newer below, End shows them --"));
	press(w, UI_KEY_END);
	assert_non_null(strstr(screen(w), "more news"));
	assert_null(strstr(screen(w), "newer below"));
}

static void test_resize_keeps_the_top_visible_line(void **state)
{
	struct world *w = *state;
	struct scroll_place top;
	const struct line *line;

	open_lobby(w, 200, false);
	press(w, UI_KEY_PGUP);
	press(w, UI_KEY_PGUP);
	top = scroll_top(w->ui);
	line = w->ui->current->win.lines[top.item - 1];
	for (int cols = 120; cols > 12; cols -= 9) {
		ui_resize(w->ui, 20, cols);
		top = scroll_top(w->ui);
		assert_ptr_equal(line, w->ui->current->win.lines[top.item - 1]);
	}
	ui_resize(w->ui, 24, 80);
	assert_non_null(strstr(screen(w), line->text));
}

static void test_pages_up_and_down_meet_again(void **state)
{
	struct world *w = *state;
	char end[4096];

	open_lobby(w, 100, false);
	snprintf(end, sizeof(end), "%s", screen(w));
	for (int i = 0; i < 3; i++)
		press(w, UI_KEY_PGUP);
	for (int i = 0; i < 3; i++)
		press(w, UI_KEY_PGDN);
	assert_string_equal(screen(w), end);
	assert_true(w->ui->current->view.follow);
}

static void test_going_up_asks_for_older_lines(void **state)
{
	struct world *w = *state;
	struct chat_ui_msg *m;

	w->lines = 500;
	say_ready(w);
	say_room(w, LOBBY, "lobby", 0, 0);
	for (unsigned i = 0; i < 60; i++)
		page_line(w, LOBBY, "mali", 100 + i, i % 2 ? "new" : "newer");
	page_end(w, LOBBY, true);
	while ((m = posted(w, CHAT_MSG_PAGE)) != NULL)
		msg_free(&m->msg);
	press_mod(w, UI_KEY_HOME, UI_MOD_ALT, 0);
	m = posted(w, CHAT_MSG_PAGE);
	assert_non_null(m);
	assert_int_equal(m->time_ms, NOON_MS + 100 * 60000);
	assert_int_equal(m->count, UI_PAGE_LINES);
	msg_free(&m->msg);
	page_line(w, LOBBY, "mali", 1, "the first of all");
	page_end(w, LOBBY, false);
	press_mod(w, UI_KEY_HOME, UI_MOD_ALT, 0);
	assert_non_null(strstr(screen(w), "Welcome"));
	press(w, UI_KEY_PGDN);
	press_mod(w, UI_KEY_END, UI_MOD_ALT, 0);
	assert_true(w->ui->current->view.follow);
}

static void test_the_window_is_bounded(void **state)
{
	struct world *w = *state;

	open_lobby(w, 100, false);
	for (unsigned i = 0; i < 3 * UI_WINDOW_LINES_MAX; i++)
		say_line(w, LOBBY, "tom", 200 + i, i % 2 ? "x" : "z");
	assert_int_equal(w->ui->current->win.count, UI_WINDOW_LINES_MAX);
	assert_false(w->ui->current->at_oldest);
	press(w, UI_KEY_PGUP);
	for (unsigned i = 0; i < 10; i++)
		say_line(w, LOBBY, "tom", 19000 + i, "y");
	assert_true(w->ui->current->win.count <= UI_WINDOW_LINES_MAX);
	assert_false(w->ui->current->at_newest);
	assert_int_equal(w->ui->current->view.newer, 10);
	while (was_posted(w, CHAT_MSG_PAGE, NULL))
		;
	/* The end was dropped: it is asked for when it is wanted. */
	press(w, UI_KEY_END);
	assert_true(was_posted(w, CHAT_MSG_PAGE, NULL));
	page_line(w, LOBBY, "tom", 19999, "the newest");
	page_end(w, LOBBY, true);
	assert_non_null(strstr(screen(w), "the newest"));
}

static void test_a_full_queue_keeps_the_line_in_the_input(void **state)
{
	struct world w;

	(void)state;
	world_open_with(&w, 24, 80, 2);
	say_ready(&w);
	assert_true(was_posted(&w, CHAT_MSG_PAGE, NULL));
	page_end(&w, LOBBY, false);
	type(&w, "one");
	press(&w, UI_KEY_ENTER);
	type(&w, "two");
	press(&w, UI_KEY_ENTER);
	type(&w, "three");
	press(&w, UI_KEY_ENTER);
	assert_string_equal(typed(&w), "three");
	assert_non_null(strstr(screen(&w), "busy: the line stays here"));
	assert_true(was_posted(&w, CHAT_MSG_LINE, "one"));
	assert_true(was_posted(&w, CHAT_MSG_LINE, "two"));
	press(&w, UI_KEY_ENTER);
	assert_true(was_posted(&w, CHAT_MSG_LINE, "three"));
	assert_string_equal(typed(&w), "");
	world_close(&w);
}

static void test_a_refused_focus_is_offered_again(void **state)
{
	struct world w;

	(void)state;
	world_open_with(&w, 24, 80, 1);
	say_ready(&w);
	assert_int_equal(ui_deadline(w.ui), w.clock.now_ms + UI_RETRY_MS);
	assert_true(was_posted(&w, CHAT_MSG_FOCUS, NULL));
	w.clock.now_ms += UI_RETRY_MS;
	ui_tick(w.ui, &w.clock);
	assert_true(was_posted(&w, CHAT_MSG_PAGE, NULL));
	world_close(&w);
}

static void test_unread_rooms_are_found_mentions_first(void **state)
{
	struct world *w = *state;

	open_lobby(w, 1, false);
	say_room(w, "music", "music", 7, 0);
	say_room(w, "dev", "dev", 3, 1);
	alt(w, 'a');
	assert_string_equal(w->ui->current->topic, "dev");
	alt(w, 'a');
	assert_string_equal(w->ui->current->topic, "music");
	alt(w, '/');
	assert_string_equal(w->ui->current->topic, "dev");
	ctrl(w, 'n');
	assert_string_equal(w->ui->current->topic, LOBBY);
	ctrl(w, 'p');
	assert_string_equal(w->ui->current->topic, "dev");
	alt(w, '1');
	assert_string_equal(w->ui->current->topic, LOBBY);
}

static void test_the_new_rule_stands_before_the_unread_lines(void **state)
{
	struct world *w = *state;
	const char *shown;

	open_lobby(w, 1, false);
	say_room(w, "dev", "dev", 2, 0);
	alt(w, '2');
	page_line(w, "dev", "tom", 1, "read before");
	page_line(w, "dev", "tom", 2, "unread one");
	page_line(w, "dev", "tom", 3, "unread two");
	page_end(w, "dev", false);
	shown = screen(w);
	assert_true(strstr(shown, "read before") < strstr(shown, "- new -"));
	assert_true(strstr(shown, "- new -") < strstr(shown, "unread one"));
	alt(w, '1');
	alt(w, '2');
	assert_null(strstr(screen(w), "- new -"));
}

static void test_coming_and_going_is_folded_to_one_line(void **state)
{
	struct world *w = *state;

	open_lobby(w, 1, false);
	say_person(w, "tom", "0001", ' ', 3);
	say_person(w, "nok", "0002", ' ', 3);
	say_member(w, LOBBY, "tom", "0001", true);
	assert_non_null(strstr(screen(w), "tom came"));
	say_member(w, LOBBY, "tom", "0001", true); /* said twice */
	assert_non_null(strstr(screen(w), "tom came"));
	say_member(w, LOBBY, "nok", "0002", true);
	say_member(w, LOBBY, "tom", "0001", false);
	assert_non_null(
		strstr(screen(w), "2 people came, 1 left (Alt-= shows each)"));
	alt(w, '=');
	assert_non_null(strstr(screen(w), "nok came"));
	assert_non_null(strstr(screen(w), "tom left"));
}

/* Who has no name stands behind those who have one; a name that comes later
 * moves its line up, and is completed. */
static void test_a_name_that_comes_later_is_seen_everywhere(void **state)
{
	struct world *w = *state;
	struct ui_msg *m = ui_msg_new(UI_MSG_PERSON, NULL, NULL);
	const char *shown;

	open_lobby(w, 1, false);
	say_person(w, "tom", "0001", ' ', 3);
	say_person(w, "", "mali02", '?', 3);
	say_member(w, LOBBY, "tom", "0001", true);
	say_member(w, LOBBY, "", "mali02", true);
	shown = screen(w);
	assert_non_null(strstr(shown, "\n?..D3mali02"));
	assert_true(strstr(shown, "\n tom") < strstr(shown, "\n?..D3mali02"));
	snprintf(m->person.peer, sizeof(m->person.peer), "12D3mali02");
	snprintf(m->person.name, sizeof(m->person.name), "mali");
	snprintf(m->person.tag, sizeof(m->person.tag), "mali02");
	m->person.name_mark = '?';
	m->person.connected = true;
	say(w, m);
	shown = screen(w);
	assert_null(strstr(shown, "..D3mali02"));
	assert_true(strstr(shown, "\n?mali~mali02") < strstr(shown, "\n tom"));
	type(w, "ma");
	press(w, UI_KEY_TAB);
	assert_string_equal(typed(w), "mali: ");
}

static void say_ignored(struct world *w, const char *peer, bool ignored)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_PERSON, NULL, NULL);

	snprintf(m->person.peer, sizeof(m->person.peer), "%s", peer);
	m->person.ignored = ignored;
	say(w, m);
}

static struct ui_msg *line_from(
	struct world *w, const char *peer, unsigned minute, const char *text)
{
	struct ui_msg *m = line_at(w, LOBBY, "eve", minute, text);

	snprintf(m->line.from, sizeof(m->line.from), "%s", peer);
	return m;
}

static void test_ignoring_hides_the_lines_that_are_there(void **state)
{
	struct world *w = *state;
	struct ui_msg *m;
	char before[4096];

	open_lobby(w, 3, false);
	/* Hers is the first of its day; the day's rule moves on. */
	say(w, line_from(w, "12D3eve", 24 * 60, "spam one"));
	say(w, line_from(w, "12D3tom", 24 * 60 + 1, "of another eve"));
	say(w, line_from(w, "12D3eve", 24 * 60 + 2, "spam two"));
	snprintf(before, sizeof(before), "%s", screen(w));
	assert_non_null(strstr(before, "spam one"));
	assert_non_null(strstr(before, "Fri 21 Nov"));
	while (was_posted(w, CHAT_MSG_PAGE, NULL))
		;
	say_ignored(w, "12D3eve", true);
	assert_null(strstr(screen(w), "spam"));
	assert_non_null(strstr(screen(w), "of another eve"));
	assert_non_null(strstr(screen(w), "Fri 21 Nov"));
	assert_false(was_posted(w, CHAT_MSG_PAGE, NULL));
	/* Again with what she said meanwhile, which was not told. */
	say_ignored(w, "12D3eve", false);
	assert_string_equal(screen(w), before);
	assert_true(was_posted(w, CHAT_MSG_PAGE, NULL));
	m = line_from(w, "12D3eve", 24 * 60 + 1, "said meanwhile");
	m->line.origin = UI_LINE_PAGE;
	say(w, m);
	page_end(w, LOBBY, true);
	assert_non_null(strstr(screen(w), "said meanwhile"));
	assert_non_null(strstr(screen(w), "spam two"));
	/* What is older than the page may lack such lines. */
	assert_int_equal(w->ui->current->win.count, 2);
	assert_true(was_posted(w, CHAT_MSG_PAGE, NULL));
}

static void test_unignoring_keeps_the_words_of_the_program(void **state)
{
	struct world *w = *state;
	struct ui_msg *m;

	say_ready(w);
	say_room(w, LOBBY, "lobby", 0, 0);
	say(w, ui_msg_new(UI_MSG_NOTICE, LOBBY, "cannot listen"));
	page_end(w, LOBBY, false);
	say(w, line_from(w, "12D3eve", 24 * 60, "hello"));
	say_ignored(w, "12D3eve", true);
	say_ignored(w, "12D3eve", false);
	m = line_from(w, "12D3eve", 24 * 60, "hello");
	m->line.origin = UI_LINE_PAGE;
	m->line.id[31]--;
	say(w, m);
	page_end(w, LOBBY, false);
	assert_int_equal(w->ui->current->win.count, 2);
	assert_non_null(strstr(screen(w), "cannot listen"));
	assert_non_null(strstr(screen(w), "hello"));
}

static void test_own_marks_follow_the_state(void **state)
{
	struct world *w = *state;
	struct ui_msg *m;

	open_lobby(w, 0, false);
	say_line(w, LOBBY, "you", 1, "hello");
	assert_non_null(strstr(screen(w), "you     ? hello"));
	assert_non_null(strstr(screen(w), "1 waiting"));
	m = ui_msg_new(UI_MSG_STATE, LOBBY, NULL);
	m->line.id[0] = 1;
	m->line.id[31] = 1;
	m->line.state = UI_STATE_HANDED;
	say(w, m);
	assert_non_null(strstr(screen(w), "you     > hello"));
	assert_non_null(strstr(screen(w), "nothing waiting"));
}

static void test_clear_empties_until_older_lines_are_wanted(void **state)
{
	struct world *w = *state;

	open_lobby(w, 50, true);
	say(w, ui_msg_new(UI_MSG_CLEAR, LOBBY, NULL));
	assert_null(strstr(screen(w), "line "));
	while (was_posted(w, CHAT_MSG_PAGE, NULL))
		;
	say_line(w, LOBBY, "tom", 90, "after");
	assert_false(was_posted(w, CHAT_MSG_PAGE, NULL));
	press(w, UI_KEY_PGUP);
	assert_true(was_posted(w, CHAT_MSG_PAGE, NULL));
}

static void test_leaving_a_room_shows_the_one_before(void **state)
{
	struct world *w = *state;

	open_lobby(w, 1, false);
	say_room(w, "dev", "dev", 0, 0);
	alt(w, '2');
	say(w, ui_msg_new(UI_MSG_ROOM, "dev", NULL)); /* joined: false */
	assert_string_equal(w->ui->current->topic, LOBBY);
	say(w, ui_msg_new(UI_MSG_ROOM, LOBBY, NULL));
	assert_null(w->ui->current);
	assert_non_null(screen(w));
	type(w, "kept");
	press(w, UI_KEY_ENTER);
	assert_string_equal(typed(w), "kept");
}

static void test_reload_asks_for_everything_and_drops_the_gone(void **state)
{
	struct world *w = *state;

	open_lobby(w, 3, false);
	say_person(w, "tom", "0001", ' ', 3);
	say_member(w, LOBBY, "tom", "0001", true);
	say_person(w, "nok", "0002", ' ', 3);
	say_member(w, LOBBY, "nok", "0002", true);
	say(w, ui_msg_new(UI_MSG_RELOAD, NULL, NULL));
	assert_true(was_posted(w, CHAT_MSG_RELOAD, NULL));
	say_person(w, "tom", "0001", ' ', 3);
	say_member(w, LOBBY, "tom", "0001", true);
	assert_non_null(strstr(screen(w), "HERE 1"));
	page_line(w, LOBBY, "mali", 400, "told again");
	page_end(w, LOBBY, true);
	assert_non_null(strstr(screen(w), "told again"));
}

static void test_ctrl_c_clears_then_quits(void **state)
{
	struct world *w = *state;
	int status = -1;

	open_lobby(w, 1, false);
	type(w, "oops");
	ctrl(w, 'c');
	assert_string_equal(typed(w), "");
	ctrl(w, 'c');
	assert_non_null(strstr(screen(w), "C-c again to quit"));
	w->clock.now_ms += UI_QUIT_TWICE_MS + 1;
	ctrl(w, 'c'); /* too late: the first of two again */
	assert_false(was_posted(w, CHAT_MSG_QUIT, NULL));
	ctrl(w, 'c');
	assert_true(was_posted(w, CHAT_MSG_QUIT, NULL));
	assert_false(ui_wants_quit(w->ui, &status));
	say(w, ui_msg_new(UI_MSG_QUIT, NULL, NULL));
	assert_true(ui_wants_quit(w->ui, &status));
	assert_int_equal(status, 0);
}

static void test_ctrl_c_asks_when_lines_wait(void **state)
{
	struct world *w = *state;

	open_lobby(w, 0, false);
	say_line(w, LOBBY, "you", 1, "hello");
	ctrl(w, 'c');
	ctrl(w, 'c');
	assert_false(was_posted(w, CHAT_MSG_QUIT, NULL));
	assert_non_null(strstr(screen(w), "Quit? y/n"));
	type(w, "n");
	assert_string_equal(typed(w), "");
	assert_false(was_posted(w, CHAT_MSG_QUIT, NULL));
	ctrl(w, 'c');
	ctrl(w, 'c');
	type(w, "y");
	assert_true(was_posted(w, CHAT_MSG_QUIT, NULL));
}

static void test_notices_before_the_first_room_are_kept(void **state)
{
	struct world *w = *state;

	say(w, ui_msg_new(UI_MSG_NOTICE, NULL, "the port was taken"));
	type(w, "typed early");
	open_lobby(w, 0, false);
	assert_non_null(strstr(screen(w), "the port was taken"));
	assert_string_equal(typed(w), "typed early");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_room_that_is_shown_asks_for_its_newest_page),
		T(test_page_and_live_lines_are_shown_once_in_order),
		T(test_what_is_seen_is_marked_read),
		T(test_arrivals_never_move_a_scrolled_view),
		T(test_resize_keeps_the_top_visible_line),
		T(test_pages_up_and_down_meet_again),
		T(test_going_up_asks_for_older_lines),
		T(test_the_window_is_bounded),
		T(test_a_full_queue_keeps_the_line_in_the_input),
		T(test_a_refused_focus_is_offered_again),
		T(test_unread_rooms_are_found_mentions_first),
		T(test_the_new_rule_stands_before_the_unread_lines),
		T(test_coming_and_going_is_folded_to_one_line),
		T(test_a_name_that_comes_later_is_seen_everywhere),
		T(test_ignoring_hides_the_lines_that_are_there),
		T(test_unignoring_keeps_the_words_of_the_program),
		T(test_own_marks_follow_the_state),
		T(test_clear_empties_until_older_lines_are_wanted),
		T(test_leaving_a_room_shows_the_one_before),
		T(test_reload_asks_for_everything_and_drops_the_gone),
		T(test_ctrl_c_clears_then_quits),
		T(test_ctrl_c_asks_when_lines_wait),
		T(test_notices_before_the_first_room_are_kept),
	};

	return cmocka_run_group_tests_name("ui_model", tests, NULL, NULL);
}
