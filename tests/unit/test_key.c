/* Keys and peer ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/identity/key.h"
#include "tests/lib/vector.h"

/* Made with js-libp2p 3.3 from a seed of 32 bytes of 01. */
#define PUBLIC_HEX \
	"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"
#define SEED_HEX \
	"0101010101010101010101010101010101010101010101010101010101010101"
#define ID_TEXT "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5"
#define ID_CID \
	"bafzaajaiaejcbcui4poxicprsx6vfwznhs5f24wkm4e36hmucin7g5eiag2a6324"
#define NOISE_SIG_HEX \
	"0f8e6a9b52ba043c365dc82a06bf808cd02a3edb8787e418a7bed106954abf55" \
	"cbc5cf014ea418795358dceaccb7c16e5937bac070090e71f1a3b047258dec00"

static void own(struct identity *me)
{
	uint8_t seed[32];

	memset(seed, 1, sizeof(seed));
	identity_from_seed(me, seed);
}

static void check_hex(struct bytes got, const char *want)
{
	struct buf text;

	buf_init(&text, 10000);
	vector_to_hex(got, &text);
	assert_string_equal(buf_cstr(&text), want);
	buf_clear(&text);
}

static void test_own_key_is_the_one_js_makes(void **state)
{
	struct identity me, again;
	struct buf file, text;
	char id[PEER_ID_TEXT_MAX];

	(void)state;
	own(&me);
	check_hex(bytes_of(me.public_pb, sizeof(me.public_pb)),
		"08011220" PUBLIC_HEX);
	check_hex(peer_id_bytes(&me.id), "002408011220" PUBLIC_HEX);
	assert_string_equal(peer_id_text(&me.id, id), ID_TEXT);
	buf_init(&text, 200);
	peer_id_cid_text(&me.id, &text);
	assert_string_equal(buf_cstr(&text), ID_CID);
	buf_init(&file, 200);
	identity_serialize(&me, &file);
	check_hex(buf_bytes(&file), "08011240" SEED_HEX PUBLIC_HEX);
	assert_int_equal(identity_parse(&again, buf_bytes(&file)), 0);
	assert_memory_equal(&again, &me, sizeof(me));
	buf_clear(&file);
	buf_clear(&text);
	identity_wipe(&me);
	assert_true(peer_id_none(&me.id));
}

static void test_private_key_accepts_both_forms_and_checks_them(void **state)
{
	static const struct {
		const char *hex;
		int err;
	} cases[] = {
		{"08011260" SEED_HEX PUBLIC_HEX PUBLIC_HEX, 0},
		{"08011260" SEED_HEX PUBLIC_HEX SEED_HEX, P2P_ERR_MALFORMED},
		{"08011260" SEED_HEX SEED_HEX SEED_HEX, P2P_ERR_MALFORMED},
		{"08011240" SEED_HEX SEED_HEX, P2P_ERR_MALFORMED},
		{"08011220" SEED_HEX, P2P_ERR_MALFORMED},
		{"08011240" SEED_HEX PUBLIC_HEX "00", P2P_ERR_MALFORMED},
		{"08021220" SEED_HEX, P2P_ERR_UNSUPPORTED},
		{"08041220" SEED_HEX, P2P_ERR_UNSUPPORTED},
		{"-", P2P_ERR_MALFORMED},
	};
	struct identity me;
	struct buf pb;

	(void)state;
	buf_init(&pb, 200);
	for (size_t i = 0; i < P2P_ARRAY_LEN(cases); i++) {
		vector_hex(cases[i].hex, &pb);
		assert_int_equal(
			identity_parse(&me, buf_bytes(&pb)), cases[i].err);
		assert_int_equal(peer_id_none(&me.id), cases[i].err != 0);
	}
	buf_clear(&pb);
}

/* The texts are js-libp2p's; that of the ECDSA key, which it cannot read, is
 * made by the spec's rules. */
