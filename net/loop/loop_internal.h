/*
 * What the files of this folder share. Nobody else includes it.
 *
 * loop.c      the thread, the step, the timer, the mailboxes
 * carrier.c   TCP connections: reading, writing, closing
 * dialer.c    how they are made: the addresses of a name, side by side
 * resolver.c  names, asked for in threads that may be left behind
 * listen.c    listening sockets and own addresses
 * netif_os.c  when the interfaces change
 * own.c       the addresses of this machine, the best first
 * query.c     the one-shot mDNS query
 * ear.c       mDNS answers that Avahi does not take
 * answer.c    mDNS answers that Avahi does not give
 * verifier.c  threads that check signatures
 * discovery.c Avahi, in its own thread
 */
#ifndef NET_LOOP_LOOP_INTERNAL_H
#define NET_LOOP_LOOP_INTERNAL_H

#include <net/if.h>
#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "base/budget.h"
#include "base/list.h"
#include "base/table.h"
#include "net/loop/discovery.h"
#include "net/loop/loop.h"
#include "net/loop/loop_limits.h"

/* One of them. It touches `in`, where its batches wait, and posts to the
 * loop's `verified`; the rest is the net thread's. */
struct verifier {
	struct mailbox *in;  /* struct unit_batch */
	struct mailbox *out; /* the loop's, borrowed */
	pthread_t thread;
	bool started;
	unsigned busy; /* batches it has not given back */
};

/* A name that is being asked for (resolver.c). */
struct asking;

/* The addresses of a name, families by turns, without a port. */
struct name_answer {
	const char *why; /* NULL, or why there are none: static */
	size_t count;
	struct sockaddr_storage found[LOOP_DNS_RESULTS_MAX];
};

/* A dial under way: the tries of one address, or of a name's. */
struct dial {
	struct list of_loop;
	struct loop *loop;
	uint64_t conn; /* the node's id */
	struct maddr remote;
	uint16_t port;
	struct asking *asking; /* waited for, or NULL */
	struct name_answer to;
	size_t next;       /* of to.found */
	struct list tries; /* struct carrier */
	uint64_t due_ms;   /* of uv_now: the next try, or the end of waiting for
			      the name; NEVER */
};

/* One address of this machine. */
struct own_address {
	unsigned interface; /* its number; 0: not known */
	char name[IF_NAMESIZE];
	uint8_t ip[16];
	size_t ip_len;   /* 4 or 16 */
	unsigned prefix; /* bits of its network */
	bool internal;   /* loopback */
	unsigned rank;   /* own.c's; lower is better */
	size_t order;    /* among those of one rank */
};

struct carrier {
	struct loop *loop;
	uint64_t conn; /* the node's id; 0: not the node's any more */
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	struct dial *dial; /* it is a try of that; NULL: no longer */
	struct list of_dial;
	bool writing;
	bool reading;
	uint64_t read_turn; /* the last in which it was read */
	size_t brought;     /* bytes, as long as it is young */
	bool close_after_write;
	struct maddr remote;
	size_t chunk_len;
	uint8_t *chunk; /* being written */
};

/* Addresses listened at, the best first, and the interface of each; 0: of none
 * that is known. */
struct own_listen {
	struct maddr addrs[DISCOVERY_ADDRESSES_MAX];
	unsigned interface[DISCOVERY_ADDRESSES_MAX];
	size_t count;
};

