/* The mesh, subscriptions and messages of GossipSub (v1.0 and v1.1 specs). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/pubsub/gossip_internal.h"
#include "net/pubsub/gossip_rpc.h"
#include "net/wire/pb.h"
#include "tests/unit/gossip_lab.h"

static size_t mesh(struct gossip_lab *l)
{
	return gossip_mesh_size(l->g, room());
}

/* ---- subscriptions ---- */

static void test_gossip_first_rpc_is_all_subscriptions(void **state)
{
	struct gossip_lab *l = *state;
	struct said s;

	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("b")), 0);
	lab_add(l, 0, GOSSIP_V11, true);
	s = lab_said(l, 0);
	assert_int_equal(s.rpcs, 1);
	assert_int_equal(s.first_subscriptions, 2);
}

static void test_gossip_first_rpc_comes_even_without_topics(void **state)
{
	struct gossip_lab *l = *state;

	gossip_leave(l->g, &l->te.env, room());
	lab_add(l, 0, GOSSIP_V11, true);
	assert_int_equal(lab_said(l, 0).rpcs, 1);
}

static void test_gossip_join_and_leave_are_told_to_all(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	lab_add(l, 1, GOSSIP_FLOODSUB, false);
	lab_hush(l);
	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("b")), 0);
	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("b")), 0);
	assert_int_equal(lab_said(l, 0).subscribed, 1);
	assert_int_equal(lab_said(l, 1).subscribed, 1);
	gossip_leave(l->g, &l->te.env, bytes_str("b"));
	gossip_leave(l->g, &l->te.env, bytes_str("b"));
	assert_int_equal(lab_said(l, 0).unsubscribed, 1);
	assert_int_equal(lab_said(l, 1).unsubscribed, 1);
}

static void test_gossip_join_tells_again_who_is_there(void **state)
{
	struct gossip_lab *l = *state;
	struct gossip_event ev;

	lab_add(l, 0, GOSSIP_V11, false);
	lab_add(l, 1, GOSSIP_V11, false);
	assert_int_equal(lab_subscribe(l, 1, "b", true), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_TOPIC), 1);
	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("b")), 0);
	assert_true(gossip_next_event(l->g, &ev));
	assert_true(ev.joined);
	assert_string_equal(ev.topic, "b");
	assert_true(peer_id_equal(&ev.peer, lab_id(l, 1)));
	assert_false(gossip_next_event(l->g, &ev));
}

static void test_gossip_tells_who_comes_and_goes(void **state)
{
	struct gossip_lab *l = *state;
	struct gossip_event ev;

	lab_add(l, 0, GOSSIP_V11, false);
	assert_int_equal(lab_subscribe(l, 0, "other", true), 0);
	assert_true(gossip_next_event(l->g, &ev));
	assert_int_equal(ev.kind, GOSSIP_EV_TOPIC);
	assert_true(ev.joined);
	assert_string_equal(ev.topic, "other");
	assert_true(peer_id_equal(&ev.peer, lab_id(l, 0)));
	assert_int_equal(lab_subscribe(l, 0, "other", true), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_TOPIC), 0);
	assert_int_equal(lab_subscribe(l, 0, "other", false), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_TOPIC), 1);
	assert_int_equal(lab_subscribe(l, 0, "other", false), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_TOPIC), 0);
	assert_int_equal(lab_subscribe(l, 0, "a", true), 0);
	gossip_peer_remove(l->g, &l->te.env, lab_id(l, 0));
	assert_int_equal(lab_events(l, GOSSIP_EV_TOPIC), 2);
}

