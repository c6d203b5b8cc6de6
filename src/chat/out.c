/*
 * Output, kept back until the commit: nothing reaches the ui or net that the
 * store does not hold.
 */
#include "chat/out_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "chat/chat_internal.h"
#include "chat/offer_internal.h"
#include "chat/room_internal.h"

void out_init(struct chat_out_queue *q)
{
	*q = (struct chat_out_queue){.first = NULL};
	q->last = &q->first;
}

static struct chat_out *pop(struct chat_out_queue *q)
{
	struct chat_out *o = q->first;

	q->first = o->next;
	if (q->first == NULL)
		q->last = &q->first;
	q->count--;
	return o;
}

static void append(struct chat_out_queue *q, struct chat_out *o)
{
	o->next = NULL;
	*q->last = o;
	q->last = &o->next;
	q->count++;
}

static void out_free(struct chat_out *o)
{
	msg_free(o->m);
	free(o);
}

static void drop_first(struct chat_out_queue *q)
{
	out_free(pop(q));
}

void out_clear(struct chat_out_queue *q)
{
	while (q->first != NULL)
		drop_first(q);
}

static struct chat_out *push(struct chat_out_queue *q, struct msg *m)
{
	struct chat_out *o = xcalloc(1, sizeof(*o));

	o->m = m;
	append(q, o);
	return o;
}

/* What a person or script asked for and no reload brings. */
static bool is_owed(const struct msg *m)
{
	return m->kind == UI_MSG_QUIT || m->kind == UI_MSG_NET ||
	       m->kind == UI_MSG_WHOIS || m->kind == UI_MSG_PEERS ||
	       m->kind == UI_MSG_ERROR;
}

/* While the ui has not answered UI_MSG_RELOAD it will be told everything
 * anyway; only the end and answers to commands are worth keeping. */
static bool is_wanted(const struct chat *c, const struct ui_msg *m)
{
	return !c->ui_lost || m->msg.kind == UI_MSG_QUIT ||
	       (is_owed(&m->msg) && c->ui.count < CHAT_UI_OWED_MAX);
}

void out_ui(struct chat *c, struct ui_msg *m)
{
	out_ui_line(c, m, 0);
}

void out_ui_line(struct chat *c, struct ui_msg *m, int64_t row)
{
	if (is_wanted(c, m))
		push(&c->ui, &m->msg)->row = row;
	else
		msg_free(&m->msg);
}

void out_net(struct chat *c, struct net_msg *m, struct chat_room *room)
{
	push(&c->net, &m->msg)->room = room;
}

void out_net_copy(struct chat *c, struct net_msg *m)
{
	push(&c->net, &m->msg)->is_copy = true;
}

void out_quit(struct chat *c, int status)
{
	struct ui_msg *m;

	if (c->quitting)
		return;
	c->quitting = true;
	out_net(c, net_msg_new(NET_MSG_QUIT, NULL, bytes_of(NULL, 0)), NULL);
	m = ui_msg_new(UI_MSG_QUIT, NULL, NULL);
	m->number = status;
	out_ui(c, m);
}

static bool has_copy(const struct chat_out *o)
{
	return o->next != NULL && o->next->is_copy;
}

/* A line that does not reach net takes its copy with it. */
static void drop_line(struct chat *c, struct chat_out *o)
{
	if (o->m != NULL && has_copy(o))
		offer_lost_copy(c, net_msg_of(o->m)->id);
	out_free(o);
}

/* These do not depend on what the store holds. */
static bool outlives_undo(const struct ui_msg *m)
{
	if (m->msg.kind == UI_MSG_LINE)
		return m->line.not_kept || m->line.state == UI_STATE_UNSAVED;
	return m->msg.kind == UI_MSG_PERSON || m->msg.kind == UI_MSG_MEMBER ||
	       m->msg.kind == UI_MSG_STATUS;
}

void out_undo_ui(struct chat *c)
{
	struct chat_out_queue all = c->ui;

	out_init(&c->ui);
	while (all.first != NULL) {
		struct chat_out *o = pop(&all);

		if (outlives_undo(ui_msg_of(o->m)))
			append(&c->ui, o);
		else
			out_free(o);
	}
}

