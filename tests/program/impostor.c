/*
 * A peer that lies in the Noise handshake or in the first frames behind it,
 * by hand from the core, over and over:
 *
 *   impostor PORT LIE SECONDS
 *
 * Ends with one line: attack=LIE connects=N closed=N (by the other side).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/upgrade/yamux.h"
#include "net/wire/pb.h"
#include "net/wire/varint.h"
#include "tests/lib/noise_forger.h"
#include "tests/program/impostor_rsa.h"

#define MULTISTREAM "\x13/multistream/1.0.0\n"
#define ANSWER_BYTES 28 /* of the other side to header and /noise */
#define PIECE_BYTES 8000
#define MUCH_BYTES 300000
#define WAIT_MS 300  /* for one of whom only streams end */
#define PATIENCE_S 4 /* for the others: less than a handshake may take */

struct impostor {
	int fd;
	struct forger forger;
	struct identity me;
	bool lost; /* the other side has closed */
};

struct lie {
	const char *name;
	const char *muxer;
	/* Spoils the payload of the third message; may be NULL. */
	void (*payload)(struct impostor *i, struct buf *payload);
	/* After the handshake; may be NULL. */
	void (*frames)(struct impostor *i);
};

static struct rng rng;

static void put(struct impostor *i, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len > 0 && !i->lost) {
		ssize_t n = send(i->fd, at, len, MSG_NOSIGNAL);

		if (n <= 0) {
			i->lost = true;
			return;
		}
		at += n;
		len -= (size_t)n;
	}
}

static bool get(struct impostor *i, void *data, size_t len)
{
	ssize_t n = recv(i->fd, data, len, MSG_WAITALL);

	i->lost = i->lost || n == 0;
	return n == (ssize_t)len;
}

static void put_sealed(struct impostor *i, struct bytes plain)
{
	while (plain.len > 0 && !i->lost) {
		struct bytes part = bytes_first(plain, PIECE_BYTES);

		forger_seal(&i->forger, part);
		put(i, i->forger.wire, i->forger.len);
		plain = bytes_skip(plain, part.len);
	}
}

/* ---- lies in the payload ----------------------------------------------- */

static void lie_signature(struct impostor *i, struct buf *payload)
{
	(void)i;
	/* Behind the key and the signature's own head. */
	payload->data[KEY_ED25519_PB_BYTES + 20] ^= 1;
}

/* A key whose only fault is its size: all else about it is right. */
static void lie_giant_key(struct impostor *i, struct buf *payload)
{
	static const char prefix[] = "noise-libp2p-static-key:";
	uint8_t what[sizeof(prefix) - 1 + CRYPTO_KEY_BYTES];
	struct buf key, sig;

	memcpy(what, prefix, sizeof(prefix) - 1);
	memcpy(what + sizeof(prefix) - 1, i->forger.core.s_public,
		CRYPTO_KEY_BYTES);
	buf_init(&key, 4096);
	buf_init(&sig, 4096);
	/* Without a library for such keys any of them is refused. */
	if (!impostor_rsa(bytes_of(what, sizeof(what)), &key, &sig))
		(void)buf_append(&key, bytes_of("\x08\x00\x12\x00", 4));
	buf_reset(payload);
	pb_put_bytes(payload, 1, buf_bytes(&key));
	pb_put_bytes(payload, 2, buf_bytes(&sig));
	buf_clear(&key);
	buf_clear(&sig);
}

/* ---- lies behind the handshake ----------------------------------------- */

static void lie_tag(struct impostor *i)
{
	forger_seal(&i->forger, bytes_str("what nobody shall read"));
	i->forger.wire[i->forger.len - 1] ^= 1;
	put(i, i->forger.wire, i->forger.len);
}

static void put_head(struct impostor *i, uint8_t version, uint32_t length)
{
	uint8_t raw[YAMUX_HEAD_BYTES];

	yamux_write_head(&(struct yamux_head){.type = YAMUX_DATA,
				 .flags = YAMUX_SYN,
				 .id = 1,
				 .length = length},
		raw);
	raw[0] = version;
	put_sealed(i, bytes_of(raw, sizeof(raw)));
}

static void lie_version(struct impostor *i)
{
	put_head(i, 1, 0);
}

static void lie_window(struct impostor *i)
{
	static const uint8_t much[MUCH_BYTES];

	put_head(i, 0, MUCH_BYTES);
	put_sealed(i, bytes_of(much, sizeof(much)));
}

