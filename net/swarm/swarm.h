/*
 * The swarm: connections to peers and streams on them (libp2p connections
 * spec), with dialling and back-off, keep-alive and limits. Pure: no I/O, no
 * clock. It knows no protocol: net/serve is its user, and identify is one of
 * the protocols served there, which hands in what it has heard.
 *
 *   carriers --> swarm_accepted, _connected, _carried, _bytes, _closed ...
 *   carriers <-- swarm_next_action: DIAL, WRITE, PAUSE, RESUME, CLOSE
 *   user     <-- swarm_next_event:  connections and peers that come and go
 *   user     <-- swarm_next_stream, _next_gone: streams with something new
 *   user     --> swarm_dial, swarm_know, swarm_stream_open, _write ...
 *
 * A peer may have several connections (two that dial each other at once keep
 * both). Ids are never used again.
 */
#ifndef NET_SWARM_SWARM_H
#define NET_SWARM_SWARM_H

#include "base/budget.h"
#include "base/env.h"
#include "net/identity/key.h"
#include "net/swarm/stream.h"
#include "net/swarm/swarm_limits.h"
#include "net/wire/identify_pb.h"
#include "net/wire/maddr.h"

struct swarm;

struct swarm_cfg {
	const struct identity *me;    /* borrowed */
	const char *const *protocols; /* served, NULL-terminated, borrowed; at
					 most SWARM_PROTOCOLS_MAX */
	bool offer_yamux;
	bool offer_mplex;
	bool early_muxers;
	uint32_t conns_max;        /* 0: SWARM_CONNS_MAX */
	uint64_t ping_interval_ms; /* 0: SWARM_PING_INTERVAL_MS */
};

struct swarm *swarm_new(const struct swarm_cfg *cfg, const struct env *env);
void swarm_free(struct swarm *s);
/* Ends every connection without a word; returns the newest time that was seen,
 * for who takes note of it. */
uint64_t swarm_close_all(struct swarm *s);

/* ---- what happens to carriers ------------------------------------------ */

/* Somebody connected from `remote`. Returns the connection's id, or 0 when it
 * is refused (over a limit): close it. */
uint64_t swarm_accepted(
	struct swarm *s, const struct env *env, const struct maddr *remote);
/* A dial succeeded; `remote` is where it went in the end. */
void swarm_connected(struct swarm *s, const struct env *env, uint64_t conn,
	const struct maddr *remote);
/* A dial failed; reason is a static or short-lived text for people. */
void swarm_dial_failed(struct swarm *s, const struct env *env, uint64_t conn,
	const char *reason);
/* Bytes arrived; all are taken (or the connection is closed). Obey PAUSE. */
void swarm_bytes(
	struct swarm *s, const struct env *env, uint64_t conn, struct bytes in);
/* The carrier ended, by whoever. */
void swarm_closed(struct swarm *s, const struct env *env, uint64_t conn);
/* What to write to a carrier now; valid until the next call on s. Empty for an
 * unknown connection. */
struct bytes swarm_out_peek(
	struct swarm *s, const struct env *env, uint64_t conn);
/* n bytes were written: makes room, and so may cause events. */
void swarm_out_consume(
	struct swarm *s, const struct env *env, uint64_t conn, size_t n);

void swarm_tick(struct swarm *s, const struct env *env);
uint64_t swarm_deadline(const struct swarm *s);

enum swarm_action_kind {
	SWARM_ACT_DIAL,   /* conn, addr: answer with connected or dial_failed */
	SWARM_ACT_WRITE,  /* conn: swarm_out_peek has bytes */
	SWARM_ACT_PAUSE,  /* conn: stop reading the carrier */
	SWARM_ACT_RESUME, /* conn */
	SWARM_ACT_CLOSE,  /* conn: close the carrier, answer nothing; an id of
			     a dial under way cancels it */
};

struct swarm_action {
	enum swarm_action_kind kind;
	uint64_t conn;
	uint64_t carrier; /* the stream that carries it; 0: a socket */
	struct maddr addr;
};

bool swarm_next_action(struct swarm *s, struct swarm_action *act);

/*
 * A stream that is the carrier of a connection, as a relay's is: its bytes come
 * by swarm_bytes, and the actions for it name the stream.
 */
