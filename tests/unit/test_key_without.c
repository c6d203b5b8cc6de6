/* The same verify function in a program without nettle and libsecp256k1: it
 * refuses what it cannot check, with the word that a person is to read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/identity/key.h"
#include "net/unit/unit.h"
#include "tests/lib/vector.h"

static void test_a_build_without_libraries_names_key_and_library(void **state)
{
	static const struct {
		const char *name;
		int err;
		const char *kind, *library;
	} cases[] = {
		{"ed25519", P2P_ERR_AUTH, NULL, NULL},
		{"rsa", P2P_ERR_NO_RSA, "RSA", "without nettle"},
		{"ecdsa", P2P_ERR_NO_ECDSA, "ECDSA", "without nettle"},
		{"secp256k1", P2P_ERR_NO_SECP256K1, "secp256k1",
			"without libsecp256k1"},
	};
	static const uint8_t sig[64];
	struct vector_file v;
	struct buf pb;
	int found = 0;

	(void)state;
	buf_init(&pb, 4096);
	vector_open(&v, "peer-id-keys.txt");
	while (vector_next(&v, 3)) {
		struct public_key key;
		int err;

		vector_hex(v.word[2], &pb);
		if (strcmp(v.word[1], "public") != 0)
			continue;
		assert_int_equal(public_key_parse(&key, buf_bytes(&pb)), 0);
		err = public_key_verify(
			&key, bytes_str("m"), bytes_of(sig, sizeof(sig)));
		for (size_t i = 0; i < P2P_ARRAY_LEN(cases); i++) {
			if (strcmp(cases[i].name, v.word[0]) != 0)
				continue;
			found++;
			assert_int_equal(err, cases[i].err);
			assert_int_equal(public_key_not_built(err),
				cases[i].kind != NULL);
			if (cases[i].kind == NULL)
				continue;
			assert_non_null(
				strstr(p2p_err_text(err), cases[i].kind));
			assert_non_null(
				strstr(p2p_err_text(err), cases[i].library));
		}
	}
	assert_int_equal(found, 4);
	buf_clear(&pb);
}

/* What cannot be checked is ignored, not held against who passed it on. */
static void test_a_build_without_libraries_ignores_their_units(void **state)
{
	struct vector_file v;
	struct buf raw;
	struct unit u;
	int found = 0;

	(void)state;
	buf_init(&raw, 4096);
	vector_open(&v, "unit.txt");
	while (vector_next(&v, 5)) {
		if (strcmp(v.word[0], "author-secp256k1-forged") != 0)
			continue;
		vector_hex(v.word[3], &raw);
		assert_int_equal(unit_parse(&u, buf_bytes(&raw)), 0);
		assert_int_equal(unit_verify(&u), P2P_ERR_UNSUPPORTED);
		found++;
	}
	assert_int_equal(found, 1);
	buf_clear(&raw);
}

static int setup(void **state)
{
	(void)state;
	return crypto_init();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_build_without_libraries_names_key_and_library),
		cmocka_unit_test(
			test_a_build_without_libraries_ignores_their_units),
	};

	return cmocka_run_group_tests_name("key_without", tests, setup, NULL);
}
