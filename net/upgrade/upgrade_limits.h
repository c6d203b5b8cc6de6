/*
 * Every cap of the upgrade folder in one place, with the reason for its
 * value. What depends on the size of the machine (streams from the other
 * side, bytes in all) comes with struct muxer_cfg and its budget instead.
 *
 * "Per second" caps are buckets: so many at once, then so many a second.
 */
#ifndef NET_UPGRADE_UPGRADE_LIMITS_H
#define NET_UPGRADE_UPGRADE_LIMITS_H

/* ---- both muxers ---- */

/* Streams of ours open at once; js-libp2p accepts 1,000. */
#define MUX_STREAMS_OUT_MAX 1000
/* Charged for a stream as such: its struct, table entries, their malloc. */
#define MUX_STREAM_COST_BYTES 512
/* Answers (pongs, resets) that may wait for room in `out`; when there is no
 * place for one more, muxer_feed takes nothing until there is. */
#define MUX_ANSWERS_MAX 64
/* The longest answer: a yamux header, or an mplex reset with a 60-bit id. */
#define MUX_ANSWER_BYTES_MAX 16
/* Part of `out` that data leaves to answers, credit and closes (a quarter of
 * `out` where that is less). */
#define MUX_RESERVE_BYTES 4096
/* An emptied receive buffer keeps its memory up to this size. */
#define MUX_RECV_KEEP_BYTES 4096
/* The largest payload of a frame that we send. With its yamux header it fills
 * one Noise message of 65,519 bytes. */
#define MUX_PAYLOAD_BYTES_MAX 65507

/* Streams that the other side opens over its limits: each costs us a reset. */
#define MUX_REFUSALS_BURST 256
#define MUX_REFUSALS_PER_S 32
/* Resets by the other side, and what else without payload comes for streams
 * that are gone. js ends some replies with a reset, so they are
 * ordinary; opening and resetting without end is an attack. */
#define MUX_RESETS_BURST 2048
#define MUX_RESETS_PER_S 256

/* Frames of data that would be shorter wait for more room. */
#define MUX_SPLIT_BYTES_MIN 1024
/* The first memory of a receive buffer: most requests are shorter. */
#define MUX_RECV_FIRST_BYTES 512
/* A bucket that nobody asked for an hour is empty at any rate we use. */
#define MUX_BUCKET_MEMORY_MS 3600000

/* ---- yamux ---- */

/* Fixed by the specification, both directions, before any window update. */
#define YAMUX_WINDOW_BYTES 262144
/* What our windows may grow to, as in go and js. Also the longest payload
 * that can be under way to a stream that we have forgotten. */
#define YAMUX_WINDOW_BYTES_MAX 16777216
/* Credit is given back when this part of a window was used. What is less is
 * held back, and over a long line the other side waits for it a round trip:
 * with halves a third of the window lies idle. */
#define YAMUX_CREDIT_PARTS 4
/* A window of which half is used up within so many round trips was too small.
 */
#define YAMUX_GROW_ROUND_TRIPS 4
/* Credit that we accept for one stream. rust tunes its windows up to 1 GiB a
 * connection; ignoring a part of what it gives would stall the stream for
 * ever, so more than that is an error instead of being cut off. */
#define YAMUX_CREDIT_BYTES_MAX 1073741824
/* Streams of ours that the other side has not acknowledged yet. */
#define YAMUX_UNACKED_MAX 256
/* Pings that we answer. go and js send one every 30 s. */
#define YAMUX_PINGS_BURST 64
#define YAMUX_PINGS_PER_S 8
/* Answers to pings that we did not send, and GoAways after the first. */
#define YAMUX_STRAYS_BURST 16
#define YAMUX_STRAYS_PER_S 1
/* Ours. Who leaves the asking to the other side does it itself when its
 * question is late by this part of the interval. */
#define YAMUX_PING_LATE_PART 16
#define YAMUX_PING_INTERVAL_MS_MIN 100
/* Round trips change: measured so often at least; the least of so many counts.
 */
#define YAMUX_PING_RARELY_MS 120000
#define YAMUX_ROUND_TRIPS 3

/* ---- mplex ---- */

#define MPLEX_UVARINT_BYTES_MAX 9
/* Debug name of a stream: its id in decimal, as go has it. */
#define MPLEX_NAME_BYTES_MAX 20
/* The longest payload of a frame: more ends the connection. */
#define MPLEX_FRAME_BYTES_MAX 1048576
/* Unread bytes of a stream and of all streams of a connection; more resets
 * the stream, since mplex has no way to slow its writer down. */
#define MPLEX_UNREAD_BYTES_MAX 1048576
#define MPLEX_UNREAD_CONN_BYTES_MAX 4194304
/* js-libp2p 3 gives up the connection at the sixth new stream within one of
 * its seconds. So many opens fall into any window of this length at most; it
 * is longer than a second because the network squeezes sends together. */
#define MPLEX_OPENS_MAX 4
#define MPLEX_OPEN_WINDOW_MS 1250

/* ---- multistream ---- */

#define MULTISTREAM_FRAME_BYTES_MAX 1024
#define MULTISTREAM_NAME_BYTES_MAX 256
#define MULTISTREAM_REFUSALS_MAX 64 /* names a listener answers with na */

/* ---- Noise and the upgrader ---- */

/* A handshake message that is accepted: an RSA key of 8,192 bits, its
 * signature and a long list of muxers fit. */
#define NOISE_HANDSHAKE_BYTES_MAX 8192
/* Room in the out queue that each of our own handshake frames needs. */
#define NOISE_HANDSHAKE_OUT_BYTES 512
/* Opened and not yet read: one frame can be opened while less than one more
 * waits, so a part of a frame of multistream never blocks the next frame. */
#define NOISE_PLAIN_QUEUE_BYTES_MAX 131038
/* A frame is not cut to less plaintext than this while the out queue still
 * has bytes to send. */
#define NOISE_SEAL_BYTES_MIN 4096
/* What the muxer wrote and is not sealed yet: two whole Noise frames. Writers
 * that it held go on below a quarter of it; a write cut short with more than
 * half of it full is taken for one that this queue held, not the other side's
 * credit. */
#define UPGRADER_INNER_BYTES_MAX 131072
/* What both queues may hold without a charge; the rest of their maximum is
 * charged when it is needed and given back when they are empty. A budget that
 * refuses makes the connection slower, no more. */
#define UPGRADER_QUEUE_BYTES_FREE 16384
/* The least out queue: header, proposal and first message, or all that a
 * listener of multistream can be asked to answer. */
#define UPGRADER_OUT_BYTES_MIN 4096

#endif
