/*
 * /history: so many lines, or those since a day. Days are the person's: the
 * calendar is reckoned here, without the system's, from the offset that the cfg
 * gives, so that a test or the simulator gets the same lines everywhere.
 */

#include "chat/chat_internal.h"
#include "chat/cmd_internal.h"
#include "chat/history_internal.h"
#include "chat/out_internal.h"

#define DAY_S 86400

/* A decimal number that is the whole text; -1 when it is none. */
static int64_t parse_number(struct bytes text)
{
	int64_t n = 0;

	if (text.len == 0 || text.len > 9)
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return -1;
		n = n * 10 + (text.data[i] - '0');
	}
	return n;
}

static int days_in(int64_t year, int64_t month)
{
	static const int days[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01 of a day of the Gregorian calendar. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
	int64_t before = year - 1;
	int64_t days = before * 365 + before / 4 - before / 100 + before / 400;

	for (int64_t m = 1; m < month; m++)
		days += days_in(year, m);
	return days + day - 1 - 719162;
}

/* "2026-11-20", the person's day; false when it is no date. */
static bool parse_date(
	const struct chat *c, struct bytes text, uint64_t *time_ms)
{
	int64_t year, month, day, at;

	if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-')
		return false;
	year = parse_number(bytes_first(text, 4));
	month = parse_number(bytes_first(bytes_skip(text, 5), 2));
	day = parse_number(bytes_skip(text, 8));
	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
		day > days_in(year, month))
		return false;
	at = days_since_1970(year, month, day) * DAY_S - c->utc_offset_s;
	*time_ms = at < 0 ? 0 : (uint64_t)at * 1000;
	return true;
}

void cmd_history(struct chat *c, struct chat_room *r, struct bytes args)
{
	int64_t n = args.len == 0 ? CHAT_HISTORY_DEFAULT : parse_number(args);
	uint64_t time_ms;

	if (r == NULL)
		out_error(c, "no-such-room", "You are in no such room.");
	else if (n > 0 && n <= CHAT_HISTORY_MAX)
		history_last(c, r, (size_t)n);
	else if (n >= 0)
		out_error(c, "usage", "/history shows 1 to %d lines.",
			CHAT_HISTORY_MAX);
	else if (parse_date(c, args, &time_ms))
		history_since(c, r, time_ms);
	else
		out_error(c, "usage",
			"Say how many lines, or a day: /history 20, /history "
			"2026-11-20.");
}
