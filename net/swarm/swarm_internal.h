/*
 * What the files of this folder share. Nobody else includes it.
 *
 *   struct swarm 1--* struct conn 1--* struct stream
 *                1--* struct peer 1--* struct conn (once secured)
 *
 * count.c   what is refused, counted
 * turn.c    what is told, what is to be done, and when
 * swarm.c   the public verbs
 * find.c    what is where
 * conn_new.c, conn.c  how a connection comes to be, and its end
 * carrier.c what happens to carriers
 * pump.c    bytes through a connection
 * evict.c   who gives way when places are short
 * place.c   who gets a place, and who makes room
 * stream.c  a stream: negotiation, writing, reading, its end
 * peer.c    what is known of a peer; up and down
 * told.c    what a peer says of itself
 * book.c    where peers may be, and who says so
 * known.c   what of that is shown to people
 * typed.c   addresses that a person typed, until somebody is there
 * unreached.c  whom the LAN shows and nobody reaches
 * dial.c    which address is dialled when
 */
#ifndef NET_SWARM_SWARM_INTERNAL_H
#define NET_SWARM_SWARM_INTERNAL_H

#include "base/bufq.h"
#include "base/list.h"
#include "base/table.h"
#include "net/swarm/book.h"
#include "net/swarm/swarm.h"
#include "net/upgrade/channel.h"
#include "net/upgrade/multistream.h"

enum conn_state {
	CONN_DIALING,   /* the carrier is not there yet */
	CONN_UPGRADING, /* multistream, Noise, muxer */
	CONN_READY,
	CONN_CLOSING, /* only writes what is left */
};

struct conn {
	uint64_t id;
	enum conn_state state;
	bool outbound;
	bool scheduled; /* dialled by dial.c: counted in peer->dials */
	bool hint;      /* ... for a peer never reached: swarm->hint_dials */
	bool lost_race; /* another dial of its set was first: ends soon */
	bool secured;   /* the peer has proven its key */
	bool paused;
	bool write_asked; /* a WRITE action is under way */
	bool in_pump;
	bool leaving;        /* it gives way to others, by its deadline */
	bool sent_on;        /* the other side has said so, or is ending */
	bool limited;        /* struct swarm_carrier */
	bool told_up;        /* SWARM_EV_CONN_UP was told */
	uint64_t carrier;    /* a stream's id; 0: a socket */
	uint64_t bytes_left; /* of a limited one */
	uint64_t ends_ms;    /* the same; NEVER: not by time */
	struct maddr remote;
	struct dialable at; /* of the other side; dialled, where it led */
	struct peer *peer;  /* NULL until secured */
	struct list of_peer;
	struct list streams;
	struct channel *up; /* NULL while dialling */
	struct budget budget;
	struct bufq in;     /* bytes that the upgrader did not take */
	struct bytes fresh; /* borrowed, only within swarm_bytes */
	uint64_t deadline_ms;
	uint64_t ready_ms;       /* NEVER: streams were not possible yet */
	uint64_t open_after_ms;  /* the muxer asked for a pause between opens */
	uint64_t request;        /* of swarm_dial, 0: none */
	bool typed;              /* a person typed its address ... */
	struct maddr typed_addr; /* ... like this; names lead elsewhere */
	struct peer_id expect;
	uint64_t heard_ms; /* when bytes came last */
};

struct stream {
	struct sstream pub; /* what the user sees */
	struct conn *conn;  /* NULL once it has ended */
	struct list of_conn;
	struct list ready; /* in swarm->ready or ->gone */
	unsigned events;   /* enum sstream_event, not told yet */
	int err;           /* why it has ended */
	uint64_t mux;      /* the channel's number */
	bool open_sent;    /* the channel knows it */
	bool close_asked;  /* half-close once `out` is empty */
	bool close_sent;
	bool write_waited; /* the user waits for WRITABLE */
	bool was_reset;    /* ends once what arrived is read */
	struct multistream ms;
	const char *const *proposals; /* ours */
	const char *proposal[2];      /* the one that the peer speaks */
	struct bufq out;              /* not yet taken by the channel */
	uint64_t stuck_ms;            /* since then none of it; NEVER: moves */
	struct budget budget;         /* of out, kept */
	size_t kept;                  /* by the user */
	uint64_t deadline_ms;
	struct buf rest; /* of one that has ended: not read yet */
	size_t rest_read;
};

