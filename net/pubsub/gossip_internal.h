/*
 * What all files of this folder share: the gossip, its peers and topics.
 * Nobody else includes it. Each file calls only what stands above it here:
 *
 * score.c             what a peer is worth
 * gossip_promise.c    who must follow up an IHAVE
 * gossip_id.c         the forms of message ids
 * gossip_core.c       peers by name, their topics and scores; events
 * gossip_alias.c      the forms of message ids that are hashes
 * gossip_cache.c      what was seen, and recent messages for IWANT
 * gossip_told.c       whom others tell, too
 * gossip_idontwant.c  what a peer does not want
 * gossip_outbox.c     what waits for a peer, and the RPCs made of it
 * gossip_send.c       what is said to peers
 * gossip_ihave.c      what is recent, named to peers
 * gossip_px.c         peer exchange, both ways
 * gossip_judge.c      what the score is told
 * gossip_rate.c       how much may be pushed
 * gossip_verify.c     units whose signatures are being checked
 * gossip_pick.c       choosing among peers
 * gossip_mesh.c       grafting and pruning
 * gossip_publish.c    who is sent our own lines
 * gossip_heartbeat.c  what is done once a second
 * gossip_recv.c       one function per part of an RPC that arrives
 * gossip.c            public verbs, peers
 */
#ifndef NET_PUBSUB_GOSSIP_INTERNAL_H
#define NET_PUBSUB_GOSSIP_INTERNAL_H

#include "base/bufq.h"
#include "base/list.h"
#include "base/table.h"
#include "net/pubsub/gossip.h"
#include "net/pubsub/gossip_promise.h"
#include "net/pubsub/score.h"

/* What was taken lately of something that may come so often a minute. */
struct bucket {
	uint64_t used;
	uint64_t since_ms;
};

/* Rates of what is pushed (gossip_rate.c). */
struct rates {
	unsigned author_lines;   /* a minute; 0: there are no rates at all */
	struct table authors;    /* peer id -> struct author_rate */
	struct table known;      /* peer id -> itself */
	struct bucket strangers; /* bytes, in all rooms */
};

/* Some of the peers: a bit a slot. */
struct slots {
	uint8_t bits[GOSSIP_PEERS_MAX / 8];
};

/* A topic that we are in, or have left: then only its back-offs count. */
struct topic {
	struct table mesh;          /* peer id -> struct gpeer */
	struct table backoff;       /* peer id -> struct backoff */
	struct budget *held;        /* the gossip's, for the back-offs */
	struct bucket strangers[2]; /* lines and bytes of theirs */
	/* gossip_told.h: since GOSSIP_TOLD_HEARTBEATS began, and before. */
	struct slots told[2], asked[2], left_out;
	uint8_t trials[GOSSIP_PEERS_MAX]; /* by slot */
	/* Messages that are not UTF-8, since the heartbeat; who brought the
	 * last of them. */
	unsigned unreadable;
	struct peer_id unreadable_by;
	size_t name_len;
	uint8_t name[GOSSIP_TOPIC_BYTES_MAX];
};

struct backoff {
	uint64_t since_ms; /* of the last PRUNE */
	uint64_t until_ms; /* for our GRAFT; theirs may come a heartbeat sooner
			    */
};

/* A message that waits for one peer or for many. */
struct shared {
	unsigned refs;
	size_t id_len;
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];
	size_t len;
	uint8_t unit[];
};

/* What waits for a peer; RPCs are made of it when its stream has room. */
struct outbox {
	bool hello;           /* the stream's first RPC is to come */
	struct table news;    /* topic -> struct news, of gossip_outbox.c */
	struct bufq control;  /* whole IHAVE, IWANT and IDONTWANT fields */
	struct list messages; /* struct waiting, of gossip_outbox.c */
	struct list late;     /* the same, behind all of those */
	struct bufq frames;   /* the RPC that is being taken */
	size_t bytes;         /* of all these */
	uint64_t since;       /* the heartbeat when it was empty last */
};

