/*
 * Two whole nodes for tests, joined by carriers that the test plays. What they
 * tell their chats is kept until pair_forget.
 */
#ifndef TESTS_UNIT_NODE_PAIR_H
#define TESTS_UNIT_NODE_PAIR_H

#include "net/node/node_internal.h"
#include "tests/lib/test_env.h"

#define NODES 2
#define PAIR_GOSSIP "/meshsub/"
#define TOLD_MAX 4000

struct side {
	struct identity me;
	struct maddr addr;
	struct node *n;
	uint64_t conn; /* of the carrier between them, 0: none */
	bool paused;   /* the other side must not send */
	bool chat_full;
	bool stopped;
	bool away; /* dials to it find nobody */
	unsigned advertised;
	unsigned far_dials; /* to others than the other side */
	struct chat_net_msg *told[TOLD_MAX];
	unsigned told_count;
};

struct pair {
	struct test_env te;
	struct side side[NODES];
};

/* Feeds node i an event, a command, a command of one word. */
void pair_step(struct pair *p, unsigned i, struct node_event *ev);
void pair_command(struct pair *p, unsigned i, struct net_msg *m);
void pair_say(
	struct pair *p, unsigned i, enum net_msg_kind kind, const char *text);
void pair_event(struct pair *p, unsigned i, enum node_event_kind kind);
/* Setup and teardown of a story: *state is the pair. */
int pair_begin(void **state);
/* Frees what was told so far. */
void pair_forget(struct pair *p);
int pair_end(void **state);
/* The carrier between them breaks. */
void pair_cut(struct pair *p);
/* Does what node i asks for; carries its bytes, true when there were any. */
void pair_on_action(struct pair *p, unsigned i, struct node_action *act);
bool pair_carry(struct pair *p, unsigned i);
/* Carries until nothing moves; then time passes as well. */
void pair_run(struct pair *p);
void pair_pass(struct pair *p, uint64_t ms);
/* What node i has told its chat: how many of a kind, the last of them. */
unsigned pair_told(struct pair *p, unsigned i, enum chat_msg_kind kind);
const struct chat_net_msg *pair_last(
	struct pair *p, unsigned i, enum chat_msg_kind kind);
/* Node i signs a line and says it. */
void pair_publish(struct pair *p, unsigned i, uint64_t seqno, const char *text);
/* The newest stream of node i whose protocol begins so, opened by the other or
 * by itself; NULL. */
struct sstream *pair_stream(
	struct pair *p, unsigned i, bool inbound, const char *name);
/* It ends at node i, by such an error. */
void pair_end_stream(struct pair *p, unsigned i, struct sstream *st, int err);
/* They connect, join one room and find each other there. */
void pair_meet(struct pair *p);

#endif
