/*
 * Folds of the room that is shown: reckoned anew while its end is seen, left as
 * they are while something further up is read; opened and closed by the person.
 * A line that was kept in part is asked for whole when it is opened.
 */
#include <string.h>

#include "ui/model/fold.h"
#include "ui/model/scroll.h"
#include "ui/model/ui_internal.h"

void ui_fold_settle(struct ui *ui)
{
	struct room *r = ui->current;
	struct fold_cfg cfg;

	if (r == NULL)
		return;
	if (r->view.follow || r->refold)
		window_let_go(&r->win);
	if (!r->win.unsettled)
		return;
	cfg = (struct fold_cfg){
		.fresh = r->view.follow || r->refold,
		.comings = ui->unfolded,
		.utc_offset_s = ui->clock.utc_offset_s,
		.new_shown = r->new_shown,
		.new_key = r->new_key,
	};
	fold_settle(&r->win, &cfg);
	r->win.unsettled = false;
	r->refold = false;
}

void ui_fold_again(struct ui *ui)
{
	if (ui->current == NULL)
		return;
	ui->current->refold = true;
	ui->current->win.unsettled = true;
	ui_fold_settle(ui);
}

/* What can be opened or closed in one go: a fold, or a line. */
static bool is_closed(const struct line *l)
{
	return l->part == FOLD_HEAD || (l->more && !l->opened);
}

static void set_opened(struct line *l, bool opened)
{
	l->opened = opened;
	l->rows = 0;
}

static void want_whole(struct room *r, struct line *l)
{
	if (!l->cut || l->gone)
		return;
	if (!line_is_stored(l) || l->not_kept) {
		l->gone = true;
		return;
	}
	r->whole_wanted = true;
	r->whole_key = l->key;
}

/* Returns the last line opened. */
static size_t open_at(struct room *r, size_t at)
{
	struct line *l = r->win.lines[at];

	if (l->part != FOLD_HEAD) {
		set_opened(l, true);
		want_whole(r, l);
		return at;
	}
	do {
		set_opened(r->win.lines[at++], true);
	} while (at < r->win.count && line_is_hidden(r->win.lines[at]));
	return at - 1;
}

/* With all that was opened beside it. */
static void close_at(struct room *r, size_t at)
{
	while (at > 0 && (r->win.lines[at - 1]->opened ||
				 line_is_hidden(r->win.lines[at - 1])))
		at--;
	for (; at < r->win.count &&
		(r->win.lines[at]->opened || line_is_hidden(r->win.lines[at]));
		at++)
		set_opened(r->win.lines[at], false);
}

/* The items seen now: those from *first to *last. */
static void find_seen(const struct ui *ui, size_t *first, size_t *last)
{
	struct scroll_place top = scroll_top(ui);
	struct flow_walk walk;
	struct flow_row row;
	int rows = scroll_height(ui);

	*first = P2P_MAX(top.item, (size_t)1);
	*last = top.item;
	flow_walk_start(&walk, ui, top.item, top.row);
	while (rows-- > 0 && flow_walk_next(&walk, &row))
		*last = walk.item;
}

/* Opens the last fold of these items, which is brought into view, or all. */
static bool open_seen(struct ui *ui, size_t first, size_t last, bool all)
{
	struct room *r = ui->current;
	bool found = false;

	for (size_t item = last + 1; item-- > first;) {
		struct line *l = r->win.lines[item - 1];
		size_t end;

		if (line_is_hidden(l) || !is_closed(l))
			continue;
		end = open_at(r, item - 1);
		found = true;
		if (all)
			continue;
		ui_fold_again(ui);
		scroll_show(ui, item, end + 1);
		break;
	}
	return found;
}

static bool close_seen(struct ui *ui, size_t first, size_t last)
{
	struct room *r = ui->current;
	bool found = false;

	for (size_t item = last + 1; item-- > first;) {
		if (!r->win.lines[item - 1]->opened)
			continue;
		close_at(r, item - 1);
		found = true;
	}
	return found;
}

void ui_fold_turn(struct ui *ui, bool all)
{
	size_t first, last;

	if (ui->current == NULL)
		return;
	ui_fold_settle(ui);
	find_seen(ui, &first, &last);
	scroll_pin(ui);
	if (!open_seen(ui, first, last, all) && !close_seen(ui, first, last))
		ui_note(ui, "nothing is folded on this screen");
	ui_fold_again(ui);
}
