/*
 * The state that the files of this folder share. Their verbs stand in headers
 * of their own, one a part: out, offer, person, profile, room, line, send,
 * receive, peers, history, name, damage, cmd. Who calls whom goes one way:
 * chat.c calls them all, and out none of them
 * (tests/lint/check-cycles).
 *
 * Every verb here runs inside a turn: c->env is set. A failed store verb is
 * noted by chat_store_ok; the turn is then undone as a whole at its end, so
 * callers need not unwind.
 */
#ifndef CHAT_CHAT_INTERNAL_H
#define CHAT_CHAT_INTERNAL_H

#include "base/list.h"
#include "base/table.h"
#include "chat/chat.h"
#include "chat/out_internal.h"
#include "msg/chat_msg.h"

struct chat_status {
	bool known;
	enum chat_status_state state;
	char *text;
};

/* How much may be kept, by what is free. */
enum chat_space {
	CHAT_SPACE_ALL,
	CHAT_SPACE_KNOWN, /* nothing of strangers */
	CHAT_SPACE_OWN,   /* nothing but own lines */
};

struct chat {
	struct store *store;
	const struct identity *me;
	struct mailbox *to_ui;
	struct mailbox *to_net;
	char *version;
	const char *sandbox; /* borrowed; may be NULL */
	char **connect;
	size_t connect_count;
	char **keep;
	size_t keep_count;
	int utc_offset_s;
	const struct env *env; /* of this turn */
	char me_text[PEER_ID_TEXT_MAX];
	struct chat_person *self;

	struct table people;             /* peer id -> struct chat_person */
	struct table names;              /* look -> struct chat_name */
	uint64_t names_epoch;            /* another whenever marks may change */
	char compared[PEER_ID_TEXT_MAX]; /* whose number was shown last */
	uint64_t clash_said_ms; /* of a verified name; P2P_NEVER: not yet */
	bool clock_said;        /* that ours is not believed */
	struct list changed_people;
	struct list rooms;
	struct table rooms_by_topic;
	size_t joined_count;
	struct chat_room *focus;
	uint64_t seqno;        /* of the unit signed last */
	uint64_t seqno_mark;   /* in each of this run (send.c) */
	bool copy_said;        /* that the key is used elsewhere as well */
	uint64_t fork_said_ms; /* of another's key; P2P_NEVER: not yet */
	struct table offers;   /* unit_id -> struct chat_offer */
	unsigned author_rate;  /* lines a minute; 0: at any pace */
	uint64_t pace_ms;      /* when the last line that went out was due */

	struct list profiles; /* chat_person.profile.met */
	size_t profiles_out;  /* under way */
	uint64_t
		profile_number; /* of our own, from 1: another with each name */
	uint64_t pipes_opened;

	bool net_ready;
	char *listen; /* addresses, one a line */
	struct chat_status status[CHAT_STATUS_COUNT];
	size_t connected_count;
	uint64_t unreached;  /* that the LAN shows; see CHAT_MSG_UNREACHED */
	bool firewalls_said; /* what to do then */

	/* output, kept back until the commit */
	struct chat_out_queue ui;
	struct chat_out_queue net;
	int64_t ui_row;   /* live lines up to this row were posted */
	bool ui_lost;     /* the queue was full: nothing until RELOAD */
	size_t ui_answer; /* first so many of `ui` were asked for */
	bool ui_waits;    /* a part of `ui` had no room in the last turn */
	bool reload_said; /* UI_MSG_RELOAD is in the queue */
	bool replaying;   /* live lines after ui_row come from the store */

	/* input, kept until the commit */
	struct msg *turn_first;
	struct msg **turn_last;
	int store_err; /* the first failure in this turn */
	bool starting; /* chat_start is not committed yet */
	bool retrying; /* saving fails: the kept input will be taken in again */
	bool trying;   /* ... and is at this moment */
	uint64_t retry_ms;
	uint64_t place_due_ms; /* when to look whether the store is in place */
	int store_told; /* why saving fails, as the ui knows it; 0: it works */
	size_t kept_count;
	/* damage (damage.c) */
	bool counted; /* all lines that should be there */
	uint64_t count_due_ms;
	uint64_t damage_lines_said;
	uint64_t damage_moved_said;
	/* quotas (keep.c) */
	struct chat_limits limits;
	enum chat_space space;
	uint64_t space_due_ms;
	uint64_t strangers;       /* with a row */
	uint64_t strangers_saved; /* at the last commit */
	/* while saving fails (unsaved.c) */
	bool keep_input;    /* what is being dispatched waits for the store */
	bool unsaved_shown; /* ... and stands on the screen as unsaved_id */
	uint8_t unsaved_id[MSG_UNIT_ID_BYTES];
	uint64_t unkept; /* lines of others shown and not kept, since then */
	uint64_t unkept_ever;
	uint64_t gather_until_ms; /* in a flood: the next turn's time */
	bool quitting;
	bool quit_anyway; /* though the store fails */
	bool finished;
	uint64_t ignored_units;    /* not chat, or malformed */
	uint64_t refused_profiles; /* malformed, or more than one a pipe */
};

/* Whether the store may be written to: not while saving fails, but for the
 * tries. What is said then is shown as not saved, or waits. */
static inline bool chat_saves(const struct chat *c)
{
	return !c->retrying || c->trying;
}

/* Notes a store verb's result, the first failure of a turn; returns whether
 * it was good. */
static inline bool chat_store_ok(struct chat *c, int err)
{
	if (err != 0 && c->store_err == 0)
		c->store_err = err;
	return err == 0;
}

#endif
