/* The address book: who says what, who makes room, what is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/swarm/book.h"
#include "tests/lib/test_env.h"

#define DAY_MS (24ull * 60 * 60 * 1000)

struct fixture {
	struct test_env te;
	struct book book;
	struct book_entry e[3];
	struct identity me;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	uint8_t seed[32] = {5};

	assert_int_equal(crypto_init(), 0);
	test_env_init(&f->te, 1);
	identity_from_seed(&f->me, seed);
	book_init(&f->book, &f->te.budget);
	for (unsigned i = 0; i < P2P_ARRAY_LEN(f->e); i++)
		book_add(&f->book, &f->e[i], 1000 + i);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < P2P_ARRAY_LEN(f->e); i++)
		book_remove(&f->book, &f->e[i]);
	book_clear(&f->book);
	assert_int_equal(f->te.budget.used, 0);
	free(f);
	return 0;
}

static struct maddr addr(const char *text)
{
	struct maddr a;

	assert_int_equal(maddr_parse_text(&a, bytes_str(text)), 0);
	return a;
}

static struct maddr numbered(unsigned i)
{
	char text[64];

	snprintf(text, sizeof(text), "/ip4/10.0.0.1/tcp/%u", i + 1);
	return addr(text);
}

static int learn(struct fixture *f, const char *text, unsigned source)
{
	struct maddr a = addr(text);

	return book_learn(&f->book, &f->e[0], &a, source, 1000);
}

static bool knows(const struct fixture *f, const char *text)
{
	struct maddr a = addr(text);

	return book_find(&f->e[0], &a) != NULL;
}

static int certify(struct fixture *f, uint64_t seq, const char *text)
{
	struct maddr a = addr(text);
	struct peer_record r = {.seq = seq, .addr_count = 1};
	struct peer_record opened;
	struct buf raw;
	int err;

	r.addrs[0] = maddr_bytes(&a);
	buf_init(&raw, ENVELOPE_BYTES_MAX);
	assert_int_equal(peer_record_seal(&f->me, &r, &raw), 0);
	assert_int_equal(peer_record_open(&opened, buf_bytes(&raw)), 0);
	err = book_certify(&f->book, &f->e[0],
		&(struct book_record){
			.record = &opened, .envelope = buf_bytes(&raw)},
		2000);
	buf_clear(&raw);
	return err;
}

/* ---- certified over uncertified ---- */

static void test_book_certified_goes_over_told_not_over_hints(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(learn(f, "/ip4/10.0.0.2/tcp/1", BOOK_TOLD), 0);
	assert_int_equal(learn(f, "/ip4/10.0.0.3/tcp/1", BOOK_LAN), 0);
	assert_int_equal(learn(f, "/ip4/10.0.0.4/tcp/1", BOOK_TYPED), 0);
	assert_int_equal(certify(f, 7, "/ip4/10.0.0.5/tcp/1"), 0);
	assert_false(knows(f, "/ip4/10.0.0.2/tcp/1"));
	assert_true(knows(f, "/ip4/10.0.0.3/tcp/1"));
	assert_true(knows(f, "/ip4/10.0.0.4/tcp/1"));
	assert_true(knows(f, "/ip4/10.0.0.5/tcp/1"));
	/* What it tells unsigned does not count any more. */
	assert_int_equal(
		learn(f, "/ip4/10.0.0.6/tcp/1", BOOK_TOLD), P2P_ERR_EXISTS);
	assert_int_equal(learn(f, "/ip4/10.0.0.7/tcp/1", BOOK_LAN), 0);
}

static void test_book_refuses_records_that_are_not_newer(void **state)
{
	struct fixture *f = *state;
	size_t len;

	assert_int_equal(certify(f, 7, "/ip4/10.0.0.5/tcp/1"), 0);
	len = f->e[0].record.len;
	assert_true(len > 0);
	assert_int_equal(certify(f, 7, "/ip4/10.0.0.6/tcp/1"), P2P_ERR_EXISTS);
	assert_int_equal(certify(f, 6, "/ip4/10.0.0.6/tcp/1"), P2P_ERR_EXISTS);
	assert_false(knows(f, "/ip4/10.0.0.6/tcp/1"));
	assert_int_equal(f->book.records_stale, 2);
	assert_int_equal(certify(f, 8, "/ip4/10.0.0.6/tcp/1"), 0);
	assert_true(knows(f, "/ip4/10.0.0.6/tcp/1"));
	assert_false(knows(f, "/ip4/10.0.0.5/tcp/1"));
	assert_int_equal(f->e[0].record.len, len);
}

