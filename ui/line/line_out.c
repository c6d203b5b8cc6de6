/*
 * The way out of a line face: what stands in f->out goes to the writer, as
 * ASCII where the terminal shows no more; and an error of the face itself, in
 * the face's own form.
 */
#include "base/text.h"
#include "ui/line/line_internal.h"

/* Rewrites f->out with all that is not ASCII as \u{HEX}. */
static void escape_output(struct line_face *f)
{
	struct buf escaped;
	struct bytes in = buf_bytes(&f->out);

	buf_init(&escaped, 3 * f->out.max);
	while (in.len > 0) {
		size_t len = 1;
		uint32_t cp = utf8_decode(in, &len);

		if (cp < 0x80)
			(void)buf_append_u8(&escaped, (uint8_t)cp);
		else
			(void)buf_appendf(&escaped, "\\u{%X}", (unsigned)cp);
		in = bytes_skip(in, len);
	}
	buf_clear(&f->out);
	f->out = escaped;
}

void line_flush(struct line_face *f)
{
	if (f->cfg.ascii && !f->cfg.json)
		escape_output(f);
	if (f->out.len > 0 && !(f->quit && f->status == LINE_EXIT_IO) &&
		f->cfg.write(f->cfg.write_arg, buf_bytes(&f->out)) != 0) {
		f->quit = true;
		f->status = LINE_EXIT_IO;
	}
	buf_reset(&f->out);
	f->out.max = LINE_OUT_KEPT_BYTES + LINE_OUT_BYTES_MAX;
}

void line_error(struct line_face *f, const char *code, const char *text)
{
	if (f->cfg.json)
		line_json_error(f, code, text);
	else
		line_plain_error(f, text);
	line_flush(f);
}
