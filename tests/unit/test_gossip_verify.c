/* Units between arrival and verdict, when verdicts are late or out of order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/pubsub/gossip_internal.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/wire/pb.h"
#include "tests/unit/gossip_lab.h"

#define BATCHES_MAX 512
#define FLOODS 39

static int setup(void **state)
{
	struct gossip_lab *l = lab_new();

	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("room")), 0);
	l->late = true;
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	lab_free(*state);
	return 0;
}

static int hear(struct gossip_lab *l, unsigned i, unsigned author, uint64_t n)
{
	return lab_message(l, i, lab_sign(l, author, n, "room", "hello"));
}

/* The same name and form, another text: the signature is wrong. */
static int hear_forged(
	struct gossip_lab *l, unsigned i, unsigned author, uint64_t n)
{
	struct bytes true_one = lab_sign(l, author, n, "room", "hello");
	uint8_t *bent = xmemdup(true_one.data, true_one.len);
	int err;

	for (size_t k = 0; k + 5 < true_one.len; k++)
		if (memcmp(bent + k, "hello", 5) == 0)
			bent[k] ^= 1;
	err = lab_message(l, i, bytes_of(bent, true_one.len));
	free(bent);
	return err;
}

static unsigned cut(struct gossip_lab *l, struct unit_batch **all)
{
	unsigned n = 0;

	while ((all[n] = gossip_next_verify(l->g)) != NULL) {
		assert_in_range(all[n]->count, 1, UNIT_BATCH_MAX);
		unit_batch_check(all[n]);
		n++;
		assert_true(n < BATCHES_MAX);
	}
	return n;
}

static void give(struct gossip_lab *l, struct unit_batch *b)
{
	gossip_verified(l->g, &l->te.env, b);
}

/* Author (its number) and sequence number of the next unit that comes out. */
static bool next_unit(struct gossip_lab *l, unsigned *author, uint64_t *n)
{
	struct gossip_event ev;
	struct unit u;

	while (gossip_next_event(l->g, &ev)) {
		if (ev.kind != GOSSIP_EV_UNIT)
			continue;
		assert_int_equal(
			unit_parse(&u, bytes_of(ev.unit, ev.unit_len)), 0);
		*n = get_be64(u.seqno);
		for (*author = 0; *author < LAB_PEERS; (*author)++)
			if (peer_id_equal(&u.from, lab_id(l, *author)))
				break;
		free(ev.unit);
		return true;
	}
	return false;
}

/* ---- order ---- */

static void test_verify_keeps_order_whatever_returns_first(void **state)
{
	static struct unit_batch *b[BATCHES_MAX];
	struct gossip_lab *l = *state;
	uint64_t last[2] = {0, 0}, seqno;
	unsigned n, author, came = 0;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	for (uint64_t i = 1; i <= 100; i++)
		for (unsigned k = 0; k < 2; k++)
			assert_int_equal(hear(l, k, 2 + k, i), 0);
	n = cut(l, b);
	assert_true(n > 10);
	/* The last one first; then every other, then the others. */
	for (unsigned i = n; i-- > 0;)
		if (i % 2 == 1)
			give(l, b[i]);
	assert_false(next_unit(l, &author, &seqno));
	for (unsigned i = n; i-- > 0;)
		if (i % 2 == 0)
			give(l, b[i]);
	while (next_unit(l, &author, &seqno)) {
		assert_in_range(author, 2, 3);
		assert_int_equal(seqno, ++last[author - 2]);
		came++;
	}
	assert_int_equal(came, 200);
}

static void test_verify_keeps_arrival_of_several_peers(void **state)
{
	struct gossip_lab *l = *state;
	struct unit_batch *b[BATCHES_MAX];
	uint64_t seqno;
	unsigned author;

	for (unsigned i = 0; i < 3; i++)
		lab_member(l, i, GOSSIP_V11);
	/* One peer brings two of an author's lines, the next the others. */
	for (uint64_t i = 1; i <= 6; i++)
		assert_int_equal(hear(l, (unsigned)(i - 1) / 2, 5, i), 0);
	assert_int_equal(cut(l, b), 1);
	give(l, b[0]);
	for (uint64_t i = 1; i <= 6; i++) {
		assert_true(next_unit(l, &author, &seqno));
		assert_int_equal(seqno, i);
	}
}