struct peer {
	struct peer_id id;
	struct budget budget; /* of itself and its connections */
	struct list conns;
	bool up;      /* SWARM_EV_PEER_UP was emitted */
	bool told_up; /* and the user has taken it */
	bool identified;
	bool wanted;       /* redial when lost */
	uint64_t up_at_ms; /* announce without identify then; NEVER: done */
	struct book_entry known; /* its addresses */
	bool record_untold;      /* SWARM_EV_RECORD is due when it goes */
	uint64_t record_told_ms; /* 0: not in this run */
	char agent[SWARM_AGENT_BYTES_MAX + 1];
	struct buf protocols; /* clean names, one a line; charged to budget */
	uint64_t rtt_us;
	int worth;           /* to the user; as long as it is known */
	uint64_t useful_ms;  /* it brought something new and valid; 0: never */
	bool judged;         /* `worth` was told since it is connected */
	bool takes_part;     /* in what we are in, too */
	bool in_set;         /* an attempt set is under way */
	bool seen;           /* the LAN showed it since the last set */
	bool last_was_ip6;   /* the newest dial of the set */
	unsigned set;        /* its number; the first is 1 */
	unsigned set_left;   /* addresses that it may still try */
	unsigned failures;   /* sets in a row */
	unsigned losses;     /* connections in a row that soon ended */
	unsigned sent_on;    /* of these: it had no place for us */
	unsigned dials;      /* in flight */
	uint64_t dial_at_ms; /* NEVER: not now */
	/* Signatures of its records that were checked since then. */
	unsigned record_checks;
	uint64_t record_checks_ms;
	/* When the last ones were begun, for the limit a minute; 0: none. */
	uint64_t dialled_ms[SWARM_DIALS_A_MINUTE];
	unsigned dialled_next;
};

/* A site of which one had to go lately. */
struct sent_away {
	uint64_t at_ms;
	uint32_t site; /* evict.c's number of it */
};

#define SWARM_WORD_OTHER_KEY "another key answers there now"

/* An address that a person typed and that was not reached yet. */
struct typed {
	struct maddr addr;     /* empty: none */
	struct peer_id expect; /* none: whoever answers */
	struct peer_id was;    /* who answered there before; none: nobody */
	unsigned failures;
	bool other_key; /* another than expected was met there, and it is said
			 */
	uint64_t at_ms; /* tried again then; NEVER: now */
};

/* An address where we ourselves have answered. */
struct self_addr {
	struct maddr addr;
	uint64_t until_ms;
};

/* Where this machine is reached: an address of its own. */
struct own_host {
	uint8_t len; /* of ip: 4 or 16 */
	uint8_t ip[16];
	uint16_t port; /* that we listen at */
};

struct swarm {
	struct swarm_cfg cfg;
	struct budget budget;   /* of all connections */
	struct budget unproven; /* in it, those that are no peer's yet */
	struct table conns;     /* by id */
	struct table streams;   /* by id */
	struct table peers;     /* by peer id */
	struct list ready;      /* struct stream, the user's to look at */
	struct list gone;       /* struct stream, the user's to take note of */
	uint64_t next_id;
	size_t conns_in;
	size_t preauth;
	uint64_t secret;                  /* of evict.c; 0: not drawn yet */
	struct sent_away sent_away[2048]; /* by number of site */
	uint64_t place_at_ms; /* places are looked at then; NEVER: not short */
	uint64_t turn_at_ms;  /* who takes part gives way again then */
	size_t dials;
	size_t hint_dials; /* of them, those for peers never reached */
	struct book book;
	uint64_t age_at_ms; /* the book is looked through at a tick then */
	struct self_addr selves[SWARM_SELVES_MAX];
	unsigned self_next;
	uint64_t copy_at_ms; /* not looked for a copy of our key before */
	struct typed typed[SWARM_TYPED_MAX];
	unsigned typed_next;
	unsigned unreached; /* told last */
	struct buf record;  /* our own, empty: to be made */
	uint64_t record_seq;
	uint64_t due_ms;    /* nothing is to be done before; perhaps later */
	bool due_moves;     /* who was to be asked then was heard */
	uint64_t walked_ms; /* due_ms was right then */
	struct maddr addrs[SWARM_ADDRESSES_PER_PEER_MAX];
	unsigned addr_count; /* of them, those that are told to others */
	struct own_host own[SWARM_OWN_MAX]; /* all */
	unsigned own_count;
	bool shutting_down;
	struct bufq actions; /* struct swarm_action */
	struct bufq events;  /* struct swarm_event */
	struct swarm_counters counters;
	uint64_t last_ms; /* the newest time seen, for counters and logs */
};

