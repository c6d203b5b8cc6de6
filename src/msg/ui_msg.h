/*
 * What the chat thread tells the face (screen, line mode, JSON). All text is
 * already clean (base/text.h). One struct for all kinds: the comment at each
 * kind names the members that are set; the others are zero.
 *
 * Rooms are named by their topic; `title` is what people see ("lobby").
 */
#ifndef MSG_UI_MSG_H
#define MSG_UI_MSG_H

#include "base/mailbox.h"
#include "msg/chat_msg.h"
#include "msg/msg_limits.h"
#include "msg/peer_facts.h"

enum ui_msg_kind {
	UI_MSG_READY,    /* peer: own id, name, text: listen addresses (one a
			    line), room, title: the room to show first. Once the
			    network listens; again when the addresses change */
	UI_MSG_NAME,     /* name: own name now */
	UI_MSG_ROOM,     /* room, title, joined, members (peers connected and
			    in it), unread, mentions, changed: joined/left,
			    only_known */
	UI_MSG_FOCUS,    /* room: show this room now */
	UI_MSG_LINE,     /* room, line */
	UI_MSG_PAGE_END, /* room, more: whether older lines exist;
			    line.time_ms, line.id: where the page begins,
			    if lines were left out */
	UI_MSG_STATE,    /* room, line.id, line.state: a mark changed */
	UI_MSG_PERSON,   /* person: came, went or changed */
	UI_MSG_MEMBER,   /* room, peer, joined: is in the room or not */
	UI_MSG_STATUS,   /* item, status, text: a line of the checklist */
	UI_MSG_NOTICE,   /* level, text, code (NULL: has none); room: where it
			    belongs or NULL */
	UI_MSG_ERROR,    /* code, text: a command failed */
	UI_MSG_NET,      /* text, figures: the answer to /net */
	UI_MSG_WHOIS,    /* text; person, addresses: the answer to /whois */
	UI_MSG_PEERS,    /* text; people: the connected; addresses: one for
			    each known besides; known: these in all. To /peers
			  */
	UI_MSG_CLEAR,    /* room: empty the screen of it (history stays) */
	UI_MSG_UNFOLD,   /* open what is folded on the screen, or fold it */
	UI_MSG_RELOAD,   /* the queue overflowed: ask with CHAT_MSG_RELOAD */
	UI_MSG_QUIT,     /* number: exit status; everything is saved */
};

enum ui_line_origin {
	UI_LINE_LIVE,    /* new to this run */
	UI_LINE_PAGE,    /* answer to CHAT_MSG_PAGE */
	UI_LINE_HISTORY, /* answer to /history */
};

/* Mark of an own line. */
enum ui_line_state {
	UI_STATE_NONE,    /* not ours */
	UI_STATE_WAITING, /* ? nobody has it yet */
	UI_STATE_HANDED,  /* > handed to at least one peer */
	UI_STATE_UNSAVED, /* ! not saved, so neither signed nor sent yet */
	UI_STATE_SAVED,   /* only in UI_MSG_STATE: the unsaved line is gone,
			     itself follows under its own id */
};

enum ui_line_type {
	UI_TYPE_MESSAGE,
	UI_TYPE_JOIN,  /* came: folded on screen */
	UI_TYPE_LEAVE, /* went: folded on screen */
	/* A stored line that is not as it was written: id and time_ms say where
	 * it stands, nothing else is set. UI_DAMAGED_TEXT stands there. */
	UI_TYPE_DAMAGED,
};

/* In place of a damaged line. */
#define UI_DAMAGED_TEXT \
	"(A line stood here. It was damaged on this disk and cannot be " \
	"shown.)"

enum ui_level {
	UI_LEVEL_INFO,
	UI_LEVEL_WARN,
	UI_LEVEL_ERROR,
};

/* What stands before a name. */
enum ui_mark {
	UI_MARK_KNOWN = ' ',
	UI_MARK_NEW = '?',      /* met within the last day */
	UI_MARK_CLASH = '!',    /* looks like another's, or like none */
	UI_MARK_VERIFIED = '+', /* the user has compared the key */
};

/* Whether the name alone does not say who it is. */
static inline bool ui_mark_needs_tag(char mark)
{
	return mark == UI_MARK_NEW || mark == UI_MARK_CLASH;
}

struct ui_line {
	uint8_t id[MSG_UNIT_ID_BYTES];
	uint64_t time_ms; /* order on screen is (time_ms, id) */
	char from[MSG_PEER_MAX];
	char name[MSG_NAME_MAX];
	/* Last characters of the id, shown when name_mark; empty when the
	 * name is the key's end already. */
	char tag[8];
	char name_mark; /* ui_mark */
	bool nameless;  /* nothing was claimed: the name is the key's end */
	bool own;
	bool mention;
	bool clock_wrong; /* the author's clock is far from the room's */
	bool not_kept;    /* another's: the store does not have it */
	bool known;       /* of a friend or a regular, or own */
	enum ui_line_type type;
	enum ui_line_state state;
	enum ui_line_origin origin;
	char *text; /* owned; may hold newlines */
};

struct ui_person {
	char peer[MSG_PEER_MAX];
	char name[MSG_NAME_MAX]; /* empty: not known yet */
	char tag[8];
	char name_mark;
	bool connected;
	bool announce; /* connected or gone just now (not a mere change) */
	bool renamed;  /* is connected, and has another name than before */
	bool outbound;
	bool relayed;
	bool ignored;
	bool known;      /* a friend or a regular (decision 0018) */
	uint64_t rtt_us; /* UINT64_MAX: not measured */
	const char *muxer;
	char *address;   /* owned, or NULL */
	char *agent;     /* owned, or NULL */
	char *protocols; /* owned, one a line, or NULL */
	/* Only in answers to /whois and /peers. */
	const char *how; /* static: who named the address, or NULL */
	const char *key; /* static: the kind of the key, or NULL */
	char *rooms;     /* owned, topics where both are, one a line, or NULL */
	uint64_t first_seen_ms; /* since 1970; 0: never heard of */
	bool kept;
	bool scored;
	double score; /* of the peer, while it is connected */
};

struct ui_msg {
	struct msg msg;
	char *room;  /* owned topic, or NULL */
	char *title; /* owned, or NULL */
	char *text;  /* owned, or NULL */
	char *code;  /* owned, or NULL: machine-readable, e.g. "no-such-room" */
	char peer[MSG_PEER_MAX];
	char name[MSG_NAME_MAX];
	bool joined;
	bool changed;
	bool more;
	bool only_known; /* lines of strangers are left out of pages */
	uint32_t members;
	uint32_t unread;
	uint32_t mentions;
	int number;
	uint64_t *figures; /* owned; NET_FIGURE_COUNT, or NULL */
	enum ui_level level;
	enum chat_status_item item;
	enum chat_status_state status;
	struct ui_line line;
	struct ui_person person;
	struct ui_person *people; /* owned array, with what is in it */
	size_t people_count;
	struct peer_address *addresses; /* owned array */
	size_t address_count;
	uint64_t known;
};

/* room and text are copied and may be NULL. */
struct ui_msg *ui_msg_new(
	enum ui_msg_kind kind, const char *room, const char *text);
/* Counts people and addresses into msg.bytes. */
void ui_msg_charge_peers(struct ui_msg *m);

static inline struct ui_msg *ui_msg_of(struct msg *m)
{
	return P2P_CONTAINER_OF(m, struct ui_msg, msg);
}

#endif