static void test_verify_flood_does_not_delay_an_honest_line(void **state)
{
	static struct unit_batch *b[BATCHES_MAX];
	struct gossip_lab *l = *state;
	unsigned author = 0, n;
	uint64_t seqno;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	/* In the name of whom it wants to silence. */
	for (uint64_t i = 1; i <= 200; i++)
		assert_int_equal(hear_forged(l, 0, 5, i), 0);
	assert_int_equal(hear(l, 1, 5, 999), 0);
	n = cut(l, b);
	assert_true(n > 10);
	give(l, b[0]);
	assert_true(next_unit(l, &author, &seqno));
	assert_int_equal(author, 5);
	assert_int_equal(seqno, 999);
	for (unsigned i = 1; i < n; i++)
		give(l, b[i]);
	assert_false(next_unit(l, &author, &seqno));
	assert_int_equal(gossip_counters(l->g)->units_rejected, 200);
}

/* One peer hands over what a flooding author and a quiet one have said. */
static void test_verify_flood_behind_a_relay_does_not_delay_either(void **state)
{
	static struct unit_batch *b[BATCHES_MAX];
	struct gossip_lab *l = *state;
	unsigned author = 0, n, before = 0;
	uint64_t seqno = 0, last = 0;

	lab_member(l, 0, GOSSIP_V11);
	for (uint64_t i = 1; i <= 200; i++)
		assert_int_equal(hear(l, 0, 4, i), 0);
	assert_int_equal(hear(l, 0, 5, 999), 0);
	n = cut(l, b);
	for (unsigned i = 0; i < n; i++)
		give(l, b[i]);
	while (next_unit(l, &author, &seqno) && author != 5) {
		before++;
		assert_int_equal(seqno, ++last);
	}
	assert_int_equal(seqno, 999);
	assert_in_range(before, 0, UNIT_BATCH_MAX);
	/* The flooding one's own order is kept behind it. */
	while (next_unit(l, &author, &seqno)) {
		assert_int_equal(author, 4);
		assert_int_equal(seqno, ++last);
	}
	assert_int_equal(last, 200);
}

/* ---- turns ---- */

static void hear_text(struct gossip_lab *l, unsigned i, unsigned author,
	uint64_t n, size_t bytes)
{
	static char text[61 << 10];

	assert_true(bytes < sizeof(text));
	memset(text, 'x', bytes);
	text[bytes] = 0;
	assert_int_equal(
		lab_message(l, i, lab_sign(l, author, n, "room", text)), 0);
}

/* Whose unit stands where among those that are cut from now on; its batch. */
static unsigned batch_of(struct gossip_lab *l, unsigned author)
{
	static struct unit_batch *b[BATCHES_MAX];
	unsigned n = cut(l, b), found = BATCHES_MAX;

	for (unsigned i = 0; i < n; i++) {
		for (size_t k = 0; k < b[i]->count; k++)
			if (peer_id_equal(&b[i]->check[k].u.from,
				    lab_id(l, author)) &&
				found == BATCHES_MAX)
				found = i;
		give(l, b[i]);
	}
	lab_events(l, GOSSIP_EV_UNIT);
	return found;
}

/* Many peers bring much before one brings a line: it is next. */
static void test_verify_who_says_little_is_next(void **state)
{
	struct gossip_lab *l = *state;

	for (unsigned i = 0; i < 40; i++)
		lab_member(l, i, GOSSIP_V11);
	for (uint64_t k = 0; k < 3; k++)
		for (unsigned i = 0; i < 39; i++)
			hear_text(l, i, i, k, 10000);
	/* Some have been served, as in any flood that lasts. */
	for (unsigned i = 0; i < 10; i++) {
		struct unit_batch *b = gossip_next_verify(l->g);

		unit_batch_check(b);
		give(l, b);
	}
	hear_text(l, 39, 39, 1, 10);
	assert_in_range(batch_of(l, 39), 0, 1);
}

/* The bytes count: whoever brings short lines is not served one for each long
 * one. */
static void test_verify_large_units_count_as_many(void **state)
{
	struct gossip_lab *l = *state;
	static struct unit_batch *b[BATCHES_MAX];
	unsigned n, small = 0, large = 0;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	for (uint64_t k = 0; k < 4; k++)
		hear_text(l, 0, 0, k, 20000);
	for (uint64_t k = 0; k < 40; k++)
		hear_text(l, 1, 1, k, 10);
	n = cut(l, b);
	for (unsigned i = 0; i < n; i++) {
		for (size_t k = 0; k < b[i]->count && large < 4; k++) {
			large += b[i]->check[k].len > 10000;
			small += b[i]->check[k].len < 10000;
		}
		give(l, b[i]);
	}
	/* Those between the first large one and the last. */
	assert_in_range(small, 12, 24);
}

