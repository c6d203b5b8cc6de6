/*
 * A verified unit from net becomes a line: one INSERT, no SELECT when its
 * author is known.
 */
#include "chat/receive_internal.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/text.h"
#include "chat/chat_internal.h"
#include "chat/dialect_internal.h"
#include "chat/keep_internal.h"
#include "chat/line_internal.h"
#include "chat/out_internal.h"
#include "chat/payload.h"
#include "chat/person_internal.h"
#include "chat/room_internal.h"
#include "chat/send_internal.h"

/* Text beyond this is not searched for the own name. */
#define MENTION_BYTES_MAX 4096

static bool is_word(uint8_t byte)
{
	/* Scripts without spaces may touch a name: only ASCII glues. */
	return byte < 0x80 && (isalnum(byte) || byte == '_');
}

static bool contains_word(struct bytes text, struct bytes word)
{
	struct bytes rest = text;
	const uint8_t *at;

	while (word.len > 0 && (at = memmem(rest.data, rest.len, word.data,
					word.len)) != NULL) {
		size_t from = (size_t)(at - text.data);
		size_t to = from + word.len;

		if ((from == 0 || !is_word(text.data[from - 1])) &&
			(to == text.len || !is_word(text.data[to])))
			return true;
		rest = bytes_skip(text, from + 1);
	}
	return false;
}

static bool is_mention(const struct chat *c, const struct payload *p)
{
	struct bytes text = bytes_first(buf_bytes(&p->text), MENTION_BYTES_MAX);
	struct buf folded, name;
	bool found;

	buf_init(&folded, (size_t)4 * MENTION_BYTES_MAX);
	buf_init(&name, (size_t)4 * MSG_NAME_MAX);
	text_fold(text, &folded);
	text_fold(bytes_str(c->self->row.name), &name);
	found = contains_word(buf_bytes(&folded), buf_bytes(&name));
	buf_clear(&folded);
	buf_clear(&name);
	return found;
}

/* Go programs know of nobody who has not said `join`. */
static void note_dialect(struct chat *c, struct chat_room *r,
	struct chat_person *author, enum dialect dialect)
{
	dialect_note(c, r, author, dialect);
	if (dialect == DIALECT_SEED_GO && author->connected)
		send_join(c, r);
}

/* ---- one key in two places ---------------------------------------------- */

/*
 * Nothing is refused for it: all lines are kept, in their order, and the
 * numbers of units never meet (send.c). It is only said: of our own key by what
 * comes under it, of another's by two lines with one `seq`. Those are looked
 * for among the last few of each author; what lies further apart was said by
 * machines that did not meet, and counts no less.
 */
#define WHAT_TO_DO \
	"Both may be used: every line comes once. But they are one person to " \
	"everybody. Give one of them a profile of its own (--data-dir), or " \
	"end the other. If it is not yours, somebody has your key: " \
	"make a new profile and tell people."

/* A valid line of our own key came that was not written here. */
static void copy_wrote(struct chat *c, struct chat_room *r,
	const uint8_t seqno[static UNIT_SEQNO_BYTES])
{
	/* One in 16 million: its numbers could become ours. */
	if (send_has_mark(c, seqno))
		send_draw_mark(c);
	if (c->copy_said)
		return;
	c->copy_said = true;
	out_warn(c, "copied-key", r,
		"A line of yours has come that was not written here: your key "
		"is in use on another machine, or was before this profile was "
		"put back. " WHAT_TO_DO);
}

void receive_met_copy(struct chat *c, const char *address)
{
	char *at;

	if (c->copy_said)
		return;
	c->copy_said = true;
	at = out_clean(bytes_str(address));
	out_warn(c, "copied-key", NULL,
		"Your key is in use on another machine, too, "
		"at %s. " WHAT_TO_DO,
		at);
	free(at);
}

