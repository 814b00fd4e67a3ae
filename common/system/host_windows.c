#include "compat.h"
#include "system/host.h"

#include "mem.h"
#include "system/wide_windows.h"
#include "utf8.h"

#include <windows.h>

#include <bcrypt.h>
#define SECURITY_WIN32
#include <security.h>
#include <shellapi.h>
#include <shlobj.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The console is shared with the shell, and stays as it is left; 0: there is none.
 */
static UINT code_page;

/* Without a handle of its own a stream has no file, and what is printed goes
 * nowhere. */
static void open_stream(FILE *stream, const char *mode)
{
	FILE *same = _fileno(stream) < 0 ? freopen("NUL", mode, stream) : stream;

	/* If even that fails, nothing can be said. */
	(void)same;
}

void host_init(int *argc, char ***argv)
{
	wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), argc);
	WSADATA sockets;

	/* Whatever lies beside the program, or on PATH, is no library of ours. */
	(void)SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
	*argv = xcalloc((size_t)*argc + 1, sizeof(**argv));
	for (int i = 0; i < *argc; i++)
		(*argv)[i] = wide_to_utf8(wide[i]);
	LocalFree(wide);
	open_stream(stdin, "r");
	open_stream(stdout, "w");
	open_stream(stderr, "w");
	code_page = GetConsoleOutputCP();
	(void)SetConsoleOutputCP(CP_UTF8);
	/* Fails only if there are no sockets at all, and then their first use
	 * fails. */
	(void)WSAStartup(MAKEWORD(2, 2), &sockets);
}

void host_done(void)
{
	if (code_page)
		(void)SetConsoleOutputCP(code_page);
}

static void copy_wide(char *to, size_t size_bytes, const wchar_t *from)
{
	char *text = wide_to_utf8(from);

	utf8_copy(to, size_bytes, text);
	free(text);
}

void host_name(char name[HOST_NAME_BYTES])
{
	wchar_t wide[HOST_NAME_BYTES];
	DWORD size = HOST_NAME_BYTES;

	if (GetComputerNameExW(ComputerNameDnsHostname, wide, &size))
		copy_wide(name, HOST_NAME_BYTES, wide);
	else
		utf8_copy(name, HOST_NAME_BYTES, "localhost");
}

void host_user(char name[HOST_NAME_BYTES])
{
	wchar_t wide[HOST_NAME_BYTES], own[HOST_NAME_BYTES], full[HOST_NAME_BYTES];
	DWORD size = HOST_NAME_BYTES, own_size = HOST_NAME_BYTES;
	ULONG full_size = HOST_NAME_BYTES;
	wchar_t *slash;

	/* A local user's domain is the computer, and SYSTEM has the computer's
	 * account.
	 */
	if (GetUserNameW(wide, &size) && GetComputerNameW(own, &own_size) &&
	    GetUserNameExW(NameSamCompatible, full, &full_size) &&
	    (slash = wcschr(full, L'\\')) && !wcscmp(slash + 1, wide) &&
	    (wcslen(own) != (size_t)(slash - full) ||
	     _wcsnicmp(full, own, (size_t)(slash - full)) != 0))
		copy_wide(name, HOST_NAME_BYTES, full);
	else if (GetUserNameW(wide, (size = HOST_NAME_BYTES, &size)))
		copy_wide(name, HOST_NAME_BYTES, wide);
	else
		utf8_copy(name, HOST_NAME_BYTES, "unknown");
}

int host_random(void *bytes, size_t length, struct err *err)
{
	if (BCryptGenRandom(NULL, bytes, (ULONG)length,
			    BCRYPT_USE_SYSTEM_PREFERRED_RNG))
		return err_set(err, ERR_INTERNAL,
			       "the operating system gave no random bytes");
	return 0;
}

int host_boot_id(char id[HOST_ID_BYTES], struct err *err)
{
	const wchar_t *path = L"SOFTWARE\\poolctl\\Boot";
	uint64_t random[2];
	DWORD size = HOST_ID_BYTES;
	LSTATUS status;
	HKEY key;

	if (host_random(random, sizeof(random), err))
		return -1;
	status = RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL,
				 REG_OPTION_VOLATILE,
				 KEY_QUERY_VALUE | KEY_SET_VALUE, NULL, &key, NULL);
	if (status)
		return err_set_os(
			err, ERR_INTERNAL, (unsigned long)status,
			"cannot open the registry key HKLM\\SOFTWARE\\poolctl\\Boot");
	if (RegGetValueA(key, NULL, "Id", RRF_RT_REG_SZ, NULL, id, &size)) {
		(void)snprintf(id, HOST_ID_BYTES, "%016llx%016llx",
			       (unsigned long long)random[0],
			       (unsigned long long)random[1]);
		status = RegSetValueExA(key, "Id", 0, REG_SZ, (const BYTE *)id,
					(DWORD)strlen(id) + 1);
		if (status)
			(void)err_set_os(
				err, ERR_INTERNAL, (unsigned long)status,
				"cannot write the boot id into the registry");
	}
	RegCloseKey(key);
	return status ? -1 : 0;
}