/* Who has one line here at a time has been served all the same. */
static void test_verify_turns_are_remembered(void **state)
{
	struct gossip_lab *l = *state;
	unsigned served = 0;
	bool waits = false;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	for (uint64_t k = 0; k < 180; k++)
		hear_text(l, 1, 1, k, 10);
	for (uint64_t k = 0; k < 20; k++) {
		struct unit_batch *b;

		if (!waits)
			hear_text(l, 0, 0, k, 60000);
		b = gossip_next_verify(l->g);
		waits = true;
		unit_batch_check(b);
		for (size_t i = 0; i < b->count; i++)
			waits = waits && b->check[i].len < 60000;
		served += !waits;
		give(l, b);
	}
	/* One of it is worth 14 of the other's, of which a batch has 8. */
	assert_in_range(served, 8, 13);
	lab_events(l, GOSSIP_EV_UNIT);
}

/* How many of the units that are cut next are one peer's own. */
static unsigned cut_of(struct gossip_lab *l, unsigned batches, unsigned author)
{
	unsigned n = 0;

	for (unsigned i = 0; i < batches; i++) {
		struct unit_batch *b = gossip_next_verify(l->g);

		assert_non_null(b);
		unit_batch_check(b);
		for (size_t k = 0; k < b->count; k++)
			n += peer_id_equal(
				&b->check[k].u.from, lab_id(l, author));
		give(l, b);
	}
	lab_events(l, GOSSIP_EV_UNIT);
	return n;
}

/* Nobody saves turns for later, whether it was here or comes now. */
static void test_verify_who_was_silent_is_owed_nothing(void **state)
{
	const unsigned batches = 10, half = batches * UNIT_BATCH_MAX / 2;
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	for (uint64_t k = 0; k < 200; k++)
		hear_text(l, 1, 1, k, 10);
	(void)cut_of(l, batches, 1);
	lab_member(l, 2, GOSSIP_V11);
	for (uint64_t k = 0; k < 2 * half; k++) {
		hear_text(l, 0, 0, k, 10);
		hear_text(l, 2, 2, k, 10);
	}
	/* A third each. */
	assert_in_range(
		cut_of(l, batches, 1), half * 2 / 3 - 2, half * 2 / 3 + 2);
}

static void test_verify_who_is_known_has_more(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	assert_int_equal(gossip_set_known(l->g, lab_id(l, 0), true), 0);
	for (uint64_t k = 0; k < 150; k++) {
		hear_text(l, 0, 0, k, 10);
		hear_text(l, 1, 1, k, 10);
	}
	/* All but one of nine, and the other one is not forgotten. */
	assert_in_range(
		cut_of(l, 9, 1), UNIT_BATCH_MAX - 2, UNIT_BATCH_MAX + 2);
}

/* Among those who were served as much, and for longer than the others. */
static void test_verify_who_is_known_is_first(void **state)
{
	struct gossip_lab *l = *state;

	for (unsigned i = 0; i < 30; i++)
		lab_member(l, i, GOSSIP_V11);
	assert_int_equal(gossip_set_known(l->g, lab_id(l, 29), true), 0);
	for (unsigned i = 0; i < 30; i++)
		hear_text(l, i, i, 1, 100);
	assert_int_equal(batch_of(l, 29), 0);
	/* An author that is known, behind a relay that is not. */
	for (unsigned i = 0; i < 28; i++)
		hear_text(l, 0, i, 2, 100);
	hear_text(l, 0, 29, 2, 100);
	assert_int_equal(batch_of(l, 29), 0);
}

/* ---- copies ---- */

static void test_verify_duplicate_while_first_waits(void **state)
{
	struct gossip_lab *l = *state;
	struct unit_batch *b[BATCHES_MAX];

	for (unsigned i = 0; i < 4; i++)
		lab_member(l, i, GOSSIP_V11);
	assert_int_equal(hear(l, 0, 5, 1), 0);
	assert_int_equal(hear(l, 1, 5, 1), 0);
	assert_int_equal(cut(l, b), 1);
	/* While it is out as well. */
	assert_int_equal(hear(l, 2, 5, 1), 0);
	assert_int_equal(b[0]->count, 1);
	assert_null(gossip_next_verify(l->g));
	assert_int_equal(gossip_counters(l->g)->units_duplicate, 2);
	lab_hush(l);
	give(l, b[0]);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
	/* Only to whom has not brought it. */
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(lab_said(l, i).messages, i == 3);
}

