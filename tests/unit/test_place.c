/* Who keeps a place and who gives way, when more call than there are places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "net/swarm/swarm_internal.h"
#include "tests/unit/swarm_lab.h"

#define FULL SWARM_CONNS_IN_MAX

/* Somebody who calls, and has proven a key of his own. */
struct guest {
	uint64_t conn;
	struct peer_id id;
};

struct house {
	struct swarm_lab *l;
	struct swarm *s;
	const struct env *env;
	unsigned keys;
	struct guest guest[400];
	unsigned count;
};

static int setup(void **state)
{
	static struct house h;

	h = (struct house){.l = lab_new("10.0.0", true, false)};
	h.s = swarm_of(h.l, 0);
	h.env = &h.l->te.env;
	*state = &h;
	return 0;
}

static int teardown(void **state)
{
	struct house *h = *state;

	lab_free(h->l);
	return 0;
}

static void pass(struct house *h, uint64_t ms)
{
	lab_pass(h->l, ms);
}

/* The swarm's own way from a call to a ready connection, without the bytes. */
static struct guest *prove(
	struct house *h, const char *addr, const struct peer_id *id)
{
	struct guest *g = &h->guest[h->count++];
	struct maddr from;
	struct conn *c;
	struct peer *p;

	lab_addr(&from, addr);
	g->id = *id;
	g->conn = swarm_accepted(h->s, h->env, &from);
	assert_int_not_equal(g->conn, 0);
	c = conn_find(h->s, g->conn);
	p = peer_get(h->s, h->env, id, BOOK_PROVEN);
	assert_int_equal(budget_move(&c->budget, &p->budget), 0);
	h->s->preauth--;
	c->secured = true;
	peer_add_conn(h->s, h->env, p, c);
	place_proven(h->s, h->env);
	c->state = CONN_READY;
	c->ready_ms = h->env->now_ms;
	if (!c->leaving)
		c->deadline_ms = P2P_NEVER;
	p->up = true;
	return g;
}

static struct guest *call(struct house *h, const char *addr)
{
	uint8_t seed[32] = {0};
	struct identity who;

	put_be32(seed, ++h->keys);
	identity_from_seed(&who, seed);
	return prove(h, addr, &who.id);
}

static struct guest *call_from(struct house *h, unsigned machine)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "/ip4/10.0.0.%u/tcp/1", machine);
	return call(h, text);
}

static struct guest *join(struct house *h, struct guest *g)
{
	swarm_peer_worth(h->s, &g->id, 0);
	swarm_peer_takes_part(h->s, &g->id, true);
	return g;
}

static struct guest *speak(struct house *h, struct guest *g)
{
	swarm_peer_useful(h->s, h->env, &g->id);
	return g;
}

static bool is_here(const struct house *h, const struct guest *g)
{
	const struct conn *c = conn_find(h->s, g->conn);

	return c != NULL && !c->leaving && c->state == CONN_READY;
}

static unsigned count_here(const struct house *h, unsigned from, unsigned to)
{
	unsigned n = 0;

	for (unsigned i = from; i < to; i++)
		n += is_here(h, &h->guest[i]);
	return n;
}

/* So many from other machines each; the first is `machine`. */
static void fill(
	struct house *h, unsigned count, unsigned machine, bool join_in)
{
	for (unsigned i = 0; i < count; i++) {
		struct guest *g = call_from(h, machine + i);

		if (join_in)
			(void)join(h, g);
		pass(h, 10);
	}
}

static void test_place_who_does_nothing_gives_way(void **state)
{
	struct house *h = *state;

	fill(h, 60, 1, true);
	fill(h, FULL - 60, 61, false);
	pass(h, SWARM_MEET_MS);
	fill(h, 20, 200, true);
	pass(h, 2000);
	assert_int_equal(evict_places_taken(h->s), FULL);
	assert_int_equal(count_here(h, 0, 60), 60);
	/* Those who have sat there longest. */
	assert_int_equal(count_here(h, 60, 80), 0);
	assert_int_equal(count_here(h, 80, FULL), FULL - 80);
	assert_int_equal(count_here(h, FULL, FULL + 20), 20);
	assert_int_equal(swarm_counters(h->s)->refused_inbound, 20);
}

