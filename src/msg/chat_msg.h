/*
 * What the chat thread hears: from the person (by way of the ui) and from the
 * network. Two structs, told apart by kind: below CHAT_MSG_FROM_NET it is a
 * struct chat_ui_msg, from there on a struct chat_net_msg.
 */
#ifndef MSG_CHAT_MSG_H
#define MSG_CHAT_MSG_H

#include "base/bytes.h"
#include "base/mailbox.h"
#include "msg/msg_limits.h"

enum chat_msg_kind {
	/* ---- from the ui: struct chat_ui_msg ---- */
	CHAT_MSG_LINE,   /* room, text: what was typed; "/..." is a command,
			    "//..." says "/...". room NULL: the current one */
	CHAT_MSG_FOCUS,  /* room: is looked at now (remembered, marked read) */
	CHAT_MSG_PAGE,   /* room, time_ms, id, count: send the `count` lines
			    before (time_ms, id), or the newest when time_ms is
			    UINT64_MAX (without those dated far ahead of the
			    room, which a notice counts): UI_MSG_LINE of origin
			    UI_LINE_PAGE in rising order, then
			    UI_MSG_PAGE_END */
	CHAT_MSG_READ,   /* room, time_ms, id: read up to that line */
	CHAT_MSG_RELOAD, /* after UI_MSG_RELOAD: say everything again */
	CHAT_MSG_QUIT,   /* the person leaves: finish, then UI_MSG_QUIT */

	/* ---- from the net: struct chat_net_msg ---- */
	CHAT_MSG_FROM_NET = 100,
	CHAT_MSG_NET_READY = CHAT_MSG_FROM_NET,
	/* peer: own id; text: listen addresses, one a line */
	CHAT_MSG_STATUS, /* item, state, text: one line of the checklist */
	CHAT_MSG_PEER,   /* peer, state (1 connected, 0 gone), text: address,
			    how, outbound, relayed, agent, muxer, protocols
			    (names, one a line), number: another with each
			    connection that it has made since it came. Once a
			    peer, and again with state 1 when identify has
			    been answered once more */
	CHAT_MSG_RTT,    /* peer, number: round trip in us */
	CHAT_MSG_TOPIC,  /* peer, text: topic, state: 1 subscribed, 0 not */
	CHAT_MSG_UNIT,   /* data: a verified unit */
	CHAT_MSG_UNREADABLE, /* text: topic, number: messages that are no text
				came of late, peer: who passed on the last */
	CHAT_MSG_HANDED,     /* id; number: peers that have taken it */
	CHAT_MSG_ADDRESS, /* peer, text: an address we reached it at: save it */
	CHAT_MSG_RECORD,  /* peer, data: its newest signed record: save it */
	CHAT_MSG_WHOIS,   /* peer, data: struct peer_address for each of its
			     addresses, key, scored, score, kept; or peer "",
			     data: one for each peer that is known and not
			     connected; number: these in all */
	CHAT_MSG_DIAL_FAILED, /* text: the address as asked; agent: why */
	CHAT_MSG_UNREACHED,   /* number: programs that the LAN shows and that
				 could not be reached */
	CHAT_MSG_FOLLOWED,    /* peer: answers now at text, which a person typed
				 without a key; agent: whose key did before */
	CHAT_MSG_COPY,        /* text: where another program has our own key */
	CHAT_MSG_STATS,       /* data: uint64_t[NET_FIGURE_COUNT] */
	/* Of NET_MSG_PIPE_*; pipe, peer. The peer is one that was told of.
	 * text: the protocol, of those that the peer has opened. */
	CHAT_MSG_PIPE_UP,    /* state: 1 the peer opened it */
	CHAT_MSG_PIPE_FRAME, /* data; answer with NET_MSG_PIPE_TOOK */
	CHAT_MSG_PIPE_ROOM,  /* number: bytes of frames that are on their way */
	CHAT_MSG_PIPE_END,   /* the peer says no more */
	CHAT_MSG_PIPE_GONE,  /* state: 0 both have closed it, else an enum
				p2p_err. The number is no more */
	CHAT_MSG_NET_ROOM,   /* the queue to net has room again */
};

/* Lines of the live start-up checklist. */
enum chat_status_item {
	CHAT_STATUS_LISTEN,    /* "listening" */
	CHAT_STATUS_DISCOVERY, /* "LAN discovery" */
	CHAT_STATUS_PEOPLE,    /* "people" (made by chat itself) */
	CHAT_STATUS_HISTORY,   /* what is not fetched (made by chat itself) */
	CHAT_STATUS_COUNT,
};

enum chat_status_state {
	CHAT_STATE_BUSY,   /* [..] */
	CHAT_STATE_OK,     /* [ok] */
	CHAT_STATE_FAILED, /* [!!] the text says what to do */
	CHAT_STATE_NONE,   /* [--] not needed, not there */
};

struct chat_ui_msg {
	struct msg msg;
	char *room; /* owned topic, or NULL */
	char *text; /* owned, or NULL */
	uint64_t time_ms;
	uint8_t id[MSG_UNIT_ID_BYTES];
	uint32_t count;
};

struct chat_net_msg {
	struct msg msg;
	char peer[MSG_PEER_MAX];
	int state;
	enum chat_status_item item;
	bool outbound;
	bool relayed;
	uint64_t number;
	uint64_t pipe;
	uint8_t id[MSG_UNIT_ID_BYTES];
	char *text;        /* owned, or NULL */
	char *agent;       /* owned, or NULL; already cleaned */
	char *protocols;   /* owned, or NULL; already cleaned */
	const char *muxer; /* static, or NULL */
	const char *how;   /* static: who named the address, or NULL */
	const char *key;   /* static: the kind of its key, NULL: not known */
	bool kept;         /* NET_MSG_KEEP */
	bool scored;       /* score: of the connected peer */
	double score;
	uint8_t *data; /* owned, or NULL */
	size_t data_len;
};

/* room and text are copied and may be NULL. */
struct chat_ui_msg *chat_ui_msg_new(
	enum chat_msg_kind kind, const char *room, const char *text);
/* text and data are copied and may be NULL/empty. The other strings are set
 * by the caller (heap), who then calls chat_net_msg_charge. */
struct chat_net_msg *chat_net_msg_new(
	enum chat_msg_kind kind, const char *text, struct bytes data);
/* Counts the owned strings into msg.bytes. */
void chat_net_msg_charge(struct chat_net_msg *m);

static inline struct chat_ui_msg *chat_ui_msg_of(struct msg *m)
{
	return P2P_CONTAINER_OF(m, struct chat_ui_msg, msg);
}

static inline struct chat_net_msg *chat_net_msg_of(struct msg *m)
{
	return P2P_CONTAINER_OF(m, struct chat_net_msg, msg);
}

#endif
