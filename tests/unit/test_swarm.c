/* Connections and peers: two or three swarms joined in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/swarm_lab.h"

static int setup(void **state)
{
	*state = lab_new("10.0.0", true, true);
	return 0;
}

static int setup_public(void **state)
{
	*state = lab_new("8.8.4", true, true);
	return 0;
}

static int setup_mplex(void **state)
{
	*state = lab_new("10.0.0", false, true);
	return 0;
}

static int teardown(void **state)
{
	lab_free(*state);
	return 0;
}

static void know(struct swarm_lab *l, unsigned who, unsigned whom, bool fresh)
{
	swarm_know(swarm_of(l, who), &l->te.env, id_of(l, whom),
		&l->host[whom].addr, fresh);
}

/* ---- coming and going ---- */

static void test_swarm_two_meet_and_identify(void **state)
{
	struct swarm_lab *l = *state;
	struct swarm_peer_info info;

	lab_dial(l, 0, 1, true);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(lab_count(l, i, SWARM_EV_PEER_UP), 1);
		assert_true(
			swarm_peer_info(swarm_of(l, i), id_of(l, !i), &info));
		assert_true(info.identified);
		assert_int_equal(info.outbound, i == 0);
		assert_string_equal(info.muxer, "yamux");
		assert_string_equal(info.agent, "lab/1");
		assert_true(swarm_peer_speaks(
			swarm_of(l, i), id_of(l, !i), "/a/1"));
		assert_true(swarm_peer_speaks(
			swarm_of(l, i), id_of(l, !i), "/ipfs/ping/1.0.0"));
		assert_false(
			swarm_peer_speaks(swarm_of(l, i), id_of(l, !i), "/a/"));
	}
	assert_int_equal(lab_count(l, 0, SWARM_EV_ADDRESS), 1);
	assert_int_equal(lab_count(l, 1, SWARM_EV_ADDRESS), 0);
	assert_false(swarm_peer_info(swarm_of(l, 0), id_of(l, 2), &info));
	assert_false(swarm_peer_speaks(swarm_of(l, 0), id_of(l, 2), "/a/1"));
	/* Identify streams do not stay. */
	lab_pass(l, 11000);
	assert_int_equal(swarm_budget_used(swarm_of(l, 0)),
		swarm_budget_used(swarm_of(l, 1)));
}

static void test_swarm_dial_without_id_takes_who_answers(void **state)
{
	struct swarm_lab *l = *state;

	lab_dial(l, 0, 1, false);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_UP), 1);
	assert_int_equal(lab_count(l, 0, SWARM_EV_DIAL_FAILED), 0);
}

static void test_swarm_refuses_wrong_peer_id(void **state)
{
	struct swarm_lab *l = *state;
	struct maddr a;

	assert_int_equal(maddr_join_peer(&a, &l->host[1].addr,
				 peer_id_bytes(id_of(l, 2))),
		0);
	swarm_dial(swarm_of(l, 0), &l->te.env, &a, 9);
	lab_run(l);
	assert_int_equal(lab_count(l, 0, SWARM_EV_DIAL_FAILED), 1);
	assert_int_equal(lab_last(l, 0, SWARM_EV_DIAL_FAILED)->number, 9);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_UP), 0);
	assert_int_equal(lab_wires(l), 0);
}

static void test_swarm_refuses_to_dial_itself(void **state)
{
	struct swarm_lab *l = *state;

	lab_dial(l, 0, 0, false);
	assert_int_equal(lab_count(l, 0, SWARM_EV_DIAL_FAILED), 1);
	assert_string_equal(lab_last(l, 0, SWARM_EV_DIAL_FAILED)->text,
		"that is this program itself");
	assert_int_equal(swarm_conn_count(swarm_of(l, 0)), 0);
	know(l, 0, 0, true);
	lab_pass(l, 5000);
	/* Its own listen address is known without a try. */
	assert_int_equal(l->host[0].dial_count, 0);
}

