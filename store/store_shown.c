/*
 * What has been shown, kept beside the database (decision 0029): a file of one
 * record a room, each with the count of the commit that it was written after.
 * SQLite drops what it cannot read of its write-ahead log without a word, and
 * a database may be gone or put back from a backup; each is then as it was
 * before some commits, and knows nothing of them. A record of a later commit
 * than the database's own tells.
 *
 * It is written after the commit and never synced, so it is never newer than
 * what was committed, and it may be older: then it says nothing. Its bytes are
 * anybody's: each record stands for itself and has a seal. Whatever is wrong
 * with it stops nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xmalloc.h"
#include "store/store_internal.h"

/*
 *   0 "p2ps"   4 joined (0, 1)   5 bytes of the topic   8 commit
 *  16 lines   24 sum of places  32 seq                 40 prev
 *  72 number of the room        80 topic
 * 248 seal of all that stands before it
 */
#define RECORD_BYTES 256
#define RECORD_TOPIC 80
#define RECORD_SEAL 248
static const char record_mark[] = "p2ps";

/* A record as it was read. */
struct record {
	struct store_lost what; /* .lines: that there were */
	int64_t commit;
	int64_t keys;
	int64_t room;
};

/* ---- records ----------------------------------------------------------- */

static void encode(uint8_t out[static RECORD_BYTES],
	const struct store_shown_room *r, const struct store_sum *sum,
	int64_t commit)
{
	size_t len = strlen(r->topic);

	memset(out, 0, RECORD_BYTES);
	memcpy(out, record_mark, 4);
	out[4] = r->joined;
	out[5] = (uint8_t)len;
	put_be64(out + 8, (uint64_t)commit);
	put_be64(out + 16, sum == NULL ? 0 : store_u64(sum->lines));
	put_be64(out + 24, sum == NULL ? 0 : (uint64_t)sum->keys);
	put_be64(out + 32, r->seq);
	memcpy(out + 40, r->prev, STORE_ID_BYTES);
	put_be64(out + 72, (uint64_t)r->id);
	memcpy(out + RECORD_TOPIC, r->topic, len);
	put_be64(out + RECORD_SEAL,
		store_seal_bytes(bytes_of(out, RECORD_SEAL)));
}

static bool decode(const uint8_t in[static RECORD_BYTES], struct record *r)
{
	size_t len = in[5];

	*r = (struct record){.commit = 0};
	if (memcmp(in, record_mark, 4) != 0 || in[4] > 1 || len == 0 ||
		len >= STORE_TOPIC_MAX ||
		memchr(in + RECORD_TOPIC, 0, len) != NULL)
		return false;
	if (get_be64(in + RECORD_SEAL) !=
		store_seal_bytes(bytes_of(in, RECORD_SEAL)))
		return false;
	r->what.joined = in[4] != 0;
	r->commit = (int64_t)get_be64(in + 8);
	r->what.lines = get_be64(in + 16);
	r->keys = (int64_t)get_be64(in + 24);
	r->what.seq = get_be64(in + 32);
	memcpy(r->what.prev, in + 40, STORE_ID_BYTES);
	r->room = (int64_t)get_be64(in + 72);
	memcpy(r->what.topic, in + RECORD_TOPIC, len);
	return r->commit > 0 && r->what.lines <= INT64_MAX;
}

/* ---- the file ---------------------------------------------------------- */

/* -1 without one: links, pipes and folders are not followed, waited for or
 * written to. */
static int open_file(struct store *s)
{
	char *path = xasprintf("%s" STORE_SHOWN_SUFFIX, s->path);
	int fd = open(path,
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		(void)close(fd);
		fd = -1;
		errno = EINVAL;
	}
	if (fd < 0)
		log_printf(s->log, LOG_LEVEL_WARN,
			"store: %s: cannot be used: %s", path, strerror(errno));
	free(path);
	return fd;
}

