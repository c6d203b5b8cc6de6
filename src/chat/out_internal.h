/*
 * Output to the ui and to net, kept back until the turn's commit: what queues
 * it and what lets it go. All else in this folder may call these; they call
 * nobody.
 */
#ifndef CHAT_OUT_INTERNAL_H
#define CHAT_OUT_INTERNAL_H

#include "base/bytes.h"
#include "msg/net_msg.h"
#include "msg/ui_msg.h"

struct chat;
struct chat_room;

/* A message kept back until the commit. */
struct chat_out {
	struct chat_out *next;
	struct msg *m;
	int64_t row; /* of a live line: its row in the store, else 0 */
	struct chat_room *room; /* of a publish: to be offered again */
	bool is_copy;           /* a publish: belongs to the one before it */
	bool committed; /* waits for room in the queue since an earlier turn */
};

struct chat_out_queue {
	struct chat_out *first;
	struct chat_out **last;
	size_t count;
};

void out_init(struct chat_out_queue *q);
void out_clear(struct chat_out_queue *q);
void out_ui(struct chat *c, struct ui_msg *m);
/* A live line with its row in the store. */
void out_ui_line(struct chat *c, struct ui_msg *m, int64_t row);
void out_net(struct chat *c, struct net_msg *m, struct chat_room *room);
/* The copy of the publish before: goes out if that does, and only then. */
void out_net_copy(struct chat *c, struct net_msg *m);
/* After a rolled back turn: forgets what the ui was to hear of it, but for
 * connections, members, the checklist and lines that no store has. */
void out_undo_ui(struct chat *c);
/* The same for net. */
void out_undo_net(struct chat *c);
/* Starts leaving, once: both sides are told, the ui with the exit status. */
void out_quit(struct chat *c, int status);
/* After the commit: posts what can be posted. */
void out_release(struct chat *c);
/* Text must be clean; room may be NULL. */
void out_notice(struct chat *c, enum ui_level level,
	const struct chat_room *room, const char *fmt, ...) P2P_PRINTF(4, 5);
/* A warning that programs can tell by its code. */
void out_warn(struct chat *c, const char *code, const struct chat_room *room,
	const char *fmt, ...) P2P_PRINTF(4, 5);
void out_error(struct chat *c, const char *code, const char *fmt, ...)
	P2P_PRINTF(3, 4);
/* A copy of text cleaned to one line, for use in a notice. Caller frees. */
char *out_clean(struct bytes text);

#endif