static void test_verify_forged_first_copy_does_not_shadow(void **state)
{
	struct gossip_lab *l = *state;
	struct unit_batch *b[BATCHES_MAX];
	unsigned author;
	uint64_t seqno;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	assert_int_equal(hear_forged(l, 0, 5, 1), 0);
	assert_int_equal(hear(l, 1, 5, 1), 0);
	assert_int_equal(cut(l, b), 1);
	assert_int_equal(b[0]->count, 2);
	give(l, b[0]);
	assert_true(next_unit(l, &author, &seqno));
	assert_false(next_unit(l, &author, &seqno));
	assert_int_equal(gossip_counters(l->g)->units_rejected, 1);
	assert_int_equal(gossip_counters(l->g)->units_new, 1);
}

static void test_verify_two_good_copies_come_out_once(void **state)
{
	struct gossip_lab *l = *state;
	struct unit_batch *b[BATCHES_MAX];

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(
		lab_message(l, 0, lab_sign(l, 5, 1, "room", "one text")), 0);
	assert_int_equal(
		lab_message(l, 0, lab_sign(l, 5, 1, "room", "another")), 0);
	assert_int_equal(cut(l, b), 1);
	give(l, b[0]);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
	assert_int_equal(gossip_counters(l->g)->units_duplicate, 1);
}

/* ---- limits ---- */

/* An RPC of `count` lines, from peer i, that are new; what was not read of it
 * in bytes. */
static size_t feed_many(
	struct gossip_lab *l, unsigned i, uint64_t first, unsigned count)
{
	struct bytes rpc;

	for (unsigned k = 0; k < count; k++)
		pb_put_bytes(&l->rpc, RPC_PUBLISH,
			lab_sign(l, i, first + k, "room", "one of many"));
	rpc = buf_bytes(&l->rpc);
	assert_int_equal(gossip_feed(l->g, &l->te.env, lab_id(l, i), &rpc), 0);
	return rpc.len;
}

static void test_verify_full_share_pauses_that_peer_alone(void **state)
{
	static struct unit_batch *b[BATCHES_MAX];
	struct gossip_lab *l = *state;
	struct bytes rest;
	unsigned came = 0, n;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	rest.len = feed_many(l, 0, 1, 3000);
	assert_true(rest.len > 0);
	assert_true(rest.len < l->rpc.len);
	assert_false(gossip_has_room(l->g, lab_id(l, 0)));
	assert_true(gossip_has_room(l->g, lab_id(l, 1)));
	assert_true(l->g->verify.budget.used <= GOSSIP_VERIFY_PEER_BYTES_MAX);
	rest = bytes_skip(buf_bytes(&l->rpc), l->rpc.len - rest.len);
	/* It is heard to the end, each line once, as room comes. */
	for (unsigned rounds = 0; rest.len > 0; rounds++) {
		assert_true(rounds < 100);
		n = cut(l, b);
		for (unsigned i = 0; i < n; i++)
			give(l, b[i]);
		assert_true(gossip_has_room(l->g, lab_id(l, 0)));
		assert_int_equal(
			gossip_feed(l->g, &l->te.env, lab_id(l, 0), &rest), 0);
		came += lab_events(l, GOSSIP_EV_UNIT);
	}
	n = cut(l, b);
	for (unsigned i = 0; i < n; i++)
		give(l, b[i]);
	came += lab_events(l, GOSSIP_EV_UNIT);
	assert_int_equal(came, 3000);
	assert_int_equal(gossip_counters(l->g)->refused, 0);
	buf_reset(&l->rpc);
	assert_int_equal(feed_many(l, 1, 1, 1), 0);
}

static void test_verify_many_floods_leave_room_for_one_line(void **state)
{
	struct gossip_lab *l = *state;

	for (unsigned i = 0; i < FLOODS; i++) {
		lab_member(l, i, GOSSIP_V11);
		assert_true(feed_many(l, i, 1, 700) > 0);
		buf_reset(&l->rpc);
	}
	assert_true(l->g->verify.budget.used <= GOSSIP_VERIFY_BYTES_MAX);
	lab_member(l, FLOODS, GOSSIP_V11);
	assert_true(gossip_has_room(l->g, lab_id(l, FLOODS)));
	assert_int_equal(feed_many(l, FLOODS, 1, 3), 0);
}

