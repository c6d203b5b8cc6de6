/*
 * A channel (net/upgrade/channel.h) that is a muxer and nothing else: no keys,
 * no negotiation, the other side is whom the test names. A program that has it
 * among its sources has it in the place of upgrader_new, so that a swarm of its
 * own speaks a muxer's plaintext from the first byte on: for fuzz targets above
 * net/upgrade, where the handshake would take most of the time.
 */
#ifndef TESTS_LIB_BARE_CHANNEL_H
#define TESTS_LIB_BARE_CHANNEL_H

#include "net/identity/key.h"
#include "net/upgrade/muxer.h"

/* Of channels made from now on. Borrowed. */
extern const struct identity *bare_channel_other;
extern enum muxer_kind bare_channel_kind;

#endif
