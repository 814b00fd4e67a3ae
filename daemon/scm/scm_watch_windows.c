#include "scm/scm_watch.h"

#include "clock.h"
#include "mem.h"
#include "system/wide_windows.h"

#include <windows.h>

#include <stdbool.h>
#include <stdlib.h>

enum {
	ABSENT_MS = 5000, /* a service that cannot be watched is looked for again */
	HOLD_MS = 5000,   /* one that is stopped is let go for a moment */
	STATES = SERVICE_NOTIFY_STOPPED | SERVICE_NOTIFY_START_PENDING |
		 SERVICE_NOTIFY_STOP_PENDING | SERVICE_NOTIFY_RUNNING |
		 SERVICE_NOTIFY_CONTINUE_PENDING | SERVICE_NOTIFY_PAUSE_PENDING |
		 SERVICE_NOTIFY_PAUSED | SERVICE_NOTIFY_DELETE_PENDING,
};

/* Something that can be waited for, on a thread of the system's pool. */
struct told {
	struct scm_watch *watch;
	HANDLE object;
	HANDLE wait;
	volatile LONG has_come;
};

/* One service.  The system tells of its state in the alertable wait of whoever
 * armed it: Wine tells nothing if another thread of the process asks the SCM
 * meanwhile. */
struct watched {
	struct scm_watch *watch;
	wchar_t *name;
	struct mono tried_at;
	SC_HANDLE service; /* NULL: it cannot be watched now */
	HKEY key;
	struct told key_changed; /* its startup type */
	struct told process;     /* of whose end the SCM may not tell */
	SERVICE_NOTIFYW notify;
	bool is_armed, is_stopped;
};

struct scm_watch {
	scm_watch_changed *changed;
	void *arg;
	struct watched *services;
	size_t count;
};

struct scm_watch *scm_watch_file(const char *path, scm_watch_changed *changed,
				 void *arg)
{
	(void)path;
	(void)changed;
	(void)arg;
	return NULL;
}

/* ---- what can be waited for ---- */

static void CALLBACK on_told(void *parameter, BOOLEAN is_timeout)
{
	struct told *told = parameter;

	(void)is_timeout;
	(void)InterlockedExchange(&told->has_come, 1);
	told->watch->changed(told->watch->arg);
}

static void told_begin(struct told *told, HANDLE object)
{
	told->object = object;
	told->has_come = 0;
	if (object &&
	    !RegisterWaitForSingleObject(&told->wait, object, on_told, told,
					 INFINITE, WT_EXECUTEONLYONCE))
		told->wait = NULL;
}

/* Waits for a call that is under way. */
static void told_end(struct told *told)
{
	if (told->wait)
		(void)UnregisterWaitEx(told->wait, INVALID_HANDLE_VALUE);
	if (told->object)
		CloseHandle(told->object);
	told->wait = told->object = NULL;
}

/* ---- one service ---- */

static void CALLBACK on_notified(void *parameter)
{
	const SERVICE_NOTIFYW *notify = parameter;
	struct watched *watched = notify->pContext;

	watched->is_armed = false;
	watched->watch->changed(watched->watch->arg);
}

static HKEY open_key(const wchar_t *name)
{
	static const wchar_t folder[] = L"SYSTEM\\CurrentControlSet\\Services\\";
	size_t length = wcslen(folder) + wcslen(name) + 1;
	wchar_t *path = xcalloc(length, sizeof(*path));
	HKEY key;

	wcscpy(path, folder);
	wcscat(path, name);
	if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_NOTIFY | KEY_QUERY_VALUE,
			  &key) != ERROR_SUCCESS)
		key = NULL;
	free(path);
	return key;
}

static void watch_key(struct watched *watched)
{
	HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

	told_end(&watched->key_changed);
	told_begin(&watched->key_changed, event);
	(void)RegNotifyChangeKeyValue(
		watched->key, FALSE,
		REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_LAST_SET, event, TRUE);
}

static void watch_process(struct watched *watched)
{
	SERVICE_STATUS_PROCESS status;
	DWORD needed;

	told_end(&watched->process);
	watched->is_stopped = false;
	if (!QueryServiceStatusEx(watched->service, SC_STATUS_PROCESS_INFO,
				  (BYTE *)&status, sizeof(status), &needed))
		return;
	watched->is_stopped = status.dwCurrentState == SERVICE_STOPPED;
	if (status.dwProcessId)
		told_begin(&watched->process,
			   OpenProcess(SYNCHRONIZE, FALSE, status.dwProcessId));
}