/* ---- turn.c ------------------------------------------------------------ */

/* Something is to be done at that time. */
void swarm_due(struct swarm *s, uint64_t at_ms);
/* Who comes first was heard, which puts it off: looks who comes first now, not
 * too often. Otherwise each question would wake us a second time, in vain. */
void swarm_due_again(struct swarm *s, const struct env *env);
/* The same as swarm_deadline, found by looking everywhere: after ticks, and
 * for tests, since swarm_deadline may only ever be earlier. */
uint64_t swarm_deadline_walk(const struct swarm *s);
void swarm_emit(struct swarm *s, const struct swarm_event *ev);
/* c: NULL for none; a dial goes to its address. */
void swarm_act(
	struct swarm *s, enum swarm_action_kind kind, const struct conn *c);
/* Asks the carrier to write if there is anything, once. */
void conn_want_write(struct swarm *s, const struct env *env, struct conn *c);
/* The same without a look whether there is. */
void conn_ask_write(struct swarm *s, struct conn *c);

/* ---- find.c ------------------------------------------------------------- */

struct conn *conn_find(const struct swarm *s, uint64_t id);
struct peer *peer_find(const struct swarm *s, const struct peer_id *id);
/* The connection that new streams use, or NULL: the newest that works, and one
 * without limits before any that has some. */
struct conn *peer_conn(const struct peer *p);
/* Whether it has a connection without limits, ready or not yet: else it is
 * worth a dial. */
bool peer_has_direct(const struct peer *p);
/* After its connections or dials have changed. */
void peer_hold(struct peer *p);

/* ---- evict.c ------------------------------------------------------------ */

/* Inbound ones that have proven their key and are to stay. */
size_t evict_places_taken(const struct swarm *s);
/*
 * Who gives way, or NULL: nobody yet. now: somebody has to, even if there was
 * no time to meet him; NULL then when only friends are left.
 */
struct conn *evict_choose(struct swarm *s, const struct env *env, bool now);
/* Of those who have not proven a key, the oldest of the widest site: whoever
 * means to prove himself does it within a few round trips, so that of the
 * oldest least is to be hoped. NULL: there is none. */
struct conn *evict_choose_unproven(struct swarm *s, const struct env *env);
/* One that is ending already, the first of them, or NULL. */
struct conn *evict_choose_leaving(const struct swarm *s);
/* It had to go, and before it had done anything: whoever comes from there soon
 * goes before others. */
void evict_note(struct swarm *s, const struct env *env, const struct conn *c);
/* Of all connections those that are ours to dial, the last of them to friends
 * alone; in proportion where tests make the maximum small. */
size_t evict_dials_max(const struct swarm *s, bool friend);
/* Whether there is room for a dial to that peer. */
bool evict_spares_dial(const struct swarm *s, const struct peer *p);
/* The user knows it well, or a person typed its address. */
bool evict_is_friend(const struct peer *p);
/* All connections from there; and whether that site, or one around it, has as
 * many as it may. */
size_t evict_count_of_site(
	const struct swarm *s, const struct dialable_site *site);
bool evict_site_is_full(
	const struct swarm *s, const struct dialable_site *site);

/* ---- place.c ------------------------------------------------------------ */

/*
 * Whether somebody who calls from there gets a place; another connection may
 * have been ended for it. False is counted by its reason.
 */
bool place_for(
	struct swarm *s, const struct env *env, const struct dialable *from);
/* An inbound one has proven its key: somebody may have to give way to it. */
void place_proven(struct swarm *s, const struct env *env);
/* Those who are too many give way, when it is time. */
void place_tick(struct swarm *s, const struct env *env);
/*
 * Over SWARM_BUDGET_BYTES_HIGH one connection is ended: who takes nothing of
 * what we have to say, else who holds most. Those who send much and finish
 * nothing, or read nothing, would leave no room for the others.
 */
