/* The cryptographic door against other people's vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/identity/crypto.h"
#include "tests/lib/vector.h"

#define MESSAGE_BYTES_MAX 4096

static void check_hex(const uint8_t *got, size_t len, const char *want)
{
	uint8_t raw[128];

	assert_true(len <= sizeof(raw));
	vector_hex_fixed(want, raw, len);
	assert_memory_equal(got, raw, len);
}

static void test_sha256_of_the_fips_180_examples(void **state)
{
	uint8_t out[32];

	(void)state;
	crypto_sha256(out, bytes_str("abc"));
	check_hex(out, 32,
		"ba7816bf8f01cfea414140de5dae2223"
		"b00361a396177a9cb410ff61f20015ad");
	crypto_sha256(out, bytes_of(NULL, 0));
	check_hex(out, 32,
		"e3b0c44298fc1c149afbf4c8996fb924"
		"27ae41e4649b934ca495991b7852b855");
}

/* RFC 4231 section 4.3 and 4.7: a short key, and one longer than a block. */
static void test_hmac_takes_keys_of_any_length(void **state)
{
	uint8_t out[32], key[131];

	(void)state;
	crypto_hmac_sha256_key(out, bytes_str("Jefe"),
		bytes_str("what do ya want for nothing?"));
	check_hex(out, 32,
		"5bdcc146bf60754e6a042426089575c7"
		"5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	crypto_hmac_sha256_key(out, bytes_of(key, sizeof(key)),
		bytes_str("Test Using Larger Than Block-Size Key - "
			  "Hash Key First"));
	check_hex(out, 32,
		"60e431591ee0b67f0d8a26aacbf5b77f"
		"8e0bc6213728c5140546040f0ee37f54");
}

/*
 * Noise's HKDF is RFC 5869's with the chaining key as salt, an empty info and
 * the outputs taken apart: the RFC's test case 3 has such an info; its salt
 * is empty, which HMAC pads to the same block as 32 zero bytes.
 */
static void test_noise_hkdf_is_rfc_5869_without_info(void **state)
{
	uint8_t salt[32] = {0}, ikm[22], out[3][32];

	(void)state;
	memset(ikm, 0x0b, sizeof(ikm));
	memset(out, 0xee, sizeof(out));
	crypto_noise_hkdf(salt, bytes_of(ikm, sizeof(ikm)), out, 2);
	check_hex(out[0], 32,
		"8da4e775a563c18f715f802a063c5a31"
		"b8a11f5c5ee1879ec3454e5f3c738d2d");
	check_hex(out[1], 10, "9d201395faa4b61a96c8");
	assert_int_equal(out[2][0], 0xee);
	crypto_noise_hkdf(salt, bytes_of(ikm, sizeof(ikm)), out, 3);
	check_hex(out[0], 4, "8da4e775");
	assert_int_not_equal(memcmp(out[1], out[2], 32), 0);
}

/* The hash of the parts is the hash of the whole (BLAKE2 paper's "abc" with
 * 32 bytes of output). */
static void test_blake2b_joins_its_parts(void **state)
{
	uint8_t out[32];
	struct bytes parts[] = {
		bytes_str("a"), bytes_of(NULL, 0), bytes_str("bc")};

	(void)state;
	crypto_blake2b(out, parts, P2P_ARRAY_LEN(parts));
	check_hex(out, 32,
		"bddd813c634239723171ef3fee98579b"
		"94964e3bb1cb3e427262c8c068d52319");
}

