/*
 * /name, /ignore, /unignore, /verify: what is known or thought of people. A
 * person is ignored by key, whatever name they take next; the lines stay in the
 * store and are left out when it is read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "chat/chat_internal.h"
#include "chat/cmd_internal.h"
#include "chat/name_internal.h"
#include "chat/out_internal.h"
#include "chat/person_internal.h"
#include "chat/profile_internal.h"
#include "net/identity/fingerprint.h"

static void tell_name(struct chat *c)
{
	struct ui_msg *m = ui_msg_new(UI_MSG_NAME, NULL, NULL);

	snprintf(m->name, sizeof(m->name), "%s", c->self->row.name);
	out_ui(c, m);
}

/* Nobody takes a name by mistake that is marked at everybody's. */
static bool refuse_odd(struct chat *c, const char *name)
{
	struct text_looks looks;

	text_looks_of(bytes_str(name), &looks);
	if (!name_is_odd(name, &looks))
		return false;
	out_error(c, "bad-name",
		"Others would take '%s' for a word or mark of the screen, or "
		"for another's name: no '~', none of ?!-*+><@.[#:=|/ in front, "
		"and letters of one script.",
		name);
	return true;
}

void cmd_name(struct chat *c, struct chat_room *r, struct bytes args)
{
	struct buf clean;

	(void)r;
	if (args.len == 0) {
		out_notice(c, UI_LEVEL_INFO, NULL, "You are %s.",
			c->self->row.name);
		return;
	}
	buf_init(&clean, TEXT_NAME_BYTES_MAX);
	if (args.len > TEXT_NAME_BYTES_MAX || name_clean(args, &clean) != 0 ||
		clean.len == 0) {
		out_error(c, "bad-name",
			"A name has %d bytes and %d columns at most.",
			TEXT_NAME_BYTES_MAX, TEXT_NAME_COLUMNS_MAX);
		buf_clear(&clean);
		return;
	}
	if (refuse_odd(c, buf_cstr(&clean))) {
		buf_clear(&clean);
		return;
	}
	if (chat_store_ok(c, store_set(c->store, "name", buf_bytes(&clean)))) {
		if (strcmp(c->self->row.name, buf_cstr(&clean)) != 0)
			profile_rename(c);
		person_claim(c, c->self, buf_cstr(&clean));
		tell_name(c);
		out_notice(c, UI_LEVEL_INFO, NULL, "You are %s now.",
			buf_cstr(&clean));
	}
	buf_clear(&clean);
}

static void set_ignored(struct chat *c, struct bytes who, bool ignored)
{
	struct chat_person *p;
	char *name;

	if (who.len == 0) {
		out_error(c, "usage", "Say whom: /%s NAME, or the key.",
			ignored ? "ignore" : "unignore");
		return;
	}
	p = person_resolve(c, who);
	if (p == NULL)
		return;
	if (p->self) {
		out_error(c, "usage", "That is you.");
		return;
	}
	if (!person_keep(c, p))
		return;
	p->row.ignored = ignored;
	p->dirty = true;
	profile_heed(c, p);
	person_changed(c, p);
	name = person_full_name(p);
	out_notice(c, UI_LEVEL_INFO, NULL,
		ignored ? "%s is ignored, whatever the name: lines of this "
			  "key are not shown. /unignore undoes it."
			: "%s is shown again.",
		name);
	free(name);
}

void cmd_ignore(struct chat *c, struct chat_room *r, struct bytes args)
{
	(void)r;
	set_ignored(c, args, true);
}

void cmd_unignore(struct chat *c, struct chat_room *r, struct bytes args)
{
	(void)r;
	set_ignored(c, args, false);
}

/* ---- /verify ----------------------------------------------------------- */

static void show_fingerprint(struct chat *c, struct chat_person *p)
{
	char *name = person_full_name(p);
	struct fingerprint f;
	struct buf text;

	fingerprint_of(&f, &c->me->id, &p->id);
	buf_init(&text, CHAT_NOTICE_BYTES_MAX);
	for (size_t i = 0; i < FINGERPRINT_DIGITS; i += 5)
		buf_appendf(&text, "%s%.5s", i % 20 == 0 ? "\n   " : " ",
			f.digits + i);
	buf_append_str(&text, "\n  ");
	for (size_t i = 0; i < FINGERPRINT_WORDS; i++)
		buf_appendf(&text, " %s", f.words[i]);
	out_notice(c, UI_LEVEL_INFO, NULL,
		"%s has to see the same; ask where you know it is them, not "
		"here:%s\nIf it is: /verify %s yes",
		name, buf_cstr(&text), name);
	buf_clear(&text);
	free(name);
	snprintf(c->compared, sizeof(c->compared), "%s", p->row.peer);
}

static void set_verified(struct chat *c, struct chat_person *p, bool verified)
{
	char *name;

	if (!person_keep(c, p))
		return;
	person_verify(c, p, verified);
	name = person_full_name(p);
	out_notice(c, UI_LEVEL_INFO, NULL,
		verified ? "%s is verified: + stands before the name, and who "
			   "takes one like it is told of. /verify %s no takes "
			   "it back."
			 : "%s is not verified (/verify %s).",
		name, name);
	free(name);
}

/* Cuts " yes" or " no" off the end of *who; -1 when there is none. */
static int cut_answer(struct bytes *who)
{
	static const char *const answers[] = {" no", " yes"};

	for (int i = 0; i < 2; i++) {
		size_t len = strlen(answers[i]);

		if (who->len <= len || memcmp(who->data + who->len - len,
					       answers[i], len) != 0)
			continue;
		*who = bytes_trim(bytes_first(*who, who->len - len));
		return i;
	}
	return -1;
}

void cmd_verify(struct chat *c, struct chat_room *r, struct bytes args)
{
	int answer = cut_answer(&args);
	struct chat_person *p;

	(void)r;
	if (args.len == 0) {
		out_error(c, "usage", "Say whom: /verify NAME, or the key.");
		return;
	}
	p = person_resolve(c, args);
	if (p == NULL)
		return;
	if (p->self)
		out_error(c, "usage", "That is you.");
	/* A name may be another's by now: the key whose number was looked at
	 * is meant, or none. */
	else if (answer < 0 ||
		 (answer == 1 && strcmp(c->compared, p->row.peer) != 0))
		show_fingerprint(c, p);
	else
		set_verified(c, p, answer == 1);
}
