/*
 * What must hold, whatever happens: after every event, at every start, and
 * at the end.
 */
#include <stdlib.h>

#include "base/xmalloc.h"
#include "tests/sim/sim.h"

/* A line has this long to reach everybody who stays linked. */
#define CHECK_WATCH_US (30 * SIM_S)
/* Ticks at one moment that lead to nothing: more is a busy loop. */
#define CHECK_BUSY_TICKS 2
#define CHECK_ROWS 200

static struct bytes id_bytes(const uint8_t id[UNIT_ID_BYTES])
{
	return bytes_of(id, UNIT_ID_BYTES);
}

static int host_of_peer(const struct sim *s, const char *peer)
{
	for (int i = 0; i < s->host_count; i++)
		if (strcmp(s->host[i].peer, peer) == 0)
			return i;
	return -1;
}

/* ---- who can hear whom ------------------------------------------------- */

/* Both are in the room, both know it of each other, and there is a way. */
static bool linked(const struct sim *s, int i, int j, int room)
{
	const struct host *a = &s->host[i], *b = &s->host[j];

	return i != j && a->running && b->running && a->joined[room] &&
	       b->joined[room] && a->up[j] && b->up[i] && a->told[j][room] &&
	       b->told[i][room] && wire_way(s, i, j);
}

void check_broken(struct sim *s, int a, int b)
{
	struct list *pos, *tmp;

	if (a < 0 || b < 0)
		return;
	LIST_FOREACH(pos, tmp, &s->said_order) {
		struct said *said = LIST_ITEM(pos, struct said, order);

		said->links[a] &= (uint16_t) ~(1u << b);
		said->links[b] &= (uint16_t) ~(1u << a);
	}
}

static void broken_room(struct sim *s, int a, int b, int room)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &s->said_order) {
		struct said *said = LIST_ITEM(pos, struct said, order);

		if (said->room != room)
			continue;
		said->links[a] &= (uint16_t) ~(1u << b);
		said->links[b] &= (uint16_t) ~(1u << a);
	}
}

void check_host_gone(struct host *h)
{
	memset(h->joined, 0, sizeof(h->joined));
	memset(h->up, 0, sizeof(h->up));
	memset(h->told, 0, sizeof(h->told));
	for (int i = 0; i < h->sim->host_count; i++)
		check_broken(h->sim, h->index, i);
}

void check_told(struct host *h, const struct chat_net_msg *m)
{
	int other = host_of_peer(h->sim, m->peer), room;

	if (other < 0)
		return;
	if (m->msg.kind == CHAT_MSG_PEER) {
		h->up[other] = m->state != 0;
		if (m->state != 0)
			return;
		memset(h->told[other], 0, sizeof(h->told[other]));
		check_broken(h->sim, h->index, other);
	} else if (m->msg.kind == CHAT_MSG_TOPIC) {
		room = sim_room(h->sim, m->text);
		if (room < 0)
			return;
		h->told[other][room] = m->state != 0;
		if (m->state == 0)
			broken_room(h->sim, h->index, other, room);
	}
}

/* ---- lines ------------------------------------------------------------- */

static uint16_t reached(const struct said *said)
{
	uint16_t have = (uint16_t)(1u << said->author), next = have;

	do {
		have = next;
		for (int i = 0; i < SIM_HOSTS_MAX; i++)
			if (have >> i & 1)
				next |= said->links[i];
	} while (next != have);
	return have;
}

static bool anything_dropped(const struct sim *s)
{
	struct node_stats stats;

	if (s->dropped > 0)
		return true;
	for (int i = 0; i < s->host_count; i++) {
		if (!s->host[i].running)
			continue;
		node_stats(s->host[i].node, &stats);
		if (stats.out_dropped > 0)
			return true;
	}
	return false;
}

static void on_watch_end(struct sim *s, const struct sim_event *ev)
{
	struct list *first = s->said_order.next;
	struct said *said;
	uint16_t members;

	(void)ev;
	if (list_empty(&s->said_order))
		return;
	said = LIST_ITEM(first, struct said, order);
	if (said->at_us + CHECK_WATCH_US > s->now_us)
		return;
	list_remove(&said->order);
	said->watched = false;
	members = reached(said);
	if (anything_dropped(s)) {
		s->unwatched++;
		return;
	}
	for (int i = 0; i < s->host_count; i++) {
		if (!(members >> i & 1) || i == said->author)
			continue;
		s->owed_count++;
		if (table_get(&s->host[i].live, id_bytes(said->id)) != NULL)
			continue;
		sim_fail(s,
			"%s has not shown a line of %s from %llu ms, though "
			"links stood ever since",
			s->host[i].cfg.name, s->host[said->author].cfg.name,
			(unsigned long long)(said->at_us / 1000));
	}
}

