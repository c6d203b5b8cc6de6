/*
 * What of others is kept. Friends are those the person has acted on: whoever
 * --keep names, and whom a line of ours answers by name. Regulars spoke on two
 * of our days while somebody of the room was connected; everybody else is a
 * stranger, whose shares the store has (store_quota.c). Below a floor of free
 * space strangers' lines are shown and not kept, below another one's own alone
 * are kept.
 */
#include "chat/keep_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "chat/chat_internal.h"
#include "chat/out_internal.h"
#include "chat/person_internal.h"
#include "chat/room_internal.h"

#define DAY_MS (86400ULL * 1000)
#define HOUR_MS (3600ULL * 1000)
#define SECRET_SETTING "slot_secret"

/* ---- the beginning ----------------------------------------------------- */

static int read_secret(struct chat *c, uint64_t secret[static 2])
{
	struct buf raw;
	int err;

	buf_init(&raw, STORE_SETTING_BYTES_MAX);
	err = store_get(c->store, SECRET_SETTING, &raw);
	if (err == P2P_ERR_NOT_FOUND) {
		uint8_t fresh[16];

		rng_fill(c->env->rng, fresh, sizeof(fresh));
		buf_reset(&raw);
		err = buf_append(&raw, bytes_of(fresh, sizeof(fresh)));
		if (err == 0)
			err = store_set(
				c->store, SECRET_SETTING, buf_bytes(&raw));
	}
	if (err == 0 && raw.len != 16)
		err = P2P_ERR_CORRUPT;
	if (err == 0) {
		secret[0] = get_be64(raw.data);
		secret[1] = get_be64(raw.data + 8);
	}
	buf_clear(&raw);
	return err;
}

static uint64_t share(uint64_t wanted, uint64_t most)
{
	return P2P_MIN(wanted, most);
}

/* No share is larger than a part of the whole, so that what friends and
 * oneself say has room in a small quota, too. */
static void cut_shares(struct store_quota *q, uint64_t profile_bytes)
{
	q->strangers = share(q->strangers, profile_bytes / 8);
	q->strangers_room = share(q->strangers_room, q->strangers);
	q->strangers_hour = share(q->strangers_hour, q->strangers_room);
	q->strangers_hour = P2P_MAX(q->strangers_hour, (uint64_t)1);
	q->regulars_room = share(q->regulars_room, profile_bytes / 4);
	q->friend_room = share(q->friend_room, profile_bytes / 4);
}

static bool set_class(
	struct chat *c, struct chat_person *p, enum store_class class)
{
	struct net_msg *m;

	if (p->row.class == class)
		return true;
	if (!person_keep(c, p) ||
		!chat_store_ok(c, store_set_class(c->store, &p->row, class)))
		return false;
	m = net_msg_new(NET_MSG_KNOWN_AUTHOR, NULL, bytes_of(NULL, 0));
	snprintf(m->peer, sizeof(m->peer), "%s", p->row.peer);
	m->worth = class != STORE_STRANGER;
	out_net(c, m, NULL);
	person_changed(c, p);
	return true;
}

/* Those of --keep. */
static void befriend_kept(struct chat *c)
{
	for (size_t i = 0; i < c->keep_count; i++) {
		const char *slash = strrchr(c->keep[i], '/');
		struct chat_person *p = person_get_text(
			c, slash == NULL ? c->keep[i] : slash + 1);

		if (p != NULL && !p->self)
			(void)set_class(c, p, STORE_FRIEND);
	}
}

int keep_setup(struct chat *c, const struct chat_cfg *cfg)
{
	struct store_quota q = cfg->quota;
	int err;

	c->limits = cfg->limits;
	if (c->limits.profile_bytes == 0)
		return 0;
	cut_shares(&q, c->limits.profile_bytes);
	err = read_secret(c, q.secret);
	if (err != 0)
		return err;
	store_set_quota(c->store, &q);
	befriend_kept(c);
	err = c->store_err;
	if (err == 0)
		err = store_count_strangers(c->store, &c->strangers);
	c->strangers_saved = c->strangers;
	return err;
}

void keep_tell_net(struct chat *c)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &c->people) {
		const struct chat_person *p = e->value;
		struct net_msg *m;

		if (p->row.class == STORE_STRANGER)
			continue;
		m = net_msg_new(NET_MSG_KNOWN_AUTHOR, NULL, bytes_of(NULL, 0));
		snprintf(m->peer, sizeof(m->peer), "%s", p->row.peer);
		m->worth = 1;
		out_net(c, m, NULL);
	}
}

/* ---- how much room there is -------------------------------------------- */

static enum chat_space space_now(struct chat *c)
{
	const struct chat_limits *l = &c->limits;
	struct store_space s;

	if (l->profile_bytes == 0 || store_look_at_space(c->store, &s) != 0)
		return CHAT_SPACE_ALL;
	if (s.free_bytes < l->free_others_bytes ||
		s.used_bytes > l->profile_bytes)
		return CHAT_SPACE_OWN;
	return s.free_bytes < l->free_strangers_bytes ? CHAT_SPACE_KNOWN
						      : CHAT_SPACE_ALL;
}