void out_undo_net(struct chat *c)
{
	struct chat_out_queue all = c->net;

	out_init(&c->net);
	while (all.first != NULL) {
		struct chat_out *o = pop(&all);

		if (o->committed)
			append(&c->net, o);
		else
			drop_line(c, o);
	}
}

static bool owes_ui_only(const struct chat *c)
{
	const struct chat_out *o = c->ui.first;

	while (o != NULL && is_owed(o->m))
		o = o->next;
	return o == NULL;
}

/* The ui reads too slowly: what it was to hear is dropped, and it will ask.
 * The answers to commands it cannot ask for again: a few wait. */
static void lose_ui(struct chat *c)
{
	struct chat_out_queue kept;
	struct chat_out *o;

	out_init(&kept);
	while (c->ui.first != NULL) {
		o = pop(&c->ui);
		if (is_owed(o->m) && (o->m->kind == UI_MSG_QUIT ||
					     kept.count < CHAT_UI_OWED_MAX))
			push(&kept, o->m);
		else
			msg_free(o->m);
		free(o);
	}
	c->ui = kept;
	if (kept.first == NULL)
		c->ui.last = &c->ui.first;
	c->ui_lost = true;
	c->ui_answer = 0;
	c->reload_said = false;
}

static bool answer_fits(const struct chat *c)
{
	return c->ui_answer > 0 &&
	       c->ui.count - c->ui_answer <= CHAT_UI_BACKLOG_MAX;
}

static void say_reload(struct chat *c)
{
	struct msg *m = &ui_msg_new(UI_MSG_RELOAD, NULL, NULL)->msg;
	int err = mailbox_post(c->to_ui, &m);

	if (err == 0 || err == P2P_ERR_CLOSED)
		c->reload_said = true;
	msg_free(m);
}

static void release_ui(struct chat *c)
{
	int err;

	if (c->ui_lost && !c->reload_said)
		say_reload(c);
	while (c->ui.first != NULL) {
		struct chat_out *o = c->ui.first;
		int64_t row = o->row;

		err = mailbox_post(c->to_ui, &o->m);
		if (err == P2P_ERR_FULL) {
			/* An answer that is larger than the queue waits in
			 * pieces: losing it would lead to the same question
			 * again, for ever. */
			if (owes_ui_only(c) || answer_fits(c))
				return;
			lose_ui(c);
			say_reload(c);
			return;
		}
		drop_first(&c->ui);
		c->ui_answer -= c->ui_answer > 0;
		/* Posted, not only stored: a replay begins behind it. */
		if (row != 0)
			c->ui_row = row;
	}
}

/* Posts what net is to hear; false when its queue is full. A line in it is
 * noted, and its copy, which stands behind it, is bound to follow. */
static bool post_net(struct chat *c, struct chat_out *o)
{
	struct net_msg *m = net_msg_of(o->m);
	uint8_t id[UNIT_ID_BYTES];
	bool line = o->room != NULL;
	int err;

	memcpy(id, m->id, sizeof(id));
	err = mailbox_post(c->to_net, &o->m);
	if (err == P2P_ERR_FULL)
		return false;
	if (err == 0 && line) {
		offer_posted(c, id);
		if (has_copy(o))
			o->next->committed = true;
	}
	return true;
}

/* What had no room: a line is offered again from the store. */
static void offer_later(struct chat *c, struct chat_room *r)
{
	r->offering = true;
	r->offer_at = store_key_first;
	/* CHAT_MSG_NET_ROOM comes earlier, unless our own queue was full for
	 * it. */
	r->offer_due_ms = env_after(c->env, CHAT_OFFER_RETRY_MS);
}

/*
 * A line that net has no room for waits in the store, and will be offered
 * again in order; so do all behind it. What is no line stays in our list, and
 * so does the copy of a line that went out.
 */
static void release_net(struct chat *c)
{
	struct chat_out_queue all = c->net;
	bool full = false;

	out_init(&c->net);
	while (all.first != NULL) {
		struct chat_out *o = all.first;
		bool keep = o->m->kind != NET_MSG_PUBLISH || o->committed;

		/* Once one is refused none is tried: net hears all in order. */
		full = full || !post_net(c, o);
		pop(&all);
		if (full && o->room != NULL)
			offer_later(c, o->room);
		if (full && keep && c->net.count < CHAT_NET_BACKLOG_MAX) {
			o->committed = true;
			append(&c->net, o);
		} else {
			drop_line(c, o);
		}
	}
}

