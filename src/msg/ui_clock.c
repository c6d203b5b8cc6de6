/*
 * Days and hours from milliseconds, by the proleptic Gregorian calendar and a
 * fixed offset. The C library is not asked: its time zone is the process's, and
 * the same moment must make the same day in a test, the simulator and here.
 */
#include "msg/ui_clock.h"

#define DAY_S 86400
#define TIME_S_MAX 253402300799LL /* 9999-12-31 23:59:59 */

/* Days since 1970-01-01 to a date: years are taken to begin in March, so that
 * the leap day is the last one; 719468 days lie between 0000-03-01 and 1970. */
static void civil_from_days(struct ui_date *d)
{
	int32_t z = d->day_number + 719468;
	int32_t era = z / 146097;
	int32_t day_of_era = z - era * 146097;
	int32_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 -
			day_of_era / 146096) /
		365;
	int32_t day_of_year =
		day_of_era -
		(365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int32_t month = (5 * day_of_year + 2) / 153;

	d->day = day_of_year - (153 * month + 2) / 5 + 1;
	d->month = month < 10 ? month + 3 : month - 9;
	d->year = year_of_era + era * 400 + (d->month <= 2);
}

struct ui_date ui_date_of(uint64_t time_ms, int32_t utc_offset_s)
{
	struct ui_date d = {0};
	uint64_t s = P2P_MIN(time_ms / 1000, (uint64_t)TIME_S_MAX);
	int64_t local = (int64_t)s + utc_offset_s;
	int32_t in_day;

	local = P2P_MAX(local, 0);
	local = P2P_MIN(local, TIME_S_MAX);
	d.day_number = (int32_t)(local / DAY_S);
	in_day = (int32_t)(local % DAY_S);
	d.hour = in_day / 3600;
	d.minute = in_day / 60 % 60;
	d.weekday = (d.day_number + 4) % 7; /* 1970-01-01 was a Thursday */
	civil_from_days(&d);
	return d;
}

const char *ui_date_weekday(const struct ui_date *d)
{
	static const char *const names[] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

	P2P_ASSERT(d->weekday >= 0 && d->weekday < 7);
	return names[d->weekday];
}

const char *ui_date_month(const struct ui_date *d)
{
	static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

	P2P_ASSERT(d->month >= 1 && d->month <= 12);
	return names[d->month - 1];
}
