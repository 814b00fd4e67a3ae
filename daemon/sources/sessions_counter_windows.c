#include "sources/sessions_reader.h"

#include "backoff.h"
#include "clock.h"
#include "mem.h"
#include "system/wide_windows.h"

#include <windows.h>

#include <math.h>
#include <pdh.h>
#include <pdhmsg.h>
#include <stdlib.h>
#include <string.h>

/* A counter's time stamp counts in steps of 15 ms, and some are made once a second.
 */
enum { STALE_LEAST_MS = 2000, TRIES = 8 };

/* Opening a query loads all that has counters, so one that is missing is not looked
 * for all the time. */
enum { AGAIN_LEAST_MS = 1000, AGAIN_MOST_MS = 30000 };

#define FORMAT (PDH_FMT_DOUBLE | PDH_FMT_NOCAP100)
#define TOTAL L"_Total"

struct counter_reader {
	struct sessions_reader reader;
	const struct pool_counter *counter;
	PDH_HQUERY query; /* NULL: to be opened by the next reading */
	PDH_HCOUNTER handle;
	bool was_collected; /* since it was opened */
	/* Opened anew, it failed: with this, then, and it is tried again later. */
	DWORD failure;
	struct mono failed_at;
	struct backoff backoff;

	LONGLONG stamp; /* of the counter's values, and when that was new; 0: none
			   yet */
	struct mono stamp_mono;
	struct wall stamp_wall;
	bool has_moved; /* the stamp, since the query was opened */
};

/* ---- what PDH says, in words ---- */

/* Each goes between the path and the number. */
static const struct {
	DWORD status;
	const char *text;
} reasons[] = {
	{PDH_CSTATUS_NO_OBJECT, "there is no such object; does its service run?"},
	{PDH_CSTATUS_NO_COUNTER, "there is no such counter; does its service run?"},
	{PDH_CSTATUS_NO_INSTANCE, "there is no such instance"},
	{PDH_CSTATUS_NO_COUNTERNAME, "the path names no counter"},
	{PDH_CSTATUS_BAD_COUNTERNAME, "the path cannot be understood"},
	{PDH_CSTATUS_NO_MACHINE, "the counters cannot be asked"},
	{PDH_NO_DATA, "there is no data; does its service run?"},
	{PDH_INVALID_DATA, "its value is not valid"},
	{PDH_CSTATUS_INVALID_DATA, "its value is not valid"},
	{PDH_CALC_NEGATIVE_DENOMINATOR, "its base ran backwards"},
	{PDH_CALC_NEGATIVE_TIMEBASE, "its clock ran backwards"},
	{PDH_CALC_NEGATIVE_VALUE, "its value ran backwards"},
	{PDH_ACCESS_DENIED,
	 "access is denied; poold has to be LocalSystem or in the "
	 "group Performance Monitor Users"},
	{ERROR_ACCESS_DENIED,
	 "access is denied; poold has to be LocalSystem or in the "
	 "group Performance Monitor Users"},
};

/* The object, with which typeperf lists what there is of it. */
static int fail(const struct counter_reader *counter, DWORD status, struct err *err)
{
	const char *path = counter->counter->path, *reason = "it cannot be read";

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			reason = reasons[i].text;
	return err_set(err, ERR_SESSIONS,
		       "%s: %s (PDH 0x%08lX); see what there is with: typeperf -qx "
		       "\"%.*s\"",
		       path, reason, status, (int)strcspn(path + 1, "(\\"),
		       path + 1);
}

static bool is_valid(DWORD status)
{
	return status == PDH_CSTATUS_VALID_DATA || status == PDH_CSTATUS_NEW_DATA;
}

/* ---- the values ---- */

/* What PDH lists for a wildcard; a list may grow between asking for its size and
 * for itself.  The caller frees it. */
static DWORD list_values(PDH_HCOUNTER handle, PDH_FMT_COUNTERVALUE_ITEM_W **items,
			 DWORD *count)
{
	DWORD size = 0, status = PDH_MORE_DATA;

	*items = NULL;
	for (int i = 0; i < TRIES && status == PDH_MORE_DATA; i++) {
		*items = xrealloc(*items, size + 1);
		status = (DWORD)PdhGetFormattedCounterArrayW(
			handle, FORMAT, &size, count, size ? *items : NULL);
	}
	return status;
}