static void test_swarm_refuses_addresses_it_cannot_dial(void **state)
{
	static const char *const odd[] = {"/ip4/0.0.0.0/tcp/1",
		"/ip4/10.0.0.2/tcp/0", "/ip4/10.0.0.2/udp/4001/quic-v1",
		"/ip4/224.0.0.1/tcp/1", "/unix/%2Fx"};
	struct swarm_lab *l = *state;
	unsigned tried = 0;
	struct maddr a;

	for (size_t i = 0; i < P2P_ARRAY_LEN(odd); i++) {
		if (maddr_parse_text(&a, bytes_str(odd[i])) != 0)
			continue;
		tried++;
		swarm_dial(swarm_of(l, 0), &l->te.env, &a, 1);
		swarm_know(swarm_of(l, 0), &l->te.env, id_of(l, 1), &a, true);
	}
	lab_pass(l, 5000);
	assert_in_range(tried, 4, 5);
	assert_int_equal(lab_count(l, 0, SWARM_EV_DIAL_FAILED), tried);
	assert_int_equal(l->host[0].dial_count, 0);
}

static void test_swarm_simultaneous_dials_keep_two(void **state)
{
	struct swarm_lab *l = *state;
	struct maddr a = l->host[1].addr, b = l->host[0].addr;

	swarm_dial(swarm_of(l, 0), &l->te.env, &a, 1);
	swarm_dial(swarm_of(l, 1), &l->te.env, &b, 1);
	lab_pass(l, 2000);
	assert_int_equal(lab_wires(l), 2);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(lab_count(l, i, SWARM_EV_PEER_UP), 1);
	/* The loss of either is survived. */
	lab_cut(l, 0);
	lab_pass(l, 2000);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(lab_count(l, i, SWARM_EV_PEER_DOWN), 0);
		assert_int_equal(lab_count(l, i, SWARM_EV_PEER_UP), 1);
	}
	assert_int_equal(lab_wires(l), 1);
	lab_cut(l, 1);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(lab_count(l, i, SWARM_EV_PEER_DOWN), 1);
}

/* Our dial hangs while the other side calls us, and is lost again soon. */
static void test_swarm_a_dial_under_way_is_waited_for(void **state)
{
	struct swarm_lab *l = *state;

	l->host[0].dials = false;
	know(l, 0, 1, false);
	lab_pass(l, 500);
	assert_int_equal(l->host[0].dial_count, 1);
	lab_dial(l, 1, 0, true);
	lab_pass(l, 500);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_UP), 1);
	l->host[0].deaf = true;
	lab_cut(l, 0);
	lab_pass(l, 3000);
	assert_int_equal(l->host[0].dial_count, 1);
	/* It has ended, and the peer is dialled anew. */
	lab_pass(l, 4000);
	assert_true(l->host[0].dial_count >= 2);
}

static void test_swarm_both_connections_die_and_come_back(void **state)
{
	struct swarm_lab *l = *state;

	know(l, 0, 1, true);
	know(l, 1, 0, true);
	lab_pass(l, 20000);
	assert_true(lab_wires(l) >= 1);
	lab_forget(l);
	for (unsigned i = 0; i < l->wire_count; i++)
		if (l->wire[i].used)
			lab_cut(l, i);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(lab_count(l, i, SWARM_EV_PEER_DOWN), 1);
	lab_pass(l, 3000);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(lab_count(l, i, SWARM_EV_PEER_UP), 1);
}

static void test_swarm_caps_connections_of_a_peer(void **state)
{
	struct swarm_lab *l = *state;

	for (unsigned i = 0; i < 8; i++)
		lab_dial(l, 0, 1, true);
	lab_pass(l, 100);
	assert_int_equal(lab_wires(l), SWARM_CONNS_PER_PEER_MAX);
	assert_false(l->wire[0].used);
	assert_true(l->wire[7].used);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_UP), 1);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_DOWN), 0);
}