static struct said *said_of(struct host *h, const struct net_msg *m)
{
	struct sim *s = h->sim;
	struct said *said = table_get(&s->said, id_bytes(m->id));
	struct unit u;

	if (said != NULL)
		return said;
	said = xcalloc(1, sizeof(*said));
	memcpy(said->id, m->id, sizeof(said->id));
	said->author = h->index;
	said->unit = xmemdup(m->data, m->data_len);
	said->unit_len = m->data_len;
	said->room = -1;
	list_init(&said->order);
	if (unit_parse(&u, bytes_of(said->unit, said->unit_len)) != 0 ||
		unit_verify(&u) != 0 || !peer_id_equal(&u.from, &h->me.id))
		sim_fail(s, "%s publishes what is not its unit", h->cfg.name);
	else
		for (int i = 0; i < s->room_count; i++)
			if (bytes_equal(u.topic, bytes_str(s->room[i])))
				said->room = i;
	(void)table_put(&s->said, id_bytes(said->id), said);
	s->said_count++;
	return said;
}

static void watch(struct sim *s, struct said *said)
{
	if (said->room < 0)
		return;
	list_remove(&said->order);
	list_push_back(&s->said_order, &said->order);
	said->at_us = s->now_us;
	said->watched = true;
	memset(said->links, 0, sizeof(said->links));
	for (int i = 0; i < s->host_count; i++)
		for (int j = 0; j < s->host_count; j++)
			if (linked(s, i, j, said->room))
				said->links[i] |= (uint16_t)(1u << j);
	(void)sim_at(s, s->now_us + CHECK_WATCH_US,
		(struct sim_event){
			.host = -1, .name = "watch", .fn = on_watch_end});
}

void check_published(struct host *h, const struct net_msg *m)
{
	struct sim *s = h->sim;
	int room = sim_room(s, m->text);

	if (m->msg.kind == NET_MSG_PUBLISH) {
		watch(s, said_of(h, m));
	} else if (m->msg.kind == NET_MSG_JOIN && room >= 0) {
		h->joined[room] = true;
	} else if (m->msg.kind == NET_MSG_LEAVE && room >= 0) {
		h->joined[room] = false;
		for (int i = 0; i < s->host_count; i++)
			broken_room(s, h->index, i, room);
	}
}

void check_line(struct host *h, const struct ui_msg *m)
{
	const struct ui_line *l = &m->line;
	struct sim *s = h->sim;
	struct said *said;

	if (m->msg.kind != UI_MSG_LINE)
		return;
	s->shown_count++;
	sim_hash(s, l->id, sizeof(l->id));
	(void)table_put(&h->shown, id_bytes(l->id), h);
	if (l->origin == UI_LINE_LIVE &&
		table_put(&h->live, id_bytes(l->id), h) != NULL)
		sim_fail(s, "%s shows twice: %s", h->cfg.name, l->text);
	if (l->own != (strcmp(l->from, h->peer) == 0))
		sim_fail(s, "%s takes a line for its own or not: %s",
			h->cfg.name, l->text);
	said = table_get(&s->said, id_bytes(l->id));
	if (said == NULL && l->own)
		return; /* nobody was there to send it to */
	if (said == NULL)
		sim_fail(s, "%s shows what was never said: %s", h->cfg.name,
			l->text);
	else if (strcmp(l->from, s->host[said->author].peer) != 0)
		sim_fail(
			s, "%s shows a wrong author: %s", h->cfg.name, l->text);
	else if (sim_room(s, m->room) != said->room)
		sim_fail(s, "%s shows in the wrong room: %s", h->cfg.name,
			l->text);
}

void check_ui(struct host *h)
{
	const struct window *w;

	if (h->ui->current == NULL)
		return;
	w = &h->ui->current->win;
	for (size_t i = w->count > 64 ? w->count - 64 : 1; i < w->count; i++)
		if (line_key_compare(
			    &w->lines[i - 1]->key, &w->lines[i]->key) >= 0)
			sim_fail(h->sim, "%s: lines out of order: %s",
				h->cfg.name, w->lines[i]->text);
}

/* ---- after every event ------------------------------------------------- */

