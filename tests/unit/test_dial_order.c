/* What test_dial.c's stories do not tell apart: which of two addresses comes
 * first, and how long somebody rests who hung up on us. */
#include "tests/unit/swarm_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/swarm/swarm_internal.h"

/* One swarm, and somebody who is known at one address of the LAN. */
struct desk {
	struct test_env te;
	struct identity me;
	struct swarm *s;
	struct peer *p;
	struct maddr at;
};

static int setup(void **state)
{
	struct desk *d = xcalloc(1, sizeof(*d));
	struct swarm_cfg cfg = {.offer_yamux = true, .me = &d->me};
	struct identity somebody;
	uint8_t seed[32] = {9}, other[32] = {10};

	assert_int_equal(crypto_init(), 0);
	test_env_init(&d->te, 1);
	identity_from_seed(&d->me, seed);
	identity_from_seed(&somebody, other);
	d->s = swarm_new(&cfg, &d->te.env);
	lab_addr(&d->at, "/ip4/192.168.1.2/tcp/1");
	swarm_know(d->s, &d->te.env, &somebody.id, &d->at, false);
	d->p = peer_find(d->s, &somebody.id);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct desk *d = *state;

	swarm_free(d->s);
	assert_int_equal(d->te.budget.used, 0);
	free(d);
	return 0;
}

/* ---- which address ---- */

static struct book_addr addr(const char *text, uint64_t ok_ms, uint64_t seen_ms)
{
	struct book_addr a = {.ok_ms = ok_ms, .seen_ms = seen_ms};

	lab_addr(&a.addr, text);
	dialable_of(&a.at, &a.addr);
	return a;
}

/* Both ways round: one of two equal ones comes before the other in neither. */
static void assert_before(const struct desk *d, const struct book_addr *a,
	const struct book_addr *b)
{
	assert_true(dial_comes_before(d->s, d->p, a, b));
	assert_false(dial_comes_before(d->s, d->p, b, a));
}

static void test_dial_where_somebody_answered_comes_first(void **state)
{
	static const char *const texts[] = {"/ip4/8.8.4.1/tcp/1",
		"/ip6/2001:4860::1/tcp/1", "/ip4/192.168.1.2/tcp/1",
		"/ip4/127.0.0.1/tcp/1", "/dns4/example.org/tcp/1"};
	struct desk *d = *state;

	/* In every class, and whichever family was tried last. */
	for (size_t i = 0; i < 2 * P2P_ARRAY_LEN(texts); i++) {
		struct book_addr good = addr(texts[i / 2], 5, 10);
		struct book_addr never = addr(texts[i / 2], P2P_NEVER, 20);
		struct book_addr newer = addr(texts[i / 2], 3, 11);

		d->p->last_was_ip6 = i % 2;
		assert_before(d, &good, &never);
		assert_before(d, &newer, &good);
		never.failures = good.failures = 1;
		assert_before(d, &good, &never);
		never.failures = 0;
		assert_before(d, &never, &good);
	}
}

static void test_dial_families_take_turns_in_public_only(void **state)
{
	struct book_addr four = addr("/ip4/8.8.4.1/tcp/1", 5, 10);
	struct book_addr six = addr("/ip6/2001:4860::1/tcp/1", P2P_NEVER, 5);
	struct book_addr near4 = addr("/ip4/192.168.1.2/tcp/1", 5, 10);
	struct book_addr near6 = addr("/ip6/fd00::1/tcp/1", P2P_NEVER, 5);
	struct desk *d = *state;

	d->p->last_was_ip6 = false;
	assert_before(d, &six, &four);
	assert_before(d, &near4, &near6);
	d->p->last_was_ip6 = true;
	assert_before(d, &four, &six);
	assert_before(d, &near4, &near6);
	assert_before(d, &near6, &four);
}

static struct book_addr heard(const char *text, bool on_link)
{
	struct book_addr a = addr(text, P2P_NEVER, 5);

	a.sources = on_link ? BOOK_LAN | BOOK_ON_LINK : BOOK_LAN;
	return a;
}

static void test_dial_the_network_where_it_was_heard_comes_first(void **state)
{
	struct book_addr link = heard("/ip4/192.168.1.7/tcp/1", true);
	struct book_addr local = heard("/ip6/fe80::7/tcp/1", true);
	struct book_addr bridge = heard("/ip4/172.18.0.1/tcp/1", false);
	struct desk *d = *state;

	/* Whichever was named last, and however often it worked elsewhere. */
	bridge.seen_ms = 9;
	bridge.ok_ms = 9;
	assert_before(d, &link, &local);
	assert_before(d, &local, &bridge);
	/* One that fails gives way all the same. */
	link.failures = 1;
	assert_before(d, &bridge, &link);
}

