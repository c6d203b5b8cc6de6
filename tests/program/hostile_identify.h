/*
 * What a hostile peer says in identify (libp2p identify spec).
 */
#ifndef TESTS_PROGRAM_HOSTILE_IDENTIFY_H
#define TESTS_PROGRAM_HOSTILE_IDENTIFY_H

#include "base/buf.h"
#include "base/rng.h"
#include "net/identity/key.h"

/* 1,800 protocols and as many addresses in one message, without its length. */
void identify_huge(struct buf *b);
/* 1,800 protocols in messages that are each small enough, with lengths. */
void identify_chunks(struct buf *b);
/* What a terminal would obey, in every text that is shown. */
void identify_escapes(struct buf *b);
/* The member that holds a signed record: eight addresses of 127/8. */
void identify_record(const struct identity *me, struct rng *rng, struct buf *b);
/* Appends a message with its length in front. */
void identify_framed(struct buf *out, const struct buf *b);

#endif
