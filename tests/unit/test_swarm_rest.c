/*
 * Many swarms at rest, each with a clock of its own, on wires that take their
 * time: how often somebody is woken, and how soon the dead are missed. Time is
 * virtual and counted in us.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/bufq.h"
#include "base/xmalloc.h"
#include "net/identity/crypto.h"
#include "net/proto/identify.h"
#include "net/proto/ping.h"
#include "net/serve/serve.h"
#include "tests/lib/test_env.h"

#define HOSTS_MAX 101
#define WIRES_MAX 820
#define MS UINT64_C(1000)
#define S (1000 * MS)
#define REST_S 120
/* Whoever is awake serves what comes meanwhile, and goes on for so long. */
#define AWAKE_US MS

struct host {
	struct identity me;
	struct maddr addr;
	struct env env;
	uint64_t ahead_us; /* of the world's clock */
	struct serve *sv;
	struct swarm *s;
	uint64_t awake_until_us;
	unsigned wakes;
	unsigned gone; /* peers that went */
	unsigned rtts;
	bool dead;
};

/* One carrier; lane[i] is what end i has sent. */
struct wire {
	bool open;
	unsigned host[2]; /* [0] dialled */
	uint64_t conn[2];
	struct bufq lane[2];
	uint64_t at_us[2]; /* when that arrives; NEVER: nothing is under way */
	uint64_t latency_us;
};

struct world {
	struct test_env te;
	uint64_t now_us;
	struct host host[HOSTS_MAX];
	unsigned host_count;
	struct wire wire[WIRES_MAX];
	unsigned wire_count;
};

static struct env *now_of(struct world *w, struct host *h)
{
	env_set_now_us(&h->env, w->now_us + h->ahead_us);
	return &h->env;
}

static const struct service_ops *const services[] = {
	&identify_ops, &identify_push_ops, &ping_ops, NULL};

static void host_init(struct world *w, unsigned i)
{
	struct host *h = &w->host[i];
	struct serve_cfg cfg = {.me = &h->me,
		.agent = "lab/1",
		.offer_yamux = true,
		.early_muxers = true,
		.services = services};
	uint8_t seed[32] = {9, (uint8_t)i};
	char text[64];

	identity_from_seed(&h->me, seed);
	snprintf(text, sizeof(text), "/ip4/10.0.1.%u/tcp/4001", i + 1);
	assert_int_equal(maddr_parse_text(&h->addr, bytes_str(text)), 0);
	h->env = w->te.env;
	h->ahead_us = rng_below(&w->te.rng, 1000000 * S);
	h->sv = serve_new(&cfg, now_of(w, h));
	h->s = serve_swarm(h->sv);
	swarm_set_addresses(h->s, &h->addr, 1);
}

static struct world *world_new(unsigned hosts)
{
	struct world *w = xcalloc(1, sizeof(*w));

	test_env_init(&w->te, hosts);
	assert_int_equal(crypto_init(), 0);
	w->host_count = hosts;
	for (unsigned i = 0; i < hosts; i++)
		host_init(w, i);
	return w;
}

static void world_free(struct world *w)
{
	for (unsigned i = 0; i < w->host_count; i++)
		serve_free(w->host[i].sv);
	for (unsigned i = 0; i < w->wire_count; i++)
		for (unsigned end = 0; end < 2; end++)
			bufq_clear(&w->wire[i].lane[end]);
	assert_int_equal(w->te.budget.used, 0);
	free(w);
}

/* ---- carriers ---- */

static struct wire *wire_of(
	struct world *w, unsigned host, uint64_t conn, unsigned *end)
{
	for (unsigned i = 0; i < w->wire_count; i++)
		for (*end = 0; *end < 2; ++*end)
			if (w->wire[i].open && w->wire[i].host[*end] == host &&
				w->wire[i].conn[*end] == conn)
				return &w->wire[i];
	return NULL;
}

static void dial(struct world *w, unsigned from, const struct swarm_action *act)
{
	struct host *h = &w->host[from], *to = w->host;
	struct wire *wire = &w->wire[w->wire_count];

	while (!maddr_equal(&to->addr, &act->addr))
		to++;
	if (to->dead)
		return;
	assert_true(++w->wire_count <= WIRES_MAX);
	*wire = (struct wire){.open = true,
		.host = {from, (unsigned)(to - w->host)},
		.conn = {act->conn, 0},
		.at_us = {P2P_NEVER, P2P_NEVER},
		.latency_us = 200 + rng_below(&w->te.rng, 5 * MS)};
	bufq_init(&wire->lane[0], 1 << 20);
	bufq_init(&wire->lane[1], 1 << 20);
	wire->conn[1] = swarm_accepted(to->s, now_of(w, to), &h->addr);
	assert_int_not_equal(wire->conn[1], 0);
	swarm_connected(h->s, now_of(w, h), act->conn, &act->addr);
}

