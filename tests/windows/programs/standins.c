/*
 * standins.exe: the product's scm_windows.c and scm_inspect_windows.c, linked
 *against stand-ins for the SCM's functions that Wine has not or answers with
 *nothing.
 *
 *	standins inspect [plain|denied|grown|protected]
 *	standins stop    [plain|stopped|needed]
 *	standins observe [booting|booted|ended|delayed|triggered]
 *
 * The stand-ins answer as Microsoft documents it.  One line of JSON tells what the
 * product made of that, and for a stop what it asked for.
 */
#include "scm/scm.h"

#include <windows.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *world = "";

/* What was opened and sent last. */
static DWORD opened_rights, sent_control;

static BOOL refuse(DWORD number)
{
	SetLastError(number);
	return FALSE;
}

static SC_HANDLE WINAPI open_manager(LPCWSTR machine, LPCWSTR database,
				     DWORD rights)
{
	(void)machine;
	(void)database;
	(void)rights;
	return (SC_HANDLE)1;
}

static SC_HANDLE WINAPI open_service(SC_HANDLE manager, LPCWSTR name, DWORD rights)
{
	bool is_denied =
		!strcmp(world, "denied") &&
		(rights & (SERVICE_CHANGE_CONFIG | SERVICE_STOP |
			   SERVICE_QUERY_CONFIG | SERVICE_ENUMERATE_DEPENDENTS));

	(void)manager;
	(void)name;
	opened_rights = rights;
	if (is_denied)
		return (SC_HANDLE)(intptr_t)refuse(ERROR_ACCESS_DENIED);
	return (SC_HANDLE)2;
}

static BOOL WINAPI close_handle(SC_HANDLE handle)
{
	(void)handle;
	return TRUE;
}

static BOOL WINAPI control_service(SC_HANDLE handle, DWORD code,
				   SERVICE_STATUS *status)
{
	(void)handle;
	memset(status, 0, sizeof(*status));
	sent_control = code;
	if (!strcmp(world, "stopped"))
		return refuse(ERROR_SERVICE_NOT_ACTIVE);
	if (!strcmp(world, "needed"))
		return refuse(ERROR_DEPENDENT_SERVICES_RUNNING);
	return TRUE;
}

static BOOL WINAPI enum_dependants(SC_HANDLE handle, DWORD which,
				   ENUM_SERVICE_STATUSW *list, DWORD size,
				   DWORD *needed, DWORD *count)
{
	static wchar_t names[][8] = {L"RTCRGS", L"Größe"};
	static const DWORD states[] = {SERVICE_RUNNING, SERVICE_STOPPED};

	(void)handle;
	*count = 0;
	*needed = 2 * sizeof(*list);
	if (which != SERVICE_STATE_ALL)
		return refuse(ERROR_INVALID_PARAMETER);
	/* "grown": a service was added between the two calls. */
	if (size < *needed || !strcmp(world, "grown"))
		return refuse(ERROR_MORE_DATA);
	for (*count = 0; *count < 2; ++*count) {
		memset(&list[*count], 0, sizeof(*list));
		list[*count].lpServiceName = names[*count];
		list[*count].ServiceStatus.dwCurrentState = states[*count];
	}
	return TRUE;
}

static BOOL WINAPI query_config(SC_HANDLE handle, QUERY_SERVICE_CONFIGW *config,
				DWORD size, DWORD *needed)
{
	static wchar_t display[] = L"Front-End";

	(void)handle;
	*needed = sizeof(*config);
	if (size < sizeof(*config))
		return refuse(ERROR_INSUFFICIENT_BUFFER);
	memset(config, 0, sizeof(*config));
	config->dwStartType = SERVICE_AUTO_START;
	config->lpDisplayName = display;
	return TRUE;
}

/* Stopped, and never started since the boot unless it "ended". */
static BOOL WINAPI query_status(SC_HANDLE handle, SC_STATUS_TYPE level,
				BYTE *buffer, DWORD size, DWORD *needed)
{
	const SERVICE_STATUS_PROCESS status = {
		.dwCurrentState = SERVICE_STOPPED,
		.dwWin32ExitCode = strcmp(world, "ended")
					   ? ERROR_SERVICE_NEVER_STARTED
					   : NO_ERROR};

	(void)handle;
	*needed = sizeof(status);
	if (level != SC_STATUS_PROCESS_INFO || size < sizeof(status))
		return refuse(ERROR_INSUFFICIENT_BUFFER);
	memcpy(buffer, &status, sizeof(status));
	return TRUE;
}

static ULONGLONG WINAPI tick_count(void)
{
	const ULONGLONG minute_ms = 60000;

	return !strcmp(world, "booted") || !strcmp(world, "delayed")
		       ? 60 * minute_ms
		       : 3 * minute_ms;
}

/* SERVICE_TRIGGER and SERVICE_TRIGGER_INFO, as Microsoft's header has them for 64
 * bits.
 */
struct raw_trigger {
	DWORD type, action;
	void *subtype;
	DWORD items;
	void *data;
};

struct raw_triggers {
	DWORD count;
	struct raw_trigger *triggers;
	void *reserved;
};

