/*
 * Words to the chat thread. A full queue never loses one: what is pending is
 * a flag in the state, offered again until it is taken.
 */
#include <string.h>

#include "ui/model/ui_internal.h"

static bool post(struct ui *ui, struct chat_ui_msg *cm)
{
	struct msg *m = &cm->msg;

	if (mailbox_post(ui->cfg.chat, &m) == 0)
		return true;
	msg_free(m);
	ui->retry = true;
	return false;
}

bool ui_post_line(struct ui *ui, const char *text)
{
	const char *room = ui->current == NULL ? NULL : ui->current->topic;

	/* The chat thread has to know which room is meant by the line. */
	if (ui->focus_pending)
		ui_flush(ui);
	return post(ui, chat_ui_msg_new(CHAT_MSG_LINE, room, text));
}

void ui_page_ask(struct room *r, bool newest)
{
	r->load_newest = newest;
	r->load = ROOM_LOAD_ASK;
}

/* Where the page that is wanted ends. */
static void page_before(const struct room *r, struct line_key *before)
{
	before->time_ms = UINT64_MAX;
	memset(before->id, 0xff, sizeof(before->id));
	if (r->load_newest)
		return;
	for (size_t i = 0; i < r->win.count; i++) {
		if (!line_is_stored(r->win.lines[i]))
			continue;
		*before = r->win.lines[i]->key;
		break;
	}
	if (r->older_from.time_ms != 0 &&
		line_key_compare(&r->older_from, before) < 0)
		*before = r->older_from;
}

static void post_page(struct ui *ui, struct room *r)
{
	struct chat_ui_msg *cm = chat_ui_msg_new(CHAT_MSG_PAGE, r->topic, NULL);
	struct line_key before;

	page_before(r, &before);
	cm->count = UI_PAGE_LINES;
	cm->time_ms = before.time_ms;
	memcpy(cm->id, before.id, sizeof(cm->id));
	if (post(ui, cm))
		r->load = ROOM_LOAD_ASKED;
}

/* The one line of this key: the newest before the key behind it. */
static void post_whole(struct ui *ui, struct room *r)
{
	struct chat_ui_msg *cm = chat_ui_msg_new(CHAT_MSG_PAGE, r->topic, NULL);

	cm->count = 1;
	cm->time_ms = r->whole_key.time_ms;
	memcpy(cm->id, r->whole_key.id, sizeof(cm->id));
	for (size_t i = sizeof(cm->id); i-- > 0 && ++cm->id[i] == 0;)
		;
	if (!post(ui, cm))
		return;
	r->load = ROOM_LOAD_ASKED;
	r->whole_wanted = false;
	r->whole_asked = true;
}

/* The newest stored line is seen: it is read. */
static void post_read(struct ui *ui, struct room *r)
{
	size_t i = r->win.count;
	struct chat_ui_msg *cm;
	const struct line *l;

	if (!r->view.follow || !r->at_newest || r->load != ROOM_LOAD_DONE)
		return;
	while (i > 0 && !line_is_stored(r->win.lines[i - 1]))
		i--;
	if (i == 0)
		return;
	l = r->win.lines[i - 1];
	if (line_key_compare(&l->key, &r->read_sent) <= 0)
		return;
	cm = chat_ui_msg_new(CHAT_MSG_READ, r->topic, NULL);
	cm->time_ms = l->key.time_ms;
	memcpy(cm->id, l->key.id, sizeof(cm->id));
	if (post(ui, cm))
		r->read_sent = l->key;
}

void ui_flush(struct ui *ui)
{
	struct room *r = ui->current;

	ui->retry = false;
	if (ui->reload_pending &&
		post(ui, chat_ui_msg_new(CHAT_MSG_RELOAD, NULL, NULL)))
		ui->reload_pending = false;
	if (ui->focus_pending && r != NULL &&
		post(ui, chat_ui_msg_new(CHAT_MSG_FOCUS, r->topic, NULL)))
		ui->focus_pending = false;
	if (r != NULL && !ui->focus_pending) {
		if (r->load == ROOM_LOAD_ASK)
			post_page(ui, r);
		else if (r->load == ROOM_LOAD_DONE && r->whole_wanted)
			post_whole(ui, r);
		post_read(ui, r);
	}
	if (ui->quit_asked && !ui->quit_posted &&
		post(ui, chat_ui_msg_new(CHAT_MSG_QUIT, NULL, NULL)))
		ui->quit_posted = true;
}
