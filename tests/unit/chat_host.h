/*
 * A person's chat for tests: the real chat and store under a test clock, its
 * two mailboxes read by the test, and authors whose programs are not ours.
 */
#ifndef TESTS_UNIT_CHAT_HOST_H
#define TESTS_UNIT_CHAT_HOST_H

#include "chat/chat.h"
#include "chat/payload.h"
#include "msg/chat_msg.h"
#include "msg/net_msg.h"
#include "msg/ui_msg.h"
#include "net/unit/unit.h"
#include "tests/lib/test_env.h"

#define LOBBY "p2p-chat-default"
#define NOW 1767225600000ULL /* the test clock's start */

struct host {
	struct test_env te;
	struct identity me;
	char id[PEER_ID_TEXT_MAX];
	struct store *store;
	struct chat *chat;
	struct mailbox *to_ui;
	struct mailbox *to_net;
	struct chat_cfg cfg;
	/* What was taken from the mailboxes, oldest first. */
	struct msg *ui[4096];
	size_t ui_count;
	struct msg *net[4096];
	size_t net_count;
};

/* Somebody else: a key, a claimed name, a counter. */
struct author {
	struct identity key;
	char peer[PEER_ID_TEXT_MAX];
	const char *name;
	uint64_t seqno;
};

/* `seed` makes the key; a first start, name NULL lets the chat choose. */
void host_init(struct host *h, uint8_t seed, const char *name);
/* The program ends (as a crash would) and starts again on its store. */
void host_restart(struct host *h);
/* The same with the flags that stand in cfg. */
void host_restart_with(struct host *h);
/* The same on another database; the error of whoever refused it, and the host
 * is then without a chat until the next such call. */
int host_restart_on(struct host *h, struct bytes image);
void host_clear(struct host *h);
/* Its peer id as text. */
static inline const char *host_id(const struct host *h)
{
	return h->id;
}
/* Time passes; a turn without messages. */
void host_wait(struct host *h, uint64_t ms);
/* The page of lines before that place. */
void host_page_before(struct host *h, const char *room,
	const struct store_key *before, uint32_t count);
/* Ends the turn and takes what came out. */
void host_turn(struct host *h);
/* Forgets what was taken. */
void host_forget(struct host *h);

/* Each is one message and one turn. room NULL: the current one. */
void host_types(struct host *h, const char *room, const char *text);
void host_ui(struct host *h, enum chat_msg_kind kind, const char *room);
void host_page(struct host *h, const char *room, uint32_t count);
void host_peer(
	struct host *h, const char *peer, const char *agent, const char *muxer);
void host_gone(struct host *h, const char *peer);
void host_topic(struct host *h, const char *peer, const char *topic, bool on);
/* Connected, and in the room. */
void host_meets(struct host *h, const struct author *a, const char *topic);
void host_unit(struct host *h, struct bytes raw);
void host_handed(struct host *h, const uint8_t id[32]);

void author_init(struct author *a, uint8_t seed, const char *name);
/* Signs data as it is. */
void author_sends(struct author *a, struct host *to, const char *topic,
	struct bytes data);
/* The dialects of the programs that exist; ms is the author's clock. */
void author_says_go(
	struct author *a, struct host *to, const char *text, uint64_t ms);
void author_says_js(
	struct author *a, struct host *to, const char *text, uint64_t ms);
void author_says_native(
	struct author *a, struct host *to, const char *text, uint64_t ms);

/* What came out: the nth (from 0) of a kind, or NULL; how many. */
struct ui_msg *host_said(struct host *h, enum ui_msg_kind kind, size_t nth);
size_t host_said_count(struct host *h, enum ui_msg_kind kind);
struct net_msg *host_sent(struct host *h, enum net_msg_kind kind, size_t nth);
size_t host_sent_count(struct host *h, enum net_msg_kind kind);
/* The last line, notice or error said with that text in it, or NULL. */
struct ui_msg *host_line(struct host *h, const char *text);
struct ui_msg *host_text(
	struct host *h, enum ui_msg_kind kind, const char *text);
/* How many LIVE lines have exactly that text. */
size_t host_line_count(struct host *h, const char *text);
/* The payload of a PUBLISH. Clear it. */
struct payload host_payload(const struct net_msg *m);

/* What a story begins with: ann's chat, and three who may write to it. */
struct fixture {
	struct host me;
	struct author mali;
	struct author tom;
	struct author eve;
};

int host_story_begin(void **state);
int host_story_end(void **state);

#define STORY(name) \
	cmocka_unit_test_setup_teardown(name, host_story_begin, host_story_end)

#endif
