/* Whole screens at the sizes of the layouts, compared as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/test_draw_screens.h"
#include "tests/unit/ui_world.h"

/* Every row's widths add up to the columns, the cursor is inside. */
static void check_grid(struct world *w)
{
	struct ui_canvas *c = &w->canvas;

	for (int row = 0; row < c->rows; row++) {
		int sum = 0;

		for (int col = 0; col < c->cols; col++)
			sum += canvas_at(c, row, col)->width;
		assert_int_equal(sum, c->cols);
	}
	assert_in_range(c->cursor_row, 0, c->rows - 1);
	assert_in_range(c->cursor_col, 0, c->cols - 1);
}

/* With PRINT_SCREENS set the screens are printed for test_draw_screens.h. */
static void expect_screen(struct world *w, const char *name, const char *want)
{
	const char *got = screen(w);

	check_grid(w);
	if (getenv("PRINT_SCREENS") != NULL)
		fprintf(stderr, "@%s\n%s", name, got);
	else
		assert_string_equal(got, want);
}
#define EXPECT(w, name) expect_screen(w, #name, name)

static void busy_lobby(struct world *w)
{
	struct ui_msg *m;

	say_ready(w);
	say_room(w, LOBBY, "lobby", 0, 0);
	say_room(w, "dev", "dev", 2, 2);
	say_room(w, "music", "music", 7, 0);
	page_line(w, LOBBY, "mali", 2, "morning! is the printer on?");
	page_line(w, LOBBY, "tom", 3,
		"yes, I moved it next to the window. You may have to power it "
		"off and on once.");
	page_line(w, LOBBY, "you", 5, "thanks, that works");
	m = line_at(w, LOBBY, "tom", 6, "who is this?");
	m->line.name_mark = '!';
	snprintf(m->line.tag, sizeof(m->line.tag), "77ab");
	say(w, m);
	page_line(w, LOBBY, "mali", 33,
		"this is all it says:\n| lp0: paper out, retry 3");
	page_end(w, LOBBY, false);
	say_person(w, "mali", "c31e", ' ', 412);
	say_person(w, "tom", "4b1d", ' ', 12345);
	say_person(w, "tom", "77ab", '!', 64000);
	say_person(w, "far", "0001", '?', 12345678);
	say_member(w, LOBBY, "mali", "c31e", true);
	say_member(w, LOBBY, "tom", "4b1d", true);
	say_member(w, LOBBY, "tom", "77ab", true);
	say_line(w, LOBBY, "you", 160, "bringing paper");
	type(w, "and ink");
}

static void test_first_run_at_80x24(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, 24, 80);
	say_ready(&w);
	say_room(&w, LOBBY, "lobby", 0, 0);
	page_end(&w, LOBBY, false);
	EXPECT(&w, first_80x24);
	world_close(&w);
}

static void test_busy_lobby_at_each_size(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, 24, 80);
	busy_lobby(&w);
	EXPECT(&w, busy_80x24);
	ui_resize(w.ui, 40, 120);
	EXPECT(&w, busy_120x40);
	ui_resize(w.ui, 12, 40);
	EXPECT(&w, busy_40x12);
	ui_resize(w.ui, 6, 20);
	EXPECT(&w, busy_20x6);
	ui_resize(w.ui, 3, 10);
	EXPECT(&w, busy_10x3);
	ui_resize(w.ui, 2, 9);
	EXPECT(&w, busy_9x2);
	world_close(&w);
}

static void test_every_size_is_drawn_whole(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, 24, 80);
	busy_lobby(&w);
	paste(&w, "\nmore\nlines\nthan\nfit\nhere");
	for (int rows = 1; rows < 60; rows += 3) {
		for (int cols = 1; cols < 140; cols += 3) {
			ui_resize(w.ui, rows, cols);
			(void)screen(&w);
			check_grid(&w);
		}
	}
	world_close(&w);
}

static void test_a_width_is_left_only_two_columns_later(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, 24, 110);
	assert_int_equal(w.ui->layout.kind, LAYOUT_THREE);
	ui_resize(w.ui, 24, 108);
	assert_int_equal(w.ui->layout.kind, LAYOUT_THREE);
	ui_resize(w.ui, 24, 107);
	assert_int_equal(w.ui->layout.kind, LAYOUT_ONE);
	ui_resize(w.ui, 24, 109);
	assert_int_equal(w.ui->layout.kind, LAYOUT_ONE);
	ui_resize(w.ui, 24, 62);
	assert_int_equal(w.ui->layout.kind, LAYOUT_ONE);
	ui_resize(w.ui, 24, 61);
	assert_int_equal(w.ui->layout.kind, LAYOUT_NARROW);
	ui_resize(w.ui, 24, 63);
	assert_int_equal(w.ui->layout.kind, LAYOUT_NARROW);
	ui_resize(w.ui, 7, 63);
	assert_int_equal(w.ui->layout.kind, LAYOUT_TINY);
	world_close(&w);
}

