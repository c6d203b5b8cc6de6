/*
 * What the files of the hostile peer share: hostile.c connects and carries
 * frames, hostile_gossip.c, hostile_lines.c and hostile_muxer.c have the steps
 * of the attacks, hostile_table.c says which there are.
 */
#ifndef TESTS_PROGRAM_HOSTILE_H
#define TESTS_PROGRAM_HOSTILE_H

#include "base/env.h"
#include "net/upgrade/noise.h"
#include "net/upgrade/yamux.h"

#define OUT_BYTES (1u << 20)
#define FLIGHT_BYTES (128u << 10) /* made in advance */
#define WINDOW 262144u
#define RPC_BYTES (1u << 20)
#define LOBBY "p2p-chat-default"
#define MULTISTREAM "\x13/multistream/1.0.0\n"
#define MESHSUB "\x0f/meshsub/1.1.0\n"
#define FLOODSUB "\x10/floodsub/1.0.0\n"
#define IDENTIFY "\x0f/ipfs/id/1.0.0\n"
#define PUSH "\x14/ipfs/id/push/1.0.0\n"
#define PING "\x11/ipfs/ping/1.0.0\n"
#define PROFILE "\x17/p2pchat/profile/1.0.0\n"

struct foe;

struct attack {
	const char *name;
	/* Queues more; called whenever there is room. */
	void (*step)(struct foe *f);
	bool deaf;     /* never reads once it is ready */
	bool gossips;  /* opens a gossip stream and joins the lobby */
	bool floodsub; /* that stream is floodsub's */
	bool forged;   /* its units are */
	bool records;  /* identify has a signed record, then it leaves */
	uint8_t type;  /* of do_frames */
	uint16_t flags;
	bool clones; /* all of one key */
	bool spread; /* from SPREAD addresses; who gossips is every third */
	/* The identify that it gives: NULL is an ordinary one. */
	void (*identify)(struct buf *b);
};

struct foe {
	int fd; /* -1: not connected */
	bool connecting;
	bool ready;
	bool proposed; /* of multistream's answer all was skipped */
	size_t skipped;
	struct noise *noise;
	struct identity me;
	struct bufq out;   /* sealed */
	struct buf frames; /* yamux, not sealed yet */
	struct bufq main;  /* for the gossip stream, waits for credit */
	uint32_t main_id;  /* 0: none */
	uint64_t credit;
	struct buf in; /* a yamux frame in pieces */
	uint32_t next_stream;
	uint64_t count;
	uint64_t began_ms;
};

extern struct env env;
extern struct rng rng;
/* The one that runs. */
extern const struct attack *attack;
extern const struct attack attacks[];
extern const size_t attack_count;

/* ---- frames (hostile.c) ---- */

/* Room for another frame; for one more RPC, the last being under way. */
bool room(const struct foe *f);
bool idle(const struct foe *f);
void frame(struct foe *f, uint8_t type, uint16_t flags, uint32_t id,
	uint32_t length);
void data(struct foe *f, uint16_t flags, uint32_t id, struct bytes in);
/* Opens a stream and proposes a protocol on it. */
uint32_t propose(struct foe *f, const char *name);
/* An RPC on the gossip stream; frees the buffer. */
void rpc(struct foe *f, struct buf *b);
/* Joins a room, or leaves it. */
void subscribe(struct buf *b, const char *topic, bool in);

/* ---- steps ---- */

void do_subscriptions(struct foe *f);
void do_empties(struct foe *f);
void do_giant(struct foe *f);
void do_units(struct foe *f);
void do_ids(struct foe *f);
void do_grafts(struct foe *f);
void do_line(struct foe *f);
void do_prunes(struct foe *f);
void do_nothing(struct foe *f);
void do_hoard(struct foe *f);
void do_streams(struct foe *f);
void do_churn(struct foe *f);
void do_frames(struct foe *f);
void do_window(struct foe *f);
void do_overrun(struct foe *f);
void do_bad_frames(struct foe *f);
void do_identify_asks(struct foe *f);
void do_ping_streams(struct foe *f);
void do_junk_names(struct foe *f);
void do_profiles(struct foe *f);
/* Valid lines of 60 kB; a key for each line; for each connection a few keys,
 * changed all the time; all of one key; dated over a year; and a room that is
 * joined and left all the time. */
void do_large_lines(struct foe *f);
void do_key_a_line(struct foe *f);
void do_key_churn(struct foe *f);
void do_clones(struct foe *f);
void do_dated(struct foe *f);
void do_joins(struct foe *f);

#endif