static void say_fork(struct chat *c, struct chat_room *r, struct chat_person *p)
{
	char *name;

	if (p->fork_said || !(person_is_known(p) || p->row.verified) ||
		(c->fork_said_ms != P2P_NEVER &&
			c->env->now_ms - c->fork_said_ms < CHAT_FORK_SAY_MS))
		return;
	p->fork_said = true;
	c->fork_said_ms = c->env->now_ms;
	name = person_full_name(p);
	out_warn(c, "key-used-twice", r,
		"%s writes from two machines with one key, or somebody has "
		"copied it: two lines have the same number. Both are shown; "
		"ask whether both are theirs.",
		name);
	free(name);
}

/* A new line of somebody else: whether another one had its number. */
static void copy_hear(struct chat *c, struct chat_room *r,
	struct chat_person *p, const struct payload *line,
	const uint8_t id[static UNIT_ID_BYTES])
{
	struct chat_seq *oldest = &p->seqs[p->seq_next];
	uint64_t name;

	if (line->dialect != DIALECT_NATIVE || line->seq == 0)
		return;
	name = get_be64(id);
	for (size_t i = 0; i < CHAT_FORK_SEQS; i++) {
		const struct chat_seq *s = &p->seqs[i];

		if (s->room == r->row.id && s->seq == line->seq &&
			s->name != name)
			say_fork(c, r, p);
	}
	*oldest = (struct chat_seq){r->row.id, line->seq, name};
	p->seq_next = (p->seq_next + 1) % CHAT_FORK_SEQS;
}

/* ---- lines -------------------------------------------------------------- */

/* A line of our key that we do not have: of another machine with it, or our own
 * from before the database was lost. The count goes on behind the highest. */
static void own_line_came(struct chat *c, struct chat_room *r,
	const struct payload *p, const struct store_message *m)
{
	struct unit u;

	if (unit_parse(&u, m->unit) == 0)
		copy_wrote(c, r, u.seqno);
	if (p->dialect != DIALECT_NATIVE || p->seq <= r->row.seq)
		return;
	r->row.seq = p->seq;
	memcpy(r->row.prev, m->key.id, sizeof(r->row.prev));
	r->dirty = true;
}

static void count_unread(
	struct chat *c, struct chat_room *r, bool mention, bool known)
{
	if (r == c->focus || (r->only_known && !known))
		return;
	if (r->row.unread < STORE_COUNT_MAX)
		r->row.unread++;
	if (mention && r->row.mentions < STORE_COUNT_MAX)
		r->row.mentions++;
	r->dirty = true;
	r->ui_dirty = true;
}

static void other_line_came(struct chat *c, struct chat_room *r,
	struct chat_person *author, const struct line_facts *f)
{
	copy_hear(c, r, author, f->payload, f->key.id);
	count_unread(c, r, f->mention, person_is_known(author));
}

/* Joins and leaves are shown folded, never stored. */
static void show_notice_line(struct chat *c, struct line_facts *f)
{
	if (f->author->self || f->author->row.ignored)
		return;
	if (!f->payload->has_time)
		f->key.time_ms = clock_room_ms(c, f->room);
	out_ui(c, line_new(c, f));
}

/* It is not stored: it is shown, and says so. */
static void show_unkept(
	struct chat *c, struct chat_room *r, struct line_facts *f)
{
	if (!chat_saves(c))
		c->unkept++;
	c->unkept_ever++;
	if (!f->payload->has_time)
		f->key.time_ms = clock_room_ms(c, r);
	f->not_kept = true;
	f->clock_wrong = clock_is_ahead(c, r, f->key.time_ms);
	count_unread(c, r, f->mention, person_is_known(f->author));
	out_ui(c, line_new(c, f));
}

/* Whether it is in the store now, and was not before. */
static bool store_line(struct chat *c, struct chat_room *r,
	struct chat_person *author, struct store_message *m, bool *is_new)
{
	*is_new = false;
	if (!author->self)
		return keep_line_of(c, r, author, m, is_new);
	m->author = author->row.id;
	(void)chat_store_ok(c, store_insert(c->store, m, is_new));
	return true;
}

