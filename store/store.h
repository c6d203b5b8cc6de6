/*
 * What a profile remembers: rooms, messages, people, addresses, settings, in
 * one SQLite database. Only the chat thread uses it.
 *
 * Durability: write verbs open a transaction by themselves; nothing is kept
 * until store_commit has returned 0, and then it survives kill -9 and loss of
 * power (WAL, synchronous=FULL). Closing, or a crash, rolls back to the last
 * commit.
 *
 * One process: the profile's lock is taken first (store_lock_take), then the
 * database, whose locking mode is exclusive. No fork while it is open.
 *
 * Errors of every verb: P2P_ERR_IO, P2P_ERR_NO_SPACE (disk full),
 * P2P_ERR_CORRUPT, P2P_ERR_BUSY, P2P_ERR_DENIED (read-only as well),
 * P2P_ERR_TOO_BIG; store_error() has the words. store_commit also
 * P2P_ERR_MOVED: the file is no longer where it was, so that a later start
 * would not find what is written to it; all is well again when it is put back.
 * After an error in a write verb or in store_commit the transaction is to be
 * rolled back (store_rollback) and its work done again.
 *
 * Times are milliseconds since 1970 as the caller's clock says; the store
 * never asks for one.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"
#include "base/log.h"
#include "base/text_skeleton.h"
#include "store/store_limits.h"

struct store;

/* ---- the profile's lock ------------------------------------------------ */

struct store_lock;

/*
 * Takes the lock file at `path` (made when missing, mode 0600) with a lock of
 * the open file description, which ends with the process however that ends,
 * and writes our pid into it. P2P_ERR_BUSY: another process has it; *holder
 * is its pid, or 0 when it cannot be read. P2P_ERR_DENIED, P2P_ERR_IO.
 */
int store_lock_take(
	struct store_lock **out, const char *path, long *holder) P2P_MUST_CHECK;
/* Gives it back; the file stays, empty. NULL is allowed. */
void store_lock_free(struct store_lock *lock);

/* ---- opening ----------------------------------------------------------- */

/*
 * Opens or makes the database and brings it to this version's form.
 *   path  a file in a folder that exists
 *   log   borrowed for the store's life, may be NULL
 * P2P_ERR_TOO_NEW: a newer program wrote it, nothing was changed.
 * P2P_ERR_CORRUPT: it is no database, or one so damaged that its structure
 * cannot be believed (nothing was changed; store_salvage is the way on); less
 * is mended and told by store_damage. P2P_ERR_BUSY: another
 * process has it open. P2P_ERR_DENIED: no right to write. P2P_ERR_IO.
 */
int store_open(
	struct store **out, const char *path, struct log *log) P2P_MUST_CHECK;
/*
 * The same without a file, for tests and the simulator. `image` is empty or
 * what store_save_image gave.
 */
int store_open_memory(
	struct store **out, struct bytes image, struct log *log) P2P_MUST_CHECK;
/* A memory store's last committed state, appended; what is not committed is
 * rolled back, as a crash would. */
int store_save_image(struct store *s, struct buf *image) P2P_MUST_CHECK;
/* Rolls back what is not committed. NULL is allowed. */
void store_close(struct store *s);

/* Why the last verb failed, in SQLite's words. Valid until the next call. */
const char *store_error(const struct store *s);

/* Nothing happens when no transaction is open. */
int store_commit(struct store *s) P2P_MUST_CHECK;
/* 0 while the file is in its place, P2P_ERR_MOVED when not. A memory store has
 * none and is well. */
int store_look_at_place(struct store *s) P2P_MUST_CHECK;
/* Whether there is a file that could be moved. */
bool store_has_file(const struct store *s);
void store_rollback(struct store *s);

/* ---- damage (decisions 0022, 0029) ------------------------------------- */

/*
 * After P2P_ERR_CORRUPT: puts a new database in the place of the damaged one,
 * with every row in it that can be read and has its seal, and moves the old
 * one aside under a name with the date of wall_ms. Then store_open opens the
 * new one, and store_damage says what was saved. P2P_ERR_CORRUPT: it is
 * another program's, or of an older form. On any error the old file is as it
 * was: P2P_ERR_NO_SPACE, P2P_ERR_DENIED, P2P_ERR_IO.
 */
int store_salvage(
	const char *path, uint64_t wall_ms, struct log *log) P2P_MUST_CHECK;
/* The person knows; part of the transaction. */
int store_salvage_said(struct store *s) P2P_MUST_CHECK;

/*
 * What was found damaged since the database was opened. Every row is written
 * with a seal over all of it and read with it; a damaged one is never believed.
 */