static void test_scripts_of_all_widths_line_up(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, 12, 64);
	say_ready(&w);
	say_room(&w, LOBBY, "lobby", 0, 0);
	/* Thai with marks, CJK, a combining acute, a flag, a family. */
	page_line(&w, LOBBY, "nok", 1,
		"\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1\xe0\xb8\xaa\xe0\xb8\x94"
		"\xe0\xb8\xb5|");
	page_line(&w, LOBBY, "wei", 2, "\xe4\xbd\xa0\xe5\xa5\xbd|");
	page_line(&w, LOBBY, "zoe", 3, "e\xcc\x81|");
	page_line(&w, LOBBY, "kit", 4,
		"\xf0\x9f\x91\x8d\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9"
		"\xe2\x80\x8d\xf0\x9f\x91\xa7|");
	page_end(&w, LOBBY, false);
	type(&w, "\xe0\xb8\x97\xe0\xb8\xb5\xe0\xb9\x88\xe4\xbd\xa0");
	EXPECT(&w, scripts_64x12);
	/* The prompt is 9 columns, the Thai cluster 1, the CJK one 2. */
	assert_int_equal(w.canvas.cursor_col, 9 + 1 + 2);
	/* The bar after each text stands at text column + its width. */
	assert_string_equal(canvas_at(&w.canvas, 6, 35 + 4)->text, "|");
	world_close(&w);
}

static void test_wide_clusters_never_hang_over_an_edge(void **state)
{
	struct ui_canvas c;

	(void)state;
	canvas_init(&c);
	canvas_resize(&c, 1, 5);
	assert_int_equal(
		canvas_put(&c, (struct canvas_place){0, 0, 5},
			bytes_str("\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0"),
			STYLE_TEXT),
		4);
	/* Half of one overwritten: the other half becomes a space. */
	canvas_puts(&c, (struct canvas_place){0, 1, 1}, "x", STYLE_TEXT);
	assert_string_equal(canvas_at(&c, 0, 0)->text, " ");
	assert_int_equal(canvas_at(&c, 0, 0)->width, 1);
	assert_string_equal(canvas_at(&c, 0, 1)->text, "x");
	canvas_clear(&c);
}

static void test_control_characters_never_reach_a_cell(void **state)
{
	struct world w;
	const char *shown;

	(void)state;
	world_open(&w, 24, 80);
	say_ready(&w);
	page_end(&w, LOBBY, false);
	/* The chat thread cleans; the canvas does not rely on it. */
	say_line(&w, LOBBY, "x", 1, "a\x1b[2Jb\x07");
	shown = screen(&w);
	assert_null(strchr(shown, 0x1b));
	assert_null(strchr(shown, 0x07));
	world_close(&w);
}

static void test_overlays_open_and_close_when_narrow(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, 12, 40);
	busy_lobby(&w);
	press(&w, UI_KEY_F7);
	EXPECT(&w, rooms_40x12);
	press(&w, UI_KEY_F8);
	EXPECT(&w, people_40x12);
	press(&w, UI_KEY_ESC);
	assert_null(strstr(screen(&w), " HERE"));
	world_close(&w);
}

static void test_names_widen_their_column_within_bounds(void **state)
{
	struct world w;
	struct ui_msg *m;

	(void)state;
	world_open(&w, 24, 80);
	say_ready(&w);
	say_room(&w, LOBBY, "lobby", 0, 0);
	page_end(&w, LOBBY, false);
	say_line(&w, LOBBY, "mali", 1, "short");
	assert_non_null(strstr(screen(&w), "12:01  mali      short\n"));
	m = line_at(&w, LOBBY, "mali", 2, "tagged");
	m->line.name_mark = '?';
	snprintf(m->line.tag, sizeof(m->line.tag), "8wL4Nn");
	say(&w, m);
	assert_non_null(strstr(screen(&w), "12:02 ?mali~8wL4Nn  tagged\n"));
	assert_non_null(strstr(screen(&w), "12:01  mali         short\n"));
	/* A name as long as can be leaves most of the pane to the text, and
	 * the tag to itself. */
	m = line_at(&w, LOBBY, "a-name-of-more-columns-than-fit", 3, "long");
	m->line.name_mark = '!';
	snprintf(m->line.tag, sizeof(m->line.tag), "77abcd");
	say(&w, m);
	assert_non_null(strstr(screen(&w), "12:03 !a-name-~~~77abcd  long\n"));
	check_grid(&w);
	world_close(&w);
}

