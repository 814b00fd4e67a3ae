#include "scm/scm_windows.h"

#include "mem.h"
#include "scm/start_due.h"
#include "system/wide_windows.h"
#include "utf8.h"

#include <stdlib.h>

/* Handles of services are opened with the least rights for one call and closed at
 * once: an open one keeps a deleted service "marked for delete" (error 1072). */
struct scm_windows {
	struct scm base;
};

/* What Win32 error numbers mean for a service under control.  Numbers that are not
 * here are ERR_SCM_FAILED.  Source: "System Error Codes (1000-1299)", Microsoft
 * Learn. */
static const struct {
	DWORD number;
	enum err_code code;
	const char *text;
} win32_errors[] = {
	{ERROR_ACCESS_DENIED, ERR_SCM_DENIED,
	 "access denied; poold needs the rights of a local administrator"},
	{ERROR_DEPENDENT_SERVICES_RUNNING, ERR_SCM_REFUSED,
	 "running services depend on it"},
	{ERROR_INVALID_SERVICE_CONTROL, ERR_SCM_REFUSED,
	 "the service does not take this control"},
	{ERROR_SERVICE_REQUEST_TIMEOUT, ERR_SCM_FAILED,
	 "the service did not answer in time"},
	{ERROR_SERVICE_NO_THREAD, ERR_SCM_FAILED, "no thread for the service"},
	{ERROR_SERVICE_DATABASE_LOCKED, ERR_SCM_NOT_NOW,
	 "the service database is locked"},
	{ERROR_SERVICE_DISABLED, ERR_SCM_FAILED, "the service is disabled"},
	{ERROR_SERVICE_DOES_NOT_EXIST, ERR_SCM_MISSING,
	 "the service is not installed"},
	{ERROR_SERVICE_CANNOT_ACCEPT_CTRL, ERR_SCM_NOT_NOW,
	 "the service takes no control in its present state"},
	{ERROR_SERVICE_NOT_ACTIVE, ERR_SCM_NOT_NOW, "the service is not started"},
	{ERROR_SERVICE_DEPENDENCY_FAIL, ERR_SCM_FAILED,
	 "a service that it depends on failed"},
	{ERROR_SERVICE_LOGON_FAILED, ERR_SCM_FAILED,
	 "the service's account cannot log on"},
	{ERROR_SERVICE_START_HANG, ERR_SCM_FAILED,
	 "the service hung while starting"},
	{ERROR_SERVICE_MARKED_FOR_DELETE, ERR_SCM_MISSING,
	 "the service is marked for deletion; close services.msc and other tools that "
	 "show it"},
	{ERROR_SHUTDOWN_IN_PROGRESS, ERR_SCM_NOT_NOW,
	 "the machine is shutting down"},
};

int scm_windows_fail(struct err *err, const char *service, const char *what)
{
	DWORD number = GetLastError();

	for (size_t i = 0; i < sizeof(win32_errors) / sizeof(win32_errors[0]); i++)
		if (win32_errors[i].number == number)
			return err_set_os(err, win32_errors[i].code, number,
					  "cannot %s %s: %s", what, service,
					  win32_errors[i].text);
	return err_set_os(err, ERR_SCM_FAILED, number, "cannot %s %s", what,
			  service);
}

/* The manager stays open: each call of a service needs it, and it marks nothing. */
static SC_HANDLE open_manager(void)
{
	static void *volatile kept;
	SC_HANDLE fresh;
	void *other;

	if (kept)
		return kept;
	fresh = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	if (!fresh)
		return NULL;
	other = InterlockedCompareExchangePointer(&kept, fresh, NULL);
	if (!other)
		return fresh;
	CloseServiceHandle(fresh);
	return other;
}

SC_HANDLE scm_windows_open(const char *service, DWORD rights, const char *what,
			   struct err *err)
{
	SC_HANDLE manager = open_manager();
	SC_HANDLE handle = NULL;
	wchar_t *name;

	if (!manager) {
		(void)scm_windows_fail(err, service, what);
		return NULL;
	}
	name = wide_from_utf8(service);
	handle = OpenServiceW(manager, name, rights);
	if (!handle)
		(void)scm_windows_fail(err, service, what);
	free(name);
	return handle;
}