static void test_book_a_first_record_may_have_seq_0(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(certify(f, 0, "/ip4/10.0.0.5/tcp/1"), 0);
	assert_int_equal(certify(f, 0, "/ip4/10.0.0.5/tcp/1"), P2P_ERR_EXISTS);
	assert_int_equal(certify(f, UINT64_MAX, "/ip4/10.0.0.5/tcp/1"), 0);
}

static void test_book_keeps_what_worked_when_a_record_leaves_it_out(
	void **state)
{
	struct fixture *f = *state;
	struct maddr a = addr("/ip4/10.0.0.2/tcp/1");

	assert_int_equal(learn(f, "/ip4/10.0.0.2/tcp/1", BOOK_TOLD), 0);
	book_worked(&f->book, &f->e[0], &a, 1500);
	assert_int_equal(certify(f, 7, "/ip4/10.0.0.5/tcp/1"), 0);
	assert_true(knows(f, "/ip4/10.0.0.2/tcp/1"));
	assert_string_equal(
		book_source_word(book_find(&f->e[0], &a)), "found by us");
}

static void test_book_believes_the_word_of_a_clock_that_went_back(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(certify(f, 7, "/ip4/10.0.0.5/tcp/1"), 0);
	f->e[0].outdated = true;
	assert_int_equal(learn(f, "/ip4/10.0.0.6/tcp/1", BOOK_TOLD), 0);
	assert_int_equal(certify(f, 8, "/ip4/10.0.0.7/tcp/1"), 0);
	assert_false(knows(f, "/ip4/10.0.0.6/tcp/1"));
	assert_int_equal(
		learn(f, "/ip4/10.0.0.6/tcp/1", BOOK_TOLD), P2P_ERR_EXISTS);
}

/* ---- room ---- */

static void test_book_16_addresses_hints_do_not_push_out_the_typed(void **state)
{
	struct fixture *f = *state;
	struct maddr worked = addr("/ip4/10.0.0.3/tcp/9");

	assert_int_equal(learn(f, "/ip4/10.0.0.2/tcp/9", BOOK_TYPED), 0);
	book_worked(&f->book, &f->e[0], &worked, 1000);
	for (unsigned i = 0; i < 200; i++) {
		struct maddr a = numbered(i);

		assert_int_equal(
			book_learn(&f->book, &f->e[0], &a, BOOK_LAN, 2000 + i),
			0);
		assert_true(f->e[0].count <= SWARM_ADDRESSES_PER_PEER_MAX);
	}
	assert_int_equal(f->e[0].count, SWARM_ADDRESSES_PER_PEER_MAX);
	assert_true(knows(f, "/ip4/10.0.0.2/tcp/9"));
	assert_true(knows(f, "/ip4/10.0.0.3/tcp/9"));
	/* The newest hint is there, the oldest is not. */
	assert_true(knows(f, "/ip4/10.0.0.1/tcp/200"));
	assert_false(knows(f, "/ip4/10.0.0.1/tcp/1"));
}

static void test_book_refuses_a_hint_when_all_are_of_more_use(void **state)
{
	struct fixture *f = *state;
	struct maddr a;

	for (unsigned i = 0; i < SWARM_ADDRESSES_PER_PEER_MAX; i++) {
		a = numbered(i);
		assert_int_equal(
			book_learn(&f->book, &f->e[0], &a, BOOK_SAVED, 1000),
			0);
	}
	assert_int_equal(
		learn(f, "/ip4/10.0.0.9/tcp/1", BOOK_LAN), P2P_ERR_FULL);
	assert_int_equal(learn(f, "/ip4/10.0.0.9/tcp/1", BOOK_TYPED), 0);
}

/* A machine of many networks signs sixteen that nobody else sees. */
static void test_book_the_network_where_it_was_heard_finds_room(void **state)
{
	struct fixture *f = *state;
	struct maddr a;

	for (unsigned i = 0; i < SWARM_ADDRESSES_PER_PEER_MAX; i++) {
		a = numbered(i);
		assert_int_equal(
			book_learn(&f->book, &f->e[0], &a, BOOK_SIGNED, 1000),
			0);
	}
	assert_int_equal(
		learn(f, "/ip4/10.0.0.8/tcp/1", BOOK_LAN), P2P_ERR_FULL);
	assert_int_equal(
		learn(f, "/ip4/10.0.0.9/tcp/1", BOOK_LAN | BOOK_ON_LINK), 0);
	a = addr("/ip4/10.0.0.9/tcp/1");
	assert_string_equal(book_source_word(book_find(&f->e[0], &a)), "LAN");
}