/* What is there of it, at most as much as there can be rooms. */
static size_t read_file(int fd, uint8_t *raw, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = pread(fd, raw + have, size - have, (off_t)have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	return have;
}

static void write_at(struct store *s, struct bytes what, size_t at)
{
	if (s->shown.fd < 0)
		return;
	if (pwrite(s->shown.fd, what.data, what.len, (off_t)at) ==
		(ssize_t)what.len) {
		s->shown.failed = false;
		return;
	}
	if (!s->shown.failed)
		log_printf(s->log, LOG_LEVEL_WARN,
			"store: what is shown is not noted: %s",
			strerror(errno));
	s->shown.failed = true;
}

/* All of it, where it differs from what is there. */
static void write_all(struct store *s)
{
	struct store_shown *sh = &s->shown;
	size_t len = sh->count * RECORD_BYTES;
	uint8_t *raw = xcalloc(sh->count + 1, RECORD_BYTES);
	uint8_t *old = xcalloc(sh->count + 1, RECORD_BYTES);

	for (size_t i = 0; i < sh->count; i++)
		encode(raw + i * RECORD_BYTES, &sh->rooms[i],
			store_sum_find(s, sh->rooms[i].id), s->sums.commit);
	if (sh->fd >= 0 && (read_file(sh->fd, old, len + 1) != len ||
				   memcmp(old, raw, len) != 0)) {
		if (ftruncate(sh->fd, (off_t)len) != 0)
			sh->failed = true;
		write_at(s, bytes_of(raw, len), 0);
	}
	free(raw);
	free(old);
}

/* ---- rooms ------------------------------------------------------------- */

static int load_rooms(struct store *s)
{
	struct store_room *rooms;
	size_t count;
	int err = store_load_rooms(s, &rooms, &count);

	if (err != 0)
		return err;
	for (size_t i = 0; i < count; i++)
		store_shown_room(s, &rooms[i]);
	free(rooms);
	return 0;
}

/* ---- what is missing --------------------------------------------------- */

static const struct store_shown_room *room_by_topic(
	const struct store *s, const char *topic)
{
	for (size_t i = 0; i < s->shown.count; i++)
		if (strcmp(s->shown.rooms[i].topic, topic) == 0)
			return &s->shown.rooms[i];
	return NULL;
}

/* Lines of a room whose row is gone are found by its number. */
static const struct store_sum *sum_of(struct store *s, const struct record *rec,
	const struct store_shown_room *r)
{
	if (r != NULL)
		return store_sum_find(s, r->id);
	return store_shown_find(s, rec->room) == NULL
		       ? store_sum_find(s, rec->room)
		       : NULL;
}

/* What a later commit had and the database has not. */
static void compare(struct store *s, const struct record *rec)
{
	const struct store_shown_room *r = room_by_topic(s, rec->what.topic);
	const struct store_sum *sum = sum_of(s, rec, r);
	uint64_t have = sum == NULL ? 0 : store_u64(sum->lines);
	int64_t keys = sum == NULL ? 0 : sum->keys;
	struct store_shown *sh = &s->shown;
	struct store_lost lost = rec->what;

	if (rec->commit <= sh->base)
		return;
	if (r != NULL)
		store_shown_find(s, r->id)->known = true;
	lost.some = have != rec->what.lines || keys != rec->keys;
	lost.lines = rec->what.lines - P2P_MIN(have, rec->what.lines);
	if (!lost.some && (r == NULL ? lost.seq == 0 : lost.seq <= r->seq))
		return;
	log_printf(s->log, LOG_LEVEL_ERROR,
		"store: at commit %lld a room had %llu lines, at %lld %llu",
		(long long)rec->commit, (unsigned long long)rec->what.lines,
		(long long)s->sums.commit, (unsigned long long)have);
	sh->lost =
		xreallocarray(sh->lost, sh->lost_count + 1, sizeof(*sh->lost));
	sh->lost[sh->lost_count++] = lost;
}

/* Of two records of one room the later counts: a file that was cut. */
static bool is_latest(const struct record *records, size_t count, size_t at)
{
	for (size_t i = 0; i < count; i++)
		if (i != at &&
			strcmp(records[i].what.topic, records[at].what.topic) ==
				0 &&
			(records[i].commit > records[at].commit ||
				(i < at && records[i].commit ==
						   records[at].commit)))
			return false;
	return true;
}

static void look(struct store *s)
{
	size_t size = STORE_ROOMS_MAX * RECORD_BYTES, count = 0, len;
	uint8_t *raw = xmalloc(size);
	struct record *records;
	int64_t latest = s->sums.commit;

	s->shown.base = s->damage.uncounted ? 0 : latest;
	len = read_file(s->shown.fd, raw, size);
	records = xcalloc(len / RECORD_BYTES + 1, sizeof(*records));
	for (size_t i = 0; i + RECORD_BYTES <= len; i += RECORD_BYTES)
		count += decode(raw + i, &records[count]);
	if (count < len / RECORD_BYTES)
		log_printf(s->log, LOG_LEVEL_WARN,
			"store: %zu damaged records of what was shown",
			len / RECORD_BYTES - count);
	for (size_t i = 0; i < count; i++) {
		latest = P2P_MAX(latest, records[i].commit);
		if (is_latest(records, count, i))
			compare(s, &records[i]);
	}
	/* Behind all that were ever counted: one that cannot be written over
	 * is not said for ever. */
	s->sums.commit = latest;
	free(records);
	free(raw);
}

/* The database has lost its own count; this one stands in for it. */
static void count_again(struct store *s)
{
	for (size_t i = 0; i < s->sums.count; i++) {
		const struct store_shown_room *r =
			store_shown_find(s, s->sums.items[i].room);

		if (s->sums.items[i].lines > 0 && (r == NULL || !r->known))
			return;
	}
	s->damage.uncounted = false;
}

int store_shown_open(struct store *s)
{
	int err;

	if (s->path == NULL)
		return 0;
	err = load_rooms(s);
	if (err != 0)
		return err;
	s->shown.fd = open_file(s);
	if (s->shown.fd >= 0) {
		look(s);
		count_again(s);
	}
	s->shown.held = s->shown.lost_count > 0;
	if (!s->shown.held)
		write_all(s);
	return 0;
}

const struct store_lost *store_lost(const struct store *s, size_t *count)
{
	*count = s->shown.lost_count;
	return s->shown.lost;
}

void store_lost_said(struct store *s)
{
	if (!s->shown.held)
		return;
	s->shown.held = false;
	write_all(s);
}

/* ---- with each commit -------------------------------------------------- */

void store_shown_saved(struct store *s)
{
	struct store_shown *sh = &s->shown;
	uint8_t raw[RECORD_BYTES];

	for (size_t i = 0; i < s->sums.count && s->sums.changed; i++) {
		const struct store_sum *sum = &s->sums.items[i];
		struct store_shown_room *r = store_shown_find(s, sum->room);

		if (r != NULL && store_sum_changed(sum))
			r->changed = true;
	}
	for (size_t i = 0; i < sh->count && !sh->held; i++) {
		struct store_shown_room *r = &sh->rooms[i];

		if (!r->changed)
			continue;
		r->changed = false;
		encode(raw, r, store_sum_find(s, r->id), s->sums.commit);
		write_at(s, bytes_of(raw, sizeof(raw)), i * RECORD_BYTES);
	}
}

void store_shown_undo(struct store *s)
{
	struct store_shown *sh = &s->shown;
	bool changed = false;

	for (size_t i = 0; i < sh->count; i++)
		changed = changed || sh->rooms[i].changed;
	/* What cannot be read now is put again by the next try. */
	if (changed && load_rooms(s) != 0)
		log_printf(s->log, LOG_LEVEL_WARN,
			"store: rooms are not read again");
}

void store_shown_close(struct store *s)
{
	if (s->path != NULL && s->shown.fd >= 0)
		(void)close(s->shown.fd);
	free(s->shown.rooms);
	free(s->shown.lost);
}
