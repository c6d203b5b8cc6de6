/*
 * Counters of each peer in each room, and the sum that is its score. They decay
 * by whole intervals when somebody looks (score_refresh), so nothing here runs
 * on its own. Of those who left only what speaks against them is kept.
 */
#include "net/pubsub/score.h"

#include <stdlib.h>

#include "base/table.h"
#include "base/xmalloc.h"
#include "net/wire/dialable.h"

/* No counter grows above it: squares and sums stay far from infinity. */
#define COUNTER_MAX 1e6

/* What a peer did in one room. */
struct room {
	bool in_mesh;
	bool mesh_active; /* long enough for P3 */
	uint64_t mesh_ms;
	double first;
	double mesh;
	double failure;
	double invalid;
};

struct record {
	struct table rooms; /* topic -> struct room */
	double app;
	double behaviour;
	struct score_site site;
	/* Of those who left. */
	uint64_t until_ms;
	bool forgiven; /* nothing but slips that cost nothing yet: they decay */
};

/* How many are connected from one site. */
struct site {
	size_t peers;
};

struct score {
	const struct score_params *params;
	struct table peers;    /* peer id -> struct record, connected */
	struct table retained; /* the same of those who left, oldest first */
	struct table sites;    /* net -> struct site */
	uint64_t refreshed_ms; /* whole intervals are counted from here */
	struct rng *rng;
};

static double up(double counter, double by, double cap)
{
	counter += by;
	return counter < cap ? counter : cap;
}

/* ---- sites ------------------------------------------------------------- */

struct score_site score_site_of(struct bytes multiaddr)
{
	struct score_site site = {.len = 0};
	struct dialable at;
	struct maddr a;

	if (maddr_parse(&a, multiaddr) != 0)
		return site;
	dialable_of(&at, &a);
	if (at.relayed ||
		(at.host != DIALABLE_HOST_IP4 && at.host != DIALABLE_HOST_IP6))
		return site;
	_Static_assert(sizeof(site.net) == sizeof(at.site.net), "as long");
	site.local = dialable_is_near(&at);
	site.len = at.site.bits / 8;
	memcpy(site.net, at.site.net, sizeof(site.net));
	return site;
}

static bool site_counts(const struct score_site *site)
{
	return !site->local && site->len > 0;
}

static struct bytes site_key(const struct score_site *site)
{
	return bytes_of(site->net, site->len);
}

static void site_enter(struct score *s, struct record *r)
{
	struct site *site;

	if (!site_counts(&r->site))
		return;
	site = table_get(&s->sites, site_key(&r->site));
	if (site == NULL) {
		site = xcalloc(1, sizeof(*site));
		(void)table_put(&s->sites, site_key(&r->site), site);
	}
	site->peers++;
}

static void site_leave(struct score *s, struct record *r)
{
	struct site *site;

	if (!site_counts(&r->site))
		return;
	site = table_get(&s->sites, site_key(&r->site));
	P2P_ASSERT(site != NULL && site->peers > 0);
	if (--site->peers == 0)
		free(table_remove(&s->sites, site_key(&r->site)));
	r->site = (struct score_site){.len = 0};
}

/* ---- records ----------------------------------------------------------- */

static struct record *record_new(struct score *s)
{
	struct record *r = xcalloc(1, sizeof(*r));

	table_init(&r->rooms, s->rng);
	return r;
}

static void record_free(struct record *r)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &r->rooms)
		free(e->value);
	table_clear(&r->rooms);
	free(r);
}

static struct record *connected(
	const struct score *s, const struct peer_id *peer)
{
	return table_get(&s->peers, peer_id_bytes(peer));
}

static void room_drop(struct record *r, const struct table_entry *e)
{
	free(table_remove(&r->rooms, table_key(e)));
}

/* Makes room for another room: we left that one long ago, most likely. */
static void room_make_way(struct record *r)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &r->rooms) {
		const struct room *room = e->value;

		if (room->in_mesh)
			continue;
		room_drop(r, e);
		return;
	}
	room_drop(r, table_oldest(&r->rooms));
}

static struct room *room_get(struct record *r, struct bytes topic)
{
	struct room *room = table_get(&r->rooms, topic);

	if (room != NULL)
		return room;
	P2P_ASSERT(topic.len <= GOSSIP_TOPIC_BYTES_MAX);
	if (r->rooms.count >= SCORE_ROOMS_MAX)
		room_make_way(r);
	room = xcalloc(1, sizeof(*room));
	(void)table_put(&r->rooms, topic, room);
	return room;
}

struct score *score_new(
	const struct score_params *params, const struct env *env)
{
	struct score *s = xcalloc(1, sizeof(*s));

	s->params = params;
	s->rng = env->rng;
	s->refreshed_ms = env->now_ms;
	table_init(&s->peers, env->rng);
	table_init(&s->retained, env->rng);
	table_init(&s->sites, env->rng);
	return s;
}