static void close_service(struct watched *watched)
{
	told_end(&watched->process);
	told_end(&watched->key_changed);
	if (watched->key)
		RegCloseKey(watched->key);
	if (watched->service)
		CloseServiceHandle(watched->service);
	watched->service = NULL;
	watched->key = NULL;
	watched->is_armed = false;
	/* What the closed handle has queued must not come later. */
	(void)SleepEx(0, TRUE);
}

static void open_service(struct watched *watched)
{
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);

	watched->tried_at = clock_mono();
	if (!manager)
		return;
	watched->service =
		OpenServiceW(manager, watched->name, SERVICE_QUERY_STATUS);
	CloseServiceHandle(manager);
	if (!watched->service)
		return;
	watched->key = open_key(watched->name);
	if (watched->key)
		watch_key(watched);
}

/* An open handle keeps a service that was deleted in the list, and whoever installs
 * it again gets error 1072. */
static bool is_deleted(const struct watched *watched)
{
	DWORD flag = 0, size = sizeof(flag);

	if (!watched->key)
		return false;
	if (RegQueryValueExW(watched->key, L"DeleteFlag", NULL, NULL, (BYTE *)&flag,
			     &size) == ERROR_SUCCESS)
		return flag != 0;
	return RegQueryValueExW(watched->key, L"ImagePath", NULL, NULL, NULL,
				NULL) != ERROR_SUCCESS;
}

/* False if the service cannot be watched: it is gone, or the system has lost touch
 * with us (error 1294). */
static bool arm_state(struct watched *watched)
{
	if (is_deleted(watched))
		return false;
	watched->notify =
		(SERVICE_NOTIFYW){.dwVersion = SERVICE_NOTIFY_STATUS_CHANGE,
				  .pfnNotifyCallback = on_notified,
				  .pContext = watched};
	if (NotifyServiceStatusChangeW(watched->service, STATES,
				       &watched->notify) != ERROR_SUCCESS)
		return false;
	watched->is_armed = true;
	watch_process(watched);
	return true;
}

/* A service that was deleted goes once it is stopped and nobody has it open.  The
 * system may have told of that, or not. */
static void let_go(struct watched *watched)
{
	if (watched->service && watched->is_stopped &&
	    clock_since(watched->tried_at, clock_mono()) >= HOLD_MS)
		close_service(watched);
}

static void arm(struct watched *watched)
{
	let_go(watched);
	if (!watched->service &&
	    clock_since(watched->tried_at, clock_mono()) >= ABSENT_MS)
		open_service(watched);
	if (!watched->service)
		return;
	if (watched->key_changed.has_come) {
		watch_key(watched);
		if (is_deleted(watched)) {
			close_service(watched);
			return;
		}
	}
	if (!watched->is_armed && !arm_state(watched))
		close_service(watched);
}

/* ---- all ---- */

struct scm_watch *scm_watch_services(const char *const *names, size_t count,
				     scm_watch_changed *changed, void *arg)
{
	struct scm_watch *watch = xcalloc(1, sizeof(*watch));

	*watch = (struct scm_watch){
		.changed = changed,
		.arg = arg,
		.services = xcalloc(count, sizeof(*watch->services)),
		.count = count};
	for (size_t i = 0; i < count; i++)
		watch->services[i] = (struct watched){
			.watch = watch,
			.name = wide_from_utf8(names[i]),
			.tried_at = clock_add(clock_mono(), -ABSENT_MS),
			.key_changed.watch = watch,
			.process.watch = watch,
		};
	return watch;
}

void scm_watch_arm(struct scm_watch *watch)
{
	for (size_t i = 0; watch && i < watch->count; i++)
		arm(&watch->services[i]);
}

void scm_watch_free(struct scm_watch *watch)
{
	if (!watch)
		return;
	for (size_t i = 0; i < watch->count; i++) {
		close_service(&watch->services[i]);
		free(watch->services[i].name);
	}
	free(watch->services);
	free(watch);
}
