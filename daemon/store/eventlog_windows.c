#include "store/eventlog.h"

#include "system/wide_windows.h"

#include <windows.h>

#include <stdlib.h>

static const WORD types[EVENT_LEVEL__COUNT] = {
	[EVENT_LEVEL_INFO] = EVENTLOG_INFORMATION_TYPE,
	[EVENT_LEVEL_WARNING] = EVENTLOG_WARNING_TYPE,
	[EVENT_LEVEL_ERROR] = EVENTLOG_ERROR_TYPE,
};

/* Event Viewer would put another text in place of a percent sign and a digit, and
 * has no way to quote them (ReportEvent, "Remarks"). */
static void replace_insertions(wchar_t *text)
{
	static const wchar_t fullwidth_percent = 0xff05;

	for (; *text; text++)
		if (text[0] == L'%' && text[1] >= L'0' && text[1] <= L'9')
			text[0] = fullwidth_percent;
}

/* Opened anew for each event: there are few, and the Event Log service may have
 * been away. */
static BOOL report(DWORD id, WORD type, const wchar_t *text)
{
	HANDLE source = RegisterEventSourceW(NULL, L"poold");
	BOOL is_written = source && ReportEventW(source, type, 0, id, NULL, 1, 0,
						 &text, NULL);
	DWORD number = GetLastError();

	if (source)
		(void)DeregisterEventSource(source);
	SetLastError(number);
	return is_written;
}

static int report_event(int id, enum event_level level, const char *text,
			struct err *err)
{
	wchar_t *wide = wide_from_utf8(text);
	BOOL is_written;
	DWORD number;

	replace_insertions(wide);
	is_written = report((DWORD)id, types[level], wide);
	number = GetLastError();
	free(wide);
	return is_written
		       ? 0
		       : err_set_os(err, ERR_INTERNAL, number, "it refuses them");
}

struct eventlog *eventlog_open(void)
{
	return eventlog_new(report_event);
}
