#include "sources/sessions_reader.h"

#include "clock.h"
#include "mem.h"
#include "text/json_write.h"
#include "sources/sessions.h"
#include "system/wide_windows.h"

#include <windows.h>

#include <stdlib.h>
#include <string.h>
#include <wtsapi32.h>

enum { LEVEL = 1, TYPE_SESSION_INFO_1 = 2 };

/* mingw-w64 10 lacks it; see WTS_SESSION_INFO_1W, Microsoft Learn. */
struct session_info {
	DWORD execution_environment;
	WTS_CONNECTSTATE_CLASS state;
	DWORD id;
	wchar_t *session_name, *host_name, *user_name, *domain_name, *farm_name;
};

struct rds_reader {
	struct sessions_reader reader;
	const struct pool_rds *rds;
	/* Loaded by the first reading: not every Windows has Remote Desktop
	 * Services. */
	HMODULE library;
	BOOL(WINAPI *enumerate)
	(HANDLE server, DWORD *level, DWORD filter, struct session_info **list,
	 DWORD *count);
	BOOL(WINAPI *query)
	(HANDLE server, DWORD id, WTS_INFO_CLASS what, wchar_t **buffer,
	 DWORD *size);
	void(WINAPI *free_memory)(void *memory);
	BOOL(WINAPI *free_list)(int type, void *list, ULONG count);
};

/* One live session; what is not known is NULL, 0 or -1. */
struct session {
	DWORD id;
	const char *state;
	char *user, *client;
	LONGLONG logon; /* FILETIME, UTC */
	int64_t age_ms, idle_ms;
};

/* ---- the library ---- */

static int load_symbol(const struct rds_reader *rds, const char *name, void *call,
		       struct err *err)
{
	FARPROC symbol = GetProcAddress(rds->library, name);

	memcpy(call, &symbol, sizeof(symbol));
	return symbol ? 0
		      : err_set_os(err, ERR_SESSIONS, GetLastError(),
				   "wtsapi32.dll has no %s", name);
}

static int load(struct rds_reader *rds, struct err *err)
{
	if (rds->free_list)
		return 0;
	/* From Windows' own folder alone, whatever lies beside the program. */
	if (!rds->library)
		rds->library = LoadLibraryExW(L"wtsapi32.dll", NULL,
					      LOAD_LIBRARY_SEARCH_SYSTEM32);
	if (!rds->library)
		return err_set_os(err, ERR_SESSIONS, GetLastError(),
				  "wtsapi32.dll cannot be loaded");
	/* The last one is only there if all are. */
	return load_symbol(rds, "WTSEnumerateSessionsExW", &rds->enumerate, err) ||
			       load_symbol(rds, "WTSQuerySessionInformationW",
					   &rds->query, err) ||
			       load_symbol(rds, "WTSFreeMemory", &rds->free_memory,
					   err) ||
			       load_symbol(rds, "WTSFreeMemoryExW", &rds->free_list,
					   err)
		       ? -1
		       : 0;
}

/* ---- one session ---- */

/* FILETIME counts in 100 ns; 0 is "never", and what lies ahead is now. */
static int64_t ms_since(LONGLONG then, LONGLONG now)
{
	if (then <= 0)
		return -1;
	return now > then ? (now - then) / 10000 : 0;
}

static char *text_or_null(const wchar_t *text)
{
	return text && *text ? wide_to_utf8(text) : NULL;
}

static char *user_of(const struct session_info *info)
{
	char *user = text_or_null(info->user_name), *domain, *both;

	domain = user ? text_or_null(info->domain_name) : NULL;
	if (!domain)
		return user;
	both = xasprintf("%s\\%s", domain, user);
	free(domain);
	free(user);
	return both;
}

/* It may have ended since it was listed: then it still counts, and nothing is
 * known. */
static void ask_times(const struct rds_reader *rds, struct session *session)
{
	wchar_t *buffer = NULL;
	DWORD size = 0;
	WTSINFOW info;
	LONGLONG silent;

	if (!rds->query(WTS_CURRENT_SERVER_HANDLE, session->id, WTSSessionInfo,
			&buffer, &size))
		return;
	if (size >= sizeof(info)) {
		memcpy(&info, buffer, sizeof(info));
		session->logon = info.LogonTime.QuadPart;
		session->age_ms =
			ms_since(session->logon, info.CurrentTime.QuadPart);
		silent = info.LastInputTime.QuadPart;
		if (info.State == WTSDisconnected &&
		    info.DisconnectTime.QuadPart > silent)
			silent = info.DisconnectTime.QuadPart;
		session->idle_ms = ms_since(silent, info.CurrentTime.QuadPart);
	}
	rds->free_memory(buffer);
}

