/*
 * What the files of this folder share. Nobody else includes it.
 *
 * gossip.c      public verbs, peers, events
 * gossip_recv.c one function per part of an RPC that arrives
 * gossip_send.c what is said to peers
 * gossip_outbox.c what waits for a peer, and the RPCs made of it
 * gossip_idontwant.c IDONTWANT, both ways
 * gossip_ihave.c what is recent, named to peers
 * gossip_px.c   peer exchange, both ways
 * gossip_mesh.c grafting, pruning, the heartbeat
 * gossip_judge.c what the score is told, and its thresholds
 * gossip_promise.c who must follow up an IHAVE
 * gossip_cache.c what was seen, and recent messages for IWANT
 * gossip_id.c   the forms of message ids
 * gossip_alias.c the forms that are hashes
 * gossip_verify.c units whose signatures are being checked
 */
#ifndef NET_PUBSUB_GOSSIP_INTERNAL_H
#define NET_PUBSUB_GOSSIP_INTERNAL_H

#include "base/bufq.h"
#include "base/list.h"
#include "base/table.h"
#include "net/pubsub/gossip.h"
#include "net/pubsub/gossip_promise.h"
#include "net/pubsub/score.h"

/* A topic that we are in, or have left: then only its back-offs count. */
struct topic {
	struct table mesh;    /* peer id -> struct gpeer */
	struct table backoff; /* peer id -> struct backoff */
	struct budget *held;  /* the gossip's, for the back-offs */
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
	bool ready; /* a stream to it is open */
	bool outbound;
	bool direct;         /* kept: gossip_set_direct */
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
	/* Hashes of the ids it does not want, by heartbeat. */
	struct buf unwanted[GOSSIP_IDONTWANT_HEARTBEATS];
	/* counted per heartbeat */
	unsigned ihave_messages;
	unsigned ihave_ids;
	unsigned asked_ids; /* of those in g->asked that it was the first for */
	unsigned iwant_ids;
	unsigned px_heard;
	unsigned needy_heartbeats; /* for so many it counts as one who asks */
	size_t brought; /* bytes of new messages, halved each heartbeat */
};

/* A recent message, kept for IWANT and named in IHAVE. */
struct cached {
	struct list order;  /* newest last */
	uint64_t heartbeat; /* when it came */
	bool aliased;       /* in g->aliases, and charged for it */
	/* How often each peer was answered: two bits a slot. */
	uint8_t served[GOSSIP_PEERS_MAX / 4];
	uint64_t came_ms; /* the first delivery */
	/* Who brought it within P3's window: a bit a slot. */
	uint8_t brought[GOSSIP_PEERS_MAX / 8];
	size_t id_len;
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX];
	size_t topic_len;
	uint8_t topic[GOSSIP_TOPIC_BYTES_MAX];
	size_t len;
	uint8_t unit[];
};

/* An id that we have asked for in this heartbeat, and of whom: a bit a slot. */
struct asked {
	uint8_t of[GOSSIP_PEERS_MAX / 8];
};

struct seen {
	uint64_t until_ms;
};

/* Units between their arrival and the verdict on their signature. */
struct verify {
	struct budget budget; /* of all that follows */
	struct table lines;   /* peer id -> struct line */
	struct list turns; /* of those with something that waits, next first */
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
	struct gossip_records records;
	struct table left;  /* those left, while back-offs run */
	struct table seen;  /* gossip_id -> struct seen */
	struct table cache; /* gossip_id -> struct cached */
	struct list cache_order;
	struct budget cache_budget; /* of its messages */
	struct budget held; /* of peers, what waits for them, seen, back-offs */
	bool aliases_kept;
	struct table aliases;  /* a hash -> struct cached */
	uint64_t aliases_used; /* the heartbeat of the last use */
	struct table asked;    /* gossip_id -> struct asked */
	uint64_t heartbeat;    /* how many there were */
	uint64_t heartbeat_ms; /* the next one; NEVER without peers */
	struct verify verify;
	struct bufq events; /* struct gossip_event */
	struct gossip_counters counters;
	struct score *score;
	const struct score_params *score_params;
	struct promises promises;
};

