/*
 * A hostile peer: proves its key like anybody, then breaks the rules of yamux,
 * identify or gossip as fast as it can. Frames are written by hand above the
 * Noise channel, so that nothing of ours keeps them in order.
 *
 *   hostile PORT ATTACK PEERS SECONDS
 *
 * PEERS connections at a time, each with a key of its own; one that is closed
 * comes again. Ends with one line of figures:
 *   attack=A connects=N closed=N resets=N sent=BYTES
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/identity/crypto.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/wire/pb.h"
#include "net/wire/varint.h"
#include "tests/program/hostile.h"
#include "tests/program/hostile_identify.h"

#define PEERS_MAX 256
#define SPREAD 180
#define RECORDS_MIN 1200
#define RECORDS_MS 40000

struct env env;
struct rng rng;
static struct budget budget;
const struct attack *attack;
static struct foe foes[PEERS_MAX];
static uint64_t connects, closed, resets, sent;

/* ---- frames ------------------------------------------------------------ */

bool room(const struct foe *f)
{
	return f->frames.len < FLIGHT_BYTES;
}

void frame(struct foe *f, uint8_t type, uint16_t flags, uint32_t id,
	uint32_t length)
{
	uint8_t raw[YAMUX_HEAD_BYTES];

	yamux_write_head(&(struct yamux_head){.type = type,
				 .flags = flags,
				 .id = id,
				 .length = length},
		raw);
	(void)buf_append(&f->frames, bytes_of(raw, sizeof(raw)));
}

void data(struct foe *f, uint16_t flags, uint32_t id, struct bytes in)
{
	frame(f, YAMUX_DATA, flags, id, (uint32_t)in.len);
	(void)buf_append(&f->frames, in);
}

/* Opens a stream and proposes a protocol on it. */
uint32_t propose(struct foe *f, const char *name)
{
	uint32_t id = f->next_stream;

	f->next_stream += 2;
	data(f, YAMUX_SYN, id, bytes_str(MULTISTREAM));
	data(f, 0, id, bytes_str(name));
	return id;
}

static void push(struct bufq *q, struct bytes in)
{
	if (bufq_push(q, in) != 0)
		abort(); /* room was looked for before */
}

/* What waits for the gossip stream, as far as there is credit. */
static void flush_main(struct foe *f)
{
	while (f->main.len > 0 && f->credit > 0 && room(f)) {
		struct bytes part = bytes_first(bufq_peek(&f->main),
			P2P_MIN(f->credit, (uint64_t)16384));

		data(f, 0, f->main_id, part);
		f->credit -= part.len;
		bufq_consume(&f->main, part.len);
	}
}

/* An RPC on the gossip stream; frees the buffer. */
void rpc(struct foe *f, struct buf *b)
{
	uint8_t head[VARINT_BYTES_MAX];
	size_t n = varint_put(head, b->len);

	if (bufq_room(&f->main) >= n + b->len) {
		push(&f->main, bytes_of(head, n));
		push(&f->main, buf_bytes(b));
	}
	buf_clear(b);
	flush_main(f);
}

/* Room for one more RPC: the last one is under way. */
bool idle(const struct foe *f)
{
	return f->main.len < 4096;
}

void subscribe(struct buf *b, const char *topic, bool in)
{
	size_t mark = pb_begin(b, RPC_SUBSCRIPTIONS);

	pb_put_uint(b, SUBOPTS_SUBSCRIBE, in);
	pb_put_bytes(b, SUBOPTS_TOPIC, bytes_str(topic));
	pb_end(b, mark);
}

/* ---- identify ---------------------------------------------------------- */

static void answer_identify(struct foe *f, uint32_t id)
{
	struct buf b, framed;

	buf_init(&b, 1u << 18);
	buf_init(&framed, 1u << 18);
	if (attack->identify != NULL) {
		attack->identify(&b);
	} else {
		pb_put_bytes(
			&b, 1, bytes_of(f->me.public_pb, KEY_ED25519_PB_BYTES));
		pb_put_bytes(&b, 3, bytes_str("/ipfs/id/1.0.0"));
		pb_put_bytes(&b, 3, bytes_str("/meshsub/1.1.0"));
		pb_put_bytes(&b, 6, bytes_str("hostile"));
		if (attack->records)
			identify_record(&f->me, &rng, &b);
	}
	if (attack->identify == identify_chunks)
		(void)buf_append(&framed, buf_bytes(&b));
	else
		identify_framed(&framed, &b);
	data(f, 0, id, bytes_str(MULTISTREAM));
	data(f, 0, id, bytes_str(IDENTIFY));
	data(f, YAMUX_FIN, id, buf_bytes(&framed));
	buf_clear(&framed);
	buf_clear(&b);
}

