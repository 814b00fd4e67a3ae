#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MS_PER_DAY = 86400000 };

int64_t clock_since(struct mono from, struct mono to)
{
	return to.ms - from.ms;
}

struct mono clock_add(struct mono from, int64_t ms)
{
	return (struct mono){from.ms + ms};
}

/* Days since 1970 of a date and back, in the proleptic Gregorian calendar.  Years
 * are counted from March, so that the leap day is the last of its year. */
static int64_t days_from_date(int64_t year, int month, int day)
{
	int64_t march_year = month > 2 ? year : year - 1;
	int64_t era = (march_year >= 0 ? march_year : march_year - 399) / 400;
	int64_t year_of_era = march_year - era * 400;
	int64_t day_of_year =
		(153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 -
	       year_of_era / 100 + day_of_year - 719468;
}

static void date_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t day_of_era = shifted - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
			       day_of_era / 146096) /
			      365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 -
					    year_of_era / 100);
	int64_t march_month = (5 * day_of_year + 2) / 153;

	*day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
	*month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
	*year = (int)(year_of_era + era * 400 + (*month <= 2 ? 1 : 0));
}

const char *clock_format(struct wall wall, char text[CLOCK_TEXT_BYTES])
{
	int64_t days = wall.ms / MS_PER_DAY;
	int64_t rest = wall.ms % MS_PER_DAY;
	int year, month, day;

	if (rest < 0) {
		rest += MS_PER_DAY;
		days--;
	}
	date_from_days(days, &year, &month, &day);
	(void)snprintf(text, CLOCK_TEXT_BYTES,
		       "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year % 10000, month,
		       day, (int)(rest / 3600000), (int)(rest / 60000 % 60),
		       (int)(rest / 1000 % 60), (int)(rest % 1000));
	return text;
}

static bool is_local;

void clock_show_local(void)
{
	is_local = true;
}

/* How far the local time is ahead of UTC at that moment. */
static int64_t offset_ms(struct wall wall)
{
	int64_t second = wall.ms / 1000;
	time_t moment = (time_t)second;
	struct tm *local = localtime(&moment);

	if (!local)
		return 0;
	return (days_from_date(local->tm_year + 1900, local->tm_mon + 1,
			       local->tm_mday) *
			86400 +
		local->tm_hour * 3600 + local->tm_min * 60 + local->tm_sec -
		second) *
	       1000;
}

const char *clock_print(struct wall wall, char text[CLOCK_TEXT_BYTES])
{
	int64_t offset = is_local ? offset_ms(wall) : 0;
	int minutes = (int)(llabs(offset) / 60000);
	size_t length;

	(void)clock_format((struct wall){wall.ms + offset}, text);
	if (!is_local)
		return text;
	length = strlen(text) - 1;
	(void)snprintf(text + length, CLOCK_TEXT_BYTES - length, "%c%02d:%02d",
		       offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
	return text;
}

/* The number in so many digits, or -1 if they are not digits. */
static int read_digits(const char *text, int count)
{
	int number = 0;

	for (int i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

static bool is_date(int year, int month, int day)
{
	int same_year, same_month, same_day;

	if (year < 0 || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	date_from_days(days_from_date(year, month, day), &same_year, &same_month,
		       &same_day);
	return same_month == month && same_day == day;
}

int clock_parse(const char *text, struct wall *wall)
{
	static const char shape[] = "0000-00-00T00:00:00";
	int year, month, day, hour, minute, second, ms = 0;
	const char *rest = text + sizeof(shape) - 1;

	for (size_t i = 0; i < sizeof(shape) - 1; i++)
		if (text[i] != shape[i] &&
		    (shape[i] != '0' || read_digits(text + i, 1) < 0))
			return -1;
	year = read_digits(text, 4);
	month = read_digits(text + 5, 2);
	day = read_digits(text + 8, 2);
	hour = read_digits(text + 11, 2);
	minute = read_digits(text + 14, 2);
	second = read_digits(text + 17, 2);
	if (*rest == '.') {
		ms = read_digits(rest + 1, 3);
		if (ms < 0)
			return -1;
		rest += 4;
	}
	if (strcmp(rest, "Z") || !is_date(year, month, day) || hour > 23 ||
	    minute > 59 || second > 60)
		return -1;
	wall->ms = days_from_date(year, month, day) * MS_PER_DAY +
		   ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + ms;
	return 0;
}
