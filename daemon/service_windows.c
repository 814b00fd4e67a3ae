#include "service.h"

#include "mem.h"
#include "system/wide_windows.h"

#include <windows.h>

#include <stdlib.h>

enum {
	START_HINT_MS = 30000,
	STOP_HINT_MS =
		45000, /* the supervisor may sit in an SCM call of up to 30 s */
	STOP_PAUSE_MS = 250,
	RESTART_DELAY_MS = 5000,
	RESET_PERIOD_S = 86400,
};

static const wchar_t service_name[] = L"poold";

#define MARKED_FOR_DELETION                                                   \
	"marked for deletion; it is gone once no program has it open: close " \
	"services.msc, Task Manager and other tools that show it"

/* Where the Event Log service looks up what shows the events of eventlog_windows.c.
 */
static const wchar_t source_key[] =
	L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\poold";

/* Windows calls back without an argument of ours, so these have to be here. */
static HANDLE stop_event, reload_event;
static volatile LONG is_machine_ending;
static SERVICE_STATUS_HANDLE status_handle;
static service_body *dispatched_body;
static const char *dispatched_config;

static void report(DWORD state, DWORD exit_status, DWORD hint_ms)
{
	SERVICE_STATUS status = {
		.dwServiceType = SERVICE_WIN32_OWN_PROCESS,
		.dwCurrentState = state,
		.dwControlsAccepted = state == SERVICE_RUNNING
					      ? SERVICE_ACCEPT_STOP |
							SERVICE_ACCEPT_PRESHUTDOWN |
							SERVICE_ACCEPT_PARAMCHANGE
					      : 0,
		.dwWin32ExitCode =
			exit_status ? ERROR_SERVICE_SPECIFIC_ERROR : NO_ERROR,
		.dwServiceSpecificExitCode = exit_status,
		.dwWaitHint = hint_ms,
	};

	if (status_handle)
		(void)SetServiceStatus(status_handle, &status);
}

/* A shutdown is heard of before it stops other services: what they are from then on
 * is no state to save, and not for poold to undo. */
static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *context)
{
	(void)type;
	(void)data;
	(void)context;
	if (control == SERVICE_CONTROL_INTERROGATE)
		return NO_ERROR;
	if (control == SERVICE_CONTROL_PARAMCHANGE) {
		SetEvent(reload_event);
		return NO_ERROR;
	}
	if (control != SERVICE_CONTROL_STOP &&
	    control != SERVICE_CONTROL_PRESHUTDOWN)
		return ERROR_CALL_NOT_IMPLEMENTED;
	if (control == SERVICE_CONTROL_PRESHUTDOWN)
		(void)InterlockedExchange(&is_machine_ending, 1);
	report(SERVICE_STOP_PENDING, 0, STOP_HINT_MS);
	SetEvent(stop_event);
	return NO_ERROR;
}

static void WINAPI on_service_start(DWORD argc, wchar_t **argv)
{
	int status;

	(void)argc;
	(void)argv;
	status_handle =
		RegisterServiceCtrlHandlerExW(service_name, on_control, NULL);
	report(SERVICE_START_PENDING, 0, START_HINT_MS);
	status = dispatched_body(dispatched_config, true);
	report(SERVICE_STOPPED, (DWORD)status, 0);
}

static BOOL WINAPI on_console(DWORD event)
{
	(void)event;
	SetEvent(stop_event);
	return TRUE;
}

/* Reset by whoever waited for it: the one for reloading alone. */
static void make_events(void)
{
	stop_event = CreateEventW(NULL, TRUE, FALSE, NULL);
	reload_event = CreateEventW(NULL, FALSE, FALSE, NULL);
}

int service_run_foreground(service_body *body, const char *config_path)
{
	make_events();
	(void)SetConsoleCtrlHandler(on_console, TRUE);
	return body(config_path, false);
}

int service_run_dispatched(service_body *body, const char *config_path,
			   struct err *err)
{
	SERVICE_TABLE_ENTRYW table[] = {{(wchar_t *)service_name, on_service_start},
					{NULL, NULL}};

	make_events();
	dispatched_body = body;
	dispatched_config = config_path;
	if (!StartServiceCtrlDispatcherW(table))
		return err_set_os(
			err, ERR_USAGE, GetLastError(),
			"'poold service' is for the SCM; use 'poold run', or 'poold "
			"install' and 'sc.exe start poold'");
	return 0;
}

void service_is_ready(void)
{
	report(SERVICE_RUNNING, 0, 0);
}

/* Windows sees that a process ends, and does not ask whether it is alive. */
void service_is_alive(void)
{
}

