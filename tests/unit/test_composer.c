/* The line being typed: keys in, text out. */
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
	say_ready(w);
	say_room(w, LOBBY, "lobby", 0, 0);
	page_end(w, LOBBY, false);
	say_person(w, "mali", "c31e", ' ', 3);
	say_member(w, LOBBY, "mali", "c31e", true);
	say_person(w, "malcolm", "0001", ' ', 3);
	say_member(w, LOBBY, "malcolm", "0001", true);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_close(*state);
	free(*state);
	return 0;
}

static void test_enter_sends_and_empties(void **state)
{
	struct world *w = *state;

	type(w, "hello");
	press(w, UI_KEY_ENTER);
	assert_true(was_posted(w, CHAT_MSG_LINE, "hello"));
	assert_string_equal(typed(w), "");
	press(w, UI_KEY_ENTER); /* nothing typed, nothing sent */
	type(w, "   ");
	press(w, UI_KEY_ENTER);
	assert_false(was_posted(w, CHAT_MSG_LINE, NULL));
}

static void test_moving_and_cutting_as_readline_does(void **state)
{
	struct world *w = *state;

	type(w, "one two-three four");
	alt(w, 'b');
	ctrl(w, 'w');
	assert_string_equal(typed(w), "one four");
	ctrl(w, 'a');
	ctrl(w, 'y');
	assert_string_equal(typed(w), "two-three one four");
	alt(w, 'f');
	ctrl(w, 'k');
	assert_string_equal(typed(w), "two-three one");
	press_mod(w, UI_KEY_BACKSPACE, UI_MOD_ALT, 0);
	assert_string_equal(typed(w), "two-three ");
	press_mod(w, UI_KEY_BACKSPACE, UI_MOD_ALT, 0);
	assert_string_equal(typed(w), "two-");
	ctrl(w, 'b');
	ctrl(w, 't'); /* swaps o and - */
	assert_string_equal(typed(w), "tw-o");
	ctrl(w, 'u');
	assert_string_equal(typed(w), "");
	ctrl(w, 'y');
	ctrl(w, 'a');
	alt(w, 'd');
	assert_string_equal(typed(w), "-o");
	ctrl(w, 'f');
	ctrl(w, 'd');
	assert_string_equal(typed(w), "-");
}

static void test_undo_goes_back_in_steps(void **state)
{
	struct world *w = *state;

	type(w, "keep this");
	ctrl(w, 'u');
	assert_string_equal(typed(w), "");
	ctrl(w, '_');
	assert_string_equal(typed(w), "keep this");
	ctrl(w, '_');
	assert_string_equal(typed(w), "");
	ctrl(w, '_');
	assert_string_equal(typed(w), "");
}

static void test_backspace_takes_thai_marks_one_by_one(void **state)
{
	struct world *w = *state;

	/* NO NU, MAI THO, SARA AM */
	type(w, "\xe0\xb8\x99\xe0\xb9\x89\xe0\xb8\xb3");
	press(w, UI_KEY_BACKSPACE);
	assert_string_equal(typed(w), "\xe0\xb8\x99\xe0\xb9\x89");
	press(w, UI_KEY_BACKSPACE);
	assert_string_equal(typed(w), "\xe0\xb8\x99");
	press(w, UI_KEY_BACKSPACE);
	assert_string_equal(typed(w), "");
}

static void test_backspace_takes_an_emoji_whole(void **state)
{
	struct world *w = *state;

	/* A family: man, joiner, woman; then a thumb with a skin tone. */
	paste(w, "x\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9"
		 "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd");
	press(w, UI_KEY_BACKSPACE);
	assert_string_equal(
		typed(w), "x\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9");
	press(w, UI_KEY_BACKSPACE);
	assert_string_equal(typed(w), "x");
}

static void test_arrow_keys_step_over_clusters(void **state)
{
	struct world *w = *state;

	type(w, "\xe0\xb8\x97\xe0\xb8\xb5\xe0\xb9\x88z"); /* one, z */
	press(w, UI_KEY_LEFT);
	press(w, UI_KEY_LEFT);
	assert_int_equal(ui_edit(w->ui)->cursor, 0);
	press(w, UI_KEY_RIGHT);
	type(w, "-");
	assert_string_equal(typed(w), "\xe0\xb8\x97\xe0\xb8\xb5\xe0\xb9\x88-z");
}

static void test_paste_lands_in_the_editor_and_never_sends(void **state)
{
	struct world *w = *state;

	paste(w, "one\r\ntwo\rthree\n/quit\n");
	assert_string_equal(typed(w), "one\ntwo\nthree\n/quit\n");
	assert_false(was_posted(w, CHAT_MSG_LINE, NULL));
	press(w, UI_KEY_ENTER);
	assert_true(was_posted(w, CHAT_MSG_LINE, "one\ntwo\nthree\n/quit\n"));
}

