/*
 * Rooms: the list of them and their members (room.c), entering, leaving and
 * looking at them (room_enter.c), and what the time is in one (room_clock.c).
 */
#ifndef CHAT_ROOM_INTERNAL_H
#define CHAT_ROOM_INTERNAL_H

#include "base/list.h"
#include "base/table.h"
#include "chat/chat_limits.h"
#include "store/store.h"

struct chat;
struct chat_person;

/* The room of who names none; people see it as "lobby". */
#define ROOM_LOBBY_TOPIC "p2p-chat-default"

/* How far an author's lines are from the machine's own clock. */
struct chat_clock {
	int64_t author; /* store_person.id */
	int64_t offset_ms;
	uint64_t heard_ms; /* env->now_ms */
	bool steady;       /* two lines some time apart agree: they had not
			      waited */
};

struct chat_room {
	struct store_room row;
	struct list order;    /* in c->rooms, by position */
	char *title;          /* clean; room_topic_of leads back to the topic */
	struct table members; /* peer id -> struct chat_person */
	bool dirty;           /* row differs from the store */
	bool ui_dirty;        /* UI_MSG_ROOM is due */
	bool only_known;      /* pages leave strangers out (/only) */
	bool control;         /* by its name: room_is_control */
	bool maybe_files;     /* by its name it may be one, too */
	/* sending (send.c) */
	bool maybe_waiting; /* own lines may wait */
	bool offering;      /* they go out in order, from offer_at on */
	struct store_key offer_at;
	uint64_t burst_end_ms; /* lines said until then count as one burst */
	unsigned burst_count;
	uint64_t offer_due_ms;
	bool join_said;
	/* what others write (dialect.c) */
	unsigned kinds;         /* heard: 1 << enum dialect */
	bool kinds_said;        /* that they do not read each other */
	uint64_t json_heard_ms; /* env->now_ms, while row.dialect is NATIVE */
	/* lines that cannot be read (dialect.c) */
	uint64_t unreadable;        /* not said yet */
	uint64_t unreadable_due_ms; /* when one may be said again */
	bool unknown_said;          /* that somebody sends what is no line */
	/* clocks (room_clock.c) */
	struct chat_clock clocks[CHAT_CLOCKS_MAX];
	size_t clock_count;
	uint64_t placed_ms;    /* where the last line was put; 0: none, or by a
				  clock that has gone back since */
	int64_t placed_offset; /* of the clock that put it there */
};

/* For LIST_FOREACH over c->rooms. */
#define ROOM_OF(pos) LIST_ITEM(pos, struct chat_room, order)

/* ---- room.c ------------------------------------------------------------ */

/* Those that the store has. */
int rooms_load(struct chat *c) P2P_MUST_CHECK;
void rooms_free(struct chat *c);
/* Leaves strangers' lines out of what is shown, and remembers that. */
void room_set_only(struct chat *c, struct chat_room *r, bool only_known);
/* After a rolled back turn: as the store has them. */
void rooms_restore(struct chat *c);
struct chat_room *room_find(struct chat *c, const char *topic);
struct chat_room *room_of_row(struct chat *c, int64_t id);
/* Of those joined, the one at the top of the list; NULL when there is none. */
struct chat_room *room_first_joined(struct chat *c);
/* Found or made (not joined), because we want it: NULL when too many are kept
 * already. The rooms that others name do not count. */
struct chat_room *room_get(struct chat *c, const char *topic);
/* The same because a peer is in it: NULL when others named too many. */
struct chat_room *room_hear_of(struct chat *c, const char *topic);
/* Whether one more room of ours would be kept. */
bool rooms_may_keep_one(struct chat *c);
/* UI_MSG_ROOM; UI_MSG_MEMBER for each who is in it. */
void room_tell(struct chat *c, struct chat_room *r, bool changed);
void room_tell_members(struct chat *c, const struct chat_room *r);
/* Stores what changed, tells the ui. */
void rooms_flush(struct chat *c);
/* Whether a topic of that name carries no lines, whoever is in it. */
bool room_topic_is_control(const char *topic);
/*
 * Whether the room is a topic in which other programs hand files over or look
 * for each other. Nothing is said there: a line ends such programs.
 */
bool room_is_control(const struct chat *c, const struct chat_room *r);
/*
 * What a person typed as a room: a topic, with or without '#', or a title in
 * quotation marks. The topic into out; P2P_ERR_INVAL, P2P_ERR_TOO_BIG,
 * P2P_ERR_UTF8.
 */
int room_topic_of(
	struct bytes typed, char out[static MSG_TOPIC_MAX]) P2P_MUST_CHECK;
void room_add_member(
	struct chat *c, struct chat_room *r, struct chat_person *p);
void room_remove_member(
	struct chat *c, struct chat_room *r, struct chat_person *p);

/* ---- room_enter.c ------------------------------------------------------ */

/* P2P_ERR_LIMIT when too many are joined, P2P_ERR_INVAL: room_is_control. */
int room_join(struct chat *c, struct chat_room *r) P2P_MUST_CHECK;
void room_part(struct chat *c, struct chat_room *r);
void room_focus(struct chat *c, struct chat_room *r);
/* Read up to the key; the counts follow. */
void room_read(struct chat *c, struct chat_room *r, const struct store_key *k);

/* ---- room_clock.c ------------------------------------------------------ */

/* A live line of an author; returns whether its clock is wrong. */
bool clock_hear(
	struct chat *c, struct chat_room *r, int64_t author, uint64_t time_ms);
/* Whether a stored line's time is ahead of the room's. */
bool clock_is_ahead(
	const struct chat *c, const struct chat_room *r, uint64_t time_ms);
/* The latest time that no honest line passes: what is dated behind it is far
 * ahead of the room, neither counted as unread nor on the newest page. */
uint64_t clock_latest_ms(const struct chat *c, const struct chat_room *r);
/* Whether anybody knows the time in the room: our clock is set, or somebody
 * was heard. */
bool clock_is_known(const struct chat *c, const struct chat_room *r);
/* What the time is in the room. */
uint64_t clock_room_ms(const struct chat *c, const struct chat_room *r);
/* Where a line of now stands: behind all that is believed of the room, and
 * after a backward step of our clock not behind what was put by it before. Says
 * once when our clock is not believed. */
uint64_t clock_next(struct chat *c, struct chat_room *r);

#endif
