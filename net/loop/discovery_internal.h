/*
 * What the files of the discovery thread share. Nobody else includes it. All
 * of it belongs to that thread, but for what is marked as the net thread's or
 * atomic.
 *
 * discovery.c        the thread, its two ways to Avahi, the status
 * discovery_lan.c    what is published, looked up and found
 * avahi_poll.c       Avahi's event loop
 * avahi_daemon.c     the way by avahi-daemon
 * avahi_core.c       the way by Avahi's core in process
 *
 * A way never frees itself: it sets its state to WAY_FAILED, and the loop
 * drops it when no callback of Avahi's is running. Everything that comes by a
 * way is bytes, read by net/discover.
 */
#ifndef NET_LOOP_DISCOVERY_INTERNAL_H
#define NET_LOOP_DISCOVERY_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/rng.h"
#include "base/table.h"
#include "net/discover/mdns.h"
#include "net/loop/avahi_poll.h"
#include "net/loop/discovery.h"

/* Of our own records, in seconds: a peer that dies is forgotten after it. */
#define LAN_TTL_S 120
/* A daemon allows 1,024 objects a client and a core as much memory as there
 * is; anybody on the LAN can invent names. */
#define LAN_NAMES_MAX 512
#define LAN_OPEN_MAX 64
#define LAN_SEEN_MAX 1024
#define LAN_INTERFACES_MAX 8
/* Addresses in A and AAAA records. */
#define LAN_HOST_ADDRESSES_MAX 4
#define LAN_RECORDS_MAX (3 * MDNS_SERVICES_TOLD_MAX + LAN_HOST_ADDRESSES_MAX)
/* avahi-daemon's entries-per-entry-group-max, as it comes. */
_Static_assert(LAN_RECORDS_MAX < 32, "a daemon takes them all");
/* Interfaces that tell each its own addresses first, the best of them. */
#define LAN_PUBLISH_INTERFACES_MAX 64

/* ---- ways to Avahi ------------------------------------------------------ */

enum way_state {
	WAY_WAITING, /* nobody there yet */
	WAY_READY,   /* can publish and look up */
	WAY_FAILED,  /* to be dropped */
};

struct lan_record {
	const char *name;
	uint16_t type;      /* enum mdns_type */
	bool unique;        /* ours alone: probed, and flushes caches */
	bool shared;        /* several of that name and type are ours */
	unsigned interface; /* told there alone; 0: everywhere */
	struct bytes data;
};

struct lookup;

struct way {
	const struct way_ops *ops;
	struct discovery *d;
	enum way_state state;
};

struct way_ops {
	/* Reports by lan_found and lan_all_for_now from later callbacks. NULL
	 * when it cannot; the way may have failed with that. */
	void *(*browse)(struct way *w, const char *name, uint16_t type,
		struct lookup *lk);
	void (*unbrowse)(struct way *w, void *browser);
	/* Publishes these, those of one interface in a row, instead of those
	 * before; how that ends comes by lan_published. P2P_ERR_DENIED,
	 * P2P_ERR_IO. */
	int (*publish)(struct way *w, const struct lan_record *r, size_t n);
	/* Asks for a sign of life: blocks when there is none. May be NULL. */
	void (*beat)(struct way *w);
	void (*free)(struct way *w);
};

/* NULL when there is no system bus or no daemon can be spoken to now. */
struct way *avahi_daemon_new(struct discovery *d);
/* NULL when there is no such library or no socket. */
struct way *avahi_core_new(struct discovery *d);
/* Whether the program was built with it. */
bool avahi_core_is_there(void);

/* ---- the thread --------------------------------------------------------- */

enum publish_state {
	PUBLISH_NOTHING,
	PUBLISH_PROBING,
	PUBLISH_DONE,
	PUBLISH_DENIED,
};

enum lookup_state {
	LOOKUP_WAITING, /* to be opened at due_ms */
	LOOKUP_OPEN,
	LOOKUP_FINISHED, /* open, all was told: to be closed */
	LOOKUP_DONE,     /* since due_ms */
};

/* A name under which peers are looked for. */
struct lan_service {
	const struct mdns_service *is; /* of d->cfg */
	struct lookup *lookup;         /* of PTR records; owned */
	/* Ours under that name, while we are told there. */
	char own_name[MDNS_INSTANCE_CHARS + 1 + MDNS_SERVICE_TEXT_MAX];
};

/* A name whose records are looked up; the services' PTR records too. */
struct lookup {
	struct discovery *d;
	struct lan_service *service; /* NULL: of TXT records */
	void *browser;
	enum lookup_state state;
	bool refused; /* net's mailbox was full: look again */
	uint64_t due_ms;
	char name[]; /* for TXT lookups */
};

struct discovery {
	struct discovery_cfg cfg;
	int wake[2]; /* pipe: somebody wants something */
	int done[2]; /* pipe: closed by the thread at its end */
	pthread_t thread;
	bool started;
	/* From the net thread. */
	_Atomic(struct advert *) next_advert;
	atomic_bool refresh;
	atomic_bool stop;
	atomic_bool repeat_status;
	/* For the net thread: since when the thread works on something, 0
	 * while it sleeps. */
	_Atomic uint64_t busy_since_ms;
	uint64_t told_busy_ms; /* net's own */

	struct avahi_poll *poll;
	struct rng rng;
	uint64_t now_ms;
	struct way *daemon;
	struct way *core;
	struct way *active; /* one of the two, or NULL */
	uint64_t daemon_due_ms;
	uint64_t core_due_ms;
	uint64_t beat_due_ms;
	bool hung; /* the last turn was held up in a call */

	struct advert *advert; /* owned, or NULL */
	enum publish_state published;
	uint64_t publish_due_ms; /* P2P_NEVER: nothing to do */
	uint64_t publish_last_ms;
	unsigned interfaces[LAN_INTERFACES_MAX]; /* where it was heard */
	size_t interface_count;

	struct lan_service services[MDNS_SERVICES_MAX];
	size_t service_count;
	struct table names; /* name -> struct lookup */
	size_t open_count;
	struct table seen; /* address with id -> when told */

	enum chat_status_state told_state;
	char told_text[96];
	enum chat_status_state next_state;
	char next_text[96];
	uint64_t next_since_ms;
};

/* ---- discovery_lan.c ---------------------------------------------------- */

/* An empty message to net, and its posting: false when the mailbox is full. */
struct lan_msg *lan_msg_new(enum lan_msg_kind kind);
bool lan_post(struct discovery *d, struct lan_msg *lm);

void lan_init(struct discovery *d);
void lan_clear(struct discovery *d);
/* The active way is another or none: everything is published and looked up
 * anew. Before the old way is freed, lan_detach. */
void lan_attach(struct discovery *d);
void lan_detach(struct discovery *d);
/* Does what is due. */
void lan_step(struct discovery *d);
/* When something is due, or P2P_NEVER. */
uint64_t lan_deadline(const struct discovery *d);
/* Publish soon, but not within gap_ms of the last time. */
void lan_publish_within(struct discovery *d, uint64_t gap_ms);

/* From the ways: a record of the name being looked up came or went. */
void lan_found(struct lookup *lk, int interface, bool gone, struct bytes data);
void lan_all_for_now(struct lookup *lk);
enum lan_outcome {
	LAN_ESTABLISHED,
	LAN_COLLISION,
	LAN_FAILED,
};
void lan_published(struct discovery *d, enum lan_outcome outcome);

#endif
