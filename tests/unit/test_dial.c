/* Dialling as stories in virtual time: which address when, and how often. */
#include "tests/unit/swarm_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/swarm/swarm_internal.h"

/* One swarm whose dials the story answers itself. */
struct lone {
	struct test_env te;
	struct identity me;
	struct swarm *s;
	struct peer_id peer; /* somebody */
	char dialled[4096];  /* "address@ms " for each dial */
	unsigned dial_count;
	unsigned cancelled;
	uint64_t conn[64]; /* of the dials */
	uint64_t start_ms;
};

static int setup_lone(void **state)
{
	struct lone *l = xcalloc(1, sizeof(*l));
	uint8_t seed[32] = {9}, other[32] = {10};
	struct swarm_cfg cfg = {.offer_yamux = true};
	struct identity somebody;

	assert_int_equal(crypto_init(), 0);
	test_env_init(&l->te, 1);
	identity_from_seed(&l->me, seed);
	identity_from_seed(&somebody, other);
	l->peer = somebody.id;
	cfg.me = &l->me;
	l->s = swarm_new(&cfg, &l->te.env);
	l->start_ms = l->te.env.now_ms;
	*state = l;
	return 0;
}

static int teardown_lone(void **state)
{
	struct lone *l = *state;

	swarm_free(l->s);
	assert_int_equal(l->te.budget.used, 0);
	free(l);
	return 0;
}

static void hear(struct lone *l)
{
	struct swarm_action act;
	char text[MADDR_TEXT_MAX];
	size_t n = strlen(l->dialled);

	while (swarm_next_action(l->s, &act)) {
		l->cancelled += act.kind == SWARM_ACT_CLOSE;
		if (act.kind != SWARM_ACT_DIAL)
			continue;
		if (l->dial_count < P2P_ARRAY_LEN(l->conn))
			l->conn[l->dial_count] = act.conn;
		l->dial_count++;
		if (n + 100 < sizeof(l->dialled))
			n += (size_t)snprintf(l->dialled + n,
				sizeof(l->dialled) - n, "%s ",
				maddr_text(&act.addr, text));
	}
}

/* Time passes millisecond by millisecond. */
static void pass(struct lone *l, uint64_t ms)
{
	while (ms-- > 0) {
		l->te.env.now_ms++;
		if (swarm_deadline(l->s) <= l->te.env.now_ms)
			swarm_tick(l->s, &l->te.env);
		hear(l);
	}
}

static void know_of(
	struct lone *l, const struct peer_id *id, const char *text, bool fresh)
{
	struct maddr a;

	lab_addr(&a, text);
	swarm_know(l->s, &l->te.env, id, &a, fresh);
}

static void know(struct lone *l, const char *text, bool fresh)
{
	know_of(l, &l->peer, text, fresh);
}

static struct peer_id invented(unsigned i)
{
	struct peer_id id;
	uint8_t seed[32] = {11, (uint8_t)i, (uint8_t)(i >> 8)};
	struct identity somebody;

	identity_from_seed(&somebody, seed);
	id = somebody.id;
	return id;
}

/* ---- what /net says of them ---- */

static void test_dial_failures_are_counted_by_reason(void **state)
{
	const struct swarm_counters *n;
	struct lone *l = *state;
	struct maddr asked;

	n = swarm_counters(l->s);
	know(l, "/ip4/127.0.0.1/tcp/1", true);
	pass(l, 200);
	assert_int_equal(l->dial_count, 1);
	swarm_dial_failed(l->s, &l->te.env, l->conn[0], "refused");
	assert_int_equal(n->dials_unreachable, 1);
	assert_int_equal(n->dials_timeout, 0);
	/* To a peer that was merely named; nobody answers the next ones. */
	assert_int_equal(n->dials_hint, 1);
	lab_addr(&asked, "/ip4/127.0.0.1/tcp/2");
	swarm_dial(l->s, &l->te.env, &asked, 1);
	pass(l, 2 * SWARM_DIAL_MS);
	assert_int_equal(n->dials_asked, 1);
	assert_true(n->dials_timeout >= 1);
	assert_int_equal(
		n->dials_failed, n->dials_unreachable + n->dials_timeout);
	assert_int_equal(n->dials_outrun, 0);
}

