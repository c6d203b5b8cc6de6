/*
 * The first thing a person sees: who they are, what works, what to do next.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ui/model/ui_internal.h"

#define KEY_TAIL 8
#define WELCOME_COLS_MAX 76
#define CHECK_TEXT_COL 21
#define NARROW_COLS 50
#define TINY_COLS 24 /* too few for moving wrapped rows in */

struct page {
	char (*rows)[128];
	int count;
	int cols;
};

/* Adds text, wrapped; rows behind the first begin at `indent`. */
static void put(struct page *p, const char *text, int indent)
{
	struct bytes rest = bytes_str(text);
	bool first = true;

	do {
		int pad = first ? 0 : indent;
		size_t next = 0;
		size_t len = text_wrap(
			rest, (size_t)P2P_MAX(p->cols - pad, 2), &next);

		if (p->count == UI_WELCOME_MAX)
			return;
		len = P2P_MIN(len, (size_t)(127 - pad));
		snprintf(p->rows[p->count], 128, "%*s%.*s", pad, "", (int)len,
			(const char *)rest.data);
		p->count++;
		rest = bytes_skip(rest, next);
		first = false;
	} while (rest.len > 0);
}

static void put_who(struct page *p, const struct ui *ui)
{
	char text[256];
	size_t len = strlen(ui->peer);

	if (ui->name[0] == '\0') {
		put(p, "Welcome.", 0);
	} else if (len < KEY_TAIL || p->cols < NARROW_COLS) {
		snprintf(text, sizeof(text), "Welcome. You are %s.", ui->name);
		put(p, text, 0);
	} else {
		snprintf(text, sizeof(text), "Welcome. You are %s, key ..%s.",
			ui->name, ui->peer + len - KEY_TAIL);
		put(p, text, 0);
		put(p,
			"Others here see this name and key. "
			"/name NEW changes it.",
			0);
	}
	if (p->cols >= NARROW_COLS)
		put(p, "", 0);
}

static void put_check(
	struct page *p, const struct ui_check *c, const char *what)
{
	static const char *const marks[] = {"[..]", "[ok]", "[!!]", "[--]"};
	char text[256];
	bool narrow = p->cols < NARROW_COLS;

	snprintf(text, sizeof(text),
		narrow ? "%s %s: %.190s" : "%-6s %-13s %.190s",
		marks[c->known ? c->state : CHAT_STATE_BUSY], what,
		c->text != NULL ? c->text : "starting");
	put(p, text, p->cols < TINY_COLS ? 0 : narrow ? 5 : CHECK_TEXT_COL);
}

static void put_hints(struct page *p, const struct ui *ui)
{
	if (p->cols >= NARROW_COLS)
		put(p, "", 0);
	if (ui->people.direct + ui->people.relayed > 0) {
		put(p, "Somebody is here: type, and press Enter. F1 is help.",
			0);
		return;
	}
	if (p->cols < NARROW_COLS) {
		put(p,
			"Nobody yet. What you type is kept and sent when "
			"someone comes. F1 is help.",
			0);
		return;
	}
	put(p, "Nobody yet. Run it on a second machine here, or type", 0);
	put(p, "  /connect IP:PORT  to reach one that you know", 4);
	put(p, "  /help             for everything else, or press F1", 4);
	put(p, "What you type now is kept and sent when someone comes.", 0);
}

int welcome_build(const struct ui *ui, int cols, char rows[][128])
{
	struct page p = {.rows = rows, .cols = P2P_MIN(cols, WELCOME_COLS_MAX)};

	put_who(&p, ui);
	put_check(&p, &ui->checks[CHAT_STATUS_LISTEN], "listening");
	put_check(&p, &ui->checks[CHAT_STATUS_DISCOVERY], "LAN discovery");
	put_check(&p, &ui->checks[CHAT_STATUS_PEOPLE], "people");
	/* The least of news goes first where rows are few. */
	if (ui->checks[CHAT_STATUS_HISTORY].known && cols >= NARROW_COLS)
		put_check(&p, &ui->checks[CHAT_STATUS_HISTORY], "history");
	put_hints(&p, ui);
	return p.count;
}

int welcome_build_empty(const struct room *r, int cols, char rows[][128])
{
	struct page p = {.rows = rows, .cols = P2P_MIN(cols, WELCOME_COLS_MAX)};
	char text[256];
	size_t len = text_fit(bytes_str(r->title), 40, NULL);

	len = P2P_MIN(len, 150u);
	snprintf(text, sizeof(text),
		"Nothing was said in #%.*s yet. Others come in with "
		"/join %.*s.",
		(int)len, r->title, (int)len, r->title);
	put(&p, text, 0);
	return p.count;
}
