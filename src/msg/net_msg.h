/*
 * What the chat thread tells the net thread. One struct for all kinds: the
 * comment at each kind names the members that are set; the others are zero.
 */
#ifndef MSG_NET_MSG_H
#define MSG_NET_MSG_H

#include "base/bytes.h"
#include "base/mailbox.h"
#include "msg/msg_limits.h"

enum net_msg_kind {
	NET_MSG_JOIN,       /* text: topic to subscribe to */
	NET_MSG_LEAVE,      /* text: topic */
	NET_MSG_PUBLISH,    /* text: topic; id; data: the signed unit. Answered
			       by CHAT_MSG_HANDED, once or not at all: whoever
			       is there now gets it, nothing is kept here */
	NET_MSG_CONNECT,    /* text: a multiaddr or IP:PORT. Answered by
			       CHAT_MSG_PEER or CHAT_MSG_DIAL_FAILED */
	NET_MSG_DISCONNECT, /* peer */
	NET_MSG_KNOWN_PEER, /* peer; text: an address that worked before
			       (saved): redialled with back-off for as long as
			       it runs */
	NET_MSG_KEEP,       /* text: a multiaddr that ends in /p2p/ID, or an id
			       alone: stay connected to that peer, and hold it
			       for one of ours (gossip_set_direct) */
	NET_MSG_WORTH,      /* peer, worth: what we think of a connected peer,
			       until it goes */
	NET_MSG_KNOWN_AUTHOR, /* peer, worth: 1 we know the key, 0 we do not
				 (any more): strangers' rates are not its */
	NET_MSG_STATS,        /* answered by CHAT_MSG_STATS */
	NET_MSG_KNOWN_RECORD, /* data: a peer's signed record (saved) */
	NET_MSG_WHOIS,        /* peer: what is known of its addresses; "": of
				 all that are known and not connected. Answered
				 by CHAT_MSG_WHOIS */
	/* Streams whose protocol chat speaks (net/serve/pipe.h). pipe: a number
	 * that chat chooses, from MSG_PIPE_OURS on, never twice, or one that
	 * CHAT_MSG_PIPE_UP has named. Unknown numbers are ignored. */
	NET_MSG_PIPE_OPEN,  /* pipe, peer, text: the protocol. Answered by
			       CHAT_MSG_PIPE_UP or _GONE */
	NET_MSG_PIPE_FRAME, /* pipe, data. Of what is sent at most
			       MSG_PIPE_OUT_BYTES may wait for _ROOM */
	NET_MSG_PIPE_TOOK,  /* pipe, count: the bytes of one frame that chat has
			       heard and is done with */
	NET_MSG_PIPE_CLOSE, /* pipe: we say no more */
	NET_MSG_PIPE_RESET, /* pipe: and hear no more; nothing follows */
	NET_MSG_QUIT,       /* say goodbye to everybody and stop */
};

struct net_msg {
	struct msg msg; /* kind: enum net_msg_kind */
	char peer[MSG_PEER_MAX];
	char *text; /* owned */
	int worth;  /* for gossip_peer_app */
	uint64_t pipe;
	size_t count;
	uint8_t id[MSG_UNIT_ID_BYTES];
	uint8_t *data; /* owned */
	size_t data_len;
};

/* text and data are copied and may be NULL/empty; charged by their size. */
struct net_msg *net_msg_new(
	enum net_msg_kind kind, const char *text, struct bytes data);

static inline struct net_msg *net_msg_of(struct msg *m)
{
	return P2P_CONTAINER_OF(m, struct net_msg, msg);
}

#endif
