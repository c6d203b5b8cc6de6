/*
 * A log line is formatted here, on the stack, and only when its level is asked
 * for; the sink decides where it goes. A line is cut, never refused.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOG_LINE_BYTES_MAX 1000

static const char *const names[] = {"error", "warn", "info", "debug"};

void log_printf(struct log *log, enum log_level level, const char *fmt, ...)
{
	char line[LOG_LINE_BYTES_MAX + 1];
	va_list ap;

	if (log == NULL || log->write == NULL || level > log->level)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	log->write(log, level, line);
}

bool log_level_parse(const char *text, enum log_level *level)
{
	for (size_t i = 0; i < P2P_ARRAY_LEN(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

const char *log_level_name(enum log_level level)
{
	return names[level];
}
