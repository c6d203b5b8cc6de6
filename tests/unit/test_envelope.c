/* Signed envelopes and peer records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/identity/peer_record.h"
#include "net/wire/multiaddr.h"
#include "net/wire/pb.h"
#include "tests/lib/vector.h"

/* Made with js-libp2p 3.3: seq 1, /ip4/127.0.0.1/tcp/4001, key of 32 times
 * 01. */
#define PUBLIC_HEX \
	"8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"
#define RECORD_HEX \
	"0a2408011220" PUBLIC_HEX "12020301" \
	"1a360a26002408011220" PUBLIC_HEX "10011a0a0a08047f000001060fa1" \
	"2a405952f57af52b9b47bcc535948fb676f46e91cbf51966f2efb7f0232827007dcf" \
	"d3ed3907dac95a4d73cf3ed767a42108017b8fcdd9f18413dcd18ed8a043de0f"

static struct identity me, other;

static void test_peer_record_is_the_one_js_makes(void **state)
{
	struct peer_record r, mine = {.seq = 1};
	struct buf raw, out, text;

	(void)state;
	buf_init(&raw, ENVELOPE_BYTES_MAX);
	buf_init(&out, ENVELOPE_BYTES_MAX);
	buf_init(&text, 200);
	vector_hex(RECORD_HEX, &raw);
	assert_int_equal(peer_record_open(&r, buf_bytes(&raw)), 0);
	assert_true(peer_id_equal(&r.peer, &me.id));
	assert_int_equal(r.seq, 1);
	assert_int_equal(r.addr_count, 1);
	assert_int_equal(multiaddr_to_text(r.addrs[0], &text), 0);
	assert_string_equal(buf_cstr(&text), "/ip4/127.0.0.1/tcp/4001");
	mine.addrs[0] = r.addrs[0];
	mine.addr_count = 1;
	assert_int_equal(peer_record_seal(&me, &mine, &out), 0);
	assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&raw)));
	buf_clear(&raw);
	buf_clear(&out);
	buf_clear(&text);
}

