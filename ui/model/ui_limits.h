/*
 * What the screen's model keeps, at most. All of it is bounded, so that no
 * peer can make the screen's memory grow.
 */
#ifndef UI_MODEL_UI_LIMITS_H
#define UI_MODEL_UI_LIMITS_H

/* Rooms shown; a person's rooms are one bit each in a uint64_t. */
#define UI_ROOMS_MAX 64
/* People known to the screen; the connected ones are kept. */
#define UI_PEOPLE_MAX 512
/* Lines of a room kept in memory, most of them in folds when there are so many,
 * and bytes of their texts; farther ones are asked for again. */
#define UI_WINDOW_LINES_MAX 4000
#define UI_WINDOW_BYTES_MAX (4u << 20)
/* The same of a room that is not looked at. */
#define UI_WINDOW_LINES_AWAY 1000
#define UI_WINDOW_BYTES_AWAY (256u << 10)
/* Of a longer text so much is kept, until it is opened. */
#define UI_TEXT_KEPT_STRANGER 2048
#define UI_TEXT_KEPT_KNOWN 16384
/* Kept of a room that is not looked at. */
#define UI_WINDOW_LINES_IDLE 200
/* Lines asked for at a time. */
#define UI_PAGE_LINES 100
/* Typed lines remembered for Up and Down. */
#define UI_HISTORY_MAX 200
/* Steps back that C-_ can take. */
#define UI_UNDO_MAX 32
/* Candidates of one completion. */
#define UI_COMPLETE_MAX 64
/* Notices that wait for the first room. */
#define UI_EARLY_MAX 16
/* Rows of the welcome and its checklist. */
#define UI_WELCOME_MAX 24
/* How long a word in the status bar stays, in ms. */
#define UI_NOTE_MS 5000
/* Two C-c within this time quit, in ms. */
#define UI_QUIT_TWICE_MS 2000
/* How soon a word refused by a full chat queue is offered again, in ms. */
#define UI_RETRY_MS 50

#endif
