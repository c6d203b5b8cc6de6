/* Keys of other kinds than our own: signatures, limits, one spelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/identity/key.h"
#include "net/identity/key_nettle.h"
#include "net/identity/key_secp256k1.h"
#include "tests/lib/vector.h"

#define WORD_BYTES_MAX 8192

/* What this build says to a key of that kind that is in order; 0: it can. */
static int built(enum key_kind kind)
{
	switch (kind) {
	case KEY_KIND_ED25519:
		return 0;
	case KEY_KIND_SECP256K1:
		return key_secp256k1_built() ? 0 : P2P_ERR_NO_SECP256K1;
	case KEY_KIND_RSA:
		return key_nettle_version() != NULL ? 0 : P2P_ERR_NO_RSA;
	case KEY_KIND_ECDSA:
		return key_nettle_version() != NULL ? 0 : P2P_ERR_NO_ECDSA;
	}
	return P2P_ERR_UNSUPPORTED;
}

/* As a handshake does: the protobuf, then the signature. */
static int check(struct bytes pb, struct bytes message, struct bytes sig)
{
	struct public_key key;
	int err = public_key_parse(&key, pb);

	return err != 0 ? err : public_key_verify(&key, message, sig);
}

/* What a build without that library answers instead. */
static int expected(struct bytes pb, int verdict)
{
	struct public_key key;
	int err = public_key_parse(&key, pb);

	if (err != 0)
		return err;
	return built(key.kind) != 0 ? built(key.kind) : verdict;
}

/* "key" lines set the key for the lines that follow. Returns their number. */
static int check_wycheproof(const char *name)
{
	struct buf key, message, sig;
	struct vector_file v;
	int count = 0;

	buf_init(&key, WORD_BYTES_MAX);
	buf_init(&message, WORD_BYTES_MAX);
	buf_init(&sig, WORD_BYTES_MAX);
	vector_open(&v, name);
	while (vector_next(&v, 4)) {
		int verdict =
			strcmp(v.word[1], "valid") == 0 ? 0 : P2P_ERR_AUTH;
		int err;

		vector_hex(v.word[2], &message);
		if (strcmp(v.word[0], "key") == 0) {
			vector_hex(v.word[2], &key);
			continue;
		}
		vector_hex(v.word[3], &sig);
		err = check(
			buf_bytes(&key), buf_bytes(&message), buf_bytes(&sig));
		if (err != expected(buf_bytes(&key), verdict))
			fail_msg("case %s: %s", v.word[0], p2p_err_name(err));
		count++;
	}
	buf_clear(&key);
	buf_clear(&message);
	buf_clear(&sig);
	return count;
}

static void test_rsa_verdicts_of_wycheproof(void **state)
{
	(void)state;
	assert_int_equal(check_wycheproof("wycheproof-rsa.txt"), 314);
}

static void test_ecdsa_and_secp256k1_verdicts_of_wycheproof(void **state)
{
	(void)state;
	assert_int_equal(check_wycheproof("wycheproof-ecdsa.txt"), 1419);
}

static int verdict_of(const char *name)
{
	static const int all[] = {0, P2P_ERR_AUTH, P2P_ERR_MALFORMED};

	for (size_t i = 0; i < P2P_ARRAY_LEN(all); i++) {
		if (strcmp(p2p_err_name(all[i]), name) == 0)
			return all[i];
	}
	fail_msg("no such verdict: %s", name);
	return 0;
}

static void test_foreign_keys_have_one_spelling_and_limits(void **state)
{
	struct buf key, message, sig;
	struct vector_file v;
	int count = 0;

	(void)state;
	buf_init(&key, WORD_BYTES_MAX);
	buf_init(&message, WORD_BYTES_MAX);
	buf_init(&sig, WORD_BYTES_MAX);
	vector_open(&v, "foreign-keys.txt");
	for (; vector_next(&v, 5); count++) {
		int err;

		vector_hex(v.word[2], &key);
		vector_hex(v.word[3], &message);
		vector_hex(v.word[4], &sig);
		err = check(
			buf_bytes(&key), buf_bytes(&message), buf_bytes(&sig));
		if (err != expected(buf_bytes(&key), verdict_of(v.word[1])))
			fail_msg("%s: %s", v.word[0], p2p_err_name(err));
	}
	assert_int_equal(count, 63);
	buf_clear(&key);
	buf_clear(&message);
	buf_clear(&sig);
}

static int setup(void **state)
{
	(void)state;
	return crypto_init();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rsa_verdicts_of_wycheproof),
		cmocka_unit_test(
			test_ecdsa_and_secp256k1_verdicts_of_wycheproof),
		cmocka_unit_test(
			test_foreign_keys_have_one_spelling_and_limits),
	};

	return cmocka_run_group_tests_name("foreign_key", tests, setup, NULL);
}