static void flush(struct world *w, unsigned host, uint64_t conn)
{
	struct host *h = &w->host[host];
	unsigned end;
	struct wire *wire = wire_of(w, host, conn, &end);
	struct bytes out;

	if (wire == NULL)
		return;
	while ((out = swarm_out_peek(h->s, now_of(w, h), conn)).len > 0) {
		assert_int_equal(bufq_push(&wire->lane[end], out), 0);
		swarm_out_consume(h->s, now_of(w, h), conn, out.len);
	}
	if (wire->at_us[end] == P2P_NEVER && wire->lane[end].len > 0)
		wire->at_us[end] = w->now_us + wire->latency_us;
}

static void hang_up(struct world *w, unsigned host, uint64_t conn)
{
	unsigned end;
	struct wire *wire = wire_of(w, host, conn, &end);

	if (wire != NULL)
		wire->open = false;
}

static void serve(struct world *w, unsigned host)
{
	struct host *h = &w->host[host];
	struct swarm_action act;
	struct swarm_event ev;

	while (serve_next_action(h->sv, now_of(w, h), &act)) {
		if (act.kind == SWARM_ACT_DIAL && act.conn != 0)
			dial(w, host, &act);
		else if (act.kind == SWARM_ACT_WRITE)
			flush(w, host, act.conn);
		else if (act.kind == SWARM_ACT_CLOSE)
			hang_up(w, host, act.conn);
	}
	while (serve_step(h->sv, now_of(w, h), &ev)) {
		h->gone += ev.kind == SWARM_EV_PEER_DOWN;
		h->rtts += ev.kind == SWARM_EV_RTT;
	}
}

/* ---- time ---- */

static void wake(struct world *w, struct host *h)
{
	h->wakes += h->awake_until_us <= w->now_us;
	h->awake_until_us = w->now_us + AWAKE_US;
}

static uint64_t due_us(const struct world *w, const struct host *h)
{
	uint64_t at_ms = serve_deadline(h->sv);

	if (h->dead || at_ms == P2P_NEVER)
		return P2P_NEVER;
	return P2P_MAX(at_ms * 1000, w->now_us + h->ahead_us) - h->ahead_us;
}

static void deliver(struct world *w, struct wire *wire, unsigned end)
{
	struct host *h = &w->host[wire->host[!end]];
	size_t n = wire->lane[end].len;
	uint8_t *copy = xmemdup(bufq_peek(&wire->lane[end]).data, n);

	wire->at_us[end] = P2P_NEVER;
	bufq_consume(&wire->lane[end], n);
	if (!h->dead && !w->host[wire->host[end]].dead) {
		wake(w, h);
		swarm_bytes(h->s, now_of(w, h), wire->conn[!end],
			bytes_of(copy, n));
		serve(w, wire->host[!end]);
	}
	free(copy);
}

static uint64_t next_us(const struct world *w)
{
	uint64_t first = P2P_NEVER;

	for (unsigned i = 0; i < w->host_count; i++)
		first = P2P_MIN(first, due_us(w, &w->host[i]));
	for (unsigned i = 0; i < w->wire_count; i++)
		if (w->wire[i].open)
			first = P2P_MIN(first, P2P_MIN(w->wire[i].at_us[0],
						       w->wire[i].at_us[1]));
	return first;
}

static void turn(struct world *w)
{
	for (unsigned i = 0; i < w->host_count; i++) {
		struct host *h = &w->host[i];

		if (due_us(w, h) > w->now_us)
			continue;
		wake(w, h);
		serve_tick(h->sv, now_of(w, h));
		serve(w, i);
	}
	for (unsigned i = 0; i < 2 * w->wire_count; i++) {
		struct wire *wire = &w->wire[i / 2];

		if (wire->open && wire->at_us[i % 2] <= w->now_us)
			deliver(w, wire, i % 2);
	}
}

static void pass(struct world *w, uint64_t us)
{
	uint64_t until = w->now_us + us, at;

	while ((at = next_us(w)) <= until) {
		w->now_us = P2P_MAX(at, w->now_us);
		turn(w);
	}
	w->now_us = until;
}

static void call(struct world *w, unsigned from, unsigned to)
{
	struct host *h = &w->host[from];
	struct maddr a;

	assert_int_equal(maddr_join_peer(&a, &w->host[to].addr,
				 peer_id_bytes(&w->host[to].me.id)),
		0);
	swarm_dial(h->s, now_of(w, h), &a, 7);
	serve(w, from);
	pass(w, rng_below(&w->te.rng, 100 * MS));
}

