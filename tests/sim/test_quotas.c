/*
 * Fifty members of one room under floods (decision 0018): real chats and
 * stores, each with a secret of its own; the network between them is a loop
 * that hands a line to members by chance and in another order to each. After
 * every attack: no line of friends or regulars is missing anywhere, no share
 * is exceeded, every sum is what is there, nothing that was dropped is back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "store/store_internal.h"
#include "tests/unit/chat_host.h"
#include "tests/unit/store_number.h"

#define MEMBERS 50
#define LINES 300
#define MIB (1024ULL * 1024)
#define DAY_MS (86400ULL * 1000)
#define HOUR_MS (3600ULL * 1000)

static const struct store_quota quota = {
	.strangers = 300000,
	.strangers_room = 200000,
	.strangers_hour = 40000,
	.regulars_room = 200000,
	.friend_room = 100000,
};

struct world {
	struct host *members; /* MEMBERS of them */
	struct author friend;
	struct author regular;
	struct rng rng;
	unsigned said; /* by each of those two */
	uint64_t now;
};

/* Who floods: the author and the time of the n-th line. */
struct attack {
	const char *name;
	unsigned keys;
	uint64_t spread_ms; /* its lines are dated over so long */
	bool of_friend;     /* the friend's key has gone mad */
	bool one_victim;    /* only the first member hears it */
};

static void open_member(struct host *h, unsigned number)
{
	host_init(h, (uint8_t)(number + 1), "me");
	rng_init_seeded(&h->te.rng, number + 1);
	h->cfg.limits = (struct chat_limits){.profile_bytes = 100 * MIB};
	h->cfg.quota = quota;
	/* Two clocks are wrong: one was never set, one is far ahead. */
	if (number == 1)
		h->te.env.wall_ms = 0;
	if (number == 2)
		h->te.env.wall_ms += 14 * 365 * DAY_MS;
	host_restart_with(h);
}

static void hand_over(struct world *w, struct bytes raw, bool one_victim)
{
	unsigned first = (unsigned)rng_below(&w->rng, MEMBERS);

	for (unsigned i = 0; i < MEMBERS; i++) {
		struct host *h = &w->members[(first + i) % MEMBERS];

		if (one_victim && h != w->members)
			continue;
		host_unit(h, raw);
		host_forget(h);
	}
}

static void says(struct world *w, struct author *a, uint64_t ms,
	const struct attack *attack)
{
	struct payload_out line = {.text = "what is said here is said",
		.name = a->name,
		.from = a->peer,
		.time_ms = ms};
	struct buf data, raw;

	buf_init(&data, UNIT_DATA_BYTES_MAX);
	buf_init(&raw, UNIT_BYTES_MAX);
	assert_int_equal(payload_write(DIALECT_NATIVE, &line, &data), 0);
	assert_int_equal(unit_sign(&a->key, a->seqno++, bytes_str(LOBBY),
				 buf_bytes(&data), &raw),
		0);
	hand_over(w, buf_bytes(&raw), attack != NULL && attack->one_victim);
	buf_clear(&data);
	buf_clear(&raw);
}

static void known_speak(struct world *w)
{
	w->now += 1000;
	says(w, &w->friend, w->now, NULL);
	says(w, &w->regular, w->now, NULL);
	w->said++;
}

static void next_day(struct world *w)
{
	w->now += DAY_MS;
	for (unsigned i = 0; i < MEMBERS; i++) {
		w->members[i].te.env.now_ms += DAY_MS;
		w->members[i].te.env.wall_ms += DAY_MS;
	}
}

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	w->members = calloc(MEMBERS, sizeof(*w->members));
	w->now = NOW;
	rng_init_seeded(&w->rng, 1);
	author_init(&w->friend, 200, "fay");
	author_init(&w->regular, 201, "reg");
	for (unsigned i = 0; i < MEMBERS; i++) {
		open_member(&w->members[i], i);
		host_meets(&w->members[i], &w->friend, LOBBY);
	}
	known_speak(w);
	next_day(w);
	for (unsigned i = 0; i < MEMBERS; i++)
		host_types(&w->members[i], NULL, "fay: hello");
	known_speak(w);
	return w;
}

static void world_free(struct world *w)
{
	for (unsigned i = 0; i < MEMBERS; i++)
		host_clear(&w->members[i]);
	free(w->members);
	free(w);
}

static int64_t lines_of(struct store *s, const struct author *a)
{
	struct store_person p = {.id = 0};
	char sql[120];

	assert_int_equal(store_find_person(s, a->peer, &p), 0);
	snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM messages WHERE author = %lld",
		(long long)p.id);
	return number_of(s, sql);
}

