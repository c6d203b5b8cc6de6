/* Who comes into a mesh and who leaves it, where test_gossip.c has no story. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/pubsub/gossip_limits.h"
#include "net/pubsub/gossip_pick.h"
#include "tests/unit/gossip_lab.h"

/* The mesh is as full as it fills itself, and a line has passed through. */
static int begin(void **state)
{
	struct gossip_lab *l;

	if (lab_begin(state) != 0)
		return -1;
	l = *state;
	for (unsigned i = 0; i < GOSSIP_D; i++)
		lab_member(l, i, GOSSIP_V11);
	lab_pass(l, 2000);
	lab_hush(l);
	return 0;
}

/* Somebody beside the mesh, whose form of ids is known or not. */
static void beside(struct gossip_lab *l, unsigned i, enum gossip_id_form form)
{
	struct gossip_peer peer = {
		.id = *lab_id(l, i), .version = GOSSIP_V11, .form = form};

	assert_int_equal(gossip_peer_add(l->g, &l->te.env, &peer), 0);
	assert_int_equal(lab_subscribe(l, i, "room", true), 0);
	assert_int_equal(lab_said(l, i).grafts, 0);
}

static void test_mesh_who_comes_in_is_told_what_came_before(void **state)
{
	struct gossip_lab *l = *state;
	struct said said;

	beside(l, 20, GOSSIP_FORM_FROM_SEQNO);
	beside(l, 21, GOSSIP_FORM_UNKNOWN);
	assert_int_equal(lab_message(l, 0, lab_sign(l, 50, 1, "room", "x")), 0);
	assert_int_equal(lab_said(l, 20).messages, 0);
	/* No heartbeat passes. */
	assert_int_equal(lab_graft(l, 20, "room"), 0);
	said = lab_said(l, 20);
	assert_int_equal(said.ihaves, 1);
	assert_int_equal(said.ihave_ids, 1);
	/* What could be named to nobody by any form is not. */
	assert_int_equal(lab_graft(l, 21, "room"), 0);
	assert_int_equal(lab_said(l, 21).ihaves, 0);
	/* Both are members. */
	assert_int_equal(lab_message(l, 0, lab_sign(l, 50, 2, "room", "y")), 0);
	assert_int_equal(lab_said(l, 20).messages, 1);
	assert_int_equal(lab_said(l, 21).messages, 1);
}

/* Its stream ended and another begins: it is asked in again. */
static void test_mesh_who_has_a_stream_again_is_asked_in(void **state)
{
	struct gossip_lab *l = *state;

	for (unsigned i = GOSSIP_D_LOW - 1; i < GOSSIP_D; i++)
		gossip_peer_mute(l->g, lab_id(l, i));
	assert_int_equal(lab_said(l, GOSSIP_D - 1).grafts, 0);
	lab_add(l, GOSSIP_D - 1, GOSSIP_V11, false);
	assert_int_equal(lab_said(l, GOSSIP_D - 1).grafts, 1);
	/* That was all that the mesh needed. */
	lab_add(l, GOSSIP_D - 2, GOSSIP_V11, false);
	assert_int_equal(lab_said(l, GOSSIP_D - 2).grafts, 0);
}

/* Whom both sides keep is in no mesh at all. */
static void test_mesh_a_direct_peer_leaves_every_room(void **state)
{
	struct gossip_lab *l = *state;

	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("other")), 0);
	assert_int_equal(lab_subscribe(l, 0, "other", true), 0);
	assert_int_equal(lab_said(l, 0).grafts, 1);
	assert_int_equal(
		gossip_set_direct(l->g, &l->te.env, lab_id(l, 0), true), 0);
	assert_int_equal(lab_said(l, 0).prunes, 2);
}

/* Whoever is thinned out was a member. */
static void test_mesh_is_thinned_of_members_only(void **state)
{
	struct gossip_lab *l = *state;
	unsigned left = 0;

	for (unsigned i = 30; i < 35; i++)
		beside(l, i, GOSSIP_FORM_FROM_SEQNO);
	/* Whom we dialled may come in above the maximum. */
	for (unsigned i = GOSSIP_D_LOW; i <= GOSSIP_D_HIGH; i++) {
		lab_add(l, i, GOSSIP_V11, true);
		assert_int_equal(lab_subscribe(l, i, "room", true), 0);
		assert_int_equal(lab_graft(l, i, "room"), 0);
	}
	lab_hush(l);
	lab_pass(l, GOSSIP_HEARTBEAT_MS + 1);
	for (unsigned i = 0; i <= GOSSIP_D_HIGH; i++)
		left += lab_said(l, i).prunes == 0;
	assert_int_equal(left, GOSSIP_D);
	for (unsigned i = 30; i < 35; i++)
		assert_int_equal(lab_said(l, i).prunes, 0);
}

/* Each at each place, one time in eight; else somebody could tell who it is. */
static void test_mesh_lots_are_fair(void **state)
{
	struct gossip_lab *l = *state;
	struct gpeer peer[8], *list[8];
	unsigned at[8][8] = {{0}};

	for (unsigned times = 0; times < 8000; times++) {
		for (unsigned i = 0; i < 8; i++)
			list[i] = &peer[i];
		pick_shuffle(&l->te.env, list, 8);
		for (unsigned i = 0; i < 8; i++)
			at[list[i] - peer][i]++;
	}
	for (unsigned i = 0; i < 64; i++)
		assert_in_range(at[i / 8][i % 8], 800, 1200);
}

/* A mesh is filled by lot, not with those who were here first. */
static void test_mesh_is_filled_by_lot(void **state)
{
	struct gossip_lab *l = *state;
	unsigned first = 0, all = 0;

	for (unsigned i = 0; i < 60; i++) {
		if (i >= GOSSIP_D)
			lab_add(l, i, GOSSIP_V11, false);
		assert_int_equal(lab_subscribe(l, i, "other", true), 0);
	}
	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("other")), 0);
	for (unsigned i = 0; i < 60; i++) {
		unsigned grafts = lab_said(l, i).grafts;

		all += grafts;
		first += i < 20 ? grafts : 0;
	}
	assert_int_equal(all, GOSSIP_D);
	assert_true(first < GOSSIP_D);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, lab_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_mesh_who_comes_in_is_told_what_came_before),
		STORY(test_mesh_who_has_a_stream_again_is_asked_in),
		STORY(test_mesh_a_direct_peer_leaves_every_room),
		STORY(test_mesh_is_thinned_of_members_only),
		STORY(test_mesh_lots_are_fair),
		STORY(test_mesh_is_filled_by_lot),
	};

	return cmocka_run_group_tests_name("gossip_mesh", tests, NULL, NULL);
}
