/*
 * What others may take of the disk: shares are kept whatever comes, friends
 * lose nothing to others, and what was dropped never comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/xmalloc.h"
#include "store/store_internal.h"
#include "tests/unit/store_number.h"

#define HOUR 3600000ULL
#define COST (100 + STORE_LINE_COST_BYTES)
#define AUTHORS 200

struct fixture {
	struct store *store;
	int64_t room[2];
	struct store_person who[AUTHORS];
	struct rng rng;
	size_t unit_bytes;
};

static const struct store_quota quota = {
	.strangers = 400 * COST,
	.strangers_room = 300 * COST,
	.strangers_hour = 100 * COST,
	.regulars_room = 50 * COST,
	.friend_room = 20 * COST,
	.secret = {1, 2},
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct store_room room = {.topic = "one"};

	assert_int_equal(
		store_open_memory(&f->store, bytes_of(NULL, 0), NULL), 0);
	store_set_quota(f->store, &quota);
	rng_init_seeded(&f->rng, 7);
	f->unit_bytes = 100;
	for (int i = 0; i < 2; i++) {
		room.id = 0;
		room.topic[0] = (char)('a' + i);
		assert_int_equal(store_put_room(f->store, &room), 0);
		f->room[i] = room.id;
	}
	for (int i = 0; i < AUTHORS; i++) {
		snprintf(
			f->who[i].peer, sizeof(f->who[i].peer), "12D3who%d", i);
		assert_int_equal(store_put_person(f->store, &f->who[i]), 0);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	free(f);
	return 0;
}

static uint8_t unit[4000];

/* A line whose id follows from its author and number. */
static enum store_kept says(
	struct fixture *f, int room, int author, uint64_t ms, unsigned number)
{
	struct store_message m = {.room = f->room[room],
		.author = f->who[author].id,
		.key.time_ms = ms,
		.unit = bytes_of(unit, f->unit_bytes)};
	struct store_outcome out;

	put_be64(m.key.id, (uint64_t)author);
	put_be64(m.key.id + 8, number);
	assert_int_equal(store_keep(f->store, &m, &f->who[author], &out), 0);
	return out.kept;
}

static void becomes(struct fixture *f, int author, enum store_class class)
{
	assert_int_equal(store_set_class(f->store, &f->who[author], class), 0);
}

/* The sums say what is there. */
static void check_agreement(struct fixture *f)
{
	static const char *const differ[] = {
		/* hours */
		"SELECT count(*) FROM (SELECT h.bytes AS b,"
		" (SELECT coalesce(sum(length(unit) + 320), 0) FROM messages m"
		" JOIN people p ON p.id = m.author WHERE p.class = 0"
		" AND m.room = h.room AND m.time_ms / 3600000 = h.hour) AS n"
		" FROM hours h) WHERE b != n",
		/* slots */
		"SELECT count(*) FROM (SELECT s.bytes AS b,"
		" (SELECT coalesce(sum(length(unit) + 320), 0) FROM messages m"
		" WHERE m.author = s.author AND m.room = s.room"
		" AND m.time_ms / 3600000 = s.hour) AS n FROM slots s)"
		" WHERE b != n",
		/* rooms, and all */
		"SELECT count(*) FROM shares s WHERE author = 0 AND room != 0"
		" AND bytes != (SELECT coalesce(sum(bytes), 0) FROM hours h"
		" WHERE h.room = s.room)",
		"SELECT count(*) FROM shares WHERE author = 0 AND room = 0"
		" AND bytes != (SELECT coalesce(sum(bytes), 0) FROM hours)",
		/* regulars, friends */
		"SELECT count(*) FROM shares s WHERE author = -1 AND bytes !="
		" (SELECT coalesce(sum(length(unit) + 320), 0) FROM messages m"
		" JOIN people p ON p.id = m.author WHERE p.class = 1"
		" AND m.room = s.room)",
		"SELECT count(*) FROM shares s JOIN people p ON p.id = s.author"
		" WHERE p.class = 2 AND bytes !="
		" (SELECT coalesce(sum(length(unit) + 320), 0) FROM messages m"
		" WHERE m.author = s.author AND m.room = s.room)",
	};

	assert_int_equal(store_commit(f->store), 0);
	for (size_t i = 0; i < P2P_ARRAY_LEN(differ); i++)
		if (number_of(f->store, differ[i]) != 0)
			fail_msg("sum %zu differs", i);
}