/* ---- at rest ---- */

static double wakes_a_second(const struct host *h)
{
	return (double)h->wakes / REST_S;
}

static void rest(struct world *w)
{
	/* What the meeting has led to is over, and who asks is settled. */
	pass(w, 30 * S);
	for (unsigned i = 0; i < w->host_count; i++)
		w->host[i].wakes = w->host[i].rtts = 0;
	pass(w, REST_S * S);
	for (unsigned i = 0; i < w->host_count; i++)
		assert_int_equal(w->host[i].gone, 0);
}

/* Of a whole program the heartbeat of gossip comes on top, once a second: it
 * may wake 8 times a second with 100 peers, and twice with 10. */
static void expect_rest(struct world *w, unsigned host, double most)
{
	double found = wakes_a_second(&w->host[host]);

	if (found > most)
		fail_msg("%u peers wake %.2f times a second, %.2f allowed",
			w->host_count - 1, found, most);
}

static void test_who_is_called_by_many_is_woken_rarely(void **state)
{
	static const unsigned peers[] = {1, 10, 100};

	(void)state;
	for (size_t n = 0; n < P2P_ARRAY_LEN(peers); n++) {
		struct world *w = world_new(1 + peers[n]);

		for (unsigned i = 1; i < w->host_count; i++)
			call(w, i, 0);
		rest(w);
		expect_rest(w, 0, 1);
		for (unsigned i = 1; i < w->host_count; i++)
			expect_rest(w, i, 0.2);
		world_free(w);
	}
}

static void test_who_has_called_many_is_woken_rarely(void **state)
{
	struct world *w;

	(void)state;
	w = world_new(101);
	for (unsigned i = 1; i < w->host_count; i++)
		call(w, 0, i);
	rest(w);
	expect_rest(w, 0, 6.5);
	for (unsigned i = 1; i < w->host_count; i++)
		expect_rest(w, i, 0.3);
	world_free(w);
}

static void test_where_all_know_all_everybody_is_woken_rarely(void **state)
{
	struct world *w;

	(void)state;
	w = world_new(41);
	for (unsigned i = 1; i < w->host_count; i++)
		for (unsigned k = 0; k < i; k++)
			call(w, i, k);
	rest(w);
	for (unsigned i = 0; i < w->host_count; i++)
		expect_rest(w, i, 4);
	world_free(w);
}

/* On both sides of each connection, at any moment. */
static void test_the_dead_are_missed_within_15_s(void **state)
{
	unsigned expected = 1;

	(void)state;
	for (unsigned n = 0; n < 20; n++, expected = 1) {
		struct world *w = world_new(30);
		unsigned victim = n % 2 == 0 ? 0 : 1 + n;

		for (unsigned i = 1; i < w->host_count; i++)
			call(w, n % 3 == 0 ? 0 : i, n % 3 == 0 ? i : 0);
		pass(w, n * 1777 * MS);
		w->host[victim].dead = true;
		pass(w, 15 * S);
		if (victim == 0)
			expected = w->host_count - 1;
		for (unsigned i = 0; i < w->host_count; i++)
			if (i != victim)
				expected -= w->host[i].gone;
		assert_int_equal(expected, 0);
		world_free(w);
	}
}

static void test_round_trips_are_known_at_once_and_renewed(void **state)
{
	struct world *w = world_new(3);

	(void)state;
	call(w, 1, 0);
	call(w, 2, 0);
	pass(w, 100 * MS);
	assert_int_equal(w->host[0].rtts, 2);
	for (unsigned i = 0; i < 3; i++) {
		struct swarm_peer_info info;
		uint64_t ms = w->wire[i == 2].latency_us * 2;

		assert_true(w->host[i].rtts >= 1);
		assert_true(swarm_peer_info(
			w->host[i].s, &w->host[i == 0 ? 1 : 0].me.id, &info));
		assert_int_equal(info.rtt_us, ms);
	}
	for (unsigned i = 0; i < 3; i++)
		w->host[i].rtts = 0;
	pass(w, (SWARM_PING_RARELY_MS + 2 * SWARM_PING_INTERVAL_MS) * MS);
	for (unsigned i = 0; i < 3; i++)
		assert_true(w->host[i].rtts >= 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_called_by_many_is_woken_rarely),
		cmocka_unit_test(test_who_has_called_many_is_woken_rarely),
		cmocka_unit_test(
			test_where_all_know_all_everybody_is_woken_rarely),
		cmocka_unit_test(test_the_dead_are_missed_within_15_s),
		cmocka_unit_test(
			test_round_trips_are_known_at_once_and_renewed),
	};

	return cmocka_run_group_tests_name("rest", tests, NULL, NULL);
}