void score_free(struct score *s)
{
	struct table_entry *e, *tmp;

	if (s == NULL)
		return;
	TABLE_FOREACH(e, tmp, &s->peers)
		record_free(e->value);
	TABLE_FOREACH(e, tmp, &s->retained)
		record_free(e->value);
	TABLE_FOREACH(e, tmp, &s->sites)
		free(e->value);
	table_clear(&s->peers);
	table_clear(&s->retained);
	table_clear(&s->sites);
	free(s);
}

/* ---- the function ------------------------------------------------------ */

static double missing(
	const struct score_topic_params *p, const struct room *room)
{
	if (!room->in_mesh || !room->mesh_active ||
		room->mesh >= p->mesh_threshold)
		return 0;
	return (p->mesh_threshold - room->mesh) *
	       (p->mesh_threshold - room->mesh);
}

static double score_room(
	const struct score_topic_params *p, const struct room *room)
{
	double mesh_s = (double)room->mesh_ms / 1000;
	double sum = 0;

	if (room->in_mesh)
		sum += p->mesh_time_weight *
		       (mesh_s < p->mesh_time_cap ? mesh_s : p->mesh_time_cap);
	sum += p->first_weight * room->first;
	sum += p->mesh_weight * missing(p, room);
	sum += p->failure_weight * room->failure;
	sum += p->invalid_weight * room->invalid * room->invalid;
	return p->weight * sum;
}

static double score_rooms(const struct score *s, const struct record *r)
{
	struct table_entry *e, *tmp;
	double sum = 0;

	TABLE_FOREACH(e, tmp, &r->rooms)
		sum += score_room(&s->params->topic, e->value);
	return sum < s->params->topics_cap ? sum : s->params->topics_cap;
}

static double score_behaviour(const struct score *s, const struct record *r)
{
	double above = r->behaviour - s->params->behaviour_threshold;

	return above > 0 ? s->params->behaviour_weight * above * above : 0;
}

static double score_crowd(const struct score *s, const struct record *r)
{
	const struct site *site;
	double above;

	if (!site_counts(&r->site))
		return 0;
	site = table_get(&s->sites, site_key(&r->site));
	if (site == NULL || site->peers <= s->params->site_peers)
		return 0;
	above = (double)(site->peers - s->params->site_peers);
	return s->params->site_weight * above * above;
}

double score_of(const struct score *s, const struct peer_id *peer)
{
	const struct record *r = connected(s, peer);

	if (r == NULL)
		return 0;
	return score_rooms(s, r) + s->params->app_weight * r->app +
	       score_crowd(s, r) + score_behaviour(s, r);
}

/* ---- coming and going -------------------------------------------------- */

void score_connect(struct score *s, const struct env *env,
	const struct peer_id *peer, const struct score_site *site)
{
	struct record *r = connected(s, peer);

	/* What slept with nobody there must not decay what comes now. */
	score_refresh(s, env);
	if (r == NULL) {
		r = table_remove(&s->retained, peer_id_bytes(peer));
		if (r == NULL)
			r = record_new(s);
		(void)table_put(&s->peers, peer_id_bytes(peer), r);
	}
	site_leave(s, r);
	r->site = *site;
	site_enter(s, r);
}

static void retained_drop(struct score *s, const struct table_entry *e)
{
	record_free(table_remove(&s->retained, table_key(e)));
}

static void retain(struct score *s, const struct env *env,
	const struct peer_id *peer, struct record *r)
{
	if (s->retained.count >= SCORE_RETAINED_MAX) {
		/* Faults are not forgotten for slips. */
		if (r->forgiven) {
			record_free(r);
			return;
		}
		retained_drop(s, table_oldest(&s->retained));
	}
	r->until_ms = env_after(env, s->params->retain_ms);
	(void)table_put(&s->retained, peer_id_bytes(peer), r);
}

static void room_leave(const struct score_topic_params *p, struct room *room)
{
	room->failure = up(room->failure, missing(p, room), COUNTER_MAX);
	room->in_mesh = false;
	room->mesh_active = false;
	room->mesh_ms = 0;
}

void score_disconnect(
	struct score *s, const struct env *env, const struct peer_id *peer)
{
	struct record *r = table_remove(&s->peers, peer_id_bytes(peer));
	struct table_entry *e, *tmp;

	if (r == NULL)
		return;
	site_leave(s, r);
	r->app = 0;
	TABLE_FOREACH(e, tmp, &r->rooms) {
		struct room *room = e->value;

		room_leave(&s->params->topic, room);
		room->first = 0;
		room->mesh = 0;
		if (room->failure <= 0 && room->invalid <= 0)
			room_drop(r, e);
	}
	/* Merits are gone by now: leaving washes nothing off. */
	r->forgiven = score_rooms(s, r) + score_behaviour(s, r) >= 0;
	if (!r->forgiven || r->behaviour > 0)
		retain(s, env, peer, r);
	else
		record_free(r);
}

/* ---- what peers do ----------------------------------------------------- */

