/*
 * The table of services: whatever happens to a stream, connection or peer goes
 * to those whom it concerns. One stream is one block here (struct served) that
 * the swarm hands back with each event, so nothing is looked up.
 */
#include "net/serve/serve.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/xmalloc.h"
#include "net/serve/frame.h"
#include "net/serve/serve_internal.h"

struct service {
	const struct service_ops *ops;
	void *self;
	struct list inbound; /* struct served, oldest first */
};

/* What is kept for a stream; the service's state stands behind it. */
struct served {
	struct service *service;
	struct sstream *st;
	struct list of_service;
	bool held;
	bool again;  /* readable is told though nothing has arrived */
	bool untold; /* the service has not heard of it: its peer is not up */
	uint64_t ends_ms; /* its life, NEVER: no end */
	max_align_t state[];
};

struct serve {
	struct swarm *swarm;
	struct service services[SERVE_SERVICES_MAX];
	unsigned count;
	const char *names[SWARM_PROTOCOLS_MAX + 1];
	struct service *by_name[SWARM_PROTOCOLS_MAX];
	struct pipes *pipes;
	struct sstream *at; /* being served; NULL once it is reset */
	struct env env;     /* of the beginning: for the end, which has none */
};

_Static_assert(sizeof(struct served) <= SERVE_STREAM_COST_BYTES,
	"a stream costs what is charged for it");

/* ---- beginning and end -------------------------------------------------- */

static void add_service(struct serve *sv, const struct service_ops *ops)
{
	struct service *s = &sv->services[sv->count];
	size_t n = 0;

	P2P_ASSERT(sv->count < SERVE_SERVICES_MAX);
	sv->count++;
	s->ops = ops;
	list_init(&s->inbound);
	while (sv->names[n] != NULL)
		n++;
	for (size_t i = 0; ops->names[i] != NULL; i++, n++) {
		P2P_ASSERT(n < SWARM_PROTOCOLS_MAX);
		sv->names[n] = ops->names[i];
		sv->by_name[n] = s;
	}
}

static void add_services(
	struct serve *sv, const struct service_ops *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		add_service(sv, *list);
}

struct serve *serve_new(const struct serve_cfg *cfg, const struct env *env)
{
	struct serve *sv = xcalloc(1, sizeof(*sv));
	struct swarm_cfg swarm = {
		.me = cfg->me,
		.protocols = sv->names,
		.offer_yamux = cfg->offer_yamux,
		.offer_mplex = cfg->offer_mplex,
		.early_muxers = cfg->early_muxers,
		.conns_max = cfg->conns_max,
		.ping_interval_ms = cfg->ping_interval_ms,
	};

	sv->env = *env;
	add_services(sv, cfg->services);
	add_services(sv, cfg->more);
	sv->swarm = swarm_new(&swarm, env);
	sv->pipes = pipes_new(env);
	for (unsigned i = 0; i < sv->count; i++) {
		struct service *s = &sv->services[i];

		if (s->ops->start != NULL)
			s->self = s->ops->start(sv, s->ops, cfg, env);
	}
	return sv;
}

/* What a stream cost here, back; the stream itself is the swarm's. */
static void forget(struct sstream *st)
{
	struct served *d = st->user;

	if (d == NULL)
		return;
	list_remove(&d->of_service);
	free(d);
	st->user = NULL;
	st->state = NULL;
}

struct swarm *serve_swarm(struct serve *sv)
{
	return sv->swarm;
}

struct pipes *serve_pipes(const struct serve *sv)
{
	return sv->pipes;
}

const char *const *serve_names(const struct serve *sv)
{
	return sv->names;
}

const struct service_ops *serve_find(const struct serve *sv, const char *name)
{
	for (unsigned i = 0; i < sv->count; i++)
		if (strcmp(sv->services[i].ops->names[0], name) == 0)
			return sv->services[i].ops;
	return NULL;
}

const struct service_ops *serve_ops_of(const struct sstream *st)
{
	const struct served *d = st->user;

	return d->service->ops;
}

static struct service *find_service(
	const struct serve *sv, const struct service_ops *ops)
{
	for (unsigned i = 0; i < sv->count; i++)
		if (sv->services[i].ops == ops)
			return (struct service *)(uintptr_t)&sv->services[i];
	return NULL;
}

void *serve_self(const struct serve *sv, const struct service_ops *ops)
{
	struct service *s = find_service(sv, ops);

	return s == NULL ? NULL : s->self;
}

/* ---- a stream ------------------------------------------------------------ */

