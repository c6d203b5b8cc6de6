/*
 * The place that is seen. It is kept as the key of the line that the first row
 * belongs to and a row in it, and looked up again each time, so that lines may
 * come, go and wrap anew without moving what is being read. A view whose end is
 * seen follows instead.
 */
#include "ui/model/scroll.h"

#include "ui/model/ui_internal.h"

int scroll_height(const struct ui *ui)
{
	int rows = ui->layout.chat.rows;

	if (ui->current != NULL && !ui->current->view.follow)
		rows--;
	return P2P_MAX(rows, 1);
}

static int compare(struct scroll_place a, struct scroll_place b)
{
	if (a.item != b.item)
		return a.item < b.item ? -1 : 1;
	return a.row - b.row;
}

/* The first row of a pane that shows the end. */
static struct scroll_place bottom(const struct ui *ui)
{
	int left = P2P_MAX(ui->layout.chat.rows, 1);
	size_t item = flow_items(ui->current);

	while (item > 0) {
		int rows = flow_rows(ui, ui->current, --item);

		if (rows >= left)
			return (struct scroll_place){item, rows - left};
		left -= rows;
	}
	return (struct scroll_place){0, 0};
}

static bool key_is_zero(const struct line_key *k)
{
	static const struct line_key zero;

	return line_key_compare(k, &zero) == 0;
}

struct scroll_place scroll_top(const struct ui *ui)
{
	const struct room *r = ui->current;
	struct scroll_place end = bottom(ui);
	struct scroll_place p;
	size_t items = flow_items(r);
	int rows;

	if (r == NULL || r->view.follow)
		return end;
	p.item = key_is_zero(&r->view.top)
			 ? 0
			 : window_find(&r->win, &r->view.top) + 1;
	p.item = P2P_MIN(p.item, items - 1);
	/* What is folded by now is where its fold is. */
	while (p.item > 1 && r->win.lines[p.item - 1]->part == FOLD_INSIDE)
		p.item--;
	while (p.item < items - 1 && flow_rows(ui, r, p.item) == 0)
		p.item++;
	rows = flow_rows(ui, r, p.item);
	p.row = P2P_MIN(r->view.row, P2P_MAX(rows - 1, 0));
	return compare(p, end) > 0 ? end : p;
}

static void set_top(struct room *r, struct scroll_place p)
{
	r->view.follow = false;
	r->view.row = p.row;
	if (p.item == 0)
		r->view.top = (struct line_key){0};
	else
		r->view.top = r->win.lines[p.item - 1]->key;
}

void scroll_pin(struct ui *ui)
{
	if (ui->current != NULL && ui->current->view.follow)
		set_top(ui->current, scroll_top(ui));
}

void scroll_show(struct ui *ui, size_t item, size_t last)
{
	struct scroll_place top = scroll_top(ui);
	int rows = -top.row;

	for (size_t i = top.item; i <= last; i++)
		rows += flow_rows(ui, ui->current, i);
	if (rows > scroll_height(ui))
		set_top(ui->current, (struct scroll_place){item, 0});
}

static int go_up(const struct ui *ui, struct scroll_place *p, int rows)
{
	while (rows > 0) {
		int step = P2P_MIN(rows, p->row);

		p->row -= step;
		rows -= step;
		if (rows == 0 || p->item == 0)
			break;
		p->item--;
		p->row = flow_rows(ui, ui->current, p->item);
	}
	return rows;
}

static void go_down(const struct ui *ui, struct scroll_place *p, int rows)
{
	size_t items = flow_items(ui->current);

	p->row += rows;
	while (p->item < items - 1) {
		int here = flow_rows(ui, ui->current, p->item);

		if (p->row < here)
			return;
		p->row -= here;
		p->item++;
	}
}

void scroll_to_newest(struct ui *ui)
{
	struct room *r = ui->current;

	if (r == NULL)
		return;
	r->view.follow = true;
	r->view.newer = 0;
	r->view.want_up = 0;
	if (!r->at_newest)
		ui_page_ask(r, true);
}

void scroll_to_oldest(struct ui *ui)
{
	struct room *r = ui->current;
	struct scroll_place first = {0, 0};

	if (r == NULL)
		return;
	/* Without a welcome the first row is that of the oldest line. */
	if (flow_rows(ui, r, 0) == 0 && r->win.count > 0)
		first.item = 1;
	if (compare(first, bottom(ui)) < 0)
		set_top(r, first);
	if (!r->at_oldest) {
		r->cleared = false;
		r->view.want_up = 1;
		if (r->load == ROOM_LOAD_DONE)
			ui_page_ask(r, false);
	}
}

int scroll_by(struct ui *ui, int rows)
{
	struct room *r = ui->current;
	struct scroll_place p;
	int left = 0;

	if (r == NULL)
		return 0;
	p = scroll_top(ui);
	if (rows < 0) {
		struct scroll_place end = bottom(ui);

		left = go_up(ui, &p, -rows);
		if (compare(p, end) < 0)
			set_top(r, p);
		return left;
	}
	if (r->view.follow)
		return 0;
	go_down(ui, &p, rows);
	if (compare(p, bottom(ui)) >= 0)
		scroll_to_newest(ui);
	else
		set_top(r, p);
	return 0;
}

void scroll_settle(struct ui *ui)
{
	struct room *r = ui->current;

	if (r == NULL || r->view.follow || !r->at_newest)
		return;
	if (r->view.want_up == 0 && compare(scroll_top(ui), bottom(ui)) >= 0) {
		r->view.follow = true;
		r->view.newer = 0;
	}
}

static bool is_full(const struct window *w)
{
	return w->count + UI_PAGE_LINES > UI_WINDOW_LINES_MAX ||
	       w->bytes + UI_PAGE_LINES * UI_TEXT_KEPT_STRANGER >
		       UI_WINDOW_BYTES_MAX;
}

void scroll_page_if_near(struct ui *ui)
{
	struct room *r = ui->current;

	if (r == NULL || r->load != ROOM_LOAD_DONE || r->at_oldest ||
		r->cleared || r->page_empty || ui->layout.kind == LAYOUT_DOT)
		return;
	/* The page would push itself out again. */
	if (r->view.follow && is_full(&r->win))
		return;
	if (scroll_top(ui).item <= (size_t)scroll_height(ui))
		ui_page_ask(r, false);
}
