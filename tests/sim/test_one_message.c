/*
 * One message, from key to far screen, by the very functions that
 * docs/internals/one-message.md names. The linker puts a witness before each
 * (--wrap, Makefile.inc); the path is walked in its order, and only forward.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/pubsub/gossip.h"
#include "net/serve/frame.h"
#include "net/swarm/swarm.h"
#include "net/upgrade/muxer.h"
#include "net/upgrade/noise.h"
#include "tests/sim/sim.h"

static const char *const path[] = {
	/* saying it */
	"ui_update",
	"chat_handle",
	"unit_sign",
	"store_insert",
	"store_commit",
	/* sending it */
	"node_step",
	"gossip_publish",
	"swarm_stream_write",
	"muxer_write",
	"noise_seal",
	"node_out_peek",
	/* hearing it */
	"node_step",
	"swarm_bytes",
	"noise_feed",
	"muxer_feed",
	"frame_read",
	"gossip_feed",
	"gossip_next_verify",
	"unit_verify",
	"gossip_verified",
	"chat_handle",
	"store_insert",
	"store_commit",
	"ui_on_msg",
};
static size_t reached;

static void witness(const char *name)
{
	if (reached < P2P_ARRAY_LEN(path) && strcmp(path[reached], name) == 0)
		reached++;
}

/* clang-format off */

/* The function is called __wrap_NAME instead of NAME, which is __real_NAME. */
#define DECLARE(type, name, params) \
	type __real_##name params; \
	type __wrap_##name params; \
	type __wrap_##name params
#define WITNESS(type, name, params, args) \
	DECLARE(type, name, params) \
	{ \
		witness(#name); \
		return __real_##name args; \
	}
#define WITNESS_VOID(name, params, args) \
	DECLARE(void, name, params) \
	{ \
		witness(#name); \
		__real_##name args; \
	}

WITNESS_VOID(ui_update,
	(struct ui *u, const struct ui_key *k, const struct ui_clock *c),
	(u, k, c))
WITNESS_VOID(ui_on_msg,
	(struct ui *u, struct ui_msg *m, const struct ui_clock *c), (u, m, c))
WITNESS(int, unit_sign,
	(const struct identity *me, uint64_t n, struct bytes t, struct bytes d,
		struct buf *o),
	(me, n, t, d, o))
WITNESS(int, unit_verify, (const struct unit *u), (u))
WITNESS(int, store_insert,
	(struct store *s, struct store_message *m, bool *is_new),
	(s, m, is_new))
WITNESS(int, store_commit, (struct store *s), (s))
WITNESS_VOID(node_step,
	(struct node *n, const struct env *e, struct node_event *ev),
	(n, e, ev))
WITNESS(struct bytes, node_out_peek,
	(struct node *n, const struct env *e, uint64_t c), (n, e, c))
WITNESS(int, gossip_publish,
	(struct gossip *g, const struct env *e, struct bytes u), (g, e, u))
WITNESS(int, gossip_feed,
	(struct gossip *g, const struct env *e, const struct peer_id *p,
		struct bytes *r),
	(g, e, p, r))
WITNESS(struct unit_batch *, gossip_next_verify, (struct gossip *g), (g))
WITNESS_VOID(gossip_verified,
	(struct gossip *g, const struct env *e, struct unit_batch *b),
	(g, e, b))
WITNESS(int, swarm_stream_write,
	(struct swarm *s, const struct env *e, uint64_t st, struct bytes in),
	(s, e, st, in))
WITNESS_VOID(swarm_bytes,
	(struct swarm *s, const struct env *e, uint64_t c, struct bytes in),
	(s, e, c, in))
WITNESS(int, muxer_write,
	(struct muxer *m, uint64_t st, struct bytes in, size_t *t,
		struct bufq *o),
	(m, st, in, t, o))
WITNESS(int, muxer_feed,
	(struct muxer *m, const struct env *e, struct bytes in, size_t *t,
		struct bufq *o),
	(m, e, in, t, o))
WITNESS(int, noise_seal,
	(struct noise *n, struct bytes in, size_t *t, struct bufq *o),
	(n, in, t, o))
WITNESS(int, noise_feed,
	(struct noise *n, struct bytes in, size_t *t, struct bufq *o),
	(n, in, t, o))
WITNESS(int, frame_read,
	(struct frame_reader *r, struct bytes in, size_t *t, struct bytes *b),
	(r, in, t, b))

/* clang-format on */

/* chat_turn calls it within its own file, where no linker can stand between:
 * the turn itself stands for it. */
uint64_t __real_chat_turn(struct chat *c, const struct env *e,
	struct mailbox *ui, struct mailbox *net);
uint64_t __wrap_chat_turn(struct chat *c, const struct env *e,
	struct mailbox *ui, struct mailbox *net);
uint64_t __wrap_chat_turn(struct chat *c, const struct env *e,
	struct mailbox *ui, struct mailbox *net)
{
	witness("chat_handle");
	return __real_chat_turn(c, e, ui, net);
}

static struct host *person(struct sim *s, const char *name)
{
	struct host_cfg cfg = {
		.name = name,
		.yamux = true,
		.early = true,
		.to_chat = MSG_QUEUE_TO_CHAT,
		.to_net = MSG_QUEUE_TO_NET,
		.to_ui = MSG_QUEUE_TO_UI,
		.from_ui = MSG_QUEUE_TO_CHAT_FROM_UI,
		.rooms = {"p2p-chat-default"},
	};

	return host_add(s, &cfg);
}

static void test_sim_one_message(void **state)
{
	struct host *ann, *bob;
	struct sim s;

	(void)state;
	sim_init(&s, 1, "one_message");
	ann = person(&s, "ann");
	bob = person(&s, "bob");
	host_start(ann);
	host_start(bob);
	assert_true(sim_run(&s, 4 * SIM_S));
	reached = 0;
	buf_reset(&s.story);
	face_type(ann, "hello");
	/* The next heartbeat and ping are further away than this. */
	assert_true(sim_run(&s, 4 * SIM_S + 20 * SIM_MS));
	assert_string_equal(buf_cstr(&s.story), "ann shows <you> hello\n"
						"ann marks a line handed\n"
						"bob shows <ann> hello\n");
	if (reached < P2P_ARRAY_LEN(path))
		fail_msg("the path ends before %s", path[reached]);
	sim_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sim_one_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
