/*
 * Lines of others.
 */
#ifndef CHAT_RECEIVE_INTERNAL_H
#define CHAT_RECEIVE_INTERNAL_H

#include "msg/chat_msg.h"

struct chat;

/* CHAT_MSG_UNIT: stored and shown, once, however often it comes. */
void receive_unit(struct chat *c, const struct chat_net_msg *m);
/* Somebody else proved our own key at that address (text of anybody). */
void receive_met_copy(struct chat *c, const char *address);

#endif
