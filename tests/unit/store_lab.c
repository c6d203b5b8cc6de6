#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmalloc.h"
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

static void remove_all(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[400];

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		(void)unlink(path);
	}
	closedir(d);
	(void)rmdir(dir);
}

int lab_end(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	remove_all(f->dir);
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

/* ---- files ------------------------------------------------------------- */

char *lab_beside(const struct fixture *f, const char *end)
{
	return xasprintf("%s%s", f->path, end);
}

bool lab_is_there(const struct fixture *f, const char *end)
{
	char *path = lab_beside(f, end);
	struct stat st;
	bool is = lstat(path, &st) == 0;

	free(path);
	return is;
}

struct buf lab_file(const struct fixture *f, const char *end)
{
	char *path = lab_beside(f, end);
	FILE *file = fopen(path, "rb");
	struct buf out;
	uint8_t raw[4096];
	size_t n;

	assert_non_null(file);
	buf_init(&out, 64u << 20);
	while ((n = fread(raw, 1, sizeof(raw), file)) > 0)
		assert_int_equal(buf_append(&out, bytes_of(raw, n)), 0);
	fclose(file);
	free(path);
	return out;
}

void lab_put_file(const struct fixture *f, const char *end, struct bytes in)
{
	char *path = lab_beside(f, end);
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(in.data, 1, in.len, file), in.len);
	assert_int_equal(fclose(file), 0);
	free(path);
}

void lab_remove(const struct fixture *f, const char *end)
{
	char *path = lab_beside(f, end);

	(void)unlink(path);
	free(path);
}

void lab_say(struct fixture *f, int64_t room, uint64_t from, uint64_t to)
{
	struct store_room *rooms;
	size_t count;

	for (uint64_t ms = from; ms < to; ms++)
		assert_true(insert(f->store, line(room, 1, ms)));
	assert_int_equal(store_load_rooms(f->store, &rooms, &count), 0);
	for (size_t i = 0; i < count; i++)
		if (rooms[i].id == room) {
			rooms[i].seq = to;
			assert_int_equal(
				store_put_room(f->store, &rooms[i]), 0);
		}
	free(rooms);
	assert_int_equal(store_commit(f->store), 0);
}

size_t lab_lost_count(struct fixture *f)
{
	size_t count;

	(void)store_lost(f->store, &count);
	return count;
}