static void test_paste_is_cleaned(void **state)
{
	struct world *w = *state;

	paste(w, "a\x1b[31mb\xff\xe2\x80\xae"
		 "c");
	assert_true(text_is_clean(TEXT_BLOCK, bytes_str(typed(w))));
	assert_null(strchr(typed(w), 0x1b));
	assert_null(strstr(typed(w), "\xe2\x80\xae"));
}

static void test_a_huge_paste_is_cut_with_a_word(void **state)
{
	struct world *w = *state;
	char *big = xcalloc(1, 3 * MSG_TEXT_BYTES_MAX);

	memset(big, 'a', 3 * MSG_TEXT_BYTES_MAX - 1);
	paste(w, big);
	free(big);
	assert_int_equal(strlen(typed(w)), MSG_TEXT_BYTES_MAX);
	assert_non_null(strstr(screen(w), "does not fit"));
}

static void test_newline_keys_keep_the_line_in_the_editor(void **state)
{
	struct world *w = *state;

	type(w, "a");
	press_mod(w, UI_KEY_ENTER, UI_MOD_ALT, 0);
	type(w, "b");
	ctrl(w, 'j');
	type(w, "c");
	assert_string_equal(typed(w), "a\nb\nc");
	press(w, UI_KEY_UP);
	type(w, "!");
	assert_string_equal(typed(w), "a\nb!\nc");
	press(w, UI_KEY_DOWN);
	type(w, "?");
	assert_string_equal(typed(w), "a\nb!\nc?");
}

static void test_history_keeps_the_draft(void **state)
{
	struct world *w = *state;

	type(w, "first");
	press(w, UI_KEY_ENTER);
	type(w, "second");
	press(w, UI_KEY_ENTER);
	type(w, "draft");
	press(w, UI_KEY_UP);
	assert_string_equal(typed(w), "second");
	press(w, UI_KEY_UP);
	press(w, UI_KEY_UP); /* no further */
	assert_string_equal(typed(w), "first");
	press(w, UI_KEY_DOWN);
	press(w, UI_KEY_DOWN);
	assert_string_equal(typed(w), "draft");
}

static void test_tab_completes_names_and_cycles(void **state)
{
	struct world *w = *state;

	type(w, "MAL");
	press(w, UI_KEY_TAB);
	assert_string_equal(typed(w), "malcolm: ");
	press(w, UI_KEY_TAB);
	assert_string_equal(typed(w), "mali: ");
	press(w, UI_KEY_TAB);
	assert_string_equal(typed(w), "MAL");
	press(w, UI_KEY_BACKTAB);
	assert_string_equal(typed(w), "mali: ");
	type(w, "see ma");
	press(w, UI_KEY_TAB);
	assert_string_equal(typed(w), "mali: see malcolm ");
}

static void test_tab_completes_commands_rooms_and_people(void **state)
{
	struct world *w = *state;

	say_room(w, "kitchen", "kitchen", 0, 0);
	type(w, "/ig");
	press(w, UI_KEY_TAB);
	assert_string_equal(typed(w), "/ignore ");
	type(w, "mali");
	press(w, UI_KEY_TAB);
	assert_string_equal(typed(w), "/ignore mali ");
	ctrl(w, 'u');
	type(w, "/j kit");
	press(w, UI_KEY_TAB);
	assert_string_equal(typed(w), "/j kitchen ");
	ctrl(w, 'u');
	type(w, "/help hi");
	press(w, UI_KEY_TAB);
	assert_string_equal(typed(w), "/help history ");
	ctrl(w, 'u');
	type(w, "/name ma"); /* free text: nothing to complete */
	press(w, UI_KEY_TAB);
	assert_string_equal(typed(w), "/name ma");
}

static void test_drafts_stay_with_their_room(void **state)
{
	struct world *w = *state;

	say_room(w, "kitchen", "kitchen", 0, 0);
	type(w, "for the lobby");
	ctrl(w, 'n');
	assert_string_equal(typed(w), "");
	type(w, "for the kitchen");
	alt(w, '/');
	assert_string_equal(typed(w), "for the lobby");
	alt(w, '2');
	assert_string_equal(typed(w), "for the kitchen");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_enter_sends_and_empties),
		T(test_moving_and_cutting_as_readline_does),
		T(test_undo_goes_back_in_steps),
		T(test_backspace_takes_thai_marks_one_by_one),
		T(test_backspace_takes_an_emoji_whole),
		T(test_arrow_keys_step_over_clusters),
		T(test_paste_lands_in_the_editor_and_never_sends),
		T(test_paste_is_cleaned),
		T(test_a_huge_paste_is_cut_with_a_word),
		T(test_newline_keys_keep_the_line_in_the_editor),
		T(test_history_keeps_the_draft),
		T(test_tab_completes_names_and_cycles),
		T(test_tab_completes_commands_rooms_and_people),
		T(test_drafts_stay_with_their_room),
	};

	return cmocka_run_group_tests_name("composer", tests, NULL, NULL);
}