static DWORD list_raw(PDH_HCOUNTER handle, PDH_RAW_COUNTER_ITEM_W **items,
		      DWORD *count)
{
	DWORD size = 0, status = PDH_MORE_DATA;

	*items = NULL;
	for (int i = 0; i < TRIES && status == PDH_MORE_DATA; i++) {
		*items = xrealloc(*items, size + 1);
		status = (DWORD)PdhGetRawCounterArrayW(handle, &size, count,
						       size ? *items : NULL);
	}
	return status;
}

/* The sum; where one value cannot be known, nor can it. */
static DWORD sum_values(PDH_HCOUNTER handle, double *sum)
{
	PDH_FMT_COUNTERVALUE_ITEM_W *items;
	DWORD count = 0, status = list_values(handle, &items, &count);

	if (!status && !count)
		status = PDH_CSTATUS_NO_INSTANCE;
	*sum = 0;
	for (DWORD i = 0; !status && i < count; i++) {
		const PDH_FMT_COUNTERVALUE *value = &items[i].FmtValue;
		bool is_total = !_wcsicmp(items[i].szName, TOTAL);

		if (!is_valid(value->CStatus))
			status = value->CStatus;
		else if (!(value->doubleValue >= 0))
			status = PDH_CALC_NEGATIVE_VALUE;
		else if (!is_total || count == 1)
			*sum += value->doubleValue;
	}
	free(items);
	return status;
}

static DWORD one_value(PDH_HCOUNTER handle, double *value)
{
	PDH_FMT_COUNTERVALUE formatted;
	DWORD status = (DWORD)PdhGetFormattedCounterValue(handle, FORMAT, NULL,
							  &formatted);

	/* Both tell the same, but the second tells more. */
	if (status && status != PDH_INVALID_DATA)
		return status;
	if (!is_valid(formatted.CStatus))
		return formatted.CStatus;
	*value = formatted.doubleValue;
	return status ? status : *value >= 0 ? 0 : PDH_CALC_NEGATIVE_VALUE;
}

static LONGLONG to_number(const FILETIME *time)
{
	return (LONGLONG)((ULONGLONG)time->dwHighDateTime << 32 |
			  time->dwLowDateTime);
}

/* The oldest time stamp of the values. */
static DWORD ask_stamp(PDH_HCOUNTER handle, bool is_list, LONGLONG *stamp)
{
	PDH_RAW_COUNTER_ITEM_W *items;
	PDH_RAW_COUNTER raw;
	DWORD count = 0, status;

	if (!is_list) {
		status = (DWORD)PdhGetRawCounterValue(handle, NULL, &raw);
		*stamp = status ? 0 : to_number(&raw.TimeStamp);
		return status;
	}
	status = list_raw(handle, &items, &count);
	for (DWORD i = 0; !status && i < count; i++) {
		LONGLONG each = to_number(&items[i].RawValue.TimeStamp);

		if (!i || each < *stamp)
			*stamp = each;
	}
	free(items);
	return status ? status : count ? 0 : PDH_CSTATUS_NO_INSTANCE;
}

/* ---- reading ---- */

static DWORD open_query(struct counter_reader *counter)
{
	DWORD status = (DWORD)PdhOpenQueryW(NULL, 0, &counter->query);
	wchar_t *path;

	if (status) {
		counter->query = NULL;
		return status;
	}
	path = wide_from_utf8(counter->counter->path);
	status = (DWORD)PdhAddEnglishCounterW(counter->query, path, 0,
					      &counter->handle);
	free(path);
	return status;
}

static void close_query(struct counter_reader *counter)
{
	if (counter->query)
		(void)PdhCloseQuery(counter->query);
	counter->query = NULL;
	counter->was_collected = false;
	counter->stamp = 0;
	counter->has_moved = false;
}

