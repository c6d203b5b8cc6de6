/*
 * Lines as rows. Both scrolling and drawing count with the functions here, so a
 * row is where it was reckoned to be. How a line looks depends on the one shown
 * before it (frame_of: a new day, the same speaker, people coming and going);
 * the rows that its text takes are kept in the line, stamped with what they
 * depend on, since counting them anew for each frame would be most of the work.
 */
#include "ui/model/flow.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ui/model/fold.h"
#include "ui/model/ui_internal.h"

#define TIME_COLS 6
#define MARK_COLS 3 /* "-- " */
/* So many rows of each text are shown in the smallest pane. */
#define ROWS_MAX_KNOWN 12
#define ROWS_MAX_STRANGER 8
#define SAME_SPEAKER_MS (5 * 60 * 1000)
/* A second column begins within so many, and leaves so many for its text. */
#define HANG_COLS_MAX 26
#define HANG_TEXT_COLS_MIN 24

/* What stands before the text of a line, and where the text stands. */
struct frame {
	bool hidden; /* folded into the line before, or not to be shown */
	bool fold;   /* one row for all of a fold */
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
	int max = P2P_MIN(ui->layout.chat.cols / 4 + 1, FLOW_NAME_COLS_MAX);
	int want = ui->current == NULL ? 0 : ui->current->win.name_cols;

