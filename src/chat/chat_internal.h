/*
 * What the files of this folder share. Every verb here runs inside a turn:
 * c->env is set. A failed store verb is noted by chat_store_failed; the turn
 * is then undone as a whole at its end, so callers need not unwind.
 */
#ifndef CHAT_CHAT_INTERNAL_H
#define CHAT_CHAT_INTERNAL_H

#include "base/list.h"
#include "base/table.h"
#include "chat/chat.h"
#include "chat/payload.h"
#include "msg/chat_msg.h"
#include "msg/command.h"
#include "msg/net_msg.h"
#include "msg/ui_msg.h"
#include "net/unit/unit.h"

#define CHAT_TAG_CHARS 6
/* What stands for a name that is not known: ".." and this end of the key. */
#define CHAT_TAIL_CHARS 8

/* Those who claim one name, the first seen first. */
struct chat_name {
	struct list people; /* chat_person.same_name */
};

/* A signing key, and the peer with that key when it is connected. */
struct chat_person {
	struct store_person row;
	struct peer_id id;
	bool self;
	bool dirty;              /* row differs from the store */
	bool in_ui;              /* in c->changed_people */
	struct list changed;     /* in c->changed_people */
	struct chat_name *claim; /* NULL: no name yet */
	struct list same_name;
	/* of the connection */
	size_t room_count; /* rooms that it is a member of */
	bool connected;
	bool announce;
	bool outbound;
	bool relayed;
	uint64_t rtt_ms;
	const char *muxer;
	const char *how; /* who named the address */
	char *address;
	char *agent;
	char *protocols;
	int worth_told; /* to net; CHAT_WORTH_UNTOLD: not sure */
	/* What it lately sent, or (hint) what its program is taken for. */
	enum dialect speaks;
	bool speaks_is_hint;
};

/* How far an author's lines are from the machine's own clock. */
struct chat_clock {
	int64_t author; /* store_person.id */
	int64_t offset_ms;
	uint64_t heard_ms; /* env->now_ms */
};

struct chat_room {
	struct store_room row;
	struct list order; /* in c->rooms, by position */
	char *title;
	struct table members; /* peer id -> struct chat_person */
	bool dirty;           /* row differs from the store */
	bool ui_dirty;        /* UI_MSG_ROOM is due */
	/* sending (send.c) */
	bool maybe_waiting; /* own lines may wait */
	bool offering;      /* they go out in order, from offer_at on */
	struct store_key offer_at;
	uint64_t burst_end_ms; /* lines said until then count as one burst */
	unsigned burst_count;
	uint64_t offer_due_ms;
	bool join_said;
	/* clocks (room_clock.c) */
	struct chat_clock clocks[CHAT_CLOCKS_MAX];
	size_t clock_count;
};

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

/* A line that net was asked to publish, and what has reached its queue. */
struct chat_offer {
	struct chat_room *room;
	struct store_key key;
	bool posted;
	bool copied; /* its copy as well, or that is on its way */
	bool handed; /* kept until its place is needed: the turn may fail */
};

struct chat_status {
	bool known;
	enum chat_status_state state;
	char *text;
};

struct chat {
	struct store *store;
	const struct identity *me;
	struct mailbox *to_ui;
	struct mailbox *to_net;
	char *version;
	char **connect;
	size_t connect_count;
	char **keep;
	size_t keep_count;
	int utc_offset_s;
	const struct env *env; /* of this turn */
	char me_text[PEER_ID_TEXT_MAX];
	struct chat_person *self;

	struct table people; /* peer id -> struct chat_person */
	struct table names;  /* folded name -> struct chat_name */
	struct list changed_people;
	struct list rooms;
	struct table rooms_by_topic;
	size_t joined_count;
	struct chat_room *focus;
	uint64_t seqno;      /* of the unit signed last */
	struct table offers; /* unit_id -> struct chat_offer */

	bool net_ready;
	char *listen; /* addresses, one a line */
	struct chat_status status[CHAT_STATUS_COUNT];
	size_t connected_count;

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
	bool retrying; /* the kept input is to be taken in again */
	uint64_t retry_ms;
	bool store_told; /* the ui knows that saving fails */
	size_t kept_count;
	uint64_t gather_until_ms; /* in a flood: the next turn's time */
	bool quitting;
	bool quit_anyway; /* though the store fails */
	bool finished;
	uint64_t ignored_units; /* not chat, or malformed */
};

/* ---- chat.c ------------------------------------------------------------ */

/* Notes a store verb's result; returns whether it was good. */
bool chat_store_ok(struct chat *c, int err);
/* Starts leaving. */
void chat_quit(struct chat *c);

