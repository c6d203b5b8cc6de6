/*
 * The form of the database and the steps from older forms to it. A step is
 * never changed once released: a new one is added.
 */
#include "store/store_internal.h"

/*
 * messages is a table with row numbers plus one index that holds the key, not
 * a table without them: units of some 400 bytes would make the inner pages of
 * the key's tree so fat that it grows deep. The row number is the order of
 * arrival. time_ms never exceeds a signed 64-bit number; topics are bytes.
 */
static const char step_1[] =
	"CREATE TABLE rooms ("
	" id INTEGER PRIMARY KEY,"
	" topic BLOB NOT NULL UNIQUE,"
	" joined INTEGER NOT NULL,"
	" position INTEGER NOT NULL,"
	" dialect INTEGER NOT NULL,"
	" read_time_ms INTEGER NOT NULL,"
	" read_id BLOB NOT NULL,"
	" unread INTEGER NOT NULL,"
	" mentions INTEGER NOT NULL,"
	" seq INTEGER NOT NULL,"
	" prev BLOB NOT NULL,"
	" clock_ms INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE people ("
	" id INTEGER PRIMARY KEY,"
	" peer TEXT NOT NULL UNIQUE,"
	" name TEXT NOT NULL,"
	" first_seen_ms INTEGER NOT NULL,"
	" last_seen_ms INTEGER NOT NULL,"
	" ignored INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX people_ignored ON people (id) WHERE ignored = 1;"
	"CREATE INDEX people_seen ON people (ignored, last_seen_ms);"
	"CREATE TABLE addresses ("
	" peer TEXT NOT NULL,"
	" addr TEXT NOT NULL,"
	" last_ok_ms INTEGER NOT NULL,"
	" PRIMARY KEY (peer, addr)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE settings ("
	" key TEXT PRIMARY KEY,"
	" value BLOB NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE messages ("
	" row INTEGER PRIMARY KEY,"
	" room INTEGER NOT NULL,"
	" time_ms INTEGER NOT NULL,"
	" unit_id BLOB NOT NULL,"
	" author INTEGER NOT NULL,"
	" state INTEGER NOT NULL,"
	" local INTEGER NOT NULL,"
	" mention INTEGER NOT NULL,"
	" unit BLOB NOT NULL"
	") STRICT;"
	"CREATE UNIQUE INDEX messages_key"
	" ON messages (room, time_ms, unit_id);"
	"CREATE UNIQUE INDEX messages_local"
	" ON messages (room, unit_id) WHERE local = 1;"
	"CREATE INDEX messages_waiting"
	" ON messages (room, time_ms, unit_id) WHERE state = 1;"
	"PRAGMA user_version = 1;";

/* What peers signed of their own addresses: the newest envelope of each. */
static const char step_2[] = "CREATE TABLE records ("
			     " peer TEXT PRIMARY KEY,"
			     " record BLOB NOT NULL,"
			     " seen_ms INTEGER NOT NULL"
			     ") STRICT, WITHOUT ROWID;"
			     "PRAGMA user_version = 2;";

/*
 * What names look like (text_looks_of), which SQL cannot say: store_add_looks
 * follows. Who was known before has had the name since he was first seen.
 */
static const char step_3[] =
	"ALTER TABLE people ADD COLUMN small TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE people ADD COLUMN drawn TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE people ADD COLUMN named_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE people ADD COLUMN verified INTEGER NOT NULL DEFAULT 0;"
	"UPDATE people SET named_ms = first_seen_ms;"
	"CREATE INDEX people_small ON people"
	" (small, verified DESC, named_ms) WHERE small <> '';"
	"CREATE INDEX people_drawn ON people"
	" (drawn, verified DESC, named_ms) WHERE drawn <> '';"
	"PRAGMA user_version = 3;";

#define LOOKS_SINCE 3

/*
 * Quotas (decision 0018). hours: what strangers have in an hour of a room, as
 * charged; saturated and shut are never taken back; cut: the lowest rank that
 * found no room. slots: what each stranger has in a saturated hour. shares:
 * what strangers (author 0), regulars together (-1) or a friend have in a room,
 * and strangers in all (room 0), with the last line that was dropped.
 *
 * Whoever has spoken on two days is a regular from the start, so that nobody's
 * history shrinks for it.
 */