void place_make_room(struct swarm *s, const struct env *env);

/* ---- conn_new.c, conn.c
 * ------------------------------------------------------------ */

struct conn *conn_new_outbound(struct swarm *s, const struct env *env,
	const struct maddr *addr, const struct peer_id *expect);
/* Somebody calls. NULL when the budget of those without a peer refuses. */
struct conn *conn_new_inbound(struct swarm *s, const struct env *env,
	const struct maddr *remote, const struct dialable *at);
struct conn *conn_new_carried(struct swarm *s, const struct env *env,
	const struct swarm_carrier *k, const struct dialable *at);
/* The carrier is there: the proof of keys begins. */
void conn_upgrade(struct swarm *s, const struct env *env, struct conn *c);
/* Whoever asked for the dial is told so. */
void conn_tell_dial_failed(
	struct swarm *s, const struct conn *c, const char *reason);
/* Ends it now: streams and peer hear of it, the carrier is closed. */
void conn_fail(struct swarm *s, const struct env *env, struct conn *c, int err);
/* ---- pump.c ------------------------------------------------------------- */

/* Moves bytes and events until nothing moves; may free the connection. */
void conn_pump(struct swarm *s, const struct env *env, struct conn *c);
/* Says that no more streams come, writes what is left, and ends. */
void conn_bow_out(struct swarm *s, const struct env *env, struct conn *c);
void conn_tick(struct swarm *s, const struct env *env, struct conn *c);
uint64_t conn_deadline(const struct conn *c);

/* ---- count.c ----------------------------------------------------------- */

/* One more refused connection; reason: &s->counters.refused_... */
void count_refused(struct swarm *s, uint64_t *reason);
void count_upgrade_failed(struct swarm *s, int err);
/* Of an outbound one that is not ready, by what became of it. */
void count_dial_failed(struct swarm *s, const struct conn *c, int err);
/* Bytes charged to it, but for what it and its streams cost. */
size_t count_held(const struct conn *c);
/* Before it is freed. */
void count_conn_ended(struct swarm *s, const struct conn *c);

/* ---- stream.c ---------------------------------------------------------- */

struct stream *stream_of(struct sstream *pub);
void stream_opened_by_peer(
	struct swarm *s, const struct env *env, struct conn *c, uint64_t mux);
void stream_on_readable(
	struct swarm *s, const struct env *env, struct stream *st);
void stream_on_reset(struct swarm *s, const struct env *env, struct stream *st);
/* Hands what waits to the channel; true when something moved. */
bool stream_flush(struct swarm *s, const struct env *env, struct stream *st);
/* It ends, by something else than the user, who will hear of it. */
void stream_end(struct swarm *s, struct stream *st, int err);

/* ---- peer.c ------------------------------------------------------------ */

/* Found or made; NULL when the book is full of those that are worth more. */
struct peer *peer_get(struct swarm *s, const struct env *env,
	const struct peer_id *id, enum book_worth worth);
/* As book_learn; others of less worth make room in the budget. */
int peer_learn(struct swarm *s, const struct env *env, struct peer *p,
	const struct maddr *addr, unsigned sources);
/* As book_certify, with the addresses that may be named; likewise. */
int peer_certify(struct swarm *s, const struct env *env, struct peer *p,
	const struct book_record *record);
/* A connection has proven the peer's key. */
void peer_add_conn(
	struct swarm *s, const struct env *env, struct peer *p, struct conn *c);
/* It has a newer record: SWARM_EV_RECORD, now or when it goes. */
void peer_tell_record(struct swarm *s, const struct env *env, struct peer *p);
/* Forgets what is stale. */
void peers_age(struct swarm *s, const struct env *env);
void peer_conn_ready(struct swarm *s, const struct env *env, struct conn *c);
void peer_conn_gone(struct swarm *s, const struct env *env, struct conn *c);
/* What it said that it speaks, and the charge for that. */
void peer_drop_protocols(struct peer *p);
void peer_announce(struct swarm *s, struct peer *p);
void peer_tick(struct swarm *s, const struct env *env, struct peer *p);
uint64_t peer_deadline(const struct swarm *s, const struct peer *p);
void peer_free(struct swarm *s, struct peer *p);

/* ---- typed.c ------------------------------------------------------------ */