/* ---- out.c: to the ui and to net --------------------------------------- */

void out_init(struct chat_out_queue *q);
void out_clear(struct chat_out_queue *q);
void out_ui(struct chat *c, struct ui_msg *m);
/* A live line with its row in the store. */
void out_ui_line(struct chat *c, struct ui_msg *m, int64_t row);
void out_net(struct chat *c, struct net_msg *m, struct chat_room *room);
/* The copy of the publish before: goes out if that does, and only then. */
void out_net_copy(struct chat *c, struct net_msg *m);
/* After a rolled back turn: forgets what net was to hear of it. */
void out_undo_net(struct chat *c);
/* After the commit: posts what can be posted. */
void out_release(struct chat *c);
/* Text must be clean; room may be NULL. */
void out_notice(struct chat *c, enum ui_level level,
	const struct chat_room *room, const char *fmt, ...) P2P_PRINTF(4, 5);
void out_error(struct chat *c, const char *code, const char *fmt, ...)
	P2P_PRINTF(3, 4);
/* A copy of text cleaned to one line, for use in a notice. Caller frees. */
char *out_clean(struct bytes text);

/* ---- person.c ---------------------------------------------------------- */

int people_load(struct chat *c) P2P_MUST_CHECK;
void people_free(struct chat *c);
/* After a rolled back turn: forgets rows that were not kept. */
void people_restore(struct chat *c);
/* The person with that key, made when new; NULL when the store fails. */
struct chat_person *person_get(struct chat *c, const struct peer_id *id);
/* The same by text; NULL also when the text is no peer id. */
struct chat_person *person_get_text(struct chat *c, const char *peer);
/* Makes sure that the person has a row (row.id). */
bool person_keep(struct chat *c, struct chat_person *p);
/* A claim heard: name may be empty. */
void person_claim(struct chat *c, struct chat_person *p, const char *name);
void person_seen(struct chat *c, struct chat_person *p);
/* UI_MSG_PERSON at the end of the turn. */
void person_changed(struct chat *c, struct chat_person *p);
/* Tells net what a connected person is worth, when that is new. */
void person_tell_worth(struct chat *c, struct chat_person *p);
char person_mark(const struct chat *c, const struct chat_person *p);
/* Whether the name, claimed once, is another's who was there before. */
bool person_borrows(
	struct chat *c, const struct chat_person *p, const char *name);
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
	const struct chat *c, const struct chat_person *p, struct ui_person *u);
/*
 * Who is meant: a name (nobody else has it), "name~tag", a tag, or the start
 * or the end of the key (6 characters at least). NULL when nobody or several
 * are; then an error with the candidates was said.
 */
struct chat_person *person_resolve(struct chat *c, struct bytes who);

/* ---- room.c ------------------------------------------------------------ */

int rooms_load(struct chat *c) P2P_MUST_CHECK;
void rooms_free(struct chat *c);
void rooms_restore(struct chat *c);
struct chat_room *room_find(struct chat *c, const char *topic);
struct chat_room *room_of_row(struct chat *c, int64_t id);
/* Found or made (not joined), because we want it: NULL when too many are kept
 * already. The rooms that others name do not count. */
struct chat_room *room_get(struct chat *c, const char *topic);
/* The same because a peer is in it: NULL when others named too many. */
struct chat_room *room_hear_of(struct chat *c, const char *topic);
/* P2P_ERR_LIMIT when too many are joined. */
int room_join(struct chat *c, struct chat_room *r) P2P_MUST_CHECK;
void room_part(struct chat *c, struct chat_room *r);
void room_focus(struct chat *c, struct chat_room *r);
/* Read up to the key; the counts follow. */
void room_read(struct chat *c, struct chat_room *r, const struct store_key *k);
void room_tell(struct chat *c, struct chat_room *r, bool changed);
void rooms_flush(struct chat *c);
/* What a person typed as a room: title, topic, with or without '#'. The
 * topic into out; P2P_ERR_INVAL, P2P_ERR_TOO_BIG, P2P_ERR_UTF8. */
int room_topic_of(struct chat *c, struct bytes typed,
	char out[static MSG_TOPIC_MAX]) P2P_MUST_CHECK;
void room_add_member(
	struct chat *c, struct chat_room *r, struct chat_person *p);
void room_remove_member(
	struct chat *c, struct chat_room *r, struct chat_person *p);

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
/* What the time is in the room. */
uint64_t clock_room_ms(const struct chat *c, const struct chat_room *r);
/* The time of our next line; the room's clock moves on to it. */
uint64_t clock_next(struct chat *c, struct chat_room *r);

