/*
 * A line as faces are told it: who said it, under which name and mark, when and
 * what. One that has just come and one out of the store go the same way, so
 * that a line looks the same however often it is shown.
 */
#include "chat/line_internal.h"

#include <stdio.h>

#include "base/xmalloc.h"
#include "chat/chat_internal.h"
#include "chat/person_internal.h"
#include "chat/room_internal.h"
#include "net/unit/unit.h"

static enum ui_line_state state_of(enum store_state state)
{
	switch (state) {
	case STORE_STATE_WAITING:
		return UI_STATE_WAITING;
	case STORE_STATE_HANDED:
		return UI_STATE_HANDED;
	case STORE_STATE_NONE:
	default:
		return UI_STATE_NONE;
	}
}

static enum ui_line_type type_of(enum payload_type type)
{
	switch (type) {
	case PAYLOAD_JOIN:
		return UI_TYPE_JOIN;
	case PAYLOAD_LEAVE:
		return UI_TYPE_LEAVE;
	case PAYLOAD_MESSAGE:
	default:
		return UI_TYPE_MESSAGE;
	}
}

/* The name that was claimed with this line, if one was; but of somebody who is
 * here and has said what he is called, that. What stands for an unknown name is
 * the key's end already and needs no tag. */
static void set_name(struct ui_line *line, const struct line_facts *f)
{
	const struct chat_person *p = f->author;
	const char *claimed = f->payload->name;

	if (f->origin == UI_LINE_LIVE && p->profile.named)
		claimed = p->row.name;
	if (claimed[0] == '\0')
		person_name(p, line->name);
	else
		snprintf(line->name, sizeof(line->name), "%s", claimed);
	line->nameless = claimed[0] == '\0' && p->row.name[0] == '\0';
	if (!line->nameless)
		person_tag(p, line->tag);
}

struct ui_msg *line_new(struct chat *c, const struct line_facts *f)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_LINE, f->room->row.topic, NULL);
	struct ui_line *line = &m->line;
	struct bytes text = buf_bytes(&f->payload->text);

	memcpy(line->id, f->key.id, sizeof(line->id));
	line->time_ms = f->key.time_ms;
	snprintf(line->from, sizeof(line->from), "%s", f->author->row.peer);
	set_name(line, f);
	line->name_mark = person_mark(c, f->author);
	/* An old line may bear a name that its author has dropped since. */
	if (person_borrows(c, f->author, line->name))
		line->name_mark = '!';
	line->own = f->author->self;
	line->known = person_is_known(f->author);
	line->mention = f->mention;
	line->clock_wrong = f->clock_wrong;
	line->not_kept = f->not_kept;
	line->type = type_of(f->payload->type);
	line->state = state_of(f->state);
	line->origin = f->origin;
	line->text = xstrndup((const char *)text.data, text.len);
	m->msg.bytes += text.len;
	return m;
}

/* ---- stored lines ------------------------------------------------------ */

int line_read_unit(const struct store_message *row, struct unit *u)
{
	struct unit_id id;

	if (row->damaged || unit_parse(u, row->unit) != 0)
		return P2P_ERR_CORRUPT;
	unit_id_of(u, &id);
	return memcmp(id.raw, row->key.id, sizeof(id.raw)) == 0
		       ? 0
		       : P2P_ERR_CORRUPT;
}

static bool is_of_room(const struct unit *u, const struct chat_room *r)
{
	return bytes_equal(u->topic, bytes_str(r->row.topic));
}

/* Where the author says when: there it stands. */
static bool is_of_time(const struct payload *p, const struct store_message *row)
{
	return row->local || !p->has_time || p->time_ms == row->key.time_ms;
}

bool line_may_go(const struct chat *c, const struct chat_room *r,
	const struct store_message *row)
{
	struct unit u;

	return line_read_unit(row, &u) == 0 && is_of_room(&u, r) &&
	       peer_id_equal(&u.from, &c->me->id) && unit_verify(&u) == 0;
}

/* Its place is all that is left of it. */
static struct ui_msg *damaged_line(const struct chat_room *r,
	const struct store_message *row, enum ui_line_origin origin)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_LINE, r->row.topic, NULL);

	memcpy(m->line.id, row->key.id, sizeof(m->line.id));
	m->line.time_ms = row->key.time_ms;
	m->line.type = UI_TYPE_DAMAGED;
	m->line.origin = origin;
	return m;
}

struct ui_msg *line_of_row(struct chat *c, const struct store_message *row,
	enum ui_line_origin origin)
{
	struct line_facts f = {.room = room_of_row(c, row->room),
		.key = row->key,
		.state = row->state,
		.origin = origin,
		.mention = row->mention};
	struct ui_msg *m;
	struct payload p;
	struct unit u;

	if (f.room == NULL)
		return NULL;
	if (line_read_unit(row, &u) != 0 || !is_of_room(&u, f.room))
		return damaged_line(f.room, row, origin);
	f.author = person_get(c, &u.from);
	if (f.author == NULL || payload_parse(&p, u.topic, u.data) != 0)
		return NULL;
	f.payload = &p;
	f.clock_wrong = !f.author->self && !row->local &&
			clock_is_ahead(c, f.room, row->key.time_ms);
	m = is_of_time(&p, row) ? line_new(c, &f)
				: damaged_line(f.room, row, origin);
	payload_clear(&p);
	return m;
}
