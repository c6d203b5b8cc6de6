/*
 * Own lines: signed, stored, shown, then sent. A line that nobody took stays
 * waiting and is offered again, in order, when somebody comes.
 */
#include "chat/send_internal.h"

#include <stdlib.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "chat/chat_internal.h"
#include "chat/dialect_internal.h"
#include "chat/keep_internal.h"
#include "chat/line_internal.h"
#include "chat/offer_internal.h"
#include "chat/out_internal.h"
#include "chat/person_internal.h"
#include "chat/room_internal.h"
#include "chat/unsaved_internal.h"

void send_draw_mark(struct chat *c)
{
	c->seqno_mark = rng_below(c->env->rng, CHAT_SEQNO_STEP);
}

bool send_has_mark(const struct chat *c, const uint8_t seqno[static 8])
{
	return get_be64(seqno) % CHAT_SEQNO_STEP == c->seqno_mark;
}

/*
 * Grows over restarts, also after kill -9 (BasicSeqnoValidator of others asks
 * for it), and counts from unix nanoseconds like go's. The last bits are those
 * of this run: the same key on another machine never comes to the same number,
 * which would make two lines one to everybody.
 */
static uint64_t next_seqno(struct chat *c)
{
	uint64_t time_ms = c->env->wall_ms;
	uint64_t next = c->seqno / CHAT_SEQNO_STEP + 1;

	if (time_ms < UINT64_MAX / 1000000)
		next = P2P_MAX(next, (time_ms * 1000000 + CHAT_SEQNO_STEP - 1) /
					     CHAT_SEQNO_STEP);
	c->seqno = next * CHAT_SEQNO_STEP + c->seqno_mark;
	(void)chat_store_ok(c, store_set_u64(c->store, "seqno", c->seqno));
	return c->seqno;
}

/* A signed unit: its bytes (owned), its id. */
struct signed_unit {
	struct buf raw;
	struct unit_id id;
};

/* Twice the text may be too much: then only our own programs get it. */
static int write_payload(
	enum dialect dialect, const struct payload_out *line, struct buf *out)
{
	struct payload_out less = *line;
	int err = payload_write(dialect, line, out);

	if (err != P2P_ERR_TOO_BIG || !line->for_go_chat)
		return err;
	less.for_go_chat = false;
	buf_reset(out);
	return payload_write(dialect, &less, out);
}

/* Writes and signs; raw is to be cleared in any case. */
static int make_unit(struct chat *c, const struct chat_room *r,
	enum dialect dialect, const struct payload_out *line,
	struct signed_unit *out)
{
	struct unit u;
	struct buf data;
	int err;

	buf_init(&out->raw, UNIT_BYTES_MAX);
	buf_init(&data, UNIT_DATA_BYTES_MAX);
	err = write_payload(dialect, line, &data);
	if (err == 0)
		err = unit_sign(c->me, next_seqno(c), bytes_str(r->row.topic),
			buf_bytes(&data), &out->raw);
	buf_clear(&data);
	/* Read back as everybody reads it: so is its id made. */
	if (err == 0)
		err = unit_parse(&u, buf_bytes(&out->raw));
	if (err == 0)
		unit_id_of(&u, &out->id);
	return err;
}

/* Lines of one author a minute that others take, in all rooms: what is over
 * would be dropped on the way, so it waits here. */
static uint64_t pace_step_ms(const struct chat *c)
{
	return c->author_rate == 0 ? 0
				   : 60000 / P2P_MIN(c->author_rate, 60000u);
}

static void pace(struct chat *c)
{
	c->pace_ms = P2P_MAX(c->pace_ms, c->env->now_ms) + pace_step_ms(c);
}

/* When one more may go out: at once while a minute's lines have not. */
static uint64_t pace_next_ms(const struct chat *c)
{
	uint64_t early = 60000 - pace_step_ms(c);

	if (c->author_rate == 0 || c->pace_ms <= c->env->now_ms + early)
		return c->env->now_ms;
	return c->pace_ms - early;
}

