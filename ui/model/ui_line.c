/*
 * The line being typed: Enter, what was typed before, completion.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "msg/command.h"
#include "ui/model/scroll.h"
#include "ui/model/ui_internal.h"

static void remember(struct ui *ui, const char *text)
{
	if (ui->history_count > 0 &&
		strcmp(ui->history[ui->history_count - 1], text) == 0)
		return;
	if (ui->history_count == UI_HISTORY_MAX) {
		free(ui->history[0]);
		memmove(&ui->history[0], &ui->history[1],
			(UI_HISTORY_MAX - 1) * sizeof(ui->history[0]));
		ui->history_count--;
	}
	ui->history[ui->history_count++] = xstrdup(text);
}

static bool is_blank(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] != ' ' && text.data[i] != '\n')
			return false;
	return true;
}

void ui_line_send(struct ui *ui)
{
	struct edit *e = ui_edit(ui);
	const char *text = buf_cstr(&e->text);

	if (is_blank(edit_text(e)))
		return;
	if (ui->current == NULL && text[0] != '/') {
		ui_note(ui, "no room yet: the line stays here");
		return;
	}
	if (!ui_post_line(ui, text)) {
		ui_note(ui, "busy: the line stays here, press Enter again");
		return;
	}
	remember(ui, text);
	ui->history_at = ui->history_count;
	free(ui->history_draft);
	ui->history_draft = NULL;
	edit_reset(e);
	scroll_to_newest(ui);
}

static void show_history(struct ui *ui)
{
	struct edit *e = ui_edit(ui);
	const char *text = ui->history_at < ui->history_count
				   ? ui->history[ui->history_at]
				   : ui->history_draft;

	edit_replace(e, bytes_str(text));
}

void ui_line_up(struct ui *ui)
{
	struct edit *e = ui_edit(ui);
	size_t start = edit_line_start(e);
	size_t col = e->cursor - start;

	if (start > 0) {
		/* A line above within the draft, at about the same place. */
		e->cursor = start - 1;
		start = edit_line_start(e);
		while (e->cursor - start > col)
			e->cursor = edit_left(e);
		return;
	}
	if (ui->history_at == 0)
		return;
	if (ui->history_at == ui->history_count) {
		free(ui->history_draft);
		ui->history_draft = xstrdup(buf_cstr(&e->text));
	}
	ui->history_at--;
	show_history(ui);
}

void ui_line_down(struct ui *ui)
{
	struct edit *e = ui_edit(ui);
	size_t col = e->cursor - edit_line_start(e);
	size_t end = edit_line_end(e);

	if (end < e->text.len) {
		e->cursor = end + 1;
		end = edit_line_end(e);
		while (col > 0 && e->cursor < end) {
			size_t next = edit_right(e);

			col -= P2P_MIN(col, next - e->cursor);
			e->cursor = P2P_MIN(next, end);
		}
		return;
	}
	if (ui->history_at >= ui->history_count)
		return;
	ui->history_at++;
	show_history(ui);
}

void ui_complete_end(struct ui *ui)
{
	struct ui_complete *c = &ui->complete;

	for (size_t i = 0; i < c->count; i++)
		free(c->list[i]);
	free(c->original);
	*c = (struct ui_complete){0};
}

/* Adds the word when it begins with what was typed (case folded). */
static void offer(struct ui_complete *c, const char *word, const char *tail)
{
	struct buf typed;
	struct buf folded;
	bool fits;

	if (c->count == UI_COMPLETE_MAX)
		return;
	buf_init(&typed, MSG_TEXT_BYTES_MAX);
	buf_init(&folded, 4096);
	text_fold(bytes_str(c->original), &typed);
	text_fold(bytes_str(word), &folded);
	fits = !typed.failed && !folded.failed && folded.len >= typed.len &&
	       bytes_equal(bytes_first(buf_bytes(&folded), typed.len),
		       buf_bytes(&typed));
	if (fits)
		c->list[c->count++] = xasprintf("%s%s", word, tail);
	buf_clear(&typed);
	buf_clear(&folded);
}

