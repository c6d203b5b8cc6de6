#include "tests/unit/swarm_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/xmalloc.h"
#include "net/proto/identify.h"
#include "net/proto/ping.h"
#include "net/swarm/swarm_internal.h"

void lab_addr(struct maddr *a, const char *text)
{
	assert_int_equal(maddr_parse_text(a, bytes_str(text)), 0);
}

/* ---- protocols that only remember what they are told ---- */

static void remember(struct lab_host *h, const struct sstream *st,
	enum lab_told what, int err)
{
	struct lab_word *w = &h->word[h->word_count++];

	assert_true(h->word_count <= LAB_EVENTS);
	*w = (struct lab_word){
		.what = what, .stream = st->id, .name = st->name, .err = err};
}

/* Of the lab under construction: a service finds its host by the key. */
static struct lab_host *hosts;

static void *start(struct serve *sv, const struct service_ops *ops,
	const struct serve_cfg *cfg, const struct env *env)
{
	(void)sv;
	(void)ops;
	(void)env;
	for (unsigned i = 0; i < LAB_HOSTS; i++)
		if (cfg->me == &hosts[i].me)
			return &hosts[i];
	return NULL;
}

static void opened(void *self, const struct env *env, struct sstream *st)
{
	(void)env;
	remember(self, st, st->inbound ? LAB_IN : LAB_READY, 0);
}

static int readable(void *self, const struct env *env, struct sstream *st,
	struct serve_in *in)
{
	(void)env;
	(void)in;
	remember(self, st, LAB_READABLE, 0);
	return 0;
}

static void writable(void *self, const struct env *env, struct sstream *st)
{
	(void)env;
	remember(self, st, LAB_WRITABLE, 0);
}

static void gone(void *self, const struct env *env, struct sstream *st,
	struct bytes rest, int err)
{
	struct lab_host *h = self;
	struct lab_word *w;

	(void)env;
	remember(h, st, LAB_GONE, err);
	w = &h->word[h->word_count - 1];
	w->rest_len = rest.len;
	if (rest.len > 0)
		memcpy(w->rest, rest.data, P2P_MIN(rest.len, sizeof(w->rest)));
}

static void peer_down(
	void *self, const struct env *env, const struct peer_id *peer)
{
	static const struct sstream none = {.id = 0};

	(void)env;
	(void)peer;
	remember(self, &none, LAB_DOWN, 0);
}

#define LAB_OPS(list, down) \
	{ \
		.names = list, .in_per_peer = 1000, .limited = true, \
		.start = start, .opened = opened, .readable = readable, \
		.writable = writable, .gone = gone, .peer_down = down, \
	}

static const char *const a_names[] = {"/a/1", NULL};
static const char *const b_names[] = {"/b/1", NULL};
static const struct service_ops a_ops = LAB_OPS(a_names, peer_down);
static const struct service_ops b_ops = LAB_OPS(b_names, NULL);

static const struct service_ops *const own[] = {
	&identify_ops, &identify_push_ops, &ping_ops, NULL};
static const struct service_ops *const more[] = {&a_ops, &b_ops, NULL};

/* ---- hosts ---- */

void lab_replace(
	struct swarm_lab *l, unsigned i, struct serve_cfg cfg, bool bare)
{
	struct lab_host *h = &l->host[i];

	hosts = l->host;
	cfg.me = &h->me;
	cfg.agent = "lab/1";
	if (cfg.services == NULL)
		cfg.services = own;
	if (cfg.more == NULL && !bare)
		cfg.more = more;
	serve_free(h->sv);
	h->sv = serve_new(&cfg, &l->te.env);
	h->s = serve_swarm(h->sv);
}

static void host_init(
	struct swarm_lab *l, unsigned i, const char *net, struct serve_cfg *cfg)
{
	struct lab_host *h = &l->host[i];
	uint8_t seed[32] = {3, (uint8_t)i};
	char text[64];

	identity_from_seed(&h->me, seed);
	snprintf(text, sizeof(text), "/ip4/%s.%u/tcp/4001", net, i + 1);
	lab_addr(&h->addr, text);
	h->dials = true;
	lab_replace(l, i, *cfg, false);
	swarm_set_addresses(h->s, &h->addr, 1);
}

