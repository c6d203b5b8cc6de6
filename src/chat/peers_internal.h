/*
 * What net says about itself, peers and topics, each with the message of that
 * name, and what net is told at the start.
 */
#ifndef CHAT_PEERS_INTERNAL_H
#define CHAT_PEERS_INTERNAL_H

#include "msg/chat_msg.h"

struct chat;

void peers_net_ready(struct chat *c, const struct chat_net_msg *m);
void peers_status(struct chat *c, const struct chat_net_msg *m);
void peers_peer(struct chat *c, const struct chat_net_msg *m);
void peers_rtt(struct chat *c, const struct chat_net_msg *m);
void peers_topic(struct chat *c, const struct chat_net_msg *m);
void peers_address(struct chat *c, const struct chat_net_msg *m);
void peers_record(struct chat *c, const struct chat_net_msg *m);
/* What came of dials: CHAT_MSG_DIAL_FAILED, _FOLLOWED, _UNREACHED. */
void peers_of_dials(struct chat *c, const struct chat_net_msg *m);
/* What net is told at the start. */
void peers_tell_net(struct chat *c);
void peers_set_status(struct chat *c, enum chat_status_item item,
	enum chat_status_state state, const char *text);
void peers_tell_status(struct chat *c, enum chat_status_item item);
/* UI_MSG_READY, when net is ready. */
void peers_tell_ready(struct chat *c);
/* The checklist's line about people. */
void peers_people_status(struct chat *c);

#endif
