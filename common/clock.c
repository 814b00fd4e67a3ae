#include "clock.h"

#include <stdio.h>

enum { MS_PER_DAY = 86400000 };

int64_t clock_since(struct mono from, struct mono to)
{
	return to.ms - from.ms;
}

struct mono clock_add(struct mono from, int64_t ms)
{
	return (struct mono){from.ms + ms};
}

/* Days since 1970 of a date and back, in the proleptic Gregorian calendar.  Years are
 * counted from March, so that the leap day is the last of its year. */
static int64_t days_from_date(int64_t year, int month, int day)
{
	int64_t march_year = month > 2 ? year : year - 1;
	int64_t era = (march_year >= 0 ? march_year : march_year - 399) / 400;
	int64_t year_of_era = march_year - era * 400;
	int64_t day_of_year =
		(153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

static void date_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t shifted = days + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t day_of_era = shifted - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
			       day_of_era / 146096) /
			      365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
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
	(void)snprintf(text, CLOCK_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
		       year % 10000, month, day, (int)(rest / 3600000),
		       (int)(rest / 60000 % 60), (int)(rest / 1000 % 60),
		       (int)(rest % 1000));
	return text;
}

int clock_parse(const char *text, struct wall *wall)
{
	int year, month, day, hour, minute, second, ms = 0, used = 0;
	int64_t days;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute,
		   &second, &used) != 6)
		return -1;
	if (text[used] == '.') {
		int digits = 0;

		if (sscanf(text + used, ".%3d%n", &ms, &digits) != 1 || digits != 4)
			return -1;
		used += digits;
	}
	if (text[used] != 'Z' || text[used + 1] != '\0')
		return -1;
	if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
	    second > 60 || ms < 0)
		return -1;
	days = days_from_date(year, month, day);
	wall->ms = days * MS_PER_DAY +
		   ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + ms;
	return 0;
}
