/*
 * Inside the store: the connection and its prepared statements. Each
 * statement has a number; its text stands in store_sql.c, so that a test can
 * walk all of them and look at their plans.
 */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include <sqlite3.h>
#include <time.h>

#include "store/store.h"

/* The form of the database that this program writes. */
#define STORE_VERSION 5

enum store_stmt {
	STMT_BEGIN,
	STMT_COMMIT,
	STMT_ROLLBACK,
	STMT_ROOM_INSERT,
	STMT_ROOM_UPDATE,
	STMT_ROOM_LOAD,
	STMT_PERSON_INSERT,
	STMT_PERSON_UPDATE,
	STMT_PERSON_FIND,
	STMT_PERSON_LOAD,
	STMT_PERSON_FIRST_SMALL,
	STMT_PERSON_FIRST_DRAWN,
	STMT_PERSON_LOOK,
	STMT_ADDRESS_PUT,
	STMT_ADDRESS_TRIM_PEER,
	STMT_ADDRESS_TRIM,
	STMT_ADDRESS_LOAD,
	STMT_ADDRESS_FORGET,
	STMT_RECORD_PUT,
	STMT_RECORD_TRIM,
	STMT_RECORD_LOAD,
	STMT_RECORD_FORGET,
	STMT_SETTING_PUT,
	STMT_SETTING_GET,
	STMT_MESSAGE_INSERT,
	STMT_MESSAGE_DELETE,
	STMT_MESSAGE_BY_ROW,
	STMT_MESSAGE_STATE,
	STMT_MESSAGE_PAGE,
	STMT_MESSAGE_AFTER,
	STMT_MESSAGE_WAITING,
	STMT_MESSAGE_ARRIVALS,
	STMT_MESSAGE_UNREAD,
	STMT_MESSAGE_COUNT_WAITING,
	STMT_MESSAGE_LAST_ROW,
	STMT_SUM_LOAD,
	STMT_SUM_PUT,
	STMT_PLACES,
	STMT_ROOMS_LOST,
	STMT_HOUR_GET,
	STMT_HOUR_PUT,
	STMT_HOUR_OLDEST,
	STMT_HOUR_OLDEST_OF_ALL,
	STMT_HOUR_LINES,
	STMT_HOUR_AUTHOR_LINES,
	STMT_HOURS_OF_AUTHOR,
	STMT_SLOT_GET,
	STMT_SLOT_PUT,
	STMT_SLOT_DELETE,
	STMT_SLOT_LAST,
	STMT_SHARE_GET,
	STMT_SHARE_PUT,
	STMT_SHARE_OLDEST,
	STMT_SHARE_OLDEST_OF_REGULARS,
	STMT_PERSON_CLASS,
	STMT_PERSON_COUNT,
	STMT_PERSON_NEW_REGULARS,
	STMT_PERSON_LEAST_REGULAR,
	STMT_PERSON_FORGET,
	STMT_PERSON_DROP,
	STMT_COUNT,
};

/* The text of each statement. */
extern const char *const store_sql[STMT_COUNT];

/* How many lines a room has, and the sum of the seals of their places: what is
 * no longer found is noticed. */
struct store_sum {
	int64_t room;
	int64_t lines;
	int64_t keys;
	int64_t saved_lines; /* at the last commit */
	int64_t saved_keys;
	int64_t found_lines; /* by the walk, so far */
	int64_t found_keys;
};

/* The number that no room has: there the commits are counted that changed a
 * sum. */
#define STORE_SUM_COMMITS 0

struct store_sums {
	struct store_sum *items;
	size_t count;
	size_t cap;
	int64_t commit; /* the last */
	bool changed;   /* since then */
	/* The walk through messages_key: behind which place it is. */
	bool walked;
	int64_t walk_room;
	struct store_key walk_key;
};

/* What strangers have in an hour of a room, and what the hour still takes
 * (decision 0018). */
struct store_hour {
	int64_t room;
	int64_t hour;
	int64_t bytes;
	bool saturated;
	bool shut; /* dropped as a whole: takes no stranger */
	bool has_cut;
	int64_t cut;
	bool changed; /* since it was written */
};

