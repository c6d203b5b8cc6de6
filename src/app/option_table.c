/*
 * The options, a row each, and how a value gets into one: from the command
 * line's flags or, by its long name, from the config file. Each value is looked
 * at here, where it is known what a person has to mend. Which source wins is
 * options.c's business.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/exit_status.h"
#include "app/options.h"
#include "base/xmalloc.h"
#include "chat/chat.h"

enum kind {
	KIND_FLAG,
	KIND_PATH,
	KIND_NAME,
	KIND_PROFILE,
	KIND_COLOR,
	KIND_LEVEL,
	KIND_NUMBER,
	KIND_ROOM,
	KIND_LISTEN,
	KIND_CONNECT,
	KIND_KEEP,
	KIND_SERVICE, /* a name for multicast DNS */
};

#define STR_(x) #x
#define STR(x) STR_(x)

/* What is told of a wrong value. */
static const char *const takes[] = {
	[KIND_FLAG] = "use yes or no",
	[KIND_PATH] = "use the path of a file or folder",
	[KIND_NAME] = "use a name of 1 to 64 bytes and at most 24 columns, "
		      "which is no word of the screen such as \"you\"",
	[KIND_PROFILE] = "use a name of 1 to 64 bytes without a slash, and "
			 "without a dot in front",
	[KIND_COLOR] = "use auto, always or never",
	[KIND_LEVEL] = "use error, warn, info or debug",
	[KIND_NUMBER] = "use a whole number from 0 to " STR(OPTIONS_NUMBER_MAX),
	[KIND_ROOM] = "use a topic of 1 to 128 bytes on one line",
	[KIND_LISTEN] = "use a multiaddr such as /ip4/0.0.0.0/tcp/4001",
	[KIND_CONNECT] = "use a multiaddr such as /ip4/192.168.1.20/tcp/4001, "
			 "or HOST:PORT",
	[KIND_KEEP] = "use a multiaddr such as "
		      "/ip4/192.168.1.20/tcp/4001/p2p/ID, or a peer id",
	[KIND_SERVICE] = "use a name of letters, digits, '-', '_' and '.', "
			 "such as kitchen",
};

struct option_row {
	const char *name;
	char letter; /* 0: none */
	enum kind kind;
	size_t offset;
	bool in_config;
};

static const struct option_row table[] = {
	{"room", 0, KIND_ROOM, offsetof(struct options, rooms), true},
	{"name", 0, KIND_NAME, offsetof(struct options, name), true},
	{"listen", 0, KIND_LISTEN, offsetof(struct options, listen), true},
	{"connect", 0, KIND_CONNECT, offsetof(struct options, connect), true},
	{"keep", 0, KIND_KEEP, offsetof(struct options, keep), true},
	{"data-dir", 0, KIND_PATH, offsetof(struct options, data_dir), true},
	{"profile", 0, KIND_PROFILE, offsetof(struct options, profile), true},
	{"config", 0, KIND_PATH, offsetof(struct options, config), false},
	{"no-mdns", 0, KIND_FLAG, offsetof(struct options, no_mdns), true},
	{"mdns-service", 0, KIND_SERVICE,
		offsetof(struct options, mdns_services), true},
	{"no-sandbox", 0, KIND_FLAG, offsetof(struct options, no_sandbox),
		true},
	{"headless", 0, KIND_FLAG, offsetof(struct options, headless), true},
	{"plain", 0, KIND_FLAG, offsetof(struct options, plain), true},
	{"json", 0, KIND_FLAG, offsetof(struct options, json), true},
	{"color", 0, KIND_COLOR, offsetof(struct options, color), true},
	{"ascii", 0, KIND_FLAG, offsetof(struct options, ascii), true},
	{"log", 0, KIND_PATH, offsetof(struct options, log), true},
	{"log-level", 0, KIND_LEVEL, offsetof(struct options, log_level), true},
	{"author-rate", 0, KIND_NUMBER,
		offsetof(struct options, number[OPTION_AUTHOR_RATE]), true},
	{"quota", 0, KIND_NUMBER,
		offsetof(struct options, number[OPTION_QUOTA]), true},
	{"strangers", 0, KIND_NUMBER,
		offsetof(struct options, number[OPTION_STRANGERS]), true},
	{"strangers-room", 0, KIND_NUMBER,
		offsetof(struct options, number[OPTION_STRANGERS_ROOM]), true},
	{"strangers-hour", 0, KIND_NUMBER,
		offsetof(struct options, number[OPTION_STRANGERS_HOUR]), true},
	{"regulars-room", 0, KIND_NUMBER,
		offsetof(struct options, number[OPTION_REGULARS_ROOM]), true},
	{"friend-room", 0, KIND_NUMBER,
		offsetof(struct options, number[OPTION_FRIEND_ROOM]), true},
	{"free-strangers", 0, KIND_NUMBER,
		offsetof(struct options, number[OPTION_FREE_STRANGERS]), true},
	{"free-others", 0, KIND_NUMBER,
		offsetof(struct options, number[OPTION_FREE_OTHERS]), true},
	{"help", 'h', KIND_FLAG, offsetof(struct options, help), false},
	{"version", 'V', KIND_FLAG, offsetof(struct options, version), false},
};

