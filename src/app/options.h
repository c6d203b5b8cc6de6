/*
 * What the program was asked to do: flags over environment over config file
 * over defaults. One table holds every option; --help, the config file and the
 * test of the man page read it.
 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include "base/error.h"
#include "base/log.h"

#define OPTIONS_LIST_MAX 16
#define OPTIONS_NUMBER_MAX 1000000000u
#define OPTIONS_ERROR_MAX 512

/* A repeated option's values, in order. */
struct option_list {
	char *items[OPTIONS_LIST_MAX]; /* owned */
	size_t count;
};

enum option_color {
	OPTION_COLOR_AUTO,
	OPTION_COLOR_ALWAYS,
	OPTION_COLOR_NEVER,
};

/* Settings that are numbers. */
enum option_number {
	OPTION_AUTHOR_RATE, /* lines a minute; 0: no rates */
	OPTION_QUOTA,       /* from here on in MiB */
	OPTION_STRANGERS,
	OPTION_STRANGERS_ROOM,
	OPTION_STRANGERS_HOUR,
	OPTION_REGULARS_ROOM,
	OPTION_FRIEND_ROOM,
	OPTION_FREE_STRANGERS,
	OPTION_FREE_OTHERS,
	OPTION_NUMBERS,
};

struct options {
	struct option_list rooms;
	struct option_list listen;
	struct option_list connect;
	struct option_list keep;
	struct option_list mdns_services;
	char *name;     /* owned, or NULL */
	char *data_dir; /* owned, or NULL: the XDG folder */
	char *profile;  /* owned, or NULL: "default" */
	char *config;   /* owned, or NULL: the XDG file, if there is one */
	char *log;      /* owned, or NULL: `log` in the profile's folder */
	enum log_level log_level;
	enum option_color color;
	uint64_t number[OPTION_NUMBERS]; /* one more than given; 0: not given */
	bool no_mdns;
	bool no_sandbox;
	bool headless;
	bool plain;
	bool json;
	bool ascii;
	bool help;
	bool version;
};

/* How the program sees its environment; tests give their own. */
typedef const char *(*options_env_fn)(const char *name);

/*
 * Reads argv, the environment and the config file. 0, or the exit status to
 * end with and a text "what: why" in error. *o is to be cleared either way.
 */
int options_read(struct options *o, int argc, char *const argv[],
	options_env_fn get_env, char error[static OPTIONS_ERROR_MAX]);
void options_clear(struct options *o);
/* The number as given, or the other. */
uint64_t options_number(
	const struct options *o, enum option_number which, uint64_t otherwise);

/* The whole text of --help. Static. */
const char *options_help(void);

/* ---- for options.c, option_table.c and config_file.c ------------------- */

/*
 * Sets one option by its long name. value is NULL for a bare flag. 0, or
 * P2P_ERR_NOT_FOUND (no such option), P2P_ERR_INVAL (a bad value).
 */
int option_set(
	struct options *o, const char *name, const char *value) P2P_MUST_CHECK;
/* The flags into o; 0 or the exit status and a text. */
int option_flags_read(struct options *o, int argc, char *const argv[],
	char error[static OPTIONS_ERROR_MAX]);
/* The text of a usage error; returns EXIT_USAGE. */
int option_refuse(char error[static OPTIONS_ERROR_MAX], const char *what,
	const char *why);
/* The file into o; 0 or the exit status and a text with the line's number. A
 * missing file is an error only when `required`. */
int config_file_read(struct options *o, const char *path, bool required,
	char error[static OPTIONS_ERROR_MAX]);

#endif