/* RFC 8032 section 7.1, tests 1 to 3. */
static void test_ed25519_signs_as_rfc_8032(void **state)
{
	static const char *const cases[][4] = {
		{"9d61b19deffd5a60ba844af492ec2cc4"
		 "4449c5697b326919703bac031cae7f60",
			"d75a980182b10ab7d54bfed3c964073a"
			"0ee172f3daa62325af021a68f707511a",
			"-",
			"e5564300c360ac729086e2cc806e828a"
			"84877f1eb8e5d974d873e06522490155"
			"5fb8821590a33bacc61e39701cf9b46b"
			"d25bf5f0595bbe24655141438e7a100b"},
		{"4ccd089b28ff96da9db6c346ec114e0f"
		 "5b8a319f35aba624da8cf6ed4fb8a6fb",
			"3d4017c3e843895a92b70aa74d1b7ebc"
			"9c982ccf2ec4968cc0cd55f12af4660c",
			"72",
			"92a009a9f0d4cab8720e820b5f642540"
			"a2b27b5416503f8fb3762223ebdb69da"
			"085ac1e43e15996e458f3613d0f11d8c"
			"387b2eaeb4302aeeb00d291612bb0c00"},
		{"c5aa8df43f9f837bedb7442f31dcb7b1"
		 "66d38535076f094b85ce3a2e0b4458f7",
			"fc51cd8e6218a1a38da47ed00230f058"
			"0816ed13ba3303ac5deb911548908025",
			"af82",
			"6291d657deec24024827e69c3abe01a3"
			"0ce548a284743a445e3680d7db5ac3ac"
			"18ff9b538d16f290ae67f760984dc659"
			"4a7c15e9716ed28dc027beceea1ec40a"},
	};
	uint8_t seed[32], secret[64], sig[64];
	struct buf message;

	(void)state;
	buf_init(&message, MESSAGE_BYTES_MAX);
	for (size_t i = 0; i < P2P_ARRAY_LEN(cases); i++) {
		vector_hex_fixed(cases[i][0], seed, 32);
		vector_hex(cases[i][2], &message);
		crypto_ed25519_keypair(secret, seed);
		check_hex(secret + 32, 32, cases[i][1]);
		crypto_ed25519_sign(sig, secret, buf_bytes(&message));
		check_hex(sig, 64, cases[i][3]);
		assert_int_equal(crypto_ed25519_verify(
					 sig, secret + 32, buf_bytes(&message)),
			0);
		sig[0] ^= 1;
		assert_int_equal(crypto_ed25519_verify(
					 sig, secret + 32, buf_bytes(&message)),
			P2P_ERR_AUTH);
	}
	buf_clear(&message);
}

static int check_ed25519(const char *name)
{
	struct vector_file v;
	struct buf message, sig;
	uint8_t key[32];
	int count = 0;

	buf_init(&message, MESSAGE_BYTES_MAX);
	buf_init(&sig, MESSAGE_BYTES_MAX);
	vector_open(&v, name);
	while (vector_next(&v, 5)) {
		int want = strcmp(v.word[1], "valid") == 0 ? 0 : P2P_ERR_AUTH;
		int got = P2P_ERR_AUTH;

		vector_hex_fixed(v.word[2], key, 32);
		vector_hex(v.word[3], &message);
		vector_hex(v.word[4], &sig);
		/* Lengths are the caller's business. */
		if (sig.len == CRYPTO_SIG_BYTES)
			got = crypto_ed25519_verify(
				sig.data, key, buf_bytes(&message));
		if (got != want)
			fail_msg("case %s", v.word[0]);
		count++;
	}
	buf_clear(&message);
	buf_clear(&sig);
	return count;
}

static void test_ed25519_agrees_with_wycheproof(void **state)
{
	(void)state;
	assert_int_equal(check_ed25519("wycheproof-ed25519.txt"), 151);
}

/* Twelve signatures on which implementations differ. */
static void test_ed25519_verdicts_on_the_edges_never_change(void **state)
{
	(void)state;
	assert_int_equal(check_ed25519("speccheck-ed25519.txt"), 12);
}

/*
 * Every encoding of a point of small order, and every encoding that is not
 * canonical, is refused as A and as R, whatever the library thinks of it.
 * With S = 0 and R = A = 1 the verification equation itself holds, so the
 * first of them would pass a lenient check.
 */
