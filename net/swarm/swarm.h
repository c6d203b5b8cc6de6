/*
 * The swarm: connections to peers and streams on them (libp2p connections
 * spec), with dialling and back-off, identify and push (identify spec), ping
 * (ping spec), keep-alive and limits. Pure: no I/O, no clock.
 *
 *   carriers --> swarm_accepted, _connected, _bytes, _closed ...
 *   carriers <-- swarm_next_action: DIAL, WRITE, PAUSE, RESUME, CLOSE
 *   user     <-- swarm_next_event:  peers and streams that come and go
 *   user     --> swarm_dial, swarm_know, swarm_stream_open, _write ...
 *
 * A peer may have several connections (two that dial each other at once keep
 * both); the user sees peers, not connections.
 * Identify, push and ping streams are served inside; streams of the user's
 * protocols come up as events. Ids are never used again.
 */
#ifndef NET_SWARM_SWARM_H
#define NET_SWARM_SWARM_H

#include "base/budget.h"
#include "base/env.h"
#include "net/identity/key.h"
#include "net/swarm/swarm_limits.h"
#include "net/wire/maddr.h"

struct swarm;

struct swarm_cfg {
	const struct identity *me;    /* borrowed */
	const char *agent;            /* "p2pchat-tui/0.1.0"; borrowed */
	const char *const *protocols; /* the user's, NULL-terminated, static */
	bool offer_yamux;
	bool offer_mplex;
	bool early_muxers;
	uint32_t conns_max;        /* 0: SWARM_CONNS_MAX */
	uint64_t ping_interval_ms; /* 0: SWARM_PING_INTERVAL_MS */
};

struct swarm *swarm_new(const struct swarm_cfg *cfg, const struct env *env);
void swarm_free(struct swarm *s);

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
	struct maddr addr;
};

bool swarm_next_action(struct swarm *s, struct swarm_action *act);

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
/* Closes all connections to a peer and stops redialling it. */
void swarm_disconnect(
	struct swarm *s, const struct env *env, const struct peer_id *peer);
/* The network changed (interfaces, wake-up): all back-offs start anew. */
void swarm_network_changed(struct swarm *s, const struct env *env);
/* Own listen addresses (without /p2p); told to peers by identify push. */
void swarm_set_addresses(struct swarm *s, const struct env *env,
	const struct maddr *addrs, size_t count);
/* Says goodbye to all and refuses new ones; done when swarm_conn_count is 0
 * or SWARM_CLOSE_MS have passed. */
void swarm_shutdown(struct swarm *s, const struct env *env);
size_t swarm_conn_count(const struct swarm *s);

/* What is known of a connected peer; valid until the next call on s. */
struct swarm_peer_info {
	bool identified; /* identify was answered */
	bool outbound;
	struct maddr remote;   /* of the connection in use */
	const char *how;       /* who named it, or that it called us */
	struct bytes key;      /* proven, a protobuf */
	const char *muxer;     /* "yamux" or "mplex" */
	bool muxer_early;      /* agreed on within Noise */
	const char *agent;     /* clean text */
	const char *protocols; /* clean text, one a line */
	uint64_t rtt_ms;       /* P2P_NEVER: not measured */
};

/* What is known of one address of a peer; times are spans. */
struct swarm_known {
	struct maddr addr;
	char sources[64];     /* "LAN, signed": who names it */
	bool certified;       /* its newest signed record does */
	uint64_t seen_ms_ago; /* a source named it; NEVER: our dial alone */
	uint64_t ok_ms_ago;   /* a dial reached the peer; NEVER */
	unsigned failures;    /* dials in a row that did not */
	uint64_t retry_in_ms; /* its back-off; 0: none */
	const char *why_not;  /* static: why it is not dialled, or NULL */
	bool in_use;          /* a connection stands on it */
};

/* Fills at most max, those that are dialled first in front; returns how
 * many. */
size_t swarm_known(const struct swarm *s, const struct env *env,
	const struct peer_id *peer, struct swarm_known *out, size_t max);
/* Peers known and not connected: at most max, those reached before first.
 * Returns how many there are in all. */
