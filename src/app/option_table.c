/*
 * The options, a row each, and how a value gets into one: from the command
 * line's flags or, by its long name, from the config file. Which source wins is
 * options.c's business.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/exit_status.h"
#include "app/options.h"
#include "base/xmalloc.h"
#include "net/discover/mdns.h"

enum kind {
	KIND_FLAG,
	KIND_TEXT,
	KIND_LIST,
	KIND_SERVICES, /* a list of names for multicast DNS */
	KIND_COLOR,
	KIND_LEVEL,
	KIND_NUMBER,
};

struct option_row {
	const char *name;
	char letter; /* 0: none */
	enum kind kind;
	size_t offset;
	bool in_config;
};

static const struct option_row table[] = {
	{"room", 0, KIND_LIST, offsetof(struct options, rooms), true},
	{"name", 0, KIND_TEXT, offsetof(struct options, name), true},
	{"listen", 0, KIND_LIST, offsetof(struct options, listen), true},
	{"connect", 0, KIND_LIST, offsetof(struct options, connect), true},
	{"keep", 0, KIND_LIST, offsetof(struct options, keep), true},
	{"data-dir", 0, KIND_TEXT, offsetof(struct options, data_dir), true},
	{"profile", 0, KIND_TEXT, offsetof(struct options, profile), true},
	{"config", 0, KIND_TEXT, offsetof(struct options, config), false},
	{"no-mdns", 0, KIND_FLAG, offsetof(struct options, no_mdns), true},
	{"mdns-service", 0, KIND_SERVICES,
		offsetof(struct options, mdns_services), true},
	{"no-sandbox", 0, KIND_FLAG, offsetof(struct options, no_sandbox),
		true},
	{"headless", 0, KIND_FLAG, offsetof(struct options, headless), true},
	{"plain", 0, KIND_FLAG, offsetof(struct options, plain), true},
	{"json", 0, KIND_FLAG, offsetof(struct options, json), true},
	{"color", 0, KIND_COLOR, offsetof(struct options, color), true},
	{"ascii", 0, KIND_FLAG, offsetof(struct options, ascii), true},
	{"log", 0, KIND_TEXT, offsetof(struct options, log), true},
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

static int add_item(struct option_list *list, const char *value)
{
	if (list->count >= OPTIONS_LIST_MAX)
		return P2P_ERR_LIMIT;
	list->items[list->count++] = xstrdup(value);
	return 0;
}

static int add_service(struct option_list *list, const char *value)
{
	struct mdns_services alone;

	mdns_services_init(&alone);
	return mdns_services_add(&alone, value) == 0 ? add_item(list, value)
						     : P2P_ERR_INVAL;
}

static int set_value(
	struct options *o, const struct option_row *row, const char *value)
{
	char *at = (char *)o + row->offset;

	if (row->kind == KIND_FLAG)
		return parse_flag(value, (bool *)(void *)at);
	if (value == NULL || value[0] == '\0')
		return P2P_ERR_INVAL;
	switch (row->kind) {
	case KIND_TEXT:
		free(*(char **)(void *)at);
		*(char **)(void *)at = xstrdup(value);
		return 0;
	case KIND_LIST:
		return add_item((struct option_list *)(void *)at, value);
	case KIND_SERVICES:
		return add_service((struct option_list *)(void *)at, value);
	case KIND_COLOR:
		return parse_color(value, (enum option_color *)(void *)at);
	case KIND_LEVEL:
		return log_level_parse(value, (enum log_level *)(void *)at)
			       ? 0
			       : P2P_ERR_INVAL;
	case KIND_NUMBER:
		return parse_number(value, (uint64_t *)(void *)at);
	case KIND_FLAG:
		break;
	}
	return P2P_ERR_INVAL;
}

int option_set(struct options *o, const char *name, const char *value)
{
	const struct option_row *row = find_row(name);

	if (row == NULL || !row->in_config)
		return P2P_ERR_NOT_FOUND;
	return set_value(o, row, value);
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

int option_flags_read(struct options *o, int argc, char *const argv[],
	char error[static OPTIONS_ERROR_MAX])
{
	struct option longs[ROWS + 1];
	int got;

	fill_getopt(longs);
	optind = 0; /* getopt may have run before (tests) */
	opterr = 0;
	while ((got = getopt_long(argc, argv, ":hV", longs, NULL)) != -1) {
		const struct option_row *row = NULL;

		if (got == 'h')
			row = find_row("help");
		else if (got == 'V')
			row = find_row("version");
		else if (got >= 256)
			row = &table[got - 256];
		if (got == ':')
			return option_refuse(
				error, argv[optind - 1], "needs a value");
		if (row == NULL)
			return option_refuse(error, argv[optind - 1],
				"unknown or ambiguous option");
		if (set_value(o, row, row->kind == KIND_FLAG ? NULL : optarg) !=
			0)
			return option_refuse(error, argv[optind - 1],
				"not a value that it takes");
	}
	if (optind < argc)
		return option_refuse(error, argv[optind], "not an option");
	return 0;
}