/* ---- what comes in ----------------------------------------------------- */

/* The first data of a stream that the other side opened. */
static void answer(struct foe *f, uint32_t id, struct bytes in)
{
	if (memmem(in.data, in.len, "/ipfs/id/1.0.0", 14) != NULL) {
		answer_identify(f, id);
	} else if (memmem(in.data, in.len, "/meshsub/1.1.0", 14) != NULL) {
		data(f, 0, id, bytes_str(MULTISTREAM));
		data(f, 0, id, bytes_str(MESHSUB));
	}
}

static void take_frame(
	struct foe *f, const struct yamux_head *h, struct bytes payload)
{
	if (h->type == YAMUX_PING && (h->flags & YAMUX_SYN) != 0)
		frame(f, YAMUX_PING, YAMUX_ACK, 0, h->length);
	if (h->type == YAMUX_WINDOW && h->id == f->main_id)
		f->credit += h->length;
	resets += (h->flags & YAMUX_RST) != 0;
	if (h->id == f->main_id && (h->flags & YAMUX_RST) != 0) {
		f->main_id = 0; /* refused: another one carries on */
		bufq_consume(&f->main, f->main.len);
	}
	if (h->type != YAMUX_DATA || payload.len == 0)
		return;
	if (h->id % 2 == 0)
		answer(f, h->id, payload);
	frame(f, YAMUX_WINDOW, 0, h->id, (uint32_t)payload.len);
}

static void take_plain(struct foe *f, struct bytes in)
{
	struct yamux_head h;

	(void)buf_append(&f->in, in);
	while (f->in.len >= YAMUX_HEAD_BYTES &&
		yamux_read_head(&h, f->in.data) == 0) {
		size_t n = YAMUX_HEAD_BYTES;

		if (h.type == YAMUX_DATA)
			n += h.length;
		if (f->in.len < n)
			return;
		take_frame(f, &h,
			bytes_of(f->in.data + YAMUX_HEAD_BYTES,
				n - YAMUX_HEAD_BYTES));
		buf_drop_front(&f->in, n);
	}
}

/* ---- the connection ---------------------------------------------------- */

static void hang_up(struct foe *f)
{
	if (f->fd < 0)
		return;
	(void)close(f->fd);
	noise_free(f->noise);
	bufq_clear(&f->out);
	bufq_clear(&f->main);
	buf_clear(&f->frames);
	buf_clear(&f->in);
	*f = (struct foe){.fd = -1};
}

/* All of 127/8 is this machine. */
static bool come_from_afar(const struct foe *f)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	in.sin_addr.s_addr =
		htonl(INADDR_LOOPBACK + 1 + (uint32_t)((f - foes) % SPREAD));
	return !attack->spread ||
	       bind(f->fd, (struct sockaddr *)&in, sizeof(in)) == 0;
}

static void dial(struct foe *f, uint16_t port)
{
	static const char *const muxers[] = {"/yamux/1.0.0", NULL};
	struct sockaddr_in in = {.sin_family = AF_INET};
	uint8_t seed[32] = "a key that was copied";

	*f = (struct foe){.next_stream = 1, .main_id = 0};
	f->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	in.sin_port = htons(port);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (f->fd < 0 || !come_from_afar(f) ||
		(connect(f->fd, (struct sockaddr *)&in, sizeof(in)) != 0 &&
			errno != EINPROGRESS)) {
		perror("hostile: connect");
		exit(1);
	}
	if (!attack->clones)
		rng_fill(&rng, seed, sizeof(seed));
	identity_from_seed(&f->me, seed);
	bufq_init(&f->out, OUT_BYTES);
	bufq_init(&f->main, 2 * OUT_BYTES);
	buf_init(&f->frames, 4 * OUT_BYTES);
	buf_init(&f->in, 2 * OUT_BYTES);
	f->noise = noise_new(&(struct noise_cfg){.me = &f->me,
				     .initiator = true,
				     .muxers = muxers,
				     .budget = &budget},
		&env);
	f->began_ms = env.now_ms;
	push(&f->out, bytes_str(MULTISTREAM "\x07/noise\n"));
	if (noise_start(f->noise, &f->out) != 0)
		abort();
	connects++;
}

/* Opens the gossip stream, again when the last one was refused. */
static void open_main(struct foe *f)
{
	struct buf b;

	if (!attack->gossips || f->main_id != 0 ||
		(attack->spread && (f - foes) % 3 != 0))
		return;
	f->main_id = propose(f, attack->floodsub ? FLOODSUB : MESHSUB);
	f->credit = WINDOW - 64;
	buf_init(&b, RPC_BYTES);
	subscribe(&b, LOBBY, true);
	rpc(f, &b);
}

