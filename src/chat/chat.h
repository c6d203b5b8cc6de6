/*
 * The rules of chat as a state machine: rooms, people, dialects, sending and
 * receiving, commands. It owns the store and nothing else; it knows no
 * thread, socket, terminal or clock (ARCHITECTURE.md).
 *
 * A turn: chat_handle for each message taken from the mailboxes, at most
 * CHAT_TURN_MAX of them, then chat_turn_end. Store before show: what the
 * messages lead to (lines for the ui, units for the net) is kept back until
 * chat_turn_end has committed the turn's one transaction. When that fails
 * (disk full, read-only, damaged) the turn is undone and chat_is_saving is
 * false until one of the tries, CHAT_STORE_RETRY_MS apart, succeeds. Meanwhile
 * the chat goes on hearing: lines of others are shown, marked as not kept, and
 * counted; what is typed stays in memory, at most CHAT_KEPT_MAX messages, shown
 * as not saved, and is signed, kept and sent by the try that succeeds. Leaving
 * then ends with UI_MSG_QUIT and the status CHAT_EXIT_UNSAVED.
 *
 * The chat never waits for the ui: a full queue to it is answered by one
 * UI_MSG_RELOAD; on CHAT_MSG_RELOAD everything is said again, and live lines
 * that the ui has not had follow, each once. A full queue to net leaves lines
 * waiting in the store until CHAT_MSG_NET_ROOM.
 */
#ifndef CHAT_CHAT_H
#define CHAT_CHAT_H

#include "base/env.h"
#include "base/mailbox.h"
#include "chat/chat_limits.h"
#include "net/identity/key.h"
#include "store/store.h"

struct chat;

/* What the profile may take of the disk. */
struct chat_limits {
	uint64_t profile_bytes; /* in all; 0: there are no quotas */
	uint64_t
		free_strangers_bytes; /* with less free: nothing of strangers */
	uint64_t free_others_bytes;   /* nothing but one's own */
};

/* Everything is borrowed and outlives the chat, except the texts, which are
 * copied. */
struct chat_cfg {
	struct store *store;
	const struct identity *me;
	struct mailbox *to_ui;
	struct mailbox *to_net;
	const char *name; /* --name, or NULL: the kept one, or two words */
	const char *const *rooms; /* --room: joined; the first is shown */
	size_t room_count;
	const char *const *connect; /* --connect: dialled at the start */
	size_t connect_count;
	const char *const *keep; /* --keep: peers to stay connected to */
	size_t keep_count;
	const char *version; /* what /version says, lines */
	const char *sandbox; /* what /info says of it, lines, clean; borrowed,
			      * read later; NULL: nothing */
	int utc_offset_s;    /* of the person's days, for /history */
	/* Lines a minute that others take of one author: ours go out no
	 * faster, behind a burst of so many. 0: at any pace. */
	unsigned author_rate;
	struct chat_limits limits;
	struct store_quota quota; /* its secret is the chat's business */
};

/* Whether a text can be a name or a room, for who asks before there is a chat:
 * 0 or an error. */
int chat_check_name(const char *wanted) P2P_MUST_CHECK;
int chat_check_room(const char *wanted) P2P_MUST_CHECK;

/* Reads the profile. The errors of the store; P2P_ERR_INVAL when a name or a
 * room of the cfg cannot be one. */
int chat_new(struct chat **out, const struct chat_cfg *cfg,
	const struct env *env) P2P_MUST_CHECK;
/* NULL is allowed. The store is not closed. */
void chat_free(struct chat *c);

/*
 * Says what is known (own name, rooms, the room to show) to the ui, tells net
 * which rooms to join and whom to look for. Followed by chat_turn_end.
 */
void chat_start(struct chat *c, const struct env *env);
/* One message (msg/chat_msg.h); it is taken. */
void chat_handle(struct chat *c, const struct env *env, struct msg *m);
/* Does what is due, commits, releases. Also called when the deadline has
 * passed without a message. */
void chat_turn_end(struct chat *c, const struct env *env);
/* When chat_turn_end is due at the latest (env->now_ms), or P2P_NEVER. */
uint64_t chat_deadline(const struct chat *c);
/* False while the store refuses. */
bool chat_is_saving(const struct chat *c);
/* True when the person has left, all is saved and both sides know it. */
bool chat_finished(const struct chat *c);

/*
 * A whole turn: takes from the mailboxes (the ui's first), ends the turn,
 * returns the next deadline. The thread's body and the simulator's step. In a
 * flood (CHAT_BURST_MIN) it does nothing when it is called before the deadline
 * that it returned, so that one commit keeps many lines.
 */
uint64_t chat_turn(struct chat *c, const struct env *env,
	struct mailbox *from_ui, struct mailbox *from_net);

#endif