static void test_place_a_newcomer_has_time_to_begin(void **state)
{
	struct house *h = *state;
	struct guest *late;

	fill(h, FULL, 1, true);
	late = call_from(h, 250);
	pass(h, SWARM_MEET_MS - 500);
	assert_true(is_here(h, late));
	pass(h, 1000);
	assert_false(is_here(h, late));
	assert_int_equal(count_here(h, 0, FULL), FULL);
	/* It had not even said a word when it had to go. */
	assert_int_equal(lab_count(h->l, 0, SWARM_EV_FAREWELL), 1);
	pass(h, SWARM_FAREWELL_MS + SWARM_CLOSE_MS);
	assert_null(conn_find(h->s, late->conn));
}

/* However fast they come, those who say nothing drive nobody away. */
static void test_place_a_storm_of_the_silent_changes_nothing(void **state)
{
	struct house *h = *state;

	fill(h, FULL, 1, true);
	for (unsigned i = 0; i < 200; i++) {
		(void)call_from(h, 130 + i % 120);
		pass(h, 100);
		assert_true(
			evict_places_taken(h->s) <= FULL + SWARM_CONNS_IN_OVER);
	}
	assert_int_equal(count_here(h, 0, FULL), FULL);
}

/* Who is put out comes back at once, from wherever he was; somebody new has all
 * the time to say who he is, and who shares his address keeps his place. */
static void test_place_who_comes_again_goes_first(void **state)
{
	struct house *h = *state;
	struct guest *mate = join(h, call_from(h, 150)), *late;

	fill(h, FULL - 1, 1, true);
	for (unsigned i = 0; i < 60; i++) {
		(void)call_from(h, 150 + i);
		pass(h, 5);
	}
	late = call_from(h, 220);
	for (unsigned i = 0; i < 60; i++) {
		(void)call_from(h, 150 + i % 20);
		pass(h, 20);
	}
	assert_true(is_here(h, late));
	assert_true(is_here(h, mate));
	(void)join(h, late);
	pass(h, SWARM_PLACE_AGAIN_MS);
	assert_true(is_here(h, late));
}

/* In no room of ours, but somebody who has brought something new. */
static void test_place_who_brought_something_is_not_idle(void **state)
{
	struct house *h = *state;
	struct guest *carrier = speak(h, call_from(h, 1));

	swarm_peer_worth(h->s, &carrier->id, 0);
	fill(h, FULL - 1, 2, true);
	pass(h, SWARM_MEET_MS);
	fill(h, 3, 200, true);
	pass(h, 1000);
	assert_int_equal(evict_places_taken(h->s), FULL);
	assert_true(is_here(h, carrier));
}

/* Who gives way has a moment to be told of others in, and no more. */
static void test_place_who_gives_way_hears_of_others(void **state)
{
	struct house *h = *state;
	struct guest *silent = call_from(h, 1);
	const struct conn *c;

	swarm_peer_worth(h->s, &silent->id, 0);
	fill(h, FULL - 1, 2, true);
	pass(h, SWARM_MEET_MS);
	(void)join(h, call_from(h, 200));
	for (int i = 0; i < 200 && is_here(h, silent); i++)
		pass(h, 10);
	c = conn_find(h->s, silent->conn);
	assert_true(c != NULL && c->leaving);
	pass(h, SWARM_FAREWELL_MS - 100);
	assert_non_null(conn_find(h->s, silent->conn));
	pass(h, 200);
	assert_null(conn_find(h->s, silent->conn));
}

/* A key was proven, and the rest is on its way. */
static void test_place_who_is_being_upgraded_has_time(void **state)
{
	struct house *h = *state;
	struct conn *c;

	pass(h, 2 * SWARM_MEET_MS);
	fill(h, FULL, 1, true);
	c = conn_find(h->s, call_from(h, 200)->conn);
	c->state = CONN_UPGRADING;
	c->ready_ms = P2P_NEVER;
	c->deadline_ms = h->env->now_ms + SWARM_UPGRADE_MS;
	pass(h, SWARM_PLACE_AGAIN_MS * 4);
	assert_false(c->leaving);
	assert_ptr_equal(evict_choose(h->s, h->env, false), NULL);
	assert_int_equal(count_here(h, 0, FULL), FULL);
}