struct swarm_carrier {
	uint64_t stream;
	struct maddr remote; /* what is known of the way: for limits, people */
	bool outbound;       /* we have asked for it */
	struct peer_id expect; /* none: whoever answers */
	bool limited;       /* by what follows; a direct connection is better,
			       and only who allows it opens streams on it */
	uint64_t lasts_ms;  /* P2P_NEVER: no limit */
	uint64_t bytes_max; /* both ways together; UINT64_MAX: no limit */
};

/* The connection's id, or 0 when it is refused as swarm_accepted refuses. */
uint64_t swarm_carried(struct swarm *s, const struct env *env,
	const struct swarm_carrier *carrier);

/* ---- peers ------------------------------------------------------------- */

/*
 * Dials an address; addr may end in /p2p/ID, else whoever answers is taken.
 * The outcome is SWARM_EV_ADDRESS or SWARM_EV_DIAL_FAILED with `request`.
 */
void swarm_dial(struct swarm *s, const struct env *env,
	const struct maddr *addr, uint64_t request);
/*
 * An address where a peer may be (from the LAN, from the store, from the
 * peer): it is dialled until it is connected and again when it is lost.
 * `fresh` says that it was seen just now: back-off starts anew.
 */
void swarm_know(struct swarm *s, const struct env *env,
	const struct peer_id *peer, const struct maddr *addr, bool fresh);
/* The same of one that the LAN shows just now; on_link: the address lies in a
 * network of the interface where it was heard, and is dialled before others. */
void swarm_seen(struct swarm *s, const struct env *env,
	const struct peer_id *peer, const struct maddr *addr, bool on_link);
/*
 * A signed peer record (RFC 0003 in an envelope of RFC 0002) that `from` has
 * passed on, or the store (NULL). It is verified here; of a peer from afar
 * only public addresses are used. The peer becomes known, it is not dialled:
 * see swarm_want. P2P_ERR_EXISTS when a record as new is held already, or it
 * is our own; P2P_ERR_LIMIT when the book is full; else as peer_record_open.
 */
int swarm_learn_record(struct swarm *s, const struct env *env, struct bytes raw,
	const struct peer_id *from) P2P_MUST_CHECK;
/* The newest envelope of a peer, to be passed on: valid until the next call on
 * s; empty when there is none. */
struct bytes swarm_peer_record(
	const struct swarm *s, const struct peer_id *peer);
/* Dials a peer by what is known of it and keeps it, as swarm_know does;
 * nothing happens when it is connected. P2P_ERR_NOT_FOUND. */
int swarm_want(struct swarm *s, const struct env *env,
	const struct peer_id *peer) P2P_MUST_CHECK;
/* The person names an address where a peer is to be found for good: as
 * swarm_know, and the peer never makes room for others. */
void swarm_keep(struct swarm *s, const struct env *env,
	const struct peer_id *peer, const struct maddr *addr);
/*
 * What keeps a peer its place among those who call, in the order of evict.c.
 * Of peers that are not known nothing is noted.
 *
 * What it is worth to the user: from SWARM_WORTH_FRIEND on places are kept for
 * it. Remembered as long as the peer is known, so that one that comes back has
 * its place at the moment its key is proven.
 */
void swarm_peer_worth(struct swarm *s, const struct peer_id *peer, int worth);
/* Whether a connected peer is in what we are in, too. */
void swarm_peer_takes_part(
	struct swarm *s, const struct peer_id *peer, bool takes_part);
/* It has brought something valid that was new. */
void swarm_peer_useful(
	struct swarm *s, const struct env *env, const struct peer_id *peer);
/* Closes all connections to a peer and stops redialling it. */
void swarm_disconnect(
	struct swarm *s, const struct env *env, const struct peer_id *peer);
/* The network changed (interfaces, wake-up): all back-offs start anew. */
void swarm_network_changed(struct swarm *s, const struct env *env);
/* Own listen addresses (without /p2p), the best first: of those over
 * SWARM_ADDRESSES_PER_PEER_MAX others are not told. */
void swarm_set_addresses(
	struct swarm *s, const struct maddr *addrs, size_t count);
/* Says goodbye to all and refuses new ones; done when swarm_conn_count is 0
 * or SWARM_CLOSE_MS have passed. */
void swarm_shutdown(struct swarm *s, const struct env *env);
size_t swarm_conn_count(const struct swarm *s);

