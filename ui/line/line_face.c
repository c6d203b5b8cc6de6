/*
 * The face of --plain and --json as a whole: what chat says is written as an
 * event, and the end of the input is waited out. Own lines are watched from the
 * moment they are said until somebody has them, because a program that pipes
 * text in expects all of it to be on its way when this one ends.
 */
#include "ui/line/line_face.h"

#include <stdlib.h>
#include <string.h>

#include "base/xmalloc.h"
#include "ui/line/line_internal.h"

struct line_face *line_face_new(const struct line_face_cfg *cfg)
{
	struct line_face *f = xcalloc(1, sizeof(*f));

	f->cfg = *cfg;
	buf_init(&f->out, LINE_OUT_KEPT_BYTES + LINE_OUT_BYTES_MAX);
	buf_init(&f->in, LINE_IN_BYTES_MAX);
	return f;
}

void line_face_free(struct line_face *f)
{
	if (f == NULL)
		return;
	buf_clear(&f->out);
	buf_clear(&f->in);
	for (size_t i = 0; i < f->room_count; i++) {
		free(f->rooms[i].topic);
		free(f->rooms[i].title);
	}
	for (size_t i = 0; i < CHAT_STATUS_COUNT; i++)
		free(f->status_text[i]);
	free(f);
}

static struct line_own *find_own(struct line_face *f, const uint8_t *id)
{
	for (size_t i = 0; i < f->own_count; i++)
		if (memcmp(f->own[i].id, id, MSG_UNIT_ID_BYTES) == 0)
			return &f->own[i];
	return NULL;
}

static void forget_own(struct line_face *f, const uint8_t *id)
{
	struct line_own *o = find_own(f, id);

	if (o == NULL)
		return;
	f->own_count--;
	*o = f->own[f->own_count];
}

/* Counts own lines, so that the end of input can wait for them. */
static void watch_own(struct line_face *f, const struct ui_msg *m)
{
	struct line_own *o;

	if (m->msg.kind == UI_MSG_STATE) {
		if (m->line.state != UI_STATE_WAITING)
			forget_own(f, m->line.id);
		return;
	}
	if (m->msg.kind == UI_MSG_ERROR && f->said > 0)
		f->said--;
	if (m->msg.kind != UI_MSG_LINE || !m->line.own ||
		m->line.type != UI_TYPE_MESSAGE ||
		m->line.origin != UI_LINE_LIVE)
		return;
	if (f->said > 0)
		f->said--;
	if (m->line.state != UI_STATE_WAITING || f->own_count == LINE_OWN_MAX ||
		find_own(f, m->line.id) != NULL)
		return;
	o = &f->own[f->own_count++];
	*o = (struct line_own){.said_ms = f->now_ms};
	memcpy(o->id, m->line.id, sizeof(o->id));
}

static void post_simple(struct line_face *f, enum chat_msg_kind kind)
{
	struct msg *out = &chat_ui_msg_new(kind, NULL, NULL)->msg;

	if (mailbox_post(f->cfg.chat, &out) == 0) {
		if (kind == CHAT_MSG_QUIT)
			f->quit_posted = true;
		if (kind == CHAT_MSG_RELOAD)
			f->reload_owed = false;
		return;
	}
	msg_free(out);
}

void line_face_on_msg(
	struct line_face *f, struct ui_msg *m, const struct ui_clock *clock)
{
	f->now_ms = clock->now_ms;
	watch_own(f, m);
	line_remember_title(f, m);
	if (f->cfg.json)
		line_json_event(f, m);
	else
		line_plain_event(f, m, clock);
	if (f->out.failed || f->out.len >= LINE_OUT_KEPT_BYTES)
		line_flush(f);
	if (m->msg.kind == UI_MSG_RELOAD) {
		f->reload_owed = true;
		post_simple(f, CHAT_MSG_RELOAD);
	}
	if (m->msg.kind == UI_MSG_QUIT && !f->quit) {
		f->quit = true;
		f->status = m->number;
		if (f->status == 0 && f->eof && !f->cfg.headless &&
			f->own_count > 0)
			f->status = LINE_EXIT_WAITING;
	}
	msg_free(&m->msg);
}

void line_face_flush(struct line_face *f)
{
	line_flush(f);
}

void line_face_quit(struct line_face *f)
{
	f->quit_asked = true;
	if (!f->quit_posted)
		post_simple(f, CHAT_MSG_QUIT);
}

/* --plain tells of own lines that nobody has after a while, once each. */
static void tell_waiting(struct line_face *f)
{
	size_t waiting = 0;

	for (size_t i = 0; i < f->own_count; i++) {
		struct line_own *o = &f->own[i];

		if (o->told || f->now_ms - o->said_ms < LINE_WAITING_MS)
			continue;
		o->told = true;
		waiting++;
	}
	if (waiting == 0 || f->cfg.json)
		return;
	line_plain_note(f, "Nobody has your line yet: it is kept and sent "
			   "when somebody comes.");
	line_flush(f);
}

void line_face_turn(struct line_face *f, const struct ui_clock *clock)
{
	f->now_ms = clock->now_ms;
	/* Chat says nothing more until it is asked. */
	if (f->reload_owed)
		post_simple(f, CHAT_MSG_RELOAD);
	line_input_process(f);
	tell_waiting(f);
	if (f->quit_asked && !f->quit_posted)
		post_simple(f, CHAT_MSG_QUIT);
	if (!f->eof || f->cfg.headless || f->quit_asked || f->blocked)
		return;
	if ((f->said == 0 && f->own_count == 0) ||
		f->now_ms - f->eof_ms >= LINE_FACE_EOF_WAIT_MS)
		line_face_quit(f);
}

uint64_t line_face_deadline(const struct line_face *f)
{
	uint64_t at = P2P_NEVER;

	if (f->blocked || f->reload_owed || (f->quit_asked && !f->quit_posted))
		at = f->now_ms + LINE_FACE_RETRY_MS;
	if (f->eof && !f->cfg.headless && !f->quit_asked)
		at = P2P_MIN(at, f->eof_ms + LINE_FACE_EOF_WAIT_MS);
	for (size_t i = 0; i < f->own_count && !f->cfg.json; i++)
		if (!f->own[i].told)
			at = P2P_MIN(at, f->own[i].said_ms + LINE_WAITING_MS);
	return at;
}

bool line_face_wants_quit(const struct line_face *f, int *status)
{
	if (f->quit)
		*status = f->status;
	return f->quit;
}