static inline struct bytes topic_name(const struct topic *t)
{
	return bytes_of(t->name, t->name_len);
}

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

/* ---- gossip.c ---------------------------------------------------------- */

struct gpeer *gpeer_find(const struct gossip *g, const struct peer_id *id);
/* Whether something for the peer waits for its stream. */
static inline bool gpeer_out_waits(const struct gpeer *p)
{
	return p->out.bytes > 0;
}

void gossip_emit(struct gossip *g, const struct gossip_event *ev);
void gossip_emit_topic(struct gossip *g, const struct gpeer *p,
	struct bytes topic, bool joined);

/* ---- gossip_outbox.c ------------------------------------------------------
 */

void outbox_init(struct gpeer *p, const struct env *env);
/* Forgets what waits for the peer. */
void outbox_clear(struct gossip *g, struct gpeer *p);
/* Makes the next RPC when none is being taken. */
void outbox_frame(struct gossip *g, struct gpeer *p);
void outbox_consume(struct gossip *g, struct gpeer *p, size_t n);
/* Each returns false when the peer has no stream or no room. To make room what
 * waits for others is dropped, and gossip_counters' out_dropped says so; one
 * of them may have no stream any more then. */
bool outbox_hello(struct gossip *g, struct gpeer *p);
bool outbox_subscription(
	struct gossip *g, struct gpeer *p, struct bytes topic, bool joined);
/* A GRAFT or PRUNE field. Only the last of a topic matters, so there is always
 * room; it waits until the stream takes it. */
bool outbox_mesh(struct gossip *g, struct gpeer *p, struct bytes topic,
	struct bytes field);
/* A GRAFT or PRUNE that waits is not to be said any more. */
void outbox_unmesh(struct gossip *g, struct gpeer *p, struct bytes topic);
/* A whole field of the control message, at most GOSSIP_CONTROL_PACK_BYTES. */
bool outbox_control(struct gossip *g, struct gpeer *p, struct bytes field);
enum outbox_way {
	OUTBOX_ASKED, /* the peer wants it, whatever it said before */
	OUTBOX_FRESH,
	OUTBOX_LATE, /* of a flood: behind what all others say */
};
bool outbox_message(struct gossip *g, struct gpeer *p, struct bytes unit,
	enum outbox_way way);
void outbox_release(struct shared *m);

/* ---- gossip_send.c: each queues one thing; false when it was dropped ----- */

bool send_subscriptions(struct gossip *g, struct gpeer *p);
bool send_subscribe(
	struct gossip *g, struct gpeer *p, struct bytes topic, bool joined);
bool send_message(struct gossip *g, struct gpeer *p, struct bytes unit);
/* The same for what another brought (NULL: who has left): of those who bring
 * much lately only as long as little waits, and behind all else, so that the
 * others have room in the queues and overtake. */
bool send_forward(struct gossip *g, const struct gpeer *from, struct gpeer *p,
	struct bytes unit);
/* The answer to an IWANT. */
bool send_wanted(struct gossip *g, struct gpeer *p, struct bytes unit);
bool send_graft(struct gossip *g, struct gpeer *p, struct bytes topic);
bool send_prune(struct gossip *g, struct gpeer *p, struct bytes topic,
	uint64_t backoff_s);
/* ids: `count` encoded ids, each a view. False when some were dropped. */
bool send_ihave(struct gossip *g, struct gpeer *p, struct bytes topic,
	const struct bytes *ids, size_t count);
bool send_iwant(struct gossip *g, struct gpeer *p, const struct bytes *ids,
	size_t count);
bool send_idontwant(struct gossip *g, struct gpeer *p, struct bytes id);

/* ---- gossip_idontwant.c ------------------------------------------------- */

/* Tells the mesh of a topic that this message, from `from`, is here. */
void idontwant_tell(struct gossip *g, const struct topic *t,
	const struct gpeer *from, const struct unit *u);
/* Whether it has named fewer in this heartbeat than are kept. */
bool idontwant_has_room(const struct gossip *g, struct gpeer *p);
/* The peer wants no message of this id (in our form, or where that is not
 * known, in its own). */