static void test_book_hints_make_room_before_saved_peers(void **state)
{
	struct fixture *f = *state;
	struct maddr a = numbered(0);

	/* e[0] is the oldest, but saved; e[1] and e[2] are hints. */
	assert_int_equal(
		book_learn(&f->book, &f->e[0], &a, BOOK_SAVED, 1000), 0);
	assert_int_equal(book_learn(&f->book, &f->e[1], &a, BOOK_LAN, 1000), 0);
	assert_int_equal(book_learn(&f->book, &f->e[2], &a, BOOK_LAN, 1000), 0);
	assert_ptr_equal(book_victim(&f->book, BOOK_HINT), &f->e[1]);
	book_seen(&f->book, &f->e[1], 9000);
	assert_ptr_equal(book_victim(&f->book, BOOK_HINT), &f->e[2]);
	f->e[1].held = f->e[2].held = true;
	assert_null(book_victim(&f->book, BOOK_HINT));
	assert_ptr_equal(book_victim(&f->book, BOOK_PROVEN), &f->e[0]);
	assert_int_equal(
		book_learn(&f->book, &f->e[0], &a, BOOK_TYPED, 1000), 0);
	assert_null(book_victim(&f->book, BOOK_PROVEN));
	assert_null(book_victim(&f->book, BOOK_WANTED));
}

/* A new key costs nothing: whoever calls us with many of them takes the places
 * of his own earlier ones. */
static void test_book_callers_make_room_before_who_was_reached(void **state)
{
	struct fixture *f = *state;
	struct maddr a = numbered(0);

	/* e[0], the oldest, was reached. */
	book_worked(&f->book, &f->e[0], &a, 1000);
	f->e[0].proven = true;
	f->e[1].proven = f->e[2].proven = true;
	assert_ptr_equal(book_victim(&f->book, BOOK_PROVEN), &f->e[1]);
	assert_null(book_victim(&f->book, BOOK_HINT));
	f->e[1].held = f->e[2].held = true;
	assert_ptr_equal(book_victim(&f->book, BOOK_PROVEN), &f->e[0]);
}

static void test_book_charges_before_it_keeps(void **state)
{
	struct fixture *f = *state;
	size_t before = f->te.budget.used;

	for (uint64_t n = 1; n < 4; n++) {
		(void)budget_test_refuse_nth(n);
		(void)certify(f, n, "/ip4/10.0.0.5/tcp/1");
		(void)learn(f, "/ip4/10.0.0.6/tcp/1", BOOK_LAN);
		(void)budget_test_refuse_nth(0);
	}
	(void)budget_test_refuse_nth(1);
	assert_int_equal(
		learn(f, "/ip4/10.0.0.8/tcp/1", BOOK_LAN), P2P_ERR_LIMIT);
	(void)budget_test_refuse_nth(0);
	assert_int_equal(f->te.budget.used - before,
		f->e[0].count * sizeof(struct book_addr) + f->e[0].record.len);
}

/* ---- age ---- */

static void test_book_forgets_each_source_at_its_age(void **state)
{
	struct fixture *f = *state;
	struct maddr worked = addr("/ip4/10.0.0.4/tcp/1");

	assert_int_equal(learn(f, "/ip4/10.0.0.2/tcp/1", BOOK_LAN), 0);
	assert_int_equal(learn(f, "/ip4/10.0.0.3/tcp/1", BOOK_TOLD), 0);
	book_worked(&f->book, &f->e[0], &worked, 1000);
	assert_int_equal(learn(f, "/ip4/10.0.0.5/tcp/1", BOOK_TYPED), 0);
	book_age(&f->book, &f->e[0], 1000 + SWARM_STALE_LAN_MS);
	assert_int_equal(f->e[0].count, 4);
	book_age(&f->book, &f->e[0], 1001 + SWARM_STALE_LAN_MS);
	assert_false(knows(f, "/ip4/10.0.0.2/tcp/1"));
	assert_int_equal(f->e[0].count, 3);
	book_age(&f->book, &f->e[0], 1001 + SWARM_STALE_TOLD_MS);
	assert_false(knows(f, "/ip4/10.0.0.3/tcp/1"));
	f->e[0].held = true;
	book_age(&f->book, &f->e[0], 1001 + SWARM_STALE_WORKED_MS);
	assert_int_equal(f->e[0].count, 2);
	f->e[0].held = false;
	book_age(&f->book, &f->e[0], 1001 + SWARM_STALE_WORKED_MS);
	assert_int_equal(f->e[0].count, 1);
	assert_true(knows(f, "/ip4/10.0.0.5/tcp/1"));
}

