/*
 * Typed lines: told apart (cmd.c), and the commands (cmd_*.c).
 */
#ifndef CHAT_CMD_INTERNAL_H
#define CHAT_CMD_INTERNAL_H

#include "base/bytes.h"
#include "msg/chat_msg.h"
#include "msg/command.h"

struct chat;
struct chat_room;

/* A typed line: a command, or something to say. */
void cmd_line(struct chat *c, struct chat_room *r, struct bytes line);
/* Whether the typed line is that command, whatever its arguments. */
bool cmd_means(struct bytes line, enum command_id id);

/* One command; args is trimmed. */
typedef void cmd_fn(struct chat *c, struct chat_room *r, struct bytes args);
cmd_fn cmd_help, cmd_version, cmd_peers, cmd_name, cmd_ignore, cmd_unignore,
	cmd_history, cmd_info, cmd_quit, cmd_join, cmd_part, cmd_rooms,
	cmd_connect, cmd_clear, cmd_net, cmd_whois, cmd_verify, cmd_only,
	cmd_unfold;
/* The answers to /net, and to /whois and /peers. */
void cmd_net_answer(struct chat *c, const struct chat_net_msg *m);
void cmd_whois_answer(struct chat *c, const struct chat_net_msg *m);

#endif
