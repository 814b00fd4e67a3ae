#include "text/duration.h"

#include "text/text.h"

#include <stdio.h>
#include <string.h>

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

enum { UNITS_COUNT = sizeof(units) / sizeof(units[0]) };

/* The index of the unit of so many letters from `from` on; UNITS_COUNT if there is
 * none.
 */
static size_t find_unit(const char *name, size_t length, size_t from)
{
	while (from < UNITS_COUNT && (strlen(units[from].name) != length ||
				      strncmp(units[from].name, name, length)))
		from++;
	return from;
}

int duration_parse(const char *text, int64_t *ms)
{
	size_t unit = 0;

	*ms = 0;
	do {
		int64_t number;
		size_t length;

		if (text_read_number(text, &number, &text))
			return -1;
		length = strcspn(text, "0123456789");
		unit = find_unit(text, length, unit);
		if (unit == UNITS_COUNT ||
		    number > (INT64_MAX - *ms) / units[unit].ms)
			return -1;
		*ms += number * units[unit++].ms;
		text += length;
	} while (*text);
	return 0;
}

const char *duration_print(int64_t ms, char text[DURATION_BYTES])
{
	long long seconds = ms > 0 ? ms / 1000 + (ms % 1000 >= 500) : 0;

	if (seconds < 60)
		(void)snprintf(text, DURATION_BYTES, "%llds", seconds);
	else if (seconds < 3600)
		(void)snprintf(text, DURATION_BYTES, "%lldm%02llds", seconds / 60,
			       seconds % 60);
	else
		(void)snprintf(text, DURATION_BYTES, "%lldh%02lldm", seconds / 3600,
			       seconds / 60 % 60);
	return text;
}

const char *duration_print_exact(int64_t ms, char text[DURATION_BYTES])
{
	size_t i = 0;

	while (ms % units[i].ms || (!ms && units[i].ms > 1000))
		i++;
	(void)snprintf(text, DURATION_BYTES, "%lld%s",
		       (long long)(ms / units[i].ms), units[i].name);
	return text;
}