void service_wait_for_stop(void)
{
	(void)WaitForSingleObject(stop_event, INFINITE);
	/* Whoever asked for the stop is told it failed (1053), at least by Wine, if
	 * STOPPED is reported before the control's handler returned. */
	Sleep(STOP_PAUSE_MS);
}

bool service_is_machine_ending(void)
{
	return InterlockedCompareExchange(&is_machine_ending, 0, 0) != 0;
}

enum service_word service_await(int64_t ms)
{
	HANDLE events[] = {stop_event, reload_event};

	switch (WaitForMultipleObjects(2, events, FALSE, (DWORD)ms)) {
	case WAIT_OBJECT_0:
		return SERVICE_WORD_STOP;
	case WAIT_OBJECT_0 + 1:
		return SERVICE_WORD_RELOAD;
	default:
		return SERVICE_WORD_NONE;
	}
}

static int fail(struct err *err, const char *what)
{
	DWORD number = GetLastError();

	if (number == ERROR_ACCESS_DENIED)
		return err_set_os(err, ERR_SCM_DENIED, number,
				  "cannot %s: run this as an administrator", what);
	if (number == ERROR_SERVICE_EXISTS)
		return err_set_os(err, ERR_HELD, number,
				  "cannot %s: it is installed already", what);
	if (number == ERROR_SERVICE_MARKED_FOR_DELETE)
		return err_set_os(err, ERR_SCM_FAILED, number,
				  "cannot %s: it is " MARKED_FOR_DELETION
				  ", and try again",
				  what);
	if (number == ERROR_SERVICE_DOES_NOT_EXIST)
		return err_set_os(err, ERR_UNKNOWN_SERVICE, number,
				  "cannot %s: it is not installed", what);
	return err_set_os(err, ERR_SCM_FAILED, number, "cannot %s", what);
}

/* The command line that the SCM starts: this program, with a path that does not
 * depend on the current directory. */
static wchar_t *command_line(const char *config_path)
{
	wchar_t program[MAX_PATH], config[MAX_PATH];
	wchar_t *given = wide_from_utf8(config_path);
	wchar_t *command = xcalloc(2 * MAX_PATH + 64, sizeof(*command));

	(void)GetModuleFileNameW(NULL, program, MAX_PATH);
	(void)GetFullPathNameW(given, MAX_PATH, config, NULL);
	(void)swprintf(command, 2 * MAX_PATH + 64,
		       L"\"%ls\" service --config \"%ls\"", program, config);
	free(given);
	return command;
}

/* A description, and a restart when poold crashes.  Old systems lack one or the
 * other, and poold works without. */
static void describe(SC_HANDLE service)
{
	wchar_t text[] =
		L"Drains this server's services before maintenance (poolctl).";
	SERVICE_DESCRIPTIONW description = {text};
	SC_ACTION restart[] = {{SC_ACTION_RESTART, RESTART_DELAY_MS}};
	SERVICE_FAILURE_ACTIONSW failure = {.dwResetPeriod = RESET_PERIOD_S,
					    .cActions = 1,
					    .lpsaActions = restart};

	SERVICE_FAILURE_ACTIONS_FLAG always = {TRUE};
	SERVICE_PRESHUTDOWN_INFO preshutdown = {STOP_HINT_MS};

	(void)ChangeServiceConfig2W(service, SERVICE_CONFIG_DESCRIPTION,
				    &description);
	(void)ChangeServiceConfig2W(service, SERVICE_CONFIG_FAILURE_ACTIONS,
				    &failure);
	/* Also when it ends by itself with an error, because its files are not
	 * there yet.
	 */
	(void)ChangeServiceConfig2W(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG,
				    &always);
	(void)ChangeServiceConfig2W(service, SERVICE_CONFIG_PRESHUTDOWN_INFO,
				    &preshutdown);
}

