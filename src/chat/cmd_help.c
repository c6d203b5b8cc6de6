/*
 * /help, /version, /quit: what needs nothing but words. The list of commands is
 * command_table (msg/command.h), so what is not in it cannot be helped with. To
 * quit is only begun here: the turn that both sides have heard of ends it.
 */
#include <stdlib.h>

#include "chat/chat_internal.h"
#include "chat/cmd_internal.h"
#include "chat/out_internal.h"
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
	out_quit(c, 0);
}
