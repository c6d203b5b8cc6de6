/* Peer scores against figures worked out by hand (gossipsub v1.1 spec, "The
 * Score Function"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/pubsub/score.h"
#include "net/wire/maddr.h"
#include "tests/lib/test_env.h"

struct desk {
	struct test_env te;
	struct score_params params;
	struct score *s;
};

/* Round weights and halving counters, so that every figure is exact. */
static const struct score_params round_params = {
	.topic = {.weight = 2,
		.mesh_time_weight = 0.5,
		.mesh_time_cap = 8,
		.first_weight = 3,
		.first_decay = 0.5,
		.first_cap = 6,
		.mesh_weight = -1,
		.mesh_decay = 0.5,
		.mesh_threshold = 4,
		.mesh_cap = 5,
		.mesh_activation_ms = 3000,
		.failure_weight = -1,
		.failure_decay = 0.5,
		.invalid_weight = -10,
		.invalid_decay = 0.5},
	.topics_cap = 100,
	.app_weight = 0.5,
	.site_weight = -7,
	.site_peers = 4,
	.behaviour_weight = -3,
	.behaviour_threshold = 2,
	.behaviour_decay = 0.5,
	.decay_interval_ms = 1000,
	.decay_to_zero = 0.1,
	.retain_ms = 60000,
};

static struct bytes room(void)
{
	return bytes_str("room");
}

static struct peer_id peer(unsigned i)
{
	struct peer_id id;
	uint8_t key[36] = {8, 1, 18, 32};

	put_be32(key + 4, i);
	peer_id_of_key(&id, bytes_of(key, sizeof(key)));
	return id;
}

static int setup(void **state)
{
	struct desk *d = xcalloc(1, sizeof(*d));

	test_env_init(&d->te, 1);
	d->params = round_params;
	d->s = score_new(&d->params, &d->te.env);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct desk *d = *state;

	score_free(d->s);
	free(d);
	return 0;
}

static void connect_from(struct desk *d, unsigned i, const char *address)
{
	struct peer_id id = peer(i);
	struct score_site site = {.len = 0};
	struct maddr a;

	if (address != NULL) {
		assert_int_equal(maddr_parse_text(&a, bytes_str(address)), 0);
		site = score_site_of(maddr_bytes(&a));
	}
	score_connect(d->s, &d->te.env, &id, &site);
}

static void leave(struct desk *d, unsigned i)
{
	struct peer_id id = peer(i);

	score_disconnect(d->s, &d->te.env, &id);
}

/* In hundredths, so that a failure shows it. */
static long worth(struct desk *d, unsigned i)
{
	struct peer_id id = peer(i);
	double v = score_of(d->s, &id) * 100;

	return (long)(v < 0 ? v - 0.5 : v + 0.5);
}

static void pass(struct desk *d, uint64_t ms)
{
	d->te.env.now_ms += ms;
	score_refresh(d->s, &d->te.env);
}

static void first(struct desk *d, unsigned i, unsigned times)
{
	struct peer_id id = peer(i);

	while (times-- > 0)
		score_first(d->s, &id, room());
}

static void invalid(struct desk *d, unsigned i)
{
	struct peer_id id = peer(i);

	score_invalid(d->s, &d->te.env, &id, room());
}

static void graft(struct desk *d, unsigned i)
{
	struct peer_id id = peer(i);

	score_graft(d->s, &id, room());
}

static void prune(struct desk *d, unsigned i)
{
	struct peer_id id = peer(i);

	score_prune(d->s, &id, room());
}

/* ---- the components ---- */

static void test_score_newcomer_is_worth_nothing(void **state)
{
	struct desk *d = *state;

	assert_int_equal(worth(d, 1), 0);
	connect_from(d, 1, NULL);
	assert_int_equal(worth(d, 1), 0);
}

static void test_score_p1_time_in_mesh_is_capped(void **state)
{
	struct desk *d = *state;

	d->params.topic.mesh_weight = 0;
	d->params.topic.failure_weight = 0;
	connect_from(d, 1, NULL);
	graft(d, 1);
	assert_int_equal(worth(d, 1), 0);
	pass(d, 3000); /* 2 * 0.5 * 3 */
	assert_int_equal(worth(d, 1), 300);
	pass(d, 60000); /* 2 * 0.5 * 8 */
	assert_int_equal(worth(d, 1), 800);
	prune(d, 1);
	assert_int_equal(worth(d, 1), 0);
	/* It starts anew. */
	graft(d, 1);
	pass(d, 1000);
	assert_int_equal(worth(d, 1), 100);
}

