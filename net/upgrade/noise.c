/*
 * What libp2p adds to Noise: frames with a length, payloads that prove the
 * identity, the choice of a muxer in them. A frame is opened where the
 * carrier's bytes stand; only one that has not come whole is copied. Its length
 * is judged before anything is kept of it.
 */
#include "net/upgrade/noise.h"

#include <stdlib.h>

#include "base/xmalloc.h"
#include "net/upgrade/noise_core.h"
#include "net/wire/noise_pb.h"

#define LENGTH_BYTES 2
#define SIGNED_PREFIX "noise-libp2p-static-key:"
#define SIGNED_BYTES (sizeof(SIGNED_PREFIX) - 1 + CRYPTO_KEY_BYTES)

_Static_assert(NOISE_PLAIN_QUEUE_BYTES_MAX == 2 * NOISE_PLAIN_BYTES_MAX,
	"the frame that waits and the one that is opened");

struct noise {
	struct noise_cfg cfg;
	struct noise_core core;
	struct noise_cipher send;
	struct noise_cipher receive;
	struct bufq partial; /* a frame that has not come whole; charged */
	struct bufq plain;   /* opened, not yet read; charged */
	struct peer_id peer;
	uint8_t peer_key[KEY_PB_BYTES_MAX];
	size_t peer_key_len;
	int muxer;
	int muxer_by_responder;
	bool failed;
};

static int make_nothing(struct noise *n, struct buf *payload);
static int make_identity(struct noise *n, struct buf *payload);
static int check_nothing(struct noise *n, struct bytes payload);
static int check_identity(struct noise *n, struct bytes payload);

/* What each handshake message carries; noise_core knows who writes it. */
static const struct {
	int (*make)(struct noise *n, struct buf *payload);
	int (*check)(struct noise *n, struct bytes payload);
} messages[NOISE_MESSAGE_COUNT] = {
	{make_nothing, check_nothing},
	{make_identity, check_identity},
	{make_identity, check_identity},
};

struct noise *noise_new(const struct noise_cfg *cfg, const struct env *env)
{
	struct noise *n = xcalloc(1, sizeof(*n));
	uint8_t secret[2][CRYPTO_KEY_BYTES];

	n->cfg = *cfg;
	n->muxer = -1;
	n->muxer_by_responder = -1;
	bufq_init(&n->partial, LENGTH_BYTES + NOISE_MESSAGE_BYTES_MAX);
	bufq_init(&n->plain, NOISE_PLAIN_QUEUE_BYTES_MAX);
	rng_fill(env->rng, secret, sizeof(secret));
	noise_core_init(&n->core, cfg->initiator, secret[0], secret[1],
		bytes_of(NULL, 0));
	crypto_wipe(secret, sizeof(secret));
	return n;
}

void noise_free(struct noise *n)
{
	if (n == NULL)
		return;
	budget_release(n->cfg.budget, n->partial.len + n->plain.len);
	bufq_clear(&n->partial);
	bufq_clear(&n->plain);
	crypto_wipe(n, sizeof(*n));
	free(n);
}

static int fail(struct noise *n, int err)
{
	n->failed = true;
	noise_core_wipe(&n->core);
	crypto_wipe(&n->send, sizeof(n->send));
	crypto_wipe(&n->receive, sizeof(n->receive));
	return err;
}

/* ---- muxers ------------------------------------------------------------ */

static int find_muxer(const struct noise *n, struct bytes name)
{
	for (int i = 0; n->cfg.muxers[i] != NULL; i++) {
		if (bytes_equal(name, bytes_str(n->cfg.muxers[i])))
			return i;
	}
	return -1;
}

/* The first of our list that is in theirs, or -1. */
static int first_of_ours(
	const struct noise *n, const struct noise_payload *theirs)
{
	int best = -1;

	for (size_t i = 0; i < theirs->stream_muxer_count; i++) {
		int at = find_muxer(n, theirs->stream_muxers[i]);

		if (at >= 0 && (best < 0 || at < best))
			best = at;
	}
	return best;
}