static void keep_line(struct chat *c, struct chat_room *r, struct line_facts *f,
	struct bytes raw)
{
	/* The same as f's, which is only read. */
	struct chat_person *author =
		table_get(&c->people, peer_id_bytes(&f->author->id));
	struct store_message m = {.room = r->row.id,
		.key = f->key,
		.local = !f->payload->has_time,
		.mention = f->mention,
		.state = f->state,
		.unit = raw};
	bool is_new, kept;

	/* Without a time of its own a line stands where it arrived. */
	if (m.local)
		m.key.time_ms = clock_next(c, r);
	kept = store_line(c, r, author, &m, &is_new);
	if (c->store_err != 0)
		return;
	if (!is_new) {
		/* Ours, back from whoever has it now. */
		if (author->self)
			send_handed(c, m.key.id);
		return;
	}
	keep_heard(c, r, author);
	if (!kept) {
		person_claim(c, author, f->payload->name);
		show_unkept(c, r, f);
		return;
	}
	f->key = m.key;
	if (!m.local)
		f->clock_wrong =
			clock_hear(c, r, author->row.id, m.key.time_ms);
	/* Behind the check above: a line that comes once more must not bring
	 * back the name that its author had then. Our own name is what was
	 * typed here, whatever another machine with this key says. */
	person_claim(c, author, author->self ? "" : f->payload->name);
	person_seen(c, author);
	person_tell_worth(c, author);
	if (author->self)
		own_line_came(c, r, f->payload, &m);
	else
		other_line_came(c, r, author, f);
	/* Else it comes out of the store in its turn, behind those lost. */
	if (!c->replaying)
		out_ui_line(c, line_new(c, f), m.row);
}

static void receive_payload(struct chat *c, struct chat_room *r,
	const struct unit *u, const struct payload *p, struct bytes raw)
{
	struct chat_person *author = person_get(c, &u->from);
	struct line_facts f = {.room = r,
		.author = author,
		.payload = p,
		.key.time_ms = p->time_ms,
		.origin = UI_LINE_LIVE};
	struct unit_id id;

	if (author == NULL)
		return;
	/* A copy is nothing beside its original, which comes the same way. */
	if (p->has_copy_of) {
		note_dialect(c, r, author, DIALECT_NATIVE);
		return;
	}
	note_dialect(c, r, author, p->dialect);
	unit_id_of(u, &id);
	memcpy(f.key.id, id.raw, sizeof(f.key.id));
	if (p->type != PAYLOAD_MESSAGE) {
		person_claim(c, author, author->self ? "" : p->name);
		show_notice_line(c, &f);
		return;
	}
	/* Nothing is left of it once it is clean; of somebody who is ignored
	 * nothing is kept. */
	if (p->text.len == 0 || author->row.ignored)
		return;
	/* Ours that comes from somebody has reached somebody. */
	f.state = author->self ? STORE_STATE_HANDED : STORE_STATE_NONE;
	f.mention = !author->self && is_mention(c, p);
	if (!chat_saves(c) && !author->self)
		show_unkept(c, r, &f);
	else if (chat_saves(c) && r->row.id != 0 &&
		 (!author->self || person_keep(c, author)))
		keep_line(c, r, &f, raw);
}

void receive_unit(struct chat *c, const struct chat_net_msg *m)
{
	struct bytes raw = bytes_of(m->data, m->data_len);
	struct chat_room *r;
	struct payload p;
	struct unit u;
	int err;

	if (unit_parse(&u, raw) != 0) {
		c->ignored_units++;
		return;
	}
	r = table_get(&c->rooms_by_topic, u.topic);
	/* Left while it was on its way. */
	if (r == NULL || !r->row.joined)
		return;
	/* Lines refer to the room's row. */
	if (r->row.id == 0 && chat_saves(c) &&
		!chat_store_ok(c, store_put_room(c->store, &r->row)))
		return;
	err = payload_parse(&p, u.topic, u.data);
	if (err != 0) {
		unreadable_came(c, r, person_get(c, &u.from), err);
		return;
	}
	receive_payload(c, r, &u, &p, raw);
	payload_clear(&p);
}