/* Nobody is there to whom nothing can be said. */
static void test_gossip_who_takes_no_stream_is_in_no_room(void **state)
{
	struct gossip_lab *l = *state;
	struct gossip_event ev;

	assert_int_equal(gossip_peer_seen(l->g, &l->te.env, lab_id(l, 0)), 0);
	assert_int_equal(lab_subscribe(l, 0, "room", true), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_TOPIC), 0);
	assert_false(gossip_shares(l->g, lab_id(l, 0)));
	lab_add(l, 0, GOSSIP_V11, false);
	assert_true(gossip_next_event(l->g, &ev));
	assert_int_equal(ev.kind, GOSSIP_EV_TOPIC);
	assert_true(ev.joined);
	assert_string_equal(ev.topic, "room");
	assert_true(gossip_shares(l->g, lab_id(l, 0)));
	/* Its next stream takes the place of the first. */
	lab_add(l, 0, GOSSIP_V11, false);
	assert_int_equal(lab_events(l, GOSSIP_EV_TOPIC), 0);
	gossip_peer_mute(l->g, lab_id(l, 0));
	assert_true(gossip_next_event(l->g, &ev));
	assert_false(ev.joined);
	assert_string_equal(ev.topic, "room");
	assert_false(gossip_shares(l->g, lab_id(l, 0)));
	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("b")), 0);
	assert_int_equal(lab_subscribe(l, 0, "b", true), 0);
	gossip_peer_remove(l->g, &l->te.env, lab_id(l, 0));
	assert_int_equal(lab_events(l, GOSSIP_EV_TOPIC), 0);
}

/* It goes nowhere; that it came is told once a heartbeat, however much it is.
 */
static void test_gossip_tells_of_what_is_no_text(void **state)
{
	struct gossip_lab *l = *state;
	struct gossip_event ev;

	lab_add(l, 0, GOSSIP_V11, false);
	lab_add(l, 1, GOSSIP_V11, false);
	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("room")), 0);
	assert_int_equal(lab_subscribe(l, 1, "room", true), 0);
	(void)lab_events(l, GOSSIP_EV_TOPIC);
	for (unsigned n = 1; n <= 3; n++)
		assert_int_equal(lab_message(l, 0,
					 lab_sign(l, 2, n, "room", "\xff\xfe")),
			0);
	lab_pass(l, 2 * GOSSIP_HEARTBEAT_MS);
	assert_true(gossip_next_event(l->g, &ev));
	assert_int_equal(ev.kind, GOSSIP_EV_UNREADABLE);
	assert_string_equal(ev.topic, "room");
	assert_true(peer_id_equal(&ev.peer, lab_id(l, 0)));
	assert_int_equal(ev.count, 3);
	assert_false(gossip_next_event(l->g, &ev));
	assert_int_equal(lab_said(l, 1).messages, 0);
}

static void test_gossip_caps_subscriptions_at_100(void **state)
{
	struct gossip_lab *l = *state;
	char name[16];

	lab_add(l, 0, GOSSIP_V11, false);
	for (int i = 0; i < 150; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		assert_int_equal(lab_subscribe(l, 0, name, true), 0);
	}
	assert_int_equal(lab_events(l, GOSSIP_EV_TOPIC), 100);
	assert_int_equal(gossip_counters(l->g)->refused, 50);
	/* Room is made by leaving one. */
	assert_int_equal(lab_subscribe(l, 0, "t0", false), 0);
	assert_int_equal(lab_subscribe(l, 0, "t100", true), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_TOPIC), 2);
}

/* It is said once: who is in a hundred others' is not lost to ours. */
static void test_gossip_subscription_to_our_topic_makes_room(void **state)
{
	struct gossip_lab *l = *state;
	struct gossip_event ev;
	char name[16];

	lab_add(l, 0, GOSSIP_V11, false);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		assert_int_equal(lab_subscribe(l, 0, name, true), 0);
	}
	(void)lab_events(l, GOSSIP_EV_TOPIC);
	assert_int_equal(lab_subscribe(l, 0, "room", true), 0);
	assert_true(gossip_next_event(l->g, &ev));
	assert_string_equal(ev.topic, "t0");
	assert_false(ev.joined);
	assert_true(gossip_next_event(l->g, &ev));
	assert_string_equal(ev.topic, "room");
	assert_true(ev.joined);
	assert_int_equal(mesh(l), 1);
	/* Never another one of ours. */
	for (int i = 1; i < 100; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		assert_int_equal(
			gossip_join(l->g, &l->te.env, bytes_str(name)), 0);
	}
	assert_int_equal(
		gossip_join(l->g, &l->te.env, bytes_str("another")), 0);
	(void)lab_events(l, GOSSIP_EV_TOPIC);
	assert_int_equal(lab_subscribe(l, 0, "another", true), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_TOPIC), 0);
	assert_int_equal(gossip_counters(l->g)->refused, 1);
}

