#include "app/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/exit_status.h"
#include "app/paths.h"
#include "base/xmalloc.h"

enum kind {
	KIND_FLAG,
	KIND_TEXT,
	KIND_LIST,
	KIND_COLOR,
	KIND_LEVEL,
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
	{"headless", 0, KIND_FLAG, offsetof(struct options, headless), true},
	{"plain", 0, KIND_FLAG, offsetof(struct options, plain), true},
	{"json", 0, KIND_FLAG, offsetof(struct options, json), true},
	{"color", 0, KIND_COLOR, offsetof(struct options, color), true},
	{"ascii", 0, KIND_FLAG, offsetof(struct options, ascii), true},
	{"log", 0, KIND_TEXT, offsetof(struct options, log), true},
	{"log-level", 0, KIND_LEVEL, offsetof(struct options, log_level), true},
	{"help", 'h', KIND_FLAG, offsetof(struct options, help), false},
	{"version", 'V', KIND_FLAG, offsetof(struct options, version), false},
};

static const char help[] =
	"usage: p2pchat-tui [option ...]\n"
	"\n"
	"Chat with whoever runs this on the same network: no server, no "
	"account.\n"
	"\n"
	"Rooms and people\n"
	"  --room TOPIC       enter this room (repeat for more); default "
	"lobby\n"
	"  --name NAME        the name that others see\n"
	"  --connect ADDRESS  connect to a multiaddr or IP:PORT (repeat)\n"
	"  --keep PEER        stay connected to this peer: its multiaddr with\n"
	"                     /p2p/ID, or its id (repeat)\n"
	"\n"
	"Network\n"
	"  --listen MULTIADDR listen here (repeat); default every interface\n"
	"  --no-mdns          do not look for others on the LAN, do not be "
	"seen\n"
	"\n"
	"Files\n"
	"  --data-dir DIR     key and history live here\n"
	"  --profile NAME     one of several identities\n"
	"  --config FILE      read this instead of the usual config file\n"
	"  --log FILE         write the log here\n"
	"  --log-level LEVEL  error, warn, info or debug\n"
	"\n"
	"Faces\n"
	"  --plain            line by line, for pipes and screen readers\n"
	"  --headless         no screen: a service; commands on standard "
	"input\n"
	"  --json             with one of these: one JSON object a line\n"
	"  --color WHEN       auto, always or never\n"
	"  --ascii            draw with ASCII only\n"
	"\n"
	"  -h, --help         show this text\n"
	"  -V, --version      show versions\n"
	"\n"
	"Environment: CHAT_TOPIC (room), DATA_DIR (data-dir), NO_COLOR.\n"
	"F1 inside shows keys and commands; the manual is p2pchat-tui(1).\n";

const char *options_help(void)
{
	return help;
}

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

static int add_item(struct option_list *list, const char *value)
{
	if (list->count >= OPTIONS_LIST_MAX)
		return P2P_ERR_LIMIT;
	list->items[list->count++] = xstrdup(value);
	return 0;
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
	case KIND_COLOR:
		return parse_color(value, (enum option_color *)(void *)at);
	case KIND_LEVEL:
		return log_level_parse(value, (enum log_level *)(void *)at)
			       ? 0
			       : P2P_ERR_INVAL;
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

static int usage_error(char *error, const char *what, const char *why)
{
	(void)snprintf(error, OPTIONS_ERROR_MAX,
		"%.300s: %s (--help shows all options)", what, why);
	return EXIT_USAGE;
}

static int read_flags(struct options *o, int argc, char *const argv[],
	char error[OPTIONS_ERROR_MAX])
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
			return usage_error(
				error, argv[optind - 1], "needs a value");
		if (row == NULL)
			return usage_error(error, argv[optind - 1],
				"unknown or ambiguous option");
		if (set_value(o, row, row->kind == KIND_FLAG ? NULL : optarg) !=
			0)
			return usage_error(error, argv[optind - 1],
				"not a value that it takes");
	}
	if (optind < argc)
		return usage_error(error, argv[optind], "not an option");
	return 0;
}

