/*
 * One message, from key to far screen, by the very functions that
 * docs/internals/one-message.md names, and in that order. The linker puts a
 * witness before each (--wrap, Makefile.inc). It notes every call that has to
 * do with the line: its words are in what the call is given or gives back, or
 * another such call happens within it. What was noted in all, calls within
 * calls indented, is the expected path, no step more, fewer or earlier.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/xmalloc.h"
#include "chat/chat_internal.h"
#include "chat/receive_internal.h"
#include "chat/send_internal.h"
#include "net/pubsub/gossip.h"
#include "net/serve/frame.h"
#include "net/swarm/swarm.h"
#include "net/upgrade/muxer.h"
#include "net/upgrade/noise.h"
#include "tests/sim/sim.h"

#define WORDS "one line, said once"

/* Ann's screen may show it before or after the network has it: that step is
 * looked for by itself. */
static const char path[] = "ann: ui_update\n"
			   "ann: chat_turn\n"
			   "  send_line\n"
			   "    unit_sign\n"
			   "    store_insert\n"
			   "  store_commit\n"
			   "  out_release\n"
			   "ann: node_step\n"
			   "  gossip_publish\n"
			   "  swarm_stream_write\n"
			   "    muxer_write\n"
			   "    noise_seal\n"
			   "ann: node_out_peek\n"
			   "bob: node_step\n"
			   "  swarm_bytes\n"
			   "    noise_feed\n"
			   "    muxer_feed\n"
			   "  frame_read\n"
			   "  gossip_feed\n"
			   "bob: node_next_action\n"
			   "  gossip_next_verify\n"
			   "unit_batch_check\n"
			   "  unit_verify\n"
			   "bob: node_step\n"
			   "  gossip_verified\n"
			   "bob: chat_turn\n"
			   "  receive_unit\n"
			   "    store_insert\n"
			   "  store_commit\n"
			   "  out_release\n"
			   "bob: ui_on_msg\n";
static const char own_screen[] = "ann: ui_on_msg\n";
static const char released[] = "  out_release\n";

#define STEPS_MAX 64

struct step {
	const char *host; /* "": clear from what it stands in, or nobody's */
	const char *name;
	int depth;
};

/* What is noted, of which world; NULL: nothing is. */
static struct {
	struct sim *s;
	struct step steps[STEPS_MAX];
	size_t count;
	int depth;
	const struct store *unsaved; /* has the line, uncommitted */
	bool sealed;                 /* the line waits for the carrier */
} noted;

static const char *host_of(const void *part)
{
	for (int i = 0; part != NULL && i < noted.s->host_count; i++) {
		const struct host *h = &noted.s->host[i];

		if (part == h->ui || part == h->chat || part == h->node)
			return h->cfg.name;
	}
	return "";
}

/* Each call is noted when it begins; `part` says whose it is. */
static size_t begin(const char *name, const void *part)
{
	size_t at = noted.count;

	noted.depth++;
	if (noted.s == NULL)
		return at;
	assert_in_range(at, 0, STEPS_MAX - 1);
	noted.steps[noted.count++] = (struct step){
		.host = host_of(part), .name = name, .depth = noted.depth - 1};
	return at;
}

/* It stays when it, or a call within it, had to do with the line. */
static void end(size_t at, bool about)
{
	noted.depth--;
	if (noted.s != NULL && !about && noted.count == at + 1)
		noted.count = at;
}

static bool says(struct bytes b)
{
	return b.len > 0 && memmem(b.data, b.len, WORDS, strlen(WORDS)) != NULL;
}

static bool shows(const struct ui_msg *m)
{
	return m->msg.kind == UI_MSG_LINE && says(bytes_str(m->line.text));
}

/* What is to be shown, or to be sent. */
static bool tells(const struct chat *c)
{
	const struct chat_out *o;

	for (o = c->ui.first; o != NULL; o = o->next)
		if (shows(ui_msg_of(o->m)))
			return true;
	for (o = c->net.first; o != NULL; o = o->next) {
		const struct net_msg *m = net_msg_of(o->m);

		if (says(bytes_of(m->data, m->data_len)))
			return true;
	}
	return false;
}

