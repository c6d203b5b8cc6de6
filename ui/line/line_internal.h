/*
 * Inside ui/line: the face's state, shared by its writers (line_plain.c,
 * line_json.c) and its reader (line_input.c).
 */
#ifndef UI_LINE_LINE_INTERNAL_H
#define UI_LINE_LINE_INTERNAL_H

#include "base/buf.h"
#include "msg/ui_msg.h"
#include "ui/line/line_face.h"

/* Own lines watched until somebody has them; more are not counted. */
#define LINE_OWN_MAX 256
/* Rooms whose title is remembered; others are called by their topic. */
#define LINE_ROOMS_MAX 64
/* One event as text: a message of 64 KiB, each byte escaped, and names. */
#define LINE_OUT_BYTES_MAX (1u << 20)
/* Events are written together, but no more than this is kept back. */
#define LINE_OUT_KEPT_BYTES (16u << 10)
/* Input kept while the chat queue is full. */
#define LINE_IN_BYTES_MAX (256u << 10)
#define LINE_IN_STOP_BYTES (64u << 10) /* wants_input turns false here */
/* How long an own line may wait before --plain says so. */
#define LINE_WAITING_MS 2000
#define LINE_EXIT_IO 74
#define LINE_EXIT_WAITING 75

/* An own line that nobody has yet. */
struct line_own {
	uint8_t id[MSG_UNIT_ID_BYTES];
	uint64_t said_ms;
	bool told; /* that nobody has it */
};

/* What people call a room: told with UI_MSG_ROOM, used with its lines. */
struct line_room {
	char *topic; /* owned */
	char *title; /* owned */
};

struct line_face {
	struct line_face_cfg cfg;
	struct buf out;  /* events that are not written yet */
	size_t event_at; /* where the one that is being put there begins */
	struct buf in;   /* bytes not yet posted */
	struct line_own own[LINE_OWN_MAX];
	size_t own_count;
	struct line_room rooms[LINE_ROOMS_MAX];
	size_t room_count;
	size_t said; /* lines posted whose echo has not come */
	bool ready_told;
	bool skipping; /* the rest of a line that was too long */
	bool blocked;  /* the chat queue was full */
	bool eof;
	uint64_t eof_ms;
	uint64_t now_ms;
	bool reload_owed; /* UI_MSG_RELOAD is not answered yet */
	bool quit_asked;
	bool quit_posted;
	bool quit;
	int status;
	char *status_text[CHAT_STATUS_COUNT]; /* owned; NULL: never told */
	enum chat_status_state status_last[CHAT_STATUS_COUNT];
};

/* ---- line_json.c, line_plain.c ---- */

/* Appends the event's line (none for events without one) to f->out. */
void line_json_event(struct line_face *f, const struct ui_msg *m);
void line_json_error(struct line_face *f, const char *code, const char *text);
void line_plain_event(struct line_face *f, const struct ui_msg *m,
	const struct ui_clock *clock);
void line_plain_error(struct line_face *f, const char *text);
/* "* text" (plain only). */
void line_plain_note(struct line_face *f, const char *text);

/* ---- line_input.c ---- */

/* Posts what stands in f->in, as far as the chat queue takes it. */
void line_input_process(struct line_face *f);

/* ---- line_out.c ---- */

/* Hands f->out to the writer and empties it. */
void line_flush(struct line_face *f);
/* Says an error in the face's own way and flushes it. */
void line_error(struct line_face *f, const char *code, const char *text);

/* ---- line_words.c ---- */

/* Keeps what UI_MSG_ROOM says that people call it. */
void line_remember_title(struct line_face *f, const struct ui_msg *m);
/* What people call the room of a message: its title, or a clean topic. */
const char *line_room_title(const struct line_face *f, const struct ui_msg *m);
/* Whether the state of this item is worth a line now (remembers it). */
bool line_status_is_news(struct line_face *f, const struct ui_msg *m);
const char *line_status_item(enum chat_status_item item);

#endif
