#include "terminal/terminal.h"

#include "exit_status.h"
#include "system/host.h"

#include <windows.h>

#include <io.h>
#include <string.h>

/* Written by the console's own thread, read by ours. */
static volatile LONG is_interrupted;
static const char *words; /* for the second time */

/* A stream that is no console has no mode, so the call fails. */
static HANDLE console_of(FILE *stream, DWORD *mode)
{
	HANDLE handle = (HANDLE)_get_osfhandle(_fileno(stream));

	return GetConsoleMode(handle, mode) ? handle : NULL;
}

bool terminal_can_draw(FILE *stream)
{
	DWORD mode;
	HANDLE console = console_of(stream, &mode);

	return console &&
	       SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
}

bool terminal_can_ask(void)
{
	DWORD mode;

	return console_of(stdin, &mode) && console_of(stderr, &mode);
}

bool terminal_takes_utf8(FILE *stream)
{
	DWORD mode;

	return !console_of(stream, &mode) || GetConsoleOutputCP() == CP_UTF8;
}

bool terminal_takes_utf8_json(FILE *stream)
{
	DWORD mode;

	return console_of(stream, &mode) && GetConsoleOutputCP() == CP_UTF8;
}

void terminal_size(FILE *stream, int *columns, int *rows)
{
	CONSOLE_SCREEN_BUFFER_INFO info;

	*columns = 80;
	*rows = 24;
	if (!GetConsoleScreenBufferInfo((HANDLE)_get_osfhandle(_fileno(stream)),
					&info))
		return;
	*columns = info.srWindow.Right - info.srWindow.Left + 1;
	*rows = info.srWindow.Bottom - info.srWindow.Top + 1;
}

/* Closing the window or logging off is the same wish as Ctrl-C; Windows then waits
 * 5 s.
 */
static BOOL WINAPI on_control(DWORD event)
{
	DWORD written;

	(void)event;
	if (!InterlockedExchange(&is_interrupted, 1))
		return TRUE;
	(void)WriteFile(GetStdHandle(STD_ERROR_HANDLE), words, (DWORD)strlen(words),
			&written, NULL);
	host_done();
	ExitProcess(EXIT_INTERRUPTED);
}

void terminal_catch_interrupts(const char *last_words)
{
	words = last_words;
	(void)SetConsoleCtrlHandler(on_control, TRUE);
}

/* Windows ends nobody for that. */
void terminal_outlive_readers(void)
{
}

bool terminal_is_interrupted(void)
{
	return InterlockedCompareExchange(&is_interrupted, 0, 0) != 0;
}