struct gpeer {
	struct peer_id id;
	unsigned slot; /* its number among GOSSIP_PEERS_MAX */
	enum gossip_version version;
	enum gossip_id_form form;
	bool ready;     /* a stream to it is open */
	uint64_t since; /* the heartbeat when it came */
	bool outbound;
	bool chosen;         /* a person typed where it is */
	bool direct;         /* kept: gossip_set_direct */
	bool twins;          /* two programs have its key */
	struct list sender;  /* in g->senders, until told of */
	bool named;          /* it was in there since `out` was empty */
	struct table topics; /* name -> itself; at most ..._PER_PEER_MAX */
	/* Topics it sent a GRAFT for while no stream could take an answer;
	 * name -> itself, at most ..._PER_PEER_MAX. */
	struct table early;
	/* Topics whose mesh it left by unsubscribing; its PRUNE may follow,
	 * with others in it. name -> itself, at most ..._PER_PEER_MAX. */
	struct table left;
	unsigned promises; /* in g->promises */
	double rank;       /* its score, for a choice that is being made */
	struct outbox out;
	struct buf record; /* its own, signed, for PX; charged */
	/* Hashes of the ids it does not want, by heartbeat. */
	struct buf unwanted[GOSSIP_IDONTWANT_HEARTBEATS];
	/* counted per heartbeat */
	unsigned ihave_messages;
	unsigned ihave_ids;
	unsigned asked_ids; /* of those in g->asked that it was the first for */
	unsigned iwant_ids;
	unsigned px_heard;
	unsigned px_taken;          /* in all, though it is a stranger */
	unsigned needy_heartbeats;  /* for so many it counts as one who asks */
	struct bucket new_authors;  /* that it brought */
	struct bucket strangers[2]; /* lines and bytes of theirs */
	struct bucket over;         /* bytes over a rate, forgiven in time */
	uint64_t served_to;         /* of verify.clock: gossip_verify.c */
	size_t brought; /* bytes of new messages, halved each heartbeat */
};

/* A recent message, kept for IWANT and named in IHAVE. */
struct cached {
	struct list order;  /* newest last */
	uint64_t heartbeat; /* when it came */
	bool aliased;       /* in g->aliases, and charged for it */
	/* How often each peer was answered: two bits a slot. */
	uint8_t served[GOSSIP_PEERS_MAX / 4];
	uint64_t came_ms;     /* the first delivery */
	struct slots brought; /* who did within P3's window */
	struct slots given;   /* to whom we gave it */
	size_t id_len;
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];
	size_t topic_len;
	uint8_t topic[GOSSIP_TOPIC_BYTES_MAX];
	size_t len;
	uint8_t unit[];
};

/* An id that we have asked for in this heartbeat, and of whom. */
struct asked {
	struct slots of;
};

struct seen {
	uint64_t until_ms;
};

/* Units between their arrival and the verdict on their signature. */
struct verify {
	struct budget budget; /* of all that follows */
	struct table lines;   /* peer id -> struct line */
	struct list turns;    /* of those with something that waits */
	uint64_t clock;       /* bytes served to whoever is served most */
	struct table pending; /* hash of the bytes -> struct job */
	struct list out;      /* of struct out, in the order of the cut */
	uint64_t arrivals;
	uint64_t batches;
};

struct gossip {
	struct gossip_cfg cfg;
	struct table peers; /* peer id -> struct gpeer */
	struct gpeer *slots[GOSSIP_PEERS_MAX];
	struct list senders; /* of struct gpeer: `out` is not empty any more */
	size_t out_bytes;    /* of all peers */
	struct shared *last; /* queued last, for the next peer; or NULL */
	struct table topics; /* name -> struct topic */
	struct table direct; /* peer id -> itself, those kept */
	struct table left;   /* those left, while back-offs run */
	struct table seen;   /* gossip_id -> struct seen */
	struct table cache;  /* gossip_id -> struct cached */
	struct list cache_order;
	struct budget cache_budget; /* of its messages */
	struct budget held; /* of peers, what waits for them, seen, back-offs */
	bool aliases_kept;
	struct table aliases;  /* a hash -> struct cached */
	uint64_t aliases_used; /* the heartbeat of the last use */
	struct table asked;    /* gossip_id -> struct asked */
	uint64_t heartbeat;    /* how many there were */
	uint64_t heartbeat_ms; /* the next one; NEVER without peers */
	uint64_t trials_ms; /* when those left out are named what they lack */
	struct verify verify;
	struct bufq events; /* struct gossip_event */
	struct gossip_counters counters;
	struct score *score;
	const struct score_params *score_params;
	struct promises promises;
	struct rates rate;
};