struct store_damage {
	uint64_t lines;     /* kept once, and no longer found */
	uint64_t moved;     /* rooms with as many lines, but others */
	uint64_t people;    /* forgotten: name, marks, everything */
	uint64_t rooms;     /* forgotten; see store_lost_rooms */
	uint64_t settings;  /* forgotten */
	uint64_t addresses; /* and records, forgotten */
	uint64_t shares;    /* of the quota: counted anew, cuts forgotten */
	bool indexes;       /* built anew; nothing is lost by that */
	bool uncounted;     /* the count of lines: losses may go unnoticed */
	/* It is a new one, made of what could be read of one that was damaged
	 * beyond mending; the name of the old file, else "". */
	char aside[STORE_ASIDE_MAX];
	uint64_t saved_lines;
	uint64_t saved_people;
	uint64_t saved_rooms;
};

/* Valid for the store's life; it grows while lines are counted. */
const struct store_damage *store_damage(const struct store *s);
/*
 * Counts at most max lines more, in the order of pages; *done when all are.
 * What opening left is counted so, a little at a time; the new sums are part
 * of the transaction.
 */
int store_count_lines(struct store *s, size_t max, bool *done) P2P_MUST_CHECK;
/* Rooms that have lines and no row any more, at most STORE_ROOMS_MAX; caller
 * frees. A room is put back by store_put_room_again. */
int store_lost_rooms(
	struct store *s, int64_t **rooms, size_t *count) P2P_MUST_CHECK;

/*
 * What a room had by the file beside the database (decision 0029) and has no
 * more: the database is as it was before some commits.
 */
struct store_lost {
	char topic[STORE_TOPIC_MAX];
	bool joined;
	bool some;      /* lines are missing */
	uint64_t lines; /* how many at least */
	uint64_t seq;   /* of the own line said last; its unit_id */
	uint8_t prev[STORE_ID_BYTES];
};

/* Found when it was opened. Valid for the store's life. */
const struct store_lost *store_lost(const struct store *s, size_t *count);
/* The person knows: what is there now is what is believed from here on. */
void store_lost_said(struct store *s);

/* ---- rooms ------------------------------------------------------------- */

/* A line's place: order on screen and in sync is (time_ms, id). */
struct store_key {
	uint64_t time_ms;
	uint8_t id[STORE_ID_BYTES];
};

struct store_room {
	int64_t id; /* 0: not stored yet */
	char topic[STORE_TOPIC_MAX];
	bool joined;
	int position;          /* order in the list */
	int dialect;           /* the caller's number */
	struct store_key read; /* read up to there */
	uint32_t unread;
	uint32_t mentions;
	uint64_t seq; /* of the own line said last here; 0: none */
	uint8_t prev[STORE_ID_BYTES]; /* its unit_id */
	uint64_t clock_ms;            /* the room's hybrid clock */
};

/* Inserts (id 0, which is then set) or updates all but the topic. */
int store_put_room(struct store *s, struct store_room *room) P2P_MUST_CHECK;
/* Inserts with the id that it had. */
int store_put_room_again(
	struct store *s, const struct store_room *room) P2P_MUST_CHECK;
/* All rooms in order of position, but damaged ones; the array is the caller's
 * to free. */
int store_load_rooms(struct store *s, struct store_room **rooms,
	size_t *count) P2P_MUST_CHECK;

/* ---- people ------------------------------------------------------------ */

/* Who is who to the quotas (decision 0018). */
enum store_class {
	STORE_STRANGER,
	STORE_REGULAR,
	STORE_FRIEND,
};

struct store_person {
	int64_t id;                /* 0: not stored yet */
	char peer[STORE_PEER_MAX]; /* peer id as text */
	char name[STORE_NAME_MAX]; /* claimed last; may be empty */
	struct text_looks looks;   /* of the name */
	uint64_t named_ms;         /* since when the name looks so */
	uint64_t first_seen_ms;
	uint64_t last_seen_ms;
	bool ignored;
	bool verified; /* the key was compared by the user */
	/* What we have to do with the key; changed by store_set_class alone. */
	enum store_class class;
	uint32_t days;     /* local days on which it spoke */
	int64_t day;       /* the last of them, as a number */
	int64_t since_day; /* a regular: since when, and for which room */
	int64_t since_room;
};

/* Inserts (id 0, which is then set) or updates all but peer and first_seen;
 * an insert of a known peer updates it and sets its id. P2P_ERR_CORRUPT: the
 * row is damaged, and stays so. */
int store_put_person(
	struct store *s, struct store_person *person) P2P_MUST_CHECK;
