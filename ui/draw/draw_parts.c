/*
 * What the parts of the screen have in common: rules as the locale has them,
 * the colour of a name, how many are here.
 */
#include "ui/draw/draw_internal.h"

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

unsigned draw_count_here(const struct ui *ui)
{
	unsigned n = 0;

	for (size_t i = 0; ui->current != NULL && i < ui->people.count; i++)
		n += person_is_in(&ui->people.all[i], ui->current->slot);
	return n;
}
