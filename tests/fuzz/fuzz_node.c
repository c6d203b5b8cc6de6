/*
 * A whole node under a script of carriers, time and commands. One connection
 * is upgraded by a partner that has keys, so that the script speaks plaintext
 * to the muxer (yamux or mplex: the first byte) and what stands above it; the
 * others get raw bytes. Nothing is held at the end; no tick leaves a deadline
 * that has passed.
 */
#include "base/cursor.h"
#include "net/node/node.h"
#include "tests/lib/noise_forger.h"
#include "tests/lib/test_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONNS 8

static const char *const yamux[] = {"/yamux/1.0.0", NULL};
static const char *const mplex[] = {"/mplex/6.7.0", NULL};

struct fuzz {
	struct test_env te;
	struct identity me, other;
	struct node *n;
	struct forger forger;
	uint64_t conn[CONNS]; /* [0] is the forger's */
	bool full;
};

static void take_actions(struct fuzz *f)
{
	struct node_action act;

	for (unsigned i = 0; node_next_action(f->n, &act); i++) {
		struct node_event ev = {.kind = NODE_EV_DIAL_FAILED,
			.conn = act.conn,
			.text = "refused"};

		P2P_ASSERT(i < 100000);
		if (act.kind == NODE_ACT_DIAL) {
			node_step(f->n, &f->te.env, &ev);
		} else if (act.kind == NODE_ACT_TELL_CHAT) {
			if (f->full)
				node_untell(f->n, act.msg);
			else
				msg_free(&act.msg->msg);
		} else if (act.kind == NODE_ACT_VERIFY) {
			unit_batch_check(act.batch);
			ev = (struct node_event){
				.kind = NODE_EV_VERIFIED, .batch = act.batch};
			node_step(f->n, &f->te.env, &ev);
		}
	}
}

static void step(struct fuzz *f, struct node_event *ev)
{
	node_step(f->n, &f->te.env, ev);
	take_actions(f);
}

static void bytes(struct fuzz *f, unsigned i, struct bytes in)
{
	struct node_event ev = {
		.kind = NODE_EV_BYTES, .conn = f->conn[i], .bytes = in};

	step(f, &ev);
}

static void drain(struct fuzz *f, unsigned i, size_t max)
{
	struct node_event ev = {.kind = NODE_EV_WRITTEN, .conn = f->conn[i]};

	ev.count =
		P2P_MIN(max, node_out_peek(f->n, &f->te.env, f->conn[i]).len);
	step(f, &ev);
}

static void accept_conn(struct fuzz *f, unsigned i)
{
	struct node_event ev = {.kind = NODE_EV_ACCEPTED};

	P2P_ASSERT(maddr_parse_text(
			   &ev.addr, bytes_str("/ip4/9.9.9.9/tcp/9")) == 0);
	node_step(f->n, &f->te.env, &ev);
	f->conn[i] = ev.conn;
	take_actions(f);
}

static void upgrade(struct fuzz *f, const char *const *list)
{
	struct buf payload;

	accept_conn(f, 0);
	bytes(f, 0, bytes_str("\x13/multistream/1.0.0\n\x07/noise\n"));
	drain(f, 0, SIZE_MAX);
	forger_init(&f->forger, true);
	forger_write(&f->forger, bytes_of(NULL, 0));
	bytes(f, 0, bytes_of(f->forger.wire, f->forger.len));
	drain(f, 0,
		forger_read(&f->forger,
			node_out_peek(f->n, &f->te.env, f->conn[0])));
	buf_init(&payload, 512);
	forger_payload(&f->forger, &f->other, list, &payload);
	forger_write(&f->forger, buf_bytes(&payload));
	bytes(f, 0, bytes_of(f->forger.wire, f->forger.len));
	buf_clear(&payload);
}

static void command(struct fuzz *f, uint8_t kind, struct bytes in)
{
	struct node_event ev = {.kind = NODE_EV_COMMAND};
	char text[257];

	memcpy(text, in.len == 0 ? (const uint8_t *)"" : in.data, in.len);
	text[in.len] = '\0';
	ev.msg = net_msg_new((enum net_msg_kind)(kind % NET_MSG_QUIT),
		kind & 128 ? "room" : text, in);
	ev.msg->worth = kind - 100;
	if (kind & 64)
		(void)peer_id_text(&f->other.id, ev.msg->peer);
	step(f, &ev);
}

static void tick(struct fuzz *f, uint64_t ms)
{
	struct node_event ev = {.kind = NODE_EV_TICK};

	f->te.env.now_ms += ms;
	for (unsigned i = 0; node_deadline(f->n) <= f->te.env.now_ms; i++) {
		P2P_ASSERT(i < 1000);
		step(f, &ev);
	}
}

static void one(struct fuzz *f, struct cursor *c)
{
	uint8_t op = cur_u8(c);
	unsigned i = op / 8 % CONNS;
	size_t n = cur_u8(c);
	struct bytes in = cur_take(c, P2P_MIN(n, cur_left(c)));
	struct node_event ev = {.conn = f->conn[i]};

	switch (op % 8) {
	case 0:
	case 1:
		forger_seal(&f->forger, in);
		bytes(f, 0, bytes_of(f->forger.wire, f->forger.len));
		break;
	case 2:
		bytes(f, i, in);
		break;
	case 3:
		drain(f, i, in.len * in.len);
		break;
	case 4:
		tick(f, in.len * 20);
		break;
	case 5:
		ev.kind = NODE_EV_CLOSED;
		step(f, &ev);
		if (i != 0)
			accept_conn(f, i);
		break;
	case 6:
		command(f, op, in);
		break;
	default:
		f->full = !f->full;
		ev.kind = f->full ? NODE_EV_NETWORK : NODE_EV_CHAT_ROOM;
		step(f, &ev);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c = cur_of(bytes_of(data, size));
	uint8_t flags = cur_u8(&c), seed[32] = {1};
	static struct fuzz f;
	struct node_cfg cfg = {.me = &f.me,
		.agent = "p2pchat-tui/fuzz",
		.offer_yamux = true,
		.offer_mplex = true,
		.early_muxers = true};

	f = (struct fuzz){0};
	P2P_ASSERT(crypto_init() == 0);
	test_env_init(&f.te, 1);
	identity_from_seed(&f.me, seed);
	seed[0] = 2;
	identity_from_seed(&f.other, seed);
	f.n = node_new(&cfg, &f.te.env);
	upgrade(&f, flags & 1 ? mplex : yamux);
	command(&f, NET_MSG_JOIN | 128, bytes_of(NULL, 0));
	while (cur_left(&c) > 0)
		one(&f, &c);
	node_free(f.n);
	P2P_ASSERT(f.te.budget.used == 0);
	return 0;
}