static void tell_space(struct chat *c, enum chat_space space)
{
	static const char *const words[] = {
		[CHAT_SPACE_ALL] = "There is room on the disk again: lines are "
				   "kept as before.",
		[CHAT_SPACE_KNOWN] = "The disk is nearly full: what strangers "
				     "say is shown and not kept.",
		[CHAT_SPACE_OWN] = "There is no room left for history: what "
				   "others say is shown and not kept.",
	};

	out_notice(c, space == CHAT_SPACE_ALL ? UI_LEVEL_INFO : UI_LEVEL_WARN,
		NULL, "%s", words[space]);
}

static bool has_room(struct chat *c, const struct chat_person *p)
{
	enum chat_space space = c->space;

	if (c->env->now_ms >= c->space_due_ms) {
		space = space_now(c);
		c->space_due_ms = env_after(c->env, CHAT_SPACE_LOOK_MS);
	}
	if (space != c->space)
		tell_space(c, space);
	c->space = space;
	return space == CHAT_SPACE_ALL ||
	       (space == CHAT_SPACE_KNOWN && p->row.class != STORE_STRANGER);
}

/* ---- lines ------------------------------------------------------------- */

static void tell_saturated(
	struct chat *c, const struct chat_room *r, uint64_t time_ms)
{
	uint64_t local = time_ms / 1000 + (uint64_t)(int64_t)c->utc_offset_s;
	unsigned hour = (unsigned)(local / 3600 % 24);

	out_notice(c, UI_LEVEL_WARN, r,
		"Strangers have filled their share of the hour from %02u:00 "
		"to %02u:00: of what they say in it not all is kept.",
		hour, (hour + 1) % 24);
}

/* From strangers nothing far ahead of the room is kept: each such hour would
 * have a share of its own. */
static bool is_out_of_time(struct chat *c, const struct chat_room *r,
	const struct chat_person *p, const struct store_message *m)
{
	return c->limits.profile_bytes != 0 && p->row.class == STORE_STRANGER &&
	       clock_is_known(c, r) && m->key.time_ms > clock_latest_ms(c, r);
}

bool keep_line_of(struct chat *c, struct chat_room *r, struct chat_person *p,
	struct store_message *m, bool *is_new)
{
	bool met = p->row.id != 0;
	struct store_outcome out;

	*is_new = true;
	if (!has_room(c, p) || is_out_of_time(c, r, p, m) ||
		(!met && c->strangers >= STORE_STRANGERS_MAX))
		return false;
	if (!person_keep(c, p))
		return true; /* the turn is undone */
	m->author = p->row.id;
	if (!chat_store_ok(c, store_keep(c->store, m, &p->row, &out))) {
		*is_new = false;
		return true;
	}
	*is_new = out.kept != STORE_KEPT_ALREADY;
	if (out.saturated)
		tell_saturated(c, r, m->key.time_ms);
	if (out.kept != STORE_NOT_KEPT) {
		c->strangers += !met;
		return true;
	}
	/* Whose first line is not kept has no row either. */
	if (!met && chat_store_ok(c, store_drop_person(c->store, &p->row)))
		p->dirty = false;
	return false;
}

/* ---- regulars and friends ---------------------------------------------- */

/* From 1 on: a clock may stand in 1970, and 0 is no day. */
static int64_t local_day(const struct chat *c)
{
	return ((int64_t)c->env->wall_ms / 1000 + c->utc_offset_s) / 86400 + 1;
}

/* One more regular, where the room has not got too many today; who spoke on
 * the fewest days makes way. */
static void make_regular(
	struct chat *c, struct chat_room *r, struct chat_person *p)
{
	struct store_regulars all;
	struct chat_person *least;

	if (!chat_store_ok(
		    c, store_regulars(c->store, p->row.day, r->row.id, &all)) ||
		all.new_here >= CHAT_REGULARS_NEW_MAX)
		return;
	if (all.count >= CHAT_REGULARS_MAX) {
		if (all.least_days >= p->row.days)
			return;
		least = person_get_text(c, all.least);
		if (least == NULL || !set_class(c, least, STORE_STRANGER))
			return;
	}
	p->row.since_day = p->row.day;
	p->row.since_room = r->row.id;
	(void)set_class(c, p, STORE_REGULAR);
}

void keep_heard(struct chat *c, struct chat_room *r, struct chat_person *p)
{
	int64_t day = local_day(c);

	if (c->limits.profile_bytes == 0 || p->self || p->row.id == 0 ||
		r->members.count == 0)
		return;
	if (p->row.day < day) {
		p->row.day = day;
		p->row.days++;
		p->dirty = true;
		person_changed(c, p);
		if (p->row.class == STORE_STRANGER && p->row.days >= 2)
			make_regular(c, r, p);
	}
}

void keep_answered(struct chat *c, const char *text)
{
	size_t len = strcspn(text, ":,\n");
	struct chat_person *found = NULL;
	struct table_entry *e, *tmp;
	size_t count = 0;

	if (c->limits.profile_bytes == 0 || len == 0 || len >= MSG_NAME_MAX ||
		(text[len] != ':' && text[len] != ','))
		return;
	if (text[0] == '@' && len > 1) {
		text++;
		len--;
	}
	TABLE_FOREACH(e, tmp, &c->people) {
		struct chat_person *p = e->value;

		if (p->self || p->row.id == 0 || p->row.ignored ||
			strlen(p->row.name) != len ||
			memcmp(p->row.name, text, len) != 0)
			continue;
		found = p;
		count++;
	}
	/* Of several nobody knows who was meant. */
	if (count == 1)
		(void)set_class(c, found, STORE_FRIEND);
}