static void test_swarm_disconnect_stops_redialling(void **state)
{
	struct swarm_lab *l = *state;

	know(l, 0, 1, true);
	lab_pass(l, 1000);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_UP), 1);
	swarm_disconnect(swarm_of(l, 0), &l->te.env, id_of(l, 1));
	swarm_disconnect(swarm_of(l, 0), &l->te.env, id_of(l, 2));
	lab_pass(l, 60000);
	assert_int_equal(l->host[0].dial_count, 1);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_DOWN), 1);
	/* A dial under way is given up, too. */
	l->host[0].dials = false;
	know(l, 0, 1, true);
	lab_pass(l, 100);
	assert_int_equal(swarm_conn_count(swarm_of(l, 0)), 1);
	swarm_disconnect(swarm_of(l, 0), &l->te.env, id_of(l, 1));
	assert_int_equal(swarm_conn_count(swarm_of(l, 0)), 0);
}

static void test_swarm_shutdown_says_goodbye(void **state)
{
	struct swarm_lab *l = *state;

	lab_meet(l);
	know(l, 0, 2, true);
	l->host[0].dials = false;
	lab_pass(l, 100);
	swarm_shutdown(swarm_of(l, 0), &l->te.env);
	lab_run(l);
	assert_int_equal(swarm_conn_count(swarm_of(l, 0)), 0);
	assert_int_equal(lab_count(l, 1, SWARM_EV_PEER_DOWN), 1);
	assert_int_equal(
		swarm_accepted(swarm_of(l, 0), &l->te.env, &l->host[2].addr),
		0);
	know(l, 0, 2, true);
	lab_pass(l, 60000);
	assert_int_equal(l->host[0].dial_count, 2);
}

static void test_swarm_shutdown_waits_a_second_for_the_deaf(void **state)
{
	struct swarm_lab *l = *state;

	lab_meet(l);
	l->wire[0].paused[1] = true;
	swarm_shutdown(swarm_of(l, 0), &l->te.env);
	lab_pass(l, SWARM_CLOSE_MS - 1);
	assert_int_equal(swarm_conn_count(swarm_of(l, 0)), 1);
	lab_pass(l, 2);
	assert_int_equal(swarm_conn_count(swarm_of(l, 0)), 0);
}

/* ---- dialling ---- */

static void test_swarm_backs_off_and_fresh_sight_resets(void **state)
{
	struct swarm_lab *l = *state;
	unsigned first, later;

	l->host[1].deaf = true;
	know(l, 0, 1, false);
	lab_pass(l, 10000);
	first = l->host[0].dial_count;
	assert_in_range(first, 3, 9);
	lab_pass(l, 600000);
	l->host[0].dial_count = 0;
	lab_pass(l, 600000);
	later = l->host[0].dial_count;
	assert_in_range(later, 1, 5);
	l->host[0].dial_count = 0;
	know(l, 0, 1, false); /* not fresh: the pause stays */
	lab_pass(l, 100);
	assert_int_equal(l->host[0].dial_count, 0);
	know(l, 0, 1, true);
	lab_pass(l, 100);
	assert_int_equal(l->host[0].dial_count, 1);
	l->host[1].deaf = false;
	swarm_network_changed(swarm_of(l, 0), &l->te.env);
	lab_pass(l, 100);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_UP), 1);
}

static void test_swarm_redials_a_lost_peer(void **state)
{
	struct swarm_lab *l = *state;

	lab_dial(l, 0, 1, true);
	lab_pass(l, 20000);
	lab_cut(l, 0);
	lab_pass(l, 1100);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_UP), 2);
}

/* A peer that takes us and hangs up each time is asked less and less. */
static void test_swarm_backs_off_from_who_hangs_up(void **state)
{
	struct swarm_lab *l = *state;
	unsigned n = 0;
	uint64_t end;

	know(l, 0, 1, true);
	lab_pass(l, 100);
	/* Long enough for the limit a minute not to explain it. */
	end = l->te.env.now_ms + 600000;
	while (l->te.env.now_ms < end) {
		for (unsigned i = 0; i < l->wire_count; i++)
			if (l->wire[i].used)
				lab_cut(l, i);
		lab_forget(l);
		lab_pass(l, 100);
		n = l->host[0].dial_count;
	}
	assert_in_range(n, 6, 20);
}

