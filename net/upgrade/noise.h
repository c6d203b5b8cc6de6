/*
 * The secure channel of a connection (libp2p noise spec): the handshake that
 * proves who the other side is, then frames of sealed bytes. Pure: no I/O, no
 * clock. One struct noise per connection, used by one thread.
 *
 *   frame      length, 2 bytes big-endian | Noise message of that length
 *
 *   initiator  -- 1: e ------------------------------------------->  responder
 *              <- 2: e, ee, s, es; identity, signature, muxers ----
 *              -- 3: s, se; identity, signature, the one muxer ---->
 *              <=========== transport frames, both ways ==========>
 *
 * The identity key signs the static Noise key, which is made anew for each
 * connection. Any error is final: the keys are wiped, and only noise_free may
 * follow.
 *
 * Muxers are agreed on inside the handshake only when both sides send a list.
 * The responder sends all it has. The initiator answers with exactly the one
 * it chose, because implementations differ in whose order counts.
 */
#ifndef NET_UPGRADE_NOISE_H
#define NET_UPGRADE_NOISE_H

#include "base/budget.h"
#include "base/bufq.h"
#include "base/env.h"
#include "net/identity/key.h"
#include "net/upgrade/upgrade_limits.h"

/* Plaintext of one transport frame. */
#define NOISE_PLAIN_BYTES_MAX 65519
/* What a frame adds to its plaintext: length and tag. */
#define NOISE_FRAME_EXTRA 18

struct noise;

struct noise_cfg {
	const struct identity *me; /* borrowed */
	bool initiator;
	struct peer_id expect; /* the id that was dialled; none: any */
	/* Names of muxers, best first, ending in NULL; borrowed. NULL: none
	 * are offered and the handshake agrees on none. */
	const char *const *muxers;
	struct budget *budget; /* charged for what is buffered */
};

/* Draws both secret keys from env->rng. */
struct noise *noise_new(const struct noise_cfg *cfg, const struct env *env);
/* Wipes the keys and gives the charges back. NULL is allowed. */
void noise_free(struct noise *n);

/* The signature by which an identity owns a static Noise key. */
void noise_sign_key(uint8_t sig[static CRYPTO_SIG_BYTES],
	const struct identity *me, const uint8_t key[static CRYPTO_KEY_BYTES]);

/* The initiator's first frame. P2P_ERR_FULL: nothing happened. */
int noise_start(struct noise *n, struct bufq *out) P2P_MUST_CHECK;
/*
 * Takes bytes from the carrier; what they held can be read by noise_peek.
 * Frames of the handshake are answered into `out`. *taken is less than in.len
 * only when the plaintext already there leaves no room, or `out` has not
 * NOISE_HANDSHAKE_OUT_BYTES left during the handshake.
 *
 * Errors: P2P_ERR_AUTH (a tag or a signature is wrong, or a key is a point of
 * small order), P2P_ERR_MISMATCH (another peer than the expected one),
 * P2P_ERR_NO_PROTOCOL (lists of muxers with nothing in common),
 * P2P_ERR_TRUNCATED, P2P_ERR_MALFORMED, P2P_ERR_TOO_BIG, P2P_ERR_PROTOCOL,
 * P2P_ERR_UNSUPPORTED (a kind of key), P2P_ERR_LIMIT (budget, or the last
 * nonce was used).
 */
int noise_feed(struct noise *n, struct bytes in, size_t *taken,
	struct bufq *out) P2P_MUST_CHECK;
/* The plaintext received and not yet consumed; valid until the next call. */
struct bytes noise_peek(const struct noise *n);
void noise_consume(struct noise *n, size_t len);

#define NOISE_SEAL_BYTES_MIN 4096

/*
 * Seals `in` into frames at the end of `out`, as many bytes as there is room
 * for (a frame is not cut to less than NOISE_SEAL_BYTES_MIN while `out` still
 * has bytes to send). P2P_ERR_LIMIT when the last nonce was used. Only when
 * noise_done.
 */
int noise_seal(struct noise *n, struct bytes in, size_t *taken,
	struct bufq *out) P2P_MUST_CHECK;

/* The handshake is over and the other side's identity is proven. */
bool noise_done(const struct noise *n);

/* The rest only when noise_done. */
const struct peer_id *noise_peer(const struct noise *n);
/* The other side's key protobuf as it came. */
struct bytes noise_peer_key(const struct noise *n);
/*
 * Index into cfg.muxers of what the handshake agreed on, or -1: multistream
 * has to. noise_muxer goes by the spec (the first of the initiator's list);
 * noise_muxer_by_responder by the order of the responder's list, which is
 * what js-libp2p as the initiator does. Where they differ, the first bytes of
 * the initiator tell.
 */
int noise_muxer(const struct noise *n);
int noise_muxer_by_responder(const struct noise *n);

#endif