/* ---- all sources ------------------------------------------------------- */

static void list_clear(struct option_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	list->count = 0;
}

void options_clear(struct options *o)
{
	list_clear(&o->rooms);
	list_clear(&o->listen);
	list_clear(&o->connect);
	list_clear(&o->keep);
	free(o->name);
	free(o->data_dir);
	free(o->profile);
	free(o->config);
	free(o->log);
	*o = (struct options){.help = false};
}

static void read_env(struct options *o, options_env_fn get_env)
{
	const char *topic = get_env("CHAT_TOPIC");
	const char *dir = get_env("DATA_DIR");

	if (topic != NULL && topic[0] != '\0')
		(void)add_item(&o->rooms, topic);
	if (dir != NULL && dir[0] != '\0')
		o->data_dir = xstrdup(dir);
}

/* A list from a higher source replaces the lower one's. */
static void take_list(struct option_list *to, struct option_list *from)
{
	if (from->count == 0)
		return;
	list_clear(to);
	*to = *from;
	from->count = 0;
}

static void take_text(char **to, char **from)
{
	if (*from == NULL)
		return;
	free(*to);
	*to = *from;
	*from = NULL;
}

/* Lays `high` over `low`; flags can only be switched on. */
static void merge(struct options *low, struct options *high, bool level_set,
	bool color_set)
{
	take_list(&low->rooms, &high->rooms);
	take_list(&low->listen, &high->listen);
	take_list(&low->connect, &high->connect);
	take_list(&low->keep, &high->keep);
	take_text(&low->name, &high->name);
	take_text(&low->data_dir, &high->data_dir);
	take_text(&low->profile, &high->profile);
	take_text(&low->config, &high->config);
	take_text(&low->log, &high->log);
	if (level_set)
		low->log_level = high->log_level;
	if (color_set)
		low->color = high->color;
	/* One face: the one asked for nearer to the person. */
	if (high->plain != high->headless)
		low->plain = low->headless = false;
	low->no_mdns |= high->no_mdns;
	low->headless |= high->headless;
	low->plain |= high->plain;
	low->json |= high->json;
	low->ascii |= high->ascii;
	low->help |= high->help;
	low->version |= high->version;
}

/* Marks "not given", which no real value has. */
#define LEVEL_UNSET ((enum log_level)99)
#define COLOR_UNSET ((enum option_color)99)

static int read_config(struct options *o, const struct options *flags,
	options_env_fn get_env, char error[OPTIONS_ERROR_MAX])
{
	char *path;
	int status;

	if (flags->config != NULL)
		return config_file_read(o, flags->config, true, error);
	path = path_config(get_env);
	if (path == NULL)
		return 0;
	status = config_file_read(o, path, false, error);
	free(path);
	return status;
}

static int check_faces(const struct options *o, char *error)
{
	if (o->json && !o->plain && !o->headless)
		return usage_error(
			error, "--json", "goes with --plain or --headless");
	return 0;
}

int options_read(struct options *o, int argc, char *const argv[],
	options_env_fn get_env, char error[static OPTIONS_ERROR_MAX])
{
	struct options flags = {.log_level = LEVEL_UNSET, .color = COLOR_UNSET};
	struct options env = {.help = false};
	int status;

	*o = (struct options){.log_level = LOG_LEVEL_WARN};
	status = read_flags(&flags, argc, argv, error);
	/* Help and version read no file and work everywhere. */
	if (status == 0 && !flags.help && !flags.version)
		status = read_config(o, &flags, get_env, error);
	read_env(&env, get_env);
	merge(o, &env, false, false);
	merge(o, &flags, flags.log_level != LEVEL_UNSET,
		flags.color != COLOR_UNSET);
	options_clear(&env);
	options_clear(&flags);
	return status != 0 ? status : check_faces(o, error);
}
