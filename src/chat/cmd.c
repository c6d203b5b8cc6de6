/*
 * A typed line: "/word ..." is a command, "//..." says "/...", all else is
 * said. An unknown command is never sent.
 */
#include <stdlib.h>

#include "base/text.h"
#include "chat/chat_internal.h"
#include "chat/cmd_internal.h"
#include "chat/out_internal.h"
#include "chat/room_internal.h"
#include "chat/send_internal.h"
#include "msg/command.h"

static cmd_fn *const runs[COMMAND_COUNT] = {
	[COMMAND_HELP] = cmd_help,
	[COMMAND_PEERS] = cmd_peers,
	[COMMAND_WHOIS] = cmd_whois,
	[COMMAND_VERIFY] = cmd_verify,
	[COMMAND_NAME] = cmd_name,
	[COMMAND_HISTORY] = cmd_history,
	[COMMAND_INFO] = cmd_info,
	[COMMAND_NET] = cmd_net,
	[COMMAND_QUIT] = cmd_quit,
	[COMMAND_JOIN] = cmd_join,
	[COMMAND_PART] = cmd_part,
	[COMMAND_ROOMS] = cmd_rooms,
	[COMMAND_CONNECT] = cmd_connect,
	[COMMAND_IGNORE] = cmd_ignore,
	[COMMAND_UNIGNORE] = cmd_unignore,
	[COMMAND_ONLY] = cmd_only,
	[COMMAND_UNFOLD] = cmd_unfold,
	[COMMAND_CLEAR] = cmd_clear,
	[COMMAND_VERSION] = cmd_version,
};

static void unknown(struct chat *c, struct bytes name)
{
	const struct command *near = command_nearest(name);
	char *quoted = out_clean(bytes_first(name, 40));

	if (near != NULL)
		out_error(c, "unknown-command",
			"No command /%s. Did you mean /%s? (Nothing was "
			"sent.)",
			quoted, near->name);
	else
		out_error(c, "unknown-command",
			"No command /%s; /help lists them. To say it, type "
			"//%s. (Nothing was sent.)",
			quoted, quoted);
	free(quoted);
}

static struct bytes first_word(struct bytes line)
{
	size_t len = 0;

	while (len < line.len && !bytes_is_blank(line.data[len]))
		len++;
	return bytes_first(line, len);
}

static bool is_command(struct bytes line)
{
	return line.len > 0 && line.data[0] == '/' &&
	       (line.len < 2 || line.data[1] != '/');
}

/* What changes nothing that is kept, so that it is answered at once though
 * nothing can be saved. */
static bool only_reads(enum command_id id)
{
	static const enum command_id all[] = {COMMAND_HELP, COMMAND_ROOMS,
		COMMAND_PEERS, COMMAND_WHOIS, COMMAND_CONNECT, COMMAND_HISTORY,
		COMMAND_UNFOLD, COMMAND_CLEAR, COMMAND_INFO, COMMAND_NET,
		COMMAND_VERSION, COMMAND_QUIT};

	for (size_t i = 0; i < P2P_ARRAY_LEN(all); i++)
		if (all[i] == id)
			return true;
	return false;
}

static void wait_for_store(struct chat *c, const struct command *command)
{
	out_notice(c, UI_LEVEL_WARN, c->focus,
		"/%s waits until something can be saved again.", command->name);
	c->keep_input = true;
}

static void run(struct chat *c, struct chat_room *r, struct bytes line)
{
	struct bytes name = first_word(line);
	const struct command *command = command_find(name);

	if (command == NULL)
		unknown(c, name);
	else if (!utf8_valid(line))
		out_error(c, "not-utf8", "This command is not UTF-8 text.");
	else if (!chat_saves(c) && !only_reads(command->id))
		wait_for_store(c, command);
	else
		runs[command->id](c, r, bytes_trim(bytes_skip(line, name.len)));
}

bool cmd_means(struct bytes line, enum command_id id)
{
	const struct command *command;

	if (!is_command(line))
		return false;
	command = command_find(first_word(bytes_skip(line, 1)));
	return command != NULL && command->id == id;
}

void cmd_line(struct chat *c, struct chat_room *r, struct bytes line)
{
	if (line.len == 0)
		return;
	if (is_command(line)) {
		run(c, r, bytes_skip(line, 1));
		return;
	}
	if (line.data[0] == '/')
		line = bytes_skip(line, 1);
	if (r == NULL || !r->row.joined)
		out_error(c, "no-such-room",
			"You are in no such room; /join ROOM enters one.");
	else
		send_line(c, r, line);
}
