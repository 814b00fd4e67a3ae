/*
 * scm.exe: asks and tells the Service Control Manager, for the tests.
 *
 * It shares no code with the product, so that a mistake there cannot hide itself
 *here. A query prints one line of JSON, and an error is "error N text" on standard
 *error:
 *
 *	scm query NAME                  scm create NAME DISPLAY START_TYPE PROGRAM
 *ARGUMENT... scm start|stop NAME             scm startup NAME
 *automatic|manual|disabled scm pause|continue NAME         scm display NAME TEXT
 *	scm delete NAME                 scm poll NAME
 *
 * poll stays and obeys query, start, stop, pause, continue and pause-timed, a line
 *each on standard input, so that a measurement holds no start of a process.  Its
 *errors are lines of its output.  pause-timed pauses and says after how many
 *microseconds the control returned, and after how many the service was paused.
 *
 * Exit status: 0, 1 after an error, 2 for a wrong command, 3 if there is no such
 *service.
 */
#define _WIN32_WINNT 0x0601
#include <windows.h>
#include <fcntl.h>
#include <io.h>
#include <shellapi.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

enum { EXIT_ERROR = 1, EXIT_USAGE = 2, EXIT_MISSING = 3 };
enum { PAUSE_LIMIT_MS = 60000, COMMAND_LINE_CHARS = 4096 };

static SC_HANDLE manager;

static const struct word {
	DWORD number;
	const char *text;
} states[] =
	{
		{SERVICE_STOPPED, "stopped"},
		{SERVICE_START_PENDING, "start_pending"},
		{SERVICE_STOP_PENDING, "stop_pending"},
		{SERVICE_RUNNING, "running"},
		{SERVICE_CONTINUE_PENDING, "continue_pending"},
		{SERVICE_PAUSE_PENDING, "pause_pending"},
		{SERVICE_PAUSED, "paused"},
		{0, NULL},
},
  start_types[] = {
	  {SERVICE_BOOT_START, "boot"},      {SERVICE_SYSTEM_START, "system"},
	  {SERVICE_AUTO_START, "automatic"}, {SERVICE_DEMAND_START, "manual"},
	  {SERVICE_DISABLED, "disabled"},    {0, NULL},
};

static const char *word_text(const struct word *words, DWORD number)
{
	while (words->text && words->number != number)
		words++;
	return words->text ? words->text : "unknown";
}

/* A start type that no table has is what the SCM itself refuses. */
static DWORD start_type_number(const wchar_t *wide)
{
	const struct word *word = start_types;
	char text[16] = "";

	WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, sizeof(text), NULL, NULL);
	while (word->text && strcmp(word->text, text) != 0)
		word++;
	return word->text ? word->number : 99;
}

/* ---- output ---- */

/* The first line of what Windows says about the error. */
static int print_error(FILE *out, DWORD number)
{
	char text[256] = "";

	FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS,
		       NULL, number, 0, text, sizeof(text), NULL);
	text[strcspn(text, "\r\n")] = '\0';
	fprintf(out, "error %lu %s\n", number, text);
	return EXIT_ERROR;
}

static void print_json_text(const wchar_t *wide)
{
	char text[1024] = "";

	WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, sizeof(text), NULL, NULL);
	putchar('"');
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
			printf("\\u%04x", (unsigned)*c);
		else
			putchar(*c);
	}
	putchar('"');
}

/* ---- commands: each gives 0 or a system error ---- */

static DWORD last_error(BOOL is_good)
{
	return is_good ? NO_ERROR : GetLastError();
}

/* Not every SCM knows of a delayed start: then it is null, which is not "false". */
static const char *delayed_text(SC_HANDLE service)
{
	SERVICE_DELAYED_AUTO_START_INFO info = {0};
	DWORD needed;

	if (!QueryServiceConfig2W(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
				  (BYTE *)&info, sizeof(info), &needed))
		return "null";
	return info.fDelayedAutostart ? "true" : "false";
}

