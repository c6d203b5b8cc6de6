/*
 * Whether a full screen is possible. A file of its own, because term.h makes
 * macros of common words.
 */
#include <ncurses.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

#include "ui/terminal/terminal.h"

int terminal_probe(void)
{
	int found = 0;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return P2P_ERR_IO;
	/* NULL: what TERM says. */
	if (setupterm(NULL, STDOUT_FILENO, &found) != OK || found != 1)
		return P2P_ERR_NOT_FOUND;
	if (strcmp(termname(), "dumb") == 0 || cursor_address == NULL ||
		clear_screen == NULL)
		return P2P_ERR_UNSUPPORTED;
	return 0;
}