/* ---- ranking and the race ---- */

static void test_dial_lan_first_then_ipv6_and_ipv4_in_turn(void **state)
{
	struct lone *l = *state;

	know(l, "/dns4/example.org/tcp/1", false);
	know(l, "/ip4/8.8.4.1/tcp/1", false);
	know(l, "/ip4/8.8.4.2/tcp/1", false);
	know(l, "/ip6/2001:4860::1/tcp/1", false);
	know(l, "/ip6/2001:4860::2/tcp/1", false);
	know(l, "/ip4/192.168.1.2/tcp/1", false);
	know(l, "/ip4/127.0.0.1/tcp/1", false);
	pass(l, 3000);
	assert_int_equal(l->dial_count, 7);
	assert_non_null(strstr(l->dialled,
		"/ip4/127.0.0.1/tcp/1 /ip4/192.168.1.2/tcp/1 /ip6/"));
	/* IPv6, IPv4, IPv6, IPv4, then the name. */
	assert_int_equal(
		strncmp(strstr(l->dialled, "/ip6/") + 24, "/ip4/8", 6), 0);
	assert_non_null(strstr(l->dialled, "/dns4/example.org/tcp/1 "));
	assert_string_equal(
		strstr(l->dialled, "/dns4/"), "/dns4/example.org/tcp/1 ");
}

static void test_dial_families_are_250_ms_apart(void **state)
{
	struct lone *l = *state;
	uint64_t first;

	know(l, "/ip6/2001:4860::1/tcp/1", false);
	know(l, "/ip4/8.8.4.1/tcp/1", false);
	while (l->dial_count == 0)
		pass(l, 1);
	first = l->te.env.now_ms;
	assert_int_equal(strncmp(l->dialled, "/ip6/", 5), 0);
	pass(l, SWARM_DIAL_STAGGER_MS - 1);
	assert_int_equal(l->dial_count, 1);
	pass(l, 1);
	assert_int_equal(l->dial_count, 2);
	assert_int_equal(l->te.env.now_ms - first, 250);
}

static void test_dial_a_failed_address_does_not_wait_for_the_stagger(
	void **state)
{
	struct lone *l = *state;

	know(l, "/ip6/2001:4860::1/tcp/1", false);
	know(l, "/ip4/8.8.4.1/tcp/1", false);
	while (l->dial_count == 0)
		pass(l, 1);
	swarm_dial_failed(l->s, &l->te.env, l->conn[0], "refused");
	pass(l, 1);
	assert_int_equal(l->dial_count, 2);
}

static void test_dial_losers_are_cancelled(void **state)
{
	struct swarm_lab *l = *state;
	struct maddr dead;
	struct peer *p;

	/* Host 1 answers at its address, nobody ever at the other one. */
	lab_addr(&dead, "/ip6/2001:4860::1/tcp/1");
	l->host[0].dials = false;
	swarm_know(l->host[0].s, &l->te.env, &l->host[1].me.id, &dead, false);
	lab_pass(l, 60);
	assert_int_equal(l->host[0].dial_count, 1);
	l->host[0].dials = true;
	swarm_know(l->host[0].s, &l->te.env, &l->host[1].me.id,
		&l->host[1].addr, false);
	p = peer_find(l->host[0].s, &l->host[1].me.id);
	p->failures = 3;
	dial_soon(l->host[0].s, &l->te.env, p, 0);
	lab_pass(l, 400);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_UP), 1);
	assert_int_equal(l->host[0].dial_count, 2);
	assert_int_equal(swarm_conn_count(l->host[0].s), 1);
	assert_int_equal(p->dials, 0);
	/* What comes next begins anew. */
	assert_int_equal(p->failures, 0);
	assert_false(p->in_set);
	assert_true(p->dial_at_ms == P2P_NEVER);
	assert_true(p->known.held);
	assert_int_equal(swarm_counters(l->host[0].s)->dials_outrun, 1);
}

/* ---- how often ---- */

