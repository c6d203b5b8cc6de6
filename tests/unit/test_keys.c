/* What terminals send, as keys and pastes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "ui/terminal/keys.h"

/* Events as text: "a", "C-a", "M-Up", "<pasted>", "U+FFFD" as its UTF-8. */
static void say(struct buf *out, const struct terminal_event *ev)
{
	static const char *const names[] = {"", "Enter", "Tab", "BackTab",
		"Backspace", "Delete", "Up", "Down", "Left", "Right", "Home",
		"End", "PgUp", "PgDn", "F1", "F7", "F8", "Esc", "Other"};

	if (out->len > 0)
		assert_int_equal(buf_append_u8(out, ' '), 0);
	if (ev->kind == TERMINAL_EVENT_PASTE) {
		assert_int_equal(buf_append_u8(out, '<'), 0);
		assert_int_equal(buf_append(out, ev->paste), 0);
		assert_int_equal(buf_append_u8(out, '>'), 0);
		return;
	}
	assert_int_equal(ev->kind, TERMINAL_EVENT_KEY);
	if ((ev->key.mods & UI_MOD_CTRL) != 0)
		assert_int_equal(buf_append_str(out, "C-"), 0);
	if ((ev->key.mods & UI_MOD_ALT) != 0)
		assert_int_equal(buf_append_str(out, "M-"), 0);
	if (ev->key.code == UI_KEY_CHAR)
		utf8_encode(out, ev->key.cp);
	else
		assert_int_equal(buf_append_str(out, names[ev->key.code]), 0);
}

static void feed(struct keys *k, struct bytes in, struct buf *out)
{
	struct terminal_event ev;

	while (keys_next(k, &in, &ev))
		say(out, &ev);
}

static void quiet(struct keys *k, struct buf *out)
{
	struct terminal_event ev;

	if (keys_patience_ms(k) != 0 && keys_quiet(k, &ev))
		say(out, &ev);
	assert_int_equal(keys_patience_ms(k), 0);
}

static void expect_bytes(struct bytes in, size_t step, const char *want)
{
	struct keys k;
	struct buf out;

	keys_init(&k);
	keys_learn(&k, "\033[11;9~", (struct ui_key){.code = UI_KEY_F1});
	buf_init(&out, 4096);
	for (; in.len > 0; in = bytes_skip(in, step))
		feed(&k, bytes_first(in, step), &out);
	quiet(&k, &out);
	assert_string_equal(buf_cstr(&out), want);
	buf_clear(&out);
	keys_clear(&k);
}

/* However the bytes are cut. */
static void expect(const char *in, const char *want)
{
	for (size_t step = 1; step <= strlen(in); step++)
		expect_bytes(bytes_str(in), step, want);
}

/* It gives nothing, and what is typed around it counts. */
static void expect_dropped(const char *in)
{
	char around[128];

	expect(in, "");
	(void)snprintf(around, sizeof(around), "a%sb", in);
	expect(around, "a b");
}

static void test_characters_are_typed(void **state)
{
	(void)state;
	expect("a\303\251\346\274\242\360\237\230\200",
		"a \303\251 \346\274\242 "
		"\360\237\230\200");
	expect("\r\t\177\b\003\037", "Enter Tab Backspace Backspace C-c C-_");
}

static void test_what_is_no_utf8_is_shown_as_such(void **state)
{
	(void)state;
	expect("J\366rg", "J \357\277\275 r g");
	expect("\303a\340\244b", "\357\277\275 a \357\277\275 b");
	/* Unfinished, then nothing. */
	expect("a\340\270", "a");
}

static void test_esc_alone_is_a_key(void **state)
{
	(void)state;
	expect("\033", "Esc");
	expect("\033\033", "Esc");
	expect("a\033", "a Esc");
}

static void test_esc_before_a_key_is_alt(void **state)
{
	(void)state;
	expect("\033a", "M-a");
	expect("\033\r", "M-Enter");
	expect("\033\177", "M-Backspace");
	expect("\033\303\251", "M-\303\251");
	expect("\033\033[A", "M-Up");
	expect("\033\033OA", "M-Up");
	expect("\033ab", "M-a b");
}

static void test_esc_then_later_a_letter_are_two_keys(void **state)
{
	struct keys k;
	struct buf out;

	(void)state;
	keys_init(&k);
	buf_init(&out, 64);
	feed(&k, bytes_str("\033"), &out);
	assert_int_equal(keys_patience_ms(&k), KEYS_ESCAPE_MS);
	quiet(&k, &out);
	feed(&k, bytes_str("a"), &out);
	assert_string_equal(buf_cstr(&out), "Esc a");
	buf_clear(&out);
	keys_clear(&k);
}