/* Windows has no function for this; its own parts note it in these places. */
static const struct {
	const wchar_t *key;
	const wchar_t *value; /* NULL: the key itself is the mark */
	const char *what;
} reboot_marks[] = {
	{L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\"
	 L"RebootPending",
	 NULL, "a Windows component that was installed or removed"},
	{L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\"
	 L"RebootRequired",
	 NULL, "Windows Update"},
	{L"SYSTEM\\CurrentControlSet\\Control\\Session Manager",
	 L"PendingFileRenameOperations", "files to be replaced at the next boot"},
};

int host_reboot_pending(const char **what, struct err *err)
{
	*what = NULL;
	for (size_t i = 0; i < sizeof(reboot_marks) / sizeof(reboot_marks[0]);
	     i++) {
		const wchar_t *value = reboot_marks[i].value;
		HKEY key = NULL;
		LONG status = RegOpenKeyExW(HKEY_LOCAL_MACHINE, reboot_marks[i].key,
					    0, KEY_QUERY_VALUE, &key);

		if (!status && value)
			status = RegQueryValueExW(key, value, NULL, NULL, NULL,
						  NULL);
		if (key)
			RegCloseKey(key);
		if (!status) {
			*what = reboot_marks[i].what;
			return 0;
		}
		if (status != ERROR_FILE_NOT_FOUND)
			return err_set_os(err, ERR_INTERNAL, (unsigned long)status,
					  "cannot read the registry for %s",
					  reboot_marks[i].what);
	}
	return 0;
}

/* Not from %ProgramData%: a service may have another environment. */
static void program_data(char path[HOST_PATH_BYTES])
{
	wchar_t wide[MAX_PATH];

	if (SHGetFolderPathW(NULL, CSIDL_COMMON_APPDATA, NULL, SHGFP_TYPE_CURRENT,
			     wide) == S_OK)
		copy_wide(path, HOST_PATH_BYTES, wide);
	else
		utf8_copy(path, HOST_PATH_BYTES, "C:\\ProgramData");
}

const char *host_env(const char *name)
{
	wchar_t *wide_name = wide_from_utf8(name);
	const wchar_t *value = _wgetenv(wide_name);

	free(wide_name);
	return value ? wide_to_utf8(value) : NULL;
}

void host_config_path(const char *file, char path[HOST_PATH_BYTES])
{
	char folder[HOST_PATH_BYTES];

	program_data(folder);
	(void)snprintf(path, HOST_PATH_BYTES, "%.900s\\poolctl\\%.100s", folder,
		       file);
}

void host_state_path(char path[HOST_PATH_BYTES])
{
	host_config_path("state", path);
}

int host_local_folders(char folders[HOST_LOCAL_FOLDERS][HOST_PATH_BYTES])
{
	const char *said = host_env("POOLCTL_LOCAL_DIR");

	if (said && *said)
		utf8_copy(folders[0], HOST_PATH_BYTES, said);
	else
		host_config_path("state\\local", folders[0]);
	return 1;
}

/* Windows has no such limit. */
unsigned host_allow_files(unsigned count)
{
	return count;
}

int host_listen(const struct net_address *address, uint16_t port,
		socket_handle *listener, struct err *err)
{
	enum { BACKLOG = 200 };
	struct sockaddr_storage to;
	int size = net_address_to_socket(address, port, &to), on = 1, number;
	char text[NET_ADDRESS_TEXT_BYTES];

	*listener = socket(to.ss_family, SOCK_STREAM, 0);
	/* Without this, Windows lets another program share the port. */
	if (*listener != INVALID_SOCKET)
		(void)setsockopt(*listener, SOL_SOCKET, SO_EXCLUSIVEADDRUSE,
				 (char *)&on, sizeof(on));
	if (*listener != INVALID_SOCKET &&
	    !bind(*listener, (struct sockaddr *)&to, size) &&
	    !listen(*listener, BACKLOG))
		return 0;
	number = WSAGetLastError();
	if (*listener != INVALID_SOCKET)
		(void)closesocket(*listener);
	return err_set_os(
		err, ERR_LISTEN, (unsigned long)number,
		"cannot listen on %s port %u%s", net_address_format(address, text),
		port,
		number == WSAEADDRINUSE ? ": another program listens there" : "");
}

void host_cut(socket_handle connection)
{
	/* Fails if the peer closed first, which does the same. */
	(void)shutdown(connection, SD_BOTH);
}

bool host_is_left(socket_handle connection)
{
	char byte;
	int got = recv(connection, &byte, 1, MSG_PEEK);

	return !got || (got < 0 && WSAGetLastError() != WSAEWOULDBLOCK);
}

void host_close_listener(socket_handle listener)
{
	BOOL listens = FALSE;
	int size = sizeof(listens);

	if (!getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, (char *)&listens,
			&size) &&
	    listens)
		(void)closesocket(listener);
}
