/*
 * What is on the screen, as data: ui/draw reads it, ui/model alone changes
 * it (ui/model/ui.h is how). Everything shown is here; drawing the same state
 * twice gives the same screen.
 */
#ifndef UI_MODEL_UI_STATE_H
#define UI_MODEL_UI_STATE_H

#include "msg/ui_clock.h"
#include "ui/model/edit.h"
#include "ui/model/layout.h"
#include "ui/model/people.h"
#include "ui/model/ui.h"
#include "ui/model/window.h"

/* What is known of the older lines of a room. */
enum room_load {
	ROOM_LOAD_NONE,  /* nothing asked yet */
	ROOM_LOAD_ASK,   /* a page is wanted, the queue was full */
	ROOM_LOAD_ASKED, /* a page is on its way */
	ROOM_LOAD_DONE,
};

/*
 * The part of a room that is seen. Following: its end. Otherwise the row
 * `row` of the line `top` is the first one shown, so that neither a resize nor
 * an arrival moves what is read.
 */
struct room_view {
	bool follow;
	struct line_key top;
	int row;
	uint32_t newer; /* arrived below since */
	int want_up;    /* rows to go up when the page has come */
};

struct room {
	char *topic;   /* owned */
	char *title;   /* owned; clean */
	unsigned slot; /* bit in struct person.rooms */
	uint32_t members;
	uint32_t unread;
	uint32_t mentions;
	struct window win;
	struct edit edit; /* the draft */
	struct room_view view;
	enum room_load load;
	bool only_known;     /* strangers' lines are left out */
	bool refold;         /* folds are reckoned though it is scrolled */
	uint32_t page_lines; /* of the page under way */
	bool page_empty;     /* the last page brought nothing: keys ask */
	bool whole_wanted;   /* the line of that key is asked for */
	bool whole_asked;    /* ... and under way */
	struct line_key whole_key;
	struct line_key older_from; /* chat has looked back to there */
	bool load_newest; /* the page asked for replaces what is here */
	struct line_key newest_from; /* the newest page on its way begins so */
	bool at_oldest;              /* nothing older exists */
	bool at_newest;              /* nothing newer is missing at the end */
	bool cleared;       /* by /clear: older lines only when asked for */
	bool new_shown;     /* the "new" rule stands behind new_key */
	bool new_pending;   /* to be placed when the lines are here */
	uint32_t new_count; /* unread when it was pending */
	struct line_key new_key;
	struct line_key read_sent; /* CHAT_MSG_READ up to here */
};

struct ui_check {
	bool known;
	enum chat_status_state state;
	char *text; /* owned, or NULL */
};

/* Completion under way: Tab goes on through the candidates. */
struct ui_complete {
	bool active;
	size_t start; /* bytes of the draft before the word */
	size_t end;   /* where the candidate put in ends */
	size_t index;
	size_t count;
	char *original;              /* owned: what was typed */
	char *list[UI_COMPLETE_MAX]; /* owned */
};

struct ui {
	struct ui_cfg cfg;
	struct ui_clock clock;
	struct layout layout;
	int want_rows;
	int want_cols;

	struct room *rooms[UI_ROOMS_MAX]; /* owned, in order of the list */
	size_t room_count;
	struct room *current; /* NULL before the first */
	struct room *last;    /* the one before, for Alt-/ */
	struct room *start;   /* the one that holds the welcome */
	struct edit no_room;  /* the draft before the first room */
	struct people people;
	int people_top; /* first person shown, in the pane */

	bool ready;
	char peer[MSG_PEER_MAX];
	char name[MSG_NAME_MAX];
	struct ui_check checks[CHAT_STATUS_COUNT];
	struct line *early[UI_EARLY_MAX]; /* notices before the first room */
	size_t early_count;

	char *history[UI_HISTORY_MAX]; /* owned, oldest first */
	size_t history_count;
	size_t history_at;   /* history_count: the draft itself */
	char *history_draft; /* owned: the draft while looking back */
	struct buf kill;
	struct ui_complete complete;

	bool help;
	int help_top;
	bool hide_rooms;
	bool hide_people;
	enum layout_overlay overlay;
	bool unfolded; /* each coming and going has its line */
	char note[160];
	uint64_t note_until_ms;

	uint64_t break_ms; /* of the last C-c on an empty line; 0: none */
	bool ask_quit;
	bool quit_asked;
	bool quit_posted;
	bool quit;
	int status;
	bool focus_pending;
	bool reload_pending;
	bool retry;     /* the chat queue was full */
	bool unsettled; /* lines have come */

	bool dirty;
	bool want_redraw;
	bool want_suspend;
};

/* The draft that is being typed. */
static inline struct edit *ui_edit(struct ui *ui)
{
	return ui->current != NULL ? &ui->current->edit : &ui->no_room;
}

static inline const struct edit *ui_edit_of(const struct ui *ui)
{
	return ui->current != NULL ? &ui->current->edit : &ui->no_room;
}

#endif