static void test_book_an_address_named_again_is_young_again(void **state)
{
	struct fixture *f = *state;
	struct maddr a = addr("/ip4/10.0.0.5/tcp/1");

	for (uint64_t t = 0; t <= SWARM_STALE_LAN_MS; t += 600000)
		assert_int_equal(
			book_learn(&f->book, &f->e[0], &a, BOOK_LAN, 1000 + t),
			0);
	book_age(&f->book, &f->e[0], 2000 + SWARM_STALE_LAN_MS);
	assert_int_equal(f->e[0].count, 1);
	book_age(&f->book, &f->e[0], 2000 + 2 * SWARM_STALE_LAN_MS);
	assert_int_equal(f->e[0].count, 0);
}

static void test_book_forgets_a_record_with_its_seq(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(certify(f, 7, "/ip4/10.0.0.5/tcp/1"), 0);
	book_age(&f->book, &f->e[0], 2000 + 7 * DAY_MS);
	assert_true(f->e[0].record.len > 0);
	book_age(&f->book, &f->e[0], 2001 + 7 * DAY_MS);
	assert_int_equal(f->e[0].record.len, 0);
	assert_int_equal(f->e[0].count, 0);
	assert_int_equal(certify(f, 3, "/ip4/10.0.0.5/tcp/1"), 0);
}

/* ---- words and back-off ---- */

static void test_book_says_who_named_an_address(void **state)
{
	struct fixture *f = *state;
	struct maddr a = addr("/ip4/10.0.0.5/tcp/1");
	char words[64];

	assert_int_equal(learn(f, "/ip4/10.0.0.5/tcp/1", BOOK_LAN), 0);
	assert_int_equal(certify(f, 7, "/ip4/10.0.0.5/tcp/1"), 0);
	book_source_words(book_find(&f->e[0], &a), words, sizeof(words));
	assert_string_equal(words, "signed, LAN");
	assert_string_equal(
		book_source_word(book_find(&f->e[0], &a)), "signed");
}

static void test_book_backs_off_one_address_not_the_others(void **state)
{
	struct fixture *f = *state;
	struct maddr bad = addr("/ip4/10.0.0.5/tcp/1");
	struct maddr good = addr("/ip4/10.0.0.6/tcp/1");

	assert_int_equal(learn(f, "/ip4/10.0.0.5/tcp/1", BOOK_LAN), 0);
	assert_int_equal(learn(f, "/ip4/10.0.0.6/tcp/1", BOOK_LAN), 0);
	book_failed(&f->e[0], &bad, 1000, 500);
	assert_int_equal(book_find(&f->e[0], &bad)->retry_ms, 1500);
	assert_int_equal(book_find(&f->e[0], &good)->retry_ms, 0);
	book_worked(&f->book, &f->e[0], &bad, 1600);
	assert_int_equal(book_find(&f->e[0], &bad)->failures, 0);
	assert_int_equal(book_find(&f->e[0], &bad)->ok_ms, 1600);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_book_certified_goes_over_told_not_over_hints),
		STORY(test_book_refuses_records_that_are_not_newer),
		STORY(test_book_a_first_record_may_have_seq_0),
		STORY(test_book_keeps_what_worked_when_a_record_leaves_it_out),
		STORY(test_book_believes_the_word_of_a_clock_that_went_back),
		STORY(test_book_16_addresses_hints_do_not_push_out_the_typed),
		STORY(test_book_refuses_a_hint_when_all_are_of_more_use),
		STORY(test_book_the_network_where_it_was_heard_finds_room),
		STORY(test_book_hints_make_room_before_saved_peers),
		STORY(test_book_callers_make_room_before_who_was_reached),
		STORY(test_book_charges_before_it_keeps),
		STORY(test_book_forgets_each_source_at_its_age),
		STORY(test_book_an_address_named_again_is_young_again),
		STORY(test_book_forgets_a_record_with_its_seq),
		STORY(test_book_says_who_named_an_address),
		STORY(test_book_backs_off_one_address_not_the_others),
	};

	return cmocka_run_group_tests_name("book", tests, NULL, NULL);
}