static const struct option_row *find_row(const char *name)
{
	for (size_t i = 0; i < P2P_ARRAY_LEN(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

/* ---- values ------------------------------------------------------------ */

static int parse_flag(const char *value, bool *out)
{
	static const char *const yes[] = {"yes", "true", "on", "1"};
	static const char *const no[] = {"no", "false", "off", "0"};

	*out = true;
	if (value == NULL)
		return 0;
	for (size_t i = 0; i < P2P_ARRAY_LEN(yes); i++) {
		if (strcmp(value, yes[i]) == 0)
			return 0;
		if (strcmp(value, no[i]) == 0) {
			*out = false;
			return 0;
		}
	}
	return P2P_ERR_INVAL;
}

static int parse_color(const char *value, enum option_color *out)
{
	static const char *const names[] = {"auto", "always", "never"};

	for (size_t i = 0; i < P2P_ARRAY_LEN(names); i++) {
		if (strcmp(value, names[i]) == 0) {
			*out = (enum option_color)i;
			return 0;
		}
	}
	return P2P_ERR_INVAL;
}

static int parse_number(const char *value, uint64_t *out)
{
	uint64_t number = 0;

	for (const char *at = value; *at != '\0'; at++) {
		if (*at < '0' || *at > '9' || number > OPTIONS_NUMBER_MAX)
			return P2P_ERR_INVAL;
		number = number * 10 + (uint64_t)(*at - '0');
	}
	if (number > OPTIONS_NUMBER_MAX)
		return P2P_ERR_INVAL;
	*out = number + 1;
	return 0;
}

void option_list_clear(struct option_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	list->count = 0;
}

void options_clear(struct options *o)
{
	option_list_clear(&o->rooms);
	option_list_clear(&o->listen);
	option_list_clear(&o->connect);
	option_list_clear(&o->keep);
	option_list_clear(&o->mdns_services);
	free(o->name);
	free(o->data_dir);
	free(o->profile);
	free(o->config);
	free(o->log);
	*o = (struct options){.help = false};
}

static int add_item(struct option_list *list, const char *value)
{
	if (list->count >= OPTIONS_LIST_MAX)
		return P2P_ERR_LIMIT;
	list->items[list->count++] = xstrdup(value);
	return 0;
}

static bool is_list(const struct option_row *row)
{
	return row->kind == KIND_ROOM || row->kind == KIND_LISTEN ||
	       row->kind == KIND_CONNECT || row->kind == KIND_KEEP ||
	       row->kind == KIND_SERVICE;
}

static bool is_one(enum kind kind, const char *value)
{
	switch (kind) {
	case KIND_NAME:
		return chat_check_name(value) == 0;
	case KIND_PROFILE:
		return option_is_profile(value);
	case KIND_ROOM:
		return chat_check_room(value) == 0;
	case KIND_LISTEN:
		return option_is_listen(value);
	case KIND_CONNECT:
		return option_is_connect(value);
	case KIND_KEEP:
		return option_is_keep(value);
	case KIND_SERVICE:
		return option_is_service(value);
	case KIND_FLAG:
	case KIND_PATH:
	case KIND_COLOR:
	case KIND_LEVEL:
	case KIND_NUMBER:
		break;
	}
	return value[0] != '\0';
}

static int set_value(
	struct options *o, const struct option_row *row, const char *value)
{
	char *at = (char *)o + row->offset;

	if (row->kind == KIND_FLAG)
		return parse_flag(value, (bool *)(void *)at);
	if (value == NULL || !is_one(row->kind, value))
		return P2P_ERR_INVAL;
	if (is_list(row))
		return add_item((struct option_list *)(void *)at, value);
	if (row->kind == KIND_COLOR)
		return parse_color(value, (enum option_color *)(void *)at);
	if (row->kind == KIND_LEVEL)
		return log_level_parse(value, (enum log_level *)(void *)at)
			       ? 0
			       : P2P_ERR_INVAL;
	if (row->kind == KIND_NUMBER)
		return parse_number(value, (uint64_t *)(void *)at);
	free(*(char **)(void *)at);
	*(char **)(void *)at = xstrdup(value);
	return 0;
}

int option_set(struct options *o, const char *name, const char *value)
{
	const struct option_row *row = find_row(name);

	if (row == NULL || !row->in_config)
		return P2P_ERR_NOT_FOUND;
	return set_value(o, row, value);
}

int option_place(struct options *o, const char *name, const char *value)
{
	const struct option_row *row = find_row(name);
	char *at = (char *)o;

	if (row == NULL || !row->in_config)
		return P2P_ERR_NOT_FOUND;
	at += row->offset;
	return is_list(row) ? add_item((struct option_list *)(void *)at, value)
			    : 0;
}

const char *option_why(const char *name, int err)
{
	const struct option_row *row = find_row(name);

	if (row == NULL || err == P2P_ERR_NOT_FOUND)
		return "unknown setting";
	if (err == P2P_ERR_LIMIT)
		return "given more than " STR(OPTIONS_LIST_MAX) " times";
	return takes[row->kind];
}

/* ---- argv -------------------------------------------------------------- */

#define ROWS P2P_ARRAY_LEN(table)

static void fill_getopt(struct option longs[static ROWS + 1])
{
	for (size_t i = 0; i < ROWS; i++) {
		longs[i] = (struct option){
			.name = table[i].name,
			.has_arg = table[i].kind == KIND_FLAG
					   ? no_argument
					   : required_argument,
			.val = (int)(256 + i),
		};
	}
	longs[ROWS] = (struct option){.name = NULL};
}

int option_refuse(
	char error[static OPTIONS_ERROR_MAX], const char *what, const char *why)
{
	(void)snprintf(error, OPTIONS_ERROR_MAX,
		"%.300s: %s (--help shows all options)", what, why);
	return EXIT_USAGE;
}

/* "--color maybe: use auto, always or never" */
static int refuse_value(
	char *error, const struct option_row *row, const char *value, int err)
{
	(void)snprintf(error, OPTIONS_ERROR_MAX, "--%s%s%.200s: %s", row->name,
		value[0] == '\0' ? "" : " ", value, option_why(row->name, err));
	return EXIT_USAGE;
}

static const struct option_row *row_of(int got)
{
	if (got == 'h')
		return find_row("help");
	if (got == 'V')
		return find_row("version");
	return got >= 256 ? &table[got - 256] : NULL;
}

int option_flags_read(struct options *o, int argc, char *const argv[],
	char error[static OPTIONS_ERROR_MAX])
{
	struct option longs[ROWS + 1];
	int got;

	fill_getopt(longs);
	optind = 0; /* getopt may have run before (tests) */
	opterr = 0;
	while ((got = getopt_long(argc, argv, ":hV", longs, NULL)) != -1) {
		const struct option_row *row = row_of(got);
		int err;

		if (got == ':')
			return option_refuse(
				error, argv[optind - 1], "needs a value");
		if (row == NULL)
			return option_refuse(error, argv[optind - 1],
				"unknown or ambiguous option");
		err = set_value(o, row, row->kind == KIND_FLAG ? NULL : optarg);
		if (err != 0)
			return refuse_value(error, row, optarg, err);
	}
	if (optind < argc)
		return option_refuse(error, argv[optind], "not an option");
	return 0;
}