/* What an author or a class of them has in a room, and the last line that went
 * to make room. */
struct store_share {
	int64_t room;
	int64_t author;
	int64_t bytes;
	bool has_floor;
	struct store_key floor;
	bool changed;
};

/* Of hours and of shares, those that were asked for last. */
struct store_tallies {
	struct store_hour hours[STORE_TALLIES_MAX];
	struct store_share shares[STORE_TALLIES_MAX];
	size_t hour_count;
	size_t share_count;
	bool changed;
};

/* A room as the file beside the database knows it. */
struct store_shown_room {
	int64_t id;
	char topic[STORE_TOPIC_MAX];
	bool joined;
	uint64_t seq;
	uint8_t prev[STORE_ID_BYTES];
	bool changed; /* since its record was written */
	bool known;   /* had a record that says how many lines it has */
};

struct store_shown {
	int fd; /* -1: none */
	struct store_shown_room *rooms;
	size_t count;
	size_t cap;
	int64_t base; /* records of later commits tell what is missing */
	struct store_lost *lost;
	size_t lost_count;
	bool held;   /* not written to until what is lost was said */
	bool failed; /* it cannot be written, and the log says so */
};

struct store {
	sqlite3 *db;
	struct log *log;
	sqlite3_stmt *stmts[STMT_COUNT]; /* prepared at first use */
	bool memory;
	bool in_transaction;
	int64_t last_row; /* of a message, ever: none is used twice */
	struct store_quota quota;
	struct store_sums sums;
	struct store_tallies tallies;
	uint64_t dropped; /* lines, ever */
	struct store_shown shown;
	struct store_damage damage;
	bool whole;               /* the structure was looked at */
	bool open;                /* damage that is met now came meanwhile */
	bool version_wrong;       /* in the header, which is put right */
	struct store_space space; /* of a memory store: what a test says */
	char *path;               /* NULL: in memory */
	bool log_seen;            /* the write-ahead log, in its place */
	char error[200];
};

/* Whether the file is ours, or new and empty: P2P_ERR_TOO_NEW, _CORRUPT; and
 * its form. Writes nothing. */
int store_check(struct store *s, int *version) P2P_MUST_CHECK;
/* Brings the schema to STORE_VERSION inside one transaction. */
int store_migrate(struct store *s) P2P_MUST_CHECK;

/* After a commit: when the write-ahead log was taken away, what is in it is
 * written to the database, and a new one begun. */
void store_mend_log(struct store *s);

/* SQLite's result as ours; keeps the words for store_error. */
int store_fail(struct store *s, int rc);

/* A prepared statement, reset and without bound values; NULL when it cannot
 * be prepared (the words are kept). */
sqlite3_stmt *store_stmt(struct store *s, enum store_stmt which);
/* As store_stmt, after opening a transaction when none is open. */
sqlite3_stmt *store_write_stmt(struct store *s, enum store_stmt which);
/* Runs a statement that gives no row. 0 or an error; always resets it. */
int store_run(struct store *s, sqlite3_stmt *st) P2P_MUST_CHECK;
/* Steps: 1 a row, 0 the end, or an error. The caller resets. */
int store_step(struct store *s, sqlite3_stmt *st) P2P_MUST_CHECK;
/* The error that the last verb met (P2P_ERR_IO when there is none). */
int store_last_err(struct store *s);
/* Runs SQL without parameters. */
int store_exec(struct store *s, const char *sql) P2P_MUST_CHECK;
/* The first number that a statement answers, which is asked once; 0: none. */
int store_ask(struct store *s, const char *sql, int64_t *value) P2P_MUST_CHECK;

/* Fills in the looks of names that were stored without. */
int store_add_looks(struct store *s) P2P_MUST_CHECK;

/* A statement that may write, with numbers bound from the first parameter on;
 * and run. */
sqlite3_stmt *store_bound(struct store *s, enum store_stmt which,
	const int64_t *values, size_t count);
int store_run_with(struct store *s, enum store_stmt which,
	const int64_t *values, size_t count) P2P_MUST_CHECK;