/* And nobody has more than his share. */
static void check_sums(struct fixture *f)
{
	check_agreement(f);
	assert_true(number_of(f->store, "SELECT max(bytes) FROM hours") <=
		    (int64_t)quota.strangers_hour);
	assert_true(
		number_of(f->store, "SELECT coalesce(max(bytes), 0) FROM shares"
				    " WHERE author = 0 AND room != 0") <=
		(int64_t)quota.strangers_room);
	assert_true(
		number_of(f->store, "SELECT coalesce(max(bytes), 0) FROM shares"
				    " WHERE author = 0 AND room = 0") <=
		(int64_t)quota.strangers);
}

static void test_quota_keeps_a_calm_hour_whole(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(
			says(f, 0, (int)i % 2, HOUR + i, i), STORE_KEPT);
	assert_int_equal(says(f, 0, 0, HOUR, 0), STORE_KEPT_ALREADY);
	check_sums(f);
	assert_int_equal(
		number_of(f->store, "SELECT count(*) FROM messages"), 100);
}

static void test_quota_a_flooded_hour_keeps_slots(void **state)
{
	struct fixture *f = *state;

	/* Each of many keys says more than a slot holds. */
	for (unsigned i = 0; i < 40; i++)
		for (int author = 0; author < 50; author++)
			(void)says(f, 0, author, HOUR + i, i);
	check_sums(f);
	assert_int_equal(number_of(f->store, "SELECT saturated FROM hours"), 1);
	assert_true(
		number_of(f->store, "SELECT max(n) FROM (SELECT count(*)"
				    " AS n FROM messages GROUP BY author)") <=
		STORE_SLOT_LINES_MAX);
	/* It is well used, and whoever has a slot has it from the first line
	 * on, without a hole. */
	assert_true(number_of(f->store, "SELECT count(*) FROM messages") > 60);
	assert_int_equal(
		number_of(f->store,
			"SELECT count(*) FROM (SELECT max(time_ms) AS t,"
			" count(*) AS n FROM messages GROUP BY author)"
			" WHERE t != 3600000 + n - 1"),
		0);
}

static void flood(struct fixture *f, int room, uint64_t hour)
{
	for (unsigned i = 0; i < 20; i++)
		for (int author = 0; author < 50; author++)
			(void)says(f, room, author, hour * HOUR + i,
				(unsigned)hour * 100 + i);
}

/* Who has no slot in one hour is not shut out of the next, nor of a room. */
static void test_quota_each_hour_and_room_draws_its_own(void **state)
{
	struct fixture *f = *state;

	flood(f, 0, 1);
	flood(f, 0, 2);
	flood(f, 1, 1);
	check_sums(f);
	assert_true(number_of(f->store,
			    "SELECT count(*) FROM slots WHERE room = 1"
			    " AND hour = 1 AND author NOT IN (SELECT author"
			    " FROM slots WHERE room = 1 AND hour = 2)") > 0);
	assert_true(number_of(f->store,
			    "SELECT count(*) FROM slots WHERE room = 1"
			    " AND hour = 1 AND author NOT IN (SELECT author"
			    " FROM slots WHERE room = 2 AND hour = 1)") > 0);
}

static void test_quota_what_was_dropped_never_comes_back(void **state)
{
	struct fixture *f = *state;
	static bool gone[50][40];

	memset(gone, 0, sizeof(gone));
	for (int round = 0; round < 3; round++)
		for (unsigned i = 0; i < 40; i++)
			for (int author = 0; author < 50; author++) {
				unsigned n = (unsigned)rng_below(&f->rng, 40);
				enum store_kept kept =
					says(f, 0, author, HOUR + n, n);

				if (gone[author][n])
					assert_int_equal(kept, STORE_NOT_KEPT);
				gone[author][n] |= kept == STORE_NOT_KEPT;
			}
	check_sums(f);
}