static const char step_4[] =
	"ALTER TABLE people ADD COLUMN class INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE people ADD COLUMN days INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE people ADD COLUMN day INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE people ADD COLUMN since_day INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE people ADD COLUMN since_room INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX people_class ON people (class, ignored, last_seen_ms);"
	"CREATE INDEX messages_author"
	" ON messages (author, room, time_ms, unit_id);"
	"CREATE TABLE hours ("
	" room INTEGER NOT NULL,"
	" hour INTEGER NOT NULL,"
	" bytes INTEGER NOT NULL,"
	" saturated INTEGER NOT NULL,"
	" shut INTEGER NOT NULL,"
	" cut INTEGER,"
	" PRIMARY KEY (room, hour)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX hours_of_room ON hours (room, hour) WHERE bytes > 0;"
	"CREATE INDEX hours_used ON hours (hour, room) WHERE bytes > 0;"
	"CREATE TABLE slots ("
	" room INTEGER NOT NULL,"
	" hour INTEGER NOT NULL,"
	" rank INTEGER NOT NULL,"
	" author INTEGER NOT NULL,"
	" lines INTEGER NOT NULL,"
	" bytes INTEGER NOT NULL,"
	" cut_ms INTEGER,"
	" cut_id BLOB,"
	" PRIMARY KEY (room, hour, rank, author)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE shares ("
	" room INTEGER NOT NULL,"
	" author INTEGER NOT NULL,"
	" bytes INTEGER NOT NULL,"
	" floor_ms INTEGER,"
	" floor_id BLOB,"
	" PRIMARY KEY (room, author)"
	") STRICT, WITHOUT ROWID;"
	"UPDATE people SET (days, day) ="
	" (SELECT count(DISTINCT time_ms / 86400000),"
	"  coalesce(max(time_ms / 86400000) + 1, 0)"
	"  FROM messages WHERE author = people.id AND state = 0);"
	"UPDATE people SET class = 1 WHERE id IN (SELECT id FROM people"
	" WHERE days >= 2 ORDER BY days DESC, last_seen_ms DESC LIMIT 512);"
	"INSERT INTO hours SELECT room, time_ms / 3600000,"
	" sum(length(unit) + 320), 0, 0, NULL FROM messages"
	" WHERE state = 0 AND author IN (SELECT id FROM people WHERE class = 0)"
	" GROUP BY 1, 2;"
	"INSERT INTO shares SELECT room, 0, sum(bytes), NULL, NULL FROM hours"
	" GROUP BY room;"
	"INSERT INTO shares SELECT 0, 0, coalesce(sum(bytes), 0), NULL, NULL"
	" FROM hours;"
	"INSERT INTO shares SELECT room, -1, sum(length(unit) + 320), NULL,"
	" NULL FROM messages WHERE state = 0"
	" AND author IN (SELECT id FROM people WHERE class = 1) GROUP BY room;"
	"PRAGMA user_version = 4;";

/*
 * Seals (decision 0022): of each row a number over all of its values, and of
 * each room how many lines it has and the sum of the seals of their places.
 * store_seal_all follows.
 */
#define SEAL_COLUMN(table) \
	"ALTER TABLE " table " ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;"
static const char step_5[] =
	SEAL_COLUMN("rooms") SEAL_COLUMN("people") SEAL_COLUMN("addresses")
		SEAL_COLUMN("records") SEAL_COLUMN("settings") SEAL_COLUMN(
			"messages") SEAL_COLUMN("hours") SEAL_COLUMN("slots")
			SEAL_COLUMN("shares") "CREATE TABLE sums ("
					      " room INTEGER PRIMARY KEY,"
					      " lines INTEGER NOT NULL,"
					      " keys INTEGER NOT NULL,"
					      " seal INTEGER NOT NULL"
					      ") STRICT;"
					      "PRAGMA user_version = 5;";

#define SEALS_SINCE 5

#define STR_(x) #x
#define STR(x) STR_(x)
static const char set_version[] = "PRAGMA user_version = " STR(STORE_VERSION);

static const char *const steps[STORE_VERSION] = {
	step_1, step_2, step_3, step_4, step_5};

static int read_version(struct store *s, int *version)
{
	int64_t value;
	int err = store_ask(s, "PRAGMA user_version", &value);

	*version = (int)value;
	return err;
}

/* Version 0 is a new, empty file: with tables in it, it is another's. */
static int check_empty(struct store *s)
{
	int64_t count;
	int err = store_ask(s, "SELECT count(*) FROM sqlite_schema", &count);

	return err == 0 && count > 0 ? P2P_ERR_CORRUPT : err;
}

static bool has_our_form(struct store *s)
{
	uint64_t form = 0;
	int64_t tables = 0;

	return store_ask(s,
		       "SELECT count(*) FROM sqlite_schema WHERE name ="
		       " 'settings' AND sql LIKE '%seal%'",
		       &tables) == 0 &&
	       tables == 1 &&
	       store_get_u64(s, STORE_FORM_SETTING, &form) == 0 &&
	       form == STORE_VERSION;
}

int store_check(struct store *s, int *version)
{
	int err = read_version(s, version);

	if (err == 0 && *version != STORE_VERSION && has_our_form(s)) {
		s->version_wrong = true;
		*version = STORE_VERSION;
		return 0;
	}
	if (err == 0 && (*version < 0 || *version > STORE_VERSION))
		return P2P_ERR_TOO_NEW;
	return err == 0 && *version == 0 ? check_empty(s) : err;
}

int store_migrate(struct store *s)
{
	int version = 0, err;

	/* BEGIN IMMEDIATE also shows whether we may write at all, and with
	 * the exclusive locking mode it keeps everybody else out from here. */
	err = store_exec(s, "BEGIN IMMEDIATE");
	if (err != 0)
		return err;
	if (s->version_wrong)
		err = store_exec(s, set_version);
	if (err == 0)
		err = read_version(s, &version);
	P2P_ASSERT(version >= 0 && version <= STORE_VERSION);
	for (int i = version; err == 0 && i < STORE_VERSION; i++)
		err = store_exec(s, steps[i]);
	if (err == 0 && version < SEALS_SINCE)
		err = store_seal_all(s);
	if (err == 0 && version < STORE_VERSION)
		err = store_seal_schema(s);
	if (err == 0 && !has_our_form(s))
		err = store_seal_form(s);
	if (err == 0 && version > 0 && version < LOOKS_SINCE)
		err = store_add_looks(s);
	if (err == 0)
		err = store_exec(s, "COMMIT");
	if (err != 0)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return err;
}