static void check_spec_id(const char *kind, const struct peer_id *id)
{
	static const char *const ids[][2] = {
		{"ecdsa", "QmVMT29id3TUASyfZZ6k9hmNyc2nYabCo4uMSpDw4zrgDk"},
		{"ed25519",
			"12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"},
		{"secp256k1", "16Uiu2HAmLhLvBoYaoZfaMUKuibM6ac163GwKY74c5kiSLg5"
			      "KvLpY"},
		{"rsa", "QmaeANgBs1DTSxWSrPPtobgQuxW8XTfsS4ydbK4rCHzqxG"},
	};
	char text[PEER_ID_TEXT_MAX];
	struct peer_id back;

	for (size_t i = 0; i < P2P_ARRAY_LEN(ids); i++) {
		if (strcmp(ids[i][0], kind) != 0)
			continue;
		assert_string_equal(peer_id_text(id, text), ids[i][1]);
		assert_int_equal(
			peer_id_parse_text(&back, bytes_str(ids[i][1])), 0);
		assert_true(peer_id_equal(&back, id));
		return;
	}
	fail_msg("no id of a key of kind %s", kind);
}

static void test_keys_of_the_peer_ids_spec(void **state)
{
	struct vector_file v;
	struct buf pb, secret;
	struct identity me;
	struct public_key key;
	struct peer_id id;
	int count = 0;

	(void)state;
	buf_init(&pb, 4096);
	buf_init(&secret, 4096);
	vector_open(&v, "peer-id-keys.txt");
	while (vector_next(&v, 3)) {
		bool ours = strcmp(v.word[0], "ed25519") == 0;
		bool small = strcmp(v.word[0], "secp256k1") == 0 || ours;
		int err = ours ? 0 : P2P_ERR_UNSUPPORTED;

		vector_hex(v.word[2], &pb);
		count++;
		if (strcmp(v.word[1], "private") == 0) {
			assert_int_equal(
				identity_parse(&me, buf_bytes(&pb)), err);
			continue;
		}
		assert_int_equal(public_key_parse(&key, buf_bytes(&pb)), 0);
		/* The private line stands before the public one. */
		if (ours)
			assert_memory_equal(me.public_pb, pb.data, pb.len);
		peer_id_of_key(&id, buf_bytes(&pb));
		check_spec_id(v.word[0], &id);
		assert_int_equal(id.len, small ? pb.len + 2 : 34);
		assert_int_equal(id.raw[0], small ? 0x00 : 0x12);
		assert_true(bytes_equal(peer_id_key(&id),
			small ? buf_bytes(&pb) : bytes_of(NULL, 0)));
	}
	assert_int_equal(count, 8);
	buf_clear(&pb);
	buf_clear(&secret);
}

/* The examples of the peer-ids spec, "Decoding", and our own vector. */
static void test_peer_id_has_three_text_forms(void **state)
{
	static const char *const pairs[][2] = {
		{"bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe",
			"QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"},
		{"QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
			"QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"},
		{"12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA",
			"12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"},
		{ID_CID, ID_TEXT},
		{"k51qzi5uqu5djmw2yvf8kk5cdjc1ddc00o4d5sjwi6f79xzcay9j3gkddw5uu"
		 "4",
			ID_TEXT},
	};
	struct peer_id id;
	char text[PEER_ID_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(pairs); i++) {
		assert_int_equal(
			peer_id_parse_text(&id, bytes_str(pairs[i][0])), 0);
		assert_string_equal(peer_id_text(&id, text), pairs[i][1]);
	}
}

static void test_peer_id_refuses_what_is_none(void **state)
{
	static const char *const texts[] = {"", "1", "Qm", "hello", "12D3KooW",
		"bafkreibtomzah3lva2fjxe3pqlqv4hm4qhixccm6aoyanqsjlfvbtlzun4",
		"12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5 "};
	static const char *const raws[] = {"-", "00", "0000", "000201", "1220",
		"000301", "120100", "0001aabb", "112000"};
	struct peer_id id;
	struct buf raw;

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(texts); i++)
		assert_int_equal(peer_id_parse_text(&id, bytes_str(texts[i])),
			P2P_ERR_MALFORMED);
	buf_init(&raw, 200);
	for (size_t i = 0; i < P2P_ARRAY_LEN(raws); i++) {
		vector_hex(raws[i], &raw);
		assert_int_equal(
			peer_id_parse(&id, buf_bytes(&raw)), P2P_ERR_MALFORMED);
	}
	/* 42 bytes are the most that an id holds whole. */
	buf_reset(&raw);
	buf_append_u8(&raw, 0);
	buf_append_u8(&raw, 42);
	memset(buf_extend(&raw, 42), 7, 42);
	assert_int_equal(peer_id_parse(&id, buf_bytes(&raw)), 0);
	raw.data[1] = 43;
	buf_append_u8(&raw, 7);
	assert_int_equal(
		peer_id_parse(&id, buf_bytes(&raw)), P2P_ERR_MALFORMED);
	buf_clear(&raw);
}

