/*
 * The config file: "name = value" lines as p2pchat-tui.conf(5) says, the names
 * those of the long options; read by inih.
 */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/exit_status.h"
#include "app/options.h"
#include "base/plain_file.h"

/* No option's value is longer; a file that is, is not ours. */
#define CONFIG_FILE_BYTES_MAX (64 * 1024)

struct reading {
	struct options *o;
	const char *why; /* static; NULL: no fault yet */
	char name[64];
};

static int on_line(
	void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;
	int err;

	if (section[0] != '\0')
		r->why = "sections are not used";
	if (r->why != NULL)
		return 0;
	err = option_set(r->o, name, value);
	if (err == 0)
		return 1;
	(void)snprintf(r->name, sizeof(r->name), "%s", name);
	r->why = err == P2P_ERR_NOT_FOUND ? "unknown setting"
		 : err == P2P_ERR_LIMIT   ? "given too often"
					  : "not a value that it takes";
	return 0;
}

int config_file_read(struct options *o, const char *path, bool required,
	char error[static OPTIONS_ERROR_MAX])
{
	struct reading r = {.o = o};
	const char *why;
	int fd = plain_file_open_or_null(path, O_RDONLY, &why);
	FILE *file;
	int line;

	if (fd == PLAIN_FILE_FAULT && errno == ENOENT && !required)
		return 0;
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (file == NULL) {
		if (fd >= 0) {
			why = strerror(errno);
			(void)close(fd);
		}
		(void)snprintf(
			error, OPTIONS_ERROR_MAX, "%.300s: %s", path, why);
		return EXIT_CONFIG;
	}
	if (fseek(file, 0, SEEK_END) == 0 &&
		ftell(file) > CONFIG_FILE_BYTES_MAX) {
		(void)fclose(file);
		(void)snprintf(error, OPTIONS_ERROR_MAX,
			"%.300s: too large for a config file", path);
		return EXIT_CONFIG;
	}
	rewind(file);
	line = ini_parse_file(file, on_line, &r);
	(void)fclose(file);
	if (line == 0)
		return 0;
	(void)snprintf(error, OPTIONS_ERROR_MAX, "%.300s:%d: %s%s%s", path,
		line, r.name, r.name[0] != '\0' ? ": " : "",
		r.why != NULL ? r.why : "not a line of the form NAME = VALUE");
	return EXIT_CONFIG;
}
