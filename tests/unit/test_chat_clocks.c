/*
 * Stories of machines whose clock is wrong, and of one key on two of them
 * (docs/decisions/0021): what people see, and in which order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "chat/chat_limits.h"
#include "tests/unit/chat_host.h"

#define HOURS_MS 3600000ULL
#define AHEAD_MS (7 * HOURS_MS)

static uint64_t time_of(struct host *h, const char *text)
{
	struct ui_msg *line = host_line(h, text);

	assert_non_null(line);
	return line->line.time_ms;
}

static size_t warned(struct host *h, const char *code)
{
	struct ui_msg *m;
	size_t count = 0;

	for (size_t n = 0; (m = host_said(h, UI_MSG_NOTICE, n)) != NULL; n++)
		count += m->code != NULL && strcmp(m->code, code) == 0;
	return count;
}

/* ---- bare text --------------------------------------------------------- */

/* go and rust programs: the nanosecond of their start, plus one a line. */
static void test_clocks_bare_text_stands_where_it_arrived(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	uint64_t started[2] = {NOW - 10 * HOURS_MS, NOW + HOURS_MS};

	f->tom.seqno = started[0] * 1000000;
	f->eve.seqno = started[1] * 1000000;
	host_types(h, NULL, "a question");
	host_wait(h, 1000);
	author_sends(&f->tom, h, LOBBY, bytes_str("an answer"));
	host_wait(h, 1000);
	author_sends(&f->eve, h, LOBBY, bytes_str("another answer"));
	host_wait(h, 1000);
	host_types(h, NULL, "thanks");
	assert_true(time_of(h, "an answer") > time_of(h, "a question"));
	assert_int_equal(time_of(h, "another answer"), NOW + 2000);
	assert_int_equal(time_of(h, "thanks"), NOW + 3000);
	assert_false(host_line(h, "an answer")->line.clock_wrong);
}

static void test_clocks_own_bare_line_stays_where_it_was_said(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_types(h, NULL, "/join universal-connectivity");
	host_meets(h, &f->tom, "universal-connectivity");
	host_types(h, NULL, "bare");
	assert_int_equal(time_of(h, "bare"), NOW);
	host_restart(h);
	host_page(h, "universal-connectivity", 5);
	assert_int_equal(time_of(h, "bare"), NOW);
}

/* ---- a clock that is put right ----------------------------------------- */

static void test_clocks_after_a_step_back_lines_take_the_rooms_time(
	void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	h->te.env.wall_ms += AHEAD_MS;
	host_types(h, NULL, "before NTP");
	assert_int_equal(time_of(h, "before NTP"), NOW + AHEAD_MS);
	host_wait(h, 1000);
	h->te.env.wall_ms -= AHEAD_MS;
	author_says_native(&f->mali, h, "mali answers", NOW + 1500);
	host_types(h, NULL, "after NTP");
	assert_int_equal(time_of(h, "after NTP"), NOW + 1501);
	host_types(h, NULL, "and again");
	assert_int_equal(time_of(h, "and again"), NOW + 1502);
}

/* The same when the program ended in between. */
static void test_clocks_a_restart_forgets_the_wrong_time(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	h->te.env.wall_ms += AHEAD_MS;
	host_types(h, NULL, "before NTP");
	h->te.env.wall_ms -= AHEAD_MS;
	host_restart(h);
	host_types(h, NULL, "after NTP");
	assert_int_equal(time_of(h, "after NTP"), NOW);
}

/* Whose clock was as wrong as ours was believed then. */
static void test_clocks_a_step_back_takes_back_what_was_believed(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	h->te.env.wall_ms += AHEAD_MS;
	author_says_native(&f->tom, h, "as far ahead", NOW + AHEAD_MS + 10);
	host_types(h, NULL, "before NTP");
	assert_int_equal(time_of(h, "before NTP"), NOW + AHEAD_MS + 11);
	h->te.env.wall_ms -= AHEAD_MS;
	host_types(h, NULL, "after NTP");
	assert_int_equal(time_of(h, "after NTP"), NOW);
}

/* A second is no correction: lines stay in the order in which they were said.
 */
static void test_clocks_a_small_step_back_keeps_the_order(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	host_types(h, NULL, "one");
	h->te.env.wall_ms -= 1000;
	host_types(h, NULL, "two");
	assert_int_equal(time_of(h, "two"), NOW + 1);
	host_restart(h);
	host_types(h, NULL, "three");
	assert_in_range(time_of(h, "three"), NOW + 2, NOW + 100);
}

/* ---- a clock that is wrong from the start ------------------------------ */