void score_graft(
	struct score *s, const struct peer_id *peer, struct bytes topic)
{
	struct record *r = connected(s, peer);
	struct room *room;

	if (r == NULL)
		return;
	room = room_get(r, topic);
	if (room->in_mesh)
		return;
	room->in_mesh = true;
	room->mesh_active = false;
	room->mesh_ms = 0;
}

void score_prune(
	struct score *s, const struct peer_id *peer, struct bytes topic)
{
	struct record *r = connected(s, peer);
	struct room *room = r == NULL ? NULL : table_get(&r->rooms, topic);

	if (room != NULL && room->in_mesh)
		room_leave(&s->params->topic, room);
}

void score_near_first(
	struct score *s, const struct peer_id *peer, struct bytes topic)
{
	struct record *r = connected(s, peer);
	struct room *room = r == NULL ? NULL : table_get(&r->rooms, topic);

	if (room != NULL && room->in_mesh)
		room->mesh = up(room->mesh, 1, s->params->topic.mesh_cap);
}

void score_first(
	struct score *s, const struct peer_id *peer, struct bytes topic)
{
	struct record *r = connected(s, peer);
	struct room *room;

	if (r == NULL)
		return;
	room = room_get(r, topic);
	room->first = up(room->first, 1, s->params->topic.first_cap);
	score_near_first(s, peer, topic);
}

void score_invalid(struct score *s, const struct env *env,
	const struct peer_id *peer, struct bytes topic)
{
	struct record *r = connected(s, peer);
	struct room *room;

	if (r == NULL)
		r = table_get(&s->retained, peer_id_bytes(peer));
	if (r == NULL) {
		r = record_new(s);
		retain(s, env, peer, r);
	}
	r->forgiven = false;
	room = room_get(r, topic);
	room->invalid = up(room->invalid, 1, COUNTER_MAX);
}

void score_misbehave(struct score *s, const struct peer_id *peer, double count)
{
	struct record *r = connected(s, peer);

	if (r != NULL && count > 0)
		r->behaviour = up(r->behaviour, count, COUNTER_MAX);
}

void score_app(struct score *s, const struct peer_id *peer, double value)
{
	struct record *r = connected(s, peer);

	if (r == NULL)
		return;
	/* No number is unequal to itself. */
	if (value != value)
		value = 0;
	r->app = P2P_MAX(
		P2P_MIN(value, (double)SCORE_APP_MAX), -(double)SCORE_APP_MAX);
}

/* ---- time -------------------------------------------------------------- */

/* base ^ n */
static double power(double base, uint64_t n)
{
	double out = 1;

	for (; n > 0; n >>= 1) {
		if (n & 1)
			out *= base;
		base *= base;
	}
	return out;
}

static double decayed(const struct score *s, double counter, double factor,
	uint64_t intervals)
{
	if (counter <= 0)
		return 0;
	counter *= power(factor, intervals);
	return counter < s->params->decay_to_zero ? 0 : counter;
}

/* False when nothing is left to know. */
static bool room_refresh(
	const struct score *s, struct room *room, uint64_t intervals)
{
	const struct score_topic_params *p = &s->params->topic;

	room->first = decayed(s, room->first, p->first_decay, intervals);
	room->mesh = decayed(s, room->mesh, p->mesh_decay, intervals);
	room->failure = decayed(s, room->failure, p->failure_decay, intervals);
	room->invalid = decayed(s, room->invalid, p->invalid_decay, intervals);
	if (room->in_mesh) {
		room->mesh_ms += intervals * s->params->decay_interval_ms;
		room->mesh_active = room->mesh_ms > p->mesh_activation_ms;
		return true;
	}
	return room->first > 0 || room->mesh > 0 || room->failure > 0 ||
	       room->invalid > 0;
}

static void record_refresh(
	const struct score *s, struct record *r, uint64_t intervals)
{
	struct table_entry *e, *tmp;

	r->behaviour =
		decayed(s, r->behaviour, s->params->behaviour_decay, intervals);
	TABLE_FOREACH(e, tmp, &r->rooms) {
		if (!room_refresh(s, e->value, intervals))
			room_drop(r, e);
	}
}

void score_refresh(struct score *s, const struct env *env)
{
	uint64_t step = s->params->decay_interval_ms;
	uint64_t intervals = (env->now_ms - s->refreshed_ms) / step;
	struct table_entry *e, *tmp;

	if (intervals == 0)
		return;
	s->refreshed_ms += intervals * step;
	TABLE_FOREACH(e, tmp, &s->peers)
		record_refresh(s, e->value, intervals);
	TABLE_FOREACH(e, tmp, &s->retained) {
		struct record *r = e->value;

		if (r->forgiven)
			record_refresh(s, r, intervals);
		if (r->until_ms <= env->now_ms ||
			(r->forgiven && r->behaviour <= 0))
			retained_drop(s, e);
	}
}

size_t score_retained(const struct score *s)
{
	return s->retained.count;
}