/* Its place here, charged with it; false when a budget refuses. */
static bool take_on(struct sstream *st, struct service *s)
{
	size_t bytes = SERVE_STREAM_COST_BYTES + s->ops->state_bytes;
	struct served *d;

	if (swarm_stream_keep(st, bytes) != 0)
		return false;
	d = xcalloc(1, sizeof(*d) + s->ops->state_bytes);
	d->service = s;
	d->st = st;
	d->ends_ms = P2P_NEVER;
	list_init(&d->of_service);
	st->user = d;
	st->state = d->state;
	return true;
}

/* It moves: its idle time begins once more. */
static void stay(struct serve *sv, const struct env *env, struct served *d)
{
	uint64_t idle_ms = d->service->ops->idle_ms;
	uint64_t at_ms = d->ends_ms;

	if (idle_ms != 0)
		at_ms = P2P_MIN(at_ms, env_after(env, idle_ms));
	if (at_ms != P2P_NEVER)
		swarm_stream_expire(sv->swarm, d->st, at_ms);
}

static void end_stream(
	struct serve *sv, const struct env *env, struct sstream *st, int err)
{
	struct served *d = st->user;
	struct bytes rest;
	bool end;

	sv->at = st;
	if (d != NULL && !d->untold && d->service->ops->gone != NULL) {
		rest = swarm_stream_peek(st, &end);
		d->service->ops->gone(d->service->self, env, st, rest, err);
	}
	if (sv->at == st)
		serve_reset(sv, st);
}

void serve_free(struct serve *sv)
{
	struct sstream *st;
	unsigned events;
	int err;

	if (sv == NULL)
		return;
	/* Services hear of the end of all their streams, and free what they
	 * keep for them; of peers they hear no more. */
	sv->env.now_ms = swarm_close_all(sv->swarm);
	while ((st = swarm_next_gone(sv->swarm, &events, &err)) != NULL)
		end_stream(sv, &sv->env, st, err);
	for (unsigned i = 0; i < sv->count; i++)
		if (sv->services[i].ops->free != NULL)
			sv->services[i].ops->free(sv->services[i].self);
	pipes_free(sv->pipes);
	swarm_free(sv->swarm);
	free(sv);
}

/* The peer's inbound streams of the service; *oldest is the first of them. */
static unsigned count_inbound(const struct service *s,
	const struct peer_id *peer, struct served **oldest)
{
	struct list *pos, *tmp;
	unsigned n = 0;

	LIST_FOREACH(pos, tmp, &s->inbound) {
		struct served *d = LIST_ITEM(pos, struct served, of_service);

		if (!peer_id_equal(&d->st->peer, peer))
			continue;
		if (n++ == 0)
			*oldest = d;
	}
	return n;
}

/* Whether a stream that the peer has opened is served. */
static bool admit(struct serve *sv, const struct env *env, struct sstream *st)
{
	struct service *s = sv->by_name[st->protocol];
	struct served *oldest = NULL;
	bool full = count_inbound(s, &st->peer, &oldest) >= s->ops->in_per_peer;

	if (full && s->ops->newest_stays && oldest != NULL) {
		end_stream(sv, env, oldest->st, P2P_ERR_LIMIT);
		sv->at = st;
		full = false;
	}
	if (full || (st->limited && !s->ops->limited) || !take_on(st, s)) {
		swarm_count_refused(sv->swarm);
		return false;
	}
	list_push_back(&s->inbound, &((struct served *)st->user)->of_service);
	return true;
}

/* The service hears of it. */
static void announce(
	struct serve *sv, const struct env *env, struct sstream *st)
{
	struct served *d = st->user;
	const struct service_ops *ops = d->service->ops;

	d->untold = false;
	if (ops->life_ms != 0)
		d->ends_ms = env_after(env, ops->life_ms);
	stay(sv, env, d);
	if (ops->opened != NULL)
		ops->opened(d->service->self, env, st);
}

static void on_opened(
	struct serve *sv, const struct env *env, struct sstream *st)
{
	struct served *d;

	if (st->inbound && !admit(sv, env, st)) {
		serve_reset(sv, st);
		return;
	}
	d = st->user;
	d->untold = st->inbound && !d->service->ops->early &&
		    !swarm_peer_is_up(sv->swarm, &st->peer);
	if (!d->untold)
		announce(sv, env, st);
}

static void on_readable(
	struct serve *sv, const struct env *env, struct sstream *st)
{
	struct served *d = st->user;
	struct serve_in in = {.used = 0};
	int err = 0;

	if (d->held || d->untold)
		return;
	in.bytes = swarm_stream_peek(st, &in.end);
	if (in.bytes.len == 0 && !in.end && !d->again)
		return;
	d->again = false;
	if (d->service->ops->readable != NULL)
		err = d->service->ops->readable(d->service->self, env, st, &in);
	else
		in.used = in.bytes.len;
	if (sv->at != st)
		return;
	if (in.used > 0)
		stay(sv, env, d);
	swarm_stream_consume(sv->swarm, st, in.used);
	if (err == 0)
		return;
	if (p2p_err_class(err) == P2P_CLASS_PEER)
		swarm_count_breach(sv->swarm, false);
	end_stream(sv, env, st, err);
}