void out_release(struct chat *c)
{
	release_net(c);
	mailbox_hold(c->to_ui);
	release_ui(c);
	mailbox_let_go(c->to_ui);
	c->ui_waits = c->ui.first != NULL;
}

static P2P_PRINTF(1, 0) char *format(const char *fmt, va_list ap)
{
	char *text = NULL;

	P2P_ASSERT(vasprintf(&text, fmt, ap) >= 0);
	return text;
}

static void notice(struct chat *c, const struct chat_room *room,
	enum ui_level level, const char *code, char *text)
{
	struct ui_msg *m = ui_msg_new(
		UI_MSG_NOTICE, room == NULL ? NULL : room->row.topic, text);

	m->level = level;
	m->code = code == NULL ? NULL : xstrdup(code);
	free(text);
	out_ui(c, m);
}

void out_notice(struct chat *c, enum ui_level level,
	const struct chat_room *room, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	notice(c, room, level, NULL, format(fmt, ap));
	va_end(ap);
}

void out_warn(struct chat *c, const char *code, const struct chat_room *room,
	const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	notice(c, room, UI_LEVEL_WARN, code, format(fmt, ap));
	va_end(ap);
}

void out_error(struct chat *c, const char *code, const char *fmt, ...)
{
	struct ui_msg *m;
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	m = ui_msg_new(UI_MSG_ERROR,
		c->focus == NULL ? NULL : c->focus->row.topic, text);
	m->code = xstrdup(code);
	free(text);
	out_ui(c, m);
}

char *out_clean(struct bytes text)
{
	struct buf clean;
	char *copy;

	buf_init(&clean, CHAT_NOTICE_BYTES_MAX);
	/* What does not fit is cut: it is quoted, not kept. */
	(void)text_clean(TEXT_LINE, text, &clean);
	copy = xstrndup(buf_cstr(&clean), clean.len);
	buf_clear(&clean);
	return copy;
}

/* ---- offers ------------------------------------------------------------- */

/*
 * Which own lines net was asked to publish, and how far each has come: into
 * net's queue, its copy with it, to somebody. Without it a line that is offered
 * again would bring its copy again, which is another line to those who read
 * copies. It is only a memory: forgetting one costs such a copy, no line.
 */

struct chat_offer *offer_find(
	struct chat *c, const uint8_t id[static UNIT_ID_BYTES])
{
	return table_get(&c->offers, bytes_of(id, UNIT_ID_BYTES));
}

/* Forgets one: the oldest that is done with, else the oldest. */
static void make_place(struct chat *c)
{
	struct table_entry *e, *tmp, *go = table_oldest(&c->offers);

	TABLE_FOREACH(e, tmp, &c->offers) {
		const struct chat_offer *o = e->value;

		if (o->handed) {
			go = e;
			break;
		}
	}
	free(table_remove(&c->offers, table_key(go)));
}

struct chat_offer *offer_get(
	struct chat *c, struct chat_room *r, const struct store_key *key)
{
	struct chat_offer *o = offer_find(c, key->id);

	if (o != NULL)
		return o;
	if (c->offers.count >= CHAT_OFFERS_MAX)
		make_place(c);
	o = xmalloc(sizeof(*o));
	*o = (struct chat_offer){.room = r, .key = *key};
	(void)table_put(&c->offers, bytes_of(key->id, UNIT_ID_BYTES), o);
	return o;
}

void offer_posted(struct chat *c, const uint8_t id[static UNIT_ID_BYTES])
{
	struct chat_offer *o = offer_find(c, id);

	if (o != NULL)
		o->posted = true;
}

void offer_lost_copy(struct chat *c, const uint8_t id[static UNIT_ID_BYTES])
{
	struct chat_offer *o = offer_find(c, id);

	if (o != NULL)
		o->copied = false;
}

void offers_undo(struct chat *c)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &c->offers) {
		struct chat_offer *o = e->value;

		o->handed = false;
		if (!o->posted)
			free(table_remove(&c->offers, table_key(e)));
	}
}

void offers_free(struct chat *c)
{
	struct table_entry *e, *tmp;

	TABLE_FOREACH(e, tmp, &c->offers)
		free(e->value);
	table_clear(&c->offers);
}