/* ---- receive.c --------------------------------------------------------- */

void receive_unit(struct chat *c, const struct chat_net_msg *m);

/* ---- send.c ------------------------------------------------------------ */

/* A line is said in the room; errors are told to the ui. */
void send_line(struct chat *c, struct chat_room *r, struct bytes text);
/* After a rolled back turn: forgets the offers that net never got, and that
 * others were handed over. */
void send_undo(struct chat *c);
/* Net's queue took the offered line. */
void send_posted(struct chat *c, const uint8_t id[static UNIT_ID_BYTES]);
/* The line was dropped on its way to net, and its copy with it. */
void send_lost_copy(struct chat *c, const uint8_t id[static UNIT_ID_BYTES]);
/* Net has handed one over. */
void send_handed(struct chat *c, const uint8_t id[static UNIT_ID_BYTES]);
/* Somebody came, or net has room: waiting lines go out, in order. */
void send_offer_waiting(struct chat *c, struct chat_room *r);
void send_tick(struct chat *c);
uint64_t send_deadline(const struct chat *c);
/* Says `join`, once a start, where a Go program is present. */
void send_join(struct chat *c, struct chat_room *r);
/* What our lines in the room are written in, and whether a copy for the
 * JavaScript program goes beside them. */
enum dialect send_dialect(const struct chat_room *r, bool *js_copy);

/* ---- peers.c ----------------------------------------------------------- */

void peers_net_ready(struct chat *c, const struct chat_net_msg *m);
void peers_status(struct chat *c, const struct chat_net_msg *m);
void peers_peer(struct chat *c, const struct chat_net_msg *m);
void peers_rtt(struct chat *c, const struct chat_net_msg *m);
void peers_topic(struct chat *c, const struct chat_net_msg *m);
void peers_address(struct chat *c, const struct chat_net_msg *m);
void peers_record(struct chat *c, const struct chat_net_msg *m);
/* The answer to /whois and /peers (cmd_whois.c). */
void peers_whois(struct chat *c, const struct chat_net_msg *m);
void peers_dial_failed(struct chat *c, const struct chat_net_msg *m);
/* What net is told at the start. */
void peers_tell_net(struct chat *c);
void peers_set_status(struct chat *c, enum chat_status_item item,
	enum chat_status_state state, const char *text);
void peers_tell_status(struct chat *c, enum chat_status_item item);
/* UI_MSG_READY, when net is ready. */
void peers_tell_ready(struct chat *c);
/* The checklist's line about people. */
void peers_people_status(struct chat *c);

/* ---- history.c --------------------------------------------------------- */

/* What a line on screen is made of. */
struct line_facts {
	const struct chat_room *room;
	const struct chat_person *author;
	const struct payload *payload;
	struct store_key key;
	enum store_state state;
	enum ui_line_origin origin;
	bool mention;
	bool clock_wrong;
};

struct ui_msg *line_new(struct chat *c, const struct line_facts *f);
/* The same of a stored line; NULL when it cannot be read. */
struct ui_msg *line_of_row(struct chat *c, const struct store_message *row,
	enum ui_line_origin origin);
void history_page(struct chat *c, const struct chat_ui_msg *m);
/* The last n lines, or from a time on, as UI_LINE_HISTORY. */
void history_last(struct chat *c, struct chat_room *r, size_t count);
void history_since(struct chat *c, struct chat_room *r, uint64_t time_ms);
/* Live lines that the ui has missed, a batch of them. */
void history_replay(struct chat *c);
/* Everything is said again. */
void history_reload(struct chat *c);

/* ---- words.c ----------------------------------------------------------- */

/* Two random words, "amber-otter". */
void words_propose(struct rng *rng, char name[static MSG_NAME_MAX]);

/* ---- cmd.c, cmd_*.c ---------------------------------------------------- */

/* A typed line: a command, or something to say. */
void cmd_line(struct chat *c, struct chat_room *r, struct bytes line);
/* Whether the typed line is that command, whatever its arguments. */
bool cmd_means(struct bytes line, enum command_id id);

/* One command; args is trimmed. */
typedef void cmd_fn(struct chat *c, struct chat_room *r, struct bytes args);
cmd_fn cmd_help, cmd_version, cmd_peers, cmd_name, cmd_ignore, cmd_unignore,
	cmd_history, cmd_info, cmd_quit, cmd_join, cmd_part, cmd_rooms,
	cmd_connect, cmd_clear, cmd_net, cmd_whois;
/* The answer to /net. */
void cmd_net_answer(struct chat *c, const struct chat_net_msg *m);

#endif