static void test_dial_one_set_at_a_time(void **state)
{
	struct lone *l = *state;

	know(l, "/ip4/8.8.4.1/tcp/1", true);
	pass(l, 100);
	for (unsigned i = 0; i < 40; i++) {
		know(l, "/ip4/8.8.4.1/tcp/1", true);
		swarm_network_changed(l->s, &l->te.env);
		pass(l, 100);
	}
	assert_int_equal(l->dial_count, 1);
}

static void test_dial_8_a_minute_whatever_the_lan_shouts(void **state)
{
	struct lone *l = *state;
	char text[64];
	uint64_t at[200];
	unsigned told = 0;

	for (unsigned i = 0; i < 6000; i++) {
		unsigned before = l->dial_count;

		if (i % 10 == 0) {
			snprintf(text, sizeof(text), "/ip4/8.8.%u.%u/tcp/1",
				i / 250 % 250, i % 250 + 1);
			know(l, text, true);
		}
		pass(l, 50);
		while (before < l->dial_count && told < P2P_ARRAY_LEN(at)) {
			swarm_dial_failed(l->s, &l->te.env,
				l->conn[before % P2P_ARRAY_LEN(l->conn)], "no");
			at[told++] = l->te.env.now_ms;
			before++;
		}
	}
	assert_in_range(l->dial_count, 20, 48);
	for (unsigned i = SWARM_DIALS_A_MINUTE; i < told; i++)
		assert_true(at[i] - at[i - SWARM_DIALS_A_MINUTE] >= 59900);
}

static void test_dial_each_address_rests_by_itself(void **state)
{
	struct lone *l = *state;
	unsigned first, second;

	know(l, "/ip4/192.168.1.2/tcp/1", false);
	know(l, "/ip4/192.168.1.3/tcp/1", false);
	for (unsigned i = 0; i < 60000; i++) {
		unsigned before = l->dial_count;

		pass(l, 1);
		while (before < l->dial_count)
			swarm_dial_failed(
				l->s, &l->te.env, l->conn[before++], "no");
	}
	assert_in_range(l->dial_count, 5, SWARM_DIALS_A_MINUTE);
	first = peer_find(l->s, &l->peer)->known.addrs[0]->failures;
	second = peer_find(l->s, &l->peer)->known.addrs[1]->failures;
	assert_in_range(first, 2, 5);
	assert_in_range(second, 2, 5);
}

/* Time passes, and every dial is refused. */
static void pass_refused(struct lone *l, uint64_t ms)
{
	while (ms-- > 0) {
		unsigned before = l->dial_count;

		pass(l, 1);
		for (; before < l->dial_count; before++)
			swarm_dial_failed(l->s, &l->te.env,
				l->conn[before % P2P_ARRAY_LEN(l->conn)], "no");
	}
}

/* Refused so often that it is dialled only every few minutes. */
static void tire_of(struct lone *l)
{
	unsigned before;

	pass_refused(l, 300000);
	assert_true(l->dial_count > SWARM_REDIAL_RARELY_AFTER);
	before = l->dial_count;
	pass_refused(l, 20000);
	assert_int_equal(l->dial_count, before);
}

static void test_dial_a_sight_ends_the_rest_of_who_was_reached(void **state)
{
	struct lone *l = *state;
	unsigned before;

	know(l, "/ip4/192.168.1.2/tcp/1", false);
	tire_of(l);
	before = l->dial_count;
	know(l, "/ip4/192.168.1.2/tcp/1", true);
	pass_refused(l, 60);
	assert_int_equal(l->dial_count, before + 1);
	/* And all begins anew: again after a second or so. */
	pass_refused(l, 1600);
	assert_int_equal(l->dial_count, before + 2);
}

/* Also while it is dialled where it was before, and nobody answers there. */
static void test_dial_a_sight_elsewhere_does_not_wait(void **state)
{
	struct lone *l = *state;
	unsigned before;

	know(l, "/ip4/192.168.1.2/tcp/1", false);
	know(l, "/ip4/192.168.1.3/tcp/1", false);
	tire_of(l);
	know(l, "/ip4/192.168.1.2/tcp/1", true);
	pass(l, 60);
	before = l->dial_count;
	/* That one is under way. */
	know(l, "/ip4/192.168.1.2/tcp/1", true);
	pass(l, 60);
	assert_int_equal(l->dial_count, before);
	know(l, "/ip4/192.168.1.4/tcp/1", true);
	pass(l, 60);
	assert_int_equal(l->dial_count, before + 1);
	assert_non_null(strstr(l->dialled, "192.168.1.4"));
}

