/*
 * Options from the command line, the environment and the configuration file, by
 * one table: a row says name, kind and place of a value and whether the file
 * may hold it. The sources are read one by one and the higher is laid over the
 * lower: a list replaces a list, a flag can only be switched on. The manual is
 * held to this table by tests/program/manual.py.
 */
#include "app/options.h"

#include <stdio.h>
#include <stdlib.h>

#include "app/exit_status.h"
#include "app/paths.h"
#include "base/xmalloc.h"

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
	"  --mdns-service NAME be found on the LAN under this name of another\n"
	"                     program, too (repeat)\n"
	"  --author-rate N    lines a minute taken of one author (60; 0: any)\n"
	"\n"
	"Disk, in MiB\n"
	"  --quota N          all of the profile's history (2048, or a tenth "
	"of\n"
	"                     the free space)\n"
	"  --strangers N      what strangers said, in all (256)\n"
	"  --strangers-room N that of one room (64)\n"
	"  --strangers-hour N that of one hour of a room (4)\n"
	"  --regulars-room N  what regulars said in one room (128)\n"
	"  --friend-room N    what one friend said in one room (64)\n"
	"  --free-strangers N with less free nothing of strangers is kept "
	"(256)\n"
	"  --free-others N    with less, nothing but one's own (64)\n"
	"\n"
	"Files\n"
	"  --data-dir DIR     key and history live here\n"
	"  --profile NAME     one of several identities\n"
	"  --config FILE      read this instead of the usual config file\n"
	"  --log FILE         write the log here\n"
	"  --log-level LEVEL  error, warn, info or debug\n"
	"  --no-sandbox       let the process open any file and do anything\n"
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

/* ---- all sources ------------------------------------------------------- */

/* Empty says nothing. */
static int read_env(struct options *o, options_env_fn get_env, char *error)
{
	static const char *const names[][2] = {
		{"CHAT_TOPIC", "room"}, {"DATA_DIR", "data-dir"}};

	for (size_t i = 0; i < P2P_ARRAY_LEN(names); i++) {
		const char *value = get_env(names[i][0]);
		int err;

		if (value == NULL || value[0] == '\0')
			continue;
		err = option_set(o, names[i][1], value);
		if (err == 0)
			continue;
		(void)snprintf(error, OPTIONS_ERROR_MAX, "%s %.200s: %s",
			names[i][0], value, option_why(names[i][1], err));
		return EXIT_USAGE;
	}
	return 0;
}

/* A list from a higher source replaces the lower one's. */
static void take_list(struct option_list *to, struct option_list *from)
{
	if (from->count == 0)
		return;
	option_list_clear(to);
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

uint64_t options_number(
	const struct options *o, enum option_number which, uint64_t otherwise)
{
	return o->number[which] == 0 ? otherwise : o->number[which] - 1;
}

/* Lays `high` over `low`; flags can only be switched on. */
static void merge(struct options *low, struct options *high, bool level_set,
	bool color_set)
{
	take_list(&low->rooms, &high->rooms);
	take_list(&low->listen, &high->listen);
	take_list(&low->connect, &high->connect);
	take_list(&low->keep, &high->keep);
	take_list(&low->mdns_services, &high->mdns_services);
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
	for (size_t i = 0; i < OPTION_NUMBERS; i++)
		if (high->number[i] != 0)
			low->number[i] = high->number[i];
	low->no_mdns |= high->no_mdns;
	low->no_sandbox |= high->no_sandbox;
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
	o->config = flags->config != NULL ? xstrdup(flags->config)
					  : path_config(get_env);
	if (o->config == NULL)
		return 0;
	return config_file_read(o, o->config, flags->config != NULL, error);
}

static int check_faces(const struct options *o, bool by_flag, char *error)
{
	if (!o->json || o->plain || o->headless)
		return 0;
	if (by_flag)
		return option_refuse(
			error, "--json", "goes with --plain or --headless");
	(void)snprintf(error, OPTIONS_ERROR_MAX,
		"%.300s:%u: json: goes with plain or headless", o->config,
		o->json_line);
	return EXIT_CONFIG;
}

int options_read(struct options *o, int argc, char *const argv[],
	options_env_fn get_env, char error[static OPTIONS_ERROR_MAX])
{
	struct options flags = {.log_level = LEVEL_UNSET, .color = COLOR_UNSET};
	struct options env = {.help = false};
	bool json;
	int status;

	*o = (struct options){.log_level = LOG_LEVEL_WARN};
	status = option_flags_read(&flags, argc, argv, error);
	/* Help and version read no file and work everywhere. */
	if (status == 0 && !flags.help && !flags.version) {
		status = read_config(o, &flags, get_env, error);
		if (status == 0)
			status = read_env(&env, get_env, error);
	}
	json = flags.json;
	merge(o, &env, false, false);
	merge(o, &flags, flags.log_level != LEVEL_UNSET,
		flags.color != COLOR_UNSET);
	options_clear(&env);
	options_clear(&flags);
	return status != 0 ? status : check_faces(o, json, error);
}