void idontwant_note(struct gossip *g, struct gpeer *p, struct bytes id);
bool idontwant_has(const struct gpeer *p, struct bytes id);
/* The same in either form. */
bool idontwant_spares(const struct gpeer *p, const struct shared *m);
void idontwant_heartbeat(struct gossip *g);
void idontwant_clear(struct gpeer *p);

/* ---- gossip_ihave.c ----------------------------------------------------- */

/* Notes that the peer is asked for an id; false when it was asked already in
 * this heartbeat, or has its share of what we ask for. */
bool asked_note(struct gossip *g, struct gpeer *p, struct bytes id);
/* Forgets all that was asked for. */
void asked_clear(struct gossip *g);

struct ihave;

/* What is recent in a topic; NULL: nothing. For use at once: it refers to what
 * the cache holds. */
struct ihave *ihave_new(struct gossip *g, const struct topic *t);
/* Names it to a peer whose form of ids is known. */
void ihave_tell(struct ihave *h, struct gpeer *p);
void ihave_free(struct ihave *h);

/* ---- gossip_px.c -------------------------------------------------------- */

/* A PRUNE because the mesh is full: with others of the topic. */
bool send_prune_px(struct gossip *g, const struct env *env,
	const struct topic *t, struct gpeer *p);
/* The peers named in a PRUNE. An error is a fault in its form. */
int px_read(struct gossip *g, struct gpeer *from, struct bytes prune);

/* ---- gossip_mesh.c ----------------------------------------------------- */

/* The peer is new in a topic: it is grafted if the mesh lacks some. The others
 * had their chance. */
void mesh_offer(struct gossip *g, const struct env *env, struct topic *t,
	struct gpeer *p);
/* It has no stream any more: others take its places. */
void mesh_lose(struct gossip *g, const struct env *env, const struct gpeer *p);
void mesh_graft(struct gossip *g, struct topic *t, struct gpeer *p);
void mesh_remove(struct gossip *g, struct topic *t, const struct gpeer *p);
/* It sent a GRAFT, or a PRUNE with its back-off (0: it named none). */
void mesh_on_graft(struct gossip *g, const struct env *env, struct gpeer *p,
	struct bytes name);
/* It is not subscribed any more. */
void mesh_on_unsubscribe(struct gossip *g, const struct env *env,
	struct gpeer *p, struct bytes name);
/* Our stream to it is a new one: it keeps its place in a mesh if it may, or is
 * offered one. */
void mesh_renew(struct gossip *g, const struct env *env, struct topic *t,
	struct gpeer *p);
/* True when the mesh lacks it now: then others are welcome. */
bool mesh_on_prune(struct gossip *g, const struct env *env, struct gpeer *p,
	struct bytes name, uint64_t backoff_s);
/* Takes it out of all meshes and tells it. */
void mesh_leave_all(struct gossip *g, const struct env *env, struct gpeer *p);
/* A stream to it is open now: GRAFTs that came too early are answered. */
void mesh_answer_early(
	struct gossip *g, const struct env *env, struct gpeer *p);
void mesh_back_off(const struct env *env, struct topic *t,
	const struct gpeer *p, uint64_t seconds);
/* Fills the mesh of a topic up to GOSSIP_D. */
void mesh_fill(struct gossip *g, const struct env *env, struct topic *t);
void mesh_heartbeat(struct gossip *g, const struct env *env);
/* Keeps only the back-offs of a topic that was left. */
void topic_leave(struct gossip *g, struct topic *t);
struct topic *topic_new(
	struct gossip *g, const struct env *env, struct bytes name);
void topic_free(struct topic *t);

/* ---- gossip_judge.c ---------------------------------------------------- */

double gpeer_score(const struct gossip *g, const struct gpeer *p);
/* Whether its score allows IHAVE and IWANT either way; messages of our own;
 * and whether what it sends is not read. */
bool gpeer_may_gossip(const struct gossip *g, const struct gpeer *p);
bool gpeer_may_publish(const struct gossip *g, const struct gpeer *p);
bool gpeer_graylisted(const struct gossip *g, const struct gpeer *p);
/* P7. */
void judge_misbehaviour(
	struct gossip *g, const struct gpeer *p, unsigned count);
