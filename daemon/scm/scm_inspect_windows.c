#include "scm/scm_windows.h"

#include "mem.h"
#include "scm/security_template.h"
#include "system/wide_windows.h"
#include "utf8.h"
#include "system/file.h"

#include <stdlib.h>
#include <string.h>

/* Each fact is asked for with a handle that has the one right it needs, so that a
 * right that is missing hides one fact and not all. */

enum { TEMPLATE_LIMIT_BYTES = 4 << 20, CONFIG_BYTES = 8192 };

/* ---- QueryServiceConfig2: triggers and recovery ---- */

/* mingw-w64 10 lacks these; see SERVICE_TRIGGER_INFO and SC_ACTION, Microsoft
 * Learn. */
enum { TRIGGER_ACTION_START = 1, ACTION_OWN_RESTART = 4, LEVEL_PROTECTED = 12 };

struct trigger {
	DWORD type, action;
	GUID *subtype;
	DWORD item_count;
	void *items;
};

struct trigger_info {
	DWORD count;
	struct trigger *triggers;
	BYTE *reserved;
};

/* 8 KiB is the documented limit of these structures with what they point to. */
union config {
	struct trigger_info triggers;
	SERVICE_FAILURE_ACTIONSW recovery;
	SERVICE_FAILURE_ACTIONS_FLAG recovery_flag;
	DWORD launch_protected; /* SERVICE_LAUNCH_PROTECTED_INFO */
	BYTE bytes[CONFIG_BYTES];
};

/* A system that does not know the level has not said "none". */
static int query_config(const char *service, DWORD level, const char *what,
			union config *config, struct err *err)
{
	SC_HANDLE handle =
		scm_windows_open(service, SERVICE_QUERY_CONFIG, what, err);
	DWORD needed, number;
	int ret = 0;

	if (!handle)
		return -1;
	if (!QueryServiceConfig2W(handle, level, config->bytes, CONFIG_BYTES,
				  &needed)) {
		number = GetLastError();
		if (number == ERROR_INVALID_LEVEL ||
		    number == ERROR_CALL_NOT_IMPLEMENTED)
			ret = err_set_os(err, ERR_SCM_FAILED, number,
					 "cannot %s %s: not supported here", what,
					 service);
		else
			ret = scm_windows_fail(err, service, what);
	}
	CloseServiceHandle(handle);
	return ret;
}

int scm_windows_count_triggers(const char *service, unsigned *count,
			       struct err *err)
{
	union config config;

	if (query_config(service, SERVICE_CONFIG_TRIGGER_INFO,
			 "query the triggers of", &config, err))
		return -1;
	for (DWORD i = 0; i < config.triggers.count; i++)
		if (config.triggers.triggers[i].action == TRIGGER_ACTION_START)
			++*count;
	return 0;
}

static int ask_triggers(const char *service, struct scm_inspection *inspection,
			struct err *err)
{
	return scm_windows_count_triggers(service, &inspection->trigger_count, err);
}

/* A Windows that does not know the level, before 8.1, protects none. */
static int ask_protection(const char *service, struct scm_inspection *inspection,
			  struct err *err)
{
	union config config;

	if (query_config(service, LEVEL_PROTECTED, "query the protection of",
			 &config, err))
		return err->os_code == ERROR_INVALID_LEVEL ||
				       err->os_code == ERROR_CALL_NOT_IMPLEMENTED
			       ? 0
			       : -1;
	inspection->is_protected = config.launch_protected;
	return 0;
}

static int ask_recovery(const char *service, struct scm_inspection *inspection,
			struct err *err)
{
	static const unsigned recoveries[] = {
		[SC_ACTION_NONE] = 0,
		[SC_ACTION_RESTART] = SCM_RECOVERY_RESTART,
		[SC_ACTION_REBOOT] = SCM_RECOVERY_REBOOT,
		[SC_ACTION_RUN_COMMAND] = SCM_RECOVERY_RUN,
		[ACTION_OWN_RESTART] = SCM_RECOVERY_RESTART,
	};
	const char *what = "query the recovery actions of";
	union config config;

