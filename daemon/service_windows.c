#include "service.h"

#include "mem.h"
#include "wide_windows.h"

#include <windows.h>

#include <stdlib.h>

enum {
	START_HINT_MS = 30000,
	STOP_HINT_MS = 45000, /* the supervisor may sit in an SCM call of up to 30 s */
	STOP_PAUSE_MS = 250,
	RESTART_DELAY_MS = 5000,
	RESET_PERIOD_S = 86400,
};

static const wchar_t service_name[] = L"poold";

/* Where the Event Log service looks up what shows the events of eventlog_windows.c. */
static const wchar_t source_key[] =
	L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\poold";

/* Windows calls back without an argument of ours, so these have to be here. */
static HANDLE stop_event;
static SERVICE_STATUS_HANDLE status_handle;
static service_body *dispatched_body;
static const char *dispatched_config;

static void report(DWORD state, DWORD exit_status, DWORD hint_ms)
{
	SERVICE_STATUS status = {
		.dwServiceType = SERVICE_WIN32_OWN_PROCESS,
		.dwCurrentState = state,
		.dwControlsAccepted =
			state == SERVICE_RUNNING
				? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN
				: 0,
		.dwWin32ExitCode = exit_status ? ERROR_SERVICE_SPECIFIC_ERROR : NO_ERROR,
		.dwServiceSpecificExitCode = exit_status,
		.dwWaitHint = hint_ms,
	};

	if (status_handle)
		(void)SetServiceStatus(status_handle, &status);
}

static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *context)
{
	(void)type;
	(void)data;
	(void)context;
	if (control == SERVICE_CONTROL_INTERROGATE)
		return NO_ERROR;
	if (control != SERVICE_CONTROL_STOP && control != SERVICE_CONTROL_SHUTDOWN)
		return ERROR_CALL_NOT_IMPLEMENTED;
	report(SERVICE_STOP_PENDING, 0, STOP_HINT_MS);
	SetEvent(stop_event);
	return NO_ERROR;
}

