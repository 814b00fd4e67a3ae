#include "sources/counter_list.h"

#include "mem.h"
#include "system/wide_windows.h"

#include <windows.h>

#include <ctype.h>
#include <math.h>
#include <pdh.h>
#include <pdhmsg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 8, COUNTERS_LIMIT = 10000, BETWEEN_MS = 1000 };

struct counter {
	char *path;
	PDH_HCOUNTER handle;
};

struct counters {
	PDH_HQUERY query;
	struct counter *items;
	size_t count;
};

static bool matches(const char *pattern, const char *text)
{
	for (; *pattern; pattern++, text++) {
		if (*pattern == '*') {
			for (; *text; text++)
				if (matches(pattern + 1, text))
					return true;
			return matches(pattern + 1, text);
		}
		if (!*text ||
		    (*pattern != '?' && tolower((unsigned char)*pattern) !=
						tolower((unsigned char)*text)))
			return false;
	}
	return !*text;
}

static void add_counter(struct counters *counters, const wchar_t *path)
{
	PDH_HCOUNTER handle;
	struct counter *items;

	if (counters->count == COUNTERS_LIMIT ||
	    PdhAddCounterW(counters->query, path, 0, &handle))
		return;
	/* In steps, as there may be thousands. */
	if (counters->count % 256 == 0) {
		items = xrealloc(counters->items,
				 (counters->count + 256) * sizeof(*items));
		counters->items = items;
	}
	counters->items[counters->count++] =
		(struct counter){wide_to_utf8(path), handle};
}

/* All paths of a wildcard.  An object with instances has none without, and the
 * other way round. */
static void add_paths(struct counters *counters, const char *object,
		      const char *wildcard)
{
	char *text = xasprintf("\\%s%s", object, wildcard);
	wchar_t *wide = wide_from_utf8(text), *paths = NULL;
	DWORD size = 0, status = (DWORD)PDH_MORE_DATA;

	for (int i = 0; i < TRIES && status == (DWORD)PDH_MORE_DATA; i++) {
		paths = xrealloc(paths, (size + 1) * sizeof(*paths));
		status = (DWORD)PdhExpandWildCardPathW(
			NULL, wide, size ? paths : NULL, &size, 0);
	}
	for (wchar_t *path = paths; !status && size && *path;
	     path += wcslen(path) + 1)
		add_counter(counters, path);
	free(paths);
	free(wide);
	free(text);
}

static DWORD list_objects(wchar_t **objects)
{
	DWORD size = 0, status = (DWORD)PDH_MORE_DATA;

	*objects = NULL;
	for (int i = 0; i < TRIES && status == (DWORD)PDH_MORE_DATA; i++) {
		*objects = xrealloc(*objects, (size + 1) * sizeof(**objects));
		(*objects)[0] = L'\0';
		status = (DWORD)PdhEnumObjectsW(NULL, NULL, size ? *objects : NULL,
						&size, PERF_DETAIL_WIZARD, i == 0);
	}
	return status;
}

/* "\\MACHINE\Object\Counter" without the machine. */
static const char *without_machine(const char *path)
{
	const char *slash =
		strncmp(path, "\\\\", 2) ? NULL : strchr(path + 2, '\\');

	return slash ? slash : path;
}

static void tell_each(const struct counters *counters,
		      void (*each)(const char *path, double value))
{
	for (size_t i = 0; i < counters->count; i++) {
		PDH_FMT_COUNTERVALUE value;
		DWORD status = (DWORD)PdhGetFormattedCounterValue(
			counters->items[i].handle,
			PDH_FMT_DOUBLE | PDH_FMT_NOCAP100, NULL, &value);

		each(without_machine(counters->items[i].path),
		     status ? NAN : value.doubleValue);
	}
}

int counter_list(const char *pattern, void (*each)(const char *path, double value),
		 struct err *err)
{
	struct counters counters = {0};
	wchar_t *objects;
	DWORD status = list_objects(&objects);

	if (!status)
		status = (DWORD)PdhOpenQueryW(NULL, 0, &counters.query);
	for (wchar_t *at = objects; !status && *at; at += wcslen(at) + 1) {
		char *object = wide_to_utf8(at);

		if (matches(pattern, object)) {
			add_paths(&counters, object, "\\*");
			add_paths(&counters, object, "(*)\\*");
		}
		free(object);
	}
	if (!status && counters.count) {
		(void)PdhCollectQueryData(counters.query);
		Sleep(BETWEEN_MS);
		(void)PdhCollectQueryData(counters.query);
		tell_each(&counters, each);
	}
	for (size_t i = 0; i < counters.count; i++)
		free(counters.items[i].path);
	free(counters.items);
	free(objects);
	if (counters.query)
		(void)PdhCloseQuery(counters.query);
	if (status)
		return err_set_os(err, ERR_SESSIONS, status,
				  "the performance counters cannot be listed");
	return counters.count
		       ? 0
		       : err_set(err, ERR_SESSIONS,
				 "no performance counter here has an object like "
				 "'%s'; do its services run?",
				 pattern);
}