static DWORD run_query(SC_HANDLE service, wchar_t **args)
{
	union {
		QUERY_SERVICE_CONFIGW config;
		BYTE bytes[8192];
	} buffer;
	SERVICE_STATUS_PROCESS status;
	DWORD needed;

	(void)args;
	if (!QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status,
				  sizeof(status), &needed) ||
	    !QueryServiceConfigW(service, &buffer.config, sizeof(buffer), &needed))
		return GetLastError();
	printf("{\"state\":\"%s\",\"start_type\":\"%s\",\"delayed\":%s,\"accepts_pause\":"
	       "%s,"
	       "\"accepts\":%lu,\"pid\":%lu,\"exit_code\":%lu,\"checkpoint\":%lu,"
	       "\"wait_hint\":%lu,\"display_name\":",
	       word_text(states, status.dwCurrentState),
	       word_text(start_types, buffer.config.dwStartType),
	       delayed_text(service),
	       status.dwControlsAccepted & SERVICE_ACCEPT_PAUSE_CONTINUE ? "true"
									 : "false",
	       status.dwControlsAccepted, status.dwProcessId,
	       status.dwWin32ExitCode, status.dwCheckPoint, status.dwWaitHint);
	print_json_text(buffer.config.lpDisplayName);
	puts("}");
	return NO_ERROR;
}

static DWORD control(SC_HANDLE service, DWORD code)
{
	SERVICE_STATUS status;

	return last_error(ControlService(service, code, &status));
}

static DWORD run_pause(SC_HANDLE service, wchar_t **args)
{
	(void)args;
	return control(service, SERVICE_CONTROL_PAUSE);
}

static DWORD run_continue(SC_HANDLE service, wchar_t **args)
{
	(void)args;
	return control(service, SERVICE_CONTROL_CONTINUE);
}

static DWORD run_stop(SC_HANDLE service, wchar_t **args)
{
	(void)args;
	return control(service, SERVICE_CONTROL_STOP);
}

static DWORD run_start(SC_HANDLE service, wchar_t **args)
{
	(void)args;
	return last_error(StartServiceW(service, 0, NULL));
}

static DWORD run_delete(SC_HANDLE service, wchar_t **args)
{
	(void)args;
	return last_error(DeleteService(service));
}

