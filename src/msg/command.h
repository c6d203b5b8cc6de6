/*
 * The table of commands: the one place where their names, aliases, arguments
 * and help stand. The chat thread executes them, the faces complete them, a
 * test holds the man page equal.
 */
#ifndef MSG_COMMAND_H
#define MSG_COMMAND_H

#include "base/bytes.h"

/* In the order of help: rooms, people, lines, the program. */
enum command_id {
	COMMAND_HELP,
	COMMAND_JOIN,
	COMMAND_PART,
	COMMAND_ROOMS,
	COMMAND_PEERS,
	COMMAND_WHOIS,
	COMMAND_VERIFY,
	COMMAND_NAME,
	COMMAND_IGNORE,
	COMMAND_UNIGNORE,
	COMMAND_CONNECT,
	COMMAND_HISTORY,
	COMMAND_ONLY,
	COMMAND_UNFOLD,
	COMMAND_CLEAR,
	COMMAND_INFO,
	COMMAND_NET,
	COMMAND_VERSION,
	COMMAND_QUIT,
	COMMAND_COUNT,
};

/* What the last word of its arguments is, for completion. */
enum command_arg {
	COMMAND_ARG_NONE,
	COMMAND_ARG_TEXT,
	COMMAND_ARG_ROOM,
	COMMAND_ARG_PERSON,
	COMMAND_ARG_COMMAND,
};

struct command {
	enum command_id id;
	const char *name;       /* without the slash */
	const char *aliases[4]; /* NULL-terminated */
	const char *args;       /* "[n]", may be "" */
	const char *help;       /* one sentence; short, it stands in a column */
	const char *example;
	enum command_arg arg;
};

/* COMMAND_COUNT entries in the order of enum command_id. */
extern const struct command command_table[];

/*
 * Looks a typed name up (no slash, case folds): exact name or alias first,
 * then a unique prefix of a name. NULL when unknown or ambiguous.
 */
const struct command *command_find(struct bytes name);
/* The name nearest to a wrong one (edit distance <= 2), or NULL. */
const struct command *command_nearest(struct bytes name);

#endif
