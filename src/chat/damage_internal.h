/*
 * What the disk did to the profile (decision 0022): said to the person once,
 * and made good where it can be.
 */
#ifndef CHAT_DAMAGE_INTERNAL_H
#define CHAT_DAMAGE_INTERNAL_H

#include "base/compiler.h"

#include <stdint.h>

struct chat;

/* Rooms whose row is gone, from what was signed in them. */
int damage_find_rooms(struct chat *c) P2P_MUST_CHECK;
/* Rooms and own numbers of a database that is as it was before. */
int damage_put_back(struct chat *c) P2P_MUST_CHECK;
/* All that was found so far and not said. */
void damage_say(struct chat *c);
/* After the turn in which it was said. */
void damage_told(struct chat *c);
/* Counts a few lines more, as long as not all are; says what is missing. */
void damage_tick(struct chat *c);
uint64_t damage_deadline(const struct chat *c);

#endif