static void test_dial_what_this_machine_has_itself_comes_last(void **state)
{
	struct book_addr link = heard("/ip4/192.168.1.7/tcp/1", true);
	struct book_addr twin = heard("/ip4/172.17.0.1/tcp/7", true);
	struct book_addr far = addr("/ip4/8.8.4.1/tcp/1", P2P_NEVER, 1);
	struct book_addr loop = heard("/ip4/127.0.0.1/tcp/7", false);
	struct maddr own[40];
	struct desk *d = *state;

	/* However many addresses stand before it. */
	for (unsigned i = 0; i < P2P_ARRAY_LEN(own); i++)
		lab_addr(&own[i], i == 38   ? "/ip4/172.17.0.1/tcp/4001"
				  : i == 39 ? "/ip4/127.0.0.1/tcp/4001"
					    : "/ip4/10.0.0.1/tcp/4001");
	assert_before(d, &twin, &far);
	swarm_set_addresses(d->s, own, P2P_ARRAY_LEN(own));
	/* Even if all others have failed. */
	link.failures = far.failures = 5;
	assert_before(d, &link, &twin);
	assert_before(d, &far, &twin);
	/* Loopback leads to this machine on purpose. */
	assert_before(d, &loop, &twin);
	/* At our own port it is ourselves, at another somebody else. */
	assert_true(dial_is_self(d->s, &d->te.env, &own[38]));
	assert_false(dial_is_self(d->s, &d->te.env, &twin.addr));
}

/* ---- who hung up ---- */

/* Another connection, to somebody else, that is up. */
static struct conn *other_conn(struct desk *d)
{
	struct conn *c = conn_new_outbound(
		d->s, &d->te.env, &d->at, &(struct peer_id){.len = 0});

	assert_non_null(c);
	c->state = CONN_READY;
	return c;
}

/* They took us and had no place: when are they asked again? */
static uint64_t rest(struct desk *d, bool sent_on)
{
	struct conn c = {.ready_ms = d->te.env.now_ms, .sent_on = sent_on};

	d->p->dial_at_ms = P2P_NEVER;
	dial_lost(d->s, &d->te.env, d->p, &c);
	return d->p->dial_at_ms - d->te.env.now_ms;
}

static void test_dial_who_has_no_place_is_asked_less_and_less(void **state)
{
	struct desk *d = *state;
	uint64_t pause = SWARM_SENT_ON_FIRST_MS;

	(void)other_conn(d);
	for (unsigned i = 0; i < 12; i++) {
		/* Half to one and a half times, and what dial_soon adds. */
		assert_in_range(
			rest(d, true), pause / 2, pause / 2 + pause + 50);
		assert_int_equal(d->p->sent_on, i + 1);
		pause = P2P_MIN(2 * pause, (uint64_t)SWARM_SENT_ON_MAX_MS);
	}
	/* Lost without a word it is somebody as before. */
	d->p->losses = 1;
	assert_in_range(rest(d, false), 1, 2 * SWARM_REDIAL_MAX_MS);
	assert_int_equal(d->p->sent_on, 0);
}

/* Whoever has nobody else does not wait so long. */
static void test_dial_who_is_alone_asks_again_soon(void **state)
{
	struct desk *d = *state;
	struct conn *c;

	assert_in_range(rest(d, true), 1, 2 * SWARM_REDIAL_FIRST_MS);
	/* None of these is somebody else who keeps us. */
	other_conn(d)->peer = d->p;
	other_conn(d)->state = CONN_DIALING;
	other_conn(d)->leaving = true;
	other_conn(d)->sent_on = true;
	d->p->losses = 0;
	assert_in_range(rest(d, true), 1, 2 * SWARM_REDIAL_FIRST_MS);
	assert_int_equal(d->p->sent_on, 0);
	c = other_conn(d);
	d->p->losses = 0;
	assert_true(rest(d, true) >= SWARM_SENT_ON_FIRST_MS / 2);
	/* A long talk before it begins anew. */
	d->te.env.now_ms += SWARM_STEADY_MS;
	dial_lost(d->s, &d->te.env, d->p,
		&(struct conn){.ready_ms = d->te.env.now_ms - SWARM_STEADY_MS,
			.sent_on = true});
	assert_int_equal(d->p->losses, 0);
	assert_int_equal(d->p->sent_on, 0);
	c->state = CONN_DIALING;
}

/* The set was won, and the winner is gone before its last dial has ended. */
static void test_dial_a_set_that_was_won_has_not_failed(void **state)
{
	struct desk *d = *state;
	struct conn c = {.remote = d->at, .lost_race = true};

	d->p->wanted = true;
	d->p->in_set = false;
	d->p->dial_at_ms = P2P_NEVER;
	d->p->dials = 1;
	dial_ended(d->s, &d->te.env, d->p, &c);
	assert_int_equal(d->p->failures, 0);
	assert_in_range(d->p->dial_at_ms - d->te.env.now_ms,
		SWARM_REDIAL_FIRST_MS, SWARM_REDIAL_FIRST_MS + 50);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_dial_where_somebody_answered_comes_first),
		T(test_dial_families_take_turns_in_public_only),
		T(test_dial_the_network_where_it_was_heard_comes_first),
		T(test_dial_what_this_machine_has_itself_comes_last),
		T(test_dial_who_has_no_place_is_asked_less_and_less),
		T(test_dial_who_is_alone_asks_again_soon),
		T(test_dial_a_set_that_was_won_has_not_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
