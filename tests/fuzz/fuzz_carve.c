/*
 * What a disk may hold in the place of a database, its log or the note of what
 * was shown. First byte even: a good database and its log with bytes changed,
 * three bytes of place and one of value each; what is carved out of them lies
 * in its row. Odd: a note of anything, or a good one with bytes changed; what
 * is lost has a name, and it can be written anew.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xmalloc.h"
#include "store/store_carve.h"
#include "store/store_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IMAGE_MAX ((size_t)4 << 20)

static char folder[] = "/tmp/fuzz_carve.XXXXXX";
static char *path, *wal_path, *note_path;
static struct buf good, wal, note;

static void remove_all(void)
{
	(void)unlink(path);
	(void)unlink(wal_path);
	(void)unlink(note_path);
	(void)rmdir(folder);
}

static void read_file(const char *from, struct buf *out)
{
	FILE *file = fopen(from, "rb");
	uint8_t raw[4096];
	size_t n;

	P2P_ASSERT(file != NULL);
	buf_init(out, IMAGE_MAX);
	while ((n = fread(raw, 1, sizeof(raw), file)) > 0)
		P2P_ASSERT(buf_append(out, bytes_of(raw, n)) == 0);
	P2P_ASSERT(fclose(file) == 0);
}

static void write_file(const char *to, const uint8_t *data, size_t len)
{
	FILE *file = fopen(to, "wb");

	P2P_ASSERT(file != NULL);
	P2P_ASSERT(len == 0 || fwrite(data, 1, len, file) == len);
	P2P_ASSERT(fclose(file) == 0);
}

static void say(struct store *s, int64_t room, uint8_t i)
{
	static uint8_t unit[9000];
	struct store_message m = {.room = room, .author = 1};
	bool is_new;

	m.unit = bytes_of(unit, i % 20 == 0 ? sizeof(unit) : i);
	m.key.time_ms = i;
	m.key.id[0] = i;
	P2P_ASSERT(store_insert(s, &m, &is_new) == 0 && is_new);
}

static void make_good(void)
{
	struct store_room room = {.topic = "lobby", .joined = true};
	struct store_person person = {.peer = "12D3", .name = "mali"};
	struct store *s;

	P2P_ASSERT(mkdtemp(folder) != NULL);
	path = xasprintf("%s/db", folder);
	wal_path = xasprintf("%s-wal", path);
	note_path = xasprintf("%s" STORE_SHOWN_SUFFIX, path);
	(void)atexit(remove_all);
	P2P_ASSERT(store_open(&s, path, NULL) == 0);
	P2P_ASSERT(store_put_room(s, &room) == 0);
	P2P_ASSERT(store_put_person(s, &person) == 0);
	for (uint8_t i = 1; i < 60; i++)
		say(s, room.id, i);
	P2P_ASSERT(store_commit(s) == 0);
	store_close(s);
	P2P_ASSERT(store_open(&s, path, NULL) == 0);
	say(s, room.id, 60);
	P2P_ASSERT(store_commit(s) == 0);
	read_file(path, &good);
	read_file(wal_path, &wal);
	read_file(note_path, &note);
	store_close(s);
}

/* Each four bytes: where, and what. */
static void change(struct buf *a, struct buf *b, struct bytes in)
{
	for (size_t i = 0; i + 4 <= in.len; i += 4) {
		size_t at = (size_t)in.data[i] << 16 |
			    (size_t)in.data[i + 1] << 8 | in.data[i + 2];

		at %= a->len + b->len;
		if (at < a->len)
			a->data[at] ^= in.data[i + 3];
		else
			b->data[at - a->len] ^= in.data[i + 3];
	}
}

static void fuzz_carve(struct bytes in)
{
	struct carve_row row;
	struct carve *c;
	uint64_t sum = 0;

	change(&good, &wal, in);
	write_file(path, good.data, good.len);
	write_file(wal_path, wal.data, wal.len);
	change(&good, &wal, in);
	(void)carve_header_is_sound(path);
	c = carve_new(path);
	while (c != NULL && carve_next(c, &row)) {
		P2P_ASSERT(row.count > 0 && row.count <= CARVE_VALUES_MAX);
		for (size_t i = 0; i < row.count; i++)
			for (size_t n = 0; n < row.values[i].data.len; n++)
				sum += row.values[i].data.data[n];
	}
	P2P_ASSERT(in.len > 0 || sum > 0);
	carve_free(c);
}

static void fuzz_note(struct bytes in, bool changed)
{
	struct buf none;
	struct store *s;
	const struct store_lost *lost;
	size_t count;

	buf_init(&none, 1);
	if (changed)
		change(&note, &none, in);
	write_file(note_path, changed ? note.data : in.data,
		changed ? note.len : in.len);
	if (changed)
		change(&note, &none, in);
	P2P_ASSERT(store_open_memory(&s, bytes_of(NULL, 0), NULL) == 0);
	s->path = xstrdup(path);
	s->shown.fd = -1;
	P2P_ASSERT(store_shown_open(s) == 0);
	lost = store_lost(s, &count);
	P2P_ASSERT(count <= STORE_ROOMS_MAX);
	for (size_t i = 0; i < count; i++)
		P2P_ASSERT(strlen(lost[i].topic) > 0 &&
			   strlen(lost[i].topic) < STORE_TOPIC_MAX);
	P2P_ASSERT(!changed || in.len > 0 || count == 1);
	store_lost_said(s);
	store_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);

	if (path == NULL)
		make_good();
	if (size == 0)
		return 0;
	if (data[0] % 2 == 0)
		fuzz_carve(bytes_skip(in, 1));
	else
		fuzz_note(bytes_skip(in, 1), data[0] % 4 == 1);
	return 0;
}
