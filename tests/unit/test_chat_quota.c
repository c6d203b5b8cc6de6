/*
 * What of others a chat keeps: who is a friend, who a regular, what is said
 * when something is not kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "chat/chat_internal.h"
#include "store/store_internal.h"
#include "tests/unit/chat_host.h"

#define MIB (1024ULL * 1024)
#define DAY_MS (86400ULL * 1000)

static void set_limits(struct host *h)
{
	h->cfg.limits = (struct chat_limits){.profile_bytes = 100 * MIB,
		.free_strangers_bytes = 256 * MIB,
		.free_others_bytes = 64 * MIB};
	h->cfg.quota = (struct store_quota){.strangers = 4 * MIB,
		.strangers_room = 2 * MIB,
		.strangers_hour = 40000,
		.regulars_room = 8 * MIB,
		.friend_room = 8 * MIB};
}

static int begin(void **state)
{
	struct fixture *f;

	if (host_story_begin(state) != 0)
		return -1;
	f = *state;
	set_limits(&f->me);
	host_restart_with(&f->me);
	host_meets(&f->me, &f->eve, LOBBY);
	return 0;
}

static enum store_class class_of(struct fixture *f, const struct author *a)
{
	struct store_person p = {.class = STORE_STRANGER};

	(void)!store_find_person(f->me.store, a->peer, &p);
	return p.class;
}

static void test_who_is_answered_by_name_is_a_friend(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct net_msg *m;

	author_says_native(&f->mali, h, "hello", NOW);
	author_says_native(&f->tom, h, "hello too", NOW);
	host_types(h, NULL, "mali is here");
	assert_int_equal(class_of(f, &f->mali), STORE_STRANGER);
	host_types(h, NULL, "mali: hello yourself");
	assert_int_equal(class_of(f, &f->mali), STORE_FRIEND);
	assert_int_equal(class_of(f, &f->tom), STORE_STRANGER);
	m = host_sent(h, NET_MSG_KNOWN_AUTHOR, 0);
	assert_string_equal(m->peer, f->mali.peer);
	assert_int_equal(m->worth, 1);
	/* Of two with one name nobody knows who was meant. */
	f->eve.name = "tom";
	author_says_native(&f->eve, h, "I am tom", NOW);
	host_types(h, NULL, "tom: hello");
	assert_int_equal(class_of(f, &f->tom), STORE_STRANGER);
	assert_int_equal(class_of(f, &f->eve), STORE_STRANGER);
	/* Net is told again at each start. */
	host_restart_with(h);
	assert_int_equal(host_sent_count(h, NET_MSG_KNOWN_AUTHOR), 1);
	assert_int_equal(host_sent(h, NET_MSG_KNOWN_AUTHOR, 0)->worth, 1);
}

static void test_who_is_kept_connected_is_a_friend(void **state)
{
	struct fixture *f = *state;
	char address[128];
	const char *keep[] = {address};

	snprintf(address, sizeof(address), "/ip4/10.0.0.1/tcp/1/p2p/%s",
		f->tom.peer);
	f->me.cfg.keep = keep;
	f->me.cfg.keep_count = 1;
	host_restart_with(&f->me);
	assert_int_equal(class_of(f, &f->tom), STORE_FRIEND);
	f->me.cfg.keep_count = 0;
}

static void next_day(struct host *h)
{
	h->te.env.now_ms += DAY_MS;
	h->te.env.wall_ms += DAY_MS;
}

static void test_two_days_make_a_regular(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	author_says_native(&f->mali, h, "one", NOW);
	author_says_native(&f->mali, h, "two", NOW + 1);
	assert_int_equal(class_of(f, &f->mali), STORE_STRANGER);
	next_day(h);
	author_says_native(&f->mali, h, "three", NOW + DAY_MS);
	assert_int_equal(class_of(f, &f->mali), STORE_REGULAR);
	/* With nobody of the room there it proves nothing. */
	host_gone(h, f->eve.peer);
	author_says_native(&f->tom, h, "one", NOW + DAY_MS);
	next_day(h);
	author_says_native(&f->tom, h, "two", NOW + 2 * DAY_MS);
	assert_int_equal(class_of(f, &f->tom), STORE_STRANGER);
}

static void test_only_some_become_regulars_in_a_day(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct author a;
	size_t regulars = 0;

	for (int day = 0; day < 2; day++) {
		for (uint8_t i = 0; i < CHAT_REGULARS_NEW_MAX + 5; i++) {
			author_init(&a, (uint8_t)(100 + i), "x");
			a.seqno = (uint64_t)day * 1000 + 1;
			author_says_native(
				&a, h, "x", NOW + (uint64_t)day * DAY_MS + i);
		}
		next_day(h);
	}
	for (uint8_t i = 0; i < CHAT_REGULARS_NEW_MAX + 5; i++) {
		author_init(&a, (uint8_t)(100 + i), "x");
		regulars += class_of(f, &a) == STORE_REGULAR;
	}
	assert_int_equal(regulars, CHAT_REGULARS_NEW_MAX);
}

