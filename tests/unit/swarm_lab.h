/*
 * A few swarms joined in memory: the lab plays all carriers. Host i has the
 * address /ip4/<NET>.<i+1>/tcp/4001; dials to it arrive as from
 * /ip4/<NET>.<dialler+1>/tcp/<any>. Bytes travel in random pieces, seeded.
 */
#ifndef TESTS_UNIT_SWARM_LAB_H
#define TESTS_UNIT_SWARM_LAB_H

#include "net/swarm/swarm.h"
#include "tests/lib/test_env.h"

#define LAB_HOSTS 3
#define LAB_WIRES 600
#define LAB_EVENTS 400
#define LAB_OUTSIDE 99 /* end of a wire that the test itself plays */

/* One carrier between two hosts; conn 0: that end is closed. */
struct wire {
	bool used;
	bool paused[2];
	unsigned host[2]; /* host[0] has dialled */
	uint64_t conn[2];
};

struct lab_host {
	struct identity me;
	struct maddr addr;
	struct swarm *s;
	bool deaf;  /* dials to it find nobody */
	bool dials; /* false: its dials stay unanswered */
	unsigned dial_count;
	uint64_t last_dial;
	struct swarm_event ev[LAB_EVENTS];
	unsigned ev_count;
};

struct swarm_lab {
	struct test_env te;
	struct lab_host host[LAB_HOSTS];
	struct wire wire[LAB_WIRES];
	unsigned wire_count;
};

/* net: "10.0.0" is a LAN, "8.8.4" is public. */
struct swarm_lab *lab_new(const char *net, bool yamux, bool mplex);
void lab_free(struct swarm_lab *l);

/* The swarm and the peer id of a host. */
static inline struct swarm *swarm_of(struct swarm_lab *l, unsigned i)
{
	return l->host[i].s;
}

static inline const struct peer_id *id_of(struct swarm_lab *l, unsigned i)
{
	return &l->host[i].me.id;
}
void lab_addr(struct maddr *a, const char *text);
/* Moves everything until all is quiet; time stands. */
void lab_run(struct swarm_lab *l);
/* Time passes with all ticks that are due. */
void lab_pass(struct swarm_lab *l, uint64_t ms);
void lab_dial(struct swarm_lab *l, unsigned from, unsigned to, bool with_id);
/* Both know each other's ids and addresses after it. */
void lab_meet(struct swarm_lab *l);
/* Cuts a wire; both ends hear of it. */
void lab_cut(struct swarm_lab *l, unsigned wire);
unsigned lab_wires(const struct swarm_lab *l);
/* How many events of a kind the host had; lab_forget empties them. */
unsigned lab_count(
	const struct swarm_lab *l, unsigned host, enum swarm_event_kind kind);
/* The last of a kind, or NULL. */
const struct swarm_event *lab_last(
	const struct swarm_lab *l, unsigned host, enum swarm_event_kind kind);
void lab_forget(struct swarm_lab *l);

#endif
