/*
 * wtsapi32.dll: the sessions of a Remote Desktop server, as a file says, where Wine
 *has none.
 *
 * The variable RDS_FILE names the file.  Each line is a session, with tabs between:
 *
 *	ID STATE USER DOMAIN CLIENT LOGON CONNECT DISCONNECT INPUT NOW
 *
 * STATE is the number of WTS_CONNECTSTATE_CLASS, the times are seconds since 1970
 *or 0, and a name that is "-" is none.  "error N" fails with that number.  A
 *session whose NOW is "gone" can be listed and not asked.
 *
 * Memory that is freed wrongly or not at all makes the next listing fail, error 13.
 */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wtsapi32.h>

/* As Microsoft's header has it. */
struct session_info {
	DWORD execution_environment;
	WTS_CONNECTSTATE_CLASS state;
	DWORD id;
	wchar_t *session_name, *host_name, *user_name, *domain_name, *farm_name;
};

_Static_assert(sizeof(struct session_info) == 56, "as on Windows");

enum { SESSIONS = 64, FIELDS = 10, TYPE_SESSION_INFO_1 = 2 };
enum { ID, STATE, USER, DOMAIN, CLIENT, LOGON, CONNECT, DISCONNECT, TYPED, NOW };

static char fields[SESSIONS][FIELDS][64];
static DWORD count;
static int allocated, mistakes;

BOOL WINAPI WTSEnumerateSessionsExW(HANDLE server, DWORD *level, DWORD filter,
				    struct session_info **list, DWORD *listed);
BOOL WINAPI WTSFreeMemoryExW(int type, void *list, ULONG entries);

static BOOL refuse(DWORD number)
{
	SetLastError(number);
	return FALSE;
}

static wchar_t *wide(const char *text)
{
	wchar_t *made = calloc(64, sizeof(*made));

	if (strcmp(text, "-"))
		MultiByteToWideChar(CP_UTF8, 0, text, -1, made, 64);
	return made;
}

/* The number after "error", or 0. */
static DWORD read_file(void)
{
	FILE *file = fopen(getenv("RDS_FILE"), "rb");
	char line[1024];
	DWORD error = 0;

	count = 0;
	while (file && count < SESSIONS && fgets(line, sizeof(line), file)) {
		char *at = line;

		if (sscanf(line, "error %lu", &error) == 1)
			break;
		for (int i = 0; i < FIELDS; i++) {
			size_t length = strcspn(at, "\t\r\n");

			snprintf(fields[count][i], sizeof(fields[0][0]), "%.*s",
				 (int)length, at);
			at += length + 1;
		}
		count++;
	}
	if (!file)
		return ERROR_FILE_NOT_FOUND;
	fclose(file);
	return error;
}

BOOL WINAPI WTSEnumerateSessionsExW(HANDLE server, DWORD *level, DWORD filter,
				    struct session_info **list, DWORD *listed)
{
	DWORD error = read_file();
	struct session_info *made;

	if (error)
		return refuse(error);
	if (server || *level != 1 || filter || allocated || mistakes)
		return refuse(ERROR_INVALID_DATA);
	made = calloc(count + 1, sizeof(*made));
	for (DWORD i = 0; i < count; i++) {
		made[i].id = strtoul(fields[i][ID], NULL, 10);
		made[i].state =
			(WTS_CONNECTSTATE_CLASS)strtoul(fields[i][STATE], NULL, 10);
		made[i].user_name = wide(fields[i][USER]);
		made[i].domain_name = wide(fields[i][DOMAIN]);
	}
	allocated++;
	*list = made;
	*listed = count;
	return TRUE;
}

BOOL WINAPI WTSFreeMemoryExW(int type, void *list, ULONG entries)
{
	struct session_info *made = list;

	if (type != TYPE_SESSION_INFO_1 || entries != count)
		mistakes++;
	for (ULONG i = 0; i < entries; i++) {
		free(made[i].user_name);
		free(made[i].domain_name);
	}
	free(made);
	allocated--;
	return TRUE;
}

static LARGE_INTEGER file_time(const char *seconds)
{
	LARGE_INTEGER time = {.QuadPart = 0};
	long long value = strtoll(seconds, NULL, 10);

	if (value)
		time.QuadPart = (value + 11644473600) * 10000000;
	return time;
}

static void *times(DWORD i, DWORD *size)
{
	WTSINFOW *info = calloc(1, sizeof(*info));

	info->State = (WTS_CONNECTSTATE_CLASS)strtoul(fields[i][STATE], NULL, 10);
	info->LogonTime = file_time(fields[i][LOGON]);
	info->ConnectTime = file_time(fields[i][CONNECT]);
	info->DisconnectTime = file_time(fields[i][DISCONNECT]);
	info->LastInputTime = file_time(fields[i][TYPED]);
	info->CurrentTime = file_time(fields[i][NOW]);
	*size = sizeof(*info);
	return info;
}

BOOL WINAPI WTSQuerySessionInformationW(HANDLE server, DWORD id,
					WTS_INFO_CLASS what, LPWSTR *buffer,
					DWORD *size)
{
	for (DWORD i = 0; i < count; i++) {
		if (strtoul(fields[i][ID], NULL, 10) != id ||
		    !strcmp(fields[i][NOW], "gone"))
			continue;
		if (server || (what != WTSSessionInfo && what != WTSClientName))
			return refuse(ERROR_NOT_SUPPORTED);
		allocated++;
		*buffer = what == WTSSessionInfo ? times(i, size)
						 : wide(fields[i][CLIENT]);
		if (what == WTSClientName)
			*size = (DWORD)(wcslen(*buffer) + 1) * sizeof(wchar_t);
		return TRUE;
	}
	return refuse(ERROR_FILE_NOT_FOUND);
}

void WINAPI WTSFreeMemory(void *memory)
{
	free(memory);
	allocated--;
}