	if (query_config(service, SERVICE_CONFIG_FAILURE_ACTIONS, what, &config,
			 err))
		return -1;
	for (DWORD i = 0; i < config.recovery.cActions; i++) {
		unsigned type = (unsigned)config.recovery.lpsaActions[i].Type;

		if (type < sizeof(recoveries) / sizeof(recoveries[0]))
			inspection->recovery |= recoveries[type];
	}
	if (query_config(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, what,
			 &config, err))
		return -1;
	if (inspection->recovery &&
	    config.recovery_flag.fFailureActionsOnNonCrashFailures)
		inspection->recovery |= SCM_RECOVERY_ON_ERROR;
	return 0;
}

/* ---- dependants ---- */

static int add_dependant(const ENUM_SERVICE_STATUSW *raw,
			 struct scm_dependant *dependant, struct err *err)
{
	const char *what = "query the startup type of";
	char *name = wide_to_utf8(raw->lpServiceName);
	SC_HANDLE handle = scm_windows_open(name, SERVICE_QUERY_CONFIG, what, err);
	union {
		QUERY_SERVICE_CONFIGW config;
		BYTE bytes[CONFIG_BYTES];
	} config;
	DWORD needed;
	int ret = -1;

	utf8_copy(dependant->name, sizeof(dependant->name), name);
	dependant->state = scm_windows_state(raw->ServiceStatus.dwCurrentState);
	dependant->start_type = -1;
	if (!handle)
		goto out;
	if (QueryServiceConfigW(handle, &config.config, sizeof(config), &needed)) {
		dependant->start_type = (int)config.config.dwStartType;
		ret = 0;
	} else {
		(void)scm_windows_fail(err, name, what);
	}
	CloseServiceHandle(handle);
out:
	free(name);
	return ret;
}

/* Those that depend on it over others are in the list too.  The caller frees it,
 * also after a failure. */
static int list_dependants(SC_HANDLE handle, const char *service,
			   ENUM_SERVICE_STATUSW **list, DWORD *count,
			   struct err *err)
{
	DWORD needed = 0;

	if (EnumDependentServicesW(handle, SERVICE_STATE_ALL, NULL, 0, &needed,
				   count))
		return 0;
	if (GetLastError() == ERROR_MORE_DATA) {
		*list = xcalloc(1, needed);
		if (EnumDependentServicesW(handle, SERVICE_STATE_ALL, *list, needed,
					   &needed, count))
			return 0;
	}
	return scm_windows_fail(err, service, "list what depends on");
}

static int ask_dependants(const char *service, struct scm_inspection *inspection,
			  struct err *err)
{
	SC_HANDLE handle = scm_windows_open(service, SERVICE_ENUMERATE_DEPENDENTS,
					    "list what depends on", err);
	ENUM_SERVICE_STATUSW *list = NULL;
	DWORD count = 0;
	int ret;

	if (!handle)
		return -1;
	ret = list_dependants(handle, service, &list, &count, err);
	CloseServiceHandle(handle);
	if (ret || !count)
		goto out;
	inspection->dependants = xcalloc(count, sizeof(*inspection->dependants));
	inspection->dependant_count = count;
	for (DWORD i = 0; i < count; i++)
		if (add_dependant(&list[i], &inspection->dependants[i], err))
			ret = -1;
out:
	free(list);
	return ret;
}

/* ---- group policy: the templates that Windows keeps of it ---- */

/* UTF-16 with a byte order mark as Windows writes them, else as it is. */
static char *template_text(const char *bytes, size_t length)
{
	wchar_t *wide;
	char *text;

	if (length < 2 || memcmp(bytes, "\xff\xfe", 2) != 0)
		return xstrdup(bytes);
	wide = xcalloc(length / sizeof(*wide) + 1, sizeof(*wide));
	memcpy(wide, bytes + 2, (length - 2) / sizeof(*wide) * sizeof(*wide));
	text = wide_to_utf8(wide);
	free(wide);
	return text;
}

static int read_template(const char *folder, const wchar_t *wide_name,
			 const char *service, struct scm_inspection *inspection,
			 struct err *err)
{
	char *name = wide_to_utf8(wide_name);
	char *path = xasprintf("%s\\%s", folder, name);
	char *bytes = NULL, *text;
	size_t length;
	int ret = file_read(path, TEMPLATE_LIMIT_BYTES, ERR_SCM_FAILED, &bytes,
			    &length, err);

	if (!ret) {
		text = template_text(bytes, length);
		if (security_template_find(text, service,
					   &inspection->policy_start_type))
			utf8_copy(inspection->policy, sizeof(inspection->policy),
				  name);
		free(text);
	}
	free(bytes);
	free(path);
	free(name);
	return ret;
}

