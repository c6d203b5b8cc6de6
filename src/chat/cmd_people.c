/*
 * /name, /ignore, /unignore: what is known or thought of people. A person is
 * ignored by key, whatever name they take next; the lines stay in the store and
 * are left out when it is read.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "chat/chat_internal.h"
#include "chat/cmd_internal.h"
#include "chat/name_internal.h"
#include "chat/out_internal.h"
#include "chat/person_internal.h"
#include "chat/profile_internal.h"

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