static void put_mplex(struct impostor *i, uint64_t head, struct bytes in)
{
	uint8_t raw[2 * VARINT_BYTES_MAX];
	size_t n = varint_put(raw, head);

	n += varint_put(raw + n, in.len);
	put_sealed(i, bytes_of(raw, n));
	put_sealed(i, in);
}

/* No window holds back a writer on mplex: 2 MiB on each of 16 streams, on
 * gossip streams, which are not read before identify has answered. */
static void lie_mplex(struct impostor *i)
{
	static const uint8_t much[MUCH_BYTES];

	for (uint64_t id = 0; id < 16 && !i->lost; id++) {
		put_mplex(i, id << 3, bytes_str("x"));
		put_mplex(i, id << 3 | 2,
			bytes_str(MULTISTREAM "\x0f/meshsub/1.1.0\n"));
		put_mplex(i, id << 3 | 2, bytes_str("\xff\xff\x3f"));
		for (int n = 0; n < 7; n++)
			put_mplex(i, id << 3 | 2, bytes_of(much, MUCH_BYTES));
	}
}

static const struct lie lies[] = {
	{.name = "noise-signature", .payload = lie_signature},
	{.name = "giant-key", .payload = lie_giant_key},
	{.name = "bad-tag", .frames = lie_tag},
	{.name = "yamux-version", .frames = lie_version},
	{.name = "syn-overrun", .frames = lie_window},
	{.name = "mplex", .muxer = "/mplex/6.7.0", .frames = lie_mplex},
};

/* ---- one connection ---------------------------------------------------- */

static bool shake_hands(struct impostor *i, const struct lie *lie)
{
	const char *const muxers[] = {
		lie->muxer == NULL ? "/yamux/1.0.0" : lie->muxer, NULL};
	uint8_t in[2 + FORGER_MESSAGE_BYTES_MAX];
	struct buf payload;

	forger_init(&i->forger, true);
	put(i, MULTISTREAM "\x07/noise\n", ANSWER_BYTES);
	forger_write(&i->forger, bytes_of(NULL, 0));
	put(i, i->forger.wire, i->forger.len);
	if (!get(i, in, ANSWER_BYTES) || !get(i, in, 2) ||
		get_be16(in) > FORGER_MESSAGE_BYTES_MAX ||
		!get(i, in + 2, get_be16(in)))
		return false;
	(void)forger_read(&i->forger, bytes_of(in, 2 + get_be16(in)));
	buf_init(&payload, FORGER_MESSAGE_BYTES_MAX);
	forger_payload(&i->forger, &i->me, muxers, &payload);
	if (lie->payload != NULL)
		lie->payload(i, &payload);
	forger_write(&i->forger, buf_bytes(&payload));
	buf_clear(&payload);
	put(i, i->forger.wire, i->forger.len);
	return true;
}

/* True when the other side has hung up. */
static bool try_once(const struct lie *lie, uint16_t port)
{
	struct timeval wait = {.tv_sec = PATIENCE_S};
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct impostor i = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
	uint8_t seed[32], rest[4096];

	if (lie->muxer != NULL)
		wait = (struct timeval){.tv_usec = WAIT_MS * 1000};
	to.sin_port = htons(port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (i.fd < 0 || connect(i.fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		exit(1);
	(void)setsockopt(i.fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	(void)setsockopt(i.fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	rng_fill(&rng, seed, sizeof(seed));
	identity_from_seed(&i.me, seed);
	if (shake_hands(&i, lie) && lie->frames != NULL)
		lie->frames(&i);
	for (int n = 0; n < 1000 && !i.lost; n++) {
		ssize_t got = recv(i.fd, rest, sizeof(rest), 0);

		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break; /* it stays connected */
		i.lost = got <= 0;
	}
	(void)close(i.fd);
	return i.lost;
}

int main(int argc, char *argv[])
{
	unsigned long connects = 0, closed = 0;
	const struct lie *lie = NULL;
	uint64_t until;

	for (size_t i = 0; i < P2P_ARRAY_LEN(lies); i++) {
		if (argc != 4)
			puts(lies[i].name);
		else if (strcmp(lies[i].name, argv[2]) == 0)
			lie = &lies[i];
	}
	if (lie == NULL)
		return argc == 1 ? 0 : 64;
	if (crypto_init() != 0)
		return 1;
	rng_init_os(&rng);
	until = clock_now_ms() + (uint64_t)(strtod(argv[3], NULL) * 1000);
	while (clock_now_ms() < until) {
		connects++;
		closed += try_once(lie, (uint16_t)strtoul(argv[1], NULL, 10));
		(void)usleep(10000);
	}
	printf("attack=%s connects=%lu closed=%lu\n", lie->name, connects,
		closed);
	return 0;
}