/* Forgets somebody of whom no line is kept; person->id is 0 then. */
int store_drop_person(
	struct store *s, struct store_person *person) P2P_MUST_CHECK;
/* P2P_ERR_NOT_FOUND when the peer is not known. */
int store_find_person(struct store *s, const char *peer,
	struct store_person *person) P2P_MUST_CHECK;
/*
 * Who comes first among those whose name has that look (not empty): the
 * verified, then who has it longest, then who was stored first. Cost does not
 * depend on how many have it. P2P_ERR_NOT_FOUND.
 */
int store_first_of_look(struct store *s, const char *look,
	struct store_person *person) P2P_MUST_CHECK;
/* At most max, the ignored first, then the lately seen; caller frees. */
int store_load_people(struct store *s, size_t max, struct store_person **people,
	size_t *count) P2P_MUST_CHECK;

/* ---- addresses --------------------------------------------------------- */

struct store_address {
	char peer[STORE_PEER_MAX];
	char addr[STORE_ADDR_MAX]; /* multiaddr as text */
	uint64_t last_ok_ms;
};

/* Remembers it or renews its time; the oldest over the caps are forgotten. */
int store_put_address(
	struct store *s, const struct store_address *address) P2P_MUST_CHECK;
/* At most max, the newest first; caller frees. */
int store_load_addresses(struct store *s, size_t max,
	struct store_address **addresses, size_t *count) P2P_MUST_CHECK;

/* What a peer signed of its own addresses, an envelope as it came. */
struct store_record {
	char peer[STORE_PEER_MAX];
	uint64_t seen_ms;
	size_t len;
	uint8_t record[STORE_RECORD_BYTES_MAX];
};

/* The newest of the peer; the oldest over the cap are forgotten. */
int store_put_record(
	struct store *s, const struct store_record *record) P2P_MUST_CHECK;
/* At most max, the newest first; caller frees. */
int store_load_records(struct store *s, size_t max,
	struct store_record **records, size_t *count) P2P_MUST_CHECK;
/* Addresses that last worked, and records that came, before these times. */
int store_forget_stale(struct store *s, uint64_t addresses_before_ms,
	uint64_t records_before_ms) P2P_MUST_CHECK;

/* ---- settings ---------------------------------------------------------- */

/* Writes or overwrites; at most STORE_SETTING_BYTES_MAX. */
int store_set(
	struct store *s, const char *key, struct bytes value) P2P_MUST_CHECK;
/* The same for a number. */
int store_set_u64(
	struct store *s, const char *key, uint64_t value) P2P_MUST_CHECK;
/* Appends the value; P2P_ERR_NOT_FOUND with nothing appended. */
int store_get(
	struct store *s, const char *key, struct buf *value) P2P_MUST_CHECK;
/* `value` is left alone when not found (P2P_ERR_NOT_FOUND). */
int store_get_u64(
	struct store *s, const char *key, uint64_t *value) P2P_MUST_CHECK;

/* ---- messages ---------------------------------------------------------- */

enum store_state {
	STORE_STATE_NONE,    /* not ours */
	STORE_STATE_WAITING, /* ours, nobody has it yet */
	STORE_STATE_HANDED,  /* ours, a peer has taken it */
};

/*
 * One line. Its key is a function of the unit's bytes, so (room, key) can
 * hold it once only, whoever hands it over again. A `local` line (no time in
 * its bytes) is keyed by its arrival; for those alone a second index keeps
 * the id unique in the room.
 */
struct store_message {
	int64_t row; /* order of arrival, set by the store */
	int64_t room;
	struct store_key key;
	int64_t author; /* store_person.id */
	enum store_state state;
	bool local;
	bool mention;      /* of the own name, when it came */
	bool damaged;      /* not as it was written: nothing in it is true */
	struct bytes unit; /* exactly as signed */
};

/*
 * Inserts unless it is there; *is_new says which. m->row is set when new. For
 * own lines, and where there is no quota; others' go through store_keep.
 */
int store_insert(
	struct store *s, struct store_message *m, bool *is_new) P2P_MUST_CHECK;
/* ---- quotas (store_quota.c, decision 0018) ----------------------------- */

/*
 * Shares in bytes, each line charged with STORE_LINE_COST_BYTES beside its
 * unit. strangers_hour 0: there is no quota. The secret orders strangers in a
 * saturated hour; it is the profile's and never changes.
 */