enum service_state scm_windows_state(DWORD state)
{
	switch (state) {
	case SERVICE_STOPPED:
		return STATE_STOPPED;
	case SERVICE_START_PENDING:
		return STATE_START_PENDING;
	case SERVICE_STOP_PENDING:
		return STATE_STOP_PENDING;
	case SERVICE_RUNNING:
		return STATE_RUNNING;
	case SERVICE_CONTINUE_PENDING:
		return STATE_CONTINUE_PENDING;
	case SERVICE_PAUSE_PENDING:
		return STATE_PAUSE_PENDING;
	case SERVICE_PAUSED:
		return STATE_PAUSED;
	default:
		return STATE_UNKNOWN;
	}
}

static int query_status(SC_HANDLE handle, const char *service,
			struct scm_status *status, struct err *err)
{
	SERVICE_STATUS_PROCESS raw;
	DWORD needed;

	if (!QueryServiceStatusEx(handle, SC_STATUS_PROCESS_INFO, (BYTE *)&raw,
				  sizeof(raw), &needed))
		return scm_windows_fail(err, service, "query");
	status->state = scm_windows_state(raw.dwCurrentState);
	status->accepts_pause =
		raw.dwControlsAccepted & SERVICE_ACCEPT_PAUSE_CONTINUE;
	status->pid = raw.dwProcessId;
	status->checkpoint = raw.dwCheckPoint;
	status->wait_hint_ms = raw.dwWaitHint;
	/* Whether Windows starts it is for the configuration to say. */
	status->is_start_due = raw.dwCurrentState == SERVICE_STOPPED &&
			       raw.dwWin32ExitCode == ERROR_SERVICE_NEVER_STARTED;
	return 0;
}

/* Only a system that does not know the flag may be said not to have it: what is
 * saved as unknown is not restored. */
static int no_delayed_flag(const char *service, struct scm_status *status,
			   struct err *err)
{
	DWORD number = GetLastError();

	status->delayed_auto_start = SCM_FLAG_UNSUPPORTED;
	if (number == ERROR_INVALID_LEVEL || number == ERROR_CALL_NOT_IMPLEMENTED)
		return 0;
	return scm_windows_fail(err, service, "query the delayed start of");
}

static int query_config(SC_HANDLE handle, const char *service,
			struct scm_status *status, struct err *err)
{
	/* 8 KiB is the documented limit of this structure with its texts. */
	union {
		QUERY_SERVICE_CONFIGW config;
		BYTE bytes[8192];
	} raw;
	SERVICE_DELAYED_AUTO_START_INFO delayed;
	DWORD needed;
	char *display;

	if (!QueryServiceConfigW(handle, &raw.config, sizeof(raw), &needed))
		return scm_windows_fail(err, service, "query the configuration of");
	status->start_type = (enum start_type)raw.config.dwStartType;
	display = wide_to_utf8(raw.config.lpDisplayName);
	utf8_copy(status->display_name, sizeof(status->display_name), display);
	free(display);
	if (!QueryServiceConfig2W(handle, SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
				  (BYTE *)&delayed, sizeof(delayed), &needed))
		return no_delayed_flag(service, status, err);
	status->delayed_auto_start =
		delayed.fDelayedAutostart ? SCM_FLAG_YES : SCM_FLAG_NO;
	return 0;
}

/* Of one that was not started in this boot.  Unknown triggers are none. */
static void find_start_due(const char *service, struct scm_status *status)
{
	unsigned triggers = 0;

	(void)scm_windows_count_triggers(service, &triggers, NULL);
	status->is_start_due = start_is_due(&(struct start_facts){
		.start_type = status->start_type,
		.is_delayed = status->delayed_auto_start == SCM_FLAG_YES,
		.has_triggers = triggers > 0,
		.uptime_ms = (int64_t)GetTickCount64(),
	});
}

static HKEY open_key(const char *service)
{
	char *path = xasprintf("SYSTEM\\CurrentControlSet\\Services\\%s", service);
	wchar_t *wide = wide_from_utf8(path);
	HKEY key;

	if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, wide, 0, KEY_QUERY_VALUE, &key) !=
	    ERROR_SUCCESS)
		key = NULL;
	free(wide);
	free(path);
	return key;
}

/* The SCM notes there that it deletes a service once nobody has it open; no
 * function tells. */
static bool has_delete_flag(const char *service)
{
	DWORD value = 0, size = sizeof(value);
	HKEY key = open_key(service);

	if (!key)
		return false;
	if (RegGetValueW(key, NULL, L"DeleteFlag", RRF_RT_REG_DWORD, NULL, &value,
			 &size) != ERROR_SUCCESS)
		value = 0;
	RegCloseKey(key);
	return value;
}