/* The first of their list that is in ours, or -1. */
static int first_of_theirs(
	const struct noise *n, const struct noise_payload *theirs)
{
	for (size_t i = 0; i < theirs->stream_muxer_count; i++) {
		int at = find_muxer(n, theirs->stream_muxers[i]);

		if (at >= 0)
			return at;
	}
	return -1;
}

static int choose_muxer(struct noise *n, const struct noise_payload *theirs)
{
	if (n->cfg.muxers == NULL || theirs->stream_muxer_count == 0)
		return 0;
	/* As the initiator we answer with the one that we choose here, so
	 * both rules give that one at the other end. */
	n->muxer_by_responder = first_of_ours(n, theirs);
	n->muxer = n->cfg.initiator ? n->muxer_by_responder
				    : first_of_theirs(n, theirs);
	return n->muxer < 0 ? P2P_ERR_NO_PROTOCOL : 0;
}

static void put_muxers(const struct noise *n, struct noise_payload *p)
{
	if (n->cfg.muxers == NULL)
		return;
	if (n->cfg.initiator) {
		if (n->muxer >= 0)
			p->stream_muxers[p->stream_muxer_count++] =
				bytes_str(n->cfg.muxers[n->muxer]);
		return;
	}
	for (int i = 0; n->cfg.muxers[i] != NULL; i++) {
		P2P_ASSERT(p->stream_muxer_count < NOISE_PB_MUXERS_MAX);
		p->stream_muxers[p->stream_muxer_count++] =
			bytes_str(n->cfg.muxers[i]);
	}
}

/* ---- payloads of the handshake ----------------------------------------- */

/* What an identity signs to own a static Noise key. */
static struct bytes signed_bytes(
	uint8_t out[static SIGNED_BYTES], const uint8_t key[static 32])
{
	memcpy(out, SIGNED_PREFIX, sizeof(SIGNED_PREFIX) - 1);
	memcpy(out + sizeof(SIGNED_PREFIX) - 1, key, CRYPTO_KEY_BYTES);
	return bytes_of(out, SIGNED_BYTES);
}

void noise_sign_key(uint8_t sig[static CRYPTO_SIG_BYTES],
	const struct identity *me, const uint8_t key[static CRYPTO_KEY_BYTES])
{
	uint8_t text[SIGNED_BYTES];

	crypto_ed25519_sign(sig, me->secret, signed_bytes(text, key));
}

static int make_nothing(struct noise *n, struct buf *payload)
{
	(void)n;
	(void)payload;
	return 0;
}

static int make_identity(struct noise *n, struct buf *payload)
{
	const struct identity *me = n->cfg.me;
	uint8_t sig[CRYPTO_SIG_BYTES];
	struct noise_payload p = {
		.identity_key = bytes_of(me->public_pb, sizeof(me->public_pb)),
		.identity_sig = bytes_of(sig, sizeof(sig)),
	};

	noise_sign_key(sig, me, n->core.s_public);
	put_muxers(n, &p);
	noise_pb_write(&p, payload);
	P2P_ASSERT(!payload->failed);
	return 0;
}

/* The first message is not secret, so nothing may be in it. */
static int check_nothing(struct noise *n, struct bytes payload)
{
	(void)n;
	return payload.len == 0 ? 0 : P2P_ERR_PROTOCOL;
}

static int check_identity(struct noise *n, struct bytes payload)
{
	uint8_t text[SIGNED_BYTES];
	struct noise_payload p;
	struct public_key key;
	int err = noise_pb_read(&p, payload);

	if (err == 0)
		err = public_key_parse(&key, p.identity_key);
	if (err == 0)
		err = public_key_verify(
			&key, signed_bytes(text, n->core.rs), p.identity_sig);
	if (err != 0)
		return err;
	if (p.identity_key.len > sizeof(n->peer_key))
		return P2P_ERR_TOO_BIG;
	peer_id_of_key(&n->peer, p.identity_key);
	if (!peer_id_none(&n->cfg.expect) &&
		!peer_id_equal(&n->cfg.expect, &n->peer))
		return P2P_ERR_MISMATCH;
	memcpy(n->peer_key, p.identity_key.data, p.identity_key.len);
	n->peer_key_len = p.identity_key.len;
	/* Not before the identity is proven. */
	return choose_muxer(n, &p);
}

/* ---- handshake --------------------------------------------------------- */

