/*
 * What others write: dialects, and what cannot be read. What somebody's program
 * lately wrote is what it reads, and is kept with the person; that JSON is
 * written in a room is kept with the room, for a day: those who write it may be
 * behind others, or about to come back, and one talker of bare text is no
 * reason to lose order and names.
 */
#include "chat/dialect_internal.h"

#include <stdlib.h>

#include "base/error.h"
#include "chat/chat_internal.h"
#include "chat/out_internal.h"
#include "chat/person_internal.h"
#include "chat/room_internal.h"

#define UNREADABLE_CODE "unreadable"

static bool is_json(enum dialect dialect)
{
	return dialect == DIALECT_NATIVE || dialect == DIALECT_SEED_GO ||
	       dialect == DIALECT_SEED_JS || dialect == DIALECT_GO_CHAT;
}

static bool json_was_heard(const struct chat *c, const struct chat_room *r)
{
	return r->row.dialect == DIALECT_NATIVE &&
	       c->env->now_ms - r->json_heard_ms < CHAT_JSON_HEARD_MS;
}

/*
 * Guessed from what the room's connected members lately sent. A JavaScript
 * program that has said nothing yet is told by its hint (peers.c). Plain text
 * goes where plain is all that was heard; JSON is unreadable there.
 */
struct dialects dialect_to_write(
	const struct chat *c, const struct chat_room *r)
{
	struct dialects write = {.own = DIALECT_NATIVE,
		.go_chat = payload_topic_is_go_chat(bytes_str(r->row.topic))};
	size_t plain = 0, json = write.go_chat;
	struct table_entry *e, *tmp;

	if (payload_topic_is_plain(bytes_str(r->row.topic)))
		return (struct dialects){.own = DIALECT_PLAIN};
	TABLE_FOREACH(e, tmp, &r->members) {
		const struct chat_person *p = e->value;

		plain += p->speaks == DIALECT_PLAIN;
		json += is_json(p->speaks);
		write.js_copy |= p->speaks == DIALECT_SEED_JS;
		write.go_chat |= p->speaks == DIALECT_GO_CHAT;
	}
	if (plain > 0 && json == 0 && !json_was_heard(c, r))
		write.own = DIALECT_PLAIN;
	return write;
}

static const char *kind_of(enum dialect dialect)
{
	switch (dialect) {
	case DIALECT_SEED_GO:
		return "like p2p-chat-go";
	case DIALECT_SEED_JS:
		return "like p2p-chat in JavaScript";
	case DIALECT_GO_CHAT:
		return "like go-libp2p's chat example";
	case DIALECT_PLAIN:
		return "bare text";
	case DIALECT_NATIVE:
	case DIALECT_NONE:
	default:
		return NULL;
	}
}

/* Of another kind than that one; there is one. */
static const char *other_kind(unsigned kinds, enum dialect than)
{
	int d = DIALECT_SEED_GO;

	while (d == (int)than || (kinds & 1u << d) == 0)
		d++;
	return kind_of((enum dialect)d);
}

/* Ours reads them all, and all read ours but for JSON in a bare program. */
static void note_kind(struct chat *c, struct chat_room *r,
	const struct chat_person *p, enum dialect dialect)
{
	unsigned kind = 1u << dialect, others = r->kinds & ~kind;
	char *name;

	if (kind_of(dialect) == NULL)
		return;
	r->kinds |= kind;
	if (others == 0 || r->kinds_said)
		return;
	r->kinds_said = true;
	name = person_full_name(p);
	out_warn(c, "dialects", r,
		"Programs that do not read each other are in this room: %s "
		"writes %s, somebody else %s. You read them all; they miss "
		"each other's lines, or see them raw.",
		name, kind_of(dialect), other_kind(r->kinds, dialect));
	free(name);
}

void dialect_note(struct chat *c, struct chat_room *r, struct chat_person *p,
	enum dialect dialect)
{
	/* There it says nothing about the program. */
	if (payload_topic_is_plain(bytes_str(r->row.topic)))
		return;
	p->speaks = dialect;
	p->speaks_is_hint = false;
	if (p->self || p->row.ignored)
		return;
	note_kind(c, r, p, dialect);
	if (!is_json(dialect))
		return;
	r->json_heard_ms = c->env->now_ms;
	if (r->row.dialect != DIALECT_NATIVE) {
		r->row.dialect = DIALECT_NATIVE;
		r->dirty = true;
	}
}

/* ---- what cannot be read ------------------------------------------------ */

/*
 * The first in a room is said at once, with whose it is and what is wrong;
 * those of the next minute are counted and said together, since whoever can
 * sign may send as many as he likes. Messages of a type that is not known are
 * no lines that are missed: that they come is said once.
 */
static bool may_say(struct chat *c, struct chat_room *r)
{
	if (r->unreadable_due_ms > c->env->now_ms)
		return false;
	r->unreadable_due_ms = env_after(c->env, CHAT_UNREADABLE_SAY_MS);
	return true;
}

static void say_unknown(struct chat *c, struct chat_room *r, const char *name)
{
	if (r->unknown_said)
		return;
	r->unknown_said = true;
	out_warn(c, UNREADABLE_CODE, r,
		"The program of %s sends something else than lines of a kind "
		"that is known here. None of that is shown.",
		name);
}

void unreadable_came(struct chat *c, struct chat_room *r,
	const struct chat_person *p, int err)
{
	char *name;

	c->ignored_units++;
	if (p == NULL || p->self || p->row.ignored)
		return;
	name = person_full_name(p);
	if (err == P2P_ERR_UNSUPPORTED)
		say_unknown(c, r, name);
	else if (may_say(c, r))
		out_warn(c, UNREADABLE_CODE, r,
			"A line of %s cannot be read: %s. It is not shown; "
			"that program should be mended.",
			name,
			err == P2P_ERR_UTF8 ? "it is not UTF-8 text"
					    : "its JSON is broken");
	else
		r->unreadable++;
	free(name);
}

void unreadable_told(struct chat *c, const struct chat_net_msg *m)
{
	struct chat_person *by = person_get_text(c, m->peer);
	struct chat_room *r = m->text == NULL ? NULL : room_find(c, m->text);
	char *name;

	c->ignored_units += m->number;
	if (r == NULL || by == NULL || !r->row.joined || m->number == 0)
		return;
	if (!may_say(c, r)) {
		r->unreadable += m->number;
		return;
	}
	name = person_full_name(by);
	out_warn(c, UNREADABLE_CODE, r,
		"%llu line%s that came by way of %s cannot be read: not UTF-8 "
		"text. Not shown, and not passed on.",
		(unsigned long long)m->number, m->number == 1 ? "" : "s", name);
	free(name);
}

void unreadable_tick(struct chat *c)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &c->rooms) {
		struct chat_room *r = ROOM_OF(pos);

		if (r->unreadable == 0 || !may_say(c, r))
			continue;
		out_warn(c, UNREADABLE_CODE, r,
			"%llu more line%s could not be read in the last "
			"minute.",
			(unsigned long long)r->unreadable,
			r->unreadable == 1 ? "" : "s");
		r->unreadable = 0;
	}
}

uint64_t unreadable_deadline(const struct chat *c)
{
	uint64_t first = P2P_NEVER;
	struct list *pos;

	for (pos = c->rooms.next; pos != &c->rooms; pos = pos->next)
		if (ROOM_OF(pos)->unreadable > 0)
			first = P2P_MIN(first, ROOM_OF(pos)->unreadable_due_ms);
	return first;
}