static void WINAPI on_service_start(DWORD argc, wchar_t **argv)
{
	int status;

	(void)argc;
	(void)argv;
	status_handle = RegisterServiceCtrlHandlerExW(service_name, on_control, NULL);
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

int service_run_foreground(service_body *body, const char *config_path)
{
	stop_event = CreateEventW(NULL, TRUE, FALSE, NULL);
	(void)SetConsoleCtrlHandler(on_console, TRUE);
	return body(config_path, false);
}

int service_run_dispatched(service_body *body, const char *config_path, struct err *err)
{
	SERVICE_TABLE_ENTRYW table[] = {{(wchar_t *)service_name, on_service_start},
					{NULL, NULL}};

	stop_event = CreateEventW(NULL, TRUE, FALSE, NULL);
	dispatched_body = body;
	dispatched_config = config_path;
	if (!StartServiceCtrlDispatcherW(table))
		return err_set_os(
			err, ERR_USAGE, GetLastError(),
			"'poold service' is for the SCM; use 'poold run', or 'poold "
			"install' and 'sc start poold'");
	return 0;
}

void service_is_ready(void)
{
	report(SERVICE_RUNNING, 0, 0);
}

void service_wait_for_stop(void)
{
	(void)WaitForSingleObject(stop_event, INFINITE);
	/* Whoever asked for the stop is told it failed (1053), at least by Wine, if
	 * STOPPED is reported before the control's handler returned. */
	Sleep(STOP_PAUSE_MS);
}

bool service_is_stopped_within(int64_t ms)
{
	return WaitForSingleObject(stop_event, (DWORD)ms) == WAIT_OBJECT_0;
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
	if (number == ERROR_SERVICE_DOES_NOT_EXIST)
		return err_set_os(err, ERR_UNKNOWN_SERVICE, number,
				  "cannot %s: it is not installed", what);
	return err_set_os(err, ERR_SCM_FAILED, number, "cannot %s", what);
}

/* The command line that the SCM starts: this program, with a path that does not depend on
 * the current directory. */
static wchar_t *command_line(const char *config_path)
{
	wchar_t program[MAX_PATH], config[MAX_PATH];
	wchar_t *given = wide_from_utf8(config_path);
	wchar_t *command = xcalloc(2 * MAX_PATH + 64, sizeof(*command));

	(void)GetModuleFileNameW(NULL, program, MAX_PATH);
	(void)GetFullPathNameW(given, MAX_PATH, config, NULL);
	(void)swprintf(command, 2 * MAX_PATH + 64, L"\"%ls\" service --config \"%ls\"",
		       program, config);
	free(given);
	return command;
}

/* A description, and a restart when poold crashes.  Old systems lack one or the other,
 * and poold works without. */
static void describe(SC_HANDLE service)
{
	wchar_t text[] = L"Drains this server's services before maintenance (poolctl).";
	SERVICE_DESCRIPTIONW description = {text};
	SC_ACTION restart[] = {{SC_ACTION_RESTART, RESTART_DELAY_MS}};
	SERVICE_FAILURE_ACTIONSW failure = {
		.dwResetPeriod = RESET_PERIOD_S, .cActions = 1, .lpsaActions = restart};

	SERVICE_FAILURE_ACTIONS_FLAG always = {TRUE};

	(void)ChangeServiceConfig2W(service, SERVICE_CONFIG_DESCRIPTION, &description);
	(void)ChangeServiceConfig2W(service, SERVICE_CONFIG_FAILURE_ACTIONS, &failure);
	/* Also when it ends by itself with an error, because its files are not there yet.
	 */
	(void)ChangeServiceConfig2W(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG,
				    &always);
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
				 SERVICE_ERROR_NORMAL, command, NULL, NULL, NULL, NULL,
				 NULL);
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

static bool is_stopped(SC_HANDLE service)
{
	SERVICE_STATUS status;

	return !QueryServiceStatus(service, &status) ||
	       status.dwCurrentState == SERVICE_STOPPED;
}

static void stop(SC_HANDLE service)
{
	enum { POLL_MS = 100 };
	SERVICE_STATUS status;

	/* What is not running need not be stopped. */
	(void)ControlService(service, SERVICE_CONTROL_STOP, &status);
	for (int waited_ms = 0; waited_ms < STOP_HINT_MS && !is_stopped(service);
	     waited_ms += POLL_MS)
		Sleep(POLL_MS);
}

static int remove_service(struct err *err)
{
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service;
	int ret = 0;

	if (!manager)
		return fail(err, "open the SCM");
	service = OpenServiceW(manager, service_name,
			       SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE);
	if (!service) {
		ret = fail(err, "uninstall the service poold");
	} else {
		stop(service);
		if (!DeleteService(service))
			ret = fail(err, "uninstall the service poold");
		CloseServiceHandle(service);
	}
	CloseServiceHandle(manager);
	return ret;
}

/* Event Viewer takes the messages from this program. */
static int register_source(struct err *err)
{
	const DWORD types =
		EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
	wchar_t program[MAX_PATH];
	LSTATUS status;

	(void)GetModuleFileNameW(NULL, program, MAX_PATH);
	status = RegSetKeyValueW(HKEY_LOCAL_MACHINE, source_key, L"EventMessageFile",
				 REG_SZ, program,
				 (DWORD)((wcslen(program) + 1) * sizeof(*program)));
	if (!status)
		status =
			RegSetKeyValueW(HKEY_LOCAL_MACHINE, source_key, L"TypesSupported",
					REG_DWORD, &types, sizeof(types));
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

/* The source first: a second try finds it as it was, but refuses a service that exists.
 */
int service_install(const char *config_path, struct err *err)
{
	return register_source(err) || create_service(config_path, err) ? -1 : 0;
}

int service_uninstall(struct err *err)
{
	return remove_service(err) || unregister_source(err) ? -1 : 0;
}