static void test_gossip_refuses_topics_of_bad_length(void **state)
{
	struct gossip_lab *l = *state;
	char name[130] = {0};

	memset(name, 'x', 129);
	lab_add(l, 0, GOSSIP_V11, false);
	assert_int_equal(lab_subscribe(l, 0, name, true), 0);
	assert_int_equal(lab_subscribe(l, 0, "", true), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_TOPIC), 0);
	assert_int_equal(gossip_counters(l->g)->refused, 2);
	name[128] = '\0';
	assert_int_equal(lab_subscribe(l, 0, name, true), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_TOPIC), 1);
	assert_int_equal(
		gossip_join(l->g, &l->te.env, bytes_str("")), P2P_ERR_INVAL);
	name[128] = 'x';
	assert_int_equal(
		gossip_join(l->g, &l->te.env, bytes_str(name)), P2P_ERR_INVAL);
}

static void test_gossip_joins_at_most_256_topics(void **state)
{
	struct gossip_lab *l = *state;
	char name[16];
	int err = 0;
	int i;

	for (i = 1; err == 0; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		err = gossip_join(l->g, &l->te.env, bytes_str(name));
	}
	assert_int_equal(err, P2P_ERR_LIMIT);
	assert_int_equal(i, GOSSIP_TOPICS_MAX + 1);
}

/* ---- the mesh ---- */

static void test_gossip_grafts_up_to_d_low_as_peers_come(void **state)
{
	struct gossip_lab *l = *state;
	unsigned grafts = 0;

	for (unsigned i = 0; i < 8; i++) {
		lab_add(l, i, GOSSIP_V11, false);
		assert_int_equal(lab_subscribe(l, i, "room", true), 0);
		grafts += lab_said(l, i).grafts;
	}
	assert_int_equal(grafts, GOSSIP_D_LOW);
	assert_int_equal(mesh(l), GOSSIP_D_LOW);
	/* When one goes, the mesh is filled to D. */
	for (unsigned i = 0; mesh(l) == GOSSIP_D_LOW && i < 8; i++)
		if (gossip_in_mesh(l->g, room(), lab_id(l, i)))
			gossip_peer_remove(l->g, &l->te.env, lab_id(l, i));
	assert_int_equal(mesh(l), GOSSIP_D);
}

static void test_gossip_join_grafts_d_peers(void **state)
{
	struct gossip_lab *l = *state;
	unsigned grafts = 0;

	for (unsigned i = 0; i < 10; i++) {
		lab_add(l, i, GOSSIP_V11, false);
		assert_int_equal(lab_subscribe(l, i, "b", true), 0);
	}
	lab_hush(l);
	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("b")), 0);
	for (unsigned i = 0; i < 10; i++)
		grafts += lab_said(l, i).grafts;
	assert_int_equal(grafts, GOSSIP_D);
	assert_int_equal(gossip_mesh_size(l->g, bytes_str("b")), GOSSIP_D);
}

