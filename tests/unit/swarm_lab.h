/*
 * A few swarms joined in memory, with identify, ping and two protocols that do
 * nothing by themselves: the lab plays all carriers. Host i has the
 * address /ip4/<NET>.<i+1>/tcp/4001; dials to it arrive as from
 * /ip4/<NET>.<dialler+1>/tcp/<any>. Bytes travel in random pieces, seeded.
 */
#ifndef TESTS_UNIT_SWARM_LAB_H
#define TESTS_UNIT_SWARM_LAB_H

#include "net/serve/serve.h"
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

/* What a protocol of the lab was told: of a stream, or, "/a/1" alone, of the
 * end of a peer. */
enum lab_told {
	LAB_IN,
	LAB_READY,
	LAB_READABLE,
	LAB_WRITABLE,
	LAB_GONE,
	LAB_DOWN
};

struct lab_word {
	enum lab_told what;
	uint64_t stream;
	const char *name;
	int err;
	size_t rest_len;
	char rest[64]; /* its beginning */
};

struct lab_host {
	struct identity me;
	struct maddr addr;
	struct serve *sv;
	struct swarm *s; /* its */
	struct lab_word word[LAB_EVENTS];
	unsigned word_count;
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
/* The same of what the protocols were told. */
unsigned lab_told(const struct swarm_lab *l, unsigned host, enum lab_told what);
const struct lab_word *lab_last_told(
	const struct swarm_lab *l, unsigned host, enum lab_told what);

/* Streams of the lab's protocols "/a/1" and "/b/1". */
int lab_try_open(struct swarm_lab *l, unsigned from, unsigned to,
	const char *protocol, uint64_t *stream) P2P_MUST_CHECK;
uint64_t lab_open(
	struct swarm_lab *l, unsigned from, unsigned to, const char *protocol);
int lab_write(struct swarm_lab *l, unsigned host, uint64_t stream,
	struct bytes in) P2P_MUST_CHECK;
/* Empty for one that is no more. */
struct bytes lab_peek(
	const struct swarm_lab *l, unsigned host, uint64_t stream, bool *end);
void lab_consume(struct swarm_lab *l, unsigned host, uint64_t stream, size_t n);
void lab_close(struct swarm_lab *l, unsigned host, uint64_t stream);
void lab_reset(struct swarm_lab *l, unsigned host, uint64_t stream);
size_t lab_backlog(const struct swarm_lab *l, unsigned host, uint64_t stream);
/* A stream of any service of which host `from` itself reads nothing: what it
 * says and hears is for the test to forge. */
struct sstream *lab_forge(struct swarm_lab *l, unsigned from, unsigned to,
	const struct service_ops *ops);
/* The newest stream of that name that a peer has opened to the host, or
 * NULL. */
struct sstream *lab_inbound(
	const struct swarm_lab *l, unsigned host, const char *name);
/* Another host in its place, with other settings; agent and me are filled in,
 * and the lab's services where there are none: bare ones are identify and ping
 * alone. */
void lab_replace(
	struct swarm_lab *l, unsigned i, struct serve_cfg cfg, bool bare);

#endif
