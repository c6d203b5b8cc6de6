#include "ui/model/flow.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ui/model/ui_internal.h"

#define TIME_COLS 6
#define SAME_SPEAKER_MS (5 * 60 * 1000)
#define NARROW_FLAG 0x10000u

/* What stands before the text of a line, and where the text stands. */
struct frame {
	bool hidden; /* folded into the line before */
	bool day;
	bool new_rule;
	bool header;
	int first_col;
	int rest_col;
};

static bool is_wide(const struct ui *ui)
{
	return ui->layout.kind >= LAYOUT_ONE;
}

int flow_name_cols(const struct ui *ui)
{
	return ui->layout.kind == LAYOUT_THREE ? FLOW_NAME_COLS_THREE
					       : FLOW_NAME_COLS_ONE;
}

size_t flow_items(const struct room *room)
{
	return room == NULL ? 1 : room->win.count + 1;
}

static bool is_coming(const struct line *l)
{
	return l->kind == LINE_CAME || l->kind == LINE_LEFT;
}

static int32_t day_of(const struct ui *ui, const struct line *l)
{
	return ui_date_of(l->key.time_ms, ui->clock.utc_offset_s).day_number;
}

static bool new_before(const struct room *r, size_t i)
{
	return r->new_shown &&
	       line_key_compare(&r->win.lines[i]->key, &r->new_key) > 0 &&
	       (i == 0 || line_key_compare(
				  &r->win.lines[i - 1]->key, &r->new_key) <= 0);
}

/* Narrow panes: a speaker's name has its own row, once for what was said
 * within some minutes. */
static bool same_speaker(const struct line *a, const struct line *b)
{
	return a->kind == LINE_MESSAGE && !a->own &&
	       strcmp(a->name, b->name) == 0 && strcmp(a->tag, b->tag) == 0 &&
	       b->key.time_ms - a->key.time_ms < SAME_SPEAKER_MS;
}

static void frame_columns(
	const struct ui *ui, const struct line *l, struct frame *f)
{
	if (is_wide(ui)) {
		f->first_col = TIME_COLS + flow_name_cols(ui) + 2;
		f->rest_col = f->first_col;
	} else if (l->kind != LINE_MESSAGE) {
		f->first_col = 3;
		f->rest_col = 3;
	} else {
		f->first_col = l->own ? 6 : 2;
		f->rest_col = 2;
	}
}

static struct frame frame_of(
	const struct ui *ui, const struct room *r, size_t i)
{
	const struct line *l = r->win.lines[i];
	const struct line *prev = i == 0 ? NULL : r->win.lines[i - 1];
	struct frame f = {0};

	f.day = prev == NULL || day_of(ui, prev) != day_of(ui, l);
	f.new_rule = new_before(r, i);
	f.hidden = !ui->unfolded && is_coming(l) && prev != NULL &&
		   is_coming(prev) && !f.day && !f.new_rule;
	f.header = !is_wide(ui) && l->kind == LINE_MESSAGE && !l->own &&
		   (f.day || f.new_rule || !same_speaker(prev, l));
	frame_columns(ui, l, &f);
	return f;
}

/* Bytes of the next row of the text from *pos on; moves *pos. */
static struct bytes next_row(struct bytes text, size_t *pos, int cols)
{
	struct bytes rest = bytes_skip(text, *pos);
	size_t next = 0;
	size_t len = text_wrap(rest, (size_t)P2P_MAX(cols, 2), &next);

	*pos += next;
	return bytes_first(rest, len);
}

static int count_rows(struct bytes text, const struct frame *f, int cols)
{
	size_t pos = 0;
	int rows = 0;

	do {
		(void)next_row(text, &pos,
			cols - (rows == 0 ? f->first_col : f->rest_col));
		rows++;
	} while (pos < text.len);
	return rows;
}

static bool shows_welcome(const struct ui *ui, const struct room *r)
{
	if (r == NULL)
		return true;
	return r == ui->start && !r->cleared &&
	       (r->at_oldest ||
		       (r->win.count == 0 && r->load != ROOM_LOAD_DONE));
}

int flow_rows(const struct ui *ui, const struct room *room, size_t item)
{
	int cols = ui->layout.chat.cols;
	uint32_t stamp = (uint32_t)cols | (is_wide(ui) ? 0 : NARROW_FLAG);
	char rows[UI_WELCOME_MAX][128];
	struct frame f;
	struct line *l;

	if (item == 0)
		return shows_welcome(ui, room) ? welcome_build(ui, cols, rows)
					       : 0;
	l = room->win.lines[item - 1];
	f = frame_of(ui, room, item - 1);
	if (f.hidden)
		return 0;
	if (is_coming(l))
		return 1 + f.day + f.new_rule;
	if (l->rows == 0 || l->rows_width != stamp) {
		l->rows = (uint32_t)count_rows(bytes_str(l->text), &f, cols);
		l->rows_width = stamp;
	}
	return (int)l->rows + f.day + f.new_rule + f.header;
}