static int64_t lines_of(struct fixture *f, int author)
{
	char sql[100];

	snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM messages WHERE author = %lld",
		(long long)f->who[author].id);
	return number_of(f->store, sql);
}

/* A long line found no room in the slot: no shorter one behind it is kept,
 * since what is kept has no hole, and one before it is. */
static void test_quota_a_slot_ends_at_its_first_refusal(void **state)
{
	struct store_quota wide = quota;
	struct fixture *f = *state;
	unsigned with_slot = 0, kept_before = 0;

	wide.strangers_hour = 1 << 20;
	wide.strangers_room = wide.strangers = 4 << 20;
	store_set_quota(f->store, &wide);
	f->unit_bytes = 3000;
	for (int author = 0; author < 30; author++)
		for (unsigned i = 0; i < 22; i++) {
			enum store_kept kept =
				says(f, 0, author, HOUR + 10 + i, i);

			assert_true(
				kept != STORE_KEPT || lines_of(f, author) > 0);
		}
	f->unit_bytes = 100;
	check_agreement(f);
	for (int author = 0; author < 30; author++) {
		int64_t n = lines_of(f, author);

		with_slot += n > 0;
		assert_true(n == 0 ||
			    n == STORE_SLOT_BYTES_MAX /
					    (3000 + STORE_LINE_COST_BYTES));
		assert_int_equal(
			says(f, 0, author, HOUR + 100, 100), STORE_NOT_KEPT);
		assert_int_equal(lines_of(f, author), n);
	}
	assert_true(with_slot > 5);
	for (int author = 0; author < 30; author++) {
		int64_t n = lines_of(f, author);
		enum store_kept kept = says(f, 0, author, HOUR, 101);

		/* What is said of it is true. */
		assert_int_equal(
			lines_of(f, author) == n + 1, kept == STORE_KEPT);
		kept_before += kept == STORE_KEPT;
	}
	assert_true(kept_before > 3);
	check_agreement(f);
}

/* Hours that were full go as well as others, with all that was noted of them;
 * and as many as it takes. */
static void test_quota_oldest_hours_go_whole(void **state)
{
	struct fixture *f = *state;

	for (unsigned hour = 1; hour < 6; hour++)
		for (unsigned i = 0; i < 10; i++)
			for (int author = 0; author < 20; author++)
				(void)says(f, 0, author, hour * HOUR + i,
					hour * 100 + i);
	check_sums(f);
	assert_int_equal(number_of(f->store, "SELECT count(*) FROM slots"
					     " WHERE hour = 1"),
		0);
	/* Of the other room each hour has one line. */
	for (unsigned i = 0; i < 300; i++)
		(void)says(f, 1, (int)i % AUTHORS, (10 + i) * HOUR, i);
	check_sums(f);
	f->unit_bytes = 3900;
	assert_int_equal(says(f, 1, 0, 400 * HOUR, 1000), STORE_KEPT);
	check_sums(f);
}

/* A long line went and left room: what is older than it stays away. */
static void test_quota_a_friends_floor_holds(void **state)
{
	struct fixture *f = *state;

	becomes(f, 0, STORE_FRIEND);
	f->unit_bytes = 3000;
	assert_int_equal(says(f, 0, 0, HOUR, 0), STORE_KEPT);
	f->unit_bytes = 100;
	for (unsigned i = 1; i < 14; i++)
		assert_int_equal(says(f, 0, 0, HOUR + i, i), STORE_KEPT);
	assert_int_equal(lines_of(f, 0), 13);
	assert_int_equal(says(f, 0, 0, HOUR - 5, 50), STORE_NOT_KEPT);
	assert_int_equal(lines_of(f, 0), 13);
	assert_int_equal(says(f, 0, 0, HOUR + 1, 51), STORE_KEPT);
	check_sums(f);
}

