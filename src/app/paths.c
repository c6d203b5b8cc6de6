/*
 * Where files are, by the XDG base directory specification: a value that is no
 * absolute path counts as none, as it says. Folders are made for the user
 * alone.
 */
#include "app/paths.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/xmalloc.h"

#define FOLDER "p2pchat-tui"

static char *xdg(options_env_fn get_env, const char *name, const char *below)
{
	const char *value = get_env(name);
	const char *home = get_env("HOME");

	if (value != NULL && value[0] == '/')
		return xasprintf("%s/" FOLDER, value);
	if (home == NULL || home[0] != '/')
		return NULL;
	return xasprintf("%s/%s/" FOLDER, home, below);
}

char *path_config(options_env_fn get_env)
{
	char *folder = xdg(get_env, "XDG_CONFIG_HOME", ".config");
	char *path = folder == NULL ? NULL : xasprintf("%s/config", folder);

	free(folder);
	return path;
}

char *path_profile(const struct options *o, options_env_fn get_env)
{
	char *base = o->data_dir != NULL
			     ? xstrdup(o->data_dir)
			     : xdg(get_env, "XDG_DATA_HOME", ".local/share");
	char *path;

	if (base == NULL || o->profile == NULL ||
		strcmp(o->profile, "default") == 0)
		return base;
	path = xasprintf("%s/profiles/%s", base, o->profile);
	free(base);
	return path;
}

static int make_one(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return stat(path, &st) != 0  ? errno
		       : S_ISDIR(st.st_mode) ? 0
					     : ENOTDIR;
	return errno;
}

int path_make_folder(const char *path, char **failed)
{
	char *copy = xstrdup(path);
	int err = 0;

	*failed = NULL;
	for (char *at = copy + 1; err == 0 && *at != '\0'; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		err = make_one(copy);
		if (err == 0)
			*at = '/';
	}
	if (err == 0)
		err = make_one(copy);
	if (err != 0)
		*failed = copy;
	else
		free(copy);
	return err;
}