	return P2P_MAX(P2P_MIN(want, max), FLOW_NAME_COLS_MIN);
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

/* The line that is shown before line i, or NULL. */
static const struct line *shown_before(const struct room *r, size_t i)
{
	while (i > 0)
		if (!line_is_hidden(r->win.lines[--i]))
			return r->win.lines[i];
	return NULL;
}

static bool new_before(
	const struct room *r, const struct line *prev, const struct line *l)
{
	return r->new_shown && line_key_compare(&l->key, &r->new_key) > 0 &&
	       (prev == NULL || line_key_compare(&prev->key, &r->new_key) <= 0);
}

/* Narrow panes: a speaker's name has its own row, once for what was said
 * within some minutes. */
static bool same_speaker(const struct line *a, const struct line *b)
{
	return a->kind == LINE_MESSAGE && !a->own && a->part == FOLD_ALONE &&
	       strcmp(a->name, b->name) == 0 && strcmp(a->tag, b->tag) == 0 &&
	       b->key.time_ms - a->key.time_ms < SAME_SPEAKER_MS;
}

static void frame_columns(
	const struct ui *ui, const struct line *l, struct frame *f)
{
	if (l->kind != LINE_MESSAGE || f->fold) {
		f->first_col = MARK_COLS + (is_wide(ui) ? TIME_COLS : 0);
		f->rest_col = f->first_col;
	} else if (is_wide(ui)) {
		/* The name has a mark before it, an own line's behind it. */
		f->first_col = TIME_COLS + 1 + flow_name_cols(ui) + 2;
		f->rest_col = f->first_col;
	} else {
		f->first_col = l->own ? 6 : 2;
		f->rest_col = 2;
	}
}

static struct frame frame_of(
	const struct ui *ui, const struct room *r, size_t i)
{
	const struct line *l = r->win.lines[i];
	const struct line *prev;
	struct frame f = {.hidden = line_is_hidden(l)};

	if (f.hidden)
		return f;
	prev = shown_before(r, i);
	f.day = prev == NULL || day_of(ui, prev) != day_of(ui, l);
	f.new_rule = new_before(r, prev, l);
	f.hidden = !ui->unfolded && is_coming(l) && prev != NULL &&
		   is_coming(prev) && !f.day && !f.new_rule;
	f.fold = l->part == FOLD_HEAD;
	f.header = !is_wide(ui) && !f.fold && l->kind == LINE_MESSAGE &&
		   !l->own && (f.day || f.new_rule || !same_speaker(prev, l));
	frame_columns(ui, l, &f);
	return f;
}

/* Where the second column of a line of the program's own words begins: bytes
 * to it, *cols columns; 0 when there is none. */
static size_t second_column(struct bytes line, int pane_cols, size_t *cols)
{
	size_t at = 0;

	*cols = 0;
	while (at < line.len && at < HANG_COLS_MAX && line.data[at] != '\n') {
		if (line.data[at] != ' ' && at >= 2 &&
			line.data[at - 1] == ' ' && line.data[at - 2] == ' ') {
			*cols = text_width(bytes_first(line, at));
			if ((int)*cols + HANG_TEXT_COLS_MIN <= pane_cols)
				return at;
			break;
		}
		at++;
	}
	*cols = 0;
	return 0;
}

static size_t line_start(struct bytes text, size_t pos)
{
	while (pos > 0 && text.data[pos - 1] != '\n')
		pos--;
	return pos;
}

/* The next row of the line's text from *pos on; moves *pos. *indent: columns
 * it is moved in by. */
static struct bytes next_row(
	const struct line *l, size_t *pos, int cols, int *indent)
{
	struct bytes text = bytes_str(l->text);
	struct bytes rest = bytes_skip(text, *pos);
	size_t hang_cols = 0;
	size_t head = 0;
	size_t next = 0;
	size_t len;

	*indent = 0;
	if (l->kind == LINE_NOTICE) {
		size_t start = line_start(text, *pos);

		head = second_column(bytes_skip(text, start), cols, &hang_cols);
		if (*pos > start) {
			*indent = (int)hang_cols;
			head = 0;
		}
	}
	cols -= (int)hang_cols;
	len = head + text_wrap(bytes_skip(rest, head), (size_t)P2P_MAX(cols, 2),
			     &next);
	*pos += head + next;
	return bytes_first(rest, len);
}

/* Rows that the text may take. What the program says is never cut. */
static int rows_max(const struct ui *ui, const struct line *l)
{
	int pane = ui->layout.chat.rows;

	if (l->kind != LINE_MESSAGE || l->opened)
		return INT_MAX - 1;
	return l->own || l->known ? P2P_MAX(pane - 1, ROWS_MAX_KNOWN)
				  : P2P_MAX(pane / 4, ROWS_MAX_STRANGER);
}

/* Rows of the text, at most max + 1. */
static int count_rows(
	const struct line *l, const struct frame *f, int cols, int max)
{
	size_t len = strlen(l->text);
	size_t pos = 0;
	int indent;
	int rows = 0;

	do {
		(void)next_row(l, &pos,
			cols - (rows == 0 ? f->first_col : f->rest_col),
			&indent);
		rows++;
	} while (pos < len && rows <= max);
	return rows;
}

/* What the number of a line's rows depends on. */
static uint32_t rows_stamp(const struct ui *ui)
{
	return (uint32_t)ui->layout.chat.cols |
	       (is_wide(ui) ? (uint32_t)flow_name_cols(ui) << 10 : 0) |
	       (uint32_t)ui->layout.chat.rows << 16;
}

/* Counts the rows of the line's text, once for each layout. */
static void measure(const struct ui *ui, struct line *l, const struct frame *f)
{
	uint32_t stamp = rows_stamp(ui);
	int max = rows_max(ui, l);
	int rows;

	if (l->rows != 0 && l->rows_stamp == stamp)
		return;
	rows = count_rows(l, f, ui->layout.chat.cols, max);
	l->more = rows > max || l->cut;
	if (l->more)
		rows = P2P_MIN(rows + 1, max);
	l->rows = (uint32_t)rows;
	l->rows_stamp = stamp;
}

/* What stands above the oldest line; returns its rows. */
static int build_head(
	const struct ui *ui, const struct room *r, int cols, char rows[][128])
{
	if (r == NULL)
		return welcome_build(ui, cols, rows);
	if (r->cleared)
		return 0;
	if (r == ui->start)
		return r->at_oldest || (r->win.count == 0 &&
					       r->load != ROOM_LOAD_DONE)
			       ? welcome_build(ui, cols, rows)
			       : 0;
	return r->at_oldest && r->win.count == 0
		       ? welcome_build_empty(r, cols, rows)
		       : 0;
}

int flow_rows(const struct ui *ui, const struct room *room, size_t item)
{
	int cols = ui->layout.chat.cols;
	char rows[UI_WELCOME_MAX][128];
	struct frame f;
	struct line *l;

	if (item == 0)
		return build_head(ui, room, cols, rows);
	l = room->win.lines[item - 1];
	f = frame_of(ui, room, item - 1);
	if (f.hidden)
		return 0;
	if (is_coming(l) || f.fold)
		return 1 + f.day + f.new_rule;
	measure(ui, l, &f);
	return (int)l->rows + f.day + f.new_rule + f.header;
}

/* "mali came", with what is known of the person by now. */
static void one_text(struct flow_walk *w, const struct line *l)
{
	const struct person *p =
		l->peer == NULL ? NULL : people_find(&w->ui->people, l->peer);
	bool tagged = p != NULL && p->named && ui_mark_needs_tag(p->name_mark);

	snprintf(w->scratch, sizeof(w->scratch), "%s%s%s %s",
		p == NULL ? l->name : p->name, tagged ? "~" : "",
		tagged ? p->tag : "", l->kind == LINE_CAME ? "came" : "left");
}

/* One person's coming or going, or what the whole run amounts to. */
static void fold_text(struct flow_walk *w, size_t i, bool narrow)
{
	const struct room *r = w->room;
	const struct line *l = r->win.lines[i];
	unsigned came = 0;
	unsigned left = 0;
	int n;

	do {
		if (!r->win.lines[i]->ignored && !r->win.lines[i]->held &&
			is_coming(r->win.lines[i])) {
			came += r->win.lines[i]->kind == LINE_CAME;
			left += r->win.lines[i]->kind == LINE_LEFT;
		}
		i++;
	} while (i < r->win.count && frame_of(w->ui, r, i).hidden);
	if (came + left == 1) {
		one_text(w, l);
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
			build_head(w->ui, w->room, w->cols, w->welcome);
	if (w->row >= w->welcome_rows)
		return false;
	*out = (struct flow_row){
		.kind = FLOW_ROW_WELCOME,
		.text = bytes_str(w->welcome[w->row]),
	};
	w->row++;
	return true;
}

/* How much of a long text is not shown. */
static void more_words(struct flow_walk *w, const struct line *l)
{
	size_t left = l->bytes - P2P_MIN(w->pos, (size_t)l->bytes);
	bool small = left < 1024;
	size_t count = small ? left : (left + 1023) / 1024;
	const char *what = l->gone     ? ", not kept"
			   : l->opened ? ": being fetched"
				       : " (Alt-e opens)";

	snprintf(w->scratch, sizeof(w->scratch), "%zu %s more%s", count,
		small ? "bytes" : "kB", what);
}

/* The program's own row within what others say: behind "--", where no text of
 * others begins. */
static void words_row(
	struct flow_walk *w, const struct line *l, struct flow_row *out)
{
	struct bytes text;

	out->col = MARK_COLS + (is_wide(w->ui) ? TIME_COLS : 0);
	if (out->kind == FLOW_ROW_MORE)
		more_words(w, l);
	else
		fold_words(&w->room->win, w->item - 1,
			P2P_MAX(w->cols - out->col, 2), w->scratch,
			sizeof(w->scratch));
	text = bytes_str(w->scratch);
	out->text = bytes_first(text,
		text_fit(text, (size_t)P2P_MAX(w->cols - out->col, 2), NULL));
	w->pos = SIZE_MAX;
}

static void text_row(struct flow_walk *w, const struct frame *f, int row,
	struct flow_row *out)
{
	bool first = row == 0;
	const struct line *l = out->line;
	struct bytes text;
	int indent;

	out->kind = f->fold ? FLOW_ROW_FOLD : FLOW_ROW_MORE;
	if (f->fold || (l->more && row == (int)l->rows - 1)) {
		words_row(w, l, out);
		return;
	}
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
	out->text = next_row(out->line, &w->pos, w->cols - out->col, &indent);
	out->col += indent;
	if (w->pos >= strlen(l->text) && !l->more)
		w->pos = SIZE_MAX;
}

/* False when the item has no more rows. */
static bool line_row(struct flow_walk *w, struct flow_row *out)
{
	struct frame f = frame_of(w->ui, w->room, w->item - 1);
	int before = f.day + f.new_rule + f.header;

	if (f.hidden || w->pos == SIZE_MAX)
		return false;
	if (!f.fold && !is_coming(w->room->win.lines[w->item - 1]))
		measure(w->ui, w->room->win.lines[w->item - 1], &f);
	*out = (struct flow_row){.line = w->room->win.lines[w->item - 1]};
	if (w->row < f.day)
		out->kind = FLOW_ROW_DAY;
	else if (w->row < f.day + f.new_rule)
		out->kind = FLOW_ROW_NEW;
	else if (w->row < before)
		out->kind = FLOW_ROW_HEADER;
	else
		text_row(w, &f, w->row - before, out);
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