static struct net_msg *publish_msg(const struct chat_room *r,
	const uint8_t id[static UNIT_ID_BYTES], struct bytes raw)
{
	struct net_msg *m = net_msg_new(NET_MSG_PUBLISH, r->row.topic, raw);

	memcpy(m->id, id, UNIT_ID_BYTES);
	return m;
}

static void publish(struct chat *c, struct chat_room *r,
	const uint8_t id[static UNIT_ID_BYTES], struct bytes raw, bool again)
{
	out_net(c, publish_msg(r, id, raw), again ? r : NULL);
}

/* What the JavaScript program reads; it is nothing beside its original. */
static void publish_js_copy(
	struct chat *c, struct chat_offer *o, const struct payload *p)
{
	char *text = xstrndup((const char *)p->text.data, p->text.len);
	struct payload_out line = {.text = text,
		.name = c->self->row.name,
		.from = c->me_text,
		.time_ms = o->key.time_ms,
		.copy_of = o->key.id};
	struct signed_unit copy;

	if (make_unit(c, o->room, DIALECT_SEED_JS, &line, &copy) == 0) {
		out_net_copy(c, publish_msg(o->room, copy.id.raw,
					buf_bytes(&copy.raw)));
		o->copied = true;
		pace(c);
	}
	buf_clear(&copy.raw);
	free(text);
}

/* Hands a stored line of ours to net, and its copy where one is needed. */
static void offer_line(struct chat *c, struct chat_room *r,
	const struct store_key *key, struct bytes raw)
{
	struct payload p;
	struct unit u;
	struct chat_offer *o = offer_get(c, r, key);

	/* Should the rest have to wait, it waits behind this one. */
	r->offer_at = *key;
	pace(c);
	publish(c, r, key->id, raw, true);
	/* Sent again, the copy would be another line to them. */
	if (!dialect_to_write(c, r).js_copy || o->copied ||
		unit_parse(&u, raw) != 0 ||
		payload_parse(&p, u.topic, u.data) != 0)
		return;
	if (p.dialect == DIALECT_NATIVE)
		publish_js_copy(c, o, &p);
	payload_clear(&p);
}

static void show_own(struct chat *c, const struct store_message *m)
{
	struct ui_msg *line;

	if (c->replaying)
		return;
	line = line_of_row(c, m, UI_LINE_LIVE);
	if (line != NULL)
		out_ui_line(c, line, m->row);
}

/* Whether one more line may go out at once. */
static bool take_burst(struct chat *c, struct chat_room *r)
{
	if (r->burst_end_ms <= c->env->now_ms) {
		r->burst_end_ms = env_after(c->env, CHAT_OFFER_PAUSE_MS);
		r->burst_count = 0;
	}
	return ++r->burst_count <= CHAT_OFFER_BATCH;
}

/* Stores and shows; then it goes out unless older lines go first. */
static void keep_own(
	struct chat *c, struct chat_room *r, struct store_message *m)
{
	bool is_new;

	r->dirty = true;
	r->maybe_waiting = true;
	if (!chat_store_ok(c, store_insert(c->store, m, &is_new)) || !is_new)
		return;
	show_own(c, m);
	/* Older ones are going out; it stands at their end, unless our clock
	 * has gone back. */
	if (r->offering && store_key_compare(&r->offer_at, &m->key) < 0)
		return;
	if (r->members.count > 0 &&
		(pace_next_ms(c) > c->env->now_ms || !take_burst(c, r))) {
		/* The rest of a burst goes out as waiting lines do, from the
		 * last one that was offered on. */
		r->offering = true;
		r->offer_due_ms = P2P_MAX(r->burst_end_ms, pace_next_ms(c));
		return;
	}
	if (r->members.count > 0)
		offer_line(c, r, &m->key, m->unit);
	r->offer_due_ms = env_after(c->env, CHAT_OFFER_RETRY_MS);
}

