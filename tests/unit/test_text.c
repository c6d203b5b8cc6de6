/* Text from others, and its shape on a screen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/text.h"

static void check_clean(enum text_mode mode, const char *in, const char *want)
{
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(text_clean(mode, bytes_str(in), &out), 0);
	assert_string_equal(buf_cstr(&out), want);
	assert_int_equal(text_is_clean(mode, bytes_str(in)),
		bytes_equal(bytes_str(in), bytes_str(want)));
	buf_clear(&out);
}

static void check_cluster(const char *text, const char *cluster, int columns)
{
	int got;
	size_t n = text_cluster(bytes_str(text), &got);

	assert_int_equal(n, strlen(cluster));
	assert_int_equal(got, columns);
}

/* The lines that text breaks into, joined by '|'. */
static void check_wrap(const char *text, size_t columns, const char *want)
{
	struct bytes in = bytes_str(text);
	struct buf lines;
	size_t n, next;

	buf_init(&lines, 4096);
	while (in.len > 0) {
		n = text_wrap(in, columns, &next);
		if (lines.len > 0)
			assert_int_equal(buf_append_u8(&lines, '|'), 0);
		assert_int_equal(buf_append(&lines, bytes_first(in, n)), 0);
		in = bytes_skip(in, next);
	}
	assert_string_equal(buf_cstr(&lines), want);
	buf_clear(&lines);
}

static void test_utf8_is_strict(void **state)
{
	static const char *const bad[] = {
		"\x80",
		"\xC0\xAF",
		"\xC1\xBF",
		"\xC2",
		"\xC2 ",
		"\xE0\x80\xAF",
		"\xE0\x9F\xBF",
		"\xED\xA0\x80",
		"\xED\xBF\xBF",
		"\xE2\x82",
		"\xF0\x80\x80\xAF",
		"\xF0\x8F\xBF\xBF",
		"\xF4\x90\x80\x80",
		"\xF5\x80\x80\x80",
		"\xF8\x88\x80\x80\x80",
		"\xFE",
		"\xFF",
		"12345678\xFF",
		"1234567\xC3",
		"1234567\xC3(",
	};
	static const char *const good[] = {
		"",
		"abc",
		"0123456789abcdef",
		"\xC2\x80",
		"\xDF\xBF",
		"\xE0\xA0\x80",
		"\xED\x9F\xBF",
		"\xEE\x80\x80",
		"\xEF\xBF\xBF",
		"\xF0\x90\x80\x80",
		"\xF4\x8F\xBF\xBF",
		"1234567\xC3\xA9 ok",
	};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(bad); i++)
		assert_false(utf8_valid(bytes_str(bad[i])));
	for (size_t i = 0; i < P2P_ARRAY_LEN(good); i++)
		assert_true(utf8_valid(bytes_str(good[i])));
	assert_true(utf8_valid(bytes_of("a\0b", 3)));
}

static void test_utf8_encodes_what_it_decodes(void **state)
{
	struct buf b;
	size_t n;

	(void)state;
	buf_init(&b, 4);
	for (uint32_t cp = 0; cp <= 0x110005; cp++) {
		bool ok = cp <= 0x10FFFF && (cp < 0xD800 || cp > 0xDFFF);

		buf_reset(&b);
		utf8_encode(&b, cp);
		assert_true(utf8_valid(buf_bytes(&b)));
		assert_int_equal(
			utf8_decode(buf_bytes(&b), &n), ok ? cp : 0xFFFD);
		assert_int_equal(n, b.len);
	}
	assert_int_equal(utf8_decode(bytes_str("\xE2\x82!"), &n), 0xFFFD);
	assert_int_equal(n, 1);
	buf_clear(&b);
}

static void test_clean_keeps_what_people_write(void **state)
{
	static const char *const texts[] = {
		"",
		"hello, world",
		"naïve café",
		"สวัสดีครับ น้ำ ที่นี่",
		"漢字かな交じり文",
		"한국어 ㅋㅋㅋ",
		"Việt Nam",
		"שָׁלוֹם",
		"مرحبا",
		"क्षत्रिय",
		"👨‍👩‍👧‍👦 👍🏽 ❤️ 1️⃣ 🇹🇭",
		"👩🏻‍❤️‍💋‍👨🏻",
		"🏳️‍🌈",
		"☝🏿",
		"©",
		"e\u0301",
	};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(texts); i++)
		check_clean(TEXT_LINE, texts[i], texts[i]);
}