#define STORE_NUMBERS(...) \
	(const int64_t[]){__VA_ARGS__}, \
		P2P_ARRAY_LEN(((const int64_t[]){__VA_ARGS__}))
#define STORE_BOUND(s, which, ...) \
	store_bound(s, which, STORE_NUMBERS(__VA_ARGS__))
#define STORE_RUN(s, which, ...) \
	store_run_with(s, which, STORE_NUMBERS(__VA_ARGS__))

/* ---- seals (store_seal.c) ---------------------------------------------- */

/* Makes the SQL functions: seal(values...), and its sum over rows,
 * seal_sum(values...). */
int store_seal_setup(struct store *s) P2P_MUST_CHECK;
/* What seal(row, room, time_ms, unit_id) gives of a line. */
int64_t store_seal_place(
	int64_t row, int64_t room, const struct store_key *key);

/* The seal of bytes that are no row. */
uint64_t store_seal_bytes(struct bytes in);

/* The values that each table's seal covers: all of its columns. */
#define SEAL_OF_ROOM \
	"seal(id, topic, joined, position, dialect, read_time_ms, read_id," \
	" unread, mentions, seq, prev, clock_ms)"
#define SEAL_OF_PERSON \
	"seal(id, peer, name, small, drawn, named_ms, first_seen_ms," \
	" last_seen_ms, ignored, verified, class, days, day, since_day," \
	" since_room)"
#define SEAL_OF_ADDRESS "seal(peer, addr, last_ok_ms)"
#define SEAL_OF_RECORD "seal(peer, record, seen_ms)"
#define SEAL_OF_SETTING "seal(key, value)"
#define SEAL_OF_MESSAGE \
	"seal(row, room, time_ms, unit_id, author, state, local, mention, " \
	"unit)"
#define SEAL_OF_PLACE "seal(row, room, time_ms, unit_id)"
#define SEAL_OF_HOUR "seal(room, hour, bytes, saturated, shut, cut)"
#define SEAL_OF_SLOT \
	"seal(room, hour, rank, author, lines, bytes, cut_ms, cut_id)"
#define SEAL_OF_SHARE "seal(room, author, bytes, floor_ms, floor_id)"
#define SEAL_OF_SUM "seal(room, lines, keys)"

/* ---- sums (store_sum.c) ------------------------------------------------ */

int store_sums_load(struct store *s) P2P_MUST_CHECK;
/* NULL: no line ever. */
const struct store_sum *store_sum_find(const struct store *s, int64_t room);
/* Since the last commit. */
bool store_sum_changed(const struct store_sum *sum);
/* A line came (1) or went (-1). */
void store_sums_add(struct store *s, const struct store_message *m, int count);
/* Writes what changed; before the commit. Then, or after a rollback: */
int store_sums_flush(struct store *s) P2P_MUST_CHECK;
void store_sums_saved(struct store *s);
void store_sums_undo(struct store *s);

/* Deletes a line and takes it out of the sums. */
int store_delete_line(struct store *s, int64_t row) P2P_MUST_CHECK;

/* ---- tallies (store_tally.c) ------------------------------------------- */

/* Copies of what an hour or a share holds; zeros when there is none. */
int store_hour_get(struct store *s, int64_t room, int64_t hour,
	struct store_hour *h) P2P_MUST_CHECK;
int store_share_get(struct store *s, int64_t room, int64_t author,
	struct store_share *share) P2P_MUST_CHECK;
/* Notes it, inside a transaction; bytes below 0 are 0. */
int store_hour_put(struct store *s, const struct store_hour *h) P2P_MUST_CHECK;
int store_share_put(
	struct store *s, const struct store_share *share) P2P_MUST_CHECK;
/* Writes what changed: before the commit, and before a statement that looks
 * for an hour by what it holds. */
int store_tallies_flush(struct store *s) P2P_MUST_CHECK;
/* After a rollback. */
void store_tallies_forget(struct store *s);

/* ---- what was shown (store_shown.c) ------------------------------------ */