struct swarm_lab *lab_new(const char *net, bool yamux, bool mplex)
{
	struct swarm_lab *l = xcalloc(1, sizeof(*l));
	struct serve_cfg cfg = {.offer_yamux = yamux,
		.offer_mplex = mplex,
		.early_muxers = true};

	test_env_init(&l->te, 1);
	assert_int_equal(crypto_init(), 0);
	for (unsigned i = 0; i < LAB_HOSTS; i++)
		host_init(l, i, net, &cfg);
	return l;
}

void lab_free(struct swarm_lab *l)
{
	for (unsigned i = 0; i < LAB_HOSTS; i++)
		serve_free(l->host[i].sv);
	assert_int_equal(l->te.budget.used, 0);
	free(l);
}

/* ---- carriers ---- */

static struct wire *wire_of(
	struct swarm_lab *l, unsigned host, uint64_t conn, int *end)
{
	for (unsigned i = 0; i < l->wire_count; i++) {
		struct wire *w = &l->wire[i];

		for (*end = 0; *end < 2; ++*end)
			if (w->used && w->host[*end] == host &&
				w->conn[*end] == conn)
				return w;
	}
	return NULL;
}

static void answer_dial(
	struct swarm_lab *l, unsigned from, const struct swarm_action *act)
{
	struct lab_host *h = &l->host[from];
	unsigned to = 0;
	struct wire *w;
	uint64_t conn;

	h->dial_count++;
	h->last_dial = act->conn;
	if (!h->dials)
		return;
	while (to < LAB_HOSTS && !maddr_equal(&l->host[to].addr, &act->addr))
		to++;
	if (to == LAB_HOSTS || l->host[to].deaf) {
		swarm_dial_failed(h->s, &l->te.env, act->conn, "refused");
		return;
	}
	conn = swarm_accepted(l->host[to].s, &l->te.env, &h->addr);
	swarm_connected(h->s, &l->te.env, act->conn, &act->addr);
	if (conn == 0) {
		swarm_closed(h->s, &l->te.env, act->conn);
		return;
	}
	assert_true(l->wire_count < LAB_WIRES);
	w = &l->wire[l->wire_count++];
	*w = (struct wire){
		.used = true, .host = {from, to}, .conn = {act->conn, conn}};
}

static void drop_wire(struct swarm_lab *l, unsigned host, uint64_t conn)
{
	int end;
	struct wire *w = wire_of(l, host, conn, &end);

	if (w == NULL)
		return;
	w->used = false;
	if (w->host[!end] != LAB_OUTSIDE)
		swarm_closed(
			l->host[w->host[!end]].s, &l->te.env, w->conn[!end]);
}

static bool carry(struct swarm_lab *l, unsigned index, int end)
{
	struct wire *w = &l->wire[index];
	struct lab_host *h = &l->host[w->host[end]];
	struct bytes out;
	uint8_t *copy;
	size_t n;

	if (!w->used || w->host[0] == LAB_OUTSIDE || w->paused[!end])
		return false;
	out = swarm_out_peek(h->s, &l->te.env, w->conn[end]);
	if (out.len == 0)
		return false;
	n = 1 + rng_below(&l->te.rng, out.len);
	n = P2P_MIN(n, (size_t)65536);
	copy = xmemdup(out.data, n);
	swarm_out_consume(h->s, &l->te.env, w->conn[end], n);
	if (w->used)
		swarm_bytes(l->host[w->host[!end]].s, &l->te.env, w->conn[!end],
			bytes_of(copy, n));
	free(copy);
	return true;
}

static bool serve_action(struct swarm_lab *l, unsigned host)
{
	struct swarm_action act;
	struct wire *w;
	int end;

	if (!serve_next_action(l->host[host].sv, &l->te.env, &act))
		return false;
	w = wire_of(l, host, act.conn, &end);
	switch (act.kind) {
	case SWARM_ACT_DIAL:
		answer_dial(l, host, &act);
		break;
	case SWARM_ACT_CLOSE:
		drop_wire(l, host, act.conn);
		break;
	case SWARM_ACT_PAUSE:
	case SWARM_ACT_RESUME:
		if (w != NULL)
			w->paused[end] = act.kind == SWARM_ACT_PAUSE;
		break;
	case SWARM_ACT_WRITE:
		break;
	}
	return true;
}