void check_step(struct host *h)
{
	if (h->budget.used > h->budget.max)
		sim_fail(h->sim, "%s: budget exceeded", h->cfg.name);
}

void check_tick(struct host *h)
{
	bool due = node_deadline(h->node) <= h->env.now_ms;

	if (h->net_stopped || !due || h->acted ||
		h->busy_at_us != h->sim->now_us) {
		h->busy_at_us = h->sim->now_us;
		h->busy_ticks = 0;
		return;
	}
	if (++h->busy_ticks >= CHECK_BUSY_TICKS)
		sim_fail(h->sim, "%s: the deadline stays in the past",
			h->cfg.name);
}

/* ---- the store --------------------------------------------------------- */

static void check_row(
	struct host *h, const struct store_message *m, struct table *ids)
{
	struct sim *s = h->sim;
	struct said *said;
	struct unit_id id;
	struct unit u;

	if (unit_parse(&u, m->unit) != 0) {
		sim_fail(s, "%s stores what is no unit", h->cfg.name);
		return;
	}
	unit_id_of(&u, &id);
	if (table_put(ids, id_bytes(id.raw), s) != NULL)
		sim_fail(s, "%s stores a line twice", h->cfg.name);
	said = table_get(&s->said, id_bytes(id.raw));
	if (said != NULL &&
		bytes_equal(m->unit, bytes_of(said->unit, said->unit_len)))
		return; /* verified when it was said */
	s->verified_count++;
	if (!peer_id_equal(&u.from, &h->me.id) || unit_verify(&u) != 0)
		sim_fail(s, "%s stores what was never said", h->cfg.name);
}

void check_store(struct host *h)
{
	struct table_entry *e, *tmp;
	struct store_rows rows;
	struct table ids;
	int64_t after = 0;
	bool more = true;

	table_init(&ids, &h->sim->rng);
	while (more) {
		P2P_ASSERT(store_arrivals(h->store, after, CHECK_ROWS, &rows) ==
			   0);
		more = rows.more;
		for (size_t i = 0; i < rows.count; i++) {
			check_row(h, &rows.items[i], &ids);
			after = rows.items[i].row;
		}
		store_rows_clear(&rows);
	}
	TABLE_FOREACH(e, tmp, &h->shown)
		if (table_get(&ids, table_key(e)) == NULL)
			sim_fail(h->sim, "%s has lost a line that was shown",
				h->cfg.name);
	table_clear(&ids);
}

/* ---- the end ----------------------------------------------------------- */

static bool has_company(const struct sim *s, int i, int room)
{
	for (int j = 0; j < s->host_count; j++)
		if (linked(s, i, j, room))
			return true;
	return false;
}

/* A room without others keeps its lines; where others are none waits. */
static void check_handed(struct sim *s, struct host *h)
{
	struct store_room *rooms;
	struct store_rows rows;
	size_t count;

	P2P_ASSERT(store_load_rooms(h->store, &rooms, &count) == 0);
	for (size_t i = 0; i < count; i++) {
		int room = sim_room(s, rooms[i].topic);

		if (room < 0 || !has_company(s, h->index, room))
			continue;
		P2P_ASSERT(store_waiting(h->store, rooms[i].id,
				   &store_key_first, 1, &rows) == 0);
		if (rows.count > 0)
			sim_fail(s, "%s: a line still waits in %s", h->cfg.name,
				rooms[i].topic);
		store_rows_clear(&rows);
	}
	free(rooms);
}

void check_name(struct host *h, const struct host *other)
{
	const struct person *p = people_find(&h->ui->people, other->peer);

	if (p == NULL || !p->named)
		sim_fail(h->sim, "%s has no name for %s", h->cfg.name,
			other->cfg.name);
	else if (strcmp(p->name, other->ui->name) != 0)
		sim_fail(h->sim, "%s calls %s %s, not %s", h->cfg.name,
			other->cfg.name, p->name, other->ui->name);
}

static void check_knows(struct host *h, const struct host *other)
{
	if (other == h || !other->running)
		return;
	if (h->up[other->index])
		check_name(h, other);
	else if (other->cfg.lan == h->cfg.lan)
		sim_fail(h->sim, "%s has not found %s", h->cfg.name,
			other->cfg.name);
}

void check_quiet(struct sim *s)
{
	for (int i = 0; i < s->host_count; i++) {
		struct host *h = &s->host[i];

		if (!h->running)
			continue;
		check_store(h);
		check_handed(s, h);
		for (int j = 0; j < s->host_count; j++)
			check_knows(h, &s->host[j]);
	}
}
