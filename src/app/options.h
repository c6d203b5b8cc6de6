/*
 * What the program was asked to do: flags over environment over config file
 * over defaults. One table holds every option; --help, the config file and the
 * test of the man page read it.
 */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/log.h"

#define OPTIONS_LIST_MAX 16
#define OPTIONS_NUMBER_MAX 1000000000u
#define OPTIONS_ERROR_MAX 512
/* No option's value is longer; a file that is, is not ours. */
#define CONFIG_FILE_BYTES_MAX ((size_t)64 * 1024)

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
	char *config;   /* owned: the file that was read; or NULL */
	char *log;      /* owned, or NULL: `log` in the profile's folder */
	enum log_level log_level;
	enum option_color color;
	uint64_t number[OPTION_NUMBERS]; /* one more than given; 0: not given */
	unsigned json_line;              /* of the config file; 0: not there */
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
/* Frees its values; it is empty then. */
void option_list_clear(struct option_list *list);
/* The number as given, or the other. */
uint64_t options_number(
	const struct options *o, enum option_number which, uint64_t otherwise);

/* The whole text of --help. Static. */
const char *options_help(void);

/* ---- for the files of options and tests -------------------------------- */

/*
 * Sets one option by its long name, as the config file may. value is NULL for a
 * bare flag. 0, or P2P_ERR_NOT_FOUND (no such option), P2P_ERR_INVAL (not a
 * value that it takes), P2P_ERR_LIMIT (given too often).
 */
int option_set(
	struct options *o, const char *name, const char *value) P2P_MUST_CHECK;
/* Whether there is such an option, and room for one more value: 0, _NOT_FOUND
 * or _LIMIT. Of lists the value is kept, whatever it is; else nothing is done.
 */
int option_place(
	struct options *o, const char *name, const char *value) P2P_MUST_CHECK;
/* What is wrong and what is right: "use auto, always or never". Static. */
const char *option_why(const char *name, int err);
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
/* The same of its text; path is what errors call it. */
int config_text_read(struct options *o, struct bytes text, const char *path,
	char error[static OPTIONS_ERROR_MAX]);

/* Whether a text can be that, as the part that it goes to says. */
bool option_is_listen(const char *value);
bool option_is_connect(const char *value);
bool option_is_keep(const char *value);
bool option_is_service(const char *value);
bool option_is_profile(const char *value);

#endif