static void test_gossip_thins_to_d_above_d_high(void **state)
{
	struct gossip_lab *l = *state;
	unsigned prunes = 0, kept_outbound = 0;

	for (unsigned i = 0; i < 16; i++) {
		lab_add(l, i, GOSSIP_V11, i >= 12);
		assert_int_equal(lab_subscribe(l, i, "room", true), 0);
	}
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(lab_graft(l, i, "room"), 0);
	assert_int_equal(mesh(l), 16);
	lab_hush(l);
	lab_pass(l, GOSSIP_HEARTBEAT_MS);
	assert_int_equal(mesh(l), GOSSIP_D);
	for (unsigned i = 0; i < 16; i++) {
		struct said s = lab_said(l, i);

		prunes += s.prunes;
		if (s.prunes > 0)
			assert_int_equal(s.backoff_s, GOSSIP_PRUNE_BACKOFF_S);
		if (i >= 12)
			kept_outbound +=
				gossip_in_mesh(l->g, room(), lab_id(l, i));
	}
	assert_int_equal(prunes, 10);
	/* Of those that we dialled enough stay. */
	assert_in_range(kept_outbound, GOSSIP_D_OUT, 4);
}

static void test_gossip_prunes_graft_above_d_high_unless_dialled(void **state)
{
	struct gossip_lab *l = *state;
	struct said s;

	for (unsigned i = 0; i < 14; i++)
		lab_member(l, i, GOSSIP_V11);
	for (unsigned i = 0; i < 12; i++)
		assert_int_equal(lab_graft(l, i, "room"), 0);
	assert_int_equal(mesh(l), GOSSIP_D_HIGH);
	lab_hush(l);
	assert_int_equal(lab_graft(l, 12, "room"), 0);
	s = lab_said(l, 12);
	assert_int_equal(s.prunes, 1);
	assert_int_equal(s.backoff_s, GOSSIP_PRUNE_BACKOFF_S);
	assert_int_equal(mesh(l), GOSSIP_D_HIGH);
	lab_add(l, 20, GOSSIP_V11, true);
	assert_int_equal(lab_subscribe(l, 20, "room", true), 0);
	assert_int_equal(lab_graft(l, 20, "room"), 0);
	assert_int_equal(mesh(l), GOSSIP_D_HIGH + 1);
}

static void test_gossip_waits_out_backoff_and_a_heartbeat(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(mesh(l), 1);
	assert_int_equal(lab_prune(l, 0, "room", 7), 0);
	assert_int_equal(mesh(l), 0);
	lab_pass(l, 7999);
	assert_int_equal(lab_said(l, 0).grafts, 0);
	lab_pass(l, 1001);
	assert_int_equal(lab_said(l, 0).grafts, 1);
	assert_int_equal(mesh(l), 1);
}

static void test_gossip_prune_without_backoff_means_60_s(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V10);
	assert_int_equal(lab_prune(l, 0, "room", -1), 0);
	lab_pass(l, 60999);
	assert_int_equal(mesh(l), 0);
	lab_pass(l, 1001);
	assert_int_equal(mesh(l), 1);
}

static void test_gossip_clamps_backoff_to_an_hour(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(lab_prune(l, 0, "room", INT64_MAX), 0);
	lab_pass(l, 3600000);
	assert_int_equal(mesh(l), 0);
	lab_pass(l, 2000);
	assert_int_equal(mesh(l), 1);
}

static void test_gossip_prunes_graft_inside_backoff(void **state)
{
	struct gossip_lab *l = *state;
	struct said s;

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(lab_prune(l, 0, "room", 60), 0);
	lab_pass(l, 30000);
	assert_int_equal(lab_graft(l, 0, "room"), 0);
	s = lab_said(l, 0);
	assert_int_equal(s.prunes, 1);
	assert_int_equal(mesh(l), 0);
	/* And it starts anew. */
	lab_pass(l, 40000);
	assert_int_equal(mesh(l), 0);
	lab_pass(l, 22000);
	assert_int_equal(mesh(l), 1);
}

static void test_gossip_backoff_outlives_a_reconnect(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(lab_prune(l, 0, "room", 60), 0);
	gossip_peer_remove(l->g, &l->te.env, lab_id(l, 0));
	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(mesh(l), 0);
	assert_int_equal(lab_graft(l, 0, "room"), 0);
	assert_int_equal(lab_said(l, 0).prunes, 1);
}