static void say(struct chat *c, struct chat_room *r, const char *text)
{
	struct dialects write = dialect_to_write(c, r);
	struct payload_out line = {.text = text,
		.name = c->self->row.name,
		.from = c->me_text,
		.time_ms = clock_next(c, r),
		.seq = r->row.seq + 1,
		.prev = r->row.seq == 0 ? NULL : r->row.prev,
		.for_go_chat = write.go_chat};
	struct store_message m = {.room = r->row.id,
		.author = c->self->row.id,
		.state = STORE_STATE_WAITING,
		.key.time_ms = line.time_ms};
	struct signed_unit own;

	if (make_unit(c, r, write.own, &line, &own) != 0) {
		buf_clear(&own.raw);
		out_error(c, "too-long", "This line is too long to be sent.");
		return;
	}
	/* Named by what is signed, so everybody has it under this key. */
	memcpy(m.key.id, own.id.raw, sizeof(m.key.id));
	m.unit = buf_bytes(&own.raw);
	/* Its bytes have no time: it stands where it was said. */
	if (write.own == DIALECT_PLAIN) {
		m.local = true;
	} else {
		r->row.seq++;
		memcpy(r->row.prev, own.id.raw, sizeof(r->row.prev));
	}
	keep_answered(c, text);
	keep_own(c, r, &m);
	buf_clear(&own.raw);
}

static struct bytes trim_end(struct bytes b)
{
	while (b.len > 0 &&
		(b.data[b.len - 1] == ' ' || b.data[b.len - 1] == '\n'))
		b.len--;
	return b;
}

void send_line(struct chat *c, struct chat_room *r, struct bytes text)
{
	struct buf clean;

	if (room_is_control(c, r)) {
		out_error(c, "control-topic",
			"Nothing was sent: other programs hand files over here "
			"or look for each other, and a line would end them.");
		return;
	}
	if (!utf8_valid(text)) {
		out_error(c, "not-utf8",
			"This line is not UTF-8 text; it was not sent.");
		return;
	}
	buf_init(&clean, MSG_TEXT_BYTES_MAX);
	/* Faces do not let so much through; nothing is cut in silence. */
	if (text.len > MSG_TEXT_BYTES_MAX) {
		out_error(c, "too-long",
			"This line has %zu bytes; %d can be sent at once.",
			text.len, MSG_TEXT_BYTES_MAX);
		buf_clear(&clean);
		return;
	}
	/* Control characters become visible ones of three bytes. */
	if (text_clean(TEXT_BLOCK, trim_end(text), &clean) != 0) {
		out_error(c, "too-long",
			"With its control characters made visible, this line "
			"has more than the %d bytes that can be sent at once.",
			MSG_TEXT_BYTES_MAX);
		buf_clear(&clean);
		return;
	}
	clean.len = trim_end(buf_bytes(&clean)).len;
	if (!chat_saves(c)) {
		if (clean.len > 0)
			unsaved_say(c, r, buf_cstr(&clean));
		buf_clear(&clean);
		return;
	}
	/* Both rows before the line, which refers to them. */
	if (clean.len > 0 && person_keep(c, c->self) &&
		(r->row.id != 0 ||
			chat_store_ok(c, store_put_room(c->store, &r->row))))
		say(c, r, buf_cstr(&clean));
	buf_clear(&clean);
}

/* Its number would have to be saved; and where bare text is written, all that
 * read it would see the JSON. */
static bool may_notice(const struct chat *c, const struct chat_room *r)
{
	return r->row.joined && chat_saves(c) && !room_is_control(c, r) &&
	       dialect_to_write(c, r).own == DIALECT_NATIVE;
}

/* The Go program shows the content alone, so that says who it is. */
static void publish_notice(
	struct chat *c, struct chat_room *r, enum payload_type type)
{
	char *text = xasprintf("%s %s the chat", c->self->row.name,
		type == PAYLOAD_JOIN ? "joined" : "left");
	struct payload_out line = {.type = type,
		.text = text,
		.name = c->self->row.name,
		.from = c->me_text,
		.time_ms = clock_room_ms(c, r)};
	struct signed_unit notice;

	if (make_unit(c, r, DIALECT_NATIVE, &line, &notice) == 0)
		publish(c, r, notice.id.raw, buf_bytes(&notice.raw), false);
	buf_clear(&notice.raw);
	free(text);
}