/* A handshake that fails behind Noise is a failed dial like any other. */
static void test_swarm_backs_off_when_the_upgrade_fails(void **state)
{
	struct swarm_lab *l = *state;

	lab_replace(l, 2, (struct serve_cfg){.offer_mplex = true}, false);
	lab_replace(l, 0, (struct serve_cfg){.offer_yamux = true}, false);
	know(l, 0, 2, true);
	lab_pass(l, 60000);
	assert_in_range(l->host[0].dial_count, 4, 12);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_UP), 0);
}

static void test_swarm_dials_give_up_after_5_s(void **state)
{
	struct swarm_lab *l = *state;

	l->host[0].dials = false;
	lab_dial(l, 0, 1, true);
	lab_pass(l, SWARM_DIAL_MS - 1);
	assert_int_equal(lab_count(l, 0, SWARM_EV_DIAL_FAILED), 0);
	lab_pass(l, 2);
	assert_int_equal(lab_count(l, 0, SWARM_EV_DIAL_FAILED), 1);
	assert_int_equal(swarm_conn_count(swarm_of(l, 0)), 0);
}

/* Many that are dead must not keep one that was seen just now waiting. */
static void test_swarm_dials_fresh_peers_before_dead_ones(void **state)
{
	struct swarm_lab *l = *state;
	struct peer_id id = *id_of(l, 2);
	struct maddr a;
	char text[64];

	l->host[0].dials = false;
	for (unsigned i = 0; i < 200; i++) {
		put_be32(id.raw + 6, i);
		snprintf(text, sizeof(text), "/ip4/10.1.1.%u/tcp/1", i);
		lab_addr(&a, text);
		swarm_know(swarm_of(l, 0), &l->te.env, &id, &a, false);
	}
	lab_pass(l, 200000);
	assert_in_range(swarm_conn_count(swarm_of(l, 0)), 1, SWARM_DIALS_MAX);
	l->host[0].dials = true;
	know(l, 0, 1, true);
	lab_pass(l, 5100);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_UP), 1);
}

static void test_swarm_keeps_1000_peers(void **state)
{
	struct swarm_lab *l = *state;
	struct peer_id id = *id_of(l, 2);

	l->host[0].dials = false;
	know(l, 0, 1, true);
	for (unsigned i = 0; i < 2500; i++) {
		l->te.env.now_ms++;
		put_be32(id.raw + 6, i);
		swarm_know(swarm_of(l, 0), &l->te.env, &id, &l->host[2].addr,
			false);
	}
	lab_pass(l, 10000);
	assert_in_range(swarm_conn_count(swarm_of(l, 0)), 1, SWARM_DIALS_MAX);
}

/* ---- limits ---- */

static uint64_t accept_from(struct swarm_lab *l, const char *text)
{
	struct maddr a;

	lab_addr(&a, text);
	return swarm_accepted(swarm_of(l, 0), &l->te.env, &a);
}

static void test_swarm_upgrade_takes_5_s_at_most(void **state)
{
	struct swarm_lab *l = *state;

	assert_int_not_equal(accept_from(l, "/ip4/10.0.0.9/tcp/5"), 0);
	lab_pass(l, SWARM_UPGRADE_MS - 1);
	assert_int_equal(swarm_conn_count(swarm_of(l, 0)), 1);
	lab_pass(l, 1);
	assert_int_equal(swarm_conn_count(swarm_of(l, 0)), 0);
	assert_int_equal(swarm_counters(swarm_of(l, 0))->upgrades_failed, 1);
}

static void test_swarm_takes_8_of_a_public_address(void **state)
{
	struct swarm_lab *l = *state;
	char text[64];

	for (unsigned i = 0; i < 8; i++) {
		snprintf(text, sizeof(text), "/ip4/9.9.9.9/tcp/%u", i + 1);
		assert_int_not_equal(accept_from(l, text), 0);
		snprintf(
			text, sizeof(text), "/ip6/2a00:1:2:3::%x/tcp/5", i + 1);
		assert_int_not_equal(accept_from(l, text), 0);
	}
	assert_int_equal(accept_from(l, "/ip4/9.9.9.9/tcp/99"), 0);
	assert_int_equal(accept_from(l, "/ip6/2a00:1:2:3:4::/tcp/5"), 0);
	assert_int_not_equal(accept_from(l, "/ip6/2a00:1:2:4::/tcp/5"), 0);
	assert_int_not_equal(accept_from(l, "/ip4/9.9.9.8/tcp/99"), 0);
	assert_int_equal(swarm_counters(swarm_of(l, 0))->conns_refused, 2);
	for (unsigned i = 0; i < 20; i++)
		assert_int_not_equal(
			accept_from(l, "/ip4/192.168.1.5/tcp/9"), 0);
}