/* The peer was the first to bring this unit, which is valid and in the cache;
 * it brought another of that id; it brought one whose signature is wrong. The
 * peer may have left where its id is asked for. */
void judge_first(struct gossip *g, const struct env *env,
	const struct peer_id *peer, const struct unit *u);
void judge_duplicate(struct gossip *g, const struct env *env,
	const struct gpeer *p, struct bytes id);
void judge_forged(struct gossip *g, const struct env *env,
	const struct peer_id *peer, const struct unit *u);
/* A message whose form is wrong. */
void judge_malformed(struct gossip *g, const struct env *env,
	const struct gpeer *p, struct bytes raw);
/* Counts promises that were broken. */
void judge_promises(struct gossip *g, const struct env *env);

/* ---- gossip_cache.c ---------------------------------------------------- */

bool seen_has(const struct gossip *g, struct bytes id);
void seen_add(struct gossip *g, const struct env *env, struct bytes id);
void seen_expire(struct gossip *g, const struct env *env);
void cache_add(struct gossip *g, const struct unit *u, struct bytes raw);
struct cached *cache_find(const struct gossip *g, struct bytes id);
/* Counts one answer to this peer; false when it had its share. */
bool cache_serve(struct cached *c, const struct gpeer *p);
/* Another peer has the slot now. */
void cache_forget_slot(struct gossip *g, unsigned slot);
void cache_expire(struct gossip *g);
void cache_clear(struct gossip *g);

/* ---- gossip_verify.c --------------------------------------------------- */

#define VERIFY_KEY_BYTES 32

void verify_init(struct gossip *g, const struct env *env);
void verify_clear(struct gossip *g);
/* Whether the very bytes wait already; then the peer is noted as one who has
 * them. Their hash into key in either case. */
bool verify_has(struct gossip *g, const struct gpeer *p, struct bytes raw,
	uint8_t key[static VERIFY_KEY_BYTES]);
/* A unit that does not wait yet. */
struct verify_unit {
	struct bytes raw;
	const uint8_t *key; /* VERIFY_KEY_BYTES */
	const struct peer_id *author;
	bool last; /* its stream has ended, so the share is larger */
};
/* Queues it. P2P_ERR_LIMIT: the peer's share is used up. */
int verify_add(struct gossip *g, const struct env *env, const struct gpeer *p,
	const struct verify_unit *u) P2P_MUST_CHECK;
/* Another peer has the slot now. */
void verify_forget_slot(struct gossip *g, unsigned slot);

/* ---- gossip_id.c ------------------------------------------------------- */

/*
 * A remote id as ours (from || seqno): its length in *len and the form it had.
 * GOSSIP_FORM_UNKNOWN when it is none of the known forms.
 */
enum gossip_id_form gossip_id_read(struct bytes remote,
	uint8_t out[static UNIT_GOSSIP_ID_BYTES_MAX], size_t *len);
/* Our id in a peer's form; 0 when it cannot be written in it. */
size_t gossip_id_write(enum gossip_id_form form, struct bytes id,
	uint8_t out[static GOSSIP_ID_BYTES_MAX]);

/* ---- gossip_alias.c ---------------------------------------------------- */

static inline bool gossip_form_is_opaque(enum gossip_id_form form)
{
	return form >= GOSSIP_FORM_SEQNO_SHA256;
}

/* The id of a message in a peer's form, whatever it is; 0: it has none. */
size_t gossip_id_of_unit(enum gossip_id_form form, const struct unit *u,
	uint8_t out[static GOSSIP_ID_BYTES_MAX]);
size_t cache_write_id(const struct cached *c, enum gossip_id_form form,
	uint8_t out[static GOSSIP_ID_BYTES_MAX]);
/* The recent message that the peer means by an id that gossip_id_read cannot
 * read, or NULL. When there is one, the peer's form is known from then on. */
struct cached *alias_find(struct gossip *g, struct gpeer *p, struct bytes id);
/* What alias_add needs of g->cache_budget for one message; charge it before. */
size_t alias_cost(const struct gossip *g);
void alias_add(struct gossip *g, struct cached *c);
/* Gives it back. */
void alias_remove(struct gossip *g, struct cached *c);
void alias_heartbeat(struct gossip *g);

#endif