static int create_service(const char *config_path, struct err *err)
{
	SC_HANDLE manager = OpenSCManagerW(
		NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
	wchar_t *command;
	SC_HANDLE service;
	int ret = 0;

	if (!manager)
		return fail(err, "open the SCM");
	command = command_line(config_path);
	service = CreateServiceW(manager, service_name, L"poold drain controller",
				 SERVICE_CHANGE_CONFIG | SERVICE_START,
				 SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
				 SERVICE_ERROR_NORMAL, command, NULL, NULL, NULL,
				 NULL, NULL);
	if (service) {
		describe(service);
		CloseServiceHandle(service);
	} else {
		ret = fail(err, "install the service poold");
	}
	free(command);
	CloseServiceHandle(manager);
	return ret;
}

static SC_HANDLE open_service(DWORD rights, const char *what, struct err *err)
{
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service = NULL;

	if (!manager) {
		(void)fail(err, "open the SCM");
		return NULL;
	}
	service = OpenServiceW(manager, service_name, rights);
	if (!service)
		(void)fail(err, what);
	CloseServiceHandle(manager);
	return service;
}

/* Asks again and again: one that is starting does not take the stop yet. */
static int stop(SC_HANDLE service, struct err *err)
{
	enum { POLL_MS = 100 };
	ULONGLONG began = GetTickCount64();
	SERVICE_STATUS_PROCESS now = {0};
	SERVICE_STATUS status;
	DWORD needed;

	do {
		if (!QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO,
					  (BYTE *)&now, sizeof(now), &needed))
			return fail(err, "see whether poold has stopped");
		if (now.dwCurrentState == SERVICE_STOPPED)
			return 0;
		if (now.dwCurrentState != SERVICE_STOP_PENDING)
			(void)ControlService(service, SERVICE_CONTROL_STOP,
					     &status);
		Sleep(POLL_MS);
	} while (GetTickCount64() - began < STOP_HINT_MS);
	return err_set(
		err, ERR_SCM_FAILED,
		"poold has not stopped within %d s, so it stays installed; end "
		"its process (%lu) and try again",
		STOP_HINT_MS / 1000, (unsigned long)now.dwProcessId);
}

int service_stop(struct err *err)
{
	SC_HANDLE service = open_service(SERVICE_STOP | SERVICE_QUERY_STATUS,
					 "stop the service poold", err);
	int ret;

	if (!service)
		return -1;
	ret = stop(service, err);
	CloseServiceHandle(service);
	return ret;
}

int service_start(struct err *err)
{
	SC_HANDLE service =
		open_service(SERVICE_START, "start the service poold", err);
	int ret = 0;

	if (!service)
		return -1;
	if (!StartServiceW(service, 0, NULL) &&
	    GetLastError() != ERROR_SERVICE_ALREADY_RUNNING)
		ret = fail(err, "start the service poold");
	CloseServiceHandle(service);
	return ret;
}

static int remove_service(struct err *err)
{
	const char *what = "uninstall the service poold";
	SC_HANDLE service = open_service(DELETE, what, err);
	int ret = 0;

	if (!service)
		return -1;
	if (!DeleteService(service))
		ret = fail(err, what);
	CloseServiceHandle(service);
	return ret;
}

/* Who still has it open keeps it in the list. */
static int see_it_gone(struct err *err)
{
	enum { GONE_MS = 5000, POLL_MS = 100 };
	struct err reason = {0};

	for (int waited_ms = 0; waited_ms < GONE_MS; waited_ms += POLL_MS) {
		SC_HANDLE service =
			open_service(SERVICE_QUERY_STATUS, "find poold", &reason);

		if (!service && (reason.os_code == ERROR_SERVICE_DOES_NOT_EXIST ||
				 reason.os_code == ERROR_SERVICE_MARKED_FOR_DELETE))
			break;
		if (service)
			CloseServiceHandle(service);
		reason = (struct err){0};
		Sleep(POLL_MS);
	}
	return reason.os_code == ERROR_SERVICE_DOES_NOT_EXIST
		       ? 0
		       : err_set(err, ERR_SCM_FAILED,
				 "poold is stopped and " MARKED_FOR_DELETION);
}

/* Event Viewer takes the messages from this program. */
static int register_source(struct err *err)
{
	const DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE |
			    EVENTLOG_INFORMATION_TYPE;
	wchar_t program[MAX_PATH];
	LSTATUS status;

	(void)GetModuleFileNameW(NULL, program, MAX_PATH);
	status = RegSetKeyValueW(HKEY_LOCAL_MACHINE, source_key,
				 L"EventMessageFile", REG_SZ, program,
				 (DWORD)((wcslen(program) + 1) * sizeof(*program)));
	if (!status)
		status = RegSetKeyValueW(HKEY_LOCAL_MACHINE, source_key,
					 L"TypesSupported", REG_DWORD, &types,
					 sizeof(types));
	SetLastError((DWORD)status);
	return status ? fail(err, "register poold with the Event Log") : 0;
}

static int unregister_source(struct err *err)
{
	LSTATUS status = RegDeleteKeyW(HKEY_LOCAL_MACHINE, source_key);

	SetLastError((DWORD)status);
	return status && status != ERROR_FILE_NOT_FOUND
		       ? fail(err, "take poold out of the Event Log's sources")
		       : 0;
}

/* The source first: a second try finds it as it was, but refuses a service that
 * exists.
 */
int service_install(const char *config_path, struct err *err)
{
	return register_source(err) || create_service(config_path, err) ? -1 : 0;
}

int service_uninstall(struct err *err)
{
	return remove_service(err) || unregister_source(err) || see_it_gone(err)
		       ? -1
		       : 0;
}