static void note_stamp(struct counter_reader *counter, LONGLONG stamp)
{
	if (stamp == counter->stamp)
		return;
	counter->has_moved = counter->stamp != 0;
	counter->stamp = stamp;
	counter->stamp_mono = clock_mono();
	counter->stamp_wall = clock_wall();
}

/* A value that nobody made anew is that of a time when there may have been fewer.
 * Of the first, nobody knows when it was made. */
static int check_stamp(const struct counter_reader *counter, struct err *err)
{
	int64_t age_ms = clock_since(counter->stamp_mono, clock_mono());
	char since[CLOCK_TEXT_BYTES];

	if (age_ms < STALE_LEAST_MS && counter->has_moved)
		return 0;
	if (age_ms < STALE_LEAST_MS)
		return err_set(
			err, ERR_SESSIONS,
			"%s: whether its first value is fresh is not known before "
			"its time stamp has moved",
			counter->counter->path);
	return err_set(err, ERR_SESSIONS,
		       "%s: it is stale: its time stamp stands since %s",
		       counter->counter->path,
		       clock_format(counter->stamp_wall, since));
}

static int to_count(const struct counter_reader *counter, double value,
		    int64_t *count, struct err *err)
{
	if (!(value <= SESSIONS_COUNT_LIMIT))
		return err_set(err, ERR_SESSIONS, "%s: its value %g is no count",
			       counter->counter->path, value);
	*count = (int64_t)ceil(value);
	return 0;
}

/* A rate is made of two values, so the first reading has none: `*is_first` then. */
static DWORD collect(struct counter_reader *counter, double *value, LONGLONG *stamp,
		     bool *is_first)
{
	bool is_list = strchr(counter->counter->path, '*');
	DWORD status = counter->query ? 0 : open_query(counter);

	*is_first = false;
	if (!status)
		status = (DWORD)PdhCollectQueryData(counter->query);
	if (!status)
		status = ask_stamp(counter->handle, is_list, stamp);
	if (status)
		return status;
	status = is_list ? sum_values(counter->handle, value)
			 : one_value(counter->handle, value);
	*is_first = !counter->was_collected && (status == PDH_INVALID_DATA ||
						status == PDH_CSTATUS_INVALID_DATA);
	counter->was_collected = true;
	return status;
}

static int read_counter(struct sessions_reader *reader,
			struct sessions_reading *reading, struct err *err)
{
	struct counter_reader *counter = (struct counter_reader *)reader;
	double value = 0;
	LONGLONG stamp = 0;
	int64_t count = 0;
	bool is_first, is_new = !counter->query;
	DWORD status;

	if (is_new &&
	    counter->backoff.ms > clock_since(counter->failed_at, clock_mono()))
		return fail(counter, counter->failure, err);
	status = collect(counter, &value, &stamp, &is_first);
	note_stamp(counter, stamp);
	if (is_first)
		return err_set(
			err, ERR_SESSIONS,
			"%s: no data yet: a rate is known from the second reading "
			"on (PDH 0x%08lX)",
			counter->counter->path, status);
	if (status) {
		/* Opened anew, it is found once it is there. */
		close_query(counter);
		counter->failure = status;
		counter->failed_at = clock_mono();
		if (is_new)
			(void)backoff_next(&counter->backoff, AGAIN_LEAST_MS,
					   AGAIN_MOST_MS);
		return fail(counter, status, err);
	}
	backoff_reset(&counter->backoff);
	if (to_count(counter, value, &count, err) || check_stamp(counter, err))
		return -1;
	*reading = (struct sessions_reading){.count = count};
	return 0;
}

static void free_counter(struct sessions_reader *reader)
{
	close_query((struct counter_reader *)reader);
	free(reader);
}

struct sessions_reader *sessions_counter_new(const struct pool_counter *counter)
{
	static const struct sessions_reader_ops ops = {read_counter, free_counter};
	struct counter_reader *reader = xcalloc(1, sizeof(*reader));

	reader->reader.ops = &ops;
	reader->reader.name = counter->path;
	reader->counter = counter;
	return &reader->reader;
}