static char *ask_client(const struct rds_reader *rds, DWORD id)
{
	wchar_t *buffer = NULL;
	DWORD size = 0;
	char *client;

	if (!rds->query(WTS_CURRENT_SERVER_HANDLE, id, WTSClientName, &buffer,
			&size))
		return NULL;
	client = size >= sizeof(*buffer) ? text_or_null(buffer) : NULL;
	rds->free_memory(buffer);
	return client;
}

static json_t *to_json(const struct session *session)
{
	const LONGLONG unix_epoch = 116444736000000000;
	int64_t age_ms = session->age_ms, idle_ms = session->idle_ms;
	struct wall logon = {(session->logon - unix_epoch) / 10000};
	char since[CLOCK_TEXT_BYTES];
	json_t *json = json_object();

	json_write_text(json, "source", "rds");
	json_write_number(json, "id", session->id);
	json_write_text(json, "user", session->user);
	json_write_text(json, "state", session->state);
	json_write_text(json, "client", session->client);
	json_write_text(json, "since",
			age_ms < 0 ? NULL : clock_format(logon, since));
	json_write_count(json, "age_s", age_ms < 0 ? -1 : age_ms / 1000);
	json_write_flag(json, "age_is_least", false);
	json_write_count(json, "idle_s", idle_ms < 0 ? -1 : idle_ms / 1000);
	json_write_flag(json, "suspect", sessions_is_suspect(age_ms, idle_ms));
	return json;
}

/* ---- all of them ---- */

/* The configured name of the state, or NULL if such sessions are not live ones. */
static const char *live_state(const struct rds_reader *rds,
			      const struct session_info *info)
{
	const char *name = NULL;

	for (int i = 0; pool_rds_states[i]; i++)
		if (i == (int)info->state)
			name = pool_rds_states[i];
	if (!name || !info->id)
		return NULL;
	LIST_EACH (char *, state, rds->rds->states)
		if (!strcmp(*state, name))
			return name;
	return NULL;
}

/* The oldest first, and those whose age is not known last. */
static int compare(const void *left, const void *right)
{
	const struct session *a = left, *b = right;

	if (a->age_ms != b->age_ms)
		return a->age_ms > b->age_ms ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static json_t *rows(struct session *sessions, size_t count)
{
	json_t *list = json_array();

	if (count)
		qsort(sessions, count, sizeof(*sessions), compare);
	for (size_t i = 0; i < count; i++) {
		json_write_item(list, to_json(&sessions[i]));
		free(sessions[i].user);
		free(sessions[i].client);
	}
	return list;
}

static void read_list(const struct rds_reader *rds, const struct session_info *list,
		      DWORD listed, struct sessions_reading *reading)
{
	struct session *sessions = xcalloc(listed, sizeof(*sessions));
	size_t count = 0;

	for (DWORD i = 0; i < listed; i++) {
		const char *state = live_state(rds, &list[i]);
		struct session *session = &sessions[count];

		if (!state)
			continue;
		*session = (struct session){.id = list[i].id,
					    .state = state,
					    .user = user_of(&list[i]),
					    .client = ask_client(rds, list[i].id),
					    .age_ms = -1,
					    .idle_ms = -1};
		ask_times(rds, session);
		count++;
	}
	*reading = (struct sessions_reading){(int64_t)count, rows(sessions, count)};
	free(sessions);
}

static int read_rds(struct sessions_reader *reader,
		    struct sessions_reading *reading, struct err *err)
{
	struct rds_reader *rds = (struct rds_reader *)reader;
	struct session_info *list = NULL;
	DWORD level = LEVEL, count = 0;

	if (load(rds, err))
		return -1;
	if (!rds->enumerate(WTS_CURRENT_SERVER_HANDLE, &level, 0, &list, &count))
		return err_set_os(
			err, ERR_SESSIONS, GetLastError(),
			"the sessions of Remote Desktop cannot be listed; does "
			"the service TermService run?");
	/* Session 0, in which poold itself runs, is always there. */
	if (count)
		read_list(rds, list, count, reading);
	(void)rds->free_list(TYPE_SESSION_INFO_1, list, count);
	return count ? 0
		     : err_set(err, ERR_SESSIONS,
			       "Windows lists no session at all, not even session 0");
}

static void free_rds(struct sessions_reader *reader)
{
	struct rds_reader *rds = (struct rds_reader *)reader;

	if (rds->library)
		(void)FreeLibrary(rds->library);
	free(rds);
}

struct sessions_reader *sessions_rds_new(const struct pool_rds *rds)
{
	static const struct sessions_reader_ops ops = {read_rds, free_rds};
	struct rds_reader *reader = xcalloc(1, sizeof(*reader));

	reader->reader.ops = &ops;
	reader->rds = rds;
	return &reader->reader;
}