/* All join at once, more than there is room for; then one comes and is silent:
 * none of them goes for him. */
static void test_place_the_silent_one_pays_for_himself(void **state)
{
	struct house *h = *state;
	const unsigned all = FULL + SWARM_CONNS_IN_OVER;
	struct guest *late;

	for (unsigned i = 0; i < all; i++)
		(void)join(h, call_from(h, 1 + i));
	late = call_from(h, 250);
	assert_int_equal(count_here(h, 0, all), all);
	assert_false(is_here(h, late));
	pass(h, SWARM_FAREWELL_MS + SWARM_CLOSE_MS);
	assert_null(conn_find(h->s, late->conn));
}

/* Somebody real, who is chosen to go in the moment in which his key is proven:
 * what follows in the same packet does not let him stay. */
static void test_place_who_must_go_at_once_is_gone(void **state)
{
	struct house *h = *state;
	struct peer *late;
	uint64_t conn;

	for (unsigned i = 0; i < FULL + SWARM_CONNS_IN_OVER; i++)
		(void)join(h, call_from(h, 1 + i));
	lab_dial(h->l, 1, 0, true);
	late = peer_find(h->s, &h->l->host[1].me.id);
	conn = LIST_ITEM(late->conns.next, struct conn, of_peer)->id;
	assert_true(conn_find(h->s, conn)->leaving);
	pass(h, SWARM_CLOSE_MS);
	assert_null(conn_find(h->s, conn));
}

static uint64_t knock(struct house *h, unsigned network, unsigned machine)
{
	struct maddr from;
	char text[64];
	uint64_t conn;

	(void)snprintf(
		text, sizeof(text), "/ip4/10.0.%u.%u/tcp/1", network, machine);
	lab_addr(&from, text);
	conn = swarm_accepted(h->s, h->env, &from);
	assert_int_not_equal(conn, 0);
	pass(h, 1);
	return conn;
}

/* The same among those who have proven nothing: who had to go and knocks again
 * pays for the next one, not who has waited longest. */
static void test_place_who_knocks_again_goes_first(void **state)
{
	struct house *h = *state;
	uint64_t conn[SWARM_PREAUTH_MAX], again;

	for (unsigned i = 0; i < SWARM_PREAUTH_MAX; i++)
		conn[i] = knock(h, 8, i);
	(void)knock(h, 9, 1);
	assert_null(conn_find(h->s, conn[0]));
	again = knock(h, 8, 0);
	assert_null(conn_find(h->s, conn[1]));
	(void)knock(h, 9, 2);
	assert_null(conn_find(h->s, again));
	assert_non_null(conn_find(h->s, conn[2]));
}

static void test_place_friends_keep_theirs(void **state)
{
	struct house *h = *state;
	struct guest *friend = call_from(h, 1);

	/* Known for long, silent today, and in no room of ours. */
	swarm_peer_worth(h->s, &friend->id, SWARM_WORTH_FRIEND);
	fill(h, FULL, 2, true);
	for (unsigned i = 0; i < 40; i++) {
		(void)speak(h, join(h, call_from(h, 140 + i)));
		pass(h, 2000);
		assert_true(
			evict_places_taken(h->s) <= FULL + SWARM_CONNS_IN_OVER);
	}
	assert_true(is_here(h, friend));
}

/* He was last to come and says nothing, all others talk. */
static void test_place_a_friend_may_come_last_and_be_idle(void **state)
{
	struct house *h = *state;
	struct guest *friend;

	fill(h, FULL - 1, 2, true);
	pass(h, 1000);
	friend = join(h, call_from(h, 1));
	swarm_peer_worth(h->s, &friend->id, SWARM_WORTH_FRIEND);
	pass(h, SWARM_MEET_MS);
	for (unsigned i = 0; i < 10; i++) {
		for (unsigned k = 0; k < FULL - 1; k++)
			if (is_here(h, &h->guest[k]))
				(void)speak(h, &h->guest[k]);
		pass(h, SWARM_TURN_MS);
		(void)speak(h, join(h, call_from(h, 200 + i)));
		pass(h, 500);
	}
	assert_true(is_here(h, friend));
}

