/*
 * A Noise partner made by hand from the core, so that it can lie: wrong
 * payloads, muxer lists that no honest one sends, frames of any content. For
 * tests of net/upgrade only. Any step that the core refuses ends the program.
 */
#ifndef TESTS_LIB_NOISE_FORGER_H
#define TESTS_LIB_NOISE_FORGER_H

#include "net/upgrade/noise.h"
#include "net/upgrade/noise_core.h"

#define FORGER_MESSAGE_BYTES_MAX 8192

struct forger {
	struct noise_core core;
	struct noise_cipher send, receive; /* after the third message */
	uint8_t wire[2 + FORGER_MESSAGE_BYTES_MAX];
	size_t len; /* of the frame in wire */
};

/* Always the same keys. */
void forger_init(struct forger *f, bool initiator);
/* The next handshake message as a frame in f->wire. */
void forger_write(struct forger *f, struct bytes payload);
/* Takes the partner's next handshake frame off the start of `in`; returns
 * the bytes it took. */
size_t forger_read(struct forger *f, struct bytes in);
/* An honest payload: key, signature and, if not NULL, a list of muxers. */
void forger_payload(const struct forger *f, const struct identity *me,
	const char *const *muxers, struct buf *out);
/* A transport frame in f->wire. */
void forger_seal(struct forger *f, struct bytes plain);

#endif