/* gpt00000.dom, gpt00001.inf and so on: one for each policy that has security
 * settings. Source: "Troubleshooting SCECLI 1202 events", Microsoft Learn. */
static int read_templates(const char *folder, const char *service,
			  struct scm_inspection *inspection, struct err *err)
{
	char *pattern = xasprintf("%s\\gpt*.*", folder);
	wchar_t *wide = wide_from_utf8(pattern);
	WIN32_FIND_DATAW found;
	HANDLE search = FindFirstFileW(wide, &found);
	DWORD number = GetLastError();
	int ret = 0;

	free(wide);
	free(pattern);
	/* A machine without such policies has no files, and perhaps no folder. */
	if (search == INVALID_HANDLE_VALUE &&
	    (number == ERROR_FILE_NOT_FOUND || number == ERROR_PATH_NOT_FOUND))
		return 0;
	if (search == INVALID_HANDLE_VALUE)
		return err_set_os(err, ERR_SCM_FAILED, number, "cannot list %s",
				  folder);
	do
		ret |= read_template(folder, found.cFileName, service, inspection,
				     err);
	while (!*inspection->policy && FindNextFileW(search, &found));
	FindClose(search);
	return ret;
}

static int ask_policy(const char *service, struct scm_inspection *inspection,
		      struct err *err)
{
	wchar_t windows[MAX_PATH] = L"";
	char *folder, *root;
	int ret;

	if (!GetSystemWindowsDirectoryW(windows, MAX_PATH))
		return err_set_os(err, ERR_SCM_FAILED, GetLastError(),
				  "where Windows is installed is not known");
	root = wide_to_utf8(windows);
	folder = xasprintf("%s\\security\\templates\\policies", root);
	ret = read_templates(folder, service, inspection, err);
	free(folder);
	free(root);
	return ret;
}

/* ---- rights ---- */

/* Opening a handle asks for the rights and does nothing with them. */
static bool has_rights(const char *service, DWORD rights, struct err *err)
{
	SC_HANDLE handle = scm_windows_open(service, rights, "control", err);

	if (handle)
		CloseServiceHandle(handle);
	return handle;
}

static int ask_rights(const char *service, struct scm_inspection *inspection,
		      struct err *err)
{
	static const DWORD rights[SCM_RIGHT__COUNT] = {
		[SCM_RIGHT_PAUSE] = SERVICE_PAUSE_CONTINUE,
		[SCM_RIGHT_CONFIGURE] = SERVICE_CHANGE_CONFIG,
		[SCM_RIGHT_START] = SERVICE_START,
		[SCM_RIGHT_STOP] = SERVICE_STOP,
	};
	DWORD all = 0;

	for (unsigned i = 0; i < SCM_RIGHT__COUNT; i++)
		all |= rights[i];
	if (has_rights(service, all, NULL))
		return 0;
	for (unsigned i = 0; i < SCM_RIGHT__COUNT; i++) {
		struct err refusal = {0};

		if (has_rights(service, rights[i], &refusal))
			continue;
		if (refusal.code != ERR_SCM_DENIED)
			return err_set(err, refusal.code, "%s", refusal.text);
		inspection->denied |= 1u << i;
	}
	return 0;
}

int scm_windows_inspect(struct scm *scm, const char *service,
			struct scm_inspection *inspection, struct err *err)
{
	static int (*const asks[SCM_FACT__COUNT])(
		const char *, struct scm_inspection *, struct err *) = {
		[SCM_FACT_DEPENDANTS] = ask_dependants,
		[SCM_FACT_TRIGGERS] = ask_triggers,
		[SCM_FACT_RECOVERY] = ask_recovery,
		[SCM_FACT_POLICY] = ask_policy,
		[SCM_FACT_RIGHTS] = ask_rights,
		[SCM_FACT_PROTECTION] = ask_protection,
	};
	SC_HANDLE handle =
		scm_windows_open(service, SERVICE_QUERY_STATUS, "inspect", err);

	(void)scm;
	*inspection = (struct scm_inspection){0};
	if (!handle)
		return -1;
	CloseServiceHandle(handle);
	for (int i = 0; i < SCM_FACT__COUNT; i++) {
		struct err reason = {0};

		if (asks[i](service, inspection, &reason))
			utf8_copy(inspection->unknown[i], SCM_REASON_BYTES,
				  reason.text);
	}
	return 0;
}
