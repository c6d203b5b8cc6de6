/*
 * A room under attack (docs/gossipsub-under-attack.md): hundreds of whole
 * nodes and several times as many hostile ones in one thread, from one seed,
 * on wires that delay and keep order.
 *
 *   main.c    the command line and the table     family.c  the attacks
 *   world.c   time, events, hosts                wire.c    bytes between hosts
 *   honest.c  net/node as the program runs it    hostile.c a swarm that lies
 *   line.c    what was said and who has it
 *
 * An honest host is net/node with all below it: Noise, Yamux, GossipSub, the
 * address book, all limits. Chat and store are absent: what they would be told
 * is what is counted. A hostile host has a real swarm, for else nobody would
 * listen to it, and says on it what its family wants. Hostile hosts know each
 * other and the time of the attack.
 */
#ifndef TESTS_SIM_ATTACK_ATTACK_H
#define TESTS_SIM_ATTACK_ATTACK_H

#include "base/budget.h"
#include "base/bufq.h"
#include "base/env.h"
#include "base/table.h"
#include "net/identity/key.h"
#include "net/node/node.h"
#include "net/unit/unit.h"

#define ATTACK_HOSTS_MAX 6000
#define ATTACK_S 1000000ULL
#define ATTACK_PORT 10000 /* of host 0 */
#define ATTACK_TOPIC "p2p-chat-default"

struct world;
struct host;
struct hostile;

/* ---- families (family.c) ----------------------------------------------- */

/* Whom the hostile hosts connect to. */
enum attack_targets {
	TARGET_NONE, /* there are no hostile hosts */
	TARGET_ONE,  /* the victim: honest host 0, which also speaks */
	TARGET_ALL,  /* each some of the honest, drawn */
	TARGET_PUBLISHERS,
};

/* What they do with lines of others once they attack. */
enum attack_policy {
	POLICY_DROP,    /* nothing is forwarded */
	POLICY_CENSOR,  /* all but the victim's lines are */
	POLICY_DEGRADE, /* a quarter is, and late; half of the hosts GRAFT
			   within the back-off and name in IHAVE what does not
			   exist */
	POLICY_SOME,    /* a quarter is, at once; nothing else is amiss */
};

struct family {
	const char *name;
	const char *text; /* one line for people */
	enum attack_targets targets;
	enum attack_policy policy;
	unsigned hostile_from_s; /* they come to the network */
	unsigned honest_from_s;  /* the others do */
	unsigned attack_from_s;  /* until then they behave */
	unsigned addresses;      /* of the hostile hosts; 0: each its own */
	bool liars; /* those who break no rule name in IHAVE what they do not
		       forward, some as soon as one of them has heard it, and
		       hand nothing over when they are asked */
	bool star;  /* the honest know nobody; a person has told each the
		       address of the first */
	bool mixed_book; /* the honest know hostile addresses, as many among
			    theirs as there are in the world */
	bool crowd;      /* the honest know each other all */
	unsigned hubs;   /* the honest know these first ones; they speak,
			    and one more unless it is closed */
	bool closed;     /* nobody but those can be dialled */
};

extern const struct family family_table[];
extern const size_t family_count;
/* NULL: there is none of that name. */
const struct family *family_find(const char *name);

/* ---- the world (world.c) ------------------------------------------------ */

struct attack_cfg {
	const struct family *family;
	unsigned honest, hostile;
	unsigned publishers;  /* of the honest: the first ones */
	unsigned say_every_s; /* each publisher */
	unsigned seconds;     /* of talk, after the attack began */
	uint64_t uplink;      /* bytes a second that a host can send; 0: any */
	uint64_t seed;
};

struct event {
	uint64_t at_us;
	uint64_t seq;
	void (*fn)(struct world *w, struct event *ev);
	uint64_t number; /* of a wire */
	struct host *host;
	int side;
	bool end;
	uint8_t *data; /* owned */
	size_t len;
};

struct host {
	struct world *world;
	unsigned index; /* also its port, see host_addr */
	uint8_t ip[4];
	struct identity me;
	struct rng rng;
	struct env env;
	struct budget budget;
	struct table wires;  /* conn -> struct wire */
	uint64_t tick_at_us; /* NEVER: none is due */
	uint64_t tick_seq;   /* the event that counts */
	struct node *node;   /* honest, and running */
	struct hostile *bad; /* hostile, and running */
	bool draining;       /* actions are being served */
	struct line *saying; /* what it writes now is for this line */
	uint64_t uplink_us;  /* its uplink is busy until then */
	uint64_t started_us;
};