static void test_clocks_several_who_agree_correct_us(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	uint64_t now = h->te.env.now_ms;

	h->te.env.wall_ms += AHEAD_MS;
	host_types(h, NULL, "alone");
	for (int i = 0; i < 2; i++) {
		author_says_native(
			&f->mali, h, "m", NOW + h->te.env.now_ms - now);
		author_says_native(
			&f->tom, h, "t", NOW + h->te.env.now_ms - now + 1);
		host_wait(h, 6000);
	}
	host_types(h, NULL, "corrected");
	assert_in_range(time_of(h, "corrected"), NOW + 12000, NOW + 12010);
	assert_int_equal(warned(h, "clock-ahead"), 1);
	assert_non_null(host_text(h, UI_MSG_NOTICE, "7 hours ahead"));
	host_types(h, NULL, "still");
	assert_int_equal(time_of(h, "still"), time_of(h, "corrected") + 1);
	assert_int_equal(warned(h, "clock-ahead"), 1);
}

/* What had waited says nothing about a clock; nor does one person. */
static void test_clocks_late_lines_and_one_person_prove_nothing(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	for (unsigned i = 0; i < 20; i++) {
		author_says_native(
			&f->mali, h, "m", NOW - AHEAD_MS + i * 90000);
		author_says_native(&f->tom, h, "t", NOW - AHEAD_MS + i * 80000);
		host_wait(h, 400);
	}
	host_types(h, NULL, "late ones");
	assert_int_equal(time_of(h, "late ones"), NOW + 8000);
	for (unsigned i = 0; i < 3; i++) {
		author_says_native(&f->eve, h, "e", NOW - AHEAD_MS + i * 6000);
		host_wait(h, 6000);
	}
	host_types(h, NULL, "one person");
	assert_int_equal(time_of(h, "one person"), NOW + 26000);
	assert_int_equal(warned(h, "clock-ahead"), 0);
}

/* Whoever lies far back with many keys drags us no further than the nearest of
 * them, and never before what was heard or said. */
static void test_clocks_liars_change_no_order(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	static struct author liars[5];

	for (unsigned i = 0; i < 5; i++)
		author_init(&liars[i], (uint8_t)(100 + i), "liar");
	for (unsigned n = 0; n < 2; n++) {
		for (unsigned i = 0; i < 5; i++)
			author_says_native(&liars[i], h, "lie",
				NOW - 100 * HOURS_MS + n * 6000);
		host_wait(h, 6000);
	}
	author_says_native(&f->mali, h, "honest", NOW + 12000);
	host_types(h, NULL, "mine");
	assert_true(time_of(h, "mine") > time_of(h, "honest"));
}

/* ---- one key on two machines ------------------------------------------- */

/* ann's key on another machine. */
static void clone(struct author *a, const struct host *h)
{
	author_init(a, 0, "ann");
	a->key = h->me;
	peer_id_text(&a->key.id, a->peer);
	a->seqno = NOW * 1000000 + 5;
}

static void says_seq(
	struct author *a, struct host *h, const char *text, uint64_t seq)
{
	struct payload_out line = {.text = text,
		.name = a->name,
		.from = a->peer,
		.time_ms = h->te.env.wall_ms,
		.seq = seq};
	struct buf data;

	buf_init(&data, UNIT_DATA_BYTES_MAX);
	assert_int_equal(payload_write(DIALECT_NATIVE, &line, &data), 0);
	author_sends(a, h, LOBBY, buf_bytes(&data));
	buf_clear(&data);
}

static uint64_t seq_of(struct host *h, size_t nth)
{
	struct payload p = host_payload(host_sent(h, NET_MSG_PUBLISH, nth));
	uint64_t seq = p.seq;

	payload_clear(&p);
	return seq;
}

static void test_copies_are_noticed_and_said_once(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	static struct author copy;
	struct ui_msg *line;

	clone(&copy, h);
	host_meets(h, &f->mali, LOBBY);
	host_types(h, NULL, "from here");
	assert_int_equal(seq_of(h, 0), 1);
	/* A fork: it has said its first line, too. */
	says_seq(&copy, h, "from there", 1);
	line = host_line(h, "from there");
	assert_non_null(line);
	assert_true(line->line.own);
	assert_int_equal(line->line.state, UI_STATE_HANDED);
	assert_int_equal(warned(h, "copied-key"), 1);
	says_seq(&copy, h, "more from there", 7);
	assert_int_equal(warned(h, "copied-key"), 1);
	/* Behind the highest that was seen. */
	host_types(h, NULL, "from here again");
	assert_int_equal(seq_of(h, 1), 8);
	host_page(h, LOBBY, 10);
	assert_non_null(host_line(h, "from there"));
	assert_non_null(host_line(h, "from here"));
	/* What was written here and comes back is no copy's. */
	host_restart(h);
	host_meets(h, &f->mali, LOBBY);
	host_types(h, NULL, "mine");
	host_unit(h, bytes_of(host_sent(h, NET_MSG_PUBLISH, 2)->data,
			     host_sent(h, NET_MSG_PUBLISH, 2)->data_len));
	assert_int_equal(warned(h, "copied-key"), 0);
}

/* Marks are of the very line: what became of the copy's changes none of ours.
 */
static void test_copies_lines_mark_no_line_of_ours(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	static struct author copy;

	clone(&copy, h);
	host_types(h, NULL, "waits here");
	says_seq(&copy, h, "went there", 1);
	assert_int_equal(
		host_line(h, "waits here")->line.state, UI_STATE_WAITING);
	assert_int_equal(host_said_count(h, UI_MSG_STATE), 0);
}