static inline struct bytes topic_name(const struct topic *t)
{
	return bytes_of(t->name, t->name_len);
}

static inline struct bytes cached_id(const struct cached *c)
{
	return bytes_of(c->id, c->id_len);
}

static inline struct bytes cached_topic(const struct cached *c)
{
	return bytes_of(c->topic, c->topic_len);
}

static inline struct bytes cached_unit(const struct cached *c)
{
	return bytes_of(c->unit, c->len);
}

/* Its id begins with its author's. */
static inline bool cached_by(
	const struct cached *c, const struct peer_id *author)
{
	return c->id_len == (size_t)author->len + UNIT_SEQNO_BYTES &&
	       memcmp(c->id, author->raw, author->len) == 0;
}

static inline struct bytes shared_unit(const struct shared *m)
{
	return bytes_of(m->unit, m->len);
}

static inline bool slots_have_slot(const struct slots *s, unsigned slot)
{
	return ((unsigned)s->bits[slot / 8] >> (slot % 8) & 1u) != 0;
}

static inline bool slots_have(const struct slots *s, const struct gpeer *p)
{
	return slots_have_slot(s, p->slot);
}

/* False when it was among them. */
static inline bool slots_add(struct slots *s, const struct gpeer *p)
{
	bool had = slots_have(s, p);

	s->bits[p->slot / 8] |= (uint8_t)(1u << (p->slot % 8));
	return !had;
}

/* Another peer has the slot now. */
static inline void slots_forget(struct slots *s, unsigned slot)
{
	s->bits[slot / 8] &= (uint8_t)(0xff ^ (1u << (slot % 8)));
}

/* ---- gossip_core.c ----------------------------------------------------- */

/* Bytes that may still be held for what can wait or be forgotten: the last ones
 * that all may hold are for those who say little. */
size_t gossip_spare(const struct gossip *g);
/*
 * Names of topics in one of a peer's tables, charged each; those that we are in
 * are noted in any case. note: true when it is there now.
 */
bool gpeer_note(struct gossip *g, struct gpeer *p, struct table *names,
	struct bytes topic);
/* True when it was there. */
bool gpeer_unnote(struct gossip *g, struct table *names, struct bytes topic);
void gpeer_unnote_all(struct gossip *g, struct table *names);

static inline bool gpeer_subscribed(const struct gpeer *p, struct bytes topic)
{
	return table_get(&p->topics, topic) != NULL;
}

struct gpeer *gpeer_find(const struct gossip *g, const struct peer_id *id);
/* Whether something for the peer waits for its stream. */
static inline bool gpeer_out_waits(const struct gpeer *p)
{
	return p->out.bytes > 0;
}

void gossip_emit(struct gossip *g, const struct gossip_event *ev);
/* Tells nothing of a peer to which no stream is open. */
void gossip_emit_topic(struct gossip *g, const struct gpeer *p,
	struct bytes topic, bool joined);
/* ... of each topic that it is in. */
void gossip_emit_topics(struct gossip *g, const struct gpeer *p, bool joined);
/* What of the topic could not be read since the last time, if anything. */
void gossip_emit_unreadable(struct gossip *g, struct topic *t);

double gpeer_score(const struct gossip *g, const struct gpeer *p);
/* Whether its score allows IHAVE and IWANT either way; messages of our own;
 * and whether what it sends is not read. */
bool gpeer_may_gossip(const struct gossip *g, const struct gpeer *p);
bool gpeer_may_publish(const struct gossip *g, const struct gpeer *p);
bool gpeer_graylisted(const struct gossip *g, const struct gpeer *p);

#endif