/* A name that is cut says so, and is nobody else's. */
static void test_cut_names_differ_from_all_others(void **state)
{
	struct world w;
	char name[40], tag[8];
	struct ui_msg *m;

	(void)state;
	world_open(&w, 24, 80);
	say_ready(&w);
	say_room(&w, LOBBY, "lobby", 0, 0);
	page_end(&w, LOBBY, false);
	say_line(&w, LOBBY, "a-name-that-fits", 1, "fits");
	for (unsigned i = 1; i <= 3; i++) {
		snprintf(name, sizeof(name), "a-name-of-18-columns-%u", i);
		snprintf(tag, sizeof(tag), "8wL4N%u", i);
		m = line_at(&w, LOBBY, name, 1 + i, "cut");
		snprintf(m->line.tag, sizeof(m->line.tag), "%s", tag);
		say(&w, m);
		say_person(&w, name, tag, ' ', 1000000);
		say_member(&w, LOBBY, name, tag, true);
	}

	assert_non_null(strstr(screen(&w), "12:01  a-name-that-fits  fits\n"));
	assert_non_null(strstr(screen(&w), "12:02  a-name-of-~~L4N1  cut\n"));
	assert_non_null(strstr(screen(&w), "12:04  a-name-of-~~L4N3  cut\n"));
	/* The pane is narrower; how far it is gives way to who it is. */
	assert_non_null(strstr(screen(&w), "\n a-name-of-~~L4N1|"));
	assert_non_null(strstr(screen(&w), "\n a-name-of-~~L4N3|"));
	ui_resize(w.ui, 24, 130);
	check_grid(&w);
	world_close(&w);
}

static void test_words_of_the_program_keep_two_columns(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, 24, 80);
	say_ready(&w);
	say_room(&w, LOBBY, "lobby", 0, 0);
	page_end(&w, LOBBY, false);
	say(&w, ui_msg_new(UI_MSG_NOTICE, LOBBY,
			"name      amber\n"
			"about     a text that is longer than the columns that "
			"are left for it\n"
			"one column, which is wrapped to where the words of "
			"the program begin"));
	assert_non_null(strstr(screen(&w), "14:35 -- name      amber\n"));
	assert_non_null(strstr(screen(&w), "|         about     a text that is "
					   "longer than the columns that\n"));
	assert_non_null(
		strstr(screen(&w), "|                   are left for it\n"));
	assert_non_null(strstr(screen(&w), "|         the program begin\n"));
	/* Too narrow for two columns: wrapped as any text. */
	ui_resize(w.ui, 24, 40);
	assert_non_null(strstr(screen(&w), "\n   about     a text"));
	ui_resize(w.ui, 24, 34);
	assert_non_null(strstr(screen(&w), "\n   than the columns that"));
	check_grid(&w);
	world_close(&w);
}

static void test_who_came_is_called_by_the_name_known_since(void **state)
{
	struct world w;
	struct ui_msg *m;

	(void)state;
	world_open(&w, 24, 80);
	say_ready(&w);
	say_room(&w, LOBBY, "lobby", 0, 0);
	page_end(&w, LOBBY, false);
	m = ui_msg_new(UI_MSG_PERSON, NULL, NULL);
	snprintf(m->person.peer, sizeof(m->person.peer), "12D3mali8wL4Nn");
	snprintf(m->person.tag, sizeof(m->person.tag), "8wL4Nn");
	m->person.name_mark = '?';
	m->person.connected = true;
	say(&w, m);
	say_member(&w, LOBBY, "mali", "8wL4Nn", true);
	assert_non_null(strstr(screen(&w), "-- ..li8wL4Nn came\n"));
	assert_non_null(strstr(screen(&w), "\n?..li8wL4Nn "));
	say_person(&w, "mali", "8wL4Nn", '?', 0);
	assert_non_null(strstr(screen(&w), "-- mali~8wL4Nn came\n"));
	/* Who it is comes before how far away. */
	assert_non_null(strstr(screen(&w), "\n?mali~8wL4Nn"));
	assert_null(strstr(screen(&w), "0.1ms|"));
	world_close(&w);
}