static void test_score_p2_first_deliveries_decay_and_are_capped(void **state)
{
	struct desk *d = *state;

	connect_from(d, 1, NULL);
	first(d, 1, 2); /* 2 * 3 * 2 */
	assert_int_equal(worth(d, 1), 1200);
	pass(d, 999); /* no whole interval */
	assert_int_equal(worth(d, 1), 1200);
	pass(d, 1);
	assert_int_equal(worth(d, 1), 600);
	first(d, 1, 50); /* 2 * 3 * 6 */
	assert_int_equal(worth(d, 1), 3600);
	/* Several intervals at once are several: 36 / 2 / 2 / 2. */
	pass(d, 3000);
	assert_int_equal(worth(d, 1), 450);
	/* 0.75 / 8 is below decay_to_zero. */
	pass(d, 3000);
	assert_int_equal(worth(d, 1), 0);
}

static void test_score_p3_too_few_deliveries_cost_their_square(void **state)
{
	struct desk *d = *state;

	d->params.topic.mesh_time_weight = 0;
	d->params.topic.first_weight = 0;
	d->params.topic.mesh_decay = 0.999999;
	connect_from(d, 1, NULL);
	graft(d, 1);
	pass(d, 3000); /* not yet active */
	assert_int_equal(worth(d, 1), 0);
	pass(d, 1000); /* 2 * -1 * 4 * 4 */
	assert_int_equal(worth(d, 1), -3200);
	first(d, 1, 1); /* 2 * -1 * 3 * 3 */
	assert_int_equal(worth(d, 1), -1800);
	for (int i = 0; i < 2; i++) {
		struct peer_id id = peer(1);

		score_near_first(d->s, &id, room());
	}
	assert_int_equal(worth(d, 1), -200);
	first(d, 1, 1);
	assert_int_equal(worth(d, 1), 0);
}

static void test_score_p3_counts_only_in_the_mesh(void **state)
{
	struct desk *d = *state;
	struct peer_id id = peer(1);

	d->params.topic.mesh_time_weight = 0;
	d->params.topic.mesh_decay = 0.999999;
	connect_from(d, 1, NULL);
	score_near_first(d->s, &id, room());
	pass(d, 10000);
	assert_int_equal(worth(d, 1), 0);
	graft(d, 1);
	pass(d, 4000);
	assert_int_equal(worth(d, 1), -3200);
}

static void test_score_p3b_sticks_after_a_prune(void **state)
{
	struct desk *d = *state;

	d->params.topic.mesh_time_weight = 0;
	d->params.topic.failure_decay = 0.75;
	connect_from(d, 1, NULL);
	graft(d, 1);
	pass(d, 2000);
	prune(d, 1); /* before P3 is active: no harm */
	assert_int_equal(worth(d, 1), 0);
	graft(d, 1);
	pass(d, 4000);
	assert_int_equal(worth(d, 1), -3200); /* P3 */
	prune(d, 1);
	assert_int_equal(worth(d, 1), -3200); /* P3b: 2 * -1 * 16 */
	pass(d, 1000);
	assert_int_equal(worth(d, 1), -2400);
	/* Pruned once more: it adds up. */
	d->params.topic.failure_decay = 0.999999;
	graft(d, 1);
	pass(d, 4000);
	prune(d, 1);
	assert_int_equal(worth(d, 1), -5600);
}

static void test_score_p4_invalid_costs_its_square(void **state)
{
	struct desk *d = *state;

	connect_from(d, 1, NULL);
	invalid(d, 1); /* 2 * -10 */
	assert_int_equal(worth(d, 1), -2000);
	invalid(d, 1);
	invalid(d, 1);
	assert_int_equal(worth(d, 1), -18000);
	pass(d, 1000); /* 1.5 * 1.5 */
	assert_int_equal(worth(d, 1), -4500);
}

static void test_score_p5_is_what_the_owner_says(void **state)
{
	struct desk *d = *state;
	struct peer_id id = peer(1);

	score_app(d->s, &id, 5); /* not connected */
	assert_int_equal(worth(d, 1), 0);
	connect_from(d, 1, NULL);
	score_app(d->s, &id, 20);
	assert_int_equal(worth(d, 1), 1000);
	score_app(d->s, &id, -8);
	assert_int_equal(worth(d, 1), -400);
	score_app(d->s, &id, 1e300);
	assert_int_equal(worth(d, 1), SCORE_APP_MAX / 2 * 100);
	score_app(d->s, &id, -1e300 * 1e300);
	assert_int_equal(worth(d, 1), -SCORE_APP_MAX / 2 * 100);
	score_app(d->s, &id, 1e300 * 1e300 * 0);
	assert_int_equal(worth(d, 1), 0);
}

