/*
 * Every maximum of the thread that touches the network, and its times; those of
 * what it carries are in the headers of that. What one turn takes in is limited
 * so that nobody waits long for another's turn (docs/internals/limits.md).
 */
#ifndef NET_LOOP_LOOP_LIMITS_H
#define NET_LOOP_LOOP_LIMITS_H

#define LOOP_READ_BYTES 65536
/* Read in one turn of the loop of those together who send more than is read,
 * and of each of them at least. */
#define LOOP_TURN_BYTES 65536
#define LOOP_READ_BYTES_MIN 4096
/* Per listener. Accepting is cheap beside what it leads to: a carrier is young
 * until it has brought what a handshake takes, and handshakes cost the most
 * per byte, so that only some of the young are read in one turn. */
#define LOOP_ACCEPTS_A_TURN 4
#define LOOP_YOUNG_BYTES 1024
#define LOOP_YOUNG_READS_A_TURN 4
/* Of the descriptors that the system allows so many are never a connection's;
 * that others are turned away for it is logged so often at most. */
#define LOOP_FILES_LEFT 8
#define LOOP_FILES_SAY_MS 60000
/* Copied for a write that the kernel did not take at once. */
#define LOOP_WRITE_CHUNK_BYTES 16384
#define LOOP_BACKLOG 128
/* Above all others, of which NODE_BUDGET_BYTES is the first to refuse. */
#define LOOP_BUDGET_BYTES (128u << 20)
#define LOOP_DNS_RESULTS_MAX 16 /* addresses of a name */
/* The next address of a name is tried beside those before (RFC 8305). */
#define LOOP_TRY_MS 250
/* Names that are asked for at once, among them those for which nobody waits any
 * more; how long a dial waits, of its SWARM_DIAL_MS; and for how long an answer
 * that came later is of use. */
#define LOOP_NAMES_MAX 32
#define LOOP_NAME_MS 4000
#define LOOP_NAME_KEPT_MS 600000
/* Addresses come and go in bursts: told when they have settled. */
#define LOOP_SETTLE_MS 300
/* A jump of the clock that runs during suspend against the one that does
 * not: the machine slept. */
#define LOOP_SLEEP_MS 5000
#define LOOP_LAN_QUEUE 256
#define LOOP_NOTE_MAX 48
#define LOOP_WATCH_MS 2000
/* From so much on, held at once, it is worth giving back. */
#define LOOP_TRIM_BYTES (1u << 20)
/* mDNS answers read in a row, and addresses believed in a second: anybody on
 * the LAN can send as many as he likes. */
#define LOOP_EAR_BURST 16
#define LOOP_EAR_ADDRESSES 128
#define LOOP_EAR_BYTES 9000
/* A dead peer whose muxer has no ping is noticed by the kernel. */
#define LOOP_TCP_USER_TIMEOUT_MS 12000
#define LOOP_TCP_KEEPALIVE_S 5

/* Threads that check signatures: one for each core, so many at most. */
#define LOOP_VERIFIERS_MAX 4
/* So often the loop checks a single one itself. */
#define LOOP_CHECK_PAUSE_MS 20

#endif