static void test_gossip_ignores_graft_for_unknown_topics(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(lab_graft(l, 0, "nowhere"), 0);
	assert_int_equal(lab_prune(l, 0, "nowhere", 5), 0);
	assert_int_equal(lab_said(l, 0).rpcs, 0);
	assert_int_equal(gossip_mesh_size(l->g, bytes_str("nowhere")), 0);
	/* Nor for one that the peer itself is not in. */
	lab_add(l, 1, GOSSIP_V11, false);
	assert_int_equal(lab_graft(l, 1, "room"), 0);
	assert_false(gossip_in_mesh(l->g, room(), lab_id(l, 1)));
}

static void test_gossip_unsubscribing_peer_leaves_the_mesh(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(lab_subscribe(l, 0, "room", false), 0);
	assert_int_equal(mesh(l), 0);
}

/* Each time it joined anew it would be told of all recent lines. */
static void test_gossip_coming_and_going_has_a_backoff(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t id[PEER_ID_BYTES_MAX + 8] = {0};
	struct bytes ids = bytes_of(id, lab_id(l, 5)->len + 8u);
	unsigned told = 0;

	memcpy(id, lab_id(l, 5)->raw, lab_id(l, 5)->len);
	lab_member(l, 0, GOSSIP_V11);
	assert_int_equal(lab_ihave(l, 0, "room", ids, 1), 0);
	assert_int_equal(gossip_publish(l->g, &l->te.env,
				 lab_sign(l, LAB_PEERS, 1, "room", "x")),
		1);
	(void)lab_said(l, 0);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(lab_subscribe(l, 0, "room", false), 0);
		assert_int_equal(lab_subscribe(l, 0, "room", true), 0);
		assert_int_equal(lab_graft(l, 0, "room"), 0);
		told += lab_said(l, 0).ihaves;
	}
	assert_int_equal(told, 0);
	assert_int_equal(mesh(l), 0);
	/* Who comes back and does not press is welcome in 10 s. */
	lab_member(l, 1, GOSSIP_V11);
	assert_int_equal(lab_subscribe(l, 1, "room", false), 0);
	assert_int_equal(lab_subscribe(l, 1, "room", true), 0);
	lab_pass(l, 10999);
	assert_int_equal(mesh(l), 0);
	lab_pass(l, 1001);
	assert_int_equal(mesh(l), 1);
}

/* The peer knows nothing of our stream's troubles: it still has us in its
 * mesh, so it stays in ours. */
static void test_gossip_new_stream_keeps_its_place(void **state)
{
	struct gossip_lab *l = *state;

	for (unsigned i = 0; i < GOSSIP_D_HIGH; i++) {
		lab_member(l, i, GOSSIP_V11);
		assert_int_equal(lab_graft(l, i, "room"), 0);
	}
	lab_add(l, 7, GOSSIP_V11, false);
	assert_true(gossip_in_mesh(l->g, room(), lab_id(l, 7)));
	/* Should it have lost us after all. */
	assert_int_equal(lab_said(l, 7).grafts, 1);
	/* As a kind that has no mesh it cannot. */
	lab_add(l, 7, GOSSIP_FLOODSUB, false);
	assert_false(gossip_in_mesh(l->g, room(), lab_id(l, 7)));
}

/* While they wait, what was queued can become wrong: sent all the same, a GRAFT
 * would come in the peer's back-off, and a PRUNE end what was just agreed. */
static void test_gossip_takes_back_what_is_overtaken(void **state)
{
	struct gossip_lab *l = *state;
	struct said s;

	lab_add(l, 0, GOSSIP_V11, false);
	(void)lab_said(l, 0);
	assert_int_equal(lab_subscribe(l, 0, "room", true), 0);
	assert_int_equal(lab_prune(l, 0, "room", 60), 0);
	assert_int_equal(lab_said(l, 0).grafts, 0);
	assert_int_equal(gossip_out_bytes(l->g), 0);
	/* It is told of all the same when there is something again. */
	lab_hush(l);
	assert_int_equal(lab_graft(l, 0, "room"), 0);
	lab_pass(l, 62000);
	assert_int_equal(lab_graft(l, 0, "room"), 0);
	assert_int_equal(mesh(l), 1);
	s = lab_said(l, 0);
	assert_int_equal(s.prunes, 0);
	/* The subscription beside it stays. */
	gossip_leave(l->g, &l->te.env, room());
	assert_int_equal(gossip_join(l->g, &l->te.env, room()), 0);
	lab_pass(l, 12000);
	assert_int_equal(lab_prune(l, 0, "room", 60), 0);
	s = lab_said(l, 0);
	assert_int_equal(s.grafts + s.prunes, 0);
	assert_int_equal(s.subscribed, 1);
}

