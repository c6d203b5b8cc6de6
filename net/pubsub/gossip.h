/*
 * GossipSub (gossipsub v1.0 to v1.3 specs) with StrictSign, and floodsub for
 * peers that have nothing else. Pure: RPC bodies and time in, RPC frames and
 * events out; knows nothing of connections.
 *
 *   gossip_peer_add / _remove          who is there, with which protocol
 *   gossip_feed(peer, rpc) ----------> subscriptions (events); units wait
 *   gossip_next_verify --------------> units whose signatures are to be checked
 *   gossip_verified(verdicts) -------> verified units (events)
 *   gossip_publish(unit) ------------> frames for peers (gossip_out_peek)
 *   gossip_tick -------------------->  the heartbeat: mesh, gossip, caches
 *
 * Messages are named by gossip_id (from || seqno, net/unit). Other programs
 * form ids differently (docs/internals/net-pubsub.md): each peer's form is
 * learnt from the ids it sends and spoken to it; a peer whose form is not known
 * yet is sent no IHAVE.
 */
#ifndef NET_PUBSUB_GOSSIP_H
#define NET_PUBSUB_GOSSIP_H

#include "base/budget.h"
#include "base/env.h"
#include "net/pubsub/gossip_limits.h"
#include "net/pubsub/score.h"
#include "net/unit/unit_batch.h"

struct gossip;

/* What a peer speaks, worst first. */
enum gossip_version {
	GOSSIP_FLOODSUB, /* /floodsub/1.0.0 */
	GOSSIP_V10,      /* /meshsub/1.0.0 */
	GOSSIP_V11,      /* /meshsub/1.1.0 */
	GOSSIP_V12,      /* /meshsub/1.2.0: IDONTWANT */
	GOSSIP_V13,      /* /meshsub/1.3.0: extensions, of which we have none */
};

/* How a program forms message ids. */
enum gossip_id_form {
	GOSSIP_FORM_UNKNOWN,
	GOSSIP_FORM_FROM_SEQNO, /* go, the JS seed, ours */
	GOSSIP_FORM_KEY_SEQNO,  /* js gossipsub 14 to 17 */
	GOSSIP_FORM_TEXT,       /* rust: base58(from) then decimal seqno */
	/* Hashes, from which nothing can be read (gossip_alias.c). */
	GOSSIP_FORM_SEQNO_SHA256, /* universal-connectivity's js peer */
	GOSSIP_FORM_DATA_SHA256,
	GOSSIP_FORM_DATA_SIPHASH, /* rust-libp2p's examples */
};

#define GOSSIP_FORM_COUNT (GOSSIP_FORM_DATA_SIPHASH + 1)

struct gossip_cfg {
	struct peer_id me;
	/* Borrowed, stays; NULL: score_params_chat. */
	const struct score_params *score;
};

struct gossip *gossip_new(const struct gossip_cfg *cfg, const struct env *env);
void gossip_free(struct gossip *g);

/* What is known of a peer when our stream to it opens. */
struct gossip_peer {
	struct peer_id id;
	enum gossip_version version;
	enum gossip_id_form form; /* UNKNOWN: it is learnt */
	bool outbound;            /* we dialled it */
	bool chosen;              /* ... where a person said that it is: it may
				     introduce us to others (gossip_px.c) */
	struct score_site site;   /* score_site_of its connection's address */
};

/*
 * A stream to the peer is open: our subscriptions are queued as its first
 * RPC. P2P_ERR_LIMIT when there are too many peers. A peer added before gets
 * the new version; what waited for it is gone with the old stream, but it keeps
 * its place in the meshes.
 */
int gossip_peer_add(struct gossip *g, const struct env *env,
	const struct gossip_peer *peer) P2P_MUST_CHECK;
/* The peer is connected and may send before our own stream to it is open:
 * call before the first gossip_feed. P2P_ERR_LIMIT. */
int gossip_peer_seen(struct gossip *g, const struct env *env,
	const struct peer_id *peer) P2P_MUST_CHECK;
/* The peer takes no stream of ours: nothing more is queued or counted for it
 * until it is added again. What it sends is still read. */
void gossip_peer_mute(struct gossip *g, const struct peer_id *peer);
/*
 * The peer's key is in use in two places, and what is queued for it goes to
 * both: our subscriptions and what is recent are queued once more, and from now
 * on it is also sent what it has signed or brought itself, for the other of the
 * two.
 */
void gossip_peer_twins(
	struct gossip *g, const struct peer_id *peer, bool twins);
/* Everything kept for the peer is freed; GOSSIP_EV_TOPIC tells that it left
 * its topics. Unknown peers are ignored. */
void gossip_peer_remove(
	struct gossip *g, const struct env *env, const struct peer_id *peer);