static void test_score_p6_crowds_behind_one_address_cost(void **state)
{
	struct desk *d = *state;

	for (unsigned i = 0; i < 4; i++)
		connect_from(d, i, "/ip4/8.8.8.8/tcp/4001");
	assert_int_equal(worth(d, 0), 0);
	connect_from(d, 4, "/ip6/::ffff:8.8.8.8/tcp/99");
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(worth(d, i), -700);
	connect_from(d, 5, "/ip4/8.8.8.8/udp/4001/quic-v1");
	assert_int_equal(worth(d, 0), -2800); /* -7 * 2 * 2 */
	connect_from(d, 6, "/ip4/8.8.8.9/tcp/4001");
	assert_int_equal(worth(d, 6), 0);
	/* One of them comes over another address now. */
	connect_from(d, 5, "/ip4/8.8.8.9/tcp/4001");
	assert_int_equal(worth(d, 0), -700);
	leave(d, 0);
	assert_int_equal(worth(d, 0), 0);
	assert_int_equal(worth(d, 1), 0);
}

static void test_score_p6_counts_a_64_as_one(void **state)
{
	struct desk *d = *state;
	char text[64];

	for (unsigned i = 0; i < 6; i++) {
		snprintf(text, sizeof(text), "/ip6/2a00:1:2:3:%x::1/tcp/1", i);
		connect_from(d, i, text);
	}
	assert_int_equal(worth(d, 0), -2800);
	connect_from(d, 6, "/ip6/2a00:1:2:4::1/tcp/1");
	assert_int_equal(worth(d, 6), 0);
}

static void test_score_p6_spares_near_and_relayed_peers(void **state)
{
	static const char *const spared[] = {"/ip4/127.0.0.1/tcp/1",
		"/ip4/192.168.1.9/tcp/1", "/ip4/10.0.0.1/tcp/1",
		"/ip4/169.254.3.3/tcp/1", "/ip6/::1/tcp/1",
		"/ip6/fe80::1/tcp/1", "/ip6/fd00::7/tcp/1",
		"/ip4/8.8.8.8/tcp/1/p2p/"
		"12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5/"
		"p2p-circuit",
		"/dns4/example.org/tcp/1"};
	struct desk *d = *state;

	for (size_t k = 0; k < P2P_ARRAY_LEN(spared); k++) {
		for (unsigned i = 0; i < 10; i++)
			connect_from(d, i, spared[k]);
		assert_int_equal(worth(d, 0), 0);
	}
}

static void test_score_p7_costs_the_square_above_a_threshold(void **state)
{
	struct desk *d = *state;
	struct peer_id id = peer(1);

	connect_from(d, 1, NULL);
	score_misbehave(d->s, &id, 2);
	assert_int_equal(worth(d, 1), 0);
	score_misbehave(d->s, &id, 1);
	assert_int_equal(worth(d, 1), -300);
	score_misbehave(d->s, &id, 3); /* -3 * 4 * 4 */
	assert_int_equal(worth(d, 1), -4800);
	pass(d, 1000); /* 6 / 2 */
	assert_int_equal(worth(d, 1), -300);
	pass(d, 1000);
	assert_int_equal(worth(d, 1), 0);
}

static void test_score_rooms_add_up_to_a_cap(void **state)
{
	struct desk *d = *state;
	struct peer_id id = peer(1);

	connect_from(d, 1, NULL);
	first(d, 1, 5); /* 30 */
	score_first(d->s, &id, bytes_str("b"));
	assert_int_equal(worth(d, 1), 3600);
	d->params.topics_cap = 33;
	assert_int_equal(worth(d, 1), 3300);
	/* The cap is for all rooms; what else there is comes on top. */
	score_app(d->s, &id, 10);
	assert_int_equal(worth(d, 1), 3800);
}

/* ---- leaving and coming back ---- */

static void test_score_forgets_merits_of_who_leaves(void **state)
{
	struct desk *d = *state;

	connect_from(d, 1, NULL);
	first(d, 1, 5);
	leave(d, 1);
	assert_int_equal(score_retained(d->s), 0);
	connect_from(d, 1, NULL);
	assert_int_equal(worth(d, 1), 0);
}