static void test_quota_friends_lose_nothing_to_others(void **state)
{
	struct fixture *f = *state;

	becomes(f, 0, STORE_FRIEND);
	becomes(f, 1, STORE_REGULAR);
	/* A flood over a year, by many keys, in both rooms; they speak in it.
	 */
	for (unsigned i = 0; i < 4000; i++) {
		(void)says(f, (int)i % 2, 2 + (int)(i % 198),
			(i % 365) * 24 * HOUR + i, i);
		if (i % 250 == 0) {
			assert_int_equal(
				says(f, 0, 0, HOUR + i, i), STORE_KEPT);
			assert_int_equal(
				says(f, 0, 1, HOUR + i, i), STORE_KEPT);
		}
	}
	check_sums(f);
	assert_int_equal(
		number_of(f->store, "SELECT count(*) FROM messages JOIN people"
				    " ON people.id = author WHERE class > 0"),
		32);
	/* Dropped hours take no stranger again. */
	assert_int_equal(says(f, 0, 199, 0, 5000), STORE_NOT_KEPT);
	assert_int_equal(says(f, 0, 0, 1, 5000), STORE_KEPT);
}

static void test_quota_a_friend_gone_mad_loses_his_own(void **state)
{
	struct fixture *f = *state;

	becomes(f, 0, STORE_FRIEND);
	becomes(f, 1, STORE_FRIEND);
	becomes(f, 2, STORE_REGULAR);
	becomes(f, 3, STORE_REGULAR);
	assert_int_equal(says(f, 0, 1, HOUR, 0), STORE_KEPT);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(says(f, 0, 0, HOUR + i, i), STORE_KEPT);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(
			says(f, 0, 2 + (int)i % 2, HOUR + i, i), STORE_KEPT);
	check_sums(f);
	/* The newest are there; the others' are, too. */
	assert_int_equal(number_of(f->store,
				 "SELECT count(*) FROM messages WHERE author ="
				 " (SELECT id FROM people WHERE peer ="
				 " '12D3who0') AND time_ms >= 3600180"),
		20);
	assert_int_equal(says(f, 0, 1, HOUR, 0), STORE_KEPT_ALREADY);
	assert_int_equal(says(f, 0, 0, HOUR + 3, 3), STORE_NOT_KEPT);
	assert_int_equal(number_of(f->store,
				 "SELECT count(*) FROM messages JOIN people ON"
				 " people.id = author WHERE class = 1"),
		50);
}

static void test_quota_lines_follow_their_author(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < 40; i++)
		for (int author = 0; author < 20; author++)
			(void)says(f, 0, author, HOUR + i, i);
	for (int author = 0; author < 20; author++)
		becomes(f, author, STORE_REGULAR);
	check_sums(f);
	assert_int_equal(
		number_of(f->store, "SELECT sum(bytes) FROM hours"), 0);
	for (unsigned i = 0; i < 40; i++)
		(void)says(f, 0, 0, HOUR + i, i);
	for (int author = 0; author < 20; author++)
		becomes(f, author, STORE_STRANGER);
	/* Strangers again, they pass through the slots. */
	check_sums(f);
	assert_true(
		number_of(f->store, "SELECT max(n) FROM (SELECT count(*)"
				    " AS n FROM messages GROUP BY author)") <=
		STORE_SLOT_LINES_MAX);
}

static void test_quota_holds_whatever_comes(void **state)
{
	struct fixture *f = *state;
	struct store_person committed[AUTHORS];

	for (unsigned step = 0; step < 6000; step++) {
		int author = (int)rng_below(&f->rng, 40);
		uint64_t ms =
			rng_below(&f->rng, 4) * HOUR + rng_below(&f->rng, 1000);

		if (rng_below(&f->rng, 60) == 0)
			becomes(f, author,
				(enum store_class)rng_below(&f->rng, 3));
		else
			(void)says(f, (int)rng_below(&f->rng, 2), author, ms,
				step);
		if (rng_below(&f->rng, 100) == 0 && step > 500) {
			store_rollback(f->store);
			memcpy(f->who, committed, sizeof(committed));
		} else if (rng_below(&f->rng, 50) == 0 || step == 500) {
			assert_int_equal(store_commit(f->store), 0);
			memcpy(committed, f->who, sizeof(committed));
		}
		if (step % 500 == 0) {
			check_sums(f);
			memcpy(committed, f->who, sizeof(committed));
		}
	}
	check_sums(f);
}