static uint64_t number_of(struct host *h, size_t nth)
{
	const struct net_msg *m = host_sent(h, NET_MSG_PUBLISH, nth);
	struct unit u;

	assert_int_equal(unit_parse(&u, bytes_of(m->data, m->data_len)), 0);
	return get_be64(u.seqno);
}

/* Two machines that say their lines in the same milliseconds, from one
 * profile: no number twice, and each counts up. */
static void test_copies_never_take_the_same_number(void **state)
{
	static struct host a, b;
	uint64_t last = 0;

	(void)state;
	host_init(&a, 7, "ann");
	host_init(&b, 7, "ann");
	rng_init_seeded(a.te.env.rng, 1);
	rng_init_seeded(b.te.env.rng, 2);
	for (int run = 0; run < 3; run++) {
		host_restart(&a);
		host_restart(&b);
		host_types(&a, NULL, "one");
		host_types(&b, NULL, "one");
		for (size_t i = 0; i < 20; i++) {
			host_types(&a, NULL, "more");
			host_types(&b, NULL, "more");
		}
	}
	host_topic(&a, "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp",
		LOBBY, true);
	host_topic(&b, "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp",
		LOBBY, true);
	for (int i = 0; i < 30; i++) {
		host_wait(&a, CHAT_OFFER_PAUSE_MS);
		host_wait(&b, CHAT_OFFER_PAUSE_MS);
	}
	assert_in_range(host_sent_count(&a, NET_MSG_PUBLISH), 63, 4000);
	for (size_t i = 0; i < 63; i++) {
		assert_true(number_of(&a, i) > last);
		last = number_of(&a, i);
		for (size_t k = 0; k < 63; k++)
			assert_true(number_of(&b, k) != last);
	}
	host_clear(&a);
	host_clear(&b);
}

/* The mark of our run is changed when a copy happens to have it. */
static void test_copies_with_our_mark_make_us_take_another(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;
	static struct author copy;
	uint64_t before;

	clone(&copy, h);
	host_meets(h, &f->mali, LOBBY);
	host_types(h, NULL, "one");
	before = number_of(h, 0);
	copy.seqno = before + 8 * CHAT_SEQNO_STEP;
	says_seq(&copy, h, "there", 1);
	host_types(h, NULL, "two");
	assert_true(number_of(h, 1) > before);
	assert_true(
		number_of(h, 1) % CHAT_SEQNO_STEP != before % CHAT_SEQNO_STEP);
}

static void test_copies_of_a_friend_are_said_once(void **state)
{
	struct fixture *f = *state;
	struct host *h = &f->me;

	/* An answer makes a friend only where there is a quota. */
	h->cfg.limits.profile_bytes = 1 << 30;
	h->cfg.quota = (struct store_quota){.strangers = 1 << 22,
		.strangers_room = 1 << 22,
		.strangers_hour = 1 << 20,
		.regulars_room = 1 << 22,
		.friend_room = 1 << 22};
	host_restart_with(h);
	host_meets(h, &f->mali, LOBBY);
	says_seq(&f->mali, h, "one", 1);
	says_seq(&f->tom, h, "one of tom", 1);
	host_types(h, NULL, "mali: yes");
	assert_int_equal(warned(h, "key-used-twice"), 0);
	says_seq(&f->mali, h, "another one", 1);
	assert_non_null(host_line(h, "another one"));
	assert_int_equal(warned(h, "key-used-twice"), 1);
	assert_non_null(host_text(h, UI_MSG_NOTICE, "mali"));
	host_wait(h, CHAT_FORK_SAY_MS);
	says_seq(&f->mali, h, "a third", 1);
	assert_int_equal(warned(h, "key-used-twice"), 1);
	/* Nobody is woken for a stranger's, whose keys cost nothing. */
	says_seq(&f->tom, h, "another of tom", 1);
	assert_non_null(host_line(h, "another of tom"));
	assert_int_equal(warned(h, "key-used-twice"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_clocks_bare_text_stands_where_it_arrived),
		STORY(test_clocks_own_bare_line_stays_where_it_was_said),
		STORY(test_clocks_after_a_step_back_lines_take_the_rooms_time),
		STORY(test_clocks_a_restart_forgets_the_wrong_time),
		STORY(test_clocks_a_step_back_takes_back_what_was_believed),
		STORY(test_clocks_a_small_step_back_keeps_the_order),
		STORY(test_clocks_several_who_agree_correct_us),
		STORY(test_clocks_late_lines_and_one_person_prove_nothing),
		STORY(test_clocks_liars_change_no_order),
		STORY(test_copies_are_noticed_and_said_once),
		STORY(test_copies_lines_mark_no_line_of_ours),
		cmocka_unit_test(test_copies_never_take_the_same_number),
		STORY(test_copies_with_our_mark_make_us_take_another),
		STORY(test_copies_of_a_friend_are_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
