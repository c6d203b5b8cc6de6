/*
 * /help, /version, /quit: what needs nothing but words. The list of commands is
 * command_table (msg/command.h), so what is not in it cannot be helped with. To
 * quit is only begun here: the turn that both sides have heard of ends it.
 *
 * /info: what one may want to read to somebody else, or to a bug report: own
 * name and key, addresses, how much the store holds, and what is written in
 * this room.
 */
#include <stdlib.h>

#include "chat/chat_internal.h"
#include "chat/cmd_internal.h"
#include "chat/dialect_internal.h"
#include "chat/out_internal.h"
#include "chat/person_internal.h"
#include "chat/room_internal.h"
#include "chat/send_internal.h"
#include "msg/command.h"

#define HELP_COLS 18 /* of "/history [n|date]" and a space */

static void say_buf(struct chat *c, struct buf *text)
{
	if (text->len > 0 && text->data[text->len - 1] == '\n')
		buf_truncate(text, text->len - 1);
	out_notice(c, UI_LEVEL_INFO, NULL, "%s", buf_cstr(text));
	buf_clear(text);
}

static void help_all(struct chat *c)
{
	struct buf text;

	buf_init(&text, CHAT_NOTICE_BYTES_MAX);
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct command *cmd = &command_table[i];
		size_t from = text.len;

		buf_appendf(&text, "/%s%s%s", cmd->name,
			cmd->args[0] == '\0' ? "" : " ", cmd->args);
		while (text.len - from < HELP_COLS)
			buf_append_str(&text, " ");
		buf_appendf(&text, " %s\n", cmd->help);
	}
	buf_append_str(&text,
		"F1 shows the keys, /help COMMAND an example. A command may be "
		"cut short; a line that starts with // says the rest.");
	say_buf(c, &text);
}

void cmd_help(struct chat *c, struct chat_room *r, struct bytes args)
{
	const struct command *cmd;
	struct buf text;

	(void)r;
	if (args.len == 0) {
		help_all(c);
		return;
	}
	if (args.data[0] == '/')
		args = bytes_skip(args, 1);
	cmd = command_find(args);
	if (cmd == NULL) {
		char *quoted = out_clean(bytes_first(args, 40));

		out_error(c, "unknown-command",
			"No command /%s; /help lists them.", quoted);
		free(quoted);
		return;
	}
	buf_init(&text, CHAT_NOTICE_BYTES_MAX);
	buf_appendf(&text, "/%s%s%s: %s\nExample: %s\n", cmd->name,
		cmd->args[0] == '\0' ? "" : " ", cmd->args, cmd->help,
		cmd->example);
	for (size_t i = 0; i < 4 && cmd->aliases[i] != NULL; i++)
		buf_appendf(&text, "%s/%s", i == 0 ? "Also: " : ", ",
			cmd->aliases[i]);
	say_buf(c, &text);
}

void cmd_version(struct chat *c, struct chat_room *r, struct bytes args)
{
	(void)r;
	(void)args;
	out_notice(c, UI_LEVEL_INFO, NULL, "%s", c->version);
}

void cmd_quit(struct chat *c, struct chat_room *r, struct bytes args)
{
	(void)r;
	(void)args;
	send_leave_all(c);
	out_quit(c, 0);
}

/* ---- /info ------------------------------------------------------------- */

static void append_store(struct chat *c, struct buf *text)
{
	uint64_t bytes = 0, waiting = 0;
	int64_t lines = 0;

	if (!chat_store_ok(c, store_size_bytes(c->store, &bytes)) ||
		!chat_store_ok(c, store_last_row(c->store, &lines)) ||
		!chat_store_ok(c, store_count_waiting(c->store, &waiting)))
		return;
	buf_appendf(text, "store      %lld lines, %llu KiB\n", (long long)lines,
		(unsigned long long)bytes / 1024);
	buf_appendf(text, "waiting    %llu own lines\n",
		(unsigned long long)waiting);
}

static void append_listen(const struct chat *c, struct buf *text)
{
	const char *at = c->listen == NULL ? "" : c->listen;

	if (*at == '\0')
		buf_append_str(text, "listening  not yet\n");
	while (*at != '\0') {
		size_t n = strcspn(at, "\n");
		char *clean = out_clean(bytes_of(at, n));

		buf_appendf(text, "listening  %s\n", clean);
		free(clean);
		at += n + (at[n] == '\n');
	}
}

static void append_sandbox(const struct chat *c, struct buf *text)
{
	const char *at = c->sandbox == NULL ? "" : c->sandbox;

	while (*at != '\0') {
		size_t n = strcspn(at, "\n");

		buf_appendf(text, "\nsandbox    %.*s", (int)n, at);
		at += n + (at[n] == '\n');
	}
}

void cmd_info(struct chat *c, struct chat_room *r, struct bytes args)
{
	struct buf text;

	(void)args;
	buf_init(&text, CHAT_NOTICE_BYTES_MAX);
	buf_appendf(&text, "name       %s\nkey        %s\n", c->self->row.name,
		c->me_text);
	append_listen(c, &text);
	buf_appendf(&text, "people     %zu connected, %zu known\n",
		c->connected_count, c->people.count - 1);
	buf_appendf(&text, "rooms      %zu joined\n", c->joined_count);
	if (r != NULL) {
		struct dialects write = dialect_to_write(c, r);
		char *topic = out_clean(bytes_str(r->row.topic));

		buf_appendf(&text, "this room  topic %s, we write %s%s%s\n",
			topic, dialect_name(write.own),
			write.js_copy ? " and seed-js" : "",
			write.go_chat ? ", for go-chat too" : "");
		free(topic);
	}
	append_store(c, &text);
	if (c->unkept_ever > 0)
		buf_appendf(&text, "not kept   %llu lines since the start\n",
			(unsigned long long)c->unkept_ever);
	buf_appendf(&text,
		"unreadable %llu units, %llu profiles since the start",
		(unsigned long long)c->ignored_units,
		(unsigned long long)c->refused_profiles);
	append_sandbox(c, &text);
	out_notice(c, UI_LEVEL_INFO, NULL, "%s", buf_cstr(&text));
	buf_clear(&text);
}
