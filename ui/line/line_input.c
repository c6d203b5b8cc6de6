/*
 * Standard input cut into lines, each for the chat thread. Bytes come in any
 * pieces; a line that chat has no room for stays at the front, and above
 * LINE_IN_STOP_BYTES no more is read, so whoever writes to us waits.
 */
#include <string.h>

#include "base/text.h"
#include "ui/line/line_internal.h"

/* Whether it is said in the room, not a command ("//" says a slash). */
static bool is_said(struct bytes line)
{
	return line.data[0] != '/' || (line.len > 1 && line.data[1] == '/');
}

/* False when the chat queue is full: the line stays. */
static bool post_line(struct line_face *f, struct bytes line)
{
	struct buf text;
	struct msg *out;
	int err;

	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0)
		return true;
	if (!utf8_valid(line)) {
		line_error(f, "not-utf8", "That line is not UTF-8.");
		return true;
	}
	buf_init(&text, line.len);
	(void)buf_append(&text, line);
	/* A NUL cannot be typed; what is behind it would be lost unseen. */
	if (memchr(line.data, 0, line.len) != NULL) {
		line_error(f, "not-utf8", "That line holds a NUL byte.");
		buf_clear(&text);
		return true;
	}
	out = &chat_ui_msg_new(CHAT_MSG_LINE, NULL, buf_cstr(&text))->msg;
	buf_clear(&text);
	err = mailbox_post(f->cfg.chat, &out);
	if (err != 0) {
		msg_free(out);
		return err != P2P_ERR_FULL;
	}
	if (is_said(line))
		f->said++;
	return true;
}

static void too_long(struct line_face *f)
{
	line_error(f, "too-long", "That line is too long; it was not sent.");
}

/* Takes one line off the front; false when there is none to take now. */
static bool take_line(struct line_face *f)
{
	struct bytes in = buf_bytes(&f->in);
	const uint8_t *end = in.len == 0 ? NULL : memchr(in.data, '\n', in.len);
	size_t len = end == NULL ? in.len : (size_t)(end - in.data);

	if (end == NULL && !(f->eof && in.len > 0)) {
		if (f->skipping) {
			buf_reset(&f->in);
		} else if (len > MSG_TEXT_BYTES_MAX) {
			too_long(f);
			f->skipping = true;
			buf_reset(&f->in);
		}
		return false;
	}
	if (!f->skipping && len > MSG_TEXT_BYTES_MAX) {
		too_long(f);
	} else if (!f->skipping && !post_line(f, bytes_first(in, len))) {
		f->blocked = true;
		return false;
	}
	f->skipping = false;
	buf_drop_front(&f->in, len + (end != NULL));
	return true;
}

void line_input_process(struct line_face *f)
{
	f->blocked = false;
	while (take_line(f))
		;
}

void line_face_on_input(
	struct line_face *f, struct bytes in, const struct ui_clock *clock)
{
	f->now_ms = clock->now_ms;
	if (buf_append(&f->in, in) != 0) {
		/* Only a caller that does not look at wants_input comes here;
		 * nothing is dropped without a word. */
		f->in.failed = false;
		line_error(f, "busy", "Input came too fast; some was lost.");
	}
	line_input_process(f);
}

void line_face_on_eof(struct line_face *f, const struct ui_clock *clock)
{
	f->now_ms = clock->now_ms;
	f->eof = true;
	f->eof_ms = clock->now_ms;
	line_input_process(f);
}

bool line_face_wants_input(const struct line_face *f)
{
	return !f->eof && !f->quit && f->in.len < LINE_IN_STOP_BYTES;
}
