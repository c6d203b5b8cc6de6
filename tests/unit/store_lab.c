#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/store_lab.h"

int lab_begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/test_store.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/chat.db", f->dir);
	snprintf(f->lock, sizeof(f->lock), "%s/lock", f->dir);
	*state = f;
	return 0;
}

int lab_end(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {
		"chat.db", "chat.db-wal", "chat.db-shm", "lock"};
	char path[128];

	store_close(f->store);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	rmdir(f->dir);
	free(f);
	return 0;
}

void lab_close(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
}

void reopen(struct fixture *f)
{
	lab_close(f);
	assert_int_equal(store_open(&f->store, f->path, NULL), 0);
}

int64_t add_room(struct store *s, const char *topic)
{
	struct store_room room = {.joined = true};

	snprintf(room.topic, sizeof(room.topic), "%s", topic);
	assert_int_equal(store_put_room(s, &room), 0);
	return room.id;
}

int64_t add_person(struct store *s, const char *peer, bool ignored)
{
	struct store_person p = {.ignored = ignored, .first_seen_ms = 1};

	snprintf(p.peer, sizeof(p.peer), "%s", peer);
	assert_int_equal(store_put_person(s, &p), 0);
	return p.id;
}

struct store_message line(int64_t room, int64_t author, uint64_t ms)
{
	struct store_message m = {.room = room,
		.author = author,
		.key.time_ms = ms,
		.unit = bytes_str("unit")};

	put_be64(m.key.id, ms);
	return m;
}

bool insert(struct store *s, struct store_message m)
{
	bool is_new;

	assert_int_equal(store_insert(s, &m, &is_new), 0);
	return is_new;
}

size_t page_count(struct store *s, int64_t room)
{
	struct store_rows rows;
	size_t n;

	assert_int_equal(store_page(s, room, &store_key_last, 100, &rows), 0);
	n = rows.count;
	store_rows_clear(&rows);
	return n;
}

void sql_on_file(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}