/* The n-th address of some: the number comes between two texts. */
static uint64_t accept_nth(
	struct swarm_lab *l, const char *const around[2], unsigned n)
{
	char text[64];

	(void)snprintf(
		text, sizeof(text), "%s%u%s/tcp/1", around[0], n, around[1]);
	return accept_from(l, text);
}

/* Several of these, and one that comes when all places of the unproven are
 * taken makes the oldest of them go. */
static void wide_site_pays(const char *before, const char *behind)
{
	const char *const around[2] = {before, behind};
	struct swarm_lab *l = lab_new("10.0.0", true, true);
	struct swarm *s = swarm_of(l, 0);
	uint64_t first, second = 0;
	char text[64];

	first = accept_from(l, "/ip4/9.9.9.1/tcp/1");
	for (unsigned i = 0; i <= SWARM_SITE_FAIR; i++) {
		uint64_t id = accept_nth(l, around, i + 1);

		assert_int_not_equal(id, 0);
		if (i == 0)
			second = id;
	}
	for (unsigned i = 2 + SWARM_SITE_FAIR; i < SWARM_PREAUTH_MAX; i++) {
		(void)snprintf(text, sizeof(text), "/ip4/9.8.%u.1/tcp/1", i);
		assert_int_not_equal(accept_from(l, text), 0);
	}
	assert_int_equal(swarm_conn_count(s), SWARM_PREAUTH_MAX);
	assert_int_not_equal(accept_from(l, "/ip4/9.9.7.1/tcp/1"), 0);
	assert_int_equal(swarm_conn_count(s), SWARM_PREAUTH_MAX);
	assert_int_equal(swarm_counters(s)->preauth_evicted, 1);
	/* It has gone already, and not the one that was there before it. */
	swarm_closed(s, &l->te.env, second);
	assert_int_equal(swarm_conn_count(s), SWARM_PREAUTH_MAX);
	swarm_closed(s, &l->te.env, first);
	assert_int_equal(swarm_conn_count(s), SWARM_PREAUTH_MAX - 1);
	lab_free(l);
}

static void test_swarm_evicts_the_oldest_of_the_widest_site(void **state)
{
	(void)state;
	wide_site_pays("/ip4/9.9.8.", "");
	wide_site_pays("/ip6/2a00:1:2:3::", "");
	wide_site_pays("/ip6/2a00:1:2:", "::");
	wide_site_pays("/ip6/2a00:1:2:", "00::");
	wide_site_pays("/ip6/2a00:1:", "::");
}

static void test_swarm_counts_wide_sites(void **state)
{
	/* Each of them is another /64, or another address. */
	static const struct {
		const char *const around[2];
		unsigned most;
	} site[] = {
		{{"/ip4/9.9.1.", ""}, SWARM_CONNS_PER_IP4_24_MAX},
		{{"/ip6/2a00:1:2:1", "::"}, SWARM_CONNS_PER_IP6_56_MAX},
		{{"/ip6/2a00:1:2:", "00::"}, SWARM_CONNS_PER_IP6_48_MAX},
		{{"/ip6/2a00:1:", "::"}, SWARM_CONNS_PER_IP6_32_MAX},
	};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(site); i++) {
		struct swarm_lab *l = lab_new("10.0.0", true, true);
		/* With as many digits each. */
		unsigned n = 10;

		while (accept_nth(l, site[i].around, n) != 0 && n < 99)
			n++;
		assert_int_equal(n - 10, site[i].most);
		assert_int_equal(
			swarm_counters(swarm_of(l, 0))->refused_address, 1);
		lab_free(l);
	}
}