static void test_verify_last_words_have_a_larger_share(void **state)
{
	struct gossip_lab *l = *state;
	struct bytes rpc;
	size_t rest;

	lab_member(l, 0, GOSSIP_V11);
	rest = feed_many(l, 0, 1, 2000);
	assert_true(rest > 0);
	rpc = bytes_skip(buf_bytes(&l->rpc), l->rpc.len - rest);
	assert_int_equal(
		gossip_feed_last(l->g, &l->te.env, lab_id(l, 0), &rpc), 0);
	assert_int_equal(rpc.len, 0);
	assert_true(l->g->verify.budget.used <= GOSSIP_VERIFY_LAST_BYTES_MAX);
}

/* The process has no memory left for it: said by a counter, not by a stream
 * that waits for ever. */
static void test_verify_refused_charge_is_counted(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	(void)budget_test_refuse_nth(1);
	assert_int_equal(hear(l, 0, 5, 1), 0);
	(void)budget_test_refuse_nth(0);
	assert_int_equal(gossip_counters(l->g)->refused, 1);
	assert_null(gossip_next_verify(l->g));
}

/* ---- who goes meanwhile ---- */

static void test_verify_outlives_the_peer_and_the_room(void **state)
{
	struct gossip_lab *l = *state;
	struct unit_batch *b[2];

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	assert_int_equal(hear(l, 0, 0, 1), 0);
	b[0] = gossip_next_verify(l->g);
	assert_int_equal(hear(l, 0, 0, 2), 0);
	gossip_peer_remove(l->g, &l->te.env, lab_id(l, 0));
	/* Another takes its slot: it has brought nothing. */
	lab_member(l, 2, GOSSIP_V11);
	b[1] = gossip_next_verify(l->g);
	assert_non_null(b[1]);
	lab_hush(l);
	for (unsigned i = 0; i < 2; i++) {
		unit_batch_check(b[i]);
		give(l, b[i]);
	}
	/* Last words are heard and passed on. */
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 2);
	assert_int_equal(lab_said(l, 1).messages, 2);
	assert_int_equal(lab_said(l, 2).messages, 2);
	assert_int_equal(l->g->verify.lines.count, 0);
	/* A room that was left meanwhile hears nothing. */
	assert_int_equal(hear(l, 1, 1, 1), 0);
	b[0] = gossip_next_verify(l->g);
	unit_batch_check(b[0]);
	gossip_leave(l->g, &l->te.env, bytes_str("room"));
	give(l, b[0]);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 0);
	assert_int_equal(l->g->verify.budget.used, 0);
}

static void test_verify_free_with_batches_everywhere(void **state)
{
	struct gossip_lab *l = *state;
	struct unit_batch *b[3];

	lab_member(l, 0, GOSSIP_V11);
	for (uint64_t i = 1; i <= 4 * UNIT_BATCH_MAX; i++)
		assert_int_equal(hear(l, 0, 5, i), 0);
	for (unsigned i = 0; i < 3; i++)
		b[i] = gossip_next_verify(l->g);
	/* One is back before its turn, two are out, the rest waits. */
	unit_batch_check(b[1]);
	give(l, b[1]);
	gossip_free(l->g);
	l->g = NULL;
	assert_int_equal(l->te.budget.used, 0);
	unit_batch_check(b[0]);
	msg_free(&b[0]->msg);
	msg_free(&b[2]->msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_verify_keeps_order_whatever_returns_first),
		T(test_verify_keeps_arrival_of_several_peers),
		T(test_verify_flood_does_not_delay_an_honest_line),
		T(test_verify_flood_behind_a_relay_does_not_delay_either),
		T(test_verify_who_says_little_is_next),
		T(test_verify_large_units_count_as_many),
		T(test_verify_turns_are_remembered),
		T(test_verify_who_was_silent_is_owed_nothing),
		T(test_verify_who_is_known_has_more),
		T(test_verify_who_is_known_is_first),
		T(test_verify_duplicate_while_first_waits),
		T(test_verify_forged_first_copy_does_not_shadow),
		T(test_verify_two_good_copies_come_out_once),
		T(test_verify_full_share_pauses_that_peer_alone),
		T(test_verify_many_floods_leave_room_for_one_line),
		T(test_verify_last_words_have_a_larger_share),
		T(test_verify_refused_charge_is_counted),
		T(test_verify_outlives_the_peer_and_the_room),
		T(test_verify_free_with_batches_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
