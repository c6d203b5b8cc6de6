/*
 * The pattern XX, token by token, in the order of the specification's sections.
 * Reading and writing a message walk the same table, so the two sides cannot
 * differ in what they mix. Secrets are wiped as soon as they are mixed in.
 */
#include "net/upgrade/noise_core.h"

/* Section 8: a name of at most 32 bytes is the first hash as it stands. */
static const char protocol_name[] = "Noise_XX_25519_ChaChaPoly_SHA256";
_Static_assert(sizeof(protocol_name) - 1 == CRYPTO_HASH_BYTES, "no padding");

enum token { TOKEN_END, TOKEN_E, TOKEN_S, TOKEN_EE, TOKEN_ES, TOKEN_SE };

#define TOKENS_MAX 5

/* The pattern XX, section 7.5. Odd messages are the responder's. */
static const enum token pattern[NOISE_MESSAGE_COUNT][TOKENS_MAX] = {
	{TOKEN_E, TOKEN_END},
	{TOKEN_E, TOKEN_EE, TOKEN_S, TOKEN_ES, TOKEN_END},
	{TOKEN_S, TOKEN_SE, TOKEN_END},
};

static const size_t pattern_extra[NOISE_MESSAGE_COUNT] = {
	NOISE_MESSAGE1_EXTRA,
	NOISE_MESSAGE2_EXTRA,
	NOISE_MESSAGE3_EXTRA,
};

/* ---- cipher state ------------------------------------------------------ */

static void cipher_set_key(struct noise_cipher *c, const uint8_t key[static 32])
{
	memcpy(c->key, key, sizeof(c->key));
	c->nonce = 0;
	c->has_key = true;
}

int noise_cipher_seal(
	struct noise_cipher *c, struct bytes ad, struct bytes in, uint8_t *out)
{
	if (c->nonce == UINT64_MAX)
		return P2P_ERR_LIMIT;
	crypto_seal(out, c->key, c->nonce, ad, in);
	c->nonce++;
	return 0;
}

int noise_cipher_open(
	struct noise_cipher *c, struct bytes ad, struct bytes in, uint8_t *out)
{
	int err;

	if (c->nonce == UINT64_MAX)
		return P2P_ERR_LIMIT;
	err = crypto_open(out, c->key, c->nonce, ad, in);
	if (err == 0)
		c->nonce++;
	return err;
}

/* ---- symmetric state --------------------------------------------------- */

static void mix_hash(struct noise_core *n, struct bytes data)
{
	struct bytes parts[] = {bytes_of(n->hash, sizeof(n->hash)), data};

	crypto_sha256_parts(n->hash, parts, P2P_ARRAY_LEN(parts));
}

static void mix_key(struct noise_core *n, const uint8_t ikm[static 32])
{
	uint8_t out[3][32];

	crypto_noise_hkdf(n->chaining_key, bytes_of(ikm, 32), out, 2);
	memcpy(n->chaining_key, out[0], sizeof(n->chaining_key));
	cipher_set_key(&n->cipher, out[1]);
	crypto_wipe(out, sizeof(out));
}

static int mix_dh(struct noise_core *n, const uint8_t secret[static 32],
	const uint8_t public_key[static 32])
{
	uint8_t shared[32];
	int err = crypto_dh(shared, secret, public_key);

	if (err == 0)
		mix_key(n, shared);
	crypto_wipe(shared, sizeof(shared));
	return err;
}

/* EncryptAndHash; returns the bytes written in *len. */
static int seal_and_hash(
	struct noise_core *n, struct bytes in, uint8_t *out, size_t *len)
{
	int err = 0;

	*len = in.len;
	if (n->cipher.has_key) {
		err = noise_cipher_seal(&n->cipher,
			bytes_of(n->hash, sizeof(n->hash)), in, out);
		*len += CRYPTO_TAG_BYTES;
	} else if (in.len > 0) {
		memcpy(out, in.data, in.len);
	}
	if (err == 0)
		mix_hash(n, bytes_of(out, *len));
	return err;
}

/* DecryptAndHash. `in` is hashed as it came, so out must not be in.data. */
static int open_and_hash(
	struct noise_core *n, struct bytes in, uint8_t *out, size_t *len)
{
	int err = 0;

	*len = in.len;
	if (n->cipher.has_key) {
		if (in.len < CRYPTO_TAG_BYTES)
			return P2P_ERR_TRUNCATED;
		err = noise_cipher_open(&n->cipher,
			bytes_of(n->hash, sizeof(n->hash)), in, out);
		*len -= CRYPTO_TAG_BYTES;
	} else if (in.len > 0) {
		memcpy(out, in.data, in.len);
	}
	if (err == 0)
		mix_hash(n, in);
	return err;
}