static DWORD run_startup(SC_HANDLE service, wchar_t **args)
{
	return last_error(ChangeServiceConfigW(
		service, SERVICE_NO_CHANGE, start_type_number(args[0]),
		SERVICE_NO_CHANGE, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
}

static DWORD run_display(SC_HANDLE service, wchar_t **args)
{
	return last_error(ChangeServiceConfigW(
		service, SERVICE_NO_CHANGE, SERVICE_NO_CHANGE, SERVICE_NO_CHANGE,
		NULL, NULL, NULL, NULL, NULL, NULL, args[0]));
}

static long long microseconds(void)
{
	LARGE_INTEGER count, frequency;

	QueryPerformanceCounter(&count);
	QueryPerformanceFrequency(&frequency);
	return (long long)((double)count.QuadPart * 1e6 /
			   (double)frequency.QuadPart);
}

static DWORD run_pause_timed(SC_HANDLE service, wchar_t **args)
{
	ULONGLONG limit_ms = GetTickCount64() + PAUSE_LIMIT_MS;
	long long start_us = microseconds(), control_us;
	SERVICE_STATUS status;

	(void)args;
	if (!ControlService(service, SERVICE_CONTROL_PAUSE, &status))
		return GetLastError();
	control_us = microseconds() - start_us;
	for (;;) {
		if (!QueryServiceStatus(service, &status))
			return GetLastError();
		if (status.dwCurrentState == SERVICE_PAUSED)
			break;
		if (GetTickCount64() > limit_ms)
			return ERROR_TIMEOUT;
		Sleep(1);
	}
	printf("{\"control_us\":%lld,\"paused_us\":%lld}\n", control_us,
	       microseconds() - start_us);
	return NO_ERROR;
}

static DWORD run_poll(SC_HANDLE service, wchar_t **args);

static const struct command {
	const wchar_t *name;
	int args; /* after the service's name */
	DWORD (*run)(SC_HANDLE service, wchar_t **args);
} commands[] = {
	{L"query", 0, run_query},
	{L"pause", 0, run_pause},
	{L"continue", 0, run_continue},
	{L"stop", 0, run_stop},
	{L"start", 0, run_start},
	{L"delete", 0, run_delete},
	{L"startup", 1, run_startup},
	{L"display", 1, run_display},
	{L"pause-timed", 0, run_pause_timed},
	{L"poll", 0, run_poll},
};

static const struct command *command_find(const wchar_t *name, int args)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (wcscmp(commands[i].name, name) == 0 && commands[i].args == args)
			return &commands[i];
	return NULL;
}

/* A command that prints nothing of its own is answered with ok. */
static DWORD run_poll(SC_HANDLE service, wchar_t **args)
{
	wchar_t line[64];
	const struct command *command;
	DWORD error;

	(void)args;
	while (fgetws(line, 64, stdin)) {
		line[wcscspn(line, L"\r\n")] = L'\0';
		if (wcscmp(line, L"quit") == 0)
			break;
		command = command_find(line, 0);
		error = command ? command->run(service, NULL)
				: ERROR_INVALID_FUNCTION;
		if (error)
			print_error(stdout, error);
		else if (command->run != run_query &&
			 command->run != run_pause_timed)
			puts("ok");
		fflush(stdout);
	}
	return NO_ERROR;
}

/* Every argument is quoted; none may hold a quote or end in a backslash. */
static DWORD run_create(int argc, wchar_t **argv)
{
	wchar_t line[COMMAND_LINE_CHARS] = L"";
	size_t used = 0;
	SC_HANDLE service;

	for (int i = 3; i < argc; i++) {
		if (used + wcslen(argv[i]) + 4 > COMMAND_LINE_CHARS)
			return ERROR_INVALID_PARAMETER;
		used += (size_t)swprintf(line + used, COMMAND_LINE_CHARS - used,
					 i == 3 ? L"\"%ls\"" : L" \"%ls\"",
					 argv[i]);
	}
	service = CreateServiceW(manager, argv[0], argv[1], SERVICE_ALL_ACCESS,
				 SERVICE_WIN32_OWN_PROCESS,
				 start_type_number(argv[2]), SERVICE_ERROR_NORMAL,
				 line, NULL, NULL, NULL, NULL, NULL);
	if (!service)
		return GetLastError();
	CloseServiceHandle(service);
	return NO_ERROR;
}

static DWORD run(const struct command *command, wchar_t **argv)
{
	SC_HANDLE service = OpenServiceW(manager, argv[0], SERVICE_ALL_ACCESS);
	DWORD error;

	if (!service)
		return GetLastError();
	error = command->run(service, argv + 1);
	CloseServiceHandle(service);
	return error;
}

int main(void)
{
	int argc;
	wchar_t **argv = CommandLineToArgvW(GetCommandLineW(), &argc);
	bool is_create = argc > 5 && wcscmp(argv[1], L"create") == 0;
	const struct command *command =
		argc > 2 ? command_find(argv[1], argc - 3) : NULL;
	DWORD error;

	if (!command && !is_create) {
		fputs("scm: wrong command, see the top of scm.c\n", stderr);
		return EXIT_USAGE;
	}
	_setmode(_fileno(stdout), _O_BINARY);
	manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_ALL_ACCESS);
	if (!manager)
		return print_error(stderr, GetLastError());
	error = is_create ? run_create(argc - 2, argv + 2) : run(command, argv + 2);
	if (error == ERROR_SERVICE_DOES_NOT_EXIST && command &&
	    command->run == run_query) {
		puts("{\"state\":\"missing\"}");
		return EXIT_MISSING;
	}
	return error ? print_error(stderr, error) : 0;
}