struct loop {
	struct loop_cfg cfg;
	struct node *node;
	struct env env;
	struct rng rng;
	struct budget budget;
	struct mailbox *inbox;    /* struct net_msg */
	struct mailbox *lan;      /* struct lan_msg */
	struct mailbox *verified; /* struct unit_batch, checked */
	struct verifier verifiers[LOOP_VERIFIERS_MAX];
	unsigned verifier_count;
	uint64_t checked_ms; /* when a signature was checked here */
	struct discovery *discovery;
	struct table carriers; /* conn id -> struct carrier */
	uv_loop_t uv;
	uv_poll_t wake;
	int wake_fd;
	atomic_bool awake; /* wake_fd has been written to since it was read */
	uv_prepare_t prepare;
	uint64_t turn;  /* counts from 1 */
	size_t pouring; /* carriers that filled their share in the last turn */
	size_t poured;  /* the same, of this one */
	size_t young;   /* that were read in this one */
	uv_timer_t timer;
	uv_timer_t settle;
	struct list dials;   /* struct dial */
	struct list askings; /* of resolver.c */
	size_t asking_count;
	uv_timer_t tries; /* while a dial has something due */
	uv_timer_t watch; /* for sleep, and a discovery thread that hangs */
	uv_poll_t netif;
	int netif_fd;
	uv_poll_t ear;
	int ear_fd; /* -1: none */
	uint64_t ear_since_ms;
	size_t ear_told;   /* addresses since then */
	struct buf answer; /* the packet; empty: nothing to tell */
	bool answer_due;
	uint64_t answered_ms;
	atomic_bool chat_drained;
	bool in_actions;
	bool stopping;
	bool started;
	pthread_t thread;
	uv_tcp_t listeners[LOOP_LISTEN_MAX];
	size_t listener_count;
	int spare_fd; /* given up when libuv has none to accept with; -1: it was
		       */
	uint64_t files_say_ms; /* of uv_now: the limit of open files is not said
				  before */
	size_t accepts[LOOP_LISTEN_MAX]; /* in this turn */
	bool held[LOOP_LISTEN_MAX];      /* somebody waits for the next turn */
	uint16_t port;
	char listen_note[LOOP_NOTE_MAX]; /* "": none */
	struct own_address *own;         /* owned, the best first */
	size_t own_count;
	struct own_listen listens; /* where others can reach us */
	uint64_t interfaces_mark;  /* changes with interfaces and addresses */
	bool woke;                 /* the machine slept: told when settled */
	uint64_t last_boot_ms;
	uint64_t last_mono_ms;
	uint8_t read_buffer[LOOP_READ_BYTES];
};

/* ---- loop.c ------------------------------------------------------------ */

/* Gives the node an event and carries out what it wants. */
void loop_step(struct loop *l, struct node_event *ev);
/* Wakes the net thread, from any thread. arg: struct loop. */
void loop_wake(void *arg);

/* ---- verifier.c -------------------------------------------------------- */

/* Makes the mailboxes; how many batches may be out at once. */
unsigned verifiers_init(struct loop *l);
void verifiers_start(struct loop *l);
/* Joins the threads; batches that none has served stay in the mailboxes. */
void verifiers_stop(struct loop *l);
void verifiers_clear(struct loop *l);
/* Gives the batch, now the verifiers', to the least busy one. */
void verifiers_post(struct loop *l, struct unit_batch *batch);
/* Hands the node what has come back. */
void verifiers_serve(struct loop *l);

/* ---- carrier.c --------------------------------------------------------- */

struct carrier *carrier_new(struct loop *l);
/* It is connected, and the node's from here on: tells it so. */
void carrier_begin(struct carrier *c, uint64_t conn);
/* Closes it without a word to the node, which does not have it. */
void carrier_drop(struct carrier *c);
void carrier_accept(struct loop *l, uv_stream_t *listener);
void carrier_flush(struct loop *l, uint64_t conn);
void carrier_pause(struct loop *l, uint64_t conn, bool pause);
void carrier_close(struct loop *l, uint64_t conn);
/* Ends the oldest, as if the far side had: its descriptor is needed. */
void carrier_end_one(struct loop *l);
void carriers_close_all(struct loop *l);
/* libuv's close callback of a carrier's handle: frees the carrier. */
void carrier_handle_closed(uv_handle_t *h);

/* ---- dialer.c ---------------------------------------------------------- */