static void test_score_remembers_faults_without_decay(void **state)
{
	struct desk *d = *state;
	struct peer_id id = peer(1);

	connect_from(d, 1, NULL);
	first(d, 1, 6); /* merits do not hide the fault */
	score_app(d->s, &id, 1000);
	invalid(d, 1);
	score_misbehave(d->s, &id, 3);
	leave(d, 1);
	assert_int_equal(score_retained(d->s), 1);
	assert_int_equal(worth(d, 1), 0); /* not connected */
	pass(d, 59000);
	connect_from(d, 1, NULL);
	assert_int_equal(score_retained(d->s), 0);
	assert_int_equal(worth(d, 1), -2300);
	leave(d, 1);
	pass(d, 61000);
	assert_int_equal(score_retained(d->s), 0);
	connect_from(d, 1, NULL);
	assert_int_equal(worth(d, 1), 0);
}

/* Else who slips six times, leaves and comes back could do so for ever. */
static void test_score_slips_outlive_a_reconnect(void **state)
{
	struct desk *d = *state;
	struct peer_id id = peer(1);

	connect_from(d, 1, NULL);
	score_misbehave(d->s, &id, 2); /* what is forgiven */
	assert_int_equal(worth(d, 1), 0);
	leave(d, 1);
	connect_from(d, 1, NULL);
	score_misbehave(d->s, &id, 2);
	assert_int_equal(worth(d, 1), -1200);
	/* They pass with time, unlike faults: else a line that breaks each
	 * hour would add them up. */
	connect_from(d, 2, NULL);
	id = peer(2);
	score_misbehave(d->s, &id, 2);
	leave(d, 2);
	assert_int_equal(score_retained(d->s), 1);
	pass(d, 10000);
	assert_int_equal(score_retained(d->s), 0);
}

static void test_score_leaving_in_deficit_sticks(void **state)
{
	struct desk *d = *state;

	connect_from(d, 1, NULL);
	graft(d, 1);
	pass(d, 4000);
	leave(d, 1);
	connect_from(d, 1, NULL);
	assert_int_equal(worth(d, 1), -3200);
}

static void test_score_crowds_are_not_remembered(void **state)
{
	struct desk *d = *state;

	for (unsigned i = 0; i < 9; i++)
		connect_from(d, i, "/ip4/8.8.8.8/tcp/1");
	for (unsigned i = 0; i < 9; i++)
		leave(d, i);
	assert_int_equal(score_retained(d->s), 0);
}

static void test_score_verdict_may_come_after_the_peer_left(void **state)
{
	struct desk *d = *state;

	connect_from(d, 1, NULL);
	leave(d, 1);
	invalid(d, 1);
	invalid(d, 1);
	connect_from(d, 1, NULL);
	assert_int_equal(worth(d, 1), -8000);
}

static void test_score_late_verdict_is_no_slip(void **state)
{
	struct desk *d = *state;
	struct peer_id id = peer(1);

	connect_from(d, 1, NULL);
	score_misbehave(d->s, &id, 1); /* what is forgiven, and passes */
	leave(d, 1);
	invalid(d, 1);
	pass(d, 10000);
	assert_int_equal(score_retained(d->s), 1);
	connect_from(d, 1, NULL);
	assert_int_equal(worth(d, 1), -2000);
}

static void test_score_remembers_a_bounded_crowd(void **state)
{
	struct desk *d = *state;
	struct peer_id id;

	for (unsigned i = 0; i < SCORE_RETAINED_MAX + 10; i++) {
		connect_from(d, i, NULL);
		invalid(d, i);
		leave(d, i);
	}
	assert_int_equal(score_retained(d->s), SCORE_RETAINED_MAX);
	/* No fault is forgotten for slips. */
	connect_from(d, 5000, NULL);
	id = peer(5000);
	score_misbehave(d->s, &id, 1);
	leave(d, 5000);
	assert_int_equal(score_retained(d->s), SCORE_RETAINED_MAX);
	connect_from(d, 9, NULL); /* the oldest made room */
	assert_int_equal(worth(d, 9), 0);
	connect_from(d, 10, NULL);
	assert_int_equal(worth(d, 10), -2000);
}

static void test_score_rooms_of_a_peer_are_bounded(void **state)
{
	struct desk *d = *state;
	struct peer_id id = peer(1);
	char name[16];

	d->params.topics_cap = 1e9;
	connect_from(d, 1, NULL);
	for (unsigned i = 0; i < SCORE_ROOMS_MAX + 50; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		score_first(d->s, &id, bytes_str(name));
	}
	assert_int_equal(worth(d, 1), SCORE_ROOMS_MAX * 600);
}

