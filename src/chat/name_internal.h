/*
 * What a name may be, and one for who has none. A claimed name passes
 * name_clean, so that it can neither begin with what the program draws in front
 * of names nor look as if it had a tag or were cut; what is not let through
 * becomes U+FFFD, which is seen and marks the name. Pure.
 */
#ifndef CHAT_NAME_INTERNAL_H
#define CHAT_NAME_INTERNAL_H

#include "base/buf.h"
#include "base/rng.h"
#include "base/text_skeleton.h"
#include "msg/msg_limits.h"

/*
 * text_clean's TEXT_NAME with the marks of the screen replaced: '~' and "..."
 * as one character anywhere, and at the start all that is drawn before names
 * (? ! - * + > < @ . [ # : = | /), each with what looks like it. A fixed point,
 * as text_clean's result is; its errors.
 */
int name_clean(struct bytes claimed, struct buf *out);

/*
 * Whether a name needs a look at the key, whoever bears it: something in it was
 * replaced or would be, it mixes scripts, or it reads like a word of the screen
 * ("you", "system"). `looks` are those of the name. No name is not odd.
 */
bool name_is_odd(const char *name, const struct text_looks *looks);

/* For who has none: two random words, "amber-otter". */
void name_propose(struct rng *rng, char name[static MSG_NAME_MAX]);

#endif
