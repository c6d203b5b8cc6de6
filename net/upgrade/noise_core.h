/*
 * The Noise Protocol Framework, revision 34, as far as the one protocol
 * Noise_XX_25519_ChaChaPoly_SHA256 needs it: handshake state (section 5.3),
 * symmetric state (5.2) and cipher state (5.1). Knows nothing of libp2p.
 * Pure: keys come in as arguments, nothing is allocated.
 *
 *   message 1   initiator -> responder   e
 *   message 2   responder -> initiator   e, ee, s, es
 *   message 3   initiator -> responder   s, se
 *
 * Each message ends with a payload. After the third both sides hold two
 * ciphers: the first for initiator -> responder, the second for the other
 * way. After any error the handshake is dead: only noise_core_wipe may
 * follow.
 */
#ifndef NET_UPGRADE_NOISE_CORE_H
#define NET_UPGRADE_NOISE_CORE_H

#include "net/identity/crypto.h"

/* Noise spec section 3: no message is larger. */
#define NOISE_MESSAGE_BYTES_MAX 65535
/* What each message of the handshake adds to its payload. */
#define NOISE_MESSAGE1_EXTRA 32
#define NOISE_MESSAGE2_EXTRA (32 + 32 + 16 + 16)
#define NOISE_MESSAGE3_EXTRA (32 + 16 + 16)
#define NOISE_EXTRA_MAX NOISE_MESSAGE2_EXTRA
#define NOISE_MESSAGE_COUNT 3

/* A key and the number of messages it has served (section 5.1). */
struct noise_cipher {
	uint8_t key[CRYPTO_KEY_BYTES];
	uint64_t nonce;
	bool has_key;
};

struct noise_core {
	uint8_t chaining_key[CRYPTO_HASH_BYTES];
	uint8_t hash[CRYPTO_HASH_BYTES]; /* channel binding when done */
	struct noise_cipher cipher;      /* of the handshake itself */
	uint8_t s_secret[CRYPTO_KEY_BYTES];
	uint8_t s_public[CRYPTO_KEY_BYTES];
	uint8_t e_secret[CRYPTO_KEY_BYTES];
	uint8_t e_public[CRYPTO_KEY_BYTES];
	uint8_t rs[CRYPTO_KEY_BYTES]; /* the other side's static key */
	uint8_t re[CRYPTO_KEY_BYTES]; /* and its ephemeral one */
	bool initiator;
	unsigned message; /* the next one, 0 to 2; 3: done */
};

/*
 * s_secret and e_secret are fresh randomness (copied; the caller wipes its
 * own). prologue is what both sides must agree on, empty in libp2p.
 */
void noise_core_init(struct noise_core *n, bool initiator,
	const uint8_t s_secret[static 32], const uint8_t e_secret[static 32],
	struct bytes prologue);
void noise_core_wipe(struct noise_core *n);

static inline bool noise_core_done(const struct noise_core *n)
{
	return n->message == NOISE_MESSAGE_COUNT;
}

/* Whether the next message is ours to write. */
static inline bool noise_core_writes(const struct noise_core *n)
{
	return !noise_core_done(n) && n->initiator == (n->message % 2 == 0);
}

/* Bytes that the next message adds to its payload. */
size_t noise_core_extra(const struct noise_core *n);

/*
 * Writes the next message: out has room for noise_core_extra() + payload.len
 * bytes, all of which are filled. 0, or P2P_ERR_AUTH when the other side's
 * key is a point of small order; P2P_ERR_STATE when it is not our turn.
 */
int noise_core_write(struct noise_core *n, struct bytes payload,
	uint8_t *out) P2P_MUST_CHECK;
/*
 * Reads the other side's next message; payload has room for message.len
 * bytes, *payload_len of them are filled. P2P_ERR_TRUNCATED, P2P_ERR_AUTH,
 * P2P_ERR_STATE.
 */
int noise_core_read(struct noise_core *n, struct bytes message,
	uint8_t *payload, size_t *payload_len) P2P_MUST_CHECK;
/* The two ciphers of the connection, for our writing and our reading. Only
 * when done. */
void noise_core_split(const struct noise_core *n, struct noise_cipher *send,
	struct noise_cipher *receive);

/*
 * One transport message. The nonce moves on only after success; the last
 * possible nonce is never used (P2P_ERR_LIMIT). `out` has room for in.len +
 * 16 bytes (seal) or in.len - 16 (open) and may be in.data. P2P_ERR_AUTH.
 */
int noise_cipher_seal(struct noise_cipher *c, struct bytes ad, struct bytes in,
	uint8_t *out) P2P_MUST_CHECK;
int noise_cipher_open(struct noise_cipher *c, struct bytes ad, struct bytes in,
	uint8_t *out) P2P_MUST_CHECK;

#endif