static void test_score_rooms_of_the_mesh_make_no_way(void **state)
{
	struct desk *d = *state;
	struct peer_id id = peer(1);
	char name[16];

	d->params.topics_cap = 1e9;
	connect_from(d, 1, NULL);
	graft(d, 1); /* the eldest */
	invalid(d, 1);
	for (unsigned i = 0; i < SCORE_ROOMS_MAX + 50; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		score_first(d->s, &id, bytes_str(name));
	}
	assert_int_equal(worth(d, 1), (SCORE_ROOMS_MAX - 1) * 600 - 2000);
	/* Of many that are all in it the eldest does. */
	for (unsigned i = 0; i < SCORE_ROOMS_MAX + 50; i++) {
		snprintf(name, sizeof(name), "m%u", i);
		score_graft(d->s, &id, bytes_str(name));
		score_first(d->s, &id, bytes_str(name));
	}
	assert_int_equal(worth(d, 1), SCORE_ROOMS_MAX * 600);
}

static void test_score_saturates(void **state)
{
	struct desk *d = *state;
	struct peer_id id = peer(1);
	double v;

	connect_from(d, 1, NULL);
	for (int i = 0; i < 1000; i++)
		score_misbehave(d->s, &id, 1e308);
	v = score_of(d->s, &id);
	assert_true(v < -1e12 && v > -1e13);
	score_misbehave(d->s, &id, -5); /* nobody is praised by it */
	assert_true(score_of(d->s, &id) <= v);
}

static void test_score_sleep_decays_nobody_who_comes_after(void **state)
{
	struct desk *d = *state;

	d->te.env.now_ms += 100000; /* alone: no refresh */
	connect_from(d, 1, NULL);
	first(d, 1, 2);
	pass(d, 999);
	assert_int_equal(worth(d, 1), 1200);
}

/* ---- the values for a chat ---- */

static void test_score_chat_values(void **state)
{
	struct desk *d = *state;
	const struct score_params *p = &score_params_chat;
	struct peer_id id = peer(1);
	double v;

	score_free(d->s);
	d->s = score_new(p, &d->te.env);
	connect_from(d, 1, NULL);
	/* A quiet room harms nobody who sits in its mesh. */
	graft(d, 1);
	pass(d, 1800000);
	assert_int_equal(worth(d, 1), 50);
	assert_true(score_of(d->s, &id) < p->opportunistic_threshold);
	/* One forged message ends the mesh, four end the ear, and in an hour
	 * it is forgiven. */
	invalid(d, 1);
	v = score_of(d->s, &id);
	assert_true(v < 0 && v > p->gossip_threshold);
	for (int i = 0; i < 3; i++)
		invalid(d, 1);
	assert_true(score_of(d->s, &id) < p->graylist_threshold);
	pass(d, 3600000);
	v = score_of(d->s, &id);
	assert_true(v < 0.5 && v > 0.2);
	/* Six slips are free. */
	score_misbehave(d->s, &id, 6);
	assert_true(score_of(d->s, &id) >= 0);
	assert_true(p->graylist_threshold < p->publish_threshold);
	assert_true(p->publish_threshold < p->gossip_threshold);
	assert_true(p->gossip_threshold < 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_score_newcomer_is_worth_nothing),
		T(test_score_p1_time_in_mesh_is_capped),
		T(test_score_p2_first_deliveries_decay_and_are_capped),
		T(test_score_p3_too_few_deliveries_cost_their_square),
		T(test_score_p3_counts_only_in_the_mesh),
		T(test_score_p3b_sticks_after_a_prune),
		T(test_score_p4_invalid_costs_its_square),
		T(test_score_p5_is_what_the_owner_says),
		T(test_score_p6_crowds_behind_one_address_cost),
		T(test_score_p6_counts_a_64_as_one),
		T(test_score_p6_spares_near_and_relayed_peers),
		T(test_score_p7_costs_the_square_above_a_threshold),
		T(test_score_rooms_add_up_to_a_cap),
		T(test_score_forgets_merits_of_who_leaves),
		T(test_score_remembers_faults_without_decay),
		T(test_score_slips_outlive_a_reconnect),
		T(test_score_leaving_in_deficit_sticks),
		T(test_score_crowds_are_not_remembered),
		T(test_score_verdict_may_come_after_the_peer_left),
		T(test_score_late_verdict_is_no_slip),
		T(test_score_remembers_a_bounded_crowd),
		T(test_score_rooms_of_a_peer_are_bounded),
		T(test_score_rooms_of_the_mesh_make_no_way),
		T(test_score_saturates),
		T(test_score_sleep_decays_nobody_who_comes_after),
		T(test_score_chat_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