/* Who is worth something, less than a friend, is not idle either. */
static void test_place_who_is_worth_something_is_not_idle(void **state)
{
	struct house *h = *state;
	struct guest *known = call_from(h, 1);

	swarm_peer_worth(h->s, &known->id, 1);
	fill(h, FULL - 1, 2, true);
	pass(h, SWARM_MEET_MS);
	fill(h, 3, 200, true);
	pass(h, 1000);
	assert_int_equal(evict_places_taken(h->s), FULL);
	assert_true(is_here(h, known));
}

/* As many as come in a moment: nobody could have been met. */
static void test_place_a_friend_is_known_when_it_comes_back(void **state)
{
	struct house *h = *state;
	struct guest friend = *call_from(h, 1);
	struct guest *again;

	swarm_peer_worth(h->s, &friend.id, SWARM_WORTH_FRIEND);
	swarm_closed(h->s, h->env, friend.conn);
	pass(h, 1000);
	fill(h, FULL + SWARM_CONNS_IN_OVER - 1, 2, false);
	again = prove(h, "/ip4/10.0.0.1/tcp/2", &friend.id);
	for (unsigned i = 0; i < 60; i++) {
		(void)call_from(h, 180 + i);
		pass(h, 5);
		assert_true(
			evict_places_taken(h->s) <= FULL + SWARM_CONNS_IN_OVER);
	}
	assert_true(is_here(h, again));
}

static void test_place_friends_have_half_at_most(void **state)
{
	struct house *h = *state;

	for (unsigned i = 0; i < FULL; i++) {
		struct guest *g = join(h, call_from(h, 1 + i));

		swarm_peer_worth(h->s, &g->id, i < 10 ? 50 : 20);
		pass(h, 10);
	}
	for (unsigned i = 0; i < 20; i++) {
		pass(h, SWARM_TURN_MS);
		fill(h, 1, 200 + i, true);
	}
	pass(h, 1000);
	assert_int_equal(evict_places_taken(h->s), FULL);
	assert_int_equal(count_here(h, FULL, FULL + 20), 20);
	assert_int_equal(count_here(h, 0, 10), 10);
}

/* All but 22 places are held by one who has subscribed everywhere and said one
 * line from each: he was first, is near, and sits at addresses of his own. */
static void test_place_one_line_each_buys_little(void **state)
{
	struct house *h = *state;
	struct guest *talker;

	for (unsigned i = 0; i < 106; i++) {
		struct guest *g = speak(h, join(h, call_from(h, 1 + i)));

		peer_find(h->s, &g->id)->rtt_us = 1;
		pass(h, 10);
	}
	talker = speak(h, join(h, call_from(h, 110)));
	fill(h, 21, 111, true);
	for (unsigned i = 0; i < 10; i++) {
		struct guest *late;

		pass(h, SWARM_TURN_MS);
		(void)speak(h, talker);
		late = join(h, call_from(h, 200 + i));
		pass(h, 500);
		assert_true(is_here(h, late));
		(void)speak(h, late);
		pass(h, 500);
	}
	assert_true(is_here(h, talker));
	assert_int_equal(count_here(h, FULL, FULL + 10), 10);
}

/* A crowd of those who take part: they are sent on as they come, with few
 * changes among those who were there. */
static void test_place_a_crowd_does_not_turn(void **state)
{
	struct house *h = *state;

	fill(h, FULL, 1, true);
	pass(h, SWARM_MEET_MS);
	for (unsigned i = 0; i < 70; i++) {
		(void)join(h, call_from(h, 140 + i));
		pass(h, 1000);
	}
	assert_true(
		count_here(h, 0, FULL) >= FULL - 1 - 70 * 1000 / SWARM_TURN_MS);
	assert_true(count_here(h, 0, FULL) < FULL);
	assert_int_equal(lab_count(h->l, 0, SWARM_EV_FAREWELL), 70);
}