/* Each row ends where the pane does, whatever the number. */
static void test_a_round_trip_has_a_column_of_its_own(void **state)
{
	static const struct {
		uint64_t us;
		const char *row;
	} all[] = {
		{UINT64_MAX, "\n?al~c31e         |"},
		{0, "\n?al~c31e    0.1ms|"},
		{449, "\n?al~c31e    0.4ms|"},
		{450, "\n?al~c31e    0.5ms|"},
		{9949, "\n?al~c31e    9.9ms|"},
		{9950, "\n?al~c31e     10ms|"},
		{999499, "\n?al~c31e    999ms|"},
		{999500, "\n?al~c31e     1.0s|"},
		{9949999, "\n?al~c31e     9.9s|"},
		{61000000, "\n?al~c31e      61s|"},
		{UINT64_MAX - 1, "\n?al~c31e     999s|"},
	};
	struct world w;

	(void)state;
	world_open(&w, 24, 80);
	say_ready(&w);
	say_room(&w, LOBBY, "lobby", 0, 0);
	for (size_t i = 0; i < P2P_ARRAY_LEN(all); i++) {
		say_person(&w, "al", "c31e", '?', all[i].us);
		if (strstr(screen(&w), all[i].row) == NULL)
			fail_msg("%s is not in:\n%s", all[i].row, screen(&w));
	}
	world_close(&w);
}

static void test_an_empty_room_says_so(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, 24, 80);
	say_ready(&w);
	say_room(&w, LOBBY, "lobby", 0, 0);
	page_end(&w, LOBBY, false);
	say_room(&w, "dev", "dev", 0, 0);
	say(&w, ui_msg_new(UI_MSG_FOCUS, "dev", NULL));
	assert_null(strstr(screen(&w), "Nothing was said"));
	page_end(&w, "dev", false);
	assert_non_null(strstr(screen(&w), "Nothing was said in #dev yet."));
	say_line(&w, "dev", "mali", 1, "hello");
	assert_null(strstr(screen(&w), "Nothing was said"));
	world_close(&w);
}

static void test_help_lists_every_key_and_command(void **state)
{
	struct world w;
	struct buf all;

	(void)state;
	world_open(&w, 24, 80);
	buf_init(&all, 1 << 20);
	press(&w, UI_KEY_F1);
	for (int i = 0; i < 6; i++) {
		(void)buf_append_str(&all, screen(&w));
		press(&w, UI_KEY_PGDN);
	}
	for (size_t i = 0; i < keymap_count; i++)
		assert_non_null(strstr(buf_cstr(&all), keymap_table[i].name));
	assert_non_null(strstr(buf_cstr(&all), "/unignore person"));
	/* The end is the end: one page up is seen at once. */
	press(&w, UI_KEY_PGUP);
	assert_null(strstr(screen(&w), "/quit"));
	ui_resize(w.ui, 6, 20);
	press(&w, UI_KEY_PGDN);
	check_grid(&w);
	type(&w, "q");
	assert_string_equal(typed(&w), "");
	ui_resize(w.ui, 24, 80);
	assert_null(strstr(screen(&w), "KEYS"));
	buf_clear(&all);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_run_at_80x24),
		cmocka_unit_test(test_busy_lobby_at_each_size),
		cmocka_unit_test(test_every_size_is_drawn_whole),
		cmocka_unit_test(test_a_width_is_left_only_two_columns_later),
		cmocka_unit_test(test_scripts_of_all_widths_line_up),
		cmocka_unit_test(test_wide_clusters_never_hang_over_an_edge),
		cmocka_unit_test(test_control_characters_never_reach_a_cell),
		cmocka_unit_test(test_overlays_open_and_close_when_narrow),
		cmocka_unit_test(test_names_widen_their_column_within_bounds),
		cmocka_unit_test(test_cut_names_differ_from_all_others),
		cmocka_unit_test(test_words_of_the_program_keep_two_columns),
		cmocka_unit_test(
			test_who_came_is_called_by_the_name_known_since),
		cmocka_unit_test(test_a_round_trip_has_a_column_of_its_own),
		cmocka_unit_test(test_an_empty_room_says_so),
		cmocka_unit_test(test_help_lists_every_key_and_command),
	};

	return cmocka_run_group_tests_name("draw", tests, NULL, NULL);
}