static void offer_people(struct ui *ui, const char *tail)
{
	unsigned slot = ui->current == NULL ? 0 : ui->current->slot;
	char word[MSG_NAME_MAX + 16];

	/* Those in the room come first. */
	for (int in = 1; in >= 0; in--) {
		for (size_t i = 0; i < ui->people.count; i++) {
			const struct person *p = &ui->people.all[i];

			if (p->stale || !p->named ||
				person_is_in(p, slot) != (in == 1))
				continue;
			if (in == 0 && !p->connected)
				continue;
			snprintf(word, sizeof(word), "%s%s%s", p->name,
				p->name_mark == '!' ? "~" : "",
				p->name_mark == '!' ? p->tag : "");
			offer(&ui->complete, word, tail);
		}
	}
}

static void offer_commands(struct ui *ui, const char *slash)
{
	char word[32];

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		snprintf(word, sizeof(word), "%s%s", slash,
			command_table[i].name);
		offer(&ui->complete, word, " ");
	}
}

static void offer_rooms(struct ui *ui)
{
	for (size_t i = 0; i < ui->room_count; i++)
		offer(&ui->complete, ui->rooms[i]->title, " ");
}

/* The command whose argument is being typed, or NULL. */
static const struct command *typed_command(const struct edit *e, size_t start)
{
	struct bytes text = edit_text(e);
	size_t end = 1;

	if (start == 0 || text.data[0] != '/')
		return NULL;
	while (end < start && text.data[end] != ' ')
		end++;
	return command_find(bytes_of(text.data + 1, end - 1));
}

static void collect(struct ui *ui, const struct edit *e, size_t start)
{
	const struct command *cmd = typed_command(e, start);

	if (start == 0 && ui->complete.original[0] == '/') {
		offer_commands(ui, "/");
		return;
	}
	if (cmd == NULL) {
		offer_people(ui, start == 0 ? ": " : " ");
		return;
	}
	switch (cmd->arg) {
	case COMMAND_ARG_ROOM:
		offer_rooms(ui);
		break;
	case COMMAND_ARG_PERSON:
		offer_people(ui, " ");
		break;
	case COMMAND_ARG_COMMAND:
		offer_commands(ui, "");
		break;
	case COMMAND_ARG_NONE:
	case COMMAND_ARG_TEXT:
		break;
	}
}

static bool complete_begin(struct ui *ui, const struct edit *e)
{
	struct ui_complete *c = &ui->complete;
	size_t start = e->cursor;

	while (start > 0 && e->text.data[start - 1] != ' ' &&
		e->text.data[start - 1] != '\n')
		start--;
	c->start = start;
	c->end = e->cursor;
	c->original = xstrndup(
		e->text.len == 0 ? "" : (const char *)e->text.data + start,
		e->cursor - start);
	if (c->original[0] != '\0' || start > 0)
		collect(ui, e, start);
	if (c->count == 0) {
		ui_complete_end(ui);
		return false;
	}
	c->active = true;
	return true;
}

void ui_complete_next(struct ui *ui, int step)
{
	struct ui_complete *c = &ui->complete;
	struct edit *e = ui_edit(ui);
	const char *word;

	if (!c->active) {
		if (!complete_begin(ui, e))
			return;
		c->index = step > 0 ? 0 : c->count - 1;
	} else {
		/* One more place than candidates: what was typed itself. */
		c->index =
			(c->index + c->count + 1 + (step > 0 ? 1 : SIZE_MAX)) %
			(c->count + 1);
	}
	word = c->index == c->count ? c->original : c->list[c->index];
	edit_delete(e, c->start, c->end);
	c->end = c->start;
	if (word[0] == '\0' || edit_insert(e, bytes_str(word), false))
		c->end = e->cursor;
	if (c->count == 1 && c->index == 0)
		ui_complete_end(ui);
}
