/*
 * The faces without a screen: --plain (a line of text for each event) and
 * --json (one JSON object a line, the events of the man page, "JSON"), each
 * alone or as --headless. Input is lines: what is said in the current room,
 * or a command with "/".
 *
 * Fed by whoever owns the loop; no I/O, no clock. One thread.
 *
 *   ui_msg ----> line_face_on_msg ----> write()    (whole lines of UTF-8)
 *   stdin  ----> line_face_on_input --> chat mailbox
 *
 * End of input:
 *   --headless   nothing happens: it is a service, it runs on.
 *   --plain      what was typed is finished: the face waits until every own
 *                line was handed to somebody, LINE_FACE_EOF_WAIT_MS at most,
 *                then asks the chat thread to quit. Exit status 75 when a
 *                line is still waiting (it is kept and goes out next time).
 */
#ifndef UI_LINE_LINE_FACE_H
#define UI_LINE_LINE_FACE_H

#include "base/bytes.h"
#include "base/error.h"
#include "msg/ui_clock.h"

#define LINE_FACE_EOF_WAIT_MS 10000
#define LINE_FACE_RETRY_MS 50 /* when the chat queue was full */

struct mailbox;
struct ui_msg;
struct line_face;

struct line_face_cfg {
	struct mailbox *chat; /* borrowed */
	/* Whole lines, each with its newline; may block. A result other than
	 * 0 means that nobody reads any more: the face wants to quit (74). */
	int (*write)(void *arg, struct bytes out);
	void *write_arg;
	bool json;
	bool headless;
	bool ascii; /* escape all that is not ASCII (plain text only) */
};

struct line_face *line_face_new(const struct line_face_cfg *cfg);
void line_face_free(struct line_face *f);

/* Takes the message. What it says is written by line_face_flush, or before. */
void line_face_on_msg(
	struct line_face *f, struct ui_msg *m, const struct ui_clock *clock);
/* Writes what was said, in one piece: due behind the last message at hand. */
void line_face_flush(struct line_face *f);
/*
 * Bytes of stdin, in pieces of any size. A line that is no UTF-8 or has more
 * than MSG_TEXT_BYTES_MAX bytes is an error event and is dropped.
 */
void line_face_on_input(
	struct line_face *f, struct bytes in, const struct ui_clock *clock);
/* stdin has ended; a last line without a newline counts. */
void line_face_on_eof(struct line_face *f, const struct ui_clock *clock);
/* False while lines wait for the chat queue: do not read stdin then. */
bool line_face_wants_input(const struct line_face *f);
/* SIGTERM, SIGINT: posts CHAT_MSG_QUIT. */
void line_face_quit(struct line_face *f);

/* Retries and ends what is due. Call it after every wake. */
void line_face_turn(struct line_face *f, const struct ui_clock *clock);
/* When to call line_face_turn at the latest (now_ms), or P2P_NEVER. */
uint64_t line_face_deadline(const struct line_face *f);
/* True after UI_MSG_QUIT, or when nobody reads the output any more. */
bool line_face_wants_quit(const struct line_face *f, int *status);

#endif
