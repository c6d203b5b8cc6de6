/* What two people compare: frozen, the same at both ends, of both keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/identity/fingerprint.h"
#include "net/identity/key.h"

static struct peer_id key_of(uint8_t seed)
{
	uint8_t raw[32] = {seed};
	struct identity me;

	identity_from_seed(&me, raw);
	return me.id;
}

static void check_words(const struct fingerprint *f, const char *want)
{
	char all[128] = "";
	size_t at = 0;

	for (size_t i = 0; i < FINGERPRINT_WORDS; i++)
		at += (size_t)snprintf(all + at, sizeof(all) - at, "%s%s",
			i == 0 ? "" : " ", f->words[i]);
	assert_string_equal(all, want);
}

/* As Python's hashlib has it. */
static void test_fingerprints_are_frozen(void **state)
{
	struct peer_id a = key_of(1), b = key_of(2);
	struct fingerprint f;

	(void)state;
	fingerprint_of(&f, &a, &b);
	assert_string_equal(f.digits, "727670815379833714085166062752"
				      "326332308048645954228129256659");
	check_words(&f, "resemble yellow true evil merge rate");
}

static void test_fingerprints_are_the_same_at_both_ends(void **state)
{
	struct peer_id a = key_of(1), b = key_of(2);
	struct fingerprint here, there;

	(void)state;
	fingerprint_of(&here, &a, &b);
	fingerprint_of(&there, &b, &a);
	assert_string_equal(here.digits, there.digits);
	for (size_t i = 0; i < FINGERPRINT_WORDS; i++)
		assert_string_equal(here.words[i], there.words[i]);
}

/* Another key at either end is another number and other words. */
static void test_fingerprints_are_of_both_keys(void **state)
{
	struct peer_id a = key_of(1), b = key_of(2), c = key_of(3);
	struct fingerprint ab, ac, cb;

	(void)state;
	fingerprint_of(&ab, &a, &b);
	fingerprint_of(&ac, &a, &c);
	fingerprint_of(&cb, &c, &b);
	assert_string_not_equal(ab.digits, ac.digits);
	assert_string_not_equal(ab.digits, cb.digits);
	assert_ptr_not_equal(ab.words[0], ac.words[0]);
	assert_ptr_not_equal(ab.words[0], cb.words[0]);
	for (size_t i = 0; i < FINGERPRINT_DIGITS; i++)
		assert_in_range(ab.digits[i], '0', '9');
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fingerprints_are_frozen),
		cmocka_unit_test(test_fingerprints_are_the_same_at_both_ends),
		cmocka_unit_test(test_fingerprints_are_of_both_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
