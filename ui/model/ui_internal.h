/*
 * Inside ui/model: the parts of struct ui that its files share.
 */
#ifndef UI_MODEL_UI_INTERNAL_H
#define UI_MODEL_UI_INTERNAL_H

#include "msg/ui_msg.h"
#include "ui/model/ui_state.h"

/* ---- ui_room.c: the list of rooms ---- */
struct room *ui_room_find(const struct ui *ui, const char *topic);
/* NULL when there are UI_ROOMS_MAX already, or the topic is NULL. */
struct room *ui_room_add(struct ui *ui, const char *topic, const char *title);
void ui_room_remove(struct ui *ui, struct room *r);
void ui_room_free(struct room *r);
/* Shows the room; `tell` also says so to the chat thread. */
void ui_room_show(struct ui *ui, struct room *r, bool tell);
/* The index in the list, or room_count. */
size_t ui_room_index(const struct ui *ui, const struct room *r);
/* Puts a line in, counts what is not seen, keeps the bounds. */
void ui_room_put(struct ui *ui, struct room *r, struct line *l);
/* Drops what is too much, from the end that is not seen. */
void ui_room_keep_bounds(const struct ui *ui, struct room *r);
/* Places the "new" rule once the lines are here. */
void ui_room_place_new(struct room *r);
/* A word of the program itself; r NULL: the current room, or kept. */
void ui_room_notice(
	struct ui *ui, struct room *r, enum ui_level level, const char *text);

/* ---- ui_post.c: words to the chat thread ---- */
/* False when the queue is full. */
bool ui_post_line(struct ui *ui, const char *text);
/* Offers what is pending: focus, pages, read marks, reload, quit. */
void ui_flush(struct ui *ui);
/* The newest lines of the room, or those before what is here: soon. */
void ui_page_ask(struct room *r, bool newest);

/* ---- ui_fold.c: folds of the room that is shown ---- */
/* Reckons them if something changed; lines held back appear once the end is
 * seen. */
void ui_fold_settle(struct ui *ui);
/* The same also of what is being read. */
void ui_fold_again(struct ui *ui);
/* Opens the last fold seen, or all; closes what is open if there is none. */
void ui_fold_turn(struct ui *ui, bool all);

/* ---- ui_line.c: Enter, history, completion ---- */
void ui_line_send(struct ui *ui);
void ui_line_up(struct ui *ui);
void ui_line_down(struct ui *ui);
void ui_complete_next(struct ui *ui, int step);
void ui_complete_end(struct ui *ui);

/* ---- ui.c ---- */
void ui_layout(struct ui *ui);
/* After a change: layout, folds, scrolling, words to chat. */
void ui_settle(struct ui *ui);

/* ---- ui_words.c ---- */
/* A word in the status bar for UI_NOTE_MS. */
void ui_note(struct ui *ui, const char *text);
/* Text as this locale can show it; caller frees. */
char *ui_shown(const struct ui *ui, const char *text);

/* ---- welcome.c ---- */
/* Rows of the welcome and checklist at this width; at most UI_WELCOME_MAX. */
int welcome_build(const struct ui *ui, int cols, char rows[][128]);
/* The same for a room in which nothing was said yet. */
int welcome_build_empty(const struct room *r, int cols, char rows[][128]);

#endif