/* One line of an honest publisher. */
struct line {
	unsigned index;
	unsigned author;
	uint64_t at_us;
	unsigned owed; /* honest hosts that ran then, but the author */
	unsigned arrived;
	size_t at_once; /* bytes that its author wrote as it was said */
	uint64_t last_us;
	uint8_t *has; /* a bit for each honest host */
	bool leaked;  /* a hostile host has heard it, so that all know it */
	size_t id_len;
	uint8_t id[UNIT_GOSSIP_ID_BYTES_MAX]; /* as IHAVE names it */
};

struct world {
	struct attack_cfg cfg;
	struct rng rng;
	uint64_t now_us;
	uint64_t next_seq, next_wire;
	struct event *heap;
	size_t heap_count, heap_cap;
	struct host *host; /* honest ones first */
	unsigned host_count;
	struct table wires; /* number -> struct wire */
	struct table lines; /* unit id -> struct line */
	struct line **line; /* by index */
	size_t line_count;
	uint64_t bytes;      /* written by all hosts, after the attack began */
	uint64_t *delays_us; /* of each arrival */
	size_t delay_count, delay_cap;
	uint64_t events;
	uint64_t hash; /* of all that arrived where and when */
};

struct world *world_new(const struct attack_cfg *cfg);
void world_free(struct world *w);
/* Serves all events up to that time. */
void world_run(struct world *w, uint64_t until_us);
/* ev->data goes over to the world. Returns the number in order. */
uint64_t world_at(struct world *w, uint64_t at_us, const struct event *ev);
static inline bool host_is_hostile(const struct host *h)
{
	return h->index >= h->world->cfg.honest;
}
static inline uint64_t attack_from_us(const struct world *w)
{
	return w->cfg.family->attack_from_s * ATTACK_S;
}
void host_addr(const struct host *h, struct maddr *a);
void host_set_time(struct host *h);
/* The next tick of a host; NEVER: none. */
void host_arm(struct host *h, uint64_t deadline_ms);

/* ---- wire.c ------------------------------------------------------------- */

/* Answered by WIRE_CONNECTED or WIRE_FAILED. */
void wire_dial(struct host *h, uint64_t conn, const struct maddr *addr);
/* Bytes of the host; copied. */
void wire_send(struct host *h, uint64_t conn, struct bytes out);
void wire_pause(struct host *h, uint64_t conn, bool pause);
void wire_close(struct host *h, uint64_t conn);
void wires_free(struct world *w);

/* What happens to a host on a wire, for both kinds of host. */
enum wire_happening {
	WIRE_ACCEPTED, /* after honest_accept, hostile_accept */
	WIRE_CONNECTED,
	WIRE_FAILED, /* the dial */
	WIRE_BYTES,
	WIRE_CLOSED,
};

/* ---- honest.c, hostile.c ------------------------------------------------ */

/* Comes to the network, with the addresses that it knows. */
void honest_start(struct host *h);
/* Also of a host that never started. */
void honest_free(struct host *h);
/* The time that host_arm was told has come. */
void honest_tick(struct host *h);
/* Somebody connects: the connection's id, 0 when it is refused. */
uint64_t honest_accept(struct host *h, const struct maddr *from);
/* at: with WIRE_CONNECTED; in: with WIRE_BYTES. */
void honest_wire(struct host *h, enum wire_happening what, uint64_t conn,
	const struct maddr *at, struct bytes in);
/* Publishes its next line. */
void honest_say(struct host *h);

/* The same for a hostile host, which hunts whom its family wants. */
void hostile_start(struct host *h);
/* Also of a host that never started. */
void hostile_free(struct host *h);
/* The time that host_arm was told has come. */
void hostile_tick(struct host *h);
/* Somebody connects: the connection's id, 0 when it is refused. */
uint64_t hostile_accept(struct host *h, const struct maddr *from);
/* at: with WIRE_CONNECTED; in: with WIRE_BYTES. */
void hostile_wire(struct host *h, enum wire_happening what, uint64_t conn,
	const struct maddr *at, struct bytes in);
/* Places in honest meshes, as far as the hostile host was told. */
unsigned hostile_places(const struct host *h);
unsigned hostile_links(const struct host *h);

/* ---- line.c ------------------------------------------------------------- */

/* A new line of the host; the unit is appended to `out`. */
void line_say(struct host *h, struct buf *out, struct unit_id *id);
/* The line that these bytes are, or NULL: not one of ours. */
struct line *line_find(const struct world *w, struct bytes unit);
void line_arrived(struct host *h, struct bytes unit);
void lines_free(struct world *w);

struct line_figures {
	size_t lines;
	uint64_t owed, arrived;
	uint64_t p50_us, p99_us, max_us;
	size_t at_once, at_once_max; /* bytes, of host 0's: median, largest */
	uint64_t bytes;              /* of all hosts on all wires, a line */
};
/* Of the lines said from that time on. */
void line_figures(struct world *w, uint64_t from_us, struct line_figures *f);

#endif