static bool holds(const struct unit_batch *b)
{
	for (size_t i = 0; b != NULL && i < b->count; i++)
		if (says(bytes_of(b->check[i].unit, b->check[i].len)))
			return true;
	return false;
}

static bool keeps(const struct store *s, const struct store_message *m)
{
	if (!says(m->unit))
		return false;
	noted.unsaved = s;
	return true;
}

/* Every turn commits; this one has something to. */
static bool saves(const struct store *s)
{
	if (noted.unsaved != s)
		return false;
	noted.unsaved = NULL;
	return true;
}

static bool seals(struct bytes b)
{
	noted.sealed = noted.sealed || says(b);
	return says(b);
}

/* Nobody can read it any more, so the next that leaves is taken for it. */
static bool leaves(struct bytes b)
{
	bool with_it = noted.sealed && b.len > 0;

	noted.sealed = noted.sealed && !with_it;
	return with_it;
}

/* clang-format off */

/*
 * The function is called __wrap_NAME instead of NAME, which is __real_NAME.
 * PART is whose it is, NULL where that is clear from what it stands in; BEFORE
 * and AFTER say whether it has to do with the line.
 */
#define DECLARE(type, name, params) \
	type __real_##name params; \
	type __wrap_##name params; \
	type __wrap_##name params
