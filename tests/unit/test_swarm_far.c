/*
 * Two swarms and a long line between them: bytes arrive LINK_MS later, in
 * order and as many as are sent, which is what TCP does once its own window is
 * wide. What one stream carries then is for the muxer's window to say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/swarm/swarm.h"
#include "net/swarm/swarm_limits.h"
#include "net/upgrade/upgrade_limits.h"
#include "tests/lib/test_env.h"

#define LINK_MS 50
#define RTT_MS UINT64_C(100) /* there and back */
#define PIECE_BYTES 65536

/* What is under way, in one direction. */
struct piece {
	struct piece *next;
	uint64_t at_ms;
	size_t len;
	uint8_t data[PIECE_BYTES];
};

struct end {
	struct identity me;
	struct swarm *s;
	uint64_t conn;
	struct sstream *stream; /* of /a/1; NULL: none yet */
	bool paused;
	struct piece *first, **last; /* towards this end */
	uint64_t got;
};

struct line {
	struct test_env te;
	struct end end[2];
	bool writes; /* end 1 writes as much as it can */
};

static const char *const protocols[] = {"/a/1", NULL};

static void end_init(struct line *l, int i)
{
	struct end *e = &l->end[i];
	uint8_t seed[32] = {7, (uint8_t)i};
	struct swarm_cfg cfg = {.me = &e->me,
		.protocols = protocols,
		.offer_yamux = true,
		.early_muxers = true};

	identity_from_seed(&e->me, seed);
	e->s = swarm_new(&cfg, &l->te.env);
	e->last = &e->first;
}

static void drop_pieces(struct end *e)
{
	while (e->first != NULL) {
		struct piece *p = e->first;

		e->first = p->next;
		free(p);
	}
	e->last = &e->first;
}

/* ---- the line ---- */

static void send_out(struct line *l, int i)
{
	struct end *e = &l->end[i], *other = &l->end[!i];
	struct bytes out;

	while (out = swarm_out_peek(e->s, &l->te.env, e->conn), out.len > 0) {
		struct piece *p = xmalloc(sizeof(*p));

		p->next = NULL;
		p->at_ms = l->te.env.now_ms + LINK_MS;
		p->len = P2P_MIN(out.len, sizeof(p->data));
		memcpy(p->data, out.data, p->len);
		*other->last = p;
		other->last = &p->next;
		swarm_out_consume(e->s, &l->te.env, e->conn, p->len);
	}
}

static bool bring_in(struct line *l, int i)
{
	struct end *e = &l->end[i];
	struct piece *p = e->first;

	if (p == NULL || p->at_ms > l->te.env.now_ms || e->paused)
		return false;
	e->first = p->next;
	if (e->first == NULL)
		e->last = &e->first;
	swarm_bytes(e->s, &l->te.env, e->conn, bytes_of(p->data, p->len));
	free(p);
	return true;
}

static void write_on(struct line *l)
{
	static const uint8_t chunk[PIECE_BYTES];
	struct end *e = &l->end[1];

	while (l->writes && swarm_stream_backlog(e->stream) == 0)
		assert_int_equal(swarm_stream_write(e->s, &l->te.env, e->stream,
					 bytes_of(chunk, sizeof(chunk))),
			0);
}

static void read_on(struct end *e)
{
	bool ended;
	struct bytes in;

	while (in = swarm_stream_peek(e->stream, &ended), in.len > 0) {
		e->got += in.len;
		swarm_stream_consume(e->s, e->stream, in.len);
	}
}

static bool serve(struct line *l, int i)
{
	struct end *e = &l->end[i];
	struct swarm_event ev;
	struct swarm_action act;
	struct sstream *st;
	bool moved = false;
	unsigned news;
	int err;

	assert_null(swarm_next_gone(e->s, &news, &err));
	while (swarm_next_event(e->s, &ev))
		moved = true;
	while ((st = swarm_next_stream(e->s, &news)) != NULL) {
		e->stream = st;
		moved = true;
	}
	while (swarm_next_action(e->s, &act)) {
		assert_int_not_equal(act.kind, SWARM_ACT_CLOSE);
		if (act.kind == SWARM_ACT_DIAL)
			e->conn = act.conn;
		else if (act.kind != SWARM_ACT_WRITE)
			e->paused = act.kind == SWARM_ACT_PAUSE;
		moved = true;
	}
	if (e->stream != NULL)
		read_on(e);
	return moved;
}