static void test_keys_of_xterm_rxvt_and_the_console(void **state)
{
	(void)state;
	expect("\033[A\033OB\033[C\033OD", "Up Down Right Left");
	expect("\033[H\033OF\033[1~\033[4~\033[7~\033[8~",
		"Home End Home End Home End");
	expect("\033[3~\033[5~\033[6~\033[Z", "Delete PgUp PgDn BackTab");
	expect("\033OP\033[11~\033[[A\033[18~\033[19~", "F1 F1 F1 F7 F8");
	expect("\033[1;3A\033[1;5C\033[1;7H", "M-Up C-Right C-M-Home");
	expect("\033[1;133A\033[3;3~", "C-Up M-Delete");
	expect("\033Oa\033[5^", "C-Up C-PgUp");
	expect("\033OM\033Op\033Oy\033Ok", "Enter 0 9 +");
}

static void test_a_terminals_own_keys_are_learned(void **state)
{
	(void)state;
	expect("\033[11;9~", "F1");
}

static void test_keys_without_a_name_are_dropped(void **state)
{
	(void)state;
	expect_dropped("\033[25~");
	expect_dropped("\033[2~");
	expect_dropped("\033[1;2A");
	expect_dropped("\033[1;10B");
	expect_dropped("\033[7$");
	expect_dropped("\033[[E");
	expect_dropped("\033OR");
	expect_dropped("\033O5R");
	expect_dropped("\033[99999999999999999999~");
	expect_dropped("\033[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1A");
}

static void test_reports_and_answers_are_dropped(void **state)
{
	(void)state;
	expect_dropped("\033[I");
	expect_dropped("\033[O");
	expect_dropped("\033[<0;10;10M");
	expect_dropped("\033[<0;10;10m");
	expect_dropped("\033[32;10;10M");
	expect_dropped("\033[M !!");
	expect_dropped("\033[M \377\033");
	expect_dropped("\033[?62;22c");
	expect_dropped("\033[>41;354;0c");
	expect_dropped("\033[24;80R");
	expect_dropped("\033[?2026;2$y");
	expect_dropped("\033[4;2$y");
	expect_dropped("\033[?997;1n");
	expect_dropped("\033]11;rgb:0000/0000/0000\033\\");
	expect_dropped("\033]11;rgb:0000/0000/0000\a");
	expect_dropped("\033]52;c;4pyT\342\234\223\302\234");
	expect_dropped("\033P>|xterm(390)\033\\");
	expect_dropped("\033_Gi=31;OK\033\\");
	expect_dropped("\033^private\033\\");
	expect_dropped("\033Xstart of string\033\\");
}

static void test_c1_characters_begin_sequences(void **state)
{
	(void)state;
	expect("a\302\23331mb", "a b");
	expect("a\302\233Ab", "a Up b");
	expect("a\302\235"
	       "0;title\302\234b",
		"a b");
	expect("a\302\205b", "a b");
}

static void test_key_reports_are_keys_but_never_text(void **state)
{
	(void)state;
	expect("\033[97;5u\033[99;5u", "C-a C-c");
	expect("\033[27;5;99~", "C-c");
	expect("\033[97;3u\033[97;5:1u\033[97;69u", "M-a C-a C-a");
	expect("\033[13u\033[9u\033[9;2u\033[27u\033[127;3u",
		"Enter Tab BackTab Esc M-Backspace");
	expect_dropped("\033[97u");
	expect_dropped("\033[97;2u");
	expect_dropped("\033[97:65;2;65u");
	expect_dropped("\033[97;5:3u");
	expect_dropped("\033[99;9u");
	expect_dropped("\033[57399;5u");
	expect_dropped("\033[13;2u");
	expect_dropped("\033[27;2;13~");
	expect_dropped("\033[27;6;88~");
	expect_dropped("\033[u");
	expect_dropped("\033[155;5u");
}

static void test_a_control_ends_a_sequence_and_counts(void **state)
{
	(void)state;
	expect("\033[1;\r", "Enter");
	expect("\033]11;rgb\003", "C-c");
	expect("\033P\033[A", "Up");
	expect("\033[3\033[A", "Up");
	expect("\033]0;x\033a", "M-a");
	expect("\033O\303\251", "\303\251");
	expect("\033[[\rx", "Enter x");
}

static void test_a_lost_end_swallows_nothing_later(void **state)
{
	static const char *const begun[] = {"\033[", "\033[1;", "\033[M ",
		"\033O", "\033]0;", "\033Pq\033", "\033[[", "\303"};
	struct keys k;
	struct buf out;

	(void)state;
	keys_init(&k);
	buf_init(&out, 64);
	for (size_t i = 0; i < P2P_ARRAY_LEN(begun); i++) {
		feed(&k, bytes_str(begun[i]), &out);
		assert_int_equal(keys_patience_ms(&k), KEYS_SEQUENCE_MS);
		quiet(&k, &out);
	}
	feed(&k, bytes_str("hi"), &out);
	assert_string_equal(buf_cstr(&out), "h i");
	buf_clear(&out);
	keys_clear(&k);
}