static void test_clean_shows_control_characters(void **state)
{
	(void)state;
	check_clean(TEXT_LINE, "\x1b[31mred\x7f", "␛[31mred␡");
	check_clean(TEXT_LINE, "a\x01\x1f", "a␁␟");
	check_clean(TEXT_LINE,
		"\xC2\x9B"
		"2J \xC2\x85",
		"\uFFFD2J \uFFFD");
	check_clean(TEXT_LINE,
		"\x9b"
		"2J",
		"\uFFFD2J");
	check_clean(TEXT_LINE, "one\ntwo\tthree\r\nfour\rfive",
		"one two three four␍five");
	check_clean(
		TEXT_BLOCK, "one\ntwo\tthree\r\nfour", "one\ntwo three\nfour");
}

static void test_clean_keeps_a_nul_visible(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(text_clean(TEXT_LINE, bytes_of("a\0b", 3), &out), 0);
	assert_string_equal(buf_cstr(&out), "a␀b");
	buf_clear(&out);
}

static void test_clean_drops_what_is_not_seen(void **state)
{
	(void)state;
	check_clean(
		TEXT_LINE, "a\u202Eb\u2066c\u2069\u200E\u200F\u061C", "abc");
	check_clean(TEXT_LINE, "\uFEFFa\u2028b\u2029", "ab");
	check_clean(TEXT_LINE, "a\U000E0041\U000E007Fb", "ab");
	check_clean(TEXT_LINE, "a\u200Bb\u200C\u2060\u00AD\u3164", "ab");
	check_clean(TEXT_LINE, "a\uFFF9b\uFFFBc", "abc");
	check_clean(TEXT_LINE, "\uE000\U000F0000\uFDD0\uFFFF",
		"\uFFFD\uFFFD\uFFFD\uFFFD");
}

static void test_clean_keeps_joiners_in_emoji_only(void **state)
{
	(void)state;
	check_clean(TEXT_LINE, "a\u200Db", "ab");
	check_clean(TEXT_LINE, "👍\u200D", "👍");
	check_clean(TEXT_LINE, "👍\u200D\u200D👍", "👍\u200D👍");
	check_clean(TEXT_LINE, "👍\u200Da", "👍a");
	check_clean(TEXT_LINE, "a\uFE0F1\uFE0F2", "a12");
	check_clean(TEXT_LINE, "#\uFE0F\u20E3", "#\uFE0F\u20E3");
	check_clean(TEXT_LINE, "漢\uFE00\U000E0100", "漢");
}

static void test_clean_bounds_marks_and_gives_them_a_base(void **state)
{
	(void)state;
	check_clean(TEXT_LINE, "z\u0301\u0302\u0303\u0304\u0305\u0306x",
		"z\u0301\u0302\u0303\u0304x");
	check_clean(TEXT_LINE, "\u0301a", "◌\u0301a");
	check_clean(TEXT_BLOCK, "a\n\u0E34", "a\n◌\u0E34");
	/* Conjoining vowels and finals are unseen without their block. */
	check_clean(TEXT_LINE, "\u1112\u1161\u11AB x\u1161",
		"\u1112\u1161\u11AB x\uFFFD");
}

static void test_clean_cuts_between_clusters(void **state)
{
	static const char text[] = "ab👨‍👩‍👧e\u0301";
	static const size_t want[] = {0, 1, 2};
	struct buf out;

	(void)state;
	for (size_t max = 0; max < sizeof(text) - 1; max++) {
		size_t len = max < 3 ? want[max] : max < 20 ? 2 : 20;
		int err;

		buf_init(&out, max);
		err = text_clean(TEXT_LINE, bytes_str(text), &out);
		assert_int_equal(err, P2P_ERR_TOO_BIG);
		assert_int_equal(out.len, len);
		assert_false(out.failed);
		buf_clear(&out);
	}
}

static void test_clean_appends_to_what_is_there(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(buf_append_str(&out, "<"), 0);
	assert_int_equal(text_clean(TEXT_NAME, bytes_str(" Ann "), &out), 0);
	assert_int_equal(text_clean(TEXT_LINE, bytes_str("\u0301"), &out), 0);
	assert_string_equal(buf_cstr(&out), "<Ann◌\u0301");
	buf_clear(&out);
}

