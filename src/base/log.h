/*
 * Lines for whoever looks for a fault. A sink is a function; the program's
 * writes a file (src/app), tests keep or drop the lines. Text from others must
 * have passed text_clean first. No secrets, ever.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/compiler.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

struct log {
	/* One line without a newline; must be callable from any thread. */
	void (*write)(struct log *log, enum log_level level, const char *line);
	enum log_level level; /* lines above it are not formatted at all */
};

/* `log` may be NULL: the line is dropped. Cut at 1,000 bytes. */
void log_printf(struct log *log, enum log_level level, const char *fmt, ...)
	P2P_PRINTF(3, 4);
/* "error", "warn", "info", "debug"; false when text is none of them. */
bool log_level_parse(const char *text, enum log_level *level);
const char *log_level_name(enum log_level level);

#endif