static void test_gossip_leave_prunes_with_10_s(void **state)
{
	struct gossip_lab *l = *state;
	struct said s;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V10);
	gossip_leave(l->g, &l->te.env, room());
	s = lab_said(l, 0);
	assert_int_equal(s.prunes, 1);
	assert_int_equal(s.backoff_s, GOSSIP_UNSUBSCRIBE_BACKOFF_S);
	assert_int_equal(s.unsubscribed, 1);
	s = lab_said(l, 1);
	assert_int_equal(s.prunes, 1);
	assert_false(s.has_backoff); /* v1.0 knows none */
	/* Back again within 10 s: the back-off holds for us, too. */
	assert_int_equal(gossip_join(l->g, &l->te.env, room()), 0);
	lab_pass(l, 10999);
	assert_int_equal(lab_said(l, 0).grafts, 0);
	lab_pass(l, 1001);
	assert_int_equal(lab_said(l, 0).grafts, 1);
}

static void test_gossip_forgets_left_topics(void **state)
{
	struct gossip_lab *l = *state;
	char name[16];

	lab_member(l, 0, GOSSIP_V11);
	for (int i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		assert_int_equal(
			gossip_join(l->g, &l->te.env, bytes_str(name)), 0);
		assert_int_equal(lab_subscribe(l, 0, name, true), 0);
		gossip_leave(l->g, &l->te.env, bytes_str(name));
		assert_int_equal(lab_subscribe(l, 0, name, false), 0);
		lab_hush(l);
	}
	assert_int_equal(l->g->left.count, GOSSIP_TOPICS_MAX);
	lab_pass(l, 20000);
	assert_int_equal(l->g->left.count, 0);
	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("t599")), 0);
	assert_int_equal(lab_subscribe(l, 0, "t599", true), 0);
	assert_int_equal(lab_said(l, 0).grafts, 1);
}

static void test_gossip_backoffs_of_a_topic_are_bounded(void **state)
{
	struct gossip_lab *l = *state;
	const struct topic *t = table_get(&l->g->topics, room());
	struct peer_id id = *lab_id(l, 0);

	/* Crowds that PRUNE and go: made of ids alone. */
	for (unsigned i = 0; i < 3000; i++) {
		size_t outer, inner;
		struct bytes rpc;

		put_be32(id.raw + 6, i);
		assert_int_equal(gossip_peer_seen(l->g, &l->te.env, &id), 0);
		outer = pb_begin(&l->rpc, RPC_CONTROL);
		inner = pb_begin(&l->rpc, CONTROL_PRUNE);
		pb_put_bytes(&l->rpc, PRUNE_TOPIC, room());
		pb_put_uint(&l->rpc, PRUNE_BACKOFF, 3600);
		pb_end(&l->rpc, inner);
		pb_end(&l->rpc, outer);
		rpc = buf_bytes(&l->rpc);
		assert_int_equal(gossip_feed(l->g, &l->te.env, &id, &rpc), 0);
		buf_reset(&l->rpc);
		gossip_peer_remove(l->g, &l->te.env, &id);
	}
	assert_int_equal(t->backoff.count, GOSSIP_BACKOFFS_MAX);
	assert_int_equal(lab_prune(l, 0, "room", 5), P2P_ERR_LIMIT);
	lab_member(l, 1, GOSSIP_V11);
	assert_int_equal(mesh(l), 1);
}