static void test_ed25519_refuses_small_order_and_odd_encodings(void **state)
{
	static const char *const points[] = {
		"01000000000000000000000000000000000000000000000000000000000000"
		"00",
		"01000000000000000000000000000000000000000000000000000000000000"
		"80",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"7f",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"ff",
		"00000000000000000000000000000000000000000000000000000000000000"
		"00",
		"00000000000000000000000000000000000000000000000000000000000000"
		"80",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc"
		"05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc"
		"85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03"
		"7a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03"
		"fa",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"7f",
		"f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"7f",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"ff",
	};
	uint8_t seed[32] = {7}, secret[64], sig[64], point[32];
	struct bytes message = bytes_str("m");

	(void)state;
	crypto_ed25519_keypair(secret, seed);
	for (size_t i = 0; i < P2P_ARRAY_LEN(points); i++) {
		vector_hex_fixed(points[i], point, 32);
		memset(sig, 0, sizeof(sig));
		memcpy(sig, point, 32);
		assert_int_equal(crypto_ed25519_verify(sig, point, message),
			P2P_ERR_AUTH);
		crypto_ed25519_sign(sig, secret, message);
		assert_int_equal(crypto_ed25519_verify(sig, point, message),
			P2P_ERR_AUTH);
		memcpy(sig, point, 32);
		assert_int_equal(
			crypto_ed25519_verify(sig, secret + 32, message),
			P2P_ERR_AUTH);
	}
}