static void pass_one_ms(struct line *l)
{
	l->te.env.now_ms++;
	for (bool moved = true; moved;) {
		moved = false;
		for (int i = 0; i < 2; i++) {
			moved |= bring_in(l, i);
			moved |= serve(l, i);
		}
		write_on(l);
		for (int i = 0; i < 2 && l->end[i].conn != 0; i++)
			send_out(l, i);
	}
	for (int i = 0; i < 2; i++)
		swarm_tick(l->end[i].s, &l->te.env);
}

static void pass(struct line *l, uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i++)
		pass_one_ms(l);
}

static struct line *line_new(void)
{
	struct line *l = xcalloc(1, sizeof(*l));
	struct swarm_open open = {.protocols = protocols};
	struct maddr here, there, full;

	test_env_init(&l->te, 1);
	assert_int_equal(crypto_init(), 0);
	end_init(l, 0);
	end_init(l, 1);
	assert_int_equal(maddr_parse_text(&here, bytes_str("/ip4/8.8.4.1"
							   "/tcp/4001")),
		0);
	assert_int_equal(maddr_parse_text(&there, bytes_str("/ip4/8.8.4.2"
							    "/tcp/4001")),
		0);
	assert_int_equal(
		maddr_join_peer(&full, &there, peer_id_bytes(&l->end[1].me.id)),
		0);
	swarm_dial(l->end[0].s, &l->te.env, &full, 1);
	(void)serve(l, 0);
	assert_int_not_equal(l->end[0].conn, 0);
	l->end[1].conn = swarm_accepted(l->end[1].s, &l->te.env, &here);
	swarm_connected(l->end[0].s, &l->te.env, l->end[0].conn, &there);
	pass(l, 2000);
	open.peer = &l->end[1].me.id;
	assert_int_equal(swarm_stream_open(l->end[0].s, &l->te.env, &open,
				 &l->end[0].stream),
		0);
	pass(l, 1000);
	assert_non_null(l->end[1].stream);
	return l;
}

static void line_free(struct line *l)
{
	for (int i = 0; i < 2; i++) {
		swarm_free(l->end[i].s);
		drop_pieces(&l->end[i]);
	}
	assert_int_equal(l->te.budget.used, 0);
	free(l);
}

/* ---- what it carries ---- */

static void test_one_stream_outgrows_its_first_window_over_100_ms(void **state)
{
	struct line *l = line_new();
	uint64_t first_s, later_s, most;

	(void)state;
	l->writes = true;
	pass(l, 1000);
	first_s = l->end[0].got;
	pass(l, 2000);
	later_s = (l->end[0].got - first_s) / 2;
	/* What a window that stays as it began lets through in a second. */
	most = YAMUX_WINDOW_BYTES * 1000 / RTT_MS;
	assert_true(first_s > most);
	assert_true(later_s > 8 * most);
	/* It was charged, within what one connection may hold. */
	assert_true(swarm_budget_used(l->end[0].s) <= SWARM_CONN_BUDGET_BYTES);
	l->writes = false;
	pass(l, 1000);
	line_free(l);
}

static void test_one_stream_over_100_ms_keeps_its_window_when_little_is_sent(
	void **state)
{
	struct line *l = line_new();
	size_t before = swarm_budget_used(l->end[0].s);
	static const uint8_t little[1000];

	(void)state;
	for (int i = 0; i < 400; i++) {
		assert_int_equal(swarm_stream_write(l->end[1].s, &l->te.env,
					 l->end[1].stream,
					 bytes_of(little, sizeof(little))),
			0);
		pass(l, 10);
	}
	pass(l, 1000);
	assert_int_equal(l->end[0].got, 400 * sizeof(little));
	assert_true(
		swarm_budget_used(l->end[0].s) <= before + MUX_RECV_KEEP_BYTES);
	line_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_one_stream_outgrows_its_first_window_over_100_ms),
		cmocka_unit_test(
			test_one_stream_over_100_ms_keeps_its_window_when_little_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