static void test_swarm_holds_few_bytes_before_the_proof(void **state)
{
	struct swarm_lab *l = *state;
	uint64_t conn = accept_from(l, "/ip4/9.9.9.1/tcp/1");
	static uint8_t zeros[70000];

	swarm_bytes(swarm_of(l, 0), &l->te.env, conn,
		bytes_of(zeros, sizeof(zeros)));
	lab_run(l);
	assert_int_equal(swarm_conn_count(swarm_of(l, 0)), 0);
	/* Ids that are no more are ignored. */
	swarm_bytes(swarm_of(l, 0), &l->te.env, conn, bytes_of(zeros, 5));
	swarm_out_consume(swarm_of(l, 0), &l->te.env, conn, 0);
	assert_int_equal(
		swarm_out_peek(swarm_of(l, 0), &l->te.env, conn).len, 0);
	swarm_dial_failed(swarm_of(l, 0), &l->te.env, conn, "x");
	swarm_connected(swarm_of(l, 0), &l->te.env, conn, &l->host[1].addr);
	swarm_closed(swarm_of(l, 0), &l->te.env, conn);
}

static void test_swarm_caps_connections_in_all(void **state)
{
	struct swarm_lab *l = *state;

	lab_replace(l, 0,
		(struct serve_cfg){.offer_yamux = true, .conns_max = 2}, false);
	assert_int_not_equal(accept_from(l, "/ip4/9.9.9.1/tcp/1"), 0);
	assert_int_not_equal(accept_from(l, "/ip4/9.9.9.2/tcp/1"), 0);
	/* Who has proven nothing makes room. */
	assert_int_not_equal(accept_from(l, "/ip4/9.9.9.3/tcp/1"), 0);
	assert_int_equal(swarm_conn_count(swarm_of(l, 0)), 2);
	lab_dial(l, 0, 1, false);
	assert_int_equal(lab_count(l, 0, SWARM_EV_DIAL_FAILED), 1);
}

/* ---- identify push, ping ---- */

static void test_swarm_pushes_new_addresses(void **state)
{
	struct swarm_lab *l = *state;
	struct maddr a;

	lab_meet(l);
	lab_addr(&a, "/ip4/10.0.0.77/tcp/9");
	for (unsigned i = 0; i < 20; i++) {
		swarm_set_addresses(swarm_of(l, 0), &a, 1);
		lab_run(l);
	}
	assert_int_equal(lab_count(l, 1, SWARM_EV_IDENTIFIED), 20);
	assert_true(swarm_peer_speaks(swarm_of(l, 1), id_of(l, 0), "/a/1"));
	/* No push leaves a stream behind. */
	lab_pass(l, 30000);
	assert_int_equal(swarm_budget_used(swarm_of(l, 0)), 0);
	assert_int_equal(swarm_budget_used(swarm_of(l, 1)), 0);
	/* The pushed address is one of those dialled after a loss. */
	l->host[1].dial_count = 0;
	know(l, 1, 0, false);
	l->host[0].deaf = true;
	l->host[0].dials = false;
	lab_cut(l, 0);
	lab_pass(l, 1500);
	assert_true(l->host[1].dial_count >= 2);
}

static void test_swarm_far_peers_name_no_near_addresses(void **state)
{
	struct swarm_lab *l = *state;
	struct maddr a[6];

	lab_addr(&a[0], "/ip4/192.168.7.7/tcp/22");
	lab_addr(&a[1], "/ip4/127.0.0.1/tcp/22");
	lab_addr(&a[2], "/ip4/169.254.1.1/tcp/22");
	lab_addr(&a[3], "/ip6/fe80::1/tcp/22");
	lab_addr(&a[4], "/ip6/::ffff:10.0.0.1/tcp/22");
	lab_addr(&a[5], "/dns4/localhost/tcp/22");
	swarm_set_addresses(swarm_of(l, 0), a, 6);
	lab_meet(l);
	know(l, 1, 0, false);
	l->host[0].deaf = true;
	l->host[0].dials = false;
	l->host[1].dial_count = 0;
	lab_cut(l, 0);
	lab_pass(l, 1500);
	assert_int_equal(l->host[1].dial_count, 1);
}

/* The LAN of two, cut without a word this long after they have met: how long
 * until both know. */