static void test_longest_peer_id_has_a_text(void **state)
{
	struct peer_id id = {.len = PEER_ID_BYTES_MAX};
	char text[PEER_ID_TEXT_MAX];

	(void)state;
	memset(id.raw, 0xff, sizeof(id.raw));
	assert_true(strlen(peer_id_text(&id, text)) < PEER_ID_TEXT_MAX);
	assert_true(strlen(text) > 59);
}

static void test_public_key_is_strict(void **state)
{
	static const struct {
		const char *hex;
		int err;
	} cases[] = {
		{"08011220" PUBLIC_HEX, 0},
		{"1220" PUBLIC_HEX "0801", P2P_ERR_MALFORMED},
		{"08011220" PUBLIC_HEX "1801", P2P_ERR_MALFORMED},
		{"08011221" PUBLIC_HEX "00", P2P_ERR_MALFORMED},
		{"1220" PUBLIC_HEX, P2P_ERR_MALFORMED},
		{"0801", P2P_ERR_MALFORMED},
		{"0881001220" PUBLIC_HEX, P2P_ERR_MALFORMED},
		{"08021221" PUBLIC_HEX "00", 0},
		{"08021220" PUBLIC_HEX, P2P_ERR_MALFORMED},
		{"08021222" PUBLIC_HEX "0000", P2P_ERR_MALFORMED},
		{"08001200", 0},
		{"08051220" PUBLIC_HEX, P2P_ERR_UNSUPPORTED},
	};
	struct public_key key;
	struct buf pb;

	(void)state;
	buf_init(&pb, 4096);
	for (size_t i = 0; i < P2P_ARRAY_LEN(cases); i++) {
		vector_hex(cases[i].hex, &pb);
		assert_int_equal(
			public_key_parse(&key, buf_bytes(&pb)), cases[i].err);
	}
	buf_reset(&pb);
	memset(buf_extend(&pb, KEY_PB_BYTES_MAX + 1), 0, KEY_PB_BYTES_MAX + 1);
	assert_int_equal(
		public_key_parse(&key, buf_bytes(&pb)), P2P_ERR_MALFORMED);
	buf_clear(&pb);
}

static void test_signature_of_a_noise_static_key(void **state)
{
	uint8_t message[24 + 32] = "noise-libp2p-static-key:";
	uint8_t sig[64], want[64];
	struct identity me;
	struct public_key key;

	(void)state;
	own(&me);
	crypto_ed25519_sign(sig, me.secret, bytes_of(message, sizeof(message)));
	vector_hex_fixed(NOISE_SIG_HEX, want, sizeof(want));
	assert_memory_equal(sig, want, sizeof(sig));
	assert_int_equal(public_key_parse(&key, peer_id_key(&me.id)), 0);
	assert_int_equal(
		public_key_verify(&key, bytes_of(message, sizeof(message)),
			bytes_of(sig, sizeof(sig))),
		0);
	assert_int_equal(
		public_key_verify(&key, bytes_of(message, sizeof(message)),
			bytes_of(sig, sizeof(sig) - 1)),
		P2P_ERR_AUTH);
	message[30] = 1;
	assert_int_equal(
		public_key_verify(&key, bytes_of(message, sizeof(message)),
			bytes_of(sig, sizeof(sig))),
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
		cmocka_unit_test(test_own_key_is_the_one_js_makes),
		cmocka_unit_test(
			test_private_key_accepts_both_forms_and_checks_them),
		cmocka_unit_test(test_keys_of_the_peer_ids_spec),
		cmocka_unit_test(test_peer_id_has_three_text_forms),
		cmocka_unit_test(test_peer_id_refuses_what_is_none),
		cmocka_unit_test(test_longest_peer_id_has_a_text),
		cmocka_unit_test(test_public_key_is_strict),
		cmocka_unit_test(test_signature_of_a_noise_static_key),
	};

	return cmocka_run_group_tests_name("key", tests, setup, NULL);
}