static bool take_events(struct swarm_lab *l, unsigned host)
{
	struct lab_host *h = &l->host[host];
	struct swarm_event ev;
	bool moved = false;

	while (serve_step(h->sv, &l->te.env, &ev)) {
		moved = true;
		if (ev.kind == SWARM_EV_NONE)
			continue;
		assert_true(h->ev_count < LAB_EVENTS);
		h->ev[h->ev_count++] = ev;
	}
	/* Never later than what there is to do. */
	assert_true(swarm_deadline(h->s) <=
		    P2P_MAX(swarm_deadline_walk(h->s), l->te.env.now_ms));
	return moved;
}

void lab_run(struct swarm_lab *l)
{
	for (bool moved = true; moved;) {
		moved = false;
		for (unsigned i = 0; i < LAB_HOSTS; i++) {
			while (serve_action(l, i))
				moved = true;
			moved |= take_events(l, i);
		}
		for (unsigned i = 0; i < l->wire_count; i++) {
			moved |= carry(l, i, 0);
			moved |= carry(l, i, 1);
		}
	}
}

static uint64_t first_deadline(const struct swarm_lab *l)
{
	uint64_t first = P2P_NEVER;

	for (unsigned i = 0; i < LAB_HOSTS; i++)
		first = P2P_MIN(first, serve_deadline(l->host[i].sv));
	return first;
}

void lab_pass(struct swarm_lab *l, uint64_t ms)
{
	uint64_t until = l->te.env.now_ms + ms;

	lab_run(l);
	for (unsigned n = 0; first_deadline(l) <= until; n++) {
		assert_true(n < 100000); /* a busy loop */
		l->te.env.now_ms = P2P_MAX(l->te.env.now_ms, first_deadline(l));
		for (unsigned i = 0; i < LAB_HOSTS; i++)
			if (serve_deadline(l->host[i].sv) <= l->te.env.now_ms)
				serve_tick(l->host[i].sv, &l->te.env);
		lab_run(l);
	}
	l->te.env.now_ms = until;
}

/* ---- for stories ---- */

void lab_dial(struct swarm_lab *l, unsigned from, unsigned to, bool with_id)
{
	struct maddr a = l->host[to].addr;

	if (with_id)
		assert_int_equal(maddr_join_peer(&a, &l->host[to].addr,
					 peer_id_bytes(&l->host[to].me.id)),
			0);
	swarm_dial(l->host[from].s, &l->te.env, &a, 7);
	lab_run(l);
}

void lab_meet(struct swarm_lab *l)
{
	lab_dial(l, 0, 1, true);
	lab_pass(l, 1000);
	assert_int_equal(lab_count(l, 0, SWARM_EV_PEER_UP), 1);
	assert_int_equal(lab_count(l, 1, SWARM_EV_PEER_UP), 1);
	lab_forget(l);
}

void lab_cut(struct swarm_lab *l, unsigned wire)
{
	struct wire w = l->wire[wire];

	assert_true(w.used);
	l->wire[wire].used = false;
	for (int end = 0; end < 2; end++)
		if (w.host[end] != LAB_OUTSIDE)
			swarm_closed(l->host[w.host[end]].s, &l->te.env,
				w.conn[end]);
	lab_run(l);
}

unsigned lab_wires(const struct swarm_lab *l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->wire_count; i++)
		n += l->wire[i].used;
	return n;
}

unsigned lab_count(
	const struct swarm_lab *l, unsigned host, enum swarm_event_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->host[host].ev_count; i++)
		n += l->host[host].ev[i].kind == kind;
	return n;
}

const struct swarm_event *lab_last(
	const struct swarm_lab *l, unsigned host, enum swarm_event_kind kind)
{
	for (unsigned i = l->host[host].ev_count; i-- > 0;)
		if (l->host[host].ev[i].kind == kind)
			return &l->host[host].ev[i];
	return NULL;
}