struct store_quota {
	uint64_t strangers;      /* in all rooms */
	uint64_t strangers_room; /* in one room */
	uint64_t strangers_hour; /* in one hour of a room */
	uint64_t regulars_room;  /* of all regulars in one room */
	uint64_t friend_room;    /* of one friend in one room */
	uint64_t secret[2];
};

/* From now on; what is there already is looked at with the next line of its
 * hour or share. */
void store_set_quota(struct store *s, const struct store_quota *quota);

enum store_kept {
	STORE_KEPT,
	STORE_KEPT_ALREADY, /* it was there */
	STORE_NOT_KEPT,     /* over its share: so are all that it is told of */
};

struct store_outcome {
	enum store_kept kept;
	bool saturated; /* the line's hour has become so just now */
};

/* Keeps another's line as far as its author's share goes; what has to go for
 * it goes. m->author is author->id. */
int store_keep(struct store *s, struct store_message *m,
	const struct store_person *author,
	struct store_outcome *out) P2P_MUST_CHECK;
/* The person's lines move to the other share; person->class is set. Lines of
 * somebody who is a stranger again pass through the slots. */
int store_set_class(struct store *s, struct store_person *person,
	enum store_class class) P2P_MUST_CHECK;

/* What is asked before somebody becomes a regular. */
struct store_regulars {
	uint64_t count;             /* in all */
	uint64_t new_here;          /* since that day, in that room */
	char least[STORE_PEER_MAX]; /* who spoke on the fewest days */
	uint32_t least_days;
};

/* day, room: those of new_here. */
int store_regulars(struct store *s, int64_t day, int64_t room,
	struct store_regulars *r) P2P_MUST_CHECK;
/* Strangers with a row; those of whom no line is kept are forgotten, the
 * longest unseen first, until `keep` are left. Not while chat knows any. */
int store_count_strangers(struct store *s, uint64_t *count) P2P_MUST_CHECK;
int store_forget_strangers(struct store *s, uint64_t keep) P2P_MUST_CHECK;

struct store_space {
	uint64_t used_bytes; /* by the database, with its log at its largest */
	uint64_t free_bytes; /* of the file system, for us */
};

/* free_bytes is UINT64_MAX where nobody knows. */
int store_look_at_space(
	struct store *s, struct store_space *space) P2P_MUST_CHECK;

/* P2P_ERR_NOT_FOUND when there is no such line, or it is damaged. */
int store_set_state(struct store *s, int64_t room, const struct store_key *key,
	enum store_state state) P2P_MUST_CHECK;

/* Messages read from the store; the units are owned by this. */
struct store_rows {
	struct store_message *items;
	size_t count;
	bool more; /* there are further rows behind the last */
};

void store_rows_clear(struct store_rows *rows);

/* Before everything; after everything. */
extern const struct store_key store_key_first;
extern const struct store_key store_key_last;
int store_key_compare(const struct store_key *a, const struct store_key *b);

/* Newest first: the lines before `before`; those of ignored people are left
 * out. max <= STORE_ROWS_MAX. Cost does not depend on the room's size. */
int store_page(struct store *s, int64_t room, const struct store_key *before,
	size_t max, struct store_rows *rows) P2P_MUST_CHECK;
/* Oldest first: the lines after `after`, the ignored left out. */
int store_page_after(struct store *s, int64_t room,
	const struct store_key *after, size_t max,
	struct store_rows *rows) P2P_MUST_CHECK;
/* Oldest first: own lines after `after` that still wait. */
int store_waiting(struct store *s, int64_t room, const struct store_key *after,
	size_t max, struct store_rows *rows) P2P_MUST_CHECK;
/* In order of arrival: what came after row `after` in any room. */
int store_arrivals(struct store *s, int64_t after, size_t max,
	struct store_rows *rows) P2P_MUST_CHECK;

struct store_counts {
	uint32_t unread;
	uint32_t mentions;
};

/*
 * Others' lines after `after` and not later than until_ms, the ignored left
 * out; each count stops at STORE_COUNT_MAX.
 */
int store_count_after(struct store *s, int64_t room,
	const struct store_key *after, uint64_t until_ms,
	struct store_counts *counts) P2P_MUST_CHECK;
/* Own lines that wait, in all rooms. */
int store_count_waiting(struct store *s, uint64_t *count) P2P_MUST_CHECK;
/* The row number that arrived last, 0 when empty; none is used twice. */
int store_last_row(struct store *s, int64_t *row) P2P_MUST_CHECK;
/* Bytes of the database, without its write-ahead log. */
int store_size_bytes(struct store *s, uint64_t *bytes) P2P_MUST_CHECK;
/* SQLite's version, for /version. Static text. */
const char *store_library_version(void);

#endif
