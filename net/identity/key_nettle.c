/*
 * RSA and ECDSA keys of peers, by nettle: only checking, never signing. The
 * forms are the shortest DER that there is and nothing else, compared with
 * fixed bytes where they cannot vary; nettle reads the numbers. Sizes are
 * bounded before any arithmetic, as its cost grows with them.
 */
#include "net/identity/key_nettle.h"

#include <nettle/asn1.h>
#include <nettle/bignum.h>
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecdsa.h>
#include <nettle/rsa.h>
#include <nettle/version.h>

#include "net/identity/crypto.h"

#define STRING2(x) #x
#define STRING(x) STRING2(x)

/* DER's tags, as far as the fixed bytes need them. */
#define DER_SEQUENCE 0x30
#define DER_BITS 0x03
/* The form of a length from 256 to 65535: this byte, then two. */
#define DER_LENGTH_2 0x82
#define DER_HEAD_2 4
#define DER_LENGTH_1_MAX 127

const char *key_nettle_version(void)
{
	return STRING(NETTLE_VERSION_MAJOR) "." STRING(NETTLE_VERSION_MINOR);
}

/* What a number's canonical INTEGER takes: tag, length, and a zero in front
 * when the top bit is set. */
static size_t der_integer_bytes(const mpz_t n)
{
	size_t len = mpz_sizeinbase(n, 2) / 8 + 1;
	size_t head = len <= DER_LENGTH_1_MAX ? 2 : len <= 255 ? 3 : 4;

	return head + len;
}

/* What a SEQUENCE of that content takes. */
static size_t der_sequence_bytes(size_t content)
{
	size_t head = content <= DER_LENGTH_1_MAX ? 2 : content <= 255 ? 3 : 4;

	return head + content;
}

/* An INTEGER, not negative, of at most so many bits. The library does not look
 * at the tag. */
static bool read_integer(struct asn1_der_iterator *it, mpz_t n, unsigned bits)
{
	return it->type == ASN1_INTEGER && asn1_der_get_bignum(it, n, bits) &&
	       mpz_sgn(n) >= 0;
}

/* SEQUENCE { INTEGER, INTEGER } and nothing else, in the shortest spelling,
 * which is the only one that is as short. */
static bool read_pair(mpz_t a, mpz_t b, struct bytes in, unsigned bits)
{
	struct asn1_der_iterator it;

	return in.len > 0 &&
	       asn1_der_iterator_first(&it, in.len, in.data) ==
		       ASN1_ITERATOR_CONSTRUCTED &&
	       it.type == ASN1_SEQUENCE &&
	       asn1_der_decode_constructed_last(&it) ==
		       ASN1_ITERATOR_PRIMITIVE &&
	       read_integer(&it, a, bits) &&
	       asn1_der_iterator_next(&it) == ASN1_ITERATOR_PRIMITIVE &&
	       read_integer(&it, b, bits) &&
	       asn1_der_iterator_next(&it) == ASN1_ITERATOR_END &&
	       in.len == der_sequence_bytes(
				 der_integer_bytes(a) + der_integer_bytes(b));
}

/* ---- RSA --------------------------------------------------------------- */