void lab_forget(struct swarm_lab *l)
{
	for (unsigned i = 0; i < LAB_HOSTS; i++)
		l->host[i].ev_count = l->host[i].word_count = 0;
}

unsigned lab_told(const struct swarm_lab *l, unsigned host, enum lab_told what)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->host[host].word_count; i++)
		n += l->host[host].word[i].what == what;
	return n;
}

const struct lab_word *lab_last_told(
	const struct swarm_lab *l, unsigned host, enum lab_told what)
{
	for (unsigned i = l->host[host].word_count; i-- > 0;)
		if (l->host[host].word[i].what == what)
			return &l->host[host].word[i];
	return NULL;
}

/* ---- streams ---- */

int lab_try_open(struct swarm_lab *l, unsigned from, unsigned to,
	const char *protocol, uint64_t *stream)
{
	struct sstream *st;
	struct serve_to where = {
		.ops = strcmp(protocol, "/a/1") == 0 ? &a_ops : &b_ops,
		.peer = &l->host[to].me.id};
	int err = serve_open(l->host[from].sv, &l->te.env, &where, &st);

	if (err == 0)
		*stream = st->id;
	return err;
}

uint64_t lab_open(
	struct swarm_lab *l, unsigned from, unsigned to, const char *protocol)
{
	uint64_t id = 0;

	assert_int_equal(lab_try_open(l, from, to, protocol, &id), 0);
	return id;
}

static struct sstream *stream_at(
	const struct swarm_lab *l, unsigned host, uint64_t stream)
{
	return serve_stream(l->host[host].sv, stream);
}

int lab_write(
	struct swarm_lab *l, unsigned host, uint64_t stream, struct bytes in)
{
	struct sstream *st = stream_at(l, host, stream);

	return st == NULL ? P2P_ERR_NOT_FOUND
			  : serve_write(l->host[host].sv, &l->te.env, st, in);
}

struct bytes lab_peek(
	const struct swarm_lab *l, unsigned host, uint64_t stream, bool *end)
{
	struct sstream *st = stream_at(l, host, stream);

	*end = false;
	return st == NULL ? bytes_of(NULL, 0) : swarm_stream_peek(st, end);
}

void lab_consume(struct swarm_lab *l, unsigned host, uint64_t stream, size_t n)
{
	struct sstream *st = stream_at(l, host, stream);

	if (st != NULL)
		swarm_stream_consume(l->host[host].s, st, n);
}

void lab_close(struct swarm_lab *l, unsigned host, uint64_t stream)
{
	struct sstream *st = stream_at(l, host, stream);

	if (st != NULL)
		serve_close(l->host[host].sv, &l->te.env, st);
}

void lab_reset(struct swarm_lab *l, unsigned host, uint64_t stream)
{
	struct sstream *st = stream_at(l, host, stream);

	if (st != NULL)
		serve_reset(l->host[host].sv, st);
}

size_t lab_backlog(const struct swarm_lab *l, unsigned host, uint64_t stream)
{
	struct sstream *st = stream_at(l, host, stream);

	return st == NULL ? 0 : swarm_stream_backlog(st);
}

struct sstream *lab_forge(struct swarm_lab *l, unsigned from, unsigned to,
	const struct service_ops *ops)
{
	struct serve_to where = {.ops = ops, .peer = &l->host[to].me.id};
	struct sstream *st;

	assert_int_equal(
		serve_open(l->host[from].sv, &l->te.env, &where, &st), 0);
	serve_hold(l->host[from].sv, st, true);
	return st;
}

struct sstream *lab_inbound(
	const struct swarm_lab *l, unsigned host, const char *name)
{
	struct sstream *newest = NULL;
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &l->host[host].s->streams) {
		struct sstream *st = &((struct stream *)e->value)->pub;

		if (st->inbound && st->name != NULL &&
			strcmp(st->name, name) == 0 &&
			(newest == NULL || st->id > newest->id))
			newest = st;
	}
	return newest;
}