static void finish_if_done(struct noise *n)
{
	if (!noise_core_done(&n->core))
		return;
	noise_core_split(&n->core, &n->send, &n->receive);
	noise_core_wipe(&n->core);
	/* What noise_done goes by stays. */
	n->core.message = NOISE_MESSAGE_COUNT;
}

/* Our next message as a frame. out has NOISE_HANDSHAKE_OUT_BYTES of room. */
static int write_message(struct noise *n, struct bufq *out)
{
	struct buf payload;
	uint8_t *to;
	size_t len;
	int err;

	buf_init(&payload,
		NOISE_HANDSHAKE_OUT_BYTES - LENGTH_BYTES - NOISE_EXTRA_MAX);
	err = messages[n->core.message].make(n, &payload);
	if (err == 0) {
		len = noise_core_extra(&n->core) + payload.len;
		to = bufq_extend(out, LENGTH_BYTES + len);
		P2P_ASSERT(to != NULL);
		put_be16(to, (uint16_t)len);
		err = noise_core_write(
			&n->core, buf_bytes(&payload), to + LENGTH_BYTES);
		/* A frame that failed half-way must not be sent. */
		if (err != 0)
			bufq_unextend(out, LENGTH_BYTES + len);
	}
	buf_clear(&payload);
	if (err == 0)
		finish_if_done(n);
	return err;
}

static int read_message(struct noise *n, struct bytes message, struct bufq *out)
{
	uint8_t payload[NOISE_HANDSHAKE_BYTES_MAX];
	unsigned which = n->core.message;
	size_t len;
	int err = noise_core_read(&n->core, message, payload, &len);

	if (err == 0)
		err = messages[which].check(n, bytes_of(payload, len));
	if (err != 0)
		return err;
	if (noise_core_writes(&n->core))
		return write_message(n, out);
	finish_if_done(n);
	return 0;
}

int noise_start(struct noise *n, struct bufq *out)
{
	int err;

	if (n->failed || n->core.message != 0 || !n->cfg.initiator)
		return P2P_ERR_STATE;
	if (bufq_room(out) < NOISE_HANDSHAKE_OUT_BYTES)
		return P2P_ERR_FULL;
	err = write_message(n, out);
	return err == 0 ? 0 : fail(n, err);
}

/* ---- frames ------------------------------------------------------------ */

/* Judged as soon as the length is known, before anything is kept. */
static int check_length(const struct noise *n, size_t len)
{
	if (noise_done(n))
		return len < CRYPTO_TAG_BYTES ? P2P_ERR_MALFORMED : 0;
	if (noise_core_writes(&n->core))
		return P2P_ERR_PROTOCOL;
	if (len > NOISE_HANDSHAKE_BYTES_MAX)
		return P2P_ERR_TOO_BIG;
	return len < noise_core_extra(&n->core) ? P2P_ERR_TRUNCATED : 0;
}

static bool has_room(const struct noise *n, size_t len, const struct bufq *out)
{
	if (noise_done(n))
		return bufq_room(&n->plain) >= len - CRYPTO_TAG_BYTES;
	return bufq_room(out) >= NOISE_HANDSHAKE_OUT_BYTES;
}

static int open_frame(struct noise *n, struct bytes sealed)
{
	size_t len = sealed.len - CRYPTO_TAG_BYTES;
	int err = budget_charge(n->cfg.budget, len);
	/* An empty frame is legal and leaves nothing to read. */
	uint8_t nothing, *to = &nothing;

	if (err != 0)
		return err;
	if (len > 0)
		to = bufq_extend(&n->plain, len);
	P2P_ASSERT(to != NULL);
	err = noise_cipher_open(&n->receive, bytes_of(NULL, 0), sealed, to);
	if (err != 0) {
		bufq_unextend(&n->plain, len);
		budget_release(n->cfg.budget, len);
	}
	return err;
}

static int take_frame(struct noise *n, struct bytes body, struct bufq *out)
{
	return noise_done(n) ? open_frame(n, body) : read_message(n, body, out);
}

static int keep(struct noise *n, struct bytes in)
{
	int err = budget_charge(n->cfg.budget, in.len);

	/* A frame never exceeds what the queue can hold. */
	if (err == 0)
		P2P_ASSERT(bufq_push(&n->partial, in) == 0);
	return err;
}