/*
 * One RPC body from a peer that was seen or added. An error is a fault of the
 * peer that ends its stream: P2P_ERR_MALFORMED, P2P_ERR_TRUNCATED,
 * P2P_ERR_TOO_BIG, P2P_ERR_LIMIT. A message that does not verify is refused and
 * counted, no more.
 *
 * *rpc becomes what was not read: nothing, or what begins with a message for
 * which the peer's share of those that wait for the check has no room. Feed
 * that again when gossip_has_room says so (after a gossip_verified), and until
 * then nothing else of the peer. It says that some unit would fit: where
 * nothing was read all the same, wait for the next gossip_verified.
 */
int gossip_feed(struct gossip *g, const struct env *env,
	const struct peer_id *peer, struct bytes *rpc) P2P_MUST_CHECK;
/* The same for what a stream held when it ended: nobody will say it again, so
 * the share is larger. */
int gossip_feed_last(struct gossip *g, const struct env *env,
	const struct peer_id *peer, struct bytes *rpc) P2P_MUST_CHECK;
bool gossip_has_room(const struct gossip *g, const struct peer_id *peer);
/* Bytes for which the streams of the peer get no credit: of units that wait for
 * their check, and of what it brought over a rate, which is forgiven in time.
 */
size_t gossip_withheld(
	struct gossip *g, const struct env *env, const struct peer_id *peer);

/*
 * What becomes of a message (gossipsub v1.1, "Extended Validators"). The bytes
 * alone decide, and the rooms that we are in: whatever text is properly signed
 * is passed on, since each program writes its rooms as it likes. What chat
 * makes of an accepted message comes later and costs nobody anything.
 */
enum gossip_verdict {
	GOSSIP_ACCEPT, /* handed up and passed on; a merit of who was first */
	GOSSIP_IGNORE, /* neither, and nobody's fault: unsigned, too large,
			  with fields that we do not know, of another room,
			  known already, not UTF-8, or over
			  a share or a rate */
	GOSSIP_REJECT, /* neither, and P4 for all who brought it if every
			  program must see the fault: a wrong signature, bytes
			  that nobody can read. Where programs differ it may
			  have come through an honest peer */
};

/* The verdict that a result of unit_parse and unit_verify stands for. */
enum gossip_verdict gossip_verdict_of(int err);

/*
 * The next units to be checked, the caller's; NULL when none wait. Peers have
 * their turns, so a line waits for one of each other peer's, however many
 * those have sent. Any number of batches may be out.
 */
struct unit_batch *gossip_next_verify(struct gossip *g);
/*
 * Takes a batch back, after unit_batch_check. Verdicts are served in the order
 * in which batches were given, so a batch that returns too early waits for
 * those before it: what came by one peer comes out in the order of arrival.
 */
void gossip_verified(
	struct gossip *g, const struct env *env, struct unit_batch *b);

/* Subscribes; P2P_ERR_LIMIT. Being in it already is fine. GOSSIP_EV_TOPIC tells
 * once more of each peer that is in it. */
int gossip_join(struct gossip *g, const struct env *env,
	struct bytes topic) P2P_MUST_CHECK;
void gossip_leave(struct gossip *g, const struct env *env, struct bytes topic);
/*
 * Sends an own unit to every peer that is in its topic, or in a crowd to some
 * of them and all who depend on us (decision 0015); it is named to the others.
 * Returns how many have taken it into their queue, or a negative error when
 * the unit is not one or its topic is not joined. Sending the same unit again
 * is allowed: it is for peers that came later.
 */
int gossip_publish(struct gossip *g, const struct env *env,
	struct bytes unit) P2P_MUST_CHECK;

/*
 * What the owner thinks of a connected peer (P5 of the peer score): above 0
 * for somebody it knows, below 0 for whom it would rather not have; of that
 * measure the thresholds of score_params_chat. Forgotten when the peer is
 * removed.
 */
void gossip_peer_app(
	struct gossip *g, const struct peer_id *peer, double value);
/* Whether the peer is in any room that we are in; gone ones, and those that
 * take no stream of ours, are in none. */
bool gossip_shares(const struct gossip *g, const struct peer_id *peer);
/* There is no place for the peer here, and its connection ends soon: in each
 * room that it shares with us it is told of others (PRUNE with peers). */
void gossip_farewell(
	struct gossip *g, const struct env *env, const struct peer_id *peer);
/* The peer's score; 0 when it is not here. */
double gossip_peer_score(const struct gossip *g, const struct peer_id *peer);
/* Bytes from peers lie unread because we are busy: nobody is blamed meanwhile
 * for an answer that does not come. */
void gossip_unread(struct gossip *g, const struct env *env);

void gossip_tick(struct gossip *g, const struct env *env);
uint64_t gossip_deadline(const struct gossip *g);

/*
 * The RPC (with its length in front) that a peer's stream is to take next, or
 * what is left of it; valid until the next call on g. It is made in this call
 * of all that waits, so ask again when it is consumed, until it is empty.
 */