/* It could not be dialled just now: it is tried again. */
void typed_later(struct swarm *s, const struct env *env,
	const struct maddr *addr, const struct peer_id *expect);
/* What became of a dial to a typed address (c->typed) that failed. */
void typed_failed(
	struct swarm *s, const struct env *env, struct conn *c, int err);
/* The same, and somebody is there: how the book is to know it, of enum
 * book_source. */
unsigned typed_answered(
	struct swarm *s, const struct peer *p, const struct conn *c);
/* A dial to a known address of the peer has met another key. */
void typed_other_key(struct swarm *s, const struct env *env, struct peer *p,
	const struct maddr *addr);
/* The person does not want that peer any more. */
void typed_forget(struct swarm *s, const struct peer_id *peer);
/* The network has changed: all are tried now. */
void typed_hurry(struct swarm *s, const struct env *env);
void typed_tick(struct swarm *s, const struct env *env);
uint64_t typed_deadline(const struct swarm *s);

/* ---- unreached.c -------------------------------------------------------- */

/* Tells how many peers the LAN shows and nobody reaches, when that changed. */
void unreached_look(struct swarm *s);

/* ---- dial.c ------------------------------------------------------------ */

/* It is our own listen address, or one where we have answered ourselves. */
bool dial_is_self(
	const struct swarm *s, const struct env *env, const struct maddr *addr);
/* NULL: it can be dialled; else why not, in a few words. */
const char *dial_why_not(const struct swarm *s, const struct env *env,
	const struct maddr *addr, const struct dialable *at);
/* Whether somebody may name us this address: a peer from afar cannot send us
 * to machines of our own network, nor one of another machine to our own. */
bool dial_may_be_named(const struct maddr *addr, enum book_teller from);
/* Where the other side of a connection sits. */
enum book_teller dial_teller(const struct conn *c);
/* It is us who answers there: not dialled for a while. */
void dial_was_self(struct swarm *s, const struct env *env, struct conn *c);
/* Whether the program at the other end, which has our key, is another one. */
bool dial_met_copy(const struct swarm *s, const struct conn *c);
/* After so many failures in a row, with jitter. */
uint64_t dial_pause(const struct env *env, unsigned failures);
void dial_soon(struct swarm *s, const struct env *env, struct peer *p,
	uint64_t delay_ms);
/* Dials it now, unless that is under way or planned. */
void dial_wanted(struct swarm *s, const struct env *env, struct peer *p);
/* The LAN shows it just now, at that address (NULL: there was no room for it):
 * back-off starts anew, but for peers never reached, whom anybody may have
 * invented, only at an address that is_new. */
void dial_seen(struct swarm *s, const struct env *env, struct peer *p,
	const struct book_addr *at, bool is_new);
/* Begins the dials that are due, as far as there are slots. */
void dial_tick(struct swarm *s, const struct env *env);
/* When dial_tick has something to do for the peer. */
uint64_t dial_deadline(const struct swarm *s, const struct peer *p);
/* The last connection to the peer is gone. */
void dial_lost(struct swarm *s, const struct env *env, struct peer *p,
	const struct conn *c);
/* A dial for this peer ended without a ready connection. */
void dial_ended(struct swarm *s, const struct env *env, struct peer *p,
	const struct conn *c);
/* A dial of ours is ready: the others of its set are not needed. */
void dial_won(
	struct swarm *s, const struct env *env, struct peer *p, struct conn *c);
/* The carrier's dial is over, by success or failure: its slot is free. */
void dial_slot_freed(
	struct swarm *s, const struct env *env, const struct conn *c);

/* The LAN tells our own id at that address: if it is not ours it is dialled, to
 * see whether a copy of our key answers there. */
void dial_own_id(
	struct swarm *s, const struct env *env, const struct maddr *addr);
/* The peer is not dialled before that: the pause after each set that failed, so
 * many dials a minute. */
uint64_t dial_rests_until(const struct peer *p);
/* Which of two addresses of the peer is dialled first. */
bool dial_comes_before(const struct swarm *s, const struct peer *p,
	const struct book_addr *a, const struct book_addr *b);

/* ---- known.c ----------------------------------------------------------- */

/* A person has typed where we dialled it. */
bool known_is_typed(const struct peer *p, const struct conn *c);
/* Who named the address of a connection, in a word or two. */
const char *known_how(const struct peer *p, const struct conn *c);

#endif