static void test_names_are_trimmed_and_cut(void **state)
{
	(void)state;
	check_clean(TEXT_NAME, " \t\u3000\u2800Ann Eve\n \u00A0", "Ann Eve");
	check_clean(TEXT_NAME, " \n ", "");
	check_clean(TEXT_NAME, "abcdefghijklmnopqrstuvwxyz",
		"abcdefghijklmnopqrstuvwx");
	check_clean(TEXT_NAME, "漢字漢字漢字漢字漢字漢字漢字",
		"漢字漢字漢字漢字漢字漢字");
	/* 24 columns would be 72 bytes; a cluster is never cut. */
	check_clean(
		TEXT_NAME, "กกกกกกกกกกกกกกกกกกกกกกกก", "กกกกกกกกกกกกกกกกกกกกก");
	check_clean(TEXT_NAME, "abcdefghijklmnopqrstuvw xyz",
		"abcdefghijklmnopqrstuvw");
}

static void test_clusters_are_what_a_reader_takes_for_one(void **state)
{
	(void)state;
	check_cluster("", "", 0);
	check_cluster("ab", "a", 1);
	check_cluster("e\u0301x", "e\u0301", 1);
	check_cluster("漢字", "漢", 2);
	check_cluster("กำลัง", "กำ", 2); /* SARA AM takes a column */
	check_cluster("น้ำ", "น้ำ", 2);
	check_cluster("ที่นี่", "ที่", 1);
	check_cluster("เก", "เ", 1);
	check_cluster("한국", "한", 2);
	check_cluster("\u1112\u1161\u11AB\u1100", "\u1112\u1161\u11AB", 2);
	check_cluster("कि", "कि", 2);
	check_cluster("漢\u0903", "漢", 2); /* would be three columns */
	check_cluster("\n\n", "\n", 0);
	check_cluster("\r\na", "\r\n", 0);
	check_cluster("\xFFz", "\xFF", 1);
	check_cluster("\u0301x", "\u0301", 0);
}

static void test_emoji_sequences_take_two_columns(void **state)
{
	(void)state;
	check_cluster(
		"👨‍👩‍👧‍👦!", "👨‍👩‍👧‍👦", 2);
	check_cluster("👩🏻‍❤️‍💋‍👨🏻👍",
		"👩🏻‍❤️‍💋‍👨🏻", 2);
	check_cluster("👍🏽👍", "👍🏽", 2);
	check_cluster("☝🏿", "☝🏿", 2);
	check_cluster("a🏿", "a", 1);
	check_cluster("🏿🏿", "🏿", 2);
	check_cluster("❤x", "❤", 1);
	check_cluster("❤️x", "❤️", 2);
	check_cluster("1️⃣x", "1️⃣", 2);
	check_cluster("🇹🇭🇯🇵", "🇹🇭", 2);
	check_cluster("🇹x", "🇹", 2);
}

static void test_clusters_are_bounded_in_any_text(void **state)
{
	struct buf b;
	size_t n;

	(void)state;
	buf_init(&b, 10000);
	assert_int_equal(buf_append_str(&b, "a"), 0);
	while (b.len < 9000)
		utf8_encode(&b, 0x301);
	for (struct bytes in = buf_bytes(&b); in.len > 0;
		in = bytes_skip(in, n)) {
		n = text_cluster(in, NULL);
		assert_in_range(n, 1, TEXT_CLUSTER_BYTES_MAX);
	}
	buf_clear(&b);
}

static void test_last_cluster_is_found_from_behind(void **state)
{
	(void)state;
	assert_int_equal(text_last_cluster(bytes_str("")), 0);
	assert_int_equal(text_last_cluster(bytes_str("abc")), 1);
	assert_int_equal(text_last_cluster(bytes_str("abe\u0301")), 3);
	assert_int_equal(text_last_cluster(bytes_str("hi 🇹🇭🇯🇵")), 8);
	assert_int_equal(text_last_cluster(bytes_str("🇹🇭🇯")), 4);
	assert_int_equal(text_last_cluster(bytes_str("x\r\n")), 2);
}

static void test_width_and_fit_count_columns(void **state)
{
	size_t used;

	(void)state;
	assert_int_equal(text_width(bytes_str("hello")), 5);
	assert_int_equal(text_width(bytes_str("ภาษาไทย")), 7);
	assert_int_equal(text_width(bytes_str("สวัสดี")), 4);
	assert_int_equal(text_width(bytes_str("漢字 🦀")), 7);
	assert_int_equal(text_fit(bytes_str("漢字漢"), 5, &used), 6);
	assert_int_equal(used, 4);
	assert_int_equal(text_fit(bytes_str("abc"), 5, NULL), 3);
	assert_int_equal(text_fit(bytes_str("ab\u0301c"), 2, NULL), 4);
	assert_int_equal(text_fit(bytes_str("漢"), 0, &used), 0);
}

