/*
 * The panes at the sides: rooms and people.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "msg/rtt_text.h"
#include "ui/draw/draw_internal.h"

static void blank_pane(struct ui_canvas *c, const struct rect *r)
{
	for (int i = 0; i < r->rows; i++)
		canvas_fill(c,
			(struct canvas_place){r->row + i, r->col, r->cols}, " ",
			STYLE_TEXT);
}

/* Right-aligned text at the end of a row; returns its columns. */
static int put_right(
	struct ui_canvas *c, const struct rect *r, int row, const char *text)
{
	int width = (int)text_width(bytes_str(text));

	if (width == 0 || width + 4 > r->cols)
		return 0;
	canvas_puts(c,
		(struct canvas_place){row, r->col + r->cols - width, width},
		text, STYLE_HEAD);
	return width + 1;
}

static void room_count_text(const struct room *r, char out[16])
{
	out[0] = '\0';
	if (r->mentions > 0)
		snprintf(out, 16, "@%u", (unsigned)r->mentions);
	else if (r->unread > 0)
		snprintf(out, 16, "%u", (unsigned)r->unread);
}

static void draw_room_row(
	const struct ui *ui, struct ui_canvas *c, int row, size_t i)
{
	const struct rect *r = &ui->layout.rooms;
	const struct room *room = ui->rooms[i];
	bool current = room == ui->current;
	struct canvas_place at = {row, r->col, r->cols};
	char start[8];
	char count[16];
	enum canvas_style style = current ? STYLE_CURRENT : STYLE_TEXT;

	if (i < 10)
		snprintf(start, sizeof(start), "%c%u ", current ? '*' : ' ',
			(unsigned)((i + 1) % 10));
	else
		snprintf(start, sizeof(start), "%c  ", current ? '*' : ' ');
	if (room->mentions > 0)
		style = STYLE_MENTION;
	canvas_puts(c, at, start, style);
	room_count_text(room, count);
	at.cols -= put_right(c, r, row, count) + 3;
	at.col += 3;
	canvas_puts(c, at, room->title, style);
}

void draw_rooms(const struct ui *ui, struct ui_canvas *c)
{
	const struct rect *r = &ui->layout.rooms;
	size_t first = 0;
	size_t at = 0;

	if (r->rows < 1 || r->cols < 1)
		return;
	blank_pane(c, r);
	canvas_puts(c, (struct canvas_place){r->row, r->col, r->cols}, " ROOMS",
		STYLE_HEAD);
	/* The current room is always among those shown. */
	while (at < ui->room_count && ui->rooms[at] != ui->current)
		at++;
	if (at < ui->room_count && (int)at > r->rows - 2)
		first = at - (size_t)(r->rows - 2);
	for (int row = 1; row < r->rows; row++) {
		if (first >= ui->room_count)
			break;
		draw_room_row(ui, c, r->row + row, first++);
	}
}

/* In a column whose width stays, whatever the time is and before it is known:
 * names are not cut anew with each ping. */
static void person_rtt(const struct person *p, bool wide, char out[24])
{
	int cols = wide ? RTT_TEXT_COLS : RTT_TEXT_COLS - 1;
	char text[RTT_TEXT_MAX] = "relay";

	out[0] = '\0';
	if (!p->connected)
		return;
	if (!p->relayed || wide)
		rtt_text(p->rtt_us, wide, text);
	snprintf(out, 24, "%*s", cols, text);
}

static void draw_person(const struct ui *ui, struct ui_canvas *c, int row,
	const struct person *p)
{
	const struct rect *r = &ui->layout.people;
	struct canvas_place at = {row, r->col + 1, r->cols - 1};
	/* What stands for an unknown name is the key's end already. */
	const struct draw_who who = {.name = p->name,
		.tag = p->named ? p->tag : "",
		.tagged = p->named && ui_mark_needs_tag(p->name_mark) &&
			  p->tag[0] != '\0',
		.style = p->ignored ? STYLE_DIM : draw_name_style(p->name)};
	char text[24];
	int width = (int)text_width(bytes_str(p->name)) +
		    (who.tagged ? (int)strlen(p->tag) + 1 : 0);

	snprintf(text, sizeof(text), "%c", p->ignored ? '-' : p->name_mark);
	canvas_puts(c, (struct canvas_place){row, r->col, 1}, text, STYLE_HEAD);
	person_rtt(p, ui->layout.kind == LAYOUT_THREE, text);
	/* Who it is comes before how far away it is. */
	if (width + (int)strlen(text) + 1 <= at.cols)
		at.cols -= put_right(c, r, row, text);
	draw_who(ui, c, at, &who);
}

static const char *standing(const struct person *p)
{
	if (p->ignored)
		return "ignored, ";
	if (p->name_mark == UI_MARK_CLASH)
		return "name clash, ";
	if (p->name_mark == UI_MARK_VERIFIED)
		return "verified, ";
	return p->name_mark == UI_MARK_NEW ? "new, " : "";
}

static void draw_person_more(const struct ui *ui, struct ui_canvas *c, int row,
	const struct person *p)
{
	static const char own[] = "p2pchat-tui";
	const struct rect *r = &ui->layout.people;
	bool foreign = p->agent[0] != '\0' &&
		       strncmp(p->agent, own, sizeof(own) - 1) != 0;
	char text[96];

	/* Which program, where it is another one; without its version. */
	snprintf(text, sizeof(text), "   %s%s%s%.*s", standing(p),
		p->connected ? p->relayed ? "relayed" : "direct" : "not linked",
		foreign ? ", " : "", foreign ? (int)strcspn(p->agent, "/") : 0,
		p->agent);
	canvas_puts(c, (struct canvas_place){row, r->col, r->cols}, text,
		STYLE_DIM);
}

struct people_list {
	int row; /* next row of the canvas */
	int end;
	int skip; /* people scrolled away above */
};

static void draw_group(const struct ui *ui, struct ui_canvas *c,
	struct people_list *list, bool here)
{
	const struct rect *r = &ui->layout.people;
	unsigned slot = ui->current == NULL ? 0 : ui->current->slot;
	bool headed = here;

	for (size_t i = 0; i < ui->people.count; i++) {
		const struct person *p = &ui->people.all[i];
		bool in = ui->current != NULL && person_is_in(p, slot);

		if (p->stale || in != here || (!here && !p->connected))
			continue;
		if (list->skip > 0) {
			list->skip--;
			continue;
		}
		if (!headed && list->row + 2 < list->end) {
			list->row++;
			canvas_puts(c,
				(struct canvas_place){
					list->row++, r->col, r->cols},
				" ELSEWHERE", STYLE_HEAD);
			headed = true;
		}
		if (list->row >= list->end)
			return;
		draw_person(ui, c, list->row++, p);
		if (ui->layout.kind == LAYOUT_THREE && list->row < list->end)
			draw_person_more(ui, c, list->row++, p);
	}
}

void draw_people(const struct ui *ui, struct ui_canvas *c)
{
	const struct rect *r = &ui->layout.people;
	struct people_list list = {.row = r->row + 1,
		.end = r->row + r->rows,
		.skip = ui->people_top};
	char head[32];

	if (r->rows < 1 || r->cols < 1)
		return;
	blank_pane(c, r);
	snprintf(head, sizeof(head), " HERE %u", draw_count_here(ui));
	canvas_puts(c, (struct canvas_place){r->row, r->col, r->cols}, head,
		STYLE_HEAD);
	draw_group(ui, c, &list, true);
	draw_group(ui, c, &list, false);
}
