/*
 * Damage that the store has found, in words, and rooms made again: from their
 * lines, or from what was noted beside the database. A unit names its topic and
 * is signed, so the lines of a room say what it is called; whether it was
 * joined and how far it was read nobody knows then: it is joined, and nothing
 * is read.
 */
#include "chat/damage_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "chat/chat_internal.h"
#include "chat/chat_limits.h"
#include "chat/line_internal.h"
#include "chat/out_internal.h"
#include "chat/payload.h"
#include "chat/person_internal.h"
#include "chat/room_internal.h"

/* ---- rooms ------------------------------------------------------------- */

static bool has_topic(
	const struct store_room *rooms, size_t count, const char *topic)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rooms[i].topic, topic) == 0)
			return true;
	return false;
}

/* Our own counting goes on behind the highest number that is there. */
static void read_own(
	struct chat *c, struct store_room *room, const struct unit *u)
{
	struct unit_id id;
	struct payload p;

	if (!peer_id_equal(&u->from, &c->me->id) ||
		payload_parse(&p, u->topic, u->data) != 0)
		return;
	if (p.dialect == DIALECT_NATIVE && p.seq > room->seq) {
		unit_id_of(u, &id);
		room->seq = p.seq;
		memcpy(room->prev, id.raw, sizeof(room->prev));
	}
	payload_clear(&p);
}

/* The first topic that is read is the room's: lines of two rooms under one
 * number are damage that each line tells by itself. */
static void read_room(
	struct chat *c, struct store_room *room, const struct store_rows *rows)
{
	struct unit u;

	for (size_t i = 0; i < rows->count; i++) {
		if (line_read_unit(&rows->items[i], &u) != 0)
			continue;
		if (room->topic[0] == '\0' && u.topic.len < STORE_TOPIC_MAX &&
			memchr(u.topic.data, '\0', u.topic.len) == NULL)
			memcpy(room->topic, u.topic.data, u.topic.len);
		read_own(c, room, &u);
	}
	if (payload_topic_is_plain(bytes_str(room->topic)))
		room->dialect = DIALECT_PLAIN;
}

static int find_room(struct chat *c, int64_t id,
	const struct store_room *others, size_t count)
{
	struct store_room room = {.id = id, .joined = true};
	struct store_counts counts;
	struct store_rows rows;
	int err = store_page(
		c->store, id, &store_key_last, STORE_ROWS_MAX, &rows);

	if (err != 0)
		return err;
	read_room(c, &room, &rows);
	store_rows_clear(&rows);
	if (room.topic[0] == '\0' || has_topic(others, count, room.topic))
		return 0;
	err = store_count_after(
		c->store, id, &store_key_first, INT64_MAX, &counts);
	room.unread = counts.unread;
	room.mentions = counts.mentions;
	return err != 0 ? err : store_put_room_again(c->store, &room);
}

int damage_find_rooms(struct chat *c)
{
	struct store_room *rooms = NULL;
	size_t count, lost_count;
	int64_t *lost;
	int err = store_lost_rooms(c->store, &lost, &lost_count);

	for (size_t i = 0; err == 0 && i < lost_count; i++) {
		free(rooms);
		err = store_load_rooms(c->store, &rooms, &count);
		if (err == 0)
			err = find_room(c, lost[i], rooms, count);
	}
	free(rooms);
	free(lost);
	return err;
}

/* A database that is as it was some commits ago. A number that others have
 * seen on a line is not given to another. */
static int put_back(struct chat *c, const struct store_lost *lost,
	struct store_room *rooms, size_t count)
{
	struct store_room made = {.joined = true, .position = (int)count};
	struct store_room *room = NULL;

	for (size_t i = 0; room == NULL && i < count; i++)
		if (strcmp(rooms[i].topic, lost->topic) == 0)
			room = &rooms[i];
	if (room == NULL && !lost->joined)
		return 0;
	if (room == NULL) {
		room = &made;
		memcpy(made.topic, lost->topic, sizeof(made.topic));
		if (payload_topic_is_plain(bytes_str(made.topic)))
			made.dialect = DIALECT_PLAIN;
	} else if (lost->seq <= room->seq) {
		return 0;
	}
	room->seq = lost->seq;
	memcpy(room->prev, lost->prev, sizeof(room->prev));
	return store_put_room(c->store, room);
}

int damage_put_back(struct chat *c)
{
	struct store_room *rooms;
	size_t count, lost_count;
	const struct store_lost *lost = store_lost(c->store, &lost_count);
	int err;

	if (lost_count == 0)
		return 0;
	err = store_load_rooms(c->store, &rooms, &count);
	if (err != 0)
		return err;
	for (size_t i = 0; err == 0 && i < lost_count; i++)
		err = put_back(c, &lost[i], rooms, count);
	free(rooms);
	return err;
}

/* ---- words ------------------------------------------------------------- */