/* False when the other side is gone. */
static bool read_some(struct foe *f)
{
	static uint8_t raw[65536];
	ssize_t n = read(f->fd, raw, sizeof(raw));
	struct bytes in;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	in = bytes_of(raw, (size_t)n);
	/* Multistream's answer: as long as what was asked. */
	if (f->skipped < 28) {
		size_t skip = P2P_MIN(28 - f->skipped, in.len);

		f->skipped += skip;
		in = bytes_skip(in, skip);
	}
	while (in.len > 0) {
		struct bytes plain;
		size_t taken;

		if (noise_feed(f->noise, in, &taken, &f->out) != 0)
			return false;
		in = bytes_skip(in, taken);
		if (noise_done(f->noise) && !f->ready)
			f->ready = true;
		plain = noise_peek(f->noise);
		take_plain(f, plain);
		noise_consume(f->noise, plain.len);
		if (taken == 0 && plain.len == 0)
			return false;
	}
	return true;
}

static bool write_some(struct foe *f)
{
	ssize_t n;

	if (f->ready) {
		size_t taken = 0;

		open_main(f);
		flush_main(f);
		for (int i = 0; i < 50 && room(f); i++)
			attack->step(f);
		if (noise_seal(f->noise, buf_bytes(&f->frames), &taken,
			    &f->out) != 0)
			return false;
		buf_drop_front(&f->frames, taken);
	}
	while (f->out.len > 0) {
		struct bytes out = bufq_peek(&f->out);

		n = send(f->fd, out.data, out.len, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ||
			       errno == ENOTCONN;
		sent += (uint64_t)n;
		bufq_consume(&f->out, (size_t)n);
	}
	return true;
}

static void serve(struct foe *f, short events)
{
	bool alive = (events & (POLLERR | POLLHUP)) == 0;
	bool leaves =
		attack->records && f->ready && env.now_ms - f->began_ms > 100;

	if (alive && (events & POLLIN) != 0)
		alive = read_some(f);
	if (alive)
		alive = write_some(f);
	if (alive && !leaves)
		return;
	closed++;
	hang_up(f);
}

static void turn(size_t peers, uint16_t port)
{
	struct pollfd fds[PEERS_MAX];

	for (size_t i = 0; i < peers; i++) {
		struct foe *f = &foes[i];
		bool deaf = f->ready && attack->deaf &&
			    env.now_ms - f->began_ms > 500;

		if (f->fd < 0)
			dial(f, port);
		fds[i] = (struct pollfd){.fd = f->fd,
			.events = (short)((deaf ? 0 : POLLIN) |
					  (f->out.len > 0 ? POLLOUT : 0))};
	}
	(void)poll(fds, peers, 5);
	env.now_ms = clock_now_ms();
	for (size_t i = 0; i < peers; i++)
		serve(&foes[i], fds[i].revents);
}

int main(int argc, char *argv[])
{
	uint64_t until;
	size_t peers;
	uint16_t port;

	for (size_t i = 0; argc == 5 && i < attack_count; i++)
		if (strcmp(attacks[i].name, argv[2]) == 0)
			attack = &attacks[i];
	if (attack == NULL) {
		for (size_t i = 0; i < attack_count; i++)
			puts(attacks[i].name);
		return argc == 1 ? 0 : 64;
	}
	if (crypto_init() != 0)
		return 1;
	rng_init_os(&rng);
	budget_init(&budget, NULL, SIZE_MAX);
	env = (struct env){
		.now_ms = clock_now_ms(), .rng = &rng, .budget = &budget};
	port = (uint16_t)strtoul(argv[1], NULL, 10);
	peers = P2P_MIN(strtoul(argv[3], NULL, 10), (size_t)PEERS_MAX);
	until = env.now_ms + (uint64_t)(strtod(argv[4], NULL) * 1000);
	for (size_t i = 0; i < peers; i++)
		foes[i].fd = -1;
	/* So many that the oldest have to be forgotten, however slowly. */
	while (env.now_ms < until ||
		(attack->records && connects < RECORDS_MIN &&
			env.now_ms < until + RECORDS_MS))
		turn(peers, port);
	for (size_t i = 0; i < peers; i++)
		hang_up(&foes[i]);
	printf("attack=%s connects=%llu closed=%llu resets=%llu sent=%llu\n",
		attack->name, (unsigned long long)connects,
		(unsigned long long)closed, (unsigned long long)resets,
		(unsigned long long)sent);
	return 0;
}