/* A turn writes each sum once, however many lines are counted in it. */
static void test_quota_a_burst_writes_its_sums_once(void **state)
{
	struct fixture *f = *state;
	int before;

	becomes(f, 1, STORE_REGULAR);
	becomes(f, 2, STORE_FRIEND);
	assert_int_equal(store_commit(f->store), 0);
	before = sqlite3_total_changes(f->store->db);
	for (unsigned i = 0; i < 60; i++)
		assert_int_equal(
			says(f, 0, (int)i % 3, HOUR + i, i), STORE_KEPT);
	assert_int_equal(store_commit(f->store), 0);
	/* The hour, strangers here and in all, regulars, the friend, the sum
	 * of the room's places, and the count of commits. */
	assert_int_equal(sqlite3_total_changes(f->store->db) - before, 60 + 7);
	check_sums(f);
}

static void test_quota_rolls_back_as_a_whole(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(store_commit(f->store), 0);
	for (unsigned i = 0; i < 300; i++)
		(void)says(f, 0, (int)i % 10, HOUR + i, i);
	store_rollback(f->store);
	check_sums(f);
	assert_int_equal(number_of(f->store, "SELECT count(*) FROM hours"), 0);
}

static const char without_slot[] =
	"SELECT count(*) FROM messages m JOIN people p ON p.id = m.author"
	" JOIN hours h ON h.room = m.room AND h.hour = m.time_ms / 3600000"
	" WHERE p.class = 0 AND h.saturated AND NOT EXISTS (SELECT 1 FROM"
	" slots s WHERE s.author = m.author AND s.room = m.room"
	" AND s.hour = h.hour)";

static const char damaged_rows[] =
	/* Somebody, some of the lines and the slots, an hour, a share. */
	"UPDATE people SET days = 9 WHERE peer = '12D3who0';"
	"UPDATE messages SET mention = 1 - mention WHERE row % 7 = 0;"
	"UPDATE slots SET lines = lines + 1 WHERE hour = 2 AND author % 3 = 0;"
	"UPDATE hours SET bytes = 0 WHERE hour = 3;"
	"UPDATE shares SET bytes = bytes + 1 WHERE author = -1;";

/* Into a file whose first page is gone, from there into another. */
static void salvage(struct fixture *f, char *dir)
{
	sqlite3_int64 size;
	uint8_t *image = sqlite3_serialize(f->store->db, "main", &size, 0);
	char *path;
	FILE *file;

	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/chat.db", dir);
	store_close(f->store);
	file = fopen(path, "wb");
	assert_true(image != NULL && file != NULL);
	memset(image, 0, 4096);
	assert_int_equal(fwrite(image, 1, (size_t)size, file), size);
	assert_int_equal(fclose(file), 0);
	sqlite3_free(image);
	assert_int_equal(store_salvage(path, 0, NULL), 0);
	assert_int_equal(store_open(&f->store, path, NULL), 0);
	store_set_quota(f->store, &quota);
	free(path);
}

static void remove_files(const char *dir)
{
	static const char *const ends[] = {
		"", "-wal", STORE_SHOWN_SUFFIX, ".damaged-1970-01-01"};

	for (size_t i = 0; i < P2P_ARRAY_LEN(ends); i++) {
		char *name = xasprintf("%s/chat.db%s", dir, ends[i]);

		(void)unlink(name);
		free(name);
	}
	assert_int_equal(rmdir(dir), 0);
}