static void test_flood_is_shown_and_not_all_is_kept(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	char text[32];
	size_t kept = 0;

	author_says_native(&f->tom, h, "hello", NOW);
	host_types(h, NULL, "tom: hello");
	for (unsigned i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "flood %u", i);
		author_says_native(&f->mali, h, text, NOW + i);
		assert_non_null(host_line(h, text));
		kept += !host_line(h, text)->line.not_kept;
	}
	/* Up to the hour's share, and then a slot. */
	assert_in_range(kept, STORE_SLOT_LINES_MAX, 70);
	assert_non_null(host_text(h, UI_MSG_NOTICE, "have filled their share"));
	author_says_native(&f->tom, h, "I am still here", NOW + 300);
	assert_false(host_line(h, "I am still here")->line.not_kept);
	/* It is said once, not for each line. */
	host_forget(h);
	author_says_native(&f->mali, h, "more", NOW + 301);
	assert_null(host_text(h, UI_MSG_NOTICE, "have filled"));
	host_restart_with(h);
	host_page(h, LOBBY, CHAT_PAGE_MAX);
	assert_non_null(host_line(h, "I am still here"));
	assert_null(host_line(h, "more"));
}

static void test_key_a_line_leaves_few_rows_of_people(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct author a;
	uint64_t strangers;

	for (unsigned i = 0; i < 500; i++) {
		uint8_t raw[32] = {(uint8_t)i, (uint8_t)(i >> 8), 9};

		author_init(&a, 1, "x");
		identity_from_seed(&a.key, raw);
		peer_id_text(&a.key.id, a.peer);
		author_says_native(&a, h, "x", NOW + i);
	}
	assert_int_equal(store_count_strangers(h->store, &strangers), 0);
	/* Those who have a line within the hour's share, or had one until
	 * somebody before them came; not those who found no room. */
	assert_true(strangers < 250);
}

static void test_little_room_keeps_no_strangers(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	author_says_native(&f->tom, h, "hello", NOW);
	host_types(h, NULL, "tom: hello");
	h->store->space.free_bytes = 200 * MIB;
	host_wait(h, CHAT_SPACE_LOOK_MS);
	author_says_native(&f->mali, h, "a stranger", NOW + 1);
	author_says_native(&f->tom, h, "a friend", NOW + 2);
	assert_true(host_line(h, "a stranger")->line.not_kept);
	assert_false(host_line(h, "a friend")->line.not_kept);
	assert_non_null(host_text(h, UI_MSG_NOTICE, "nearly full"));
	h->store->space.free_bytes = 60 * MIB;
	host_wait(h, CHAT_SPACE_LOOK_MS);
	author_says_native(&f->tom, h, "a friend again", NOW + 3);
	host_types(h, NULL, "my own");
	assert_true(host_line(h, "a friend again")->line.not_kept);
	assert_int_equal(host_line_count(h, "my own"), 1);
	h->store->space.free_bytes = UINT64_MAX;
	host_wait(h, CHAT_SPACE_LOOK_MS);
	author_says_native(&f->mali, h, "room again", NOW + 4);
	assert_false(host_line(h, "room again")->line.not_kept);
	assert_non_null(host_text(h, UI_MSG_NOTICE, "room on the disk again"));
	/* The same where the profile has grown to its quota. */
	h->store->space.used_bytes = 101 * MIB;
	host_wait(h, CHAT_SPACE_LOOK_MS);
	author_says_native(&f->tom, h, "no room", NOW + 5);
	assert_true(host_line(h, "no room")->line.not_kept);
}

/* What the defaults would give is cut to a part of a small quota. */
static void test_shares_are_parts_of_the_quota(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	set_limits(h);
	h->cfg.limits.profile_bytes = 8 * MIB;
	host_restart_with(h);
	assert_int_equal(h->store->quota.strangers, MIB);
	assert_int_equal(h->store->quota.strangers_room, MIB);
	assert_int_equal(h->store->quota.strangers_hour, 40000);
	assert_int_equal(h->store->quota.regulars_room, 2 * MIB);
	assert_int_equal(h->store->quota.friend_room, 2 * MIB);
	h->cfg.limits.profile_bytes = 80000;
	host_restart_with(h);
	assert_int_equal(h->store->quota.strangers_hour, 10000);
}

/* As many rows as strangers may have: who is new has none, and no line. */
static void test_people_have_a_bound(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct store_person p;

	author_says_native(&f->mali, h, "in time", NOW);
	h->chat->strangers = STORE_STRANGERS_MAX;
	author_says_native(&f->tom, h, "too late", NOW + 1);
	author_says_native(&f->mali, h, "known by then", NOW + 2);
	assert_true(host_line(h, "too late")->line.not_kept);
	assert_false(host_line(h, "known by then")->line.not_kept);
	assert_int_equal(store_find_person(h->store, f->tom.peer, &p),
		P2P_ERR_NOT_FOUND);
}