/* Anybody may have invented it: the rest gets shorter, and that is all. */
static void test_dial_a_sight_shortens_the_rest_of_a_hint(void **state)
{
	struct lone *l = *state;
	unsigned before;

	know(l, "/ip4/192.168.1.2/tcp/1", true);
	tire_of(l);
	before = l->dial_count;
	for (unsigned i = 0; i < 30; i++) {
		know(l, "/ip4/192.168.1.2/tcp/1", true);
		pass_refused(l, 100);
	}
	assert_int_equal(l->dial_count, before);
	pass_refused(l, 12000);
	assert_int_equal(l->dial_count, before + 1);
}

/* ---- slots ---- */

static void test_dial_invented_peers_get_half_of_the_slots(void **state)
{
	struct lone *l = *state;
	char text[64];

	for (unsigned i = 0; i < 100; i++) {
		struct peer_id id = invented(i);

		snprintf(text, sizeof(text), "/ip4/8.8.4.%u/tcp/1", i + 1);
		know_of(l, &id, text, true);
	}
	pass(l, 200);
	assert_int_equal(l->dial_count, SWARM_HINT_DIALS_MAX);
	/* One that was saved does not wait for them. */
	know(l, "/ip4/8.8.5.1/tcp/1", false);
	pass(l, 100);
	assert_int_equal(l->dial_count, SWARM_HINT_DIALS_MAX + 1);
	assert_non_null(strstr(l->dialled, "/ip4/8.8.5.1/tcp/1"));
}

/* Many who were reached once and are nowhere now; none answers. */
static void know_many_from_before(struct lone *l)
{
	char text[64];

	for (unsigned i = 0; i < 200; i++) {
		struct peer_id id = invented(i);

		snprintf(text, sizeof(text), "/ip4/10.7.0.%u/tcp/1", i + 1);
		know_of(l, &id, text, false);
	}
	pass(l, 200);
}

/* A laptop comes to a new LAN: who is there goes before who was elsewhere. */
static void test_dial_who_is_seen_does_not_wait_for_the_saved(void **state)
{
	struct lone *l = *state;
	struct peer_id last = invented(199);

	know_many_from_before(l);
	know(l, "/ip4/10.0.1.1/tcp/1", true);
	know_of(l, &last, "/ip4/10.0.1.2/tcp/1", true);
	pass(l, 200);
	assert_non_null(strstr(l->dialled, "/ip4/10.0.1.1/tcp/1"));
	assert_non_null(strstr(l->dialled, "/ip4/10.0.1.2/tcp/1"));
	assert_true(l->dial_count <= SWARM_DIALS_MAX);
	/* And the saved ones have their turns. */
	pass(l, 30000);
	assert_true(l->dial_count > 30);
}

static void test_dial_a_liar_delays_a_neighbour_by_seconds(void **state)
{
	struct lone *l = *state;
	char text[64];

	for (unsigned i = 0; i < 100; i++) {
		struct peer_id id = invented(i);

		snprintf(text, sizeof(text), "/ip4/10.0.0.%u/tcp/1", i + 1);
		know_of(l, &id, text, true);
	}
	know(l, "/ip4/10.0.1.1/tcp/1", true);
	/* 100 silent addresses, 4 at a time, half a second each. */
	pass(l, 13000);
	assert_non_null(strstr(l->dialled, "/ip4/10.0.1.1/tcp/1"));
}

static void test_dial_hints_do_not_push_saved_peers_out(void **state)
{
	struct lone *l = *state;

	know(l, "/ip4/8.8.5.1/tcp/1", false);
	for (unsigned i = 0; i < 2 * SWARM_PEERS_MAX; i++) {
		struct peer_id id = invented(i);

		l->te.env.now_ms++;
		know_of(l, &id, "/ip4/10.0.0.1/tcp/1", true);
	}
	assert_non_null(peer_find(l->s, &l->peer));
	assert_int_equal(l->s->peers.count, SWARM_PEERS_MAX);
	assert_true(l->s->book.evicted >= SWARM_PEERS_MAX);
}

