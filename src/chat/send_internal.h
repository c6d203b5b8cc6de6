/*
 * Own lines: said, offered while somebody is there, handed over.
 */
#ifndef CHAT_SEND_INTERNAL_H
#define CHAT_SEND_INTERNAL_H

#include "chat/payload.h"
#include "net/unit/unit.h"

struct chat;
struct chat_room;

/* A line is said in the room; errors are told to the ui. */
void send_line(struct chat *c, struct chat_room *r, struct bytes text);
/* Net has handed one over. */
void send_handed(struct chat *c, const uint8_t id[static UNIT_ID_BYTES]);
/* Somebody came, or net has room: waiting lines go out, in order. */
void send_offer_waiting(struct chat *c, struct chat_room *r);
/* Offers what is due; when the next is (env->now_ms, or P2P_NEVER). */
void send_tick(struct chat *c);
uint64_t send_deadline(const struct chat *c);
/* Says `join`, once a stay, where a Go program is present. */
void send_join(struct chat *c, struct chat_room *r);
/* Says `leave` where `join` was said: in a room, and in all. */
void send_leave(struct chat *c, struct chat_room *r);
void send_leave_all(struct chat *c);
/* Bits of this run in the numbers of our units; whether a number has them. */
void send_draw_mark(struct chat *c);
bool send_has_mark(const struct chat *c, const uint8_t seqno[static 8]);

#endif