static void on_writable(
	struct serve *sv, const struct env *env, struct sstream *st)
{
	struct served *d = st->user;

	stay(sv, env, d);
	if (d->service->ops->writable != NULL)
		d->service->ops->writable(d->service->self, env, st);
}

static void on_stream(struct serve *sv, const struct env *env,
	struct sstream *st, unsigned events)
{
	sv->at = st;
	if (events & SSTREAM_OPENED)
		on_opened(sv, env, st);
	if (sv->at == st && (events & SSTREAM_READABLE))
		on_readable(sv, env, st);
	if (sv->at == st && (events & SSTREAM_WRITABLE))
		on_writable(sv, env, st);
	if (sv->at == st && swarm_stream_ended(st))
		end_stream(sv, env, st, 0);
	sv->at = NULL;
}

/* One that ended before its last events were told: they come first. */
static void on_gone(struct serve *sv, const struct env *env, struct sstream *st,
	unsigned events, int err)
{
	sv->at = st;
	if (events & SSTREAM_OPENED)
		on_opened(sv, env, st);
	if (sv->at == st)
		end_stream(sv, env, st, err);
	sv->at = NULL;
}

/* ---- connections and peers ---------------------------------------------- */

static void tell_conn(
	struct serve *sv, const struct env *env, const struct swarm_event *ev)
{
	for (unsigned i = 0; i < sv->count; i++) {
		const struct service *s = &sv->services[i];
		void (*fn)(void *, const struct env *, uint64_t) =
			ev->kind == SWARM_EV_CONN_UP ? s->ops->conn_up
						     : s->ops->conn_down;

		if (fn != NULL)
			fn(s->self, env, ev->conn);
	}
}

static void tell_peer(
	struct serve *sv, const struct env *env, const struct swarm_event *ev)
{
	for (unsigned i = 0; i < sv->count; i++) {
		const struct service *s = &sv->services[i];
		void (*fn)(void *, const struct env *, const struct peer_id *) =
			ev->kind == SWARM_EV_PEER_UP     ? s->ops->peer_up
			: ev->kind == SWARM_EV_PEER_DOWN ? s->ops->peer_down
							 : s->ops->peer_changed;

		if (fn != NULL)
			fn(s->self, env, &ev->peer);
	}
}

static struct served *next_untold(
	const struct service *s, const struct peer_id *peer)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &s->inbound) {
		struct served *d = LIST_ITEM(pos, struct served, of_service);

		if (d->untold && peer_id_equal(&d->st->peer, peer))
			return d;
	}
	return NULL;
}

/* What the peer has opened before it was up is served now. A service may end
 * any of them meanwhile, so each time they are looked for from the beginning.
 */
static void announce_all(
	struct serve *sv, const struct env *env, const struct peer_id *peer)
{
	struct served *d;

	for (unsigned i = 0; i < sv->count; i++) {
		while ((d = next_untold(&sv->services[i], peer)) != NULL) {
			swarm_stream_again(sv->swarm, d->st);
			sv->at = d->st;
			announce(sv, env, d->st);
			sv->at = NULL;
		}
	}
}

static void on_event(
	struct serve *sv, const struct env *env, const struct swarm_event *ev)
{
	switch (ev->kind) {
	case SWARM_EV_CONN_UP:
	case SWARM_EV_CONN_DOWN:
		tell_conn(sv, env, ev);
		break;
	case SWARM_EV_PEER_UP:
	case SWARM_EV_PEER_DOWN:
	case SWARM_EV_IDENTIFIED:
	case SWARM_EV_DIRECT:
		tell_peer(sv, env, ev);
		if (ev->kind == SWARM_EV_PEER_UP)
			announce_all(sv, env, &ev->peer);
		break;
	case SWARM_EV_SELF:
		for (unsigned i = 0; i < sv->count; i++)
			if (sv->services[i].ops->self_changed != NULL)
				sv->services[i].ops->self_changed(
					sv->services[i].self, env);
		break;
	case SWARM_EV_NONE:
	case SWARM_EV_COPY:
	case SWARM_EV_RTT:
	case SWARM_EV_ADDRESS:
	case SWARM_EV_RECORD:
	case SWARM_EV_FAREWELL:
	case SWARM_EV_DIAL_FAILED:
	case SWARM_EV_UNREACHED:
	case SWARM_EV_OTHER_KEY:
	case SWARM_EV_FOLLOWED:
		break;
	}
}

