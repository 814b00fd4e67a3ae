/*
 * Stand-ins for PDH, which answer as Microsoft documents it; Wine's has hardly a
 *counter and no wildcards.  Linked, they come before the library's.
 *
 * The variable PDH_FILE names a JSON file that is read with each call:
 *
 *	{"add": 0, "collect": 0, "format": 0, "stamp": 1,
 *	 "items": [["_Total", 7.0, 0], ["Clients", 7.0, 0]]}
 *
 * "add", "collect" and "format" are what those calls return, and an item has its
 *name, its value and its CStatus.  What is missing is 0.  A query too many fails,
 *error 13.  Each "add" is a byte in a file beside it, PDH_FILE.adds.
 */
#include <windows.h>

#include <jansson.h>
#include <pdh.h>
#include <pdhmsg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_CHARACTERS = 32 };

static int queries;

static json_t *script(void)
{
	json_t *read = json_load_file(getenv("PDH_FILE"), 0, NULL);

	if (!read)
		abort();
	return read;
}

static PDH_STATUS answer(const char *call)
{
	json_t *read = script();
	json_int_t status = json_integer_value(json_object_get(read, call));

	json_decref(read);
	return (PDH_STATUS)status;
}

/* One byte for each call, in a file beside the other. */
static void count_add(void)
{
	char path[MAX_PATH];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s.adds", getenv("PDH_FILE"));
	file = fopen(path, "ab");
	if (!file || fputc('+', file) == EOF || fclose(file))
		abort();
}

PDH_STATUS WINAPI PdhOpenQueryW(LPCWSTR source, DWORD_PTR data, PDH_HQUERY *query)
{
	(void)data;
	*query = (PDH_HQUERY)1;
	return source || queries++ ? ERROR_INVALID_DATA : 0;
}

PDH_STATUS WINAPI PdhCloseQuery(PDH_HQUERY query)
{
	(void)query;
	queries--;
	return 0;
}

PDH_STATUS WINAPI PdhAddEnglishCounterW(PDH_HQUERY query, LPCWSTR path,
					DWORD_PTR data, PDH_HCOUNTER *counter)
{
	(void)query;
	(void)path;
	(void)data;
	*counter = (PDH_HCOUNTER)2;
	count_add();
	return answer("add");
}

PDH_STATUS WINAPI PdhCollectQueryData(PDH_HQUERY query)
{
	(void)query;
	return answer("collect");
}

static void fill_value(json_t *item, PDH_FMT_COUNTERVALUE *value)
{
	value->CStatus = (DWORD)json_integer_value(json_array_get(item, 2));
	value->doubleValue = json_number_value(json_array_get(item, 1));
}

static FILETIME stamp(json_t *read)
{
	json_int_t number = json_integer_value(json_object_get(read, "stamp"));

	return (FILETIME){(DWORD)number, 0};
}

PDH_STATUS WINAPI PdhGetFormattedCounterValue(PDH_HCOUNTER counter, DWORD format,
					      DWORD *type,
					      PDH_FMT_COUNTERVALUE *value)
{
	json_t *read = script();

	(void)counter;
	(void)type;
	if (format != (PDH_FMT_DOUBLE | PDH_FMT_NOCAP100))
		abort();
	fill_value(json_array_get(json_object_get(read, "items"), 0), value);
	json_decref(read);
	return answer("format");
}

PDH_STATUS WINAPI PdhGetRawCounterValue(PDH_HCOUNTER counter, DWORD *type,
					PDH_RAW_COUNTER *raw)
{
	json_t *read = script();

	(void)counter;
	(void)type;
	memset(raw, 0, sizeof(*raw));
	raw->TimeStamp = stamp(read);
	json_decref(read);
	return 0;
}

/* False, and what is needed, if there is no room for the items and their names. */
static BOOL has_room(json_t *items, size_t item_bytes, DWORD *size, DWORD *count)
{
	DWORD given = *size;

	*count = (DWORD)json_array_size(items);
	*size = (DWORD)(*count * (item_bytes + NAME_CHARACTERS * sizeof(wchar_t)));
	return given >= *size;
}

static wchar_t *put_name(json_t *item, void *names, size_t i)
{
	wchar_t *name = (wchar_t *)names + i * NAME_CHARACTERS;

	MultiByteToWideChar(CP_UTF8, 0, json_string_value(json_array_get(item, 0)),
			    -1, name, NAME_CHARACTERS);
	return name;
}

PDH_STATUS WINAPI PdhGetFormattedCounterArrayW(PDH_HCOUNTER counter, DWORD format,
					       DWORD *size, DWORD *count,
					       PDH_FMT_COUNTERVALUE_ITEM_W *to)
{
	json_t *read = script(), *items = json_object_get(read, "items"), *item;
	PDH_STATUS status = answer("format");
	size_t i;

	(void)counter;
	if (format != (PDH_FMT_DOUBLE | PDH_FMT_NOCAP100))
		abort();
	if (!status && !has_room(items, sizeof(*to), size, count))
		status = (PDH_STATUS)PDH_MORE_DATA;
	if (!status)
		json_array_foreach (items, i, item) {
			to[i].szName = put_name(item, to + *count, i);
			fill_value(item, &to[i].FmtValue);
		}
	json_decref(read);
	return status;
}

PDH_STATUS WINAPI PdhGetRawCounterArrayW(PDH_HCOUNTER counter, DWORD *size,
					 DWORD *count, PDH_RAW_COUNTER_ITEM_W *to)
{
	json_t *read = script(), *items = json_object_get(read, "items"), *item;
	PDH_STATUS status = 0;
	size_t i;

	(void)counter;
	if (!has_room(items, sizeof(*to), size, count))
		status = (PDH_STATUS)PDH_MORE_DATA;
	else
		json_array_foreach (items, i, item) {
			memset(&to[i], 0, sizeof(to[i]));
			to[i].szName = put_name(item, to + *count, i);
			to[i].RawValue.TimeStamp = stamp(read);
		}
	json_decref(read);
	return status;
}