/* The one seen longest ago is named once more, and there is no room left. */
static void test_dial_who_learns_makes_no_room_for_himself(void **state)
{
	struct lone *l = *state;
	struct peer_id second = invented(1);

	know(l, "/ip4/10.0.0.1/tcp/1", true);
	l->te.env.now_ms++;
	know_of(l, &second, "/ip4/10.0.0.2/tcp/1", true);
	l->s->book.budget.max = l->s->book.budget.used;
	know(l, "/ip4/10.0.0.3/tcp/1", true);
	assert_non_null(peer_find(l->s, &l->peer));
	assert_int_equal(peer_find(l->s, &l->peer)->known.count, 2);
	assert_null(peer_find(l->s, &second));
}

/* ---- ourselves, and what is not dialled ---- */

static void test_dial_own_addresses_are_not_dialled(void **state)
{
	struct lone *l = *state;
	struct maddr own;

	lab_addr(&own, "/ip4/192.168.1.2/tcp/1");
	swarm_set_addresses(l->s, &own, 1);
	know(l, "/ip4/192.168.1.2/tcp/1", true);
	know_of(l, &l->me.id, "/ip4/192.168.1.2/tcp/1", true);
	know_of(l, &l->me.id, "/ip4/192.168.1.3/tcp/1", false);
	pass(l, 5000);
	assert_int_equal(l->dial_count, 0);
	/* The address is free for another once we have left it. */
	swarm_set_addresses(l->s, &own, 0);
	know(l, "/ip4/192.168.1.2/tcp/1", true);
	pass(l, 400);
	assert_int_equal(l->dial_count, 1);
}

/* Anybody can tell our id of any address: one dial a minute, none to where we
 * are or nobody can be, and whoever else answers there is not met. */
static void test_dial_own_id_elsewhere_is_looked_at_once_a_minute(void **state)
{
	struct lone *l = *state;
	struct peer_id met;
	struct maddr own;

	lab_addr(&own, "/ip4/192.168.1.2/tcp/1");
	swarm_set_addresses(l->s, &own, 1);
	know_of(l, &l->me.id, "/ip4/0.0.0.0/tcp/1", true);
	know_of(l, &l->me.id, "/ip4/192.168.1.2/tcp/1", true);
	assert_int_equal(l->dial_count, 0);
	for (unsigned i = 0; i < SWARM_COPY_MS - 1; i += 1000) {
		know_of(l, &l->me.id, "/ip4/192.168.1.3/tcp/1", true);
		know_of(l, &l->me.id, "/ip4/192.168.1.4/tcp/1", true);
		pass(l, 1000);
	}
	assert_int_equal(l->dial_count, 1);
	know_of(l, &l->me.id, "/ip4/192.168.1.4/tcp/1", true);
	pass(l, 1);
	assert_int_equal(l->dial_count, 2);
	assert_non_null(strstr(l->dialled, "/ip4/192.168.1.4/tcp/1 "));
	assert_int_equal(swarm_known_peers(l->s, &met, 1), 0);
}

/* Behind an address that is not known as ours we answer ourselves. */
static void test_dial_who_turns_out_to_be_us_is_forgotten(void **state)
{
	struct swarm_lab *l = *state;
	struct swarm *s = l->host[0].s;

	swarm_set_addresses(s, NULL, 0);
	swarm_know(s, &l->te.env, &l->host[1].me.id, &l->host[0].addr, true);
	lab_pass(l, 5000);
	assert_int_equal(l->host[0].dial_count, 1);
	assert_int_equal(swarm_conn_count(s), 0);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_UP), 0);
	swarm_know(s, &l->te.env, &l->host[1].me.id, &l->host[0].addr, true);
	lab_pass(l, SWARM_SELF_MS - 10000);
	assert_int_equal(l->host[0].dial_count, 1);
	lab_pass(l, 11000);
	swarm_know(s, &l->te.env, &l->host[1].me.id, &l->host[0].addr, true);
	lab_pass(l, 1000);
	assert_int_equal(l->host[0].dial_count, 2);
}

