#include "eventlog.h"

#include "log.h"
#include "wide_windows.h"

#include <windows.h>

#include <stdlib.h>

static const WORD types[EVENT_LEVEL__COUNT] = {
	[EVENT_LEVEL_INFO] = EVENTLOG_INFORMATION_TYPE,
	[EVENT_LEVEL_WARNING] = EVENTLOG_WARNING_TYPE,
	[EVENT_LEVEL_ERROR] = EVENTLOG_ERROR_TYPE,
};

/* Event Viewer would put another text in place of a percent sign and a digit, and has no
 * way to quote them (ReportEvent, "Remarks"). */
static void replace_insertions(wchar_t *text)
{
	static const wchar_t fullwidth_percent = 0xff05;

	for (; *text; text++)
		if (text[0] == L'%' && text[1] >= L'0' && text[1] <= L'9')
			text[0] = fullwidth_percent;
}

/* Opened anew for each event: there are few, and the Event Log service may have been
 * away. */
static BOOL report(DWORD id, WORD type, const wchar_t *text)
{
	HANDLE source = RegisterEventSourceW(NULL, L"poold");
	BOOL is_written =
		source && ReportEventW(source, type, 0, id, NULL, 1, 0, &text, NULL);
	DWORD number = GetLastError();

	if (source)
		(void)DeregisterEventSource(source);
	SetLastError(number);
	return is_written;
}

void eventlog_write(int id, enum event_level level, const char *text)
{
	static bool has_failed;
	wchar_t *wide = wide_from_utf8(text);
	BOOL is_written;

	replace_insertions(wide);
	is_written = report((DWORD)id, types[level], wide);
	if (!is_written && !has_failed)
		log_warning("the Windows Event Log does not take events (error %lu); "
			    "they are in the record all the same",
			    GetLastError());
	has_failed = !is_written;
	free(wide);
}