/* Ends in carrier_begin or NODE_EV_DIAL_FAILED. */
void dial_begin(struct loop *l, uint64_t conn, const struct maddr *addr);
/* Ends it without a word; unknown ones are ignored. */
void dial_cancel(struct loop *l, uint64_t conn);
void dials_cancel_all(struct loop *l);
/* Of a name that was asked for: its addresses are known, or why not. Whether
 * any dial waited for it. */
bool dials_answered(struct loop *l, const struct asking *asking,
	const struct name_answer *answer);

/* ---- resolver.c -------------------------------------------------------- */

/*
 * Asks for a name, with AF_UNSPEC or a family; the answer comes by
 * dials_answered in a later turn, however late. The same name is asked for once
 * at a time, and an answer that nobody waited for is given to who asks next.
 * NULL and *why (static) when it cannot be asked for.
 */
struct asking *resolver_ask(
	struct loop *l, const char *name, int family, const char **why);
/* Nobody waits for any any more: what cannot be cancelled is left behind. */
void resolver_stop(struct loop *l);

/* ---- listen.c ---------------------------------------------------------- */

/* Binds what cfg asks for; 0, or P2P_ERR_IO with a text. */
int listen_bind(
	struct loop *l, char error[static LOOP_ERROR_TEXT_MAX]) P2P_MUST_CHECK;
/* A turn begins: those whom the last one held up are accepted. */
void listen_turn(struct loop *l);
/* A descriptor that is there when there is none. */
void listen_keep_spare(struct loop *l);
/* Own addresses now; true when they differ from the last time. */
bool listen_addresses(struct loop *l);
/* Whether interfaces or their addresses differ from the last time. */
bool listen_interfaces_changed(struct loop *l);

/* ---- own.c ------------------------------------------------------------- */

/* All addresses of this machine that is up, the best first; *list is the
 * caller's to free, NULL when there is none. */
size_t own_read(struct own_address **list);
/* The interface in whose network an IP lies; 0: none. */
unsigned own_interface_to(
	const struct own_address *list, size_t count, struct bytes ip);
/* Whether an address lies in a network of that interface. */
bool own_is_on_link(const struct own_address *list, size_t count,
	unsigned interface, const struct maddr *addr);

/* ---- memory_os.c ------------------------------------------------------- */

/* Looks now and then whether most of what was held for others since the last
 * time is free; then it goes back to the system. all->most begins anew. */
void memory_watch(struct budget *all);

/* ---- netif_os.c -------------------------------------------------------- */

/* A descriptor that becomes readable when interfaces change, or -1. */
int netif_open(void);
/* Empties it. */
void netif_drain(int fd);

/* ---- query.c ----------------------------------------------------------- */

/* Asks for each name once on every interface; answers by multicast are heard by
 * Avahi's open browser or by the ear. */
void query_send(const struct mdns_services *services);
/* Sends a packet to the mDNS group on every interface with IPv4 but the
 * loopback's, from an ephemeral port. What fails is not told. */
void query_multicast(struct bytes packet);

/* ---- answer.c ------------------------------------------------------------ */

void answer_init(struct loop *l);
void answer_clear(struct loop *l);
/* What is answered from now on: these addresses, with /p2p/ID, under a fresh
 * random name. */
void answer_prepare(struct loop *l, const struct maddr *addrs, size_t count);
/* Somebody asked from another port than 5353: answers now, or by
 * answer_if_due when the last answer is less than a second old. */
void answer_asked(struct loop *l);
/* To be called every few seconds. */
void answer_if_due(struct loop *l);

/* ---- ear.c --------------------------------------------------------------- */

/*
 * Listens for what does not come from port 5353: rust-libp2p sends all of its
 * from another one, and Avahi drops such answers (RFC 6762 section 6). What
 * they tell becomes NODE_EV_LAN_PEER; questions are answered by answer.c.
 * Without a socket or an interface there is nothing to hear, which is no error.
 */
void ear_open(struct loop *l);
/* The interfaces have changed: listens on those that are new. */
void ear_join(struct loop *l);
/* After the loop has closed its handles. */
void ear_close(struct loop *l);

#endif