/* What is known of a connected peer; valid until the next call on s. */
struct swarm_peer_info {
	bool identified; /* identify was answered */
	bool outbound;
	bool chosen;           /* ... to an address that a person typed */
	struct maddr remote;   /* of the connection in use */
	const char *how;       /* who named it, or that it called us */
	struct bytes key;      /* proven, a protobuf */
	const char *muxer;     /* "yamux" or "mplex" */
	bool muxer_early;      /* agreed on within Noise */
	const char *agent;     /* clean text */
	const char *protocols; /* clean text, one a line */
	uint64_t rtt_us;       /* P2P_NEVER: not measured */
};

/* What is known of one address of a peer; times are spans. */
struct swarm_known {
	struct maddr addr;
	char sources[64];     /* "LAN, signed": who names it */
	bool certified;       /* its newest signed record does */
	uint64_t seen_ms_ago; /* a source named it; NEVER: our dial alone */
	uint64_t ok_ms_ago;   /* a dial reached the peer; NEVER */
	unsigned failures;    /* dials in a row that did not */
	uint64_t retry_in_ms; /* it is not dialled before that; 0: when a dial
				 is free */
	const char *why_not; /* static: why it is not dialled, or what stands in
				the way; or NULL */
	bool in_use;         /* a connection stands on it */
};

/* Fills at most max, those that are dialled first in front; returns how
 * many. */
size_t swarm_known(const struct swarm *s, const struct env *env,
	const struct peer_id *peer, struct swarm_known *out, size_t max);
/*
 * Addresses that a person typed and where nobody has answered yet: at most max;
 * expect of each: none for whoever answers. They are tried as long as the
 * program runs.
 */
size_t swarm_typed(const struct swarm *s, const struct env *env,
	struct peer_id *expect, struct swarm_known *out, size_t max);
/* Peers known and not connected: at most max, those reached before first.
 * Returns how many there are in all. */
size_t swarm_known_peers(
	const struct swarm *s, struct peer_id *out, size_t max);

/* False when the peer is not connected. */
bool swarm_peer_info(const struct swarm *s, const struct peer_id *peer,
	struct swarm_peer_info *info);
/* Whether the peer has named this protocol. */
bool swarm_peer_speaks(const struct swarm *s, const struct peer_id *peer,
	const char *protocol);

/* ---- connections ------------------------------------------------------- */

struct swarm_conn_info {
	struct peer_id peer;
	bool outbound;
	bool limited;
	bool pings;        /* the channel asks for signs of life itself */
	uint64_t heard_ms; /* when bytes came last */
	struct maddr remote;
	struct bytes key; /* the peer's, proven, a protobuf */
};

/* Of a connection that is ready; valid until the next call on s. */
bool swarm_conn_info(
	const struct swarm *s, uint64_t conn, struct swarm_conn_info *info);
/* Ends it at once. Unknown ids are ignored. */
void swarm_conn_close(
	struct swarm *s, const struct env *env, uint64_t conn, int err);
/* The connection that new streams to the peer use; 0: it has none. */
uint64_t swarm_peer_best(const struct swarm *s, const struct peer_id *peer);
/* PEER_UP was told of it, and PEER_DOWN was not. */
bool swarm_peer_is_up(const struct swarm *s, const struct peer_id *peer);
/* Whether the peer has a connection without limits. */
bool swarm_peer_is_direct(const struct swarm *s, const struct peer_id *peer);

/*
 * What the peer at the other end says of itself (identify spec): `push` says
 * that members which are missing are as before. The addresses it names and the
 * record it signs go into the address book as far as they may; P2P_ERR_MISMATCH
 * when it claims another key than it has proven. Unknown connections are
 * ignored.
 */
int swarm_identified(struct swarm *s, const struct env *env, uint64_t conn,
	const struct identify *id, bool push) P2P_MUST_CHECK;
/* It says nothing of itself, and has said so: nothing more is waited for. */
void swarm_unidentified(struct swarm *s, uint64_t conn);
bool swarm_conn_is_identified(const struct swarm *s, uint64_t conn);
/* Our own addresses and the record that we sign, for identify; valid until the
 * next call on s. */
size_t swarm_addresses(const struct swarm *s, const struct maddr **addrs);
struct bytes swarm_own_record(struct swarm *s, const struct env *env);
/* A round trip was measured by the user: SWARM_EV_RTT follows. */
void swarm_measured(struct swarm *s, uint64_t conn, uint64_t rtt_us);