/* The frame that began in an earlier call. */
static int feed_partial(
	struct noise *n, struct bytes in, size_t *used, struct bufq *out)
{
	struct bytes have = bufq_peek(&n->partial);
	size_t want = LENGTH_BYTES;
	int err;

	if (have.len >= LENGTH_BYTES) {
		want += get_be16(have.data);
		if (have.len + in.len >= want &&
			!has_room(n, want - LENGTH_BYTES, out))
			return 0;
	}
	*used = P2P_MIN(want - have.len, in.len);
	err = keep(n, bytes_first(in, *used));
	if (err != 0 || have.len + *used < want)
		return err;
	have = bufq_peek(&n->partial);
	if (want == LENGTH_BYTES)
		return check_length(n, get_be16(have.data));
	err = take_frame(n, bytes_skip(have, LENGTH_BYTES), out);
	budget_release(n->cfg.budget, want);
	bufq_consume(&n->partial, want);
	return err;
}

static int feed_frame(
	struct noise *n, struct bytes in, size_t *used, struct bufq *out)
{
	size_t len;
	int err;

	if (in.len == 0)
		return 0;
	if (n->partial.len > 0 || in.len < LENGTH_BYTES)
		return feed_partial(n, in, used, out);
	len = get_be16(in.data);
	err = check_length(n, len);
	if (err != 0)
		return err;
	if (in.len < LENGTH_BYTES + len) {
		*used = in.len;
		return keep(n, in);
	}
	if (!has_room(n, len, out))
		return 0;
	/* Whole: opened from where the carrier's bytes stand. */
	*used = LENGTH_BYTES + len;
	return take_frame(n, bytes_of(in.data + LENGTH_BYTES, len), out);
}

int noise_feed(
	struct noise *n, struct bytes in, size_t *taken, struct bufq *out)
{
	size_t used;

	*taken = 0;
	if (n->failed)
		return P2P_ERR_STATE;
	do {
		int err;

		used = 0;
		err = feed_frame(n, bytes_skip(in, *taken), &used, out);
		if (err != 0)
			return fail(n, err);
		*taken += used;
	} while (used > 0);
	return 0;
}

struct bytes noise_peek(const struct noise *n)
{
	return bufq_peek(&n->plain);
}

void noise_consume(struct noise *n, size_t len)
{
	budget_release(n->cfg.budget, len);
	bufq_consume(&n->plain, len);
}

int noise_seal(
	struct noise *n, struct bytes in, size_t *taken, struct bufq *out)
{
	*taken = 0;
	if (n->failed || !noise_done(n))
		return P2P_ERR_STATE;
	while (*taken < in.len && bufq_room(out) > NOISE_FRAME_EXTRA) {
		size_t left = in.len - *taken;
		size_t len = P2P_MIN(left, (size_t)NOISE_PLAIN_BYTES_MAX);
		uint8_t *to;
		int err;

		len = P2P_MIN(len, bufq_room(out) - NOISE_FRAME_EXTRA);
		if (len < left && len < NOISE_SEAL_BYTES_MIN && out->len > 0)
			break;
		to = bufq_extend(out, len + NOISE_FRAME_EXTRA);
		put_be16(to, (uint16_t)(len + CRYPTO_TAG_BYTES));
		err = noise_cipher_seal(&n->send, bytes_of(NULL, 0),
			bytes_of(in.data + *taken, len), to + LENGTH_BYTES);
		if (err != 0) {
			bufq_unextend(out, len + NOISE_FRAME_EXTRA);
			return fail(n, err);
		}
		*taken += len;
	}
	return 0;
}

bool noise_done(const struct noise *n)
{
	return noise_core_done(&n->core);
}

const struct peer_id *noise_peer(const struct noise *n)
{
	return &n->peer;
}

struct bytes noise_peer_key(const struct noise *n)
{
	return bytes_of(n->peer_key, n->peer_key_len);
}

int noise_muxer(const struct noise *n)
{
	return n->muxer;
}

int noise_muxer_by_responder(const struct noise *n)
{
	return n->muxer_by_responder;
}