/* As many regulars as there may be, of so many days each. */
static void fill_regulars(struct fixture *f, uint32_t days)
{
	struct host *h = &f->me;
	struct store_person p;
	struct author a;

	for (uint32_t i = 0; i < CHAT_REGULARS_MAX; i++) {
		uint8_t raw[32] = {(uint8_t)i, (uint8_t)(i >> 8), 8};

		author_init(&a, 1, "x");
		identity_from_seed(&a.key, raw);
		peer_id_text(&a.key.id, a.peer);
		p = (struct store_person){.days = days, .day = 1};
		(void)snprintf(p.peer, sizeof(p.peer), "%s", a.peer);
		assert_int_equal(store_put_person(h->store, &p), 0);
		assert_int_equal(
			store_set_class(h->store, &p, STORE_REGULAR), 0);
	}
	assert_int_equal(store_commit(h->store), 0);
	host_restart_with(h);
	host_meets(h, &f->eve, LOBBY);
}

static uint64_t mali_comes_on_two_days(struct fixture *f)
{
	struct store_regulars all;

	author_says_native(&f->mali, &f->me, "one", NOW);
	next_day(&f->me);
	author_says_native(&f->mali, &f->me, "two", NOW + DAY_MS);
	assert_int_equal(store_regulars(f->me.store, 0, 1, &all), 0);
	return all.count;
}

static void test_regulars_of_many_days_stay(void **state)
{
	struct fixture *f = *state;

	fill_regulars(f, 5);
	assert_int_equal(mali_comes_on_two_days(f), CHAT_REGULARS_MAX);
	assert_int_equal(class_of(f, &f->mali), STORE_STRANGER);
}

static void test_who_came_on_fewer_days_makes_way(void **state)
{
	struct fixture *f = *state;

	fill_regulars(f, 1);
	assert_int_equal(mali_comes_on_two_days(f), CHAT_REGULARS_MAX);
	assert_int_equal(class_of(f, &f->mali), STORE_REGULAR);
}

static void test_strangers_far_ahead_are_not_kept(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	author_says_native(&f->mali, h, "next week", NOW + 7 * DAY_MS);
	assert_true(host_line(h, "next week")->line.not_kept);
	host_types(h, NULL, "tom: are you there?");
	author_says_native(&f->tom, h, "hello", NOW);
	host_types(h, NULL, "tom: yes");
	author_says_native(&f->tom, h, "from next week", NOW + 7 * DAY_MS);
	assert_false(host_line(h, "from next week")->line.not_kept);
}

#undef STORY
#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, host_story_end)

/* Ask for a page as the screen does; the lines of it that have the text. */
static unsigned page_has(struct host *h, const char *text)
{
	unsigned n = 0;

	host_forget(h);
	host_page(h, LOBBY, 50);
	for (size_t i = 0; i < host_said_count(h, UI_MSG_LINE); i++) {
		const struct ui_line *l = &host_said(h, UI_MSG_LINE, i)->line;

		n += l->origin == UI_LINE_PAGE && strcmp(l->text, text) == 0;
	}
	assert_int_equal(host_said_count(h, UI_MSG_PAGE_END), 1);
	return n;
}

static void test_only_known_leaves_strangers_out_of_pages(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	struct ui_msg *end;

	author_says_native(&f->mali, h, "hello", NOW);
	host_types(h, NULL, "mali: hello yourself");
	/* More than one look into the store brings; hours have quotas. */
	for (unsigned i = 0; i < 2 * CHAT_PAGE_MAX; i++)
		author_says_native(&f->eve, h, "spam", NOW + 1 + i * 150000u);
	assert_true(host_line(h, "hello")->line.own);
	assert_false(host_line(h, "spam")->line.known);
	assert_true(page_has(h, "spam") > 0);
	host_types(h, NULL, "/only known");
	assert_true(host_said(h, UI_MSG_ROOM, 0)->only_known);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(page_has(h, "spam"), 0);
		assert_int_equal(page_has(h, "hello"), 1);
		assert_true(host_line(h, "hello")->line.known);
		end = host_said(h, UI_MSG_PAGE_END, 0);
		assert_false(end->more);
		assert_int_equal(end->line.time_ms, NOW);
		/* Remembered. */
		host_restart_with(h);
		host_meets(h, &f->eve, LOBBY);
	}
	host_types(h, NULL, "/only");
	assert_non_null(host_text(h, UI_MSG_ERROR, "only people you know"));
	host_forget(h);
	host_types(h, NULL, "/only all");
	assert_false(host_said(h, UI_MSG_ROOM, 0)->only_known);
	assert_true(page_has(h, "spam") > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_who_is_answered_by_name_is_a_friend),
		STORY(test_only_known_leaves_strangers_out_of_pages),
		STORY(test_who_is_kept_connected_is_a_friend),
		STORY(test_two_days_make_a_regular),
		STORY(test_only_some_become_regulars_in_a_day),
		STORY(test_flood_is_shown_and_not_all_is_kept),
		STORY(test_key_a_line_leaves_few_rows_of_people),
		STORY(test_little_room_keeps_no_strangers),
		STORY(test_shares_are_parts_of_the_quota),
		STORY(test_people_have_a_bound),
		STORY(test_regulars_of_many_days_stay),
		STORY(test_who_came_on_fewer_days_makes_way),
		STORY(test_strangers_far_ahead_are_not_kept),
	};

	return cmocka_run_group_tests_name("chat_quota", tests, NULL, NULL);
}