/* ---- streams (net/swarm/stream.h) -------------------------------------- */

/*
 * Opens a stream; with one proposal data may be written at once (0-RTT), with
 * several writing is refused until it is OPENED. P2P_ERR_NOT_FOUND when there
 * is no connection that it may use, P2P_ERR_NO_PROTOCOL when the peer is known
 * not to speak any of them, P2P_ERR_LIMIT when a budget refuses; it is opened
 * as soon as the channel allows.
 */
int swarm_stream_open(struct swarm *s, const struct env *env,
	const struct swarm_open *o, struct sstream **stream) P2P_MUST_CHECK;
/* NULL when it is no more. */
struct sstream *swarm_stream(const struct swarm *s, uint64_t id);
/* All or nothing: P2P_ERR_FULL when more than SWARM_STREAM_OUT_BYTES wait, a
 * budget refuses, or nothing can be written yet; WRITABLE follows. STATE after
 * close_write, CLOSED when it is GONE. */
int swarm_stream_write(struct swarm *s, const struct env *env,
	struct sstream *stream, struct bytes in) P2P_MUST_CHECK;
/* Bytes that wait to be taken by the connection. */
size_t swarm_stream_backlog(const struct sstream *stream);
/* What arrived; valid until the next call on s. `end`: these are the last. */
struct bytes swarm_stream_peek(const struct sstream *stream, bool *end);
/* After a reset what arrived can still be read; GONE follows. */
void swarm_stream_consume(struct swarm *s, struct sstream *stream, size_t n);
/* The user keeps so many of the bytes that it consumed, in place of what it
 * kept before: the far side gets no credit for them until it does not. */
void swarm_stream_withhold(struct swarm *s, struct sstream *stream, size_t n);
/* READABLE is told once more, though nothing has come. */
void swarm_stream_again(struct swarm *s, struct sstream *stream);
/* No more is written by us; what waits goes out before. */
void swarm_stream_close_write(
	struct swarm *s, const struct env *env, struct sstream *stream);
/* Both sides have closed it and all is read. */
bool swarm_stream_ended(const struct sstream *stream);
/* Ends and forgets the stream; no event follows, the pointer is no more. */
void swarm_stream_reset(struct swarm *s, struct sstream *stream);
/*
 * The user keeps `bytes` for the stream (its state, half a message): they are
 * charged to its connection, in place of what it kept before, until the stream
 * ends. P2P_ERR_LIMIT with nothing changed.
 */
int swarm_stream_keep(struct sstream *stream, size_t bytes) P2P_MUST_CHECK;
/* It ends by then (P2P_ERR_TIMEOUT), unless told otherwise; NEVER: not. */
void swarm_stream_expire(
	struct swarm *s, struct sstream *stream, uint64_t at_ms);
/* The next that ended, with what was new before and why it did (err), or NULL.
 * The user then resets it. Those come first, then events, then what is new of
 * living streams: so a peer that is DOWN has none left. */
struct sstream *swarm_next_gone(struct swarm *s, unsigned *events, int *err);
/* The next living stream of which something is new, or NULL; *events is 0 when
 * that is our own end alone, which is on its way (swarm_stream_ended). */
struct sstream *swarm_next_stream(struct swarm *s, unsigned *events);

/* ---- events ------------------------------------------------------------ */

enum swarm_event_kind {
	SWARM_EV_NONE,
	SWARM_EV_CONN_UP,     /* peer, conn: streams can be opened on it */
	SWARM_EV_CONN_DOWN,   /* peer, conn: it was up */
	SWARM_EV_PEER_UP,     /* peer: first connection, identified or waited */
	SWARM_EV_PEER_DOWN,   /* peer: last connection gone (was up) */
	SWARM_EV_IDENTIFIED,  /* peer: protocols, agent or addresses changed */
	SWARM_EV_DIRECT,      /* peer: it has a connection without limits now,
				 after one with */
	SWARM_EV_RTT,         /* peer, number: us */
	SWARM_EV_ADDRESS,     /* peer, addr: a dial to it succeeded; number:
				 its request, 0: none */
	SWARM_EV_RECORD,      /* peer: a newer signed record came from itself */
	SWARM_EV_FAREWELL,    /* peer: its last connection ends for want of a
				 place, in SWARM_FAREWELL_MS */
	SWARM_EV_SELF,        /* our own addresses have changed */
	SWARM_EV_COPY,        /* addr: where another program proved our own key
			       */
	SWARM_EV_DIAL_FAILED, /* number: request, text */
	SWARM_EV_UNREACHED,   /* number: peers that the LAN shows and that could
				 not be reached, none of them ever */
	SWARM_EV_OTHER_KEY,   /* peer, addr: at an address that a person typed
				 for this peer another key answers now; once */
	SWARM_EV_FOLLOWED,    /* peer, addr: it answers at an address that a
				 person typed without an id, where `was` did */
};

