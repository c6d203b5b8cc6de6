/*
 * The only I/O of the network: one libuv loop in the net thread that turns
 * readiness into events of struct node and its actions into calls
 * (docs/decisions/0001-libuv.md). Sockets are bound before the thread starts,
 * so whoever starts the program learns of a busy port at once.
 */
#ifndef NET_LOOP_LOOP_H
#define NET_LOOP_LOOP_H

#include "base/log.h"
#include "base/mailbox.h"
#include "net/discover/mdns.h"
#include "net/node/node.h"

struct loop;

#define LOOP_LISTEN_MAX 16
#define LOOP_ERROR_TEXT_MAX 256

struct loop_cfg {
	struct node_cfg node;
	struct log *log;      /* may be NULL; outlives the loop */
	struct mailbox *chat; /* where chat hears of the network */
	/* What to listen on; none: every interface, IPv4 and IPv6, at `port`
	 * when that is free (0: any), else at another. */
	const struct maddr *listen;
	size_t listen_count;
	uint16_t port;
	bool discover;                 /* LAN discovery by mDNS */
	struct mdns_services services; /* none: those of mdns_services_init */
};

/*
 * Binds the sockets. On failure (a given address cannot be listened on) NULL
 * and a text for people in error: "what: why".
 */
struct loop *loop_new(
	const struct loop_cfg *cfg, char error[static LOOP_ERROR_TEXT_MAX]);
/* Runs the loop in a thread of its own; 0 or P2P_ERR_IO. */
int loop_start(struct loop *l) P2P_MUST_CHECK;
/* Waits for the thread, which ends after NET_MSG_QUIT, and frees all. Without
 * a thread (never started) it only frees. */
void loop_free(struct loop *l);

/* Where chat posts struct net_msg. */
struct mailbox *loop_inbox(struct loop *l);
/* The port listened on by default; 0 when addresses were given. */
uint16_t loop_port(const struct loop *l);
/* Chat's mailbox has room again: the `drained` hook, from chat's thread. */
void loop_chat_drained(void *loop);
/* libuv's version, for --version. Static text. */
const char *loop_library_version(void);

#endif