/* Those whose turn it would be stay when they are the nearest. */
static void test_place_the_nearest_keep_theirs(void **state)
{
	struct house *h = *state;
	const unsigned from = FULL / 2, to = from + SWARM_IN_NEAREST;

	fill(h, FULL, 1, true);
	for (unsigned i = 0; i < FULL; i++)
		peer_find(h->s, &h->guest[i].id)->rtt_us =
			i >= from && i < to ? 100 : 50000;
	for (unsigned i = 0; i < 30; i++) {
		pass(h, SWARM_TURN_MS);
		(void)join(h, call_from(h, 140 + i));
	}
	assert_int_equal(count_here(h, from, to), to - from);
	/* And the elder half of the rest. */
	assert_int_equal(count_here(h, 0, from - SWARM_IN_NEAREST),
		from - SWARM_IN_NEAREST);
	assert_int_equal(count_here(h, to, to + 20), 0);
}

static struct guest *call_from_network(struct house *h, unsigned network)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "/ip4/10.1.%u.1/tcp/1", network);
	return call(h, text);
}

/* A lively household: the widest site of all, and the last that came. */
static void test_place_who_brings_something_keeps_his(void **state)
{
	struct house *h = *state;
	const unsigned lively = FULL - SWARM_IN_ACTIVE;

	for (unsigned i = 0; i < lively; i++)
		(void)join(h, call_from_network(h, i));
	pass(h, 1000);
	fill(h, SWARM_IN_ACTIVE, 1, true);
	for (unsigned i = 0; i < 20; i++) {
		pass(h, SWARM_TURN_MS);
		for (unsigned k = lively; k < FULL; k++)
			(void)speak(h, &h->guest[k]);
		(void)join(h, call_from_network(h, FULL + i));
		pass(h, 500);
	}
	assert_int_equal(count_here(h, lively, FULL), SWARM_IN_ACTIVE);
	assert_int_equal(count_here(h, 0, lively), lively - 20);
}

/* Two each from many networks. Which are here at the end, where without a lot
 * those would be gone who are idle longest? */
static unsigned play_networks(uint64_t secret, bool here[60])
{
	struct house *h;
	void *state;
	unsigned n;

	(void)setup(&state);
	h = state;
	h->s->secret = secret;
	for (unsigned i = 0; i < FULL + 60; i++) {
		(void)join(h, call_from_network(h, i / 2));
		pass(h, i < FULL ? 10 : SWARM_TURN_MS);
		/* As far away as everybody else. */
		peer_find(h->s, &h->guest[i].id)->rtt_us = 1000 + i;
	}
	n = count_here(h, FULL - 60, FULL);
	for (unsigned i = 0; i < 60; i++)
		here[i] = is_here(h, &h->guest[FULL - 60 + i]);
	(void)teardown(&state);
	return n;
}

static void test_place_some_networks_are_drawn(void **state)
{
	bool here[4][60];
	unsigned n, all = 0;

	(void)state;
	for (unsigned k = 0; k < 4; k++) {
		n = play_networks(k + 1, here[k]);
		assert_true(n <= SWARM_IN_NETWORKS);
		all += n;
		/* Of each the elder alone. */
		for (unsigned i = 1; i < 50; i += 2)
			assert_false(here[k][i]);
	}
	assert_true(all > 4);
	/* Nobody outside can tell which. */
	assert_memory_not_equal(here[1], here[3], sizeof(here[1]));
}

static void fill_ip6(struct house *h, unsigned count)
{
	char text[64];

	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(
			text, sizeof(text), "/ip6/fd00:1:%x:%x::1/tcp/1", i, i);
		(void)join(h, call(h, text));
		pass(h, 10);
	}
}

/* Each of his has a /48 of its own. */
static void test_place_one_network_of_ip6_is_one(void **state)
{
	struct house *h = *state;

	for (unsigned i = 0; i < 28; i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "/ip4/10.0.%u.1/tcp/1", i);
		(void)join(h, call(h, text));
		pass(h, 10);
	}
	fill_ip6(h, FULL - 28);
	for (unsigned i = 0; i < 20; i++) {
		pass(h, SWARM_TURN_MS);
		(void)join(h, call_from(h, 1 + i));
		pass(h, 100);
	}
	assert_int_equal(count_here(h, 0, 28), 28);
	assert_int_equal(count_here(h, FULL, FULL + 20), 20);
}

