/*
 * A name for who has none.
 */
#ifndef CHAT_WORDS_INTERNAL_H
#define CHAT_WORDS_INTERNAL_H

#include "base/rng.h"
#include "msg/msg_limits.h"

/* Two random words, "amber-otter". */
void words_propose(struct rng *rng, char name[static MSG_NAME_MAX]);

#endif