static void test_an_endless_answer_keeps_nothing(void **state)
{
	struct keys k;
	struct buf out;

	(void)state;
	keys_init(&k);
	buf_init(&out, 64);
	feed(&k, bytes_str("\033]52;c;"), &out);
	for (int i = 0; i < 100000; i++)
		feed(&k, bytes_str("QUFB"), &out);
	feed(&k, bytes_str("\ax"), &out);
	assert_string_equal(buf_cstr(&out), "x");
	buf_clear(&out);
	keys_clear(&k);
}

static void test_a_paste_is_one_and_no_key(void **state)
{
	(void)state;
	expect("\033[200~one\r/quit\r\033[201~x", "<one\r/quit\r> x");
	expect("\033[200~\033[A\033[20\033[201~", "<\033[A\033[20>");
	expect("\033[200~\033\033[201~\033[201~a", "<\033> a");
	expect("\033[200~\303\251\033[201~", "<\303\251>");
	expect("\033[201~a", "a");
	/* The end mark is lost. */
	expect("\033[200~half", "<half>");
	expect("\033[200~a\033[201~\033[200~b\033[201~", "<a> <b>");
}

static void test_a_paste_too_long_is_cut(void **state)
{
	struct terminal_event ev = {.kind = TERMINAL_EVENT_NONE};
	struct bytes end = bytes_str("\033[201~");
	struct keys k;
	struct buf out;

	(void)state;
	keys_init(&k);
	buf_init(&out, 64);
	feed(&k, bytes_str("\033[200~"), &out);
	assert_int_equal(keys_patience_ms(&k), KEYS_PASTE_MS);
	for (size_t i = 0; i < TERMINAL_PASTE_BYTES_MAX; i++)
		feed(&k, bytes_str("yz"), &out);
	assert_true(keys_next(&k, &end, &ev));
	assert_int_equal(ev.kind, TERMINAL_EVENT_PASTE);
	assert_int_equal(ev.paste.len, TERMINAL_PASTE_BYTES_MAX);
	feed(&k, bytes_str("a"), &out);
	assert_string_equal(buf_cstr(&out), "a");
	buf_clear(&out);
	keys_clear(&k);
}

static void test_what_cannot_be_learned_is_left_out(void **state)
{
	const struct ui_key up = {.code = UI_KEY_UP};
	struct keys k;

	(void)state;
	keys_init(&k);
	keys_learn(&k, NULL, up);
	keys_learn(&k, "\013", up); /* an old terminal's arrow is C-k */
	keys_learn(&k, "\033", up);
	keys_learn(&k, "\033[0123456789012345678901234567890~", up);
	assert_int_equal(k.learned_count, 0);
	for (int i = 0; i < 2 * KEYS_LEARNED_MAX; i++)
		keys_learn(&k, "\033[M", up);
	assert_int_equal(k.learned_count, KEYS_LEARNED_MAX);
	keys_clear(&k);
}

/* Consoles of the BSDs: F1 is what xterm's old mouse reports begin with. */
static void test_a_learned_mouse_mark_is_a_key(void **state)
{
	struct keys k;
	struct buf out;

	(void)state;
	keys_init(&k);
	buf_init(&out, 64);
	keys_learn(&k, "\033[M", (struct ui_key){.code = UI_KEY_F1});
	keys_learn(&k, "\033A", (struct ui_key){.code = UI_KEY_UP});
	feed(&k, bytes_str("\033[Mab\033A"), &out);
	assert_string_equal(buf_cstr(&out), "F1 a b Up");
	buf_clear(&out);
	keys_clear(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_characters_are_typed),
		cmocka_unit_test(test_what_is_no_utf8_is_shown_as_such),
		cmocka_unit_test(test_esc_alone_is_a_key),
		cmocka_unit_test(test_esc_before_a_key_is_alt),
		cmocka_unit_test(test_esc_then_later_a_letter_are_two_keys),
		cmocka_unit_test(test_keys_of_xterm_rxvt_and_the_console),
		cmocka_unit_test(test_a_terminals_own_keys_are_learned),
		cmocka_unit_test(test_keys_without_a_name_are_dropped),
		cmocka_unit_test(test_reports_and_answers_are_dropped),
		cmocka_unit_test(test_c1_characters_begin_sequences),
		cmocka_unit_test(test_key_reports_are_keys_but_never_text),
		cmocka_unit_test(test_a_control_ends_a_sequence_and_counts),
		cmocka_unit_test(test_a_lost_end_swallows_nothing_later),
		cmocka_unit_test(test_an_endless_answer_keeps_nothing),
		cmocka_unit_test(test_a_paste_is_one_and_no_key),
		cmocka_unit_test(test_a_paste_too_long_is_cut),
		cmocka_unit_test(test_what_cannot_be_learned_is_left_out),
		cmocka_unit_test(test_a_learned_mouse_mark_is_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