static void test_wrap_breaks_after_spaces(void **state)
{
	(void)state;
	check_wrap("the quick brown fox", 10, "the quick|brown fox");
	check_wrap("the quick  brown", 9, "the quick|brown");
	check_wrap("abcdefghij klm", 4, "abcd|efgh|ij|klm");
	check_wrap("one\n\ntwo", 10, "one||two");
	check_wrap("a b\r\nc", 10, "a b|c");
	check_wrap("  in", 10, "  in");
	check_wrap("end   ", 3, "end");
	check_wrap("a\u00A0b c", 4, "a\u00A0b|c");
}

static void test_wrap_breaks_thai_and_cjk_anywhere(void **state)
{
	(void)state;
	check_wrap("漢字漢字漢", 4, "漢字|漢字|漢");
	check_wrap("漢字漢字漢", 5, "漢字|漢字|漢");
	check_wrap("ab 漢字漢字", 6, "ab 漢|字漢字");
	check_wrap("漢字。漢", 4, "漢|字。|漢"); /* no line starts with 。 */
	check_wrap("漢「字」", 4, "漢|「字|」");
	check_wrap("กขคง", 3, "กขค|ง");
	check_wrap("กขเค", 3, "กข|เค"); /* no line ends with a vowel before */
	check_wrap("word กขคงจ", 7, "word กข|คงจ");
	check_wrap("👍👍👍", 2, "👍|👍|👍");
	check_wrap("漢", 1, "漢");
}

static void test_fold_makes_names_comparable(void **state)
{
	static const char *const pairs[][2] = {
		{"Ann", "ANN"},
		{"STRASSE", "straße"},
		{"é", "E\u0301"},
		{"한", "\u1112\u1161\u11AB"},
		{"Ünal", "U\u0308NAL"},
		{"a\u00ADb", "AB"},
		{"\xFF", "\uFFFD"},
		{"", ""},
	};
	struct buf a, b;

	(void)state;
	buf_init(&a, 100);
	buf_init(&b, 100);
	for (size_t i = 0; i < P2P_ARRAY_LEN(pairs); i++) {
		buf_reset(&a);
		buf_reset(&b);
		text_fold(bytes_str(pairs[i][0]), &a);
		text_fold(bytes_str(pairs[i][1]), &b);
		assert_string_equal(buf_cstr(&a), buf_cstr(&b));
	}
	buf_clear(&a);
	buf_clear(&b);
}

static void test_json_run_ends_at_what_needs_an_escape(void **state)
{
	uint8_t text[40];

	(void)state;
	for (size_t len = 0; len <= sizeof(text); len++) {
		memset(text, 'x', sizeof(text));
		assert_int_equal(text_json_run(bytes_of(text, len)), len);
	}
	for (unsigned byte = 0; byte < 256; byte++) {
		bool plain = byte >= 0x20 && byte != '"' && byte != '\\';

		for (size_t at = 0; at < 20; at++) {
			/* Bytes beside it that are near the bounds. */
			memset(text, at % 2 == 0 ? 0xff : 0x20, sizeof(text));
			text[at] = (uint8_t)byte;
			assert_int_equal(text_json_run(bytes_of(text, 33)),
				plain ? 33 : at);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_run_ends_at_what_needs_an_escape),
		cmocka_unit_test(test_utf8_is_strict),
		cmocka_unit_test(test_utf8_encodes_what_it_decodes),
		cmocka_unit_test(test_clean_keeps_what_people_write),
		cmocka_unit_test(test_clean_shows_control_characters),
		cmocka_unit_test(test_clean_keeps_a_nul_visible),
		cmocka_unit_test(test_clean_drops_what_is_not_seen),
		cmocka_unit_test(test_clean_keeps_joiners_in_emoji_only),
		cmocka_unit_test(test_clean_bounds_marks_and_gives_them_a_base),
		cmocka_unit_test(test_clean_cuts_between_clusters),
		cmocka_unit_test(test_clean_appends_to_what_is_there),
		cmocka_unit_test(test_names_are_trimmed_and_cut),
		cmocka_unit_test(test_clusters_are_what_a_reader_takes_for_one),
		cmocka_unit_test(test_emoji_sequences_take_two_columns),
		cmocka_unit_test(test_clusters_are_bounded_in_any_text),
		cmocka_unit_test(test_last_cluster_is_found_from_behind),
		cmocka_unit_test(test_width_and_fit_count_columns),
		cmocka_unit_test(test_wrap_breaks_after_spaces),
		cmocka_unit_test(test_wrap_breaks_thai_and_cjk_anywhere),
		cmocka_unit_test(test_fold_makes_names_comparable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