struct bytes gossip_out_peek(struct gossip *g, const struct peer_id *peer);
/* Takes bytes off; any number up to what was peeked. */
void gossip_out_consume(struct gossip *g, const struct peer_id *peer, size_t n);
/* A peer with something to send that was not named since its queue was last
 * empty; false when there is none. */
bool gossip_next_sender(struct gossip *g, struct peer_id *peer);

/*
 * A kept peer (gossipsub v1.1, "Explicit Peering Agreements"): every message of
 * its topics is sent to it whatever its score, all that it sends is read, and
 * it is never in the mesh. It should hold us for one, too: else it sends us
 * nothing but what it names in IHAVE. Outlives connections. P2P_ERR_LIMIT.
 */
int gossip_set_direct(struct gossip *g, const struct env *env,
	const struct peer_id *peer, bool on) P2P_MUST_CHECK;
bool gossip_is_direct(const struct gossip *g, const struct peer_id *peer);

/*
 * The newest signed record of a peer that was seen or added, to be named to
 * others with it (gossipsub v1.1, "PRUNE Backoff and Peer Exchange"). Copied
 * and charged, forgotten with the peer. Where there is no memory for it, or it
 * is above GOSSIP_PX_RECORD_BYTES_MAX, the peer is named without one.
 */
void gossip_peer_record(
	struct gossip *g, const struct peer_id *peer, struct bytes record);

enum gossip_event_kind {
	GOSSIP_EV_UNIT,  /* peer handed a new, verified unit; event owns it */
	GOSSIP_EV_TOPIC, /* peer is in `topic` (joined) or not any more; it is
			    in none while it takes no stream of ours */
	GOSSIP_EV_PX,    /* `from` names peer, who may help out; unit: its
			    record, verified; event owns it */
	GOSSIP_EV_UNREADABLE, /* `count` messages of `topic` that are not UTF-8
				 came since the last heartbeat, the last of
				 them by peer; their signatures were not looked
				 at */
	GOSSIP_EV_BEHIND, /* peer did not take what waited while there was no
			     room for others: that is gone. End our stream to
			     it, which has half an RPC, and call
			     gossip_peer_mute before anything else */
};

struct gossip_event {
	enum gossip_event_kind kind;
	struct peer_id peer;
	struct peer_id from;
	bool joined;
	unsigned count;
	size_t topic_len;
	char topic[GOSSIP_TOPIC_BYTES_MAX + 1]; /* with a NUL behind */
	uint8_t *unit;                          /* the caller frees it */
	size_t unit_len;
};

bool gossip_next_event(struct gossip *g, struct gossip_event *ev);
/* Those that wait. */
size_t gossip_event_count(const struct gossip *g);

/*
 * How many lines a minute one author may push, at once as well; with it hold
 * the rates of gossip_limits.h. 0, as at the start: none of them.
 */
void gossip_limit_authors(struct gossip *g, unsigned lines_a_minute);
/* Authors whom the owner knows are no strangers. P2P_ERR_LIMIT: they would be
 * more than GOSSIP_KNOWN_MAX. */
int gossip_set_known(
	struct gossip *g, const struct peer_id *id, bool known) P2P_MUST_CHECK;

struct gossip_counters {
	uint64_t units_new;
	uint64_t units_duplicate;
	uint64_t units_ignored;  /* unknown topic, unknown fields, too large */
	uint64_t units_rejected; /* malformed or signature wrong */
	/* over a rate: of an author, of a peer that brings new authors or
	 * strangers' lines, of all strangers in a room */
	uint64_t rate_author, rate_new, rate_peer, rate_room;
	uint64_t out_dropped; /* a peer's queue was full */
	uint64_t refused;     /* over a cap: subscriptions, ids, grafts */
	uint64_t iwant_served;
	uint64_t iwant_recovered; /* asked for and got */
	uint64_t graylisted;      /* RPCs of which nothing but rooms was read */
	uint64_t promises_broken; /* IHAVE without the message */
	uint64_t behaviour;       /* what was counted for P7 */
	uint64_t px_heard;        /* peers named with a good record */
	uint64_t idontwant_sent;
	uint64_t idontwant_spared; /* not sent, the peer did not want it */
};

/* Live; valid as long as g. */
const struct gossip_counters *gossip_counters(const struct gossip *g);
/* Bytes that wait for peers, and that are kept for IWANT. */
size_t gossip_out_bytes(const struct gossip *g);
size_t gossip_cache_bytes(const struct gossip *g);
/* Units that wait for their check or are being checked, and their bytes. */
size_t gossip_verify_count(const struct gossip *g);
size_t gossip_verify_bytes(const struct gossip *g);
/* For tests and /net: the mesh of a topic, and who is subscribed. */
size_t gossip_mesh_size(const struct gossip *g, struct bytes topic);
bool gossip_in_mesh(
	const struct gossip *g, struct bytes topic, const struct peer_id *peer);

#endif
