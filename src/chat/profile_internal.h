/*
 * Profiles: what people call themselves, told when two of these programs meet
 * and again when it changes (docs/internals/chat.md). Each side gives its own,
 * on a stream of its own that holds one frame (net/wire/profile_pb.h):
 *
 *   to give --PIPE_OPEN, _FRAME, _CLOSE--> under way --_GONE, 0--> given
 *      ^ '---- _GONE with an error, or no answer: after a while ----'  |
 *      '------------------------- /name ------------------------------'
 *
 *   PIPE_FRAME: the peer's. A name is believed at once; after a change of it
 *   none for CHAT_PROFILE_PACE_MS, then the one that was heard last.
 *
 * It is given to peers on this machine and its LAN, and to those who share a
 * room that we are in; to nobody else. Who gives us one is believed wherever
 * he is: it is a claim, as names in lines are, and marked like them.
 */
#ifndef CHAT_PROFILE_INTERNAL_H
#define CHAT_PROFILE_INTERNAL_H

#include "base/list.h"
#include "msg/chat_msg.h"

struct chat;
struct chat_person;

/* Of a person who is connected; only pace_ms outlives the connection. */
struct chat_profile {
	struct list met; /* in c->profiles */
	/* ours */
	bool wanted;       /* the program speaks the protocol */
	bool near;         /* the connection does not leave the LAN */
	uint64_t conn;     /* the number of its newest connection */
	uint64_t given;    /* the number of the one that is there; 0: none */
	uint64_t sent;     /* of the one under way */
	uint64_t pipe;     /* under way; 0: none is */
	uint64_t due_ms;   /* to be given; under way: too late. P2P_NEVER */
	unsigned failures; /* in a row */
	/* theirs */
	bool named;               /* it has said what it is called */
	uint64_t heard;           /* the pipe whose frame was taken */
	uint64_t pace_ms;         /* before that no new name is believed */
	uint64_t claim_ms;        /* then the claim is believed; P2P_NEVER */
	char claim[MSG_NAME_MAX]; /* waits for it */
};

/* The peer is connected, or something about its connection has changed; conn is
 * another with each new connection. */
void profile_meet(struct chat *c, struct chat_person *p, uint64_t conn);
void profile_leave(struct chat *c, struct chat_person *p);
/* Both are in a room that we are in. */
void profile_share_room(struct chat *c, struct chat_person *p);
/* Our own name is another now. */
void profile_rename(struct chat *c);
/* Who was ignored may be called again what he calls himself. */
void profile_heed(struct chat *c, struct chat_person *p);
/* CHAT_MSG_PIPE_*. */
void profile_pipe(struct chat *c, const struct chat_net_msg *m);
/* Before the commit: claims that have waited long enough become names. */
void profile_tick(struct chat *c);
/* After the commit, or where none can be made, so that nothing of it is ever
 * taken back: begins what is to be given, ends what takes too long. */
void profile_give(struct chat *c);
/* env->now_ms, or P2P_NEVER. */
uint64_t profile_deadline(const struct chat *c);

#endif