static void test_dial_says_why_relayed_addresses_are_not_dialled(void **state)
{
	struct lone *l = *state;
	struct swarm_event ev;
	struct maddr a;

	lab_addr(&a, "/ip4/8.8.4.1/tcp/1/p2p/"
		     "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5/"
		     "p2p-circuit");
	swarm_dial(l->s, &l->te.env, &a, 3);
	assert_true(swarm_next_event(l->s, &ev));
	assert_int_equal(ev.kind, SWARM_EV_DIAL_FAILED);
	assert_string_equal(ev.text, "relayed addresses are not dialled yet");
}

/* Why an address of the peer is not dialled; "" when it is. */
static const char *why_not(
	struct lone *l, const struct peer_id *peer, const char *text)
{
	struct swarm_known known[SWARM_ADDRESSES_PER_PEER_MAX];
	size_t n = swarm_known(
		l->s, &l->te.env, peer, known, P2P_ARRAY_LEN(known));
	struct maddr a;

	lab_addr(&a, text);
	for (size_t i = 0; i < n; i++)
		if (maddr_equal(&known[i].addr, &a))
			return known[i].why_not == NULL ? "" : known[i].why_not;
	return "not known";
}

#define QUIC "/ip4/10.0.0.1/udp/1/quic-v1"
#define WS "/ip4/10.0.0.1/tcp/2/ws"
#define TCP "/ip4/10.0.0.1/tcp/3"

static void test_dial_what_is_not_spoken_is_kept_and_not_dialled(void **state)
{
	struct lone *l = *state;
	struct peer_id other = invented(1);
	struct swarm_known first;

	know(l, QUIC, true);
	know(l, WS, false);
	know(l, TCP, true);
	pass(l, 30000);
	assert_true(l->dial_count > 1);
	assert_null(strstr(l->dialled, "quic"));
	assert_null(strstr(l->dialled, "/ws"));
	assert_string_equal(why_not(l, &l->peer, TCP), "");
	assert_string_equal(
		why_not(l, &l->peer, QUIC), "QUIC is not spoken yet");
	assert_string_equal(
		why_not(l, &l->peer, WS), "WebSocket is not spoken yet");
	/* However often the one that is dialled has failed, it is shown first.
	 */
	assert_int_equal(swarm_known(l->s, &l->te.env, &l->peer, &first, 1), 1);
	assert_null(first.why_not);
	/* Who has no other address is known, and nobody wakes for it. */
	l->dial_count = 0;
	swarm_disconnect(l->s, &l->te.env, &l->peer);
	pass(l, 1);
	know_of(l, &other, QUIC, true);
	assert_string_equal(why_not(l, &other, QUIC), "QUIC is not spoken yet");
	assert_int_equal(swarm_deadline_walk(l->s), P2P_NEVER);
	pass(l, 5000);
	assert_int_equal(l->dial_count, 0);
	/* Where nobody can be is not even kept. */
	know_of(l, &other, "/ip4/224.0.0.1/udp/1/quic-v1", true);
	assert_string_equal(why_not(l, &other, "/ip4/224.0.0.1/udp/1/quic-v1"),
		"not known");
}

/* They leave room for those that can be dialled. */
static void test_dial_what_is_not_spoken_makes_room(void **state)
{
	struct lone *l = *state;
	char text[64];

	for (unsigned i = 1; i <= SWARM_ADDRESSES_PER_PEER_MAX; i++) {
		snprintf(text, sizeof(text), "/ip4/10.0.0.1/udp/%u/quic-v1", i);
		know(l, text, true);
	}
	know(l, TCP, true);
	assert_string_equal(why_not(l, &l->peer, TCP), "");
	assert_int_equal(peer_find(l->s, &l->peer)->known.count,
		SWARM_ADDRESSES_PER_PEER_MAX);
}

/* Whom we called by name has a place of the machine that the name led to. */
static void test_dial_a_name_takes_a_place_where_it_led(void **state)
{
	struct lone *l = *state;
	struct maddr name, there;

	lab_addr(&name, "/dns4/example.org/tcp/1");
	lab_addr(&there, "/ip4/8.8.4.9/tcp/1");
	swarm_dial(l->s, &l->te.env, &name, 1);
	hear(l);
	assert_int_equal(l->dial_count, 1);
	swarm_connected(l->s, &l->te.env, l->conn[0], &there);
	for (unsigned i = 1; i < SWARM_CONNS_PER_ADDRESS_MAX; i++)
		assert_int_not_equal(
			swarm_accepted(l->s, &l->te.env, &there), 0);
	assert_int_equal(swarm_accepted(l->s, &l->te.env, &there), 0);
	assert_int_equal(swarm_counters(l->s)->refused_address, 1);
}

