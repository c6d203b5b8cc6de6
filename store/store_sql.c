/*
 * All statements. Pages are read by keyset on (room, time_ms, unit_id), so
 * their cost does not depend on how much there is; a test holds the plans.
 */
#include "store/store_internal.h"

#define MESSAGE_COLUMNS \
	"row, room, time_ms, unit_id, author, state, local, mention, unit, " \
	"seal = " SEAL_OF_MESSAGE
/* Strangers share what friends and regulars leave. */
#define KNOWN_FIRST(table) \
	"coalesce((SELECT class FROM people WHERE people.peer = " table \
	".peer), 0) DESC, "
#define LINE_COLUMNS \
	"m.row, m.author, p.peer, length(m.unit), m.time_ms, m.unit_id"
/* A damaged line is not left out because of what stands in it. */
#define NOT_IGNORED \
	"(author NOT IN (SELECT id FROM people WHERE ignored = 1)" \
	" OR seal IS NOT " SEAL_OF_MESSAGE ") "

#define PERSON_SELECT \
	"SELECT id, peer, name, small, drawn, named_ms, first_seen_ms," \
	" last_seen_ms, ignored, verified, class, days, day, since_day," \
	" since_room FROM people"

const char *const store_sql[STMT_COUNT] = {
	[STMT_BEGIN] = "BEGIN IMMEDIATE",
	[STMT_COMMIT] = "COMMIT",
	[STMT_ROLLBACK] = "ROLLBACK",
	[STMT_ROOM_INSERT] =
		"INSERT INTO rooms (id, topic, joined, position, dialect,"
		" read_time_ms, read_id, unread, mentions, seq, prev, clock_ms,"
		" seal) SELECT n.id, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
		" ?11, seal(n.id, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
		" ?11) FROM (SELECT coalesce(?12, max(id) + 1, 1) AS id"
		" FROM rooms) AS n",
	[STMT_ROOM_UPDATE] =
		"UPDATE rooms SET joined = ?2, position = ?3, dialect = ?4,"
		" read_time_ms = ?5, read_id = ?6, unread = ?7, mentions = ?8,"
		" seq = ?9, prev = ?10, clock_ms = ?11, seal = seal(id, topic,"
		" ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
		" WHERE id = ?1 AND seal = " SEAL_OF_ROOM,
	[STMT_ROOM_LOAD] =
		"SELECT id, topic, joined, position, dialect, read_time_ms,"
		" read_id, unread, mentions, seq, prev, clock_ms FROM rooms"
		" WHERE seal = " SEAL_OF_ROOM " ORDER BY position, id LIMIT ?1",
	[STMT_PERSON_INSERT] =
		"INSERT INTO people (id, peer, name, small, drawn, named_ms,"
		" first_seen_ms, last_seen_ms, ignored, verified, class, days,"
		" day, since_day, since_room, seal)"
		" SELECT n.id, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10,"
		" ?11, 0, 0, seal(n.id, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0,"
		" ?10, ?11, 0, 0)"
		" FROM (SELECT coalesce(max(id) + 1, 1) AS id FROM people)"
		" AS n WHERE true"
		" ON CONFLICT (peer) DO UPDATE SET"
		" name = excluded.name, small = excluded.small,"
		" drawn = excluded.drawn, named_ms = excluded.named_ms,"
		" last_seen_ms = excluded.last_seen_ms,"
		" ignored = excluded.ignored, verified = excluded.verified,"
		" seal = seal(id, peer, excluded.name, excluded.small,"
		" excluded.drawn, excluded.named_ms, first_seen_ms,"
		" excluded.last_seen_ms, excluded.ignored, excluded.verified,"
		" class, days, day, since_day, since_room)"
		" WHERE seal = " SEAL_OF_PERSON " RETURNING id, class",
	[STMT_PERSON_UPDATE] =
		"UPDATE people SET name = ?2, small = ?3, drawn = ?4,"
		" named_ms = ?5, last_seen_ms = ?6, ignored = ?7,"
		" verified = ?8, days = ?9, day = ?10,"
		" seal = seal(id, peer, ?2, ?3, ?4, ?5, first_seen_ms, ?6, ?7,"
		" ?8, class, ?9, ?10, since_day, since_room)"
		" WHERE id = ?1 AND seal = " SEAL_OF_PERSON,
	[STMT_PERSON_FIND] =
		PERSON_SELECT " WHERE peer = ?1 AND seal = " SEAL_OF_PERSON,
	[STMT_PERSON_LOAD] = PERSON_SELECT
	" WHERE seal = " SEAL_OF_PERSON
	" ORDER BY ignored DESC, class DESC, last_seen_ms DESC LIMIT ?1",
	[STMT_PERSON_FIRST_SMALL] =
		PERSON_SELECT " WHERE small = ?1 AND small <> ''"
			      " AND seal = " SEAL_OF_PERSON
			      " ORDER BY verified DESC, named_ms, id LIMIT 1",
	[STMT_PERSON_FIRST_DRAWN] =
		PERSON_SELECT " WHERE drawn = ?1 AND drawn <> ''"
			      " AND seal = " SEAL_OF_PERSON
			      " ORDER BY verified DESC, named_ms, id LIMIT 1",
	[STMT_PERSON_LOOK] =
		"UPDATE people SET small = ?2, drawn = ?3, seal = seal(id,"
		" peer, name, ?2, ?3, named_ms, first_seen_ms, last_seen_ms,"
		" ignored, verified, class, days, day, since_day, since_room)"
		" WHERE id = ?1 AND seal = " SEAL_OF_PERSON,
	[STMT_ADDRESS_PUT] = "INSERT INTO addresses (peer, addr, last_ok_ms,"
			     " seal) VALUES (?1, ?2, ?3, seal(?1, ?2, ?3))"
			     " ON CONFLICT (peer, addr) DO UPDATE SET"
			     " last_ok_ms = excluded.last_ok_ms,"
			     " seal = excluded.seal",
	[STMT_ADDRESS_TRIM_PEER] =
		"DELETE FROM addresses WHERE peer = ?1 AND addr NOT IN"
		" (SELECT addr FROM addresses WHERE peer = ?1"
		" ORDER BY last_ok_ms DESC, addr LIMIT ?2)",
	[STMT_ADDRESS_TRIM] =
		"DELETE FROM addresses WHERE (peer, addr) IN"
		" (SELECT peer, addr FROM addresses ORDER BY " KNOWN_FIRST(
			"addresses") "last_ok_ms DESC, peer, addr LIMIT -1 "
				     "OFFSET ?1)",
	[STMT_ADDRESS_LOAD] = "SELECT peer, addr, last_ok_ms FROM addresses"
			      " WHERE seal = " SEAL_OF_ADDRESS
			      " ORDER BY last_ok_ms DESC, peer, addr LIMIT ?1",
	[STMT_ADDRESS_FORGET] = "DELETE FROM addresses WHERE last_ok_ms < ?1",
	[STMT_RECORD_PUT] =
		"INSERT INTO records (peer, record, seen_ms, seal)"
		" VALUES (?1, ?2, ?3, seal(?1, ?2, ?3))"
		" ON CONFLICT (peer) DO UPDATE SET record = excluded.record,"
		" seen_ms = excluded.seen_ms, seal = excluded.seal",
	[STMT_RECORD_TRIM] =
		"DELETE FROM records WHERE peer IN (SELECT peer FROM records"
		" ORDER BY " KNOWN_FIRST(
			"records") "seen_ms DESC, peer LIMIT -1 OFFSET ?1)",
	[STMT_RECORD_LOAD] = "SELECT peer, record, seen_ms FROM records"
			     " WHERE seal = " SEAL_OF_RECORD
			     " ORDER BY seen_ms DESC, peer LIMIT ?1",
	[STMT_RECORD_FORGET] = "DELETE FROM records WHERE seen_ms < ?1",
	[STMT_SETTING_PUT] =
		"INSERT INTO settings (key, value, seal)"
		" VALUES (?1, ?2, seal(?1, ?2)) ON CONFLICT (key)"
		" DO UPDATE SET value = excluded.value, seal = excluded.seal",
	[STMT_SETTING_GET] = "SELECT value FROM settings WHERE key = ?1"
			     " AND seal = " SEAL_OF_SETTING,
	[STMT_MESSAGE_INSERT] =
		"INSERT INTO messages (room, time_ms, unit_id, author, state,"
		" local, mention, unit, row, seal)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
		" seal(?9, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8))"
		" ON CONFLICT DO NOTHING",
	[STMT_MESSAGE_DELETE] = "DELETE FROM messages WHERE row = ?1"
				" RETURNING room, time_ms, unit_id",
	[STMT_MESSAGE_BY_ROW] = "SELECT 1 FROM messages WHERE row = ?1",
	[STMT_MESSAGE_STATE] =
		"UPDATE messages SET state = ?4, seal = seal(row, room,"
		" time_ms, unit_id, author, ?4, local, mention, unit)"
		" WHERE room = ?1 AND time_ms = ?2 AND unit_id = ?3"
		" AND seal = " SEAL_OF_MESSAGE,
	[STMT_MESSAGE_PAGE] =
		"SELECT " MESSAGE_COLUMNS " FROM messages"
		" WHERE room = ?1 AND (time_ms, unit_id) < (?2, ?3)"
		" AND " NOT_IGNORED
		" ORDER BY time_ms DESC, unit_id DESC LIMIT ?4",
	[STMT_MESSAGE_AFTER] =
		"SELECT " MESSAGE_COLUMNS " FROM messages"
		" WHERE room = ?1 AND (time_ms, unit_id) > (?2, ?3)"
		" AND " NOT_IGNORED " ORDER BY time_ms, unit_id LIMIT ?4",
	[STMT_MESSAGE_WAITING] = "SELECT " MESSAGE_COLUMNS " FROM messages"
				 " INDEXED BY messages_waiting"
				 " WHERE state = 1 AND room = ?1"
				 " AND (time_ms, unit_id) > (?2, ?3)"
				 " ORDER BY time_ms, unit_id LIMIT ?4",
	[STMT_MESSAGE_ARRIVALS] = "SELECT " MESSAGE_COLUMNS " FROM messages"
				  " WHERE row > ?1 ORDER BY row LIMIT ?2",
	[STMT_MESSAGE_UNREAD] =
		"SELECT count(*), coalesce(sum(mention), 0) FROM"
		" (SELECT mention FROM messages WHERE room = ?1"
		" AND (time_ms, unit_id) > (?2, ?3) AND time_ms <= ?4"
		" AND state = 0 AND " NOT_IGNORED " LIMIT ?5)",
	[STMT_MESSAGE_COUNT_WAITING] =
		"SELECT count(*) FROM messages INDEXED BY messages_waiting"
		" WHERE state = 1",
	[STMT_HOUR_GET] = "SELECT bytes, saturated, shut, cut FROM hours"
			  " WHERE room = ?1 AND hour = ?2",
	[STMT_HOUR_PUT] =
		"INSERT INTO hours (room, hour, bytes, saturated, shut, cut,"
		" seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
		" seal(?1, ?2, ?3, ?4, ?5, ?6))"
		" ON CONFLICT (room, hour) DO UPDATE SET"
		" bytes = excluded.bytes, saturated = excluded.saturated,"
		" shut = excluded.shut, cut = excluded.cut,"
		" seal = excluded.seal",
	[STMT_HOUR_OLDEST] = "SELECT room, hour FROM hours"
			     " INDEXED BY hours_of_room"
			     " WHERE room = ?1 AND bytes > 0"
			     " ORDER BY hour LIMIT 1",
	[STMT_HOUR_OLDEST_OF_ALL] =
		"SELECT room, hour FROM hours INDEXED BY hours_used"
		" WHERE bytes > 0 ORDER BY hour LIMIT 1",
	[STMT_HOUR_LINES] =
		"SELECT " LINE_COLUMNS " FROM messages AS m"
		" JOIN people AS p ON p.id = m.author"
		" WHERE m.room = ?1 AND m.time_ms >= ?2 AND m.time_ms < ?3"
		" AND m.state = 0 AND p.class = 0"
		" ORDER BY m.author, m.time_ms, m.unit_id",
	[STMT_HOUR_AUTHOR_LINES] =
		"SELECT " LINE_COLUMNS " FROM messages AS m"
		" INDEXED BY messages_author"
		" JOIN people AS p ON p.id = m.author"
		" WHERE m.author = ?4 AND m.room = ?1 AND m.time_ms >= ?2"
		" AND m.time_ms < ?3 AND m.state = 0"
		" ORDER BY m.time_ms, m.unit_id",
	[STMT_HOURS_OF_AUTHOR] =
		"SELECT room, time_ms / 3600000, sum(length(unit) + ?2)"
		" FROM messages INDEXED BY messages_author"
		" WHERE author = ?1 AND state = 0 GROUP BY 1, 2",
	[STMT_SLOT_GET] =
		"SELECT lines, bytes, cut_ms, cut_id FROM slots WHERE room = ?1"
		" AND hour = ?2 AND rank = ?3 AND author = ?4",
	[STMT_SLOT_PUT] =
		"INSERT INTO slots (room, hour, rank, author, lines, bytes,"
		" cut_ms, cut_id, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
		" ?8, seal(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8))"
		" ON CONFLICT (room, hour, rank, author) DO UPDATE SET"
		" lines = excluded.lines, bytes = excluded.bytes,"
		" cut_ms = excluded.cut_ms, cut_id = excluded.cut_id,"
		" seal = excluded.seal",
	[STMT_SLOT_DELETE] = "DELETE FROM slots WHERE room = ?1 AND hour = ?2"
			     " AND rank = ?3 AND author = ?4",
	[STMT_SLOT_LAST] =
		"SELECT rank, author FROM slots WHERE room = ?1 AND hour = ?2"
		" ORDER BY rank DESC, author DESC LIMIT 1",
	[STMT_SHARE_GET] = "SELECT bytes, floor_ms, floor_id FROM shares"
			   " WHERE room = ?1 AND author = ?2",
	[STMT_SHARE_PUT] =
		"INSERT INTO shares (room, author, bytes, floor_ms, floor_id,"
		" seal) VALUES (?1, ?2, ?3, ?4, ?5, seal(?1, ?2, ?3, ?4, ?5))"
		" ON CONFLICT (room, author) DO UPDATE SET"
		" bytes = excluded.bytes, floor_ms = excluded.floor_ms,"
		" floor_id = excluded.floor_id, seal = excluded.seal",
	[STMT_SHARE_OLDEST] =
		"SELECT " LINE_COLUMNS " FROM messages AS m"
		" INDEXED BY messages_author"
		" JOIN people AS p ON p.id = m.author"
		" WHERE m.author = ?4 AND m.room = ?1 AND m.state = 0"
		" AND (m.time_ms, m.unit_id) > (?2, ?3)"
		" ORDER BY m.time_ms, m.unit_id LIMIT 64",
	[STMT_SHARE_OLDEST_OF_REGULARS] =
		"SELECT " LINE_COLUMNS " FROM messages AS m"
		" INDEXED BY messages_key"
		" CROSS JOIN people AS p ON p.id = m.author"
		" WHERE m.room = ?1 AND (m.time_ms, m.unit_id) > (?2, ?3)"
		" AND m.state = 0 AND p.class = 1"
		" ORDER BY m.time_ms, m.unit_id LIMIT 64",
	[STMT_PERSON_CLASS] =
		"UPDATE people SET class = ?2, since_day = ?3,"
		" since_room = ?4, seal = seal(id, peer, name, small, drawn,"
		" named_ms, first_seen_ms, last_seen_ms, ignored, verified,"
		" ?2, days, day, ?3, ?4) WHERE id = ?1"
		" AND seal = " SEAL_OF_PERSON,
	[STMT_PERSON_COUNT] = "SELECT count(*) FROM people INDEXED BY"
			      " people_class WHERE class = ?1",
	[STMT_PERSON_NEW_REGULARS] =
		"SELECT count(*) FROM people INDEXED BY people_class"
		" WHERE class = 1 AND since_day = ?1 AND since_room = ?2",
	[STMT_PERSON_LEAST_REGULAR] =
		"SELECT peer, days FROM people INDEXED BY people_class"
		" WHERE class = 1 ORDER BY days, last_seen_ms LIMIT 1",
	[STMT_PERSON_FORGET] =
		"DELETE FROM people WHERE id IN (SELECT id FROM people AS p"
		" INDEXED BY people_class WHERE class = 0 AND ignored = 0"
		" AND verified = 0 AND id < (SELECT max(id) FROM people)"
		" AND NOT EXISTS (SELECT 1 FROM messages"
		" WHERE author = p.id) ORDER BY last_seen_ms LIMIT ?1)",
	[STMT_PERSON_DROP] = "DELETE FROM people WHERE id = ?1",
	[STMT_MESSAGE_LAST_ROW] = "SELECT coalesce(max(row), 0) FROM messages",
	[STMT_SUM_LOAD] = "SELECT room, lines, keys FROM sums"
			  " WHERE seal = " SEAL_OF_SUM,
	[STMT_SUM_PUT] = "INSERT INTO sums (room, lines, keys, seal)"
			 " VALUES (?1, ?2, ?3, seal(?1, ?2, ?3))"
			 " ON CONFLICT (room) DO UPDATE SET"
			 " lines = excluded.lines, keys = excluded.keys,"
			 " seal = excluded.seal",
	[STMT_PLACES] = "SELECT room, time_ms, unit_id, " SEAL_OF_PLACE
			" FROM messages INDEXED BY messages_key"
			" WHERE (room, time_ms, unit_id) > (?1, ?2, ?3)"
			" ORDER BY room, time_ms, unit_id LIMIT ?4",
	[STMT_ROOMS_LOST] = "SELECT room FROM sums WHERE lines > 0"
			    " AND room > 0"
			    " AND room NOT IN (SELECT id FROM rooms)"
			    " ORDER BY room LIMIT ?1",
};
