/*
 * While saving fails. The chat goes on hearing: net's words are done with at
 * once, and lines of others are shown and marked as not kept. What the person
 * types is shown as not saved and kept as it was typed: it is signed when it
 * can be saved, since a number that is used and lost would be used twice.
 * Commands that would change the profile wait as well; the others answer.
 */
#include "chat/unsaved_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xmalloc.h"
#include "chat/chat_internal.h"
#include "chat/out_internal.h"
#include "chat/person_internal.h"
#include "chat/room_internal.h"

/* ---- words ------------------------------------------------------------- */

static const char *reason(int err)
{
	switch (err) {
	case P2P_ERR_NO_SPACE:
		return "the disk is full";
	case P2P_ERR_DENIED:
		return "the profile cannot be written to";
	case P2P_ERR_CORRUPT:
		return "the profile's database is damaged (quit and start "
		       "again: what can be read is carried over)";
	case P2P_ERR_MOVED:
		return "chat.db, the profile's database, was moved or removed; "
		       "put it back into its place, or leave and start again, "
		       "which begins a new one";
	case P2P_ERR_BUSY:
		return "another program holds the profile's database";
	default:
		return "the disk reports an error";
	}
}

/* About saving itself there is nothing to wait for. */
static bool tell_now(struct chat *c, struct ui_msg *m)
{
	struct msg *post = &m->msg;
	int err = mailbox_post(c->to_ui, &post);

	msg_free(post);
	return err == 0;
}

void unsaved_tell(struct chat *c)
{
	char *text;
	struct ui_msg *m;

	if (c->store_told == c->store_err)
		return;
	text = xasprintf(
		"Cannot save: %s. What you write stays in memory, marked \"not "
		"saved\", and is sent once it is saved. Lines of others are "
		"shown, and not kept. It is tried again every %d seconds.",
		reason(c->store_err), CHAT_STORE_RETRY_MS / 1000);
	m = ui_msg_new(UI_MSG_ERROR, NULL, text);
	m->code = xstrdup("store");
	free(text);
	if (tell_now(c, m))
		c->store_told = c->store_err;
}

void unsaved_over(struct chat *c)
{
	char *text;

	if (c->store_told == 0)
		return;
	c->store_told = 0;
	text = c->unkept == 0
		       ? xstrdup("Saving works again.")
		       : xasprintf("Saving works again. %llu line%s of others "
				   "came meanwhile and %s not kept.",
				 (unsigned long long)c->unkept,
				 c->unkept == 1 ? "" : "s",
				 c->unkept == 1 ? "is" : "are");
	c->unkept = 0;
	(void)tell_now(c, ui_msg_new(UI_MSG_NOTICE, NULL, text));
	free(text);
}

/* ---- what is heard ----------------------------------------------------- */

static void keep(struct chat *c, struct msg *m)
{
	m->next = NULL;
	*c->turn_last = m;
	c->turn_last = &m->next;
	c->kept_count++;
}

/* The room is the one that was looked at when it was typed. */
static void pin_room(struct chat *c, struct chat_ui_msg *m)
{
	if (m->room == NULL && c->focus != NULL)
		m->room = xstrdup(c->focus->row.topic);
}

static void say_again(struct chat *c, const struct unsaved_verbs *verbs)
{
	struct msg *m;

	for (m = c->turn_first; m != NULL; m = m->next) {
		struct chat_ui_msg *line = chat_ui_msg_of(m);

		if (m->kind != CHAT_MSG_LINE || line->count == 0)
			continue;
		memcpy(c->unsaved_id, line->id, sizeof(c->unsaved_id));
		verbs->ui(c, line);
	}
}

static void hear_ui(
	struct chat *c, const struct unsaved_verbs *verbs, struct msg *m)
{
	struct chat_ui_msg *typed = chat_ui_msg_of(m);

	c->keep_input = false;
	c->unsaved_shown = false;
	if (m->kind == CHAT_MSG_LINE) {
		pin_room(c, typed);
		rng_fill(c->env->rng, c->unsaved_id, sizeof(c->unsaved_id));
		typed->count = 0;
	}
	verbs->ui(c, typed);
	/* A screen that asks for everything has lost these lines as well. */
	if (m->kind == CHAT_MSG_RELOAD)
		say_again(c, verbs);
	if (m->kind != CHAT_MSG_LINE || !c->keep_input) {
		msg_free(m);
		return;
	}
	memcpy(typed->id, c->unsaved_id, sizeof(typed->id));
	/* Whether a line stands for it on the screen. */
	typed->count = c->unsaved_shown;
	keep(c, m);
}

static void hear_net(
	struct chat *c, const struct unsaved_verbs *verbs, struct msg *m)
{
	/* Without a place for it the line will be offered again. */
	if (m->kind == CHAT_MSG_HANDED && c->kept_count < CHAT_KEPT_MAX) {
		keep(c, m);
		return;
	}
	/* Addresses and records come again with the next connection. */
	if (m->kind != CHAT_MSG_HANDED && m->kind != CHAT_MSG_ADDRESS &&
		m->kind != CHAT_MSG_RECORD)
		verbs->net(c, chat_net_msg_of(m));
	msg_free(m);
}

void unsaved_hear(
	struct chat *c, const struct unsaved_verbs *verbs, struct msg *m)
{
	if (m->kind < CHAT_MSG_FROM_NET)
		hear_ui(c, verbs, m);
	else
		hear_net(c, verbs, m);
	/* What could not be read either is not answered. */
	c->store_err = 0;
}

/* ---- own lines --------------------------------------------------------- */

void unsaved_say(struct chat *c, struct chat_room *r, const char *text)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_LINE, r->row.topic, NULL);
	struct ui_line *line = &m->line;

	memcpy(line->id, c->unsaved_id, sizeof(line->id));
	line->time_ms = clock_room_ms(c, r);
	snprintf(line->from, sizeof(line->from), "%s", c->me_text);
	snprintf(line->name, sizeof(line->name), "%s", c->self->row.name);
	line->name_mark = ' ';
	line->own = true;
	line->state = UI_STATE_UNSAVED;
	line->text = xstrdup(text);
	m->msg.bytes += strlen(text);
	out_ui(c, m);
	c->keep_input = true;
	c->unsaved_shown = true;
}

void unsaved_take_back(struct chat *c)
{
	struct msg *m;

	for (m = c->turn_first; m != NULL; m = m->next) {
		const struct chat_ui_msg *typed = chat_ui_msg_of(m);
		struct ui_msg *gone;

		if (m->kind != CHAT_MSG_LINE || typed->count == 0)
			continue;
		gone = ui_msg_new(UI_MSG_STATE, typed->room, NULL);
		memcpy(gone->line.id, typed->id, sizeof(gone->line.id));
		gone->line.state = UI_STATE_SAVED;
		out_ui(c, gone);
	}
}
