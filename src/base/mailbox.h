/*
 * How threads talk: a bounded queue of owned messages. Nothing here blocks a
 * poster, so there is no order of locks to get wrong. The only mutex of the
 * program is inside this file (and the log sink).
 */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include "base/error.h"

/*
 * The first member of every message. A message is one heap object with one
 * owner. `kind` is of the receiving side's enum; `bytes` is what it is charged
 * at (at least the struct's size).
 */
struct msg {
	struct msg *next; /* used by the mailbox while queued */
	void (*free)(struct msg *m);
	size_t bytes;
	int kind;
};

/* Frees the message with its own function; NULL is allowed. */
void msg_free(struct msg *m);

struct mailbox;

struct mailbox_cfg {
	size_t count_max;
	size_t bytes_max;
	/*
	 * Called after a post into the empty queue, without the lock, from the
	 * poster's thread: wakes the reader (an eventfd, nothing).
	 * A reader that leaves messages behind comes back by itself. NULL:
	 * mailbox_wait is how the reader waits.
	 */
	void (*wake)(void *arg);
	void *wake_arg;
	/*
	 * Called from the reader's thread when the queue, after having refused
	 * a post, has come down to half: wakes the poster. May be NULL.
	 */
	void (*drained)(void *arg);
	void *drained_arg;
};

struct mailbox *mailbox_new(const struct mailbox_cfg *cfg);
/* Frees what is still queued. Nobody may post any more. */
void mailbox_free(struct mailbox *mb);

/*
 * Takes *m and nulls it, or returns P2P_ERR_FULL (P2P_ERR_CLOSED after
 * mailbox_close) and leaves it with the caller. Any thread.
 */
int mailbox_post(struct mailbox *mb, struct msg **m) P2P_MUST_CHECK;
/*
 * Between these two posts do not wake the reader; the second one does, if one
 * of them would have. For a poster with much to say: where threads share a
 * core, a reader that is woken by the first message takes each one alone.
 */
void mailbox_hold(struct mailbox *mb);
void mailbox_let_go(struct mailbox *mb);
/* Whether a post of `bytes` would be taken now; only the one poster may
 * rely on it. A false answer counts as a refusal for `drained`. */
bool mailbox_has_room(struct mailbox *mb, size_t bytes);
/* Whether nothing is queued now. Reader only. */
bool mailbox_is_empty(struct mailbox *mb);
/* The oldest message, owned by the caller, or NULL. Reader only. */
struct msg *mailbox_take(struct mailbox *mb);
/* Waits until something is queued, the mailbox is closed, or timeout_ms have
 * passed (P2P_NEVER: no limit). Reader only. */
void mailbox_wait(struct mailbox *mb, uint64_t timeout_ms);
/* No more posts; wakes the reader. What is queued can still be taken. */
void mailbox_close(struct mailbox *mb);
bool mailbox_closed(struct mailbox *mb);

#endif