/* Where it is missed: in its room. */
static void say_missing(struct chat *c, const struct store_lost *lost)
{
	const struct chat_room *r = room_find(c, lost->topic);
	char *name = out_clean(bytes_str(r == NULL ? lost->topic : r->title));
	char *count = lost->lines == 0
			      ? xstrdup("Lines")
			      : xasprintf("%" PRIu64 " line%s", lost->lines,
					lost->lines == 1 ? "" : "s");
	bool one = lost->lines == 1;
	bool salvaged = store_damage(c->store)->aside[0] != '\0';

	out_warn(c, "lines-lost", r,
		"%s that %s kept in %s %s gone: %s; a backup of the profile "
		"may have %s.",
		count, one ? "was" : "were", name, one ? "is" : "are",
		salvaged ? "no longer to be read in the old database"
			 : "the database is as it was before. If you put back "
			   "an older copy of it, that is why. If not, look "
			   "after the disk",
		one ? "it" : "them");
	free(count);
	free(name);
}

static void say_lost(struct chat *c)
{
	size_t count;
	const struct store_lost *lost = store_lost(c->store, &count);

	for (size_t i = 0; i < count; i++)
		if (lost[i].some)
			say_missing(c, &lost[i]);
}

static void say_lines(struct chat *c, const struct store_damage *d)
{
	uint64_t lost = d->lines - c->damage_lines_said;

	c->damage_lines_said = d->lines;
	if (lost > 0)
		out_notice(c, UI_LEVEL_ERROR, NULL,
			"The database was damaged: %" PRIu64
			" line%s that %s kept here %s gone. Look after the "
			"disk; a backup of the profile may have %s.",
			lost, lost == 1 ? "" : "s", lost == 1 ? "was" : "were",
			lost == 1 ? "is" : "are", lost == 1 ? "it" : "them");
	if (d->moved > c->damage_moved_said)
		out_notice(c, UI_LEVEL_ERROR, NULL,
			"The database was damaged: lines are not where they "
			"were kept. Those that cannot be read say so.");
	c->damage_moved_said = d->moved;
}

static void say_salvaged(struct chat *c, const struct store_damage *d)
{
	if (d->aside[0] == '\0')
		return;
	out_warn(c, "salvaged", NULL,
		"The database was damaged beyond mending. A new one was made "
		"of all that could be read: %" PRIu64 " line%s, %" PRIu64
		" room%s, %" PRIu64 " of those met. The old one is kept in the "
		"profile as %s; delete it when nothing is missing. Look after "
		"the disk.",
		d->saved_lines, d->saved_lines == 1 ? "" : "s", d->saved_rooms,
		d->saved_rooms == 1 ? "" : "s", d->saved_people, d->aside);
	(void)chat_store_ok(c, store_salvage_said(c->store));
}

static void say_forgotten(struct chat *c, const struct store_damage *d)
{
	if (d->people > 0)
		out_notice(c, UI_LEVEL_ERROR, NULL,
			"The database was damaged: what was known of %" PRIu64
			" of those met is gone, names and marks too. If you "
			"verified or ignore somebody, look with /whois whether "
			"that still stands.",
			d->people);
	if (d->rooms > 0)
		out_notice(c, UI_LEVEL_ERROR, NULL,
			"The database was damaged: what was known of %" PRIu64
			" room%s is gone. Rooms with lines are joined again, "
			"with all of it unread; /leave what you had left.",
			d->rooms, d->rooms == 1 ? "" : "s");
	if (d->settings > 0)
		out_notice(c, UI_LEVEL_ERROR, NULL,
			"The database was damaged: %" PRIu64
			" setting%s gone. Your name is %s; /name changes it.",
			d->settings, d->settings == 1 ? " is" : "s are",
			c->self->row.name);
	if (d->uncounted)
		out_notice(c, UI_LEVEL_ERROR, NULL,
			"The database was damaged: how many lines were kept is "
			"not known any more, so some may be gone.");
	if (d->addresses > 0 || d->shares > 0 || d->indexes)
		out_notice(c, UI_LEVEL_WARN, NULL,
			"The database was damaged in addresses, counts or "
			"indexes. They were made again; no line is lost by it. "
			"Look after the disk.");
}

void damage_say(struct chat *c)
{
	const struct store_damage *d = store_damage(c->store);

	/* A reload begins anew: all of it is told again. */
	c->damage_lines_said = c->damage_moved_said = 0;
	say_salvaged(c, d);
	say_forgotten(c, d);
	say_lines(c, d);
	say_lost(c);
}

void damage_told(struct chat *c)
{
	store_lost_said(c->store);
}

/* ---- by and by --------------------------------------------------------- */

void damage_tick(struct chat *c)
{
	bool done;

	if (c->counted || c->count_due_ms > c->env->now_ms)
		return;
	c->count_due_ms = env_after(c->env, CHAT_COUNT_PAUSE_MS);
	if (!chat_store_ok(
		    c, store_count_lines(c->store, CHAT_COUNT_LINES, &done)))
		return;
	c->counted = done;
	if (done)
		say_lines(c, store_damage(c->store));
}

uint64_t damage_deadline(const struct chat *c)
{
	return c->counted ? P2P_NEVER : c->count_due_ms;
}