#define WITNESS(type, name, params, args, part, before, after) \
	DECLARE(type, name, params) \
	{ \
		size_t at = begin(#name, part); \
		bool about = before; \
		type result = __real_##name args; \
		end(at, about || (after)); \
		return result; \
	}
#define WITNESS_VOID(name, params, args, part, before) \
	DECLARE(void, name, params) \
	{ \
		size_t at = begin(#name, part); \
		bool about = before; \
		__real_##name args; \
		end(at, about); \
	}

WITNESS_VOID(ui_update,
	(struct ui *u, const struct ui_key *k, const struct ui_clock *c),
	(u, k, c), u, k->code == UI_KEY_ENTER)
WITNESS_VOID(ui_on_msg,
	(struct ui *u, struct ui_msg *m, const struct ui_clock *c), (u, m, c),
	u, shows(m))
/* It calls chat_handle within its own file, where no linker can stand
 * between. */
WITNESS(uint64_t, chat_turn,
	(struct chat *c, const struct env *e, struct mailbox *ui,
		struct mailbox *net),
	(c, e, ui, net), c, false, false)
WITNESS_VOID(send_line,
	(struct chat *c, struct chat_room *r, struct bytes t), (c, r, t),
	NULL, says(t))
WITNESS_VOID(receive_unit,
	(struct chat *c, const struct chat_net_msg *m), (c, m),
	NULL, says(bytes_of(m->data, m->data_len)))
WITNESS_VOID(out_release, (struct chat *c), (c), NULL, tells(c))
WITNESS(int, unit_sign,
	(const struct identity *me, uint64_t n, struct bytes t, struct bytes d,
		struct buf *o),
	(me, n, t, d, o), NULL, says(d), false)
WITNESS_VOID(unit_batch_check, (struct unit_batch *b), (b), NULL, holds(b))
/* The simulator does so, too, outside of it all. */
WITNESS(int, unit_verify, (const struct unit *u), (u),
	NULL, noted.depth > 1 && says(u->data), false)
WITNESS(int, store_insert,
	(struct store *s, struct store_message *m, bool *is_new),
	(s, m, is_new), NULL, keeps(s, m), false)
WITNESS(int, store_commit, (struct store *s), (s), NULL, saves(s), false)
WITNESS_VOID(node_step,
	(struct node *n, const struct env *e, struct node_event *ev),
	(n, e, ev), n, false)
WITNESS(struct bytes, node_out_peek,
	(struct node *n, const struct env *e, uint64_t c), (n, e, c),
	n, false, leaves(result))
WITNESS(bool, node_next_action, (struct node *n, struct node_action *a),
	(n, a), n, false, false)
WITNESS(int, gossip_publish,
	(struct gossip *g, const struct env *e, struct bytes u), (g, e, u),
	NULL, says(u), false)
WITNESS(int, gossip_feed,
	(struct gossip *g, const struct env *e, const struct peer_id *p,
		struct bytes *r),
	(g, e, p, r), NULL, says(*r), false)
WITNESS(struct unit_batch *, gossip_next_verify, (struct gossip *g), (g),
	NULL, false, holds(result))
WITNESS_VOID(gossip_verified,
	(struct gossip *g, const struct env *e, struct unit_batch *b),
	(g, e, b), NULL, holds(b))
WITNESS(int, swarm_stream_write,
	(struct swarm *s, const struct env *e, struct sstream *st,
		struct bytes in),
	(s, e, st, in), NULL, says(in), false)
WITNESS_VOID(swarm_bytes,
	(struct swarm *s, const struct env *e, uint64_t c, struct bytes in),
	(s, e, c, in), NULL, false)
WITNESS(int, muxer_write,
	(struct muxer *m, uint64_t st, struct bytes in, size_t *t,
		struct bufq *o),
	(m, st, in, t, o), NULL, says(in), false)
WITNESS(int, muxer_feed,
	(struct muxer *m, const struct env *e, struct bytes in, size_t *t,
		struct bufq *o),
	(m, e, in, t, o), NULL, says(in), false)
WITNESS(int, noise_seal,
	(struct noise *n, struct bytes in, size_t *t, struct bufq *o),
	(n, in, t, o), NULL, seals(in), false)
WITNESS(int, noise_feed,
	(struct noise *n, struct bytes in, size_t *t, struct bufq *o),
	(n, in, t, o), NULL, false, says(noise_peek(n)))
WITNESS(int, frame_read,
	(struct frame_reader *r, struct bytes in, size_t *t, struct bytes *b),
	(r, in, t, b), NULL, false, result == 1 && says(*b))

/* clang-format on */

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

/* Like path. */
static void write_noted(struct buf *out)
{
	for (size_t i = 0; i < noted.count; i++) {
		const struct step *step = &noted.steps[i];

		for (int d = 0; d < step->depth; d++)
			(void)buf_append_str(out, "  ");
		(void)buf_appendf(out, "%s%s%s\n", step->host,
			step->host[0] == '\0' ? "" : ": ", step->name);
	}
}

/* Takes own_screen out; it stands once, behind the turn that said it. */
static char *without_own_screen(const char *walked)
{
	const char *said = strstr(walked, released);
	const char *shown = strstr(walked, own_screen);

	assert_non_null(said);
	assert_non_null(shown);
	assert_true(shown > said);
	return xasprintf("%.*s%s", (int)(shown - walked), walked,
		shown + strlen(own_screen));
}

static void test_sim_one_message(void **state)
{
	struct host *ann, *bob;
	struct buf walked;
	char *rest;
	struct sim s;

	(void)state;
	buf_init(&walked, 16384);
	sim_init(&s, 1, "one_message");
	ann = person(&s, "ann");
	bob = person(&s, "bob");
	host_start(ann);
	host_start(bob);
	assert_true(sim_run(&s, 4 * SIM_S));
	buf_reset(&s.story);
	noted.s = &s;
	face_type(ann, WORDS);
	/* The next heartbeat and ping are further away than this. */
	assert_true(sim_run(&s, 4 * SIM_S + 20 * SIM_MS));
	noted.s = NULL;
	assert_string_equal(buf_cstr(&s.story),
		"ann shows <you> " WORDS "\nann marks a line handed\n"
		"bob shows <ann> " WORDS "\n");
	write_noted(&walked);
	rest = without_own_screen(buf_cstr(&walked));
	assert_string_equal(rest, path);
	free(rest);
	buf_clear(&walked);
	sim_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sim_one_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
