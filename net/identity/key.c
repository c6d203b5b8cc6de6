/*
 * Keys in libp2p's protobuf, own and others'. Only one spelling of a key is
 * taken, for a peer's id is made from its bytes. An own key is always Ed25519;
 * the kinds of others that were not built in are refused with a word of their
 * own, since such a peer is not at fault.
 */
#include "net/identity/key.h"

#include "base/cursor.h"
#include "net/identity/key_nettle.h"
#include "net/identity/key_secp256k1.h"
#include "net/wire/pb.h"

#define SEED_BYTES 32
/* Seed, public key, and the public key once more. */
#define SECRET_OLD_BYTES 96
/* Largest private key whose kind is told (RSA of 8192 bits, in DER). */
#define KEY_SECRET_PB_BYTES_MAX 8192

struct key_pb {
	uint64_t kind;
	struct bytes data;
};

static const struct pb_rule key_rules[] = {
	{1, PB_KIND_U64, PB_REQUIRED, offsetof(struct key_pb, kind), 0, 0, 0},
	{2, PB_KIND_VIEW, PB_REQUIRED, offsetof(struct key_pb, data), 0,
		KEY_SECRET_PB_BYTES_MAX, 0},
};

static const struct pb_schema key_schema = {.rules = key_rules,
	.rule_count = P2P_ARRAY_LEN(key_rules),
	.strict = true};

/* The form that all kinds share, private and public. */
static int read_key(struct key_pb *key, struct bytes pb)
{
	*key = (struct key_pb){0};
	if (pb_read(&key_schema, pb, key, NULL) != 0)
		return P2P_ERR_MALFORMED;
	return key->kind <= KEY_KIND_ECDSA ? 0 : P2P_ERR_UNSUPPORTED;
}

/* ---- own key ------------------------------------------------------------ */

void identity_from_seed(struct identity *me, const uint8_t seed[static 32])
{
	static const uint8_t head[] = {
		0x08, KEY_KIND_ED25519, 0x12, CRYPTO_KEY_BYTES};

	*me = (struct identity){0};
	crypto_ed25519_keypair(me->secret, seed);
	memcpy(me->public_pb, head, sizeof(head));
	memcpy(me->public_pb + sizeof(head), me->secret + SEED_BYTES,
		CRYPTO_KEY_BYTES);
	peer_id_of_key(&me->id, bytes_of(me->public_pb, sizeof(me->public_pb)));
}

void identity_wipe(struct identity *me)
{
	crypto_wipe(me, sizeof(*me));
}

static bool secret_form_is_right(struct bytes data)
{
	if (data.len == SECRET_OLD_BYTES)
		return crypto_equal(data.data + SEED_BYTES,
			data.data + CRYPTO_SECRET_BYTES, CRYPTO_KEY_BYTES);
	return data.len == CRYPTO_SECRET_BYTES;
}

int identity_parse(struct identity *me, struct bytes pb)
{
	struct key_pb key;
	int err = read_key(&key, pb);

	*me = (struct identity){0};
	if (err != 0)
		return err;
	if (key.kind != KEY_KIND_ED25519)
		return P2P_ERR_UNSUPPORTED;
	if (!secret_form_is_right(key.data))
		return P2P_ERR_MALFORMED;
	identity_from_seed(me, key.data.data);
	if (crypto_equal(me->secret, key.data.data, CRYPTO_SECRET_BYTES))
		return 0;
	identity_wipe(me);
	return P2P_ERR_MALFORMED;
}

void identity_serialize(const struct identity *me, struct buf *out)
{
	pb_put_uint(out, 1, KEY_KIND_ED25519);
	pb_put_bytes(out, 2, bytes_of(me->secret, sizeof(me->secret)));
}

/* ---- somebody's --------------------------------------------------------- */

int public_key_parse(struct public_key *key, struct bytes pb)
{
	struct key_pb form;
	int err = pb.len > KEY_PB_BYTES_MAX ? P2P_ERR_MALFORMED
					    : read_key(&form, pb);

	*key = (struct public_key){0};
	if (err != 0)
		return err;
	if (form.kind == KEY_KIND_ED25519 && form.data.len != CRYPTO_KEY_BYTES)
		return P2P_ERR_MALFORMED;
	if (form.kind == KEY_KIND_SECP256K1 &&
		form.data.len != KEY_SECP256K1_BYTES)
		return P2P_ERR_MALFORMED;
	key->kind = (enum key_kind)form.kind;
	key->data = form.data;
	return 0;
}

int public_key_verify(
	const struct public_key *key, struct bytes message, struct bytes sig)
{
	switch (key->kind) {
	case KEY_KIND_ED25519:
		if (sig.len != CRYPTO_SIG_BYTES)
			return P2P_ERR_AUTH;
		return crypto_ed25519_verify(sig.data, key->data.data, message);
	case KEY_KIND_SECP256K1:
		return key_secp256k1_verify(key->data, message, sig);
	case KEY_KIND_RSA:
		return key_nettle_rsa(key->data, message, sig);
	case KEY_KIND_ECDSA:
		return key_nettle_ecdsa(key->data, message, sig);
	}
	return P2P_ERR_UNSUPPORTED;
}

bool public_key_refusal_is_sure(const struct public_key *key, struct bytes sig)
{
	switch (key->kind) {
	case KEY_KIND_SECP256K1:
		return key_secp256k1_is_plain(key->data, sig);
	case KEY_KIND_RSA:
		return key_nettle_rsa_is_plain(key->data, sig);
	case KEY_KIND_ECDSA:
		return key_nettle_ecdsa_is_plain(key->data, sig);
	case KEY_KIND_ED25519:
		break;
	}
	return false;
}

bool public_key_not_built(int err)
{
	return err == P2P_ERR_NO_RSA || err == P2P_ERR_NO_ECDSA ||
	       err == P2P_ERR_NO_SECP256K1;
}
