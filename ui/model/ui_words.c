/*
 * Words of the program itself, and those of others as this locale shows them.
 */
#include <stdio.h>

#include "base/text.h"
#include "base/xmalloc.h"
#include "ui/model/ui_internal.h"

char *ui_shown(const struct ui *ui, const char *text)
{
	struct bytes in = bytes_str(text);
	struct buf out;
	char *shown;

	if (utf8_valid(in) && !ui->cfg.ascii_text)
		return xstrdup(text);
	/* Topics may be any bytes; and some locales show ASCII only. */
	buf_init(&out, 10 * in.len + 16);
	while (in.len > 0) {
		size_t len = 1;
		uint32_t cp = utf8_decode(in, &len);

		if (cp < 0x80)
			(void)buf_append_u8(&out, (uint8_t)cp);
		else if (ui->cfg.ascii_text)
			(void)buf_appendf(&out, "\\u{%X}", (unsigned)cp);
		else
			utf8_encode(&out, cp);
		in = bytes_skip(in, len);
	}
	shown = xstrdup(buf_cstr(&out));
	buf_clear(&out);
	return shown;
}

void ui_note(struct ui *ui, const char *text)
{
	snprintf(ui->note, sizeof(ui->note), "%s", text);
	ui->note_until_ms = ui->clock.now_ms + UI_NOTE_MS;
	ui->dirty = true;
}