size_t swarm_known_peers(
	const struct swarm *s, struct peer_id *out, size_t max);

/* False when the peer is not connected. */
bool swarm_peer_info(const struct swarm *s, const struct peer_id *peer,
	struct swarm_peer_info *info);
/* Whether identify listed this protocol. */
bool swarm_peer_speaks(const struct swarm *s, const struct peer_id *peer,
	const char *protocol);

/* ---- streams ----------------------------------------------------------- */

/*
 * Opens a stream for one protocol; data may be written at once (0-RTT).
 * P2P_ERR_NOT_FOUND when the peer is not connected, P2P_ERR_LIMIT when its
 * budget refuses; it is opened as soon as the muxer allows.
 */
int swarm_stream_open(struct swarm *s, const struct env *env,
	const struct peer_id *peer, const char *protocol,
	uint64_t *stream) P2P_MUST_CHECK;
/* All or nothing: P2P_ERR_FULL when more than SWARM_STREAM_OUT_BYTES wait, or
 * a budget refuses. */
int swarm_stream_write(struct swarm *s, const struct env *env, uint64_t stream,
	struct bytes in) P2P_MUST_CHECK;
/* Bytes that wait to be taken by the connection. */
size_t swarm_stream_backlog(const struct swarm *s, uint64_t stream);
struct bytes swarm_stream_peek(
	const struct swarm *s, uint64_t stream, bool *end);
/* After a reset what arrived can still be read; STREAM_GONE follows. */
void swarm_stream_consume(struct swarm *s, uint64_t stream, size_t n);
void swarm_stream_close_write(
	struct swarm *s, const struct env *env, uint64_t stream);
/* Ends and forgets the stream; no event follows. Unknown ids are ignored. */
void swarm_stream_reset(struct swarm *s, uint64_t stream);
/*
 * The user keeps `bytes` of the stream while it is read (half a message): they
 * are charged to its connection, in place of what it kept before, until the
 * stream ends. P2P_ERR_LIMIT with nothing changed. Unknown ids are ignored.
 */
int swarm_stream_keep(
	struct swarm *s, uint64_t stream, size_t bytes) P2P_MUST_CHECK;

/* ---- events ------------------------------------------------------------ */

enum swarm_event_kind {
	SWARM_EV_PEER_UP,     /* peer: first connection, identified or waited */
	SWARM_EV_PEER_DOWN,   /* peer: last connection gone (was up) */
	SWARM_EV_IDENTIFIED,  /* peer: protocols, agent or addresses changed */
	SWARM_EV_RTT,         /* peer, number: ms */
	SWARM_EV_ADDRESS,     /* peer, addr: a dial to it succeeded; number:
				 its request, 0: none */
	SWARM_EV_RECORD,      /* peer: a newer signed record came from itself */
	SWARM_EV_DIAL_FAILED, /* number: request, text */
	SWARM_EV_STREAM_IN,   /* peer, stream, protocol: index of the user's */
	SWARM_EV_STREAM_READY,    /* stream: negotiated (opened by us) */
	SWARM_EV_STREAM_READABLE, /* stream */
	SWARM_EV_STREAM_WRITABLE, /* stream: all that waited is taken */
	SWARM_EV_STREAM_GONE,     /* stream, peer, err: ended, forgotten; rest,
				     rest_len: arrived and was not read yet */
};

struct swarm_event {
	enum swarm_event_kind kind;
	int err;
	int protocol;
	uint64_t stream;
	uint64_t number;
	struct peer_id peer;
	struct maddr addr;
	char text[96];
	uint8_t *rest; /* the receiver frees it; NULL: nothing */
	size_t rest_len;
};

bool swarm_next_event(struct swarm *s, struct swarm_event *ev);

/* Refusals since the start, for /net and tests. */
struct swarm_counters {
	uint64_t conns_refused;    /* all of those that follow */
	uint64_t refused_full;     /* SWARM_CONNS_MAX, or shutting down */
	uint64_t refused_inbound;  /* SWARM_CONNS_IN_MAX: newcomers, or those
				      who have made room for one */
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
	uint64_t identify_cut;      /* more protocols than are kept */
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
