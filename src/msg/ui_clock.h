/*
 * The time as the faces are told it. Nothing in ui/ reads a clock: src/app
 * (and the simulator) fill this in before each call.
 */
#ifndef MSG_UI_CLOCK_H
#define MSG_UI_CLOCK_H

#include "base/compiler.h"

struct ui_clock {
	uint64_t now_ms;      /* monotonic: for deadlines */
	uint64_t wall_ms;     /* since 1970 UTC: for days and times shown */
	int32_t utc_offset_s; /* of the place where the person sits */
};

/* A moment on the wall of the person, Gregorian. */
struct ui_date {
	int32_t day_number; /* since 1970-01-01: equal on equal days */
	int32_t year;
	int32_t month;   /* 1 to 12 */
	int32_t day;     /* 1 to 31 */
	int32_t weekday; /* 0 is Sunday */
	int32_t hour;
	int32_t minute;
};

/* Any time is possible; years past 9999 are shown as 9999-12-31 23:59. */
struct ui_date ui_date_of(uint64_t time_ms, int32_t utc_offset_s);
/* "Mon", "Nov": static text for weekday 0 to 6, month 1 to 12. */
const char *ui_date_weekday(const struct ui_date *d);
const char *ui_date_month(const struct ui_date *d);

#endif