/* ---- handshake state --------------------------------------------------- */

void noise_core_init(struct noise_core *n, bool initiator,
	const uint8_t s_secret[static 32], const uint8_t e_secret[static 32],
	struct bytes prologue)
{
	*n = (struct noise_core){.initiator = initiator};
	memcpy(n->hash, protocol_name, sizeof(n->hash));
	memcpy(n->chaining_key, n->hash, sizeof(n->chaining_key));
	memcpy(n->s_secret, s_secret, sizeof(n->s_secret));
	memcpy(n->e_secret, e_secret, sizeof(n->e_secret));
	crypto_dh_public(n->s_public, n->s_secret);
	crypto_dh_public(n->e_public, n->e_secret);
	mix_hash(n, prologue);
}

void noise_core_wipe(struct noise_core *n)
{
	crypto_wipe(n, sizeof(*n));
}

size_t noise_core_extra(const struct noise_core *n)
{
	return noise_core_done(n) ? 0 : pattern_extra[n->message];
}

/* The three Diffie-Hellman tokens: the first letter names the initiator's
 * key, the second the responder's. */
static int do_dh(struct noise_core *n, enum token token)
{
	bool own_static = token == (n->initiator ? TOKEN_SE : TOKEN_ES);
	bool their_static = token == (n->initiator ? TOKEN_ES : TOKEN_SE);

	return mix_dh(n, own_static ? n->s_secret : n->e_secret,
		their_static ? n->rs : n->re);
}

static int write_token(struct noise_core *n, enum token token, uint8_t **to)
{
	size_t len = CRYPTO_KEY_BYTES;
	int err = 0;

	switch (token) {
	case TOKEN_E:
		memcpy(*to, n->e_public, len);
		mix_hash(n, bytes_of(*to, len));
		break;
	case TOKEN_S:
		err = seal_and_hash(n, bytes_of(n->s_public, len), *to, &len);
		break;
	case TOKEN_EE:
	case TOKEN_ES:
	case TOKEN_SE:
		return do_dh(n, token);
	case TOKEN_END:
		return 0;
	}
	*to += len;
	return err;
}

int noise_core_write(struct noise_core *n, struct bytes payload, uint8_t *out)
{
	size_t len;
	int err;

	if (!noise_core_writes(n))
		return P2P_ERR_STATE;
	for (const enum token *t = pattern[n->message]; *t != TOKEN_END; t++) {
		err = write_token(n, *t, &out);
		if (err != 0)
			return err;
	}
	err = seal_and_hash(n, payload, out, &len);
	if (err == 0)
		n->message++;
	return err;
}

static int read_token(
	struct noise_core *n, enum token token, struct bytes *message)
{
	size_t len = CRYPTO_KEY_BYTES;
	struct bytes key;

	switch (token) {
	case TOKEN_E:
		key = bytes_first(*message, len);
		*message = bytes_skip(*message, len);
		memcpy(n->re, key.data, len);
		mix_hash(n, key);
		return 0;
	case TOKEN_S:
		key = bytes_first(*message, len + CRYPTO_TAG_BYTES);
		*message = bytes_skip(*message, key.len);
		return open_and_hash(n, key, n->rs, &len);
	case TOKEN_EE:
	case TOKEN_ES:
	case TOKEN_SE:
		return do_dh(n, token);
	case TOKEN_END:
		break;
	}
	return 0;
}

int noise_core_read(struct noise_core *n, struct bytes message,
	uint8_t *payload, size_t *payload_len)
{
	int err;

	if (noise_core_done(n) || noise_core_writes(n))
		return P2P_ERR_STATE;
	/* Enough for every token and the payload's tag. */
	if (message.len < noise_core_extra(n))
		return P2P_ERR_TRUNCATED;
	for (const enum token *t = pattern[n->message]; *t != TOKEN_END; t++) {
		err = read_token(n, *t, &message);
		if (err != 0)
			return err;
	}
	err = open_and_hash(n, message, payload, payload_len);
	if (err == 0)
		n->message++;
	return err;
}

void noise_core_split(const struct noise_core *n, struct noise_cipher *send,
	struct noise_cipher *receive)
{
	uint8_t out[3][32];

	P2P_ASSERT(noise_core_done(n));
	crypto_noise_hkdf(n->chaining_key, bytes_of(NULL, 0), out, 2);
	cipher_set_key(n->initiator ? send : receive, out[0]);
	cipher_set_key(n->initiator ? receive : send, out[1]);
	crypto_wipe(out, sizeof(out));
}