/* S and S + L stand for the same number; only the first is a signature. */
static void test_ed25519_refuses_s_not_below_the_order(void **state)
{
	static const char order_hex[] = "edd3f55c1a631258d69cf7a2def9de14"
					"00000000000000000000000000000010";
	uint8_t seed[32] = {9}, secret[64], sig[64], order[32];
	unsigned carry = 0;

	(void)state;
	vector_hex_fixed(order_hex, order, 32);
	crypto_ed25519_keypair(secret, seed);
	crypto_ed25519_sign(sig, secret, bytes_str("m"));
	assert_int_equal(
		crypto_ed25519_verify(sig, secret + 32, bytes_str("m")), 0);
	for (int i = 0; i < 32; i++) {
		carry += sig[32 + i] + order[i];
		sig[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(carry, 0);
	assert_int_equal(
		crypto_ed25519_verify(sig, secret + 32, bytes_str("m")),
		P2P_ERR_AUTH);
}

/* RFC 7748 section 6.1. */
static void test_x25519_agrees_with_rfc_7748(void **state)
{
	uint8_t a[32], b[32], a_public[32], b_public[32], shared[32];

	(void)state;
	vector_hex_fixed("77076d0a7318a57d3c16c17251b26645"
			 "df4c2f87ebc0992ab177fba51db92c2a",
		a, 32);
	vector_hex_fixed("5dab087e624a8a4b79e17f8b83800ee6"
			 "6f3bb1292618b6fd1c2f8b27ff88e0eb",
		b, 32);
	crypto_dh_public(a_public, a);
	check_hex(a_public, 32,
		"8520f0098930a754748b7ddcb43ef75a"
		"0dbf3a0d26381af4eba4a98eaa9b4e6a");
	crypto_dh_public(b_public, b);
	assert_int_equal(crypto_dh(shared, a, b_public), 0);
	check_hex(shared, 32,
		"4a5d9d5ba4ce2de1728e3bf480350f25"
		"e07e21c947d19e3376f09b3c1e161742");
	assert_int_equal(crypto_dh(shared, b, a_public), 0);
	check_hex(shared, 4, "4a5d9d5b");
}

/* All of the valid and acceptable ones, and a refusal of every result that
 * is zero. */
static void test_x25519_agrees_with_wycheproof(void **state)
{
	struct vector_file v;
	uint8_t secret[32], public_key[32], want[32], got[32];
	static const uint8_t zero[32];
	int count = 0, refused = 0;

	(void)state;
	vector_open(&v, "wycheproof-x25519.txt");
	while (vector_next(&v, 5)) {
		bool none;

		vector_hex_fixed(v.word[2], secret, 32);
		vector_hex_fixed(v.word[3], public_key, 32);
		vector_hex_fixed(v.word[4], want, 32);
		none = memcmp(want, zero, 32) == 0;
		assert_int_equal(crypto_dh(got, secret, public_key),
			none ? P2P_ERR_AUTH : 0);
		if (!none)
			assert_memory_equal(got, want, 32);
		count++;
		refused += none;
	}
	assert_int_equal(count, 518);
	assert_true(refused > 0);
}

static void test_aead_agrees_with_wycheproof(void **state)
{
	struct vector_file v;
	struct buf ad, plain, sealed, out;
	uint8_t key[32], nonce[12];
	int count = 0;

	(void)state;
	buf_init(&ad, MESSAGE_BYTES_MAX);
	buf_init(&plain, MESSAGE_BYTES_MAX);
	buf_init(&sealed, MESSAGE_BYTES_MAX);
	buf_init(&out, MESSAGE_BYTES_MAX);
	vector_open(&v, "wycheproof-chacha20-poly1305.txt");
	while (vector_next(&v, 8)) {
		uint64_t n;
		char both[2 * MESSAGE_BYTES_MAX];

		vector_hex_fixed(v.word[2], key, 32);
		vector_hex_fixed(v.word[3], nonce, 12);
		n = __builtin_bswap64(get_be64(nonce + 4));
		vector_hex(v.word[4], &ad);
		vector_hex(v.word[5], &plain);
		snprintf(both, sizeof(both), "%s%s",
			v.word[6][0] == '-' ? "" : v.word[6], v.word[7]);
		vector_hex(both, &sealed);
		buf_reset(&out);
		assert_non_null(buf_extend(&out, sealed.len));
		assert_int_equal(strcmp(v.word[1], "valid"), 0);
		crypto_seal(
			out.data, key, n, buf_bytes(&ad), buf_bytes(&plain));
		assert_memory_equal(out.data, sealed.data, sealed.len);
		assert_int_equal(crypto_open(out.data, key, n, buf_bytes(&ad),
					 buf_bytes(&sealed)),
			0);
		if (plain.len > 0)
			assert_memory_equal(out.data, plain.data, plain.len);
		sealed.data[sealed.len - 1] ^= 1;
		assert_int_equal(crypto_open(out.data, key, n, buf_bytes(&ad),
					 buf_bytes(&sealed)),
			P2P_ERR_AUTH);
		count++;
	}
	assert_int_equal(count, 10);
	buf_clear(&ad);
	buf_clear(&plain);
	buf_clear(&sealed);
	buf_clear(&out);
}

static void test_aead_works_in_place_and_refuses_short_input(void **state)
{
	uint8_t key[32] = {1}, text[5 + CRYPTO_TAG_BYTES] = "hello";
	struct bytes none = bytes_of(NULL, 0);

	(void)state;
	crypto_seal(text, key, 3, none, bytes_of(text, 5));
	assert_int_equal(
		crypto_open(text, key, 4, none, bytes_of(text, sizeof(text))),
		P2P_ERR_AUTH);
	crypto_seal(text, key, 3, none, bytes_str("hello"));
	assert_int_equal(
		crypto_open(text, key, 3, none, bytes_of(text, sizeof(text))),
		0);
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(crypto_open(text, key, 3, none, bytes_of(text, 15)),
		P2P_ERR_AUTH);
}

static int setup(void **state)
{
	(void)state;
	return crypto_init();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256_of_the_fips_180_examples),
		cmocka_unit_test(test_hmac_takes_keys_of_any_length),
		cmocka_unit_test(test_noise_hkdf_is_rfc_5869_without_info),
		cmocka_unit_test(test_blake2b_joins_its_parts),
		cmocka_unit_test(test_ed25519_signs_as_rfc_8032),
		cmocka_unit_test(test_ed25519_agrees_with_wycheproof),
		cmocka_unit_test(
			test_ed25519_verdicts_on_the_edges_never_change),
		cmocka_unit_test(
			test_ed25519_refuses_small_order_and_odd_encodings),
		cmocka_unit_test(test_ed25519_refuses_s_not_below_the_order),
		cmocka_unit_test(test_x25519_agrees_with_rfc_7748),
		cmocka_unit_test(test_x25519_agrees_with_wycheproof),
		cmocka_unit_test(test_aead_agrees_with_wycheproof),
		cmocka_unit_test(
			test_aead_works_in_place_and_refuses_short_input),
	};

	return cmocka_run_group_tests_name("crypto", tests, setup, NULL);
}
