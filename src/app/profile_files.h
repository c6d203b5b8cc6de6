/*
 * The profile's folder and what lies in it, looked at before anything is opened
 * for good: that they are what they should be, belong to us and are closed to
 * others. What can be mended without a loss is, with a word on standard error.
 */
#ifndef APP_PROFILE_FILES_H
#define APP_PROFILE_FILES_H

#include <sys/stat.h>

#include "app/options.h"

/* All: 0, or an exit status and "what: why". */

/* The folder, which is there: ours, and closed to others. */
int profile_folder_check(
	const char *folder, char error[static OPTIONS_ERROR_MAX]);
/* What is in it, or not yet: names the file at which a start would fail. */
int profile_files_check(
	const char *folder, char error[static OPTIONS_ERROR_MAX]);
/* A file's owner. */
int profile_owner_check(const char *path, const struct stat *st,
	char error[static OPTIONS_ERROR_MAX]);

/* The text of an error; returns the status. */
int profile_refuse(char error[static OPTIONS_ERROR_MAX], int status,
	const char *what, const char *why);

#endif