/* AlgorithmIdentifier { rsaEncryption, NULL } (RFC 8017 appendix A.1). */
static const uint8_t rsa_algorithm[] = {DER_SEQUENCE, 0x0d, 0x06, 0x09, 0x2a,
	0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

/* SEQUENCE, algorithm, BIT STRING with no unused bits. */
#define RSA_HEAD_BYTES (2 * DER_HEAD_2 + 1 + sizeof(rsa_algorithm))
/* The modulus, its own head and that of the sequence, an exponent. */
#define RSA_SPKI_BYTES_MAX (RSA_HEAD_BYTES + KEY_RSA_BITS_MAX / 8 + 1 + 16)

static uint8_t *put_head_2(uint8_t *to, uint8_t tag, size_t len)
{
	to[0] = tag;
	to[1] = DER_LENGTH_2;
	to[2] = (uint8_t)(len >> 8);
	to[3] = (uint8_t)len;
	return to + DER_HEAD_2;
}

/*
 * The RSAPublicKey inside. Keys that are large enough all have lengths of two
 * bytes, so the head follows from the length of the whole.
 */
static int rsa_inner(struct bytes spki, struct bytes *inner)
{
	uint8_t head[RSA_HEAD_BYTES];
	uint8_t *to;

	if (spki.len < KEY_RSA_BITS_MIN / 8 || spki.len > RSA_SPKI_BYTES_MAX)
		return P2P_ERR_MALFORMED;
	to = put_head_2(head, DER_SEQUENCE, spki.len - DER_HEAD_2);
	memcpy(to, rsa_algorithm, sizeof(rsa_algorithm));
	to = put_head_2(to + sizeof(rsa_algorithm), DER_BITS,
		spki.len - sizeof(head) + 1);
	*to = 0;
	if (memcmp(spki.data, head, sizeof(head)) != 0)
		return P2P_ERR_MALFORMED;
	*inner = bytes_of(spki.data + sizeof(head), spki.len - sizeof(head));
	return 0;
}

/* An even modulus is no product of two large primes. */
static bool rsa_key_is_right(const struct rsa_public_key *key)
{
	size_t bits = mpz_sizeinbase(key->n, 2);

	return bits >= KEY_RSA_BITS_MIN && bits <= KEY_RSA_BITS_MAX &&
	       mpz_odd_p(key->n) && mpz_odd_p(key->e) &&
	       mpz_cmp_ui(key->e, 1) > 0 &&
	       mpz_sizeinbase(key->e, 2) <= KEY_RSA_EXPONENT_BITS_MAX;
}

static int rsa_check(const struct rsa_public_key *key, struct bytes message,
	struct bytes sig)
{
	uint8_t digest[CRYPTO_HASH_BYTES];
	mpz_t s;
	int good;

	/* Exactly as long as the modulus (RFC 8017 section 8.2.2, step 1). */
	if (sig.len != key->size)
		return P2P_ERR_AUTH;
	crypto_sha256(digest, message);
	mpz_init(s);
	mpz_import(s, sig.len, 1, 1, 0, 0, sig.data);
	good = rsa_sha256_verify_digest(key, digest, s);
	mpz_clear(s);
	return good ? 0 : P2P_ERR_AUTH;
}

/* key was initialised. */
static bool rsa_read_key(struct rsa_public_key *key, struct bytes spki)
{
	struct bytes inner;

	return rsa_inner(spki, &inner) == 0 &&
	       read_pair(key->n, key->e, inner, KEY_RSA_BITS_MAX) &&
	       rsa_key_is_right(key) && rsa_public_key_prepare(key);
}

int key_nettle_rsa(struct bytes spki, struct bytes message, struct bytes sig)
{
	struct rsa_public_key key;
	int err;

	rsa_public_key_init(&key);
	err = rsa_read_key(&key, spki) ? rsa_check(&key, message, sig)
				       : P2P_ERR_MALFORMED;
	rsa_public_key_clear(&key);
	return err;
}

bool key_nettle_rsa_is_plain(struct bytes spki, struct bytes sig)
{
	struct rsa_public_key key;
	bool plain;

	rsa_public_key_init(&key);
	plain = rsa_read_key(&key, spki) && sig.len == key.size;
	rsa_public_key_clear(&key);
	return plain;
}

/* ---- ECDSA ------------------------------------------------------------- */

/* The bytes before the point: id-ecPublicKey, the curve, BIT STRING, 04 for
 * an uncompressed point (RFC 5480). */
static const uint8_t p256_head[] = {DER_SEQUENCE, 0x59, DER_SEQUENCE, 0x13,
	0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
	0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, DER_BITS, 0x42, 0x00, 0x04};
static const uint8_t p384_head[] = {DER_SEQUENCE, 0x76, DER_SEQUENCE, 0x10,
	0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
	0x81, 0x04, 0x00, 0x22, DER_BITS, 0x62, 0x00, 0x04};
static const uint8_t p521_head[] = {DER_SEQUENCE, 0x81, 0x9b, DER_SEQUENCE,
	0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05,
	0x2b, 0x81, 0x04, 0x00, 0x23, DER_BITS, 0x81, 0x86, 0x00, 0x04};

static const struct {
	const struct ecc_curve *(*curve)(void);
	struct bytes head;
	size_t coordinate_bytes;
	unsigned bits;
	const char *order; /* of the group, hexadecimal (FIPS 186-4, D.1.2) */
} curves[] = {
	{nettle_get_secp_256r1, {p256_head, sizeof(p256_head)}, 32, 256,
		"ffffffff00000000ffffffffffffffff"
		"bce6faada7179e84f3b9cac2fc632551"},
	{nettle_get_secp_384r1, {p384_head, sizeof(p384_head)}, 48, 384,
		"ffffffffffffffffffffffffffffffffffffffffffffffff"
		"c7634d81f4372ddf581a0db248b0a77aecec196accc52973"},
	{nettle_get_secp_521r1, {p521_head, sizeof(p521_head)}, 66, 521,
		"01ffffffffffffffffffffffffffffffffffffffffff"
		"fffffffffffffffffffffffa51868783bf2f966b7fcc"
		"0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"},
};

/* The row of the table whose head and length the key has, or -1. */
static int curve_of(struct bytes spki)
{
	for (size_t i = 0; i < P2P_ARRAY_LEN(curves); i++) {
		struct bytes head = curves[i].head;

		if (spki.len == head.len + 2 * curves[i].coordinate_bytes &&
			memcmp(spki.data, head.data, head.len) == 0)
			return (int)i;
	}
	return -1;
}

/* The point, which must be on the curve. */
static bool read_point(struct ecc_point *point, const uint8_t *at, size_t len)
{
	mpz_t x, y;
	int good;

	mpz_init(x);
	mpz_init(y);
	mpz_import(x, len, 1, 1, 0, 0, at);
	mpz_import(y, len, 1, 1, 0, 0, at + len);
	good = ecc_point_set(point, x, y);
	mpz_clear(x);
	mpz_clear(y);
	return good != 0;
}

static bool same_point(const struct ecc_point *a, const struct ecc_point *b)
{
	mpz_t ax, ay, bx, by;
	bool same;

	mpz_inits(ax, ay, bx, by, NULL);
	ecc_point_get(a, ax, ay);
	ecc_point_get(b, bx, by);
	same = mpz_cmp(ax, bx) == 0 && mpz_cmp(ay, by) == 0;
	mpz_clears(ax, ay, bx, by, NULL);
	return same;
}

/* Both numbers are above zero and below the order: G times u1 is Q times u2,
 * and the x of G times 2 u1 is r. */
static bool halves_are_equal(const struct ecc_curve *curve,
	const struct ecc_point *q, mpz_t u[2], const mpz_t order, const mpz_t r)
{
	struct ecc_scalar k[2];
	struct ecc_point a, b;
	mpz_t x;
	bool good;

	ecc_point_init(&a, curve);
	ecc_point_init(&b, curve);
	ecc_scalar_init(&k[0], curve);
	ecc_scalar_init(&k[1], curve);
	mpz_init(x);
	good = ecc_scalar_set(&k[0], u[0]) && ecc_scalar_set(&k[1], u[1]);
	if (good) {
		ecc_point_mul_g(&a, &k[0]);
		ecc_point_mul(&b, &k[1], q);
		good = same_point(&a, &b);
	}
	mpz_add(x, u[0], u[0]);
	mpz_mod(x, x, order);
	if (good && ecc_scalar_set(&k[0], x)) {
		ecc_point_mul_g(&a, &k[0]);
		ecc_point_get(&a, x, NULL);
		mpz_mod(x, x, order);
		good = mpz_cmp(x, r) == 0;
	} else {
		good = false;
	}
	mpz_clear(x);
	ecc_scalar_clear(&k[0]);
	ecc_scalar_clear(&k[1]);
	ecc_point_clear(&a);
	ecc_point_clear(&b);
	return good;
}

/*
 * The signature that nettle refuses although it is good: where the two points
 * to be added are the same, its addition fails (Wycheproof, "point duplication
 * during verification"). Only the key's owner can make one, but others accept
 * it, and who passes it on is not to be blamed. SEC 1 section 4.1.4.
 */
static bool is_doubling(int row, const struct ecc_point *q,
	const uint8_t digest[static CRYPTO_HASH_BYTES],
	const struct dsa_signature *rs)
{
	mpz_t order, w, u[2];
	bool good = false;

	mpz_inits(order, w, u[0], u[1], NULL);
	mpz_set_str(order, curves[row].order, 16);
	mpz_import(u[0], CRYPTO_HASH_BYTES, 1, 1, 0, 0, digest);
	if (mpz_sgn(rs->r) > 0 && mpz_cmp(rs->r, order) < 0 &&
		mpz_sgn(rs->s) > 0 && mpz_cmp(rs->s, order) < 0 &&
		mpz_invert(w, rs->s, order) != 0) {
		mpz_mul(u[0], u[0], w);
		mpz_mod(u[0], u[0], order);
		mpz_mul(u[1], rs->r, w);
		mpz_mod(u[1], u[1], order);
		good = mpz_sgn(u[0]) > 0 &&
		       halves_are_equal(
			       curves[row].curve(), q, u, order, rs->r);
	}
	mpz_clears(order, w, u[0], u[1], NULL);
	return good;
}

int key_nettle_ecdsa(struct bytes spki, struct bytes message, struct bytes sig)
{
	int row = curve_of(spki);
	uint8_t digest[CRYPTO_HASH_BYTES];
	struct ecc_point point;
	struct dsa_signature rs;
	int err = P2P_ERR_AUTH;

	if (row < 0)
		return P2P_ERR_MALFORMED;
	ecc_point_init(&point, curves[row].curve());
	dsa_signature_init(&rs);
	crypto_sha256(digest, message);
	if (!read_point(&point, spki.data + curves[row].head.len,
		    curves[row].coordinate_bytes))
		err = P2P_ERR_MALFORMED;
	/* That both are above zero and below the order, the library checks. */
	else if (read_pair(rs.r, rs.s, sig, curves[row].bits) &&
		 (ecdsa_verify(&point, sizeof(digest), digest, &rs) ||
			 is_doubling(row, &point, digest, &rs)))
		err = 0;
	dsa_signature_clear(&rs);
	ecc_point_clear(&point);
	return err;
}

bool key_nettle_ecdsa_is_plain(struct bytes spki, struct bytes sig)
{
	int row = curve_of(spki);
	struct ecc_point point;
	struct dsa_signature rs;
	bool plain;

	if (row < 0)
		return false;
	ecc_point_init(&point, curves[row].curve());
	dsa_signature_init(&rs);
	plain = read_point(&point, spki.data + curves[row].head.len,
			curves[row].coordinate_bytes) &&
		read_pair(rs.r, rs.s, sig, curves[row].bits);
	dsa_signature_clear(&rs);
	ecc_point_clear(&point);
	return plain;
}
