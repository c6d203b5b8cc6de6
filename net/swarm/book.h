/*
 * The address book: where a peer may be, who says so and what came of it.
 * One entry a peer, kept inside the peer; the book holds them all together,
 * counts them and says whose place a newcomer may take.
 *
 * Certified addresses (libp2p RFC 0003, signed peer records in the envelopes
 * of RFC 0002; addressing spec, "peer records") stand above what a peer only
 * tells: a newer record takes the place of the older one and of all that was
 * told, a record that is not newer is refused. What the LAN, the store, the
 * person or our own dials say stays beside it, as a hint.
 *
 * Pure: no I/O, no clock. All times are ms of env->now_ms. Every address and
 * every record is charged to the book's budget before it is kept.
 */
#ifndef NET_SWARM_BOOK_H
#define NET_SWARM_BOOK_H

#include "base/budget.h"
#include "base/list.h"
#include "net/identity/peer_record.h"
#include "net/swarm/swarm_limits.h"
#include "net/wire/dialable.h"

/* Who names an address; one address may be named by several. */
enum book_source {
	BOOK_TOLD = 1,   /* by the peer, in identify, unsigned */
	BOOK_LAN = 2,    /* by a record of the LAN: anybody can shout */
	BOOK_SIGNED = 4, /* by a record that the peer signed */
	BOOK_SAVED = 8,  /* by the store: it worked in an earlier run */
	BOOK_TYPED = 16, /* by the person */
	/* With BOOK_LAN: it lies in a network of the interface where that was
	 * heard, so that it is the likeliest of all that the LAN names. */
	BOOK_ON_LINK = 32,
	/* With BOOK_TYPED: without an id, so that whoever answers is meant. */
	BOOK_ANYBODY = 64,
};

struct book_addr {
	struct maddr addr;  /* no /p2p behind */
	struct dialable at; /* what it is made of, from the book */
	unsigned sources;   /* of enum book_source; 0: our own dial alone */
	uint64_t seen_ms;   /* last named by a source */
	uint64_t ok_ms;     /* last dial that reached the peer; NEVER */
	unsigned failures;  /* dials in a row that did not */
	bool other_key;     /* the last dial met somebody else */
	uint64_t retry_ms;  /* its back-off: not dialled before */
	unsigned tried_in;  /* number of the attempt set, for dial.c */
};

/* How much a peer is worth keeping. A newcomer takes the place only of those
 * that are worth no more than itself. */
enum book_worth {
	BOOK_HINT,   /* named by others, never reached */
	BOOK_CALLED, /* it called us: a key that anybody can make */
	BOOK_PROVEN, /* reached by us, or saved because it was */
	BOOK_WANTED, /* typed by the person: never makes room */
};

/* Where the peer sits that names addresses of itself or of others. */
enum book_teller {
	BOOK_FROM_AFAR,
	BOOK_FROM_NEAR, /* the LAN, or the store */
	BOOK_FROM_HERE, /* this machine: its loopback is ours */
};

struct book_entry {
	struct list of_book; /* least recently seen first */
	struct book_addr *addrs[SWARM_ADDRESSES_PER_PEER_MAX]; /* owned */
	unsigned count;
	bool held;           /* connected or being dialled: never makes room */
	bool proven;         /* it has proven its key to us in this run */
	bool valued;         /* the user knows it well */
	uint64_t seen_ms;    /* last sign of it */
	struct buf record;   /* its newest envelope, empty: none */
	uint64_t record_seq; /* of the newest record, also of one not kept */
	uint64_t record_ms;  /* when it came; NEVER: there was none */
	enum book_teller record_from; /* the nearest who has shown it */
	bool outdated; /* the peer itself has shown an older one since:
			  its clock went back, its word counts again */
};

struct book {
	struct list entries; /* struct book_entry, least recently seen first */
	size_t count;
	struct budget budget;
	uint64_t evicted;       /* peers that made room */
	uint64_t records_stale; /* records refused as not newer */
};

/* parent is borrowed and outlives the book. */
void book_init(struct book *b, struct budget *parent);
/* Every entry was removed before. */
void book_clear(struct book *b);

/* Puts a new entry into the book. */
void book_add(struct book *b, struct book_entry *e, uint64_t now_ms);
/* Takes it out and frees what it owns. */
void book_remove(struct book *b, struct book_entry *e);
/* A sign of the peer: it is the last now to make room. */
void book_seen(struct book *b, struct book_entry *e, uint64_t now_ms);
/* The entry that makes room for a newcomer of that worth: of the least worth,
 * the one seen longest ago. NULL when all are held or worth more. */
struct book_entry *book_victim(const struct book *b, enum book_worth newcomer);
enum book_worth book_worth(const struct book_entry *e);

/*
 * Somebody names an address; sources: of enum book_source. When the entry is
 * full it takes the place of one of less use, or is refused with P2P_ERR_FULL.
 * What is merely told is refused with P2P_ERR_EXISTS while a record of the peer
 * is held. P2P_ERR_LIMIT: the budget refuses.
 */
int book_learn(struct book *b, struct book_entry *e, const struct maddr *addr,
	unsigned sources, uint64_t now_ms) P2P_MUST_CHECK;

/* A record whose signature was checked, and its envelope. */
struct book_record {
	const struct peer_record *record;
	struct bytes envelope;
	/* Whether an address of it may be used; NULL: every one may. */
	bool (*usable)(const struct maddr *addr, enum book_teller from);
	enum book_teller from; /* for `usable` */
};

/*
 * The record becomes the peer's newest. P2P_ERR_EXISTS when its seq is not
 * above the last one: nothing changes, unless it is the very same from somebody
 * nearer, who may name more of its addresses; P2P_ERR_LIMIT when the budget
 * refuses (some addresses may be missing then). An envelope over
 * SWARM_RECORD_BYTES_MAX is obeyed but not kept to be passed on.
 */
int book_certify(struct book *b, struct book_entry *e,
	const struct book_record *r, uint64_t now_ms) P2P_MUST_CHECK;

/* Goes on after P2P_ERR_LIMIT of book_certify, when others have made room. */
int book_complete(struct book *b, struct book_entry *e,
	const struct book_record *r, uint64_t now_ms) P2P_MUST_CHECK;

/* The address, or NULL. */
struct book_addr *book_find(
	const struct book_entry *e, const struct maddr *addr);
/* A dial to the address reached the peer; learnt when it is new. */
void book_worked(struct book *b, struct book_entry *e, const struct maddr *addr,
	uint64_t now_ms);
/* A dial failed: the address rests for pause_ms. */
void book_failed(struct book_entry *e, const struct maddr *addr,
	uint64_t now_ms, uint64_t pause_ms);
/* The address is not the peer's at all. */
void book_drop(struct book *b, struct book_entry *e, const struct maddr *addr);
/* All back-offs of the entry end. */
void book_rested(struct book_entry *e);
/* They are no longer than after so many failures, and end at until_ms. */
void book_hurry(struct book_entry *e, unsigned failures, uint64_t until_ms);
/* What is older than SWARM_STALE_* is forgotten, unless the entry is held. */
void book_age(struct book *b, struct book_entry *e, uint64_t now_ms);

/* "LAN", "signed", "told by itself", ...: the best word for its sources. */
const char *book_source_word(const struct book_addr *a);
/* All of them, "LAN, signed", cut to size. */
void book_source_words(const struct book_addr *a, char *out, size_t size);

#endif
