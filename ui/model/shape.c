/*
 * The input as rows, with the place of the cursor in them. Rows are cut at the
 * column, not at spaces: a person who types in the middle must not see the rest
 * jump. In ASCII locales a character is as wide as its escape.
 */
#include "ui/model/shape.h"

#include <stdio.h>

#include "base/text.h"

#define PROMPT_TITLE_COLS 16

void shape_prompt(const struct ui *ui, char out[static 40])
{
	const char *title;
	size_t len;

	if (ui->layout.kind == LAYOUT_DOT) {
		out[0] = '\0';
		return;
	}
	if (ui->layout.kind < LAYOUT_ONE || ui->current == NULL) {
		snprintf(out, 40, "> ");
		return;
	}
	title = ui->current->title;
	len = text_fit(bytes_str(title), PROMPT_TITLE_COLS, NULL);
	/* Marks can make 16 columns long; the prompt is cut, not broken. */
	while (len > 30)
		len -= text_last_cluster(bytes_of(title, len));
	snprintf(out, 40, " #%.*s> ", (int)len, title);
}

int shape_prompt_cols(const struct ui *ui)
{
	char prompt[40];

	shape_prompt(ui, prompt);
	return (int)text_width(bytes_str(prompt));
}

int shape_cluster_cols(const struct ui *ui, struct bytes cluster)
{
	int cols = 0;

	if (!ui->cfg.ascii_text) {
		(void)text_cluster(cluster, &cols);
		return cols;
	}
	while (cluster.len > 0) {
		size_t len = 1;
		uint32_t cp = utf8_decode(cluster, &len);

		if (cp < 0x80)
			cols++;
		else
			cols += snprintf(NULL, 0, "\\u{%X}", (unsigned)cp);
		cluster = bytes_skip(cluster, len);
	}
	return cols;
}

size_t shape_row(const struct ui *ui, struct bytes text, int cols, size_t *next)
{
	size_t at = 0;
	int used = 0;

	while (at < text.len && text.data[at] != '\n') {
		struct bytes rest = bytes_skip(text, at);
		struct bytes cluster =
			bytes_first(rest, text_cluster(rest, NULL));
		int width = shape_cluster_cols(ui, cluster);

		if (used + width > cols && at > 0)
			break;
		used += width;
		at += cluster.len;
	}
	*next = at + (at < text.len && text.data[at] == '\n');
	return at;
}

struct shape shape_measure(const struct ui *ui, int cols)
{
	const struct edit *e = ui_edit_of(ui);
	struct bytes text = edit_text(e);
	struct shape s = {0};
	size_t start = 0;
	bool more = true;

	cols = P2P_MAX(cols - 1, 1); /* the cursor's own column */
	while (more) {
		struct bytes rest = bytes_skip(text, start);
		size_t next;
		size_t len = shape_row(ui, rest, cols, &next);
		bool newline = next > len;

		more = start + next < text.len || newline;
		if (e->cursor >= start &&
			(e->cursor < start + next || !more ||
				(newline && e->cursor == start + len))) {
			struct bytes before =
				bytes_first(rest, e->cursor - start);
			int col = 0;

			while (before.len > 0) {
				size_t n = text_cluster(before, NULL);

				col += shape_cluster_cols(
					ui, bytes_first(before, n));
				before = bytes_skip(before, n);
			}
			s.cursor_row = s.rows;
			s.cursor_col = P2P_MIN(col, cols);
		}
		start += next;
		s.rows++;
	}
	return s;
}
