/* What looks alike is equal, and what does not is not (UTS 39). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/text_skeleton.h"
#include "tests/lib/vector.h"

#define LOOK_ALIKES 200

static void check_skeleton(const char *text, const char *want)
{
	struct buf out;

	buf_init(&out, 256);
	text_skeleton(bytes_str(text), &out);
	assert_string_equal(buf_cstr(&out), want);
	buf_clear(&out);
}

static bool alike(const char *a, const char *b)
{
	struct text_looks x, y;

	text_looks_of(bytes_str(a), &x);
	text_looks_of(bytes_str(b), &y);
	return text_looks_alike(&x, &y);
}

static void test_skeletons_are_those_of_unicode(void **state)
{
	(void)state;
	check_skeleton("", "");
	/* The examples of UTS 39. */
	check_skeleton("paypal", "paypal");
	check_skeleton("р\xD0\xB0ураl", "paypal");
	check_skeleton("scope", "scope");
	check_skeleton("ѕсоре", "scope");
	/* One character may be several: m is drawn as rn, w as itself. */
	check_skeleton("mw", "rnw");
	check_skeleton("1|I", "lll");
	check_skeleton("0", "O");
	/* Ignorable ones are nothing, letters come apart. */
	check_skeleton("a\xE2\x80\x8B\xE2\x81\xA0"
		       "b",
		"ab");
	check_skeleton("\xC3\xA9", "e\xCC\x81");
	/* No text is refused. */
	check_skeleton("\xFF", "\xEF\xBF\xBD");
}

static void test_nfkc_has_one_width_and_style(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 64);
	text_nfkc(bytes_str("Ａ\xF0\x9D\x90\x80ﬁ①e\xCC\x81"), &out);
	assert_string_equal(buf_cstr(&out), "AAfi1\xC3\xA9");
	buf_clear(&out);
	/* Cut between code points when there is no room. */
	buf_init(&out, 3);
	text_nfkc(bytes_str("éé"), &out);
	assert_string_equal(buf_cstr(&out), "é");
	buf_clear(&out);
}

/* \u{HEX} as the character. */
static void unescape(const char *text, struct buf *out)
{
	while (*text != '\0') {
		char *end;

		if (strncmp(text, "\\u{", 3) == 0) {
			utf8_encode(out, (uint32_t)strtoul(text + 3, &end, 16));
			assert_int_equal(*end, '}');
			text = end + 1;
		} else {
			(void)buf_append_u8(out, (uint8_t)*text++);
		}
	}
}

static void test_each_look_alike_is_one(void **state)
{
	struct vector_file v;
	struct buf fake;
	size_t count = 0, missed = 0;

	(void)state;
	buf_init(&fake, 256);
	vector_open(&v, "look-alikes.txt");
	while (vector_next(&v, 3)) {
		buf_reset(&fake);
		unescape(v.word[1], &fake);
		assert_string_not_equal(v.word[0], buf_cstr(&fake));
		if (!alike(v.word[0], buf_cstr(&fake)) ||
			!alike(buf_cstr(&fake), v.word[0])) {
			print_error("%s is not taken for %s (%s)\n", v.word[1],
				v.word[0], v.word[2]);
			missed++;
		}
		count++;
	}
	buf_clear(&fake);
	assert_int_equal(count, LOOK_ALIKES);
	assert_int_equal(missed, 0);
}

static void test_names_that_differ_stay_different(void **state)
{
	static const char *const names[] = {"Alice", "Alina", "Malice", "mali",
		"mari", "nok", "noi", "Bob", "Rob", "ploy", "play", "Olivia",
		"somchai", "somsak", "carol", "carl", "person-1", "person-2",
		"José", "Josef", "มะลิ", "นก", "Иван", "Анна", "李雷", "李華",
		"ひろ", "すず", "민수", "지우"};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(names); i++)
		for (size_t j = 0; j < P2P_ARRAY_LEN(names); j++)
			assert_int_equal(alike(names[i], names[j]), i == j);
	/* Nothing is nobody's look-alike. */
	assert_false(alike("", ""));
	assert_false(alike("", "a") || alike("a", ""));
	assert_false(alike("\xE2\x80\x8B", "\xE2\x80\x8B"));
}

static void test_looks_are_bounded(void **state)
{
	char name[512];
	struct text_looks looks;

	(void)state;
	/* U+FDFA is 18 characters in NFKC, U+33C2 four. */
	for (size_t i = 0; i + 3 < sizeof(name); i += 3)
		memcpy(name + i, "\xEF\xB7\xBA\0", 4);
	text_looks_of(bytes_str(name), &looks);
	assert_in_range(strlen(looks.small), 64, TEXT_LOOK_MAX - 1);
	assert_true(utf8_valid(bytes_str(looks.small)));
	assert_true(utf8_valid(bytes_str(looks.drawn)));
}

static void test_scripts_of_one_language_do_not_mix(void **state)
{
	static const char *const single[] = {"", "Alice 7!", "Алиса", "มะลิ-2",
		"มะลิ Mali", "日本カナかな Tokyo", "한국 Han 漢", "José", "😀",
		"Ωμέγα", "שלום"};
	static const char *const mixed[] = {
		"Аlice", "Alіce", "pаypal", "Ωmega", "มะлิ", "Ивαн", "カナ한"};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(single); i++)
		assert_false(text_mixes_scripts(bytes_str(single[i])));
	for (size_t i = 0; i < P2P_ARRAY_LEN(mixed); i++)
		assert_true(text_mixes_scripts(bytes_str(mixed[i])));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_skeletons_are_those_of_unicode),
		cmocka_unit_test(test_nfkc_has_one_width_and_style),
		cmocka_unit_test(test_each_look_alike_is_one),
		cmocka_unit_test(test_names_that_differ_stay_different),
		cmocka_unit_test(test_looks_are_bounded),
		cmocka_unit_test(test_scripts_of_one_language_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
