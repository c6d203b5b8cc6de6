/*
 * The locale for characters. A name of a locale that is not installed (ssh
 * hands on LC_CTYPE=UTF-8 from a Mac, a container has none generated) tells
 * what the terminal speaks all the same; so does the kernel, whose flag IUTF8
 * most terminals set.
 */
#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "ui/terminal/terminal.h"

static bool says_utf8(const char *name)
{
	for (; name != NULL && *name != '\0'; name++)
		if (strncasecmp(name, "utf-8", 5) == 0 ||
			strncasecmp(name, "utf8", 4) == 0)
			return true;
	return false;
}

static bool kernel_says_utf8(void)
{
#ifdef IUTF8
	struct termios tty;

	return tcgetattr(STDIN_FILENO, &tty) == 0 &&
	       (tty.c_iflag & (tcflag_t)IUTF8) != 0;
#else
	return false;
#endif
}

enum terminal_locale terminal_set_locale(const char *wanted)
{
	bool there = setlocale(LC_CTYPE, "") != NULL;

	if (there && strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return TERMINAL_LOCALE_UTF8;
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		(void)setlocale(LC_CTYPE, "C");
	else if (!there && (says_utf8(wanted) || kernel_says_utf8()))
		return TERMINAL_LOCALE_MISSING_UTF8;
	return there ? TERMINAL_LOCALE_ASCII : TERMINAL_LOCALE_MISSING;
}
