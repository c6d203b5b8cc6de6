/*
 * What the parts of the screen have in common: rules as the locale has them,
 * names and their colours, how many are here.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ui/draw/draw_internal.h"

/* Of the key's end behind a cut name that is not tagged. */
#define CUT_KEY_COLS 4

const char *draw_across(const struct ui *ui)
{
	return ui->cfg.ascii ? "-" : "\xe2\x94\x80";
}

const char *draw_down(const struct ui *ui)
{
	return ui->cfg.ascii ? "|" : "\xe2\x94\x82";
}

enum canvas_style draw_name_style(const char *name)
{
	unsigned sum = 0;

	for (; *name != '\0'; name++)
		sum = sum * 31 + (unsigned char)*name;
	return (enum canvas_style)(STYLE_NAME + sum % STYLE_NAMES);
}

/* The end of a key is the better half of it. */
static int draw_cut_key(struct ui_canvas *c, struct canvas_place at,
	const char *cut, const struct draw_who *who)
{
	int skip = (int)strlen(who->name) -
		   P2P_MAX(at.cols - (int)text_width(bytes_str(cut)), 0);
	int start = at.col;

	at.col += canvas_puts(c, at, cut, who->style);
	at.cols -= at.col - start;
	at.col += canvas_puts(c, at, who->name + P2P_MAX(skip, 0), who->style);
	return at.col - start;
}

static int draw_cut(const struct ui *ui, struct ui_canvas *c,
	struct canvas_place at, const struct draw_who *who)
{
	const char *cut = ui->cfg.ascii ? "~~" : "\xE2\x80\xA6";
	size_t len = strlen(who->tag);
	char key[24];
	int room, start = at.col, end = at.col + at.cols;

	if (len == 0)
		return draw_cut_key(c, at, cut, who);
	if (who->tagged)
		snprintf(key, sizeof(key), "%s~%s", cut, who->tag);
	else
		snprintf(key, sizeof(key), "%s%s", cut,
			who->tag +
				(len > CUT_KEY_COLS ? len - CUT_KEY_COLS : 0));
	room = at.cols - (int)text_width(bytes_str(key));
	at.cols = P2P_MAX(room, 0);
	if (at.cols > 0)
		at.col += canvas_puts(c, at, who->name, who->style);
	at.cols = end - at.col;
	at.col += canvas_puts(c, at, key, STYLE_DIM);
	return at.col - start;
}

int draw_who(const struct ui *ui, struct ui_canvas *c, struct canvas_place at,
	const struct draw_who *who)
{
	int width = (int)text_width(bytes_str(who->name));
	int tag = who->tagged ? (int)strlen(who->tag) + 1 : 0;
	int start = at.col, end = at.col + at.cols;
	char text[16];

	if (width + tag > at.cols)
		return draw_cut(ui, c, at, who);
	at.col += canvas_puts(c, at, who->name, who->style);
	if (tag > 0) {
		snprintf(text, sizeof(text), "~%s", who->tag);
		at.cols = end - at.col;
		at.col += canvas_puts(c, at, text, STYLE_DIM);
	}
	return at.col - start;
}

unsigned draw_count_here(const struct ui *ui)
{
	unsigned n = 0;

	for (size_t i = 0; ui->current != NULL && i < ui->people.count; i++)
		n += person_is_in(&ui->people.all[i], ui->current->slot);
	return n;
}