/* Two in one household are no crowd. */
static void test_place_two_behind_one_address_are_not_it(void **state)
{
	struct house *h = *state;

	fill(h, FULL - 2, 1, true);
	(void)join(h, call_from(h, 200));
	(void)join(h, call_from(h, 200));
	for (unsigned i = 0; i < 20; i++) {
		pass(h, SWARM_TURN_MS);
		(void)join(h, call_from(h, 201 + i));
		pass(h, 100);
	}
	assert_int_equal(count_here(h, FULL - 2, FULL), 2);
}

static void test_place_a_second_connection_goes_first(void **state)
{
	struct house *h = *state;
	struct guest *one = join(h, call_from(h, 1)), *other;

	swarm_peer_worth(h->s, &one->id, SWARM_WORTH_FRIEND);
	other = prove(h, "/ip4/10.0.0.1/tcp/2", &one->id);
	fill(h, FULL - 2, 2, true);
	pass(h, SWARM_MEET_MS);
	(void)join(h, call_from(h, 200));
	pass(h, 100);
	assert_false(is_here(h, one));
	assert_true(is_here(h, other));
	assert_int_equal(count_here(h, 2, FULL + 1), FULL - 1);
	/* It is still here, so there is nothing to say. */
	assert_int_equal(lab_count(h->l, 0, SWARM_EV_FAREWELL), 0);
}

static void test_place_dials_to_friends_have_some_left(void **state)
{
	struct house *h = *state;
	struct peer *friend, *stranger;
	struct maddr a;

	stranger = peer_find(h->s, &call_from(h, 1)->id);
	friend = peer_find(h->s, &call_from(h, 2)->id);
	swarm_peer_worth(h->s, &friend->id, SWARM_WORTH_FRIEND);
	lab_addr(&a, "/ip4/10.0.0.77/tcp/1");
	for (unsigned i = 0; i < SWARM_CONNS_OUT_MAX - SWARM_CONNS_OUT_FRIENDS;
		i++) {
		assert_true(evict_spares_dial(h->s, stranger));
		assert_non_null(conn_new_outbound(
			h->s, h->env, &a, &(struct peer_id){.len = 0}));
	}
	assert_false(evict_spares_dial(h->s, stranger));
	assert_true(evict_spares_dial(h->s, friend));
	/* Nor do those who call lose their places by it. */
	fill(h, FULL - 2, 3, true);
	assert_int_equal(evict_places_taken(h->s), FULL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_place_who_does_nothing_gives_way),
		T(test_place_a_newcomer_has_time_to_begin),
		T(test_place_a_storm_of_the_silent_changes_nothing),
		T(test_place_who_comes_again_goes_first),
		T(test_place_who_brought_something_is_not_idle),
		T(test_place_who_gives_way_hears_of_others),
		T(test_place_who_is_being_upgraded_has_time),
		T(test_place_the_silent_one_pays_for_himself),
		T(test_place_who_must_go_at_once_is_gone),
		T(test_place_who_knocks_again_goes_first),
		T(test_place_friends_keep_theirs),
		T(test_place_a_friend_may_come_last_and_be_idle),
		T(test_place_who_is_worth_something_is_not_idle),
		T(test_place_a_friend_is_known_when_it_comes_back),
		T(test_place_friends_have_half_at_most),
		T(test_place_one_line_each_buys_little),
		T(test_place_a_crowd_does_not_turn),
		T(test_place_the_nearest_keep_theirs),
		T(test_place_who_brings_something_keeps_his),
		cmocka_unit_test(test_place_some_networks_are_drawn),
		T(test_place_one_network_of_ip6_is_one),
		T(test_place_two_behind_one_address_are_not_it),
		T(test_place_a_second_connection_goes_first),
		T(test_place_dials_to_friends_have_some_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
