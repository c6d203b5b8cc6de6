/*
 * LAN discovery by Avahi in a thread of its own, because Avahi's calls block
 * when its daemon hangs. The daemon is used by avahi-client
 * where it runs, else Avahi's core in process. Everything found is a hint:
 * peers are believed only after Noise.
 *
 *   net thread -- discovery_advertise, _refresh --> discovery thread
 *              <-- struct lan_msg in the mailbox `out` --
 */
#ifndef NET_LOOP_DISCOVERY_H
#define NET_LOOP_DISCOVERY_H

#include "base/log.h"
#include "base/mailbox.h"
#include "msg/chat_msg.h"
#include "net/discover/mdns.h"
#include "net/wire/maddr.h"

struct discovery;

#define DISCOVERY_ADDRESSES_MAX 128

/* What to publish: addresses with /p2p/ID, the best first, the interface of
 * each (0: of none that is known), and the port for the SRV record. */
struct advert {
	size_t count;
	uint16_t port;
	unsigned interface[DISCOVERY_ADDRESSES_MAX];
	struct maddr addrs[DISCOVERY_ADDRESSES_MAX];
};

enum lan_msg_kind {
	LAN_MSG_PEER,   /* addr: seen now, with /p2p/ID behind it */
	LAN_MSG_STATUS, /* state, text: for the checklist */
};

struct lan_msg {
	struct msg msg; /* kind: enum lan_msg_kind */
	struct maddr addr;
	unsigned interface; /* where it was heard; 0: not known */
	enum chat_status_state state;
	char text[96];
};

static inline struct lan_msg *lan_msg_of(struct msg *m)
{
	return P2P_CONTAINER_OF(m, struct lan_msg, msg);
}

struct discovery_cfg {
	struct mailbox *out; /* bounded; what does not fit is dropped: a hint
				comes again */
	struct log *log;     /* may be NULL */
	struct mdns_services services;
};

/* Starts the thread. Never NULL: what fails is told by LAN_MSG_STATUS and
 * tried again. */
struct discovery *discovery_new(const struct discovery_cfg *cfg);
/*
 * What to publish from now on; the advert is taken over, to be freed with
 * free(). Where not all fit one TXT record, each interface tells its own first.
 * Never blocks.
 */
void discovery_advertise(struct discovery *d, struct advert *a);
/* The network changed or the machine woke: publish anew, at most once in ten
 * seconds. Never blocks. */
void discovery_refresh(struct discovery *d);
/*
 * To be called each second or two: a thread that hangs in Avahi cannot tell
 * it itself, so the caller posts that status for it. Never blocks.
 */
void discovery_watch(struct discovery *d);
/*
 * Withdraws and ends. Waits at most a second: a thread that hangs in Avahi is
 * left behind, which only the end of the process may do.
 */
void discovery_free(struct discovery *d);

#endif