void send_join(struct chat *c, struct chat_room *r)
{
	if (r->join_said || !may_notice(c, r))
		return;
	r->join_said = true;
	publish_notice(c, r, PAYLOAD_JOIN);
}

void send_leave(struct chat *c, struct chat_room *r)
{
	if (!r->join_said)
		return;
	r->join_said = false;
	if (r->members.count > 0 && may_notice(c, r))
		publish_notice(c, r, PAYLOAD_LEAVE);
}

void send_leave_all(struct chat *c)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &c->rooms)
		send_leave(c, ROOM_OF(pos));
}

void send_handed(struct chat *c, const uint8_t id[static UNIT_ID_BYTES])
{
	struct chat_offer *o = offer_find(c, id);
	struct ui_msg *m;
	int err;

	if (o == NULL || o->handed)
		return;
	o->handed = true;
	err = store_set_state(
		c->store, o->room->row.id, &o->key, STORE_STATE_HANDED);
	if (err != P2P_ERR_NOT_FOUND && chat_store_ok(c, err)) {
		m = ui_msg_new(UI_MSG_STATE, o->room->row.topic, NULL);
		memcpy(m->line.id, id, UNIT_ID_BYTES);
		m->line.time_ms = o->key.time_ms;
		m->line.state = UI_STATE_HANDED;
		out_ui(c, m);
	}
}

void send_offer_waiting(struct chat *c, struct chat_room *r)
{
	if (!r->row.joined || !r->maybe_waiting || r->members.count == 0 ||
		room_is_control(c, r))
		return;
	r->offering = true;
	r->offer_at = store_key_first;
	r->offer_due_ms = c->env->now_ms;
}

/* One batch in order; the rest after a pause. */
static void offer_batch(struct chat *c, struct chat_room *r)
{
	bool from_start =
		store_key_compare(&r->offer_at, &store_key_first) == 0;
	struct store_rows rows;

	if (!chat_store_ok(c, store_waiting(c->store, r->row.id, &r->offer_at,
				      CHAT_OFFER_BATCH, &rows)))
		return;
	for (size_t i = 0; i < rows.count; i++) {
		if (pace_next_ms(c) > c->env->now_ms) {
			rows.more = true;
			break;
		}
		r->offer_at = rows.items[i].key;
		/* What the disk made of it is not what we said. */
		if (line_may_go(c, r, &rows.items[i]))
			offer_line(
				c, r, &rows.items[i].key, rows.items[i].unit);
	}
	/* Only from the very start does nothing mean that none is left. */
	if (rows.count == 0 && from_start)
		r->maybe_waiting = false;
	r->offering = rows.more;
	r->offer_due_ms = env_after(
		c->env, rows.more ? CHAT_OFFER_PAUSE_MS : CHAT_OFFER_RETRY_MS);
	r->offer_due_ms = P2P_MAX(r->offer_due_ms, pace_next_ms(c));
	store_rows_clear(&rows);
}

/* When the next thing is due in this room. */
static uint64_t due(const struct chat *c, const struct chat_room *r)
{
	if (!r->row.joined || r->members.count == 0 || !r->maybe_waiting ||
		room_is_control(c, r))
		return P2P_NEVER;
	return r->offer_due_ms;
}

void send_tick(struct chat *c)
{
	struct list *pos, *tmp;

	LIST_FOREACH(pos, tmp, &c->rooms) {
		struct chat_room *r = ROOM_OF(pos);

		if (due(c, r) > c->env->now_ms)
			continue;
		/* The retry: nobody has answered for what was offered. */
		if (!r->offering)
			send_offer_waiting(c, r);
		offer_batch(c, r);
	}
}

uint64_t send_deadline(const struct chat *c)
{
	uint64_t first = P2P_NEVER;
	struct list *pos;

	for (pos = c->rooms.next; pos != &c->rooms; pos = pos->next)
		first = P2P_MIN(first, due(c, ROOM_OF(pos)));
	return first;
}