void flow_name(const struct line *l, int cols, struct buf *out)
{
	bool tagged = l->name_mark != ' ' && l->tag[0] != '\0';
	size_t tag = tagged ? strlen(l->tag) + 1 : 0;
	size_t room;
	size_t len;

	if (l->own) {
		(void)buf_append_str(out, "you");
		return;
	}
	if (l->name_mark == '!') {
		(void)buf_append_u8(out, '!');
		cols--;
	}
	room = (size_t)cols > tag ? (size_t)cols - tag : 0;
	len = text_fit(bytes_str(l->name), room, NULL);
	(void)buf_append(out, bytes_of(l->name, len));
	if (tagged)
		(void)buf_appendf(out, "~%s", l->tag);
}

/* "mali came", or what the whole run amounts to. */
static void fold_text(struct flow_walk *w, size_t i, bool narrow)
{
	const struct room *r = w->room;
	const struct line *l = r->win.lines[i];
	unsigned came = 0;
	unsigned left = 0;
	int n;

	do {
		came += r->win.lines[i]->kind == LINE_CAME;
		left += r->win.lines[i]->kind == LINE_LEFT;
		i++;
	} while (i < r->win.count && frame_of(w->ui, r, i).hidden);
	if (came + left == 1) {
		snprintf(w->scratch, sizeof(w->scratch), "%s %s", l->name,
			came == 1 ? "came" : "left");
		return;
	}
	if (left == 0)
		n = snprintf(
			w->scratch, sizeof(w->scratch), "%u people came", came);
	else if (came == 0)
		n = snprintf(
			w->scratch, sizeof(w->scratch), "%u people left", left);
	else
		n = snprintf(w->scratch, sizeof(w->scratch),
			came == 1 ? "%u person came, %u left"
				  : "%u people came, %u left",
			came, left);
	if (!narrow)
		snprintf(w->scratch + n, sizeof(w->scratch) - (size_t)n,
			" (Alt-= shows each)");
}

static bool welcome_row(struct flow_walk *w, struct flow_row *out)
{
	if (w->row == 0)
		w->welcome_rows =
			shows_welcome(w->ui, w->room)
				? welcome_build(w->ui, w->cols, w->welcome)
				: 0;
	if (w->row >= w->welcome_rows)
		return false;
	*out = (struct flow_row){
		.kind = FLOW_ROW_WELCOME,
		.text = bytes_str(w->welcome[w->row]),
	};
	w->row++;
	return true;
}

static void text_row(struct flow_walk *w, const struct frame *f, bool first,
	struct flow_row *out)
{
	struct bytes text = bytes_str(out->line->text);

	out->kind = first ? FLOW_ROW_FIRST : FLOW_ROW_REST;
	out->col = first ? f->first_col : f->rest_col;
	if (is_coming(out->line)) {
		fold_text(w, w->item - 1, !is_wide(w->ui));
		text = bytes_str(w->scratch);
		out->text = bytes_first(text,
			text_fit(text, (size_t)P2P_MAX(w->cols - out->col, 2),
				NULL));
		w->pos = SIZE_MAX;
		return;
	}
	out->text = next_row(text, &w->pos, w->cols - out->col);
	if (w->pos >= text.len)
		w->pos = SIZE_MAX;
}

/* False when the item has no more rows. */
static bool line_row(struct flow_walk *w, struct flow_row *out)
{
	struct frame f = frame_of(w->ui, w->room, w->item - 1);
	int before = f.day + f.new_rule + f.header;

	if (f.hidden || w->pos == SIZE_MAX)
		return false;
	*out = (struct flow_row){.line = w->room->win.lines[w->item - 1]};
	if (w->row < f.day)
		out->kind = FLOW_ROW_DAY;
	else if (w->row < f.day + f.new_rule)
		out->kind = FLOW_ROW_NEW;
	else if (w->row < before)
		out->kind = FLOW_ROW_HEADER;
	else
		text_row(w, &f, w->row == before, out);
	w->row++;
	return true;
}

bool flow_walk_next(struct flow_walk *w, struct flow_row *out)
{
	while (w->item < flow_items(w->room)) {
		if (w->item == 0 ? welcome_row(w, out) : line_row(w, out))
			return true;
		w->item++;
		w->row = 0;
		w->pos = 0;
	}
	return false;
}

void flow_walk_start(
	struct flow_walk *w, const struct ui *ui, size_t item, int row)
{
	struct flow_row skipped;

	w->ui = ui;
	w->room = ui->current;
	w->cols = ui->layout.chat.cols;
	w->item = item;
	w->row = 0;
	w->pos = 0;
	w->welcome_rows = 0;
	while (w->row < row && w->item == item)
		if (!flow_walk_next(w, &skipped))
			return;
}