/* ---- records ---- */

static void sealed(const struct identity *who, uint64_t seq,
	const char *const *texts, struct buf *out)
{
	struct peer_record r = {.seq = seq};
	struct maddr a[PEER_RECORD_ADDRS_MAX];

	for (; texts[r.addr_count] != NULL; r.addr_count++) {
		lab_addr(&a[r.addr_count], texts[r.addr_count]);
		r.addrs[r.addr_count] = maddr_bytes(&a[r.addr_count]);
	}
	buf_init(out, ENVELOPE_BYTES_MAX);
	assert_int_equal(peer_record_seal(who, &r, out), 0);
}

/* A peer from afar passes on a record that names our own network. */
static void test_dial_far_peers_pass_on_public_addresses_only(void **state)
{
	static const char *const named[] = {"/ip4/192.168.7.7/tcp/22",
		"/ip4/127.0.0.1/tcp/22", "/ip4/224.0.0.1/tcp/22",
		"/ip4/169.254.1.1/tcp/22", "/dns4/localhost/tcp/22",
		"/ip4/0.0.0.7/tcp/22", "/ip4/192.0.0.9/tcp/22",
		"/ip6/64:ff9b:1::a00:1/tcp/22", "/ip4/8.8.9.9/tcp/4001",
		/* The rule is the same for what is not dialled yet. */
		"/ip4/192.168.7.7/udp/22/quic-v1", "/unix/run/chat",
		"/dns4/localhost/tcp/22/wss", "/dnsaddr/localhost",
		"/ip4/8.8.9.9/udp/4001/quic-v1", NULL};
	struct swarm_lab *l = *state;
	struct swarm *s = l->host[0].s;
	struct identity third;
	uint8_t seed[32] = {77};
	struct buf raw;

	lab_meet(l);
	identity_from_seed(&third, seed);
	sealed(&third, 5, named, &raw);
	assert_int_equal(swarm_learn_record(s, &l->te.env, buf_bytes(&raw),
				 &l->host[1].me.id),
		0);
	assert_int_equal(swarm_learn_record(s, &l->te.env, buf_bytes(&raw),
				 &l->host[1].me.id),
		P2P_ERR_EXISTS);
	assert_int_equal(peer_find(s, &third.id)->known.count, 2);
	assert_true(
		bytes_equal(swarm_peer_record(s, &third.id), buf_bytes(&raw)));
	/* Known is not wanted: nobody is dialled because of a word. */
	l->host[0].dial_count = 0;
	lab_pass(l, 5000);
	assert_int_equal(l->host[0].dial_count, 0);
	assert_int_equal(swarm_want(s, &l->te.env, &third.id), 0);
	lab_pass(l, 500);
	assert_int_equal(l->host[0].dial_count, 1);
	/* A bit bent, it is nothing. */
	raw.data[raw.len - 3] ^= 1;
	assert_true(
		swarm_learn_record(s, &l->te.env, buf_bytes(&raw), NULL) < 0);
	buf_clear(&raw);
}

static void test_dial_identify_carries_signed_records(void **state)
{
	struct swarm_lab *l = *state;
	struct peer_record r;
	struct maddr a;
	uint64_t seq;

	lab_dial(l, 0, 1, true);
	lab_pass(l, 1000);
	assert_int_equal(lab_count(l, 1, SWARM_EV_RECORD), 1);
	assert_int_equal(peer_record_open(&r, swarm_peer_record(l->host[1].s,
						      &l->host[0].me.id)),
		0);
	assert_true(peer_id_equal(&r.peer, &l->host[0].me.id));
	seq = r.seq;
	assert_true(seq >= l->te.env.wall_ms);
	/* Other addresses: a newer record comes by push. */
	lab_addr(&a, "/ip4/8.8.4.77/tcp/9");
	swarm_set_addresses(l->host[0].s, &a, 1);
	lab_run(l);
	assert_int_equal(peer_record_open(&r, swarm_peer_record(l->host[1].s,
						      &l->host[0].me.id)),
		0);
	assert_true(r.seq > seq);
	assert_int_equal(r.addr_count, 1);
	assert_true(bytes_equal(r.addrs[0], maddr_bytes(&a)));
}