static int observe(struct scm *scm, const char *service, struct scm_status *status,
		   struct err *err)
{
	SC_HANDLE handle = scm_windows_open(
		service, SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG, "query", err);
	int ret;

	(void)scm;
	if (!handle)
		return -1;
	ret = query_status(handle, service, status, err);
	if (!ret)
		ret = query_config(handle, service, status, err);
	CloseServiceHandle(handle);
	if (!ret && status->is_start_due)
		find_start_due(service, status);
	if (!ret)
		status->is_deleted = has_delete_flag(service);
	return ret;
}

/* The registry reaches the disk some seconds later by itself, and a power cut
 * before that would take the change back.  Where flushing fails, those seconds
 * remain. */
static void flush_configuration(const char *service)
{
	HKEY key = open_key(service);

	if (!key)
		return;
	(void)RegFlushKey(key);
	RegCloseKey(key);
}

static int set_startup(struct scm *scm, const char *service, enum start_type type,
		       enum scm_flag delayed_auto_start, struct err *err)
{
	SERVICE_DELAYED_AUTO_START_INFO delayed = {delayed_auto_start ==
						   SCM_FLAG_YES};
	SC_HANDLE handle =
		scm_windows_open(service, SERVICE_CHANGE_CONFIG, "configure", err);
	int ret = 0;

	(void)scm;
	if (!handle)
		return -1;
	if (!ChangeServiceConfigW(handle, SERVICE_NO_CHANGE, (DWORD)type,
				  SERVICE_NO_CHANGE, NULL, NULL, NULL, NULL, NULL,
				  NULL, NULL))
		ret = scm_windows_fail(err, service, "change the startup type of");
	else if (type == START_AUTOMATIC &&
		 delayed_auto_start != SCM_FLAG_UNSUPPORTED &&
		 !ChangeServiceConfig2W(
			 handle, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &delayed))
		ret = scm_windows_fail(err, service, "set the delayed start of");
	CloseServiceHandle(handle);
	if (!ret)
		flush_configuration(service);
	return ret;
}

static int control(struct scm *scm, const char *service, enum scm_control control,
		   struct err *err)
{
	static const struct {
		const char *what;
		DWORD right, code;
		DWORD success; /* the error that says it is so already */
	} controls[SCM_CONTROL__COUNT] = {
		[SCM_PAUSE] = {"pause", SERVICE_PAUSE_CONTINUE,
			       SERVICE_CONTROL_PAUSE, 0},
		[SCM_CONTINUE] = {"continue", SERVICE_PAUSE_CONTINUE,
				  SERVICE_CONTROL_CONTINUE, 0},
		[SCM_STOP] = {"stop", SERVICE_STOP, SERVICE_CONTROL_STOP,
			      ERROR_SERVICE_NOT_ACTIVE},
	};
	const char *what = controls[control].what;
	SC_HANDLE handle =
		scm_windows_open(service, controls[control].right, what, err);
	SERVICE_STATUS status;
	int ret = 0;

	(void)scm;
	if (!handle)
		return -1;
	if (!ControlService(handle, controls[control].code, &status) &&
	    GetLastError() != controls[control].success)
		ret = scm_windows_fail(err, service, what);
	CloseServiceHandle(handle);
	return ret;
}

static int start(struct scm *scm, const char *service, struct err *err)
{
	SC_HANDLE handle = scm_windows_open(service, SERVICE_START, "start", err);
	int ret = 0;

	(void)scm;
	if (!handle)
		return -1;
	if (!StartServiceW(handle, 0, NULL) &&
	    GetLastError() != ERROR_SERVICE_ALREADY_RUNNING)
		ret = scm_windows_fail(err, service, "start");
	CloseServiceHandle(handle);
	return ret;
}

static struct scm_watch *watch(struct scm *scm, const char *const *services,
			       size_t count, scm_watch_changed *changed, void *arg)
{
	(void)scm;
	return scm_watch_services(services, count, changed, arg);
}

static void free_windows(struct scm *scm)
{
	free(scm);
}

static const struct scm_ops windows_ops = {
	observe,      set_startup, control, start, scm_windows_inspect,
	free_windows, watch};

struct scm *scm_windows_new(struct err *err)
{
	struct scm_windows *scm = xcalloc(1, sizeof(*scm));

	(void)err;
	scm->base.ops = &windows_ops;
	return &scm->base;
}