static void test_gossip_caps_peers(void **state)
{
	struct gossip_lab *l = *state;
	struct gossip_peer peer = {.id = *lab_id(l, 0), .version = GOSSIP_V11};

	for (unsigned i = 0; i < GOSSIP_PEERS_MAX; i++) {
		put_be32(peer.id.raw + 6, i);
		assert_int_equal(gossip_peer_add(l->g, &l->te.env, &peer), 0);
	}
	put_be32(peer.id.raw + 6, GOSSIP_PEERS_MAX);
	assert_int_equal(
		gossip_peer_add(l->g, &l->te.env, &peer), P2P_ERR_LIMIT);
	assert_int_equal(
		gossip_peer_seen(l->g, &l->te.env, &peer.id), P2P_ERR_LIMIT);
	put_be32(peer.id.raw + 6, 5);
	gossip_peer_remove(l->g, &l->te.env, &peer.id);
	put_be32(peer.id.raw + 6, GOSSIP_PEERS_MAX);
	assert_int_equal(gossip_peer_add(l->g, &l->te.env, &peer), 0);
}

static void test_gossip_never_grafts_floodsub_peers(void **state)
{
	struct gossip_lab *l = *state;

	lab_member(l, 0, GOSSIP_FLOODSUB);
	lab_pass(l, 5000);
	assert_int_equal(mesh(l), 0);
	assert_int_equal(lab_said(l, 0).rpcs, 0);
}

static void test_gossip_sleeps_when_alone(void **state)
{
	struct gossip_lab *l = *state;

	assert_true(gossip_deadline(l->g) == P2P_NEVER);
	lab_member(l, 0, GOSSIP_V11);
	assert_true(gossip_deadline(l->g) != P2P_NEVER);
	gossip_peer_remove(l->g, &l->te.env, lab_id(l, 0));
	lab_pass(l, 10000);
	assert_true(gossip_deadline(l->g) == P2P_NEVER);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, lab_begin, lab_end)
	const struct CMUnitTest tests[] = {
		T(test_gossip_first_rpc_is_all_subscriptions),
		T(test_gossip_first_rpc_comes_even_without_topics),
		T(test_gossip_join_and_leave_are_told_to_all),
		T(test_gossip_join_tells_again_who_is_there),
		T(test_gossip_tells_who_comes_and_goes),
		T(test_gossip_who_takes_no_stream_is_in_no_room),
		T(test_gossip_tells_of_what_is_no_text),
		T(test_gossip_caps_subscriptions_at_100),
		T(test_gossip_subscription_to_our_topic_makes_room),
		T(test_gossip_refuses_topics_of_bad_length),
		T(test_gossip_joins_at_most_256_topics),
		T(test_gossip_grafts_up_to_d_low_as_peers_come),
		T(test_gossip_join_grafts_d_peers),
		T(test_gossip_thins_to_d_above_d_high),
		T(test_gossip_prunes_graft_above_d_high_unless_dialled),
		T(test_gossip_waits_out_backoff_and_a_heartbeat),
		T(test_gossip_prune_without_backoff_means_60_s),
		T(test_gossip_clamps_backoff_to_an_hour),
		T(test_gossip_prunes_graft_inside_backoff),
		T(test_gossip_backoff_outlives_a_reconnect),
		T(test_gossip_ignores_graft_for_unknown_topics),
		T(test_gossip_unsubscribing_peer_leaves_the_mesh),
		T(test_gossip_coming_and_going_has_a_backoff),
		T(test_gossip_new_stream_keeps_its_place),
		T(test_gossip_takes_back_what_is_overtaken),
		T(test_gossip_leave_prunes_with_10_s),
		T(test_gossip_forgets_left_topics),
		T(test_gossip_backoffs_of_a_topic_are_bounded),
		T(test_gossip_caps_peers),
		T(test_gossip_never_grafts_floodsub_peers),
		T(test_gossip_sleeps_when_alone),
	};
	return cmocka_run_group_tests_name("gossip", tests, NULL, NULL);
}