/* A stranger passes on a neighbour's record, of which nothing of our network
 * counts at his word; then the neighbour itself shows the very same one. */
static void test_dial_a_neighbours_own_word_adds_to_a_strangers(void **state)
{
	struct swarm_lab *l = *state;
	struct swarm *s = l->host[0].s;
	const struct peer_id *neighbour = &l->host[1].me.id;
	struct bytes raw;

	lab_dial(l, 2, 1, true);
	lab_pass(l, 1000);
	raw = swarm_peer_record(l->host[2].s, neighbour);
	assert_true(raw.len > 0);
	assert_int_equal(
		swarm_learn_record(s, &l->te.env, raw, &l->host[2].me.id), 0);
	assert_int_equal(peer_find(s, neighbour)->known.count, 0);
	lab_dial(l, 1, 0, true);
	lab_pass(l, 1000);
	assert_non_null(
		book_find(&peer_find(s, neighbour)->known, &l->host[1].addr));
	/* It is the same record still, and was told of nowhere as newer. */
	assert_int_equal(lab_count(l, 0, SWARM_EV_RECORD), 0);
}

static int setup_lan(void **state)
{
	*state = lab_new("10.0.0", true, false);
	return 0;
}

static int setup_public(void **state)
{
	*state = lab_new("8.8.4", true, false);
	return 0;
}

static int teardown_lab(void **state)
{
	lab_free(*state);
	return 0;
}

#define ALONE(name) \
	cmocka_unit_test_setup_teardown(name, setup_lone, teardown_lone)
#define PUBLIC(name) \
	cmocka_unit_test_setup_teardown(name, setup_public, teardown_lab)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(test_dial_failures_are_counted_by_reason),
		ALONE(test_dial_lan_first_then_ipv6_and_ipv4_in_turn),
		ALONE(test_dial_families_are_250_ms_apart),
		ALONE(test_dial_a_failed_address_does_not_wait_for_the_stagger),
		PUBLIC(test_dial_losers_are_cancelled),
		ALONE(test_dial_one_set_at_a_time),
		ALONE(test_dial_8_a_minute_whatever_the_lan_shouts),
		ALONE(test_dial_each_address_rests_by_itself),
		ALONE(test_dial_a_sight_ends_the_rest_of_who_was_reached),
		ALONE(test_dial_a_sight_elsewhere_does_not_wait),
		ALONE(test_dial_a_sight_shortens_the_rest_of_a_hint),
		ALONE(test_dial_invented_peers_get_half_of_the_slots),
		ALONE(test_dial_who_is_seen_does_not_wait_for_the_saved),
		ALONE(test_dial_a_liar_delays_a_neighbour_by_seconds),
		ALONE(test_dial_hints_do_not_push_saved_peers_out),
		ALONE(test_dial_who_learns_makes_no_room_for_himself),
		ALONE(test_dial_own_addresses_are_not_dialled),
		ALONE(test_dial_own_id_elsewhere_is_looked_at_once_a_minute),
		PUBLIC(test_dial_who_turns_out_to_be_us_is_forgotten),
		ALONE(test_dial_says_why_relayed_addresses_are_not_dialled),
		ALONE(test_dial_what_is_not_spoken_is_kept_and_not_dialled),
		ALONE(test_dial_what_is_not_spoken_makes_room),
		ALONE(test_dial_a_name_takes_a_place_where_it_led),
		PUBLIC(test_dial_far_peers_pass_on_public_addresses_only),
		cmocka_unit_test_setup_teardown(
			test_dial_a_neighbours_own_word_adds_to_a_strangers,
			setup_lan, teardown_lab),
		PUBLIC(test_dial_identify_carries_signed_records),
	};

	return cmocka_run_group_tests_name("dial", tests, NULL, NULL);
}
