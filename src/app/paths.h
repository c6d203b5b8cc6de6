/*
 * Where files live: the XDG base directory specification, and --data-dir.
 * Empty or relative values of the XDG variables are ignored, as it says.
 */
#ifndef APP_PATHS_H
#define APP_PATHS_H

#include "app/options.h"

/* $XDG_CONFIG_HOME/p2pchat-tui/config; the caller frees; NULL without HOME. */
char *path_config(options_env_fn get_env);
/* The profile's folder: data_dir (or $XDG_DATA_HOME/p2pchat-tui), and for a
 * profile other than "default" profiles/NAME below it. The caller frees; NULL
 * when there is no home and no data_dir. */
char *path_profile(const struct options *o, options_env_fn get_env);
/* Makes the folder and those above it (0700); 0, or an errno and in *failed the
 * one that could not be made, which the caller frees. */
int path_make_folder(const char *path, char **failed);

#endif