bool serve_step(struct serve *sv, const struct env *env, struct swarm_event *ev)
{
	struct sstream *st;
	unsigned events;
	int err;

	ev->kind = SWARM_EV_NONE;
	st = swarm_next_gone(sv->swarm, &events, &err);
	if (st != NULL) {
		on_gone(sv, env, st, events, err);
		return true;
	}
	if (swarm_next_event(sv->swarm, ev)) {
		on_event(sv, env, ev);
		return true;
	}
	st = swarm_next_stream(sv->swarm, &events);
	if (st != NULL)
		on_stream(sv, env, st, events);
	return st != NULL;
}

bool serve_next_action(
	struct serve *sv, const struct env *env, struct swarm_action *act)
{
	while (swarm_next_action(sv->swarm, act)) {
		struct sstream *st;
		struct served *d;

		if (act->carrier == 0)
			return true;
		st = swarm_stream(sv->swarm, act->carrier);
		d = st == NULL ? NULL : st->user;
		if (d != NULL && d->service->ops->carry != NULL)
			d->service->ops->carry(d->service->self, env, st, act);
	}
	return false;
}

/* ---- time --------------------------------------------------------------- */

void serve_tick(struct serve *sv, const struct env *env)
{
	swarm_tick(sv->swarm, env);
	for (unsigned i = 0; i < sv->count; i++) {
		const struct service *s = &sv->services[i];

		if (s->ops->tick != NULL && s->ops->deadline != NULL &&
			s->ops->deadline(s->self) <= env->now_ms)
			s->ops->tick(s->self, env);
	}
}

uint64_t serve_deadline(const struct serve *sv)
{
	uint64_t first = swarm_deadline(sv->swarm);

	for (unsigned i = 0; i < sv->count; i++) {
		const struct service *s = &sv->services[i];

		if (s->ops->deadline != NULL)
			first = P2P_MIN(first, s->ops->deadline(s->self));
	}
	return first;
}

/* ---- verbs --------------------------------------------------------------- */

int serve_open(struct serve *sv, const struct env *env,
	const struct serve_to *to, struct sstream **st)
{
	struct service *s = find_service(sv, to->ops);
	struct swarm_open open = {
		.conn = to->conn,
		.peer = to->peer,
		.protocols = to->ops->names,
		.limited = to->ops->limited,
		.urgent = to->ops->urgent,
	};
	int err;

	P2P_ASSERT(s != NULL);
	err = swarm_stream_open(sv->swarm, env, &open, st);
	if (err != 0)
		return err;
	if (take_on(*st, s))
		return 0;
	swarm_count_refused(sv->swarm);
	swarm_stream_reset(sv->swarm, *st);
	return P2P_ERR_LIMIT;
}

struct sstream *serve_stream(const struct serve *sv, uint64_t id)
{
	return swarm_stream(sv->swarm, id);
}

int serve_write(struct serve *sv, const struct env *env, struct sstream *st,
	struct bytes in)
{
	return swarm_stream_write(sv->swarm, env, st, in);
}

int serve_write_frame(struct serve *sv, const struct env *env,
	struct sstream *st, struct bytes frame)
{
	struct buf whole;
	uint8_t head[10];
	int err;

	buf_init(&whole, sizeof(head) + frame.len);
	(void)buf_append(&whole, bytes_of(head, frame_header(frame.len, head)));
	(void)buf_append(&whole, frame);
	err = swarm_stream_write(sv->swarm, env, st, buf_bytes(&whole));
	buf_clear(&whole);
	return err;
}

void serve_close(struct serve *sv, const struct env *env, struct sstream *st)
{
	swarm_stream_close_write(sv->swarm, env, st);
}

void serve_reset(struct serve *sv, struct sstream *st)
{
	if (sv->at == st)
		sv->at = NULL;
	forget(st);
	swarm_stream_reset(sv->swarm, st);
}

void serve_hold(struct serve *sv, struct sstream *st, bool hold)
{
	struct served *d = st->user;

	if (d->held && !hold)
		swarm_stream_again(sv->swarm, st);
	d->held = hold;
}

void serve_withhold(struct serve *sv, struct sstream *st, size_t bytes)
{
	swarm_stream_withhold(sv->swarm, st, bytes);
}

void serve_again(struct serve *sv, struct sstream *st)
{
	struct served *d = st->user;

	d->again = true;
	swarm_stream_again(sv->swarm, st);
}

int serve_keep(struct sstream *st, size_t bytes)
{
	const struct served *d = st->user;

	return swarm_stream_keep(st,
		SERVE_STREAM_COST_BYTES + d->service->ops->state_bytes + bytes);
}