static uint64_t silence_is_noticed_after(bool yamux, uint64_t met_ms)
{
	struct swarm_lab *l = lab_new("10.0.0", yamux, !yamux);
	uint64_t began, took = 0;

	lab_meet(l);
	lab_pass(l, met_ms);
	began = l->te.env.now_ms;
	l->wire[0].paused[0] = l->wire[0].paused[1] = true;
	l->host[0].deaf = l->host[1].deaf = true;
	while (took <= 60000 &&
		(lab_count(l, 0, SWARM_EV_PEER_DOWN) == 0 ||
			lab_count(l, 1, SWARM_EV_PEER_DOWN) == 0)) {
		lab_pass(l, 1);
		took = l->te.env.now_ms - began;
	}
	lab_free(l);
	return took;
}

static void test_swarm_both_sides_notice_death_within_15_s(void **state)
{
	(void)state;
	for (uint64_t met_ms = 0; met_ms < 45000; met_ms += 1777) {
		assert_in_range(silence_is_noticed_after(true, met_ms),
			SWARM_PING_TIMEOUT_MS, 14999);
		assert_in_range(silence_is_noticed_after(false, met_ms),
			SWARM_PING_TIMEOUT_MS, 14999);
	}
}

static void test_swarm_measures_at_once_and_then_now_and_then(void **state)
{
	struct swarm_lab *l = *state;
	struct swarm_peer_info info;

	lab_dial(l, 0, 1, true);
	lab_pass(l, 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_in_range(lab_count(l, i, SWARM_EV_RTT), 1, 1);
		assert_true(
			swarm_peer_info(swarm_of(l, i), id_of(l, !i), &info));
		assert_in_range(info.rtt_us, 0, 1000);
	}
	lab_forget(l);
	lab_pass(l, SWARM_PING_INTERVAL_MS + SWARM_PING_RARELY_MS);
	for (unsigned i = 0; i < 2; i++)
		assert_true(lab_count(l, i, SWARM_EV_RTT) >= 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define P(name) cmocka_unit_test_setup_teardown(name, setup_public, teardown)
#define M(name) cmocka_unit_test_setup_teardown(name, setup_mplex, teardown)
	const struct CMUnitTest tests[] = {
		T(test_swarm_two_meet_and_identify),
		T(test_swarm_dial_without_id_takes_who_answers),
		T(test_swarm_refuses_wrong_peer_id),
		T(test_swarm_refuses_to_dial_itself),
		T(test_swarm_refuses_addresses_it_cannot_dial),
		T(test_swarm_simultaneous_dials_keep_two),
		T(test_swarm_a_dial_under_way_is_waited_for),
		T(test_swarm_both_connections_die_and_come_back),
		T(test_swarm_caps_connections_of_a_peer),
		T(test_swarm_disconnect_stops_redialling),
		T(test_swarm_shutdown_says_goodbye),
		T(test_swarm_shutdown_waits_a_second_for_the_deaf),
		T(test_swarm_backs_off_and_fresh_sight_resets),
		T(test_swarm_redials_a_lost_peer),
		T(test_swarm_backs_off_from_who_hangs_up),
		T(test_swarm_backs_off_when_the_upgrade_fails),
		T(test_swarm_dials_give_up_after_5_s),
		T(test_swarm_dials_fresh_peers_before_dead_ones),
		T(test_swarm_keeps_1000_peers),
		T(test_swarm_upgrade_takes_5_s_at_most),
		T(test_swarm_takes_8_of_a_public_address),
		T(test_swarm_evicts_the_oldest_of_the_widest_site),
		T(test_swarm_counts_wide_sites),
		T(test_swarm_holds_few_bytes_before_the_proof),
		T(test_swarm_caps_connections_in_all),
		T(test_swarm_pushes_new_addresses),
		P(test_swarm_far_peers_name_no_near_addresses),
		cmocka_unit_test(
			test_swarm_both_sides_notice_death_within_15_s),
		T(test_swarm_measures_at_once_and_then_now_and_then),
		M(test_swarm_measures_at_once_and_then_now_and_then),
	};
	return cmocka_run_group_tests_name("swarm", tests, NULL, NULL);
}
