/*
 * The table of commands, and how a typed word finds its row: a whole name or
 * alias first, in any case, then a beginning that only one name has. Chat runs
 * commands by it, faces complete by it, the manual's test reads it.
 */
#include "msg/command.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 16
#define NEAREST_DISTANCE_MAX 2

const struct command command_table[] = {
	{COMMAND_HELP, "help", {"h"}, "[command]",
		"List the commands, or explain one.", "/help join",
		COMMAND_ARG_COMMAND},
	{COMMAND_JOIN, "join", {"j"}, "room", "Enter a room, or make one.",
		"/join kitchen", COMMAND_ARG_ROOM},
	{COMMAND_PART, "part", {"leave"}, "[room]",
		"Leave a room; its history stays.", "/part kitchen",
		COMMAND_ARG_ROOM},
	{COMMAND_ROOMS, "rooms", {"list"}, "",
		"Rooms joined, and those of peers.", "/rooms",
		COMMAND_ARG_NONE},
	{COMMAND_PEERS, "peers", {"who", "names", "conn"}, "",
		"Who is connected, and how.", "/peers", COMMAND_ARG_NONE},
	{COMMAND_WHOIS, "whois", {NULL}, "person",
		"A person's key and addresses.", "/whois mali",
		COMMAND_ARG_PERSON},
	{COMMAND_VERIFY, "verify", {"compare"}, "person [yes]",
		"Compare keys: a number, six words.", "/verify mali",
		COMMAND_ARG_PERSON},
	{COMMAND_NAME, "name", {"nick"}, "[new name]",
		"Show or change your name.", "/name mali", COMMAND_ARG_TEXT},
	{COMMAND_IGNORE, "ignore", {NULL}, "person",
		"Hide a person's lines, by key.", "/ignore mali",
		COMMAND_ARG_PERSON},
	{COMMAND_UNIGNORE, "unignore", {NULL}, "person",
		"Show a person's lines again.", "/unignore mali",
		COMMAND_ARG_PERSON},
	{COMMAND_CONNECT, "connect", {"add", "dial"}, "address",
		"Connect to a multiaddr or IP:PORT, now or when somebody "
		"answers there.",
		"/connect 192.168.1.20:4001", COMMAND_ARG_TEXT},
	{COMMAND_HISTORY, "history", {NULL}, "[n|date]",
		"Last n lines (50), or from a day.", "/history 2026-11-20",
		COMMAND_ARG_TEXT},
	{COMMAND_ONLY, "only", {NULL}, "known|all",
		"Leave strangers' lines out of this room, or show them.",
		"/only known", COMMAND_ARG_TEXT},
	{COMMAND_UNFOLD, "unfold", {NULL}, "",
		"Open what is folded here, or fold it again.", "/unfold",
		COMMAND_ARG_NONE},
	{COMMAND_CLEAR, "clear", {NULL}, "", "Empty the screen; history stays.",
		"/clear", COMMAND_ARG_NONE},
	{COMMAND_INFO, "info", {NULL}, "", "Own key, addresses, store.",
		"/info", COMMAND_ARG_NONE},
	{COMMAND_NET, "net", {NULL}, "", "Connections, limits, refusals.",
		"/net", COMMAND_ARG_NONE},
	{COMMAND_VERSION, "version", {NULL}, "",
		"Versions of all that is built in.", "/version",
		COMMAND_ARG_NONE},
	{COMMAND_QUIT, "quit", {"exit", "q"}, "",
		"Leave the rooms, end the program.", "/quit", COMMAND_ARG_NONE},
};

static bool same_name(const char *name, struct bytes typed)
{
	return strlen(name) == typed.len &&
	       strncasecmp(name, (const char *)typed.data, typed.len) == 0;
}

static bool is_exact(const struct command *c, struct bytes typed)
{
	if (same_name(c->name, typed))
		return true;
	for (size_t i = 0; i < 4 && c->aliases[i] != NULL; i++)
		if (same_name(c->aliases[i], typed))
			return true;
	return false;
}

const struct command *command_find(struct bytes name)
{
	const struct command *found = NULL;

	if (name.len == 0)
		return NULL;
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (is_exact(&command_table[i], name))
			return &command_table[i];
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strncasecmp(command_table[i].name, (const char *)name.data,
			    name.len) != 0)
			continue;
		if (found != NULL)
			return NULL;
		found = &command_table[i];
	}
	return found;
}

/* Levenshtein distance; both at most NAME_MAX_BYTES long. */
static size_t distance(const char *name, struct bytes typed)
{
	size_t row[NAME_MAX_BYTES + 1];
	size_t n = strlen(name);

	for (size_t i = 0; i <= n; i++)
		row[i] = i;
	for (size_t j = 0; j < typed.len; j++) {
		size_t diagonal = row[0];

		row[0] = j + 1;
		for (size_t i = 0; i < n; i++) {
			size_t cost = name[i] != tolower(typed.data[j]);
			size_t best = P2P_MIN(row[i], row[i + 1]) + 1;

			best = P2P_MIN(best, diagonal + cost);
			diagonal = row[i + 1];
			row[i + 1] = best;
		}
	}
	return row[n];
}

const struct command *command_nearest(struct bytes name)
{
	const struct command *best = NULL;
	size_t best_distance = NEAREST_DISTANCE_MAX + 1;

	if (name.len == 0 || name.len > NAME_MAX_BYTES)
		return NULL;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		size_t d = distance(command_table[i].name, name);

		if (d < best_distance) {
			best = &command_table[i];
			best_distance = d;
		}
	}
	return best;
}