/* Two triggers start the service, one stops it. */
static void answer_triggers(void *buffer)
{
	static struct raw_trigger triggers[] = {{.type = 2, .action = 1},
						{.type = 4, .action = 2},
						{.type = 6, .action = 1}};
	const struct raw_triggers info = {.count = 3, .triggers = triggers};

	_Static_assert(sizeof(triggers[0]) == 32 && sizeof(info) == 24,
		       "as on Windows");
	memcpy(buffer, &info, sizeof(info));
}

static bool has_triggers(void)
{
	return strcmp(world, "booting") != 0 && strcmp(world, "delayed") != 0;
}

static void answer_recovery(void *buffer)
{
	static SC_ACTION actions[] = {{SC_ACTION_RESTART, 60000},
				      {SC_ACTION_NONE, 0},
				      {SC_ACTION_REBOOT, 1}};
	const SERVICE_FAILURE_ACTIONSW info = {.cActions = 3,
					       .lpsaActions = actions};

	memcpy(buffer, &info, sizeof(info));
}

static BOOL WINAPI query_config2(SC_HANDLE handle, DWORD level, BYTE *buffer,
				 DWORD size, DWORD *needed)
{
	const SERVICE_FAILURE_ACTIONS_FLAG flag = {TRUE};
	const SERVICE_DELAYED_AUTO_START_INFO delayed = {TRUE};
	/* SERVICE_LAUNCH_PROTECTED_INFO: antimalware light */
	const DWORD launch_protected = 3;

	(void)handle;
	(void)size;
	*needed = 0;
	if (level == SERVICE_CONFIG_TRIGGER_INFO && has_triggers())
		answer_triggers(buffer);
	else if (level == SERVICE_CONFIG_DELAYED_AUTO_START_INFO &&
		 !strcmp(world, "delayed"))
		memcpy(buffer, &delayed, sizeof(delayed));
	else if (level == 12 && !strcmp(world, "protected"))
		memcpy(buffer, &launch_protected, sizeof(launch_protected));
	else if (level == SERVICE_CONFIG_FAILURE_ACTIONS)
		answer_recovery(buffer);
	else if (level == SERVICE_CONFIG_FAILURE_ACTIONS_FLAG)
		memcpy(buffer, &flag, sizeof(flag));
	else
		return refuse(ERROR_INVALID_LEVEL);
	return TRUE;
}

/* The product's calls go through these pointers; the ones here win over the
 * library's. */
void *__imp_OpenSCManagerW = (void *)open_manager;
void *__imp_OpenServiceW = (void *)open_service;
void *__imp_CloseServiceHandle = (void *)close_handle;
void *__imp_ControlService = (void *)control_service;
void *__imp_EnumDependentServicesW = (void *)enum_dependants;
void *__imp_QueryServiceConfigW = (void *)query_config;
void *__imp_QueryServiceConfig2W = (void *)query_config2;
void *__imp_QueryServiceStatusEx = (void *)query_status;
void *__imp_GetTickCount64 = (void *)tick_count;

/* ---- what the product makes of it ---- */

static json_t *dependants_to_json(const struct scm_inspection *found)
{
	json_t *list = json_array();

	for (size_t i = 0; i < found->dependant_count; i++)
		json_array_append_new(
			list,
			json_pack("[s i s]", found->dependants[i].name,
				  found->dependants[i].start_type,
				  api_service_states[found->dependants[i].state]));
	return list;
}

static json_t *run_inspect(struct scm *scm)
{
	struct scm_inspection found;
	struct err err = {0};
	json_t *unknown = json_array();

	if (scm->ops->inspect(scm, "RTCSRV", &found, &err))
		return json_pack("{ss}", "error", err.text);
	for (int i = 0; i < SCM_FACT__COUNT; i++)
		json_array_append_new(unknown, json_string(found.unknown[i]));
	return json_pack("{so si si si sb so}", "dependants",
			 dependants_to_json(&found), "triggers",
			 (int)found.trigger_count, "recovery", (int)found.recovery,
			 "denied", (int)found.denied, "protected",
			 found.is_protected, "unknown", unknown);
}

static json_t *run_stop(struct scm *scm)
{
	struct err err = {0};
	int ret = scm->ops->control(scm, "RTCSRV", SCM_STOP, &err);

	return json_pack("{si si ss si si}", "ret", ret, "refused",
			 err.code == ERR_SCM_REFUSED, "text", err.text, "rights",
			 (int)opened_rights, "control", (int)sent_control);
}

static json_t *run_observe(struct scm *scm)
{
	struct scm_status status;
	struct err err = {0};

	if (scm->ops->observe(scm, "RTCSRV", &status, &err))
		return json_pack("{ss}", "error", err.text);
	return json_pack("{ss sb}", "state", api_service_states[status.state],
			 "start_due", status.is_start_due);
}

static const struct {
	const char *name;
	json_t *(*run)(struct scm *scm);
} commands[] = {
	{"inspect", run_inspect}, {"stop", run_stop}, {"observe", run_observe}};

int main(int argc, char **argv)
{
	struct scm *scm = scm_windows_new(NULL);

	for (size_t i = 0; argc == 3 && i < sizeof(commands) / sizeof(commands[0]);
	     i++) {
		if (strcmp(commands[i].name, argv[1]))
			continue;
		world = argv[2];
		json_dumpf(commands[i].run(scm), stdout, JSON_COMPACT);
		scm->ops->free(scm);
		return 0;
	}
	fputs("standins: wrong command, see the top of standins.c\n", stderr);
	return 2;
}
