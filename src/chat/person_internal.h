/*
 * Who is who: people by key, and the names that they claim (person.c).
 */
#ifndef CHAT_PERSON_INTERNAL_H
#define CHAT_PERSON_INTERNAL_H

#include "base/list.h"
#include "chat/chat_limits.h"
#include "chat/payload.h"
#include "chat/profile_internal.h"
#include "msg/ui_msg.h"
#include "net/identity/peer_id.h"
#include "store/store.h"

struct chat;

#define CHAT_TAG_CHARS 6
/* What stands for a name that is not known: ".." and this end of the key. */
#define CHAT_TAIL_CHARS 8

/* Those here whose name has one look, who comes first in front. */
struct chat_name {
	struct list claims; /* chat_claim.in */
};

/* A person among those of one look. */
struct chat_claim {
	struct chat_person *who;
	struct chat_name *name; /* NULL: no name, or no second look */
	struct list in;
};

/* A line's number in its room, and the line that had it. */
struct chat_seq {
	int64_t room; /* 0: none */
	uint64_t seq;
	uint64_t name; /* the beginning of its unit_id */
};

/* A signing key, and the peer with that key when it is connected. */
struct chat_person {
	struct store_person row;
	struct peer_id id;
	bool self;
	bool dirty;                  /* row differs from the store */
	bool in_ui;                  /* in c->changed_people */
	struct list changed;         /* in c->changed_people */
	struct chat_claim claims[2]; /* by the look that is small, drawn */
	bool odd;                    /* the name is (name_is_odd) */
	/* Whether somebody else comes first with the name, as of that epoch. */
	bool clashes;
	uint64_t clash_epoch;
	/* of the connection */
	size_t room_count; /* rooms that it is a member of */
	bool connected;
	bool announce;
	bool renamed; /* has another name than the ui was told */
	bool outbound;
	bool relayed;
	uint64_t rtt_us;
	const char *muxer;
	const char *how; /* who named the address */
	char *address;
	char *agent;
	char *protocols;
	int worth_told; /* to net; CHAT_WORTH_UNTOLD: not sure */
	/* What it lately sent, or (hint) what its program is taken for. */
	enum dialect speaks;
	bool speaks_is_hint;
	struct chat_profile profile;
	/* The last of its lines, a ring (receive.c). */
	struct chat_seq seqs[CHAT_FORK_SEQS];
	size_t seq_next;
	bool fork_said;
};

int people_load(struct chat *c) P2P_MUST_CHECK;
void people_free(struct chat *c);
/* Oneself, a friend or a regular (decision 0018). */
bool person_is_known(const struct chat_person *p);
/* After a rolled back turn: forgets rows that were not kept. */
void people_restore(struct chat *c);
/* The person with that key, made when new; NULL when the store fails. */
struct chat_person *person_get(struct chat *c, const struct peer_id *id);
/* The same by text; NULL also when the text is no peer id. */
struct chat_person *person_get_text(struct chat *c, const char *peer);
/* The same of people who are known already. */
struct chat_person *person_find(struct chat *c, const char *peer);
/* Makes sure that the person has a row (row.id). */
bool person_keep(struct chat *c, struct chat_person *p);
/* A line claims the name, which may be empty. It means nothing beside what the
 * author, who is connected, calls himself; nor of somebody who is ignored. */
void person_claim(struct chat *c, struct chat_person *p, const char *name);
/* The name is that person's from now on. Who has no row gets none by it. */
void person_call(struct chat *c, struct chat_person *p, const char *name);
void person_seen(struct chat *c, struct chat_person *p);
/* UI_MSG_PERSON at the end of the turn. */
void person_changed(struct chat *c, struct chat_person *p);
/* Tells net what a connected person is worth, when that is new. */
void person_tell_worth(struct chat *c, struct chat_person *p);
/* The mark before the name: ui_mark. */
char person_mark(struct chat *c, struct chat_person *p);
/* Whether the name, claimed once, is another's who was there before, or odd. */
bool person_borrows(
	struct chat *c, const struct chat_person *p, const char *name);
/* The user has compared the key, or takes that back. */
void person_verify(struct chat *c, struct chat_person *p, bool verified);
/* The last characters of the peer id. */
void person_tag(const struct chat_person *p, char tag[static 8]);
/* The name, or "..Ah93KnYU": the end of the key when there is none. */
const char *person_name(
	const struct chat_person *p, char buf[static MSG_NAME_MAX]);
/* Name and tag, for notices: "mali~c31e4f"; without a name as person_name.
 * Caller frees. */
char *person_full_name(const struct chat_person *p);
/* Stores what changed, tells the ui. */
void people_flush(struct chat *c);
void person_tell(struct chat *c, struct chat_person *p);
/* What faces are told of a person; *u is empty before. */
void person_describe(
	struct chat *c, struct chat_person *p, struct ui_person *u);
/*
 * Who is meant: a name (nobody else has it), "name~tag", a tag, or the start
 * or the end of the key (6 characters at least). NULL when nobody or several
 * are; then an error with the candidates was said.
 */
struct chat_person *person_resolve(struct chat *c, struct bytes who);

#endif