static void check_shares(struct store *s)
{
	assert_int_equal(
		number_of(s, "SELECT count(*) FROM (SELECT h.bytes AS b,"
			     " (SELECT coalesce(sum(length(unit) + 320), 0)"
			     " FROM messages m JOIN people p"
			     " ON p.id = m.author WHERE p.class = 0"
			     " AND m.state = 0 AND m.room = h.room AND"
			     " m.time_ms / 3600000 = h.hour) AS n"
			     " FROM hours h) WHERE b != n"),
		0);
	assert_true(number_of(s, "SELECT coalesce(max(bytes), 0) FROM hours") <=
		    (int64_t)quota.strangers_hour);
	assert_true(number_of(s, "SELECT coalesce(max(bytes), 0) FROM shares"
				 " WHERE author = 0") <=
		    (int64_t)quota.strangers_room);
	assert_true(number_of(s, "SELECT coalesce(max(bytes), 0) FROM shares"
				 " WHERE author = -1") <=
		    (int64_t)quota.regulars_room);
	assert_true(number_of(s,
			    "SELECT coalesce(max(bytes), 0) FROM shares"
			    " WHERE author > 0") <= (int64_t)quota.friend_room);
}

static void check(struct world *w, const struct attack *attack)
{
	for (unsigned i = 0; i < MEMBERS; i++) {
		struct store *s = w->members[i].store;

		check_shares(s);
		assert_int_equal(lines_of(s, &w->regular), w->said);
		if (!attack->of_friend)
			assert_int_equal(lines_of(s, &w->friend), w->said);
	}
}

static void flood(struct world *w, const struct attack *attack)
{
	struct author *eve = calloc(attack->keys, sizeof(*eve));

	for (unsigned i = 0; i < attack->keys; i++) {
		uint8_t raw[32] = {(uint8_t)i, (uint8_t)(i >> 8), 77};

		author_init(&eve[i], 1, "eve");
		identity_from_seed(&eve[i].key, raw);
		peer_id_text(&eve[i].key.id, eve[i].peer);
	}
	for (unsigned i = 0; i < LINES; i++) {
		uint64_t back = attack->spread_ms == 0
					? 0
					: rng_below(&w->rng, attack->spread_ms);

		says(w, attack->of_friend ? &w->friend : &eve[i % attack->keys],
			w->now - back, attack);
		if (i % 40 == 0)
			known_speak(w);
	}
	free(eve);
}

static void test_quotas_under_floods(void **state)
{
	static const struct attack attacks[] = {
		{.name = "one key", .keys = 1},
		{.name = "fifty keys", .keys = 50},
		{.name = "a key a line", .keys = LINES},
		{.name = "over a year", .keys = 50, .spread_ms = 365 * DAY_MS},
		{.name = "one member only", .keys = 50, .one_victim = true},
		{.name = "a friend gone mad", .keys = 1, .of_friend = true},
	};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(attacks); i++) {
		struct world *w = world_new();

		print_message("# %s\n", attacks[i].name);
		flood(w, &attacks[i]);
		check(w, &attacks[i]);
		world_free(w);
	}
}

/* Keys that all speak on two days: few of them become regulars a day, and who
 * was one keeps every line. */
static void test_quotas_against_made_regulars(void **state)
{
	static const struct attack attack = {
		.name = "regulars", .keys = LINES / 2};
	struct world *w = world_new();

	(void)state;
	flood(w, &attack);
	next_day(w);
	flood(w, &attack);
	check(w, &attack);
	for (unsigned i = 0; i < MEMBERS; i++)
		assert_in_range(number_of(w->members[i].store,
					"SELECT count(*) FROM people"
					" WHERE class = 1"),
			1, 1 + CHAT_REGULARS_NEW_MAX);
	world_free(w);
}

/* Nobody can know who is kept: each member's order is its own. */
static void test_quotas_order_strangers_by_a_secret(void **state)
{
	static const struct attack attack = {
		.name = "a key a line", .keys = LINES};
	struct world *w = world_new();
	unsigned differ = 0;
	int64_t cut;

	(void)state;
	flood(w, &attack);
	cut = number_of(w->members[0].store, "SELECT max(cut) FROM hours");
	for (unsigned i = 1; i < MEMBERS; i++)
		differ += number_of(w->members[i].store,
				  "SELECT max(cut) FROM hours") != cut;
	assert_true(differ > MEMBERS / 2);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quotas_under_floods),
		cmocka_unit_test(test_quotas_against_made_regulars),
		cmocka_unit_test(test_quotas_order_strangers_by_a_secret),
	};

	return cmocka_run_group_tests_name("quotas", tests, NULL, NULL);
}