struct swarm_event {
	enum swarm_event_kind kind;
	uint64_t conn;
	uint64_t number;
	struct peer_id peer;
	struct peer_id was;
	struct maddr addr;
	char text[96];
};

bool swarm_next_event(struct swarm *s, struct swarm_event *ev);

/* Refusals since the start, for /net and tests. */
struct swarm_counters {
	uint64_t conns_refused;    /* all of those that follow */
	uint64_t refused_full;     /* SWARM_CONNS_MAX, or shutting down */
	uint64_t refused_inbound;  /* SWARM_CONNS_IN_MAX: who gave way */
	uint64_t refused_address;  /* SWARM_CONNS_PER_ADDRESS_MAX */
	uint64_t refused_unproven; /* SWARM_PREAUTH_MAX, none to evict */
	uint64_t refused_peers;    /* SWARM_PEERS_MAX, all connected */
	uint64_t refused_memory;   /* a budget */
	uint64_t preauth_evicted;
	uint64_t cut_hoarder;     /* the most memory while that is short */
	uint64_t cut_overrun;     /* over a maximum of a layer: bytes before the
				     proof or after PAUSE, pings, resets */
	uint64_t cut_per_peer;    /* SWARM_CONNS_PER_PEER_MAX */
	uint64_t upgrades;        /* that became ready */
	uint64_t upgrades_failed; /* for any reason, these among them */
	uint64_t upgrade_timeout;
	uint64_t upgrade_auth;       /* no proof of the key, or decryption */
	uint64_t upgrade_other_peer; /* not whom the address names */
	uint64_t upgrade_no_protocol;
	uint64_t upgrade_malformed; /* any other breach of a protocol */
	uint64_t streams_refused;   /* by us, after the muxer took them */
	uint64_t streams_over;      /* by the muxer: over a maximum */
	uint64_t streams_dropped;   /* by the muxer: no room for its bytes */
	uint64_t streams_timeout;
	uint64_t protocol_errors;
	uint64_t identify_refused;
	uint64_t identify_cut;      /* more than is kept, or has room */
	uint64_t records_unchecked; /* over SWARM_RECORD_CHECKS_A_MINUTE */
	uint64_t dials_started;
	uint64_t dials_asked; /* of these: by a person */
	uint64_t dials_hint;  /* to peers that others have merely named */
	uint64_t dials_failed;
	uint64_t dials_timeout;     /* of these: nobody answered */
	uint64_t dials_unreachable; /* no way there, or refused */
	uint64_t dials_outrun;      /* another one of its set was first */
	uint64_t budget_stream;     /* charges refused at this level */
	uint64_t budget_conn;
	uint64_t budget_peer;
	uint64_t budget_unproven;
	uint64_t budget_all;
};

/* What there is now. */
struct swarm_now {
	size_t conns, conns_in, unproven, peers_known, streams, dials;
	size_t memory, memory_unproven;
	uint64_t peers_forgotten; /* since the start, for want of room */
};

/* One more stream or peer that breaks a protocol, as the user of streams saw;
 * `identify`: its claim of itself was refused. */
void swarm_count_breach(struct swarm *s, bool identify);
/* One more stream that the user has refused. */
void swarm_count_refused(struct swarm *s);
/* Live; valid as long as s. What budgets and muxers count is added when their
 * connection ends: swarm_figures has it at once. */
const struct swarm_counters *swarm_counters(const struct swarm *s);
/* All that is counted, and what there is now. */
void swarm_figures(const struct swarm *s, struct swarm_counters *counted,
	struct swarm_now *now);
/* Bytes that wait in one connection now, above what it and its streams cost as
 * such; 0 for an unknown one. */
size_t swarm_conn_used(const struct swarm *s, uint64_t conn);
/* The same of all connections. */
size_t swarm_budget_used(const struct swarm *s);

#endif