/* Compares the file beside the database with the sums, which are loaded. */
int store_shown_open(struct store *s) P2P_MUST_CHECK;
void store_shown_close(struct store *s);
/* A room as it will be committed (store_tables.c). */
void store_shown_room(struct store *s, const struct store_room *room);
struct store_shown_room *store_shown_find(struct store *s, int64_t id);
/* After a commit, before store_sums_saved; after a rollback. */
void store_shown_saved(struct store *s);
void store_shown_undo(struct store *s);

/* ---- salvage (store_salvage.c) ----------------------------------------- */

/* Opens one without the file of what was shown. */
int store_open_bare(
	struct store **out, const char *path, struct log *log) P2P_MUST_CHECK;
/* What was saved, which chat tells, once; loads it into store_damage. */
int store_note_salvaged(struct store *s, const struct store_damage *saved,
	const char *aside) P2P_MUST_CHECK;
int store_salvage_load(struct store *s) P2P_MUST_CHECK;

/* ---- files around it (store_aside.c) ----------------------------------- */

/* Of a new one that is complete and not yet in its place. */
#define STORE_COMPLETE_SUFFIX "-salvaged"

/* The first free of FILE.damaged-DATE, FILE.damaged-DATE-2, ... NULL: none.
 * Caller frees. */
char *store_aside_name(const char *path, time_t when);
/* The old one goes to `aside`, the new one to its place. */
int store_put_in_place(const char *path, const char *complete,
	const char *aside) P2P_MUST_CHECK;
/* Ends what a crash has interrupted. */
int store_salvage_finish(const char *path) P2P_MUST_CHECK;
int store_sync_path(const char *path, int flags) P2P_MUST_CHECK;
int store_err_of_errno(void);

/* A file that says: at the next start the whole structure is looked at. */
void store_suspect(struct store *s);
bool store_is_suspect(const struct store *s);
void store_suspect_clear(const char *path);

/* ---- damage (store_mend.c) --------------------------------------------- */

/* The structure of the file, before anything in it is believed: a tree that
 * is wrong is built anew if it is an index. P2P_ERR_CORRUPT when the rest is
 * not whole. `all`: however large it is. */
int store_mend_structure(struct store *s, bool all) P2P_MUST_CHECK;
/* Seals of all small tables; what is damaged goes, and is counted. */
int store_mend_rows(struct store *s) P2P_MUST_CHECK;
/* Shares and sums, of what is there. */
int store_count_anew(struct store *s) P2P_MUST_CHECK;
/*
 * The form under a seal, so that a bit in the header's number does not make it
 * a newer program's, or an older one's. A program that knows a newer form
 * writes its number here as well.
 */
#define STORE_FORM_SETTING "form"
int store_seal_form(struct store *s) P2P_MUST_CHECK;
/* Seals everything, once, when the database comes from an older form. */
int store_seal_all(struct store *s) P2P_MUST_CHECK;
/* Notes the schema as it is now. */
int store_seal_schema(struct store *s) P2P_MUST_CHECK;
/* Whether it is as noted; P2P_ERR_CORRUPT. */
int store_mend_schema(struct store *s) P2P_MUST_CHECK;

/* Binding and reading of the few kinds that the tables have. */
void store_bind_bytes(sqlite3_stmt *st, int at, struct bytes value);
void store_bind_text(sqlite3_stmt *st, int at, const char *text);
/* Copies column `at` into out[size], cut and NUL-terminated. */
void store_column_text(sqlite3_stmt *st, int at, char *out, size_t size);
/* Copies exactly len bytes; zeros when the column has another length. */
void store_column_fixed(sqlite3_stmt *st, int at, uint8_t *out, size_t len);
/* A place in two columns from `at` on. False when they are NULL. */
bool store_column_key(sqlite3_stmt *st, int at, struct store_key *key);
void store_bind_key(sqlite3_stmt *st, int at, const struct store_key *key);

/* Times and counts are kept as SQLite's signed integers. */
static inline int64_t store_i64(uint64_t v)
{
	return v > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)v;
}

static inline uint64_t store_u64(int64_t v)
{
	return v < 0 ? 0 : (uint64_t)v;
}

#endif
