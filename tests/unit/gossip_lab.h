/*
 * One gossip under test among peers made of keys alone: RPCs are built field
 * by field, what it answers each peer is taken apart and counted.
 */
#ifndef TESTS_UNIT_GOSSIP_LAB_H
#define TESTS_UNIT_GOSSIP_LAB_H

#include "net/pubsub/gossip.h"
#include "tests/lib/test_env.h"

#define LAB_PEERS 110
#define LAB_IDS 16

struct gossip_lab {
	struct test_env te;
	struct identity me;
	struct identity who[LAB_PEERS];
	struct gossip *g;
	struct buf rpc; /* the RPC being built */
	struct buf unit;
	bool late; /* verdicts are the test's business */
};

/* What the frames that waited for one peer said. */
struct said {
	unsigned rpcs;
	unsigned first_subscriptions; /* in the first RPC */
	unsigned subscribed, unsubscribed;
	unsigned messages;
	unsigned grafts, prunes;
	bool has_backoff;
	uint64_t backoff_s; /* of the last PRUNE */
	unsigned ihaves, ihave_ids, iwant_ids, idontwant_ids;
	size_t rpc_bytes_max;
	size_t control_bytes_max; /* with subscriptions, of one RPC */
	struct {
		size_t len;
		uint8_t raw[GOSSIP_ID_BYTES_MAX];
	} id[LAB_IDS]; /* of IHAVE, IWANT and IDONTWANT */
};

struct gossip_lab *lab_new(void);
/* Frees all; what waits in events, too. */
void lab_free(struct gossip_lab *l);

/* The room of most stories, and what they begin with: ours is in it. */
static inline struct bytes room(void)
{
	return bytes_str("room");
}

int lab_begin(void **state);
int lab_end(void **state);

const struct peer_id *lab_id(const struct gossip_lab *l, unsigned i);
void lab_add(struct gossip_lab *l, unsigned i, enum gossip_version version,
	bool outbound);
/* Adds and subscribes it, and forgets what that caused. */
void lab_member(struct gossip_lab *l, unsigned i, enum gossip_version version);
/* Has all signatures checked that wait, unless l->late. */
void lab_verify(struct gossip_lab *l);
/* Feeds l->rpc and starts it anew. */
int lab_feed(struct gossip_lab *l, unsigned i);
int lab_subscribe(struct gossip_lab *l, unsigned i, const char *topic, bool on);
int lab_graft(struct gossip_lab *l, unsigned i, const char *topic);
/* backoff_s < 0: the field is absent. */
int lab_prune(
	struct gossip_lab *l, unsigned i, const char *topic, int64_t backoff_s);
/* count ids of `id`, each with another last byte. */
int lab_ihave(struct gossip_lab *l, unsigned i, const char *topic,
	struct bytes id, unsigned count);
int lab_iwant(struct gossip_lab *l, unsigned i, struct bytes id);
int lab_idontwant(struct gossip_lab *l, unsigned i, struct bytes id);
/* A unit of an author (LAB_PEERS: ours) into l->unit. */
struct bytes lab_sign(struct gossip_lab *l, unsigned author, uint64_t seqno,
	const char *topic, const char *text);
int lab_message(struct gossip_lab *l, unsigned i, struct bytes unit);
/* Takes apart and consumes what waits for a peer. */
struct said lab_said(struct gossip_lab *l, unsigned i);
/* Forgets what waits for everybody. */
void lab_hush(struct gossip_lab *l);
/* Events of a kind since the last call; all are taken. */
unsigned lab_events(struct gossip_lab *l, enum gossip_event_kind kind);
void lab_pass(struct gossip_lab *l, uint64_t ms);

#endif