static void test_envelope_with_any_bit_changed_is_refused(void **state)
{
	struct peer_record r;
	struct buf raw;

	(void)state;
	buf_init(&raw, ENVELOPE_BYTES_MAX);
	vector_hex(RECORD_HEX, &raw);
	for (size_t i = 0; i < raw.len * 8; i++) {
		raw.data[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(peer_record_open(&r, buf_bytes(&raw)), 0);
		assert_true(peer_id_none(&r.peer));
		raw.data[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t n = 0; n < raw.len; n++)
		assert_int_not_equal(
			peer_record_open(&r, bytes_first(buf_bytes(&raw), n)),
			0);
	buf_clear(&raw);
}

static void test_envelope_is_bound_to_its_purpose(void **state)
{
	struct envelope e;
	struct buf raw;
	struct envelope_kind odd = {"another-domain", {0x03, 0x01}};

	(void)state;
	buf_init(&raw, ENVELOPE_BYTES_MAX);
	assert_int_equal(envelope_seal(&me, &envelope_relay_voucher,
				 bytes_str("p"), &raw),
		0);
	assert_int_equal(
		envelope_open(&e, &envelope_relay_voucher, buf_bytes(&raw)), 0);
	assert_true(bytes_equal(e.payload, bytes_str("p")));
	assert_true(peer_id_equal(&e.signer, &me.id));
	/* Another type, and the same type signed for another domain. */
	assert_int_equal(
		envelope_open(&e, &envelope_peer_record, buf_bytes(&raw)),
		P2P_ERR_MALFORMED);
	buf_reset(&raw);
	assert_int_equal(envelope_seal(&me, &odd, bytes_str("p"), &raw), 0);
	assert_int_equal(
		envelope_open(&e, &envelope_peer_record, buf_bytes(&raw)),
		P2P_ERR_AUTH);
	assert_null(e.payload.data);
	/* An empty payload survives. */
	buf_reset(&raw);
	assert_int_equal(envelope_seal(&me, &envelope_peer_record,
				 bytes_of(NULL, 0), &raw),
		0);
	assert_int_equal(
		envelope_open(&e, &envelope_peer_record, buf_bytes(&raw)), 0);
	assert_int_equal(e.payload.len, 0);
	buf_clear(&raw);
}

static void put_record(const struct identity *signer, const struct peer_id *of,
	size_t addr_count, struct buf *out)
{
	/* In order, of a kind that is not known here, cut off. */
	const struct bytes kinds[] = {bytes_of("\x04\x7f\0\0\1", 5),
		bytes_of("\x07", 1), bytes_of("\x04\x7f\0\0", 4)};
	struct buf payload;

	buf_init(&payload, ENVELOPE_BYTES_MAX);
	pb_put_bytes(&payload, 1, peer_id_bytes(of));
	pb_put_uint(&payload, 2, 5);
	for (size_t i = 0; i < addr_count; i++) {
		size_t mark = pb_begin(&payload, 3);

		pb_put_bytes(&payload, 1, kinds[i % P2P_ARRAY_LEN(kinds)]);
		pb_end(&payload, mark);
	}
	buf_reset(out);
	assert_int_equal(envelope_seal(signer, &envelope_peer_record,
				 buf_bytes(&payload), out),
		0);
	buf_clear(&payload);
}

static void test_peer_record_speaks_of_its_signer_only(void **state)
{
	struct peer_record r;
	struct buf raw;

	(void)state;
	buf_init(&raw, ENVELOPE_BYTES_MAX);
	put_record(&other, &me.id, 1, &raw);
	assert_int_equal(peer_record_open(&r, buf_bytes(&raw)), P2P_ERR_AUTH);
	put_record(&other, &other.id, 1, &raw);
	assert_int_equal(peer_record_open(&r, buf_bytes(&raw)), 0);
	buf_clear(&raw);
}

static void test_peer_record_drops_odd_addresses_and_cuts(void **state)
{
	struct peer_record r;
	struct buf raw;

	(void)state;
	buf_init(&raw, ENVELOPE_BYTES_MAX);
	put_record(&me, &me.id, 6, &raw);
	assert_int_equal(peer_record_open(&r, buf_bytes(&raw)), 0);
	assert_int_equal(r.addr_count, 4);
	assert_true(bytes_equal(r.addrs[1], bytes_of("\x07", 1)));
	put_record(&me, &me.id, 4 * PEER_RECORD_ADDRS_MAX, &raw);
	assert_int_equal(peer_record_open(&r, buf_bytes(&raw)), 0);
	assert_int_equal(r.addr_count, PEER_RECORD_ADDRS_MAX);
	buf_clear(&raw);
}

static void test_envelope_has_a_size_limit(void **state)
{
	static uint8_t large[ENVELOPE_BYTES_MAX + 1];
	struct envelope e;
	struct buf raw;

	(void)state;
	buf_init(&raw, 4 * ENVELOPE_BYTES_MAX);
	assert_int_equal(envelope_seal(&me, &envelope_peer_record,
				 bytes_of(large, ENVELOPE_BYTES_MAX), &raw),
		P2P_ERR_TOO_BIG);
	assert_int_equal(raw.len, 0);
	assert_int_equal(envelope_open(&e, &envelope_peer_record,
				 bytes_of(large, sizeof(large))),
		P2P_ERR_TOO_BIG);
	buf_clear(&raw);
}

static int setup(void **state)
{
	uint8_t seed[32];

	(void)state;
	if (crypto_init() != 0)
		return -1;
	memset(seed, 1, sizeof(seed));
	identity_from_seed(&me, seed);
	memset(seed, 2, sizeof(seed));
	identity_from_seed(&other, seed);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peer_record_is_the_one_js_makes),
		cmocka_unit_test(test_envelope_with_any_bit_changed_is_refused),
		cmocka_unit_test(test_envelope_is_bound_to_its_purpose),
		cmocka_unit_test(test_peer_record_speaks_of_its_signer_only),
		cmocka_unit_test(test_peer_record_drops_odd_addresses_and_cuts),
		cmocka_unit_test(test_envelope_has_a_size_limit),
	};

	return cmocka_run_group_tests_name("envelope", tests, setup, NULL);
}