static void test_quota_agrees_in_a_database_that_was_carried_over(void **state)
{
	char dir[] = "/tmp/test_quota.XXXXXX";
	struct fixture *f = *state;

	becomes(f, 51, STORE_REGULAR);
	becomes(f, 52, STORE_FRIEND);
	for (unsigned i = 0; i < 1200; i++)
		(void)says(f, (int)i % 2, (int)(i % 53), (1 + i % 3) * HOUR + i,
			i);
	check_sums(f);
	assert_true(number_of(f->store, "SELECT count(*) FROM slots") > 9);
	assert_int_equal(store_exec(f->store, damaged_rows), 0);
	salvage(f, dir);
	/* Nothing had to be mended. */
	assert_int_equal(store_damage(f->store)->shares, 0);
	assert_false(store_damage(f->store)->uncounted);
	check_sums(f);
	/* Strangers have a slot in a saturated hour, or it is none. */
	assert_int_equal(number_of(f->store, without_slot), 0);
	assert_true(number_of(f->store, "SELECT count(*) FROM hours"
					" WHERE saturated") > 0);
	for (unsigned i = 0; i < 1200; i++)
		(void)says(f, (int)i % 2, 1 + (int)(i % 52),
			(1 + i % 3) * HOUR + i, 5000 + i);
	check_sums(f);
	remove_files(dir);
}

static void test_quota_forgets_strangers_who_said_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t count;

	becomes(f, 0, STORE_FRIEND);
	(void)says(f, 0, 1, HOUR, 1);
	/* Nobody forgets whose key was compared. */
	assert_int_equal(
		store_exec(f->store,
			"UPDATE people SET verified = 1 WHERE id = "
			"(SELECT min(id) FROM people WHERE class = 0"
			" AND id NOT IN (SELECT author FROM messages))"),
		0);
	assert_int_equal(store_forget_strangers(f->store, 0), 0);
	assert_int_equal(store_count_strangers(f->store, &count), 0);
	/* That one, who said something, and the newest, whose number is not to
	 * be used twice. */
	assert_int_equal(count, 3);
	assert_int_equal(number_of(f->store,
				 "SELECT count(*) FROM people WHERE class = 2"),
		1);
}

static void test_quota_addresses_of_friends_outlive_strangers(void **state)
{
	struct fixture *f = *state;
	struct store_address a = {.addr = "/ip4/10.0.0.1/tcp/1"};
	struct store_record r = {.len = 1};

	becomes(f, 0, STORE_FRIEND);
	for (int i = 0; i < STORE_ADDRS_MAX + 50; i++) {
		snprintf(a.peer, sizeof(a.peer), "12D3who%d", i);
		snprintf(r.peer, sizeof(r.peer), "12D3who%d", i);
		a.last_ok_ms = r.seen_ms = (uint64_t)i;
		assert_int_equal(store_put_address(f->store, &a), 0);
		assert_int_equal(store_put_record(f->store, &r), 0);
	}
	assert_int_equal(number_of(f->store, "SELECT count(*) FROM addresses"),
		STORE_ADDRS_MAX);
	assert_int_equal(number_of(f->store,
				 "SELECT count(*) FROM addresses WHERE peer ="
				 " '12D3who0'"),
		1);
	assert_int_equal(
		number_of(f->store, "SELECT count(*) FROM records WHERE peer ="
				    " '12D3who0'"),
		1);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_quota_keeps_a_calm_hour_whole),
		STORY(test_quota_a_flooded_hour_keeps_slots),
		STORY(test_quota_each_hour_and_room_draws_its_own),
		STORY(test_quota_what_was_dropped_never_comes_back),
		STORY(test_quota_a_slot_ends_at_its_first_refusal),
		STORY(test_quota_oldest_hours_go_whole),
		STORY(test_quota_a_friends_floor_holds),
		STORY(test_quota_friends_lose_nothing_to_others),
		STORY(test_quota_a_friend_gone_mad_loses_his_own),
		STORY(test_quota_lines_follow_their_author),
		STORY(test_quota_holds_whatever_comes),
		STORY(test_quota_a_burst_writes_its_sums_once),
		STORY(test_quota_rolls_back_as_a_whole),
		STORY(test_quota_agrees_in_a_database_that_was_carried_over),
		STORY(test_quota_forgets_strangers_who_said_nothing),
		STORY(test_quota_addresses_of_friends_outlive_strangers),
	};

	return cmocka_run_group_tests_name("store_quota", tests, NULL, NULL);
}
