#include "compat.h"
#include "host.h"

#include "mem.h"
#include "wide_windows.h"

#include <windows.h>

#include <bcrypt.h>
#include <shellapi.h>
#include <shlobj.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

void host_init(int *argc, char ***argv)
{
	wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), argc);
	WSADATA sockets;

	*argv = xcalloc((size_t)*argc + 1, sizeof(**argv));
	for (int i = 0; i < *argc; i++)
		(*argv)[i] = wide_to_utf8(wide[i]);
	LocalFree(wide);
	(void)SetConsoleOutputCP(CP_UTF8);
	/* Fails only where there are no sockets at all; the first use says so. */
	(void)WSAStartup(MAKEWORD(2, 2), &sockets);
}

static void copy_wide(char *to, size_t size_bytes, const wchar_t *from)
{
	char *text = wide_to_utf8(from);

	copy_text(to, size_bytes, text);
	free(text);
}

void host_name(char name[HOST_NAME_BYTES])
{
	wchar_t wide[HOST_NAME_BYTES];
	DWORD size = HOST_NAME_BYTES;

	if (GetComputerNameExW(ComputerNameDnsHostname, wide, &size))
		copy_wide(name, HOST_NAME_BYTES, wide);
	else
		copy_text(name, HOST_NAME_BYTES, "localhost");
}

void host_user(char name[HOST_NAME_BYTES])
{
	wchar_t wide[HOST_NAME_BYTES];
	DWORD size = HOST_NAME_BYTES;

	if (GetUserNameW(wide, &size))
		copy_wide(name, HOST_NAME_BYTES, wide);
	else
		copy_text(name, HOST_NAME_BYTES, "unknown");
}

static int fail(struct err *err, enum err_code code, const char *what, const char *path)
{
	DWORD number = GetLastError();
	wchar_t wide[256] = L"";

	(void)FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS |
				     FORMAT_MESSAGE_MAX_WIDTH_MASK,
			     NULL, number, 0, wide, 256, NULL);
	char *text = wide_to_utf8(wide);
	size_t length = strlen(text);

	while (length && (text[length - 1] == ' ' || text[length - 1] == '.'))
		text[--length] = '\0';
	(void)err_set_os(err, code, number, "cannot %s %s: %s", what, path, text);
	free(text);
	return -1;
}

int host_random(void *bytes, size_t length, struct err *err)
{
	if (BCryptGenRandom(NULL, bytes, (ULONG)length, BCRYPT_USE_SYSTEM_PREFERRED_RNG))
		return err_set(err, ERR_INTERNAL, "no random bytes");
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
	status = RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, REG_OPTION_VOLATILE,
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
			(void)err_set_os(err, ERR_INTERNAL, (unsigned long)status,
					 "cannot write the boot id into the registry");
	}
	RegCloseKey(key);
	return status ? -1 : 0;
}

/* No interface tells; these are where Windows' own parts write it down. */
static const struct {
	const wchar_t *key;
	const wchar_t *value; /* NULL: that the key is there is enough */
	const char *what;
} reboot_marks[] = {
	{L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\"
	 L"RebootPending",
	 NULL, "a component of Windows that was installed or removed"},
	{L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\"
	 L"RebootRequired",
	 NULL, "Windows Update"},
	{L"SYSTEM\\CurrentControlSet\\Control\\Session Manager",
	 L"PendingFileRenameOperations", "files that are replaced at the next boot"},
};

int host_reboot_pending(const char **what, struct err *err)
{
	*what = NULL;
	for (size_t i = 0; i < sizeof(reboot_marks) / sizeof(reboot_marks[0]); i++) {
		const wchar_t *value = reboot_marks[i].value;
		HKEY key = NULL;
		LONG status = RegOpenKeyExW(HKEY_LOCAL_MACHINE, reboot_marks[i].key, 0,
					    KEY_QUERY_VALUE, &key);

		if (!status && value)
			status = RegQueryValueExW(key, value, NULL, NULL, NULL, NULL);
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

/* Asked of the shell, not of %ProgramData%: a service may see another environment. */
static void program_data(char path[HOST_PATH_BYTES])
{
	wchar_t wide[MAX_PATH];

	if (SHGetFolderPathW(NULL, CSIDL_COMMON_APPDATA, NULL, SHGFP_TYPE_CURRENT,
			     wide) == S_OK)
		copy_wide(path, HOST_PATH_BYTES, wide);
	else
		copy_text(path, HOST_PATH_BYTES, "C:\\ProgramData");
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
	(void)snprintf(path, HOST_PATH_BYTES, "%.900s\\poolctl\\%.100s", folder, file);
}

void host_state_path(char path[HOST_PATH_BYTES])
{
	host_config_path("state", path);
}

static HANDLE open_file(const char *path, DWORD access, DWORD share, DWORD how)
{
	wchar_t *wide = wide_from_utf8(path);
	HANDLE file =
		CreateFileW(wide, access, share, NULL, how, FILE_ATTRIBUTE_NORMAL, NULL);

	free(wide);
	return file;
}

int host_read_file(const char *path, size_t limit_bytes, enum err_code code, char **text,
		   size_t *length, struct err *err)
{
	HANDLE file = open_file(path, GENERIC_READ,
				FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
				OPEN_EXISTING);
	size_t used = 0;
	DWORD got = 0;
	char *bytes;
	BOOL ok = TRUE;

	if (file == INVALID_HANDLE_VALUE)
		return fail(err, code, "open", path);
	bytes = xmalloc(limit_bytes + 2);
	do {
		ok = ReadFile(file, bytes + used, (DWORD)(limit_bytes + 1 - used), &got,
			      NULL);
		used += got;
	} while (ok && got && used <= limit_bytes);
	if (!ok)
		(void)fail(err, code, "read", path);
	else if (used > limit_bytes)
		(void)err_set(err, code, "%s is larger than %llu bytes", path,
			      (unsigned long long)limit_bytes);
	CloseHandle(file);
	if (!ok || used > limit_bytes) {
		free(bytes);
		return -1;
	}
	bytes[used] = '\0';
	*text = xrealloc(bytes, used + 1);
	*length = used;
	return 0;
}

bool host_file_exists(const char *path)
{
	wchar_t *wide = wide_from_utf8(path);
	bool is_there = GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES ||
			(GetLastError() != ERROR_FILE_NOT_FOUND &&
			 GetLastError() != ERROR_PATH_NOT_FOUND);

	free(wide);
	return is_there;
}

int host_create_file(const char *path, const char *text, struct err *err)
{
	DWORD length = (DWORD)strlen(text), written = 0;
	wchar_t *wide = wide_from_utf8(path);
	HANDLE file = CreateFileW(wide, GENERIC_WRITE, 0, NULL, CREATE_NEW,
				  FILE_ATTRIBUTE_NORMAL, NULL);
	int ret = 0;

	if (file == INVALID_HANDLE_VALUE) {
		ret = fail(err, ERR_USAGE, "create", path);
		goto out;
	}
	if (!WriteFile(file, text, length, &written, NULL) || written != length)
		ret = fail(err, ERR_INTERNAL, "write", path);
	CloseHandle(file);
	if (ret)
		(void)DeleteFileW(wide);
out:
	free(wide);
	return ret;
}

int host_replace_file(const char *from, const char *to, struct err *err)
{
	wchar_t *wide_from = wide_from_utf8(from), *wide_to = wide_from_utf8(to);
	BOOL ok = MoveFileExW(wide_from, wide_to,
			      MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH);
	int ret = ok ? 0 : fail(err, ERR_STATE_DIR, "rename", from);

	free(wide_from);
	free(wide_to);
	return ret;
}

int host_write_file(const char *path, const char *text, struct err *err)
{
	char *fresh = xasprintf("%s.new", path);
	HANDLE file = open_file(fresh, GENERIC_WRITE, 0, CREATE_ALWAYS);
	DWORD written;
	int ret = -1;

	if (file == INVALID_HANDLE_VALUE) {
		(void)fail(err, ERR_STATE_DIR, "write", fresh);
		goto out;
	}
	if (!WriteFile(file, text, (DWORD)strlen(text), &written, NULL) ||
	    !FlushFileBuffers(file)) {
		(void)fail(err, ERR_STATE_DIR, "write", fresh);
		CloseHandle(file);
		goto out;
	}
	CloseHandle(file);
	ret = host_replace_file(fresh, path, err);
out:
	free(fresh);
	return ret;
}

FILE *host_open_for_append(const char *path, struct err *err)
{
	wchar_t *wide = wide_from_utf8(path);
	FILE *file = _wfopen(wide, L"ab");

	if (!file)
		(void)fail(err, ERR_STATE_DIR, "open", path);
	free(wide);
	return file;
}

/* Windows folders inherit who may do what; %ProgramData% is writable for administrators.
 */
static int make_one(const char *path, struct err *err)
{
	wchar_t *wide = wide_from_utf8(path);
	int ret = 0;

	if (!CreateDirectoryW(wide, NULL) && GetLastError() != ERROR_ALREADY_EXISTS)
		ret = fail(err, ERR_STATE_DIR, "make directory", path);
	free(wide);
	return ret;
}

int host_make_directory(const char *path, struct err *err)
{
	const char *end = path + strlen(path);
	char *parent;

	while (end > path && end[-1] != '/' && end[-1] != '\\')
		end--;
	/* The parent is only made if it has to be; if that fails too, the path itself
	 * says why. */
	if (!make_one(path, NULL))
		return 0;
	if (end > path + 1) {
		parent = xasprintf("%.*s", (int)(end - path - 1), path);
		(void)host_make_directory(parent, NULL);
		free(parent);
	}
	return make_one(path, err);
}

int host_lock_for_life(const char *path, struct err *err)
{
	/* Sharing with nobody is the lock; the handle stays open until the process ends.
	 */
	HANDLE file = open_file(path, GENERIC_READ | GENERIC_WRITE, 0, OPEN_ALWAYS);

	if (file != INVALID_HANDLE_VALUE)
		return 0;
	if (GetLastError() == ERROR_SHARING_VIOLATION)
		return err_set(err, ERR_STATE_LOCKED, "another poold holds %s", path);
	return fail(err, ERR_STATE_DIR, "open", path);
}

/* Windows has no such limit. */
void host_allow_files(unsigned count)
{
	(void)count;
}

int host_listen(const struct net_address *address, uint16_t port, socket_handle *listener,
		struct err *err)
{
	enum { BACKLOG = 200 };
	struct sockaddr_storage to;
	int size = net_address_to_socket(address, port, &to), on = 1, number;
	char text[NET_ADDRESS_TEXT_BYTES];

	*listener = socket(to.ss_family, SOCK_STREAM, 0);
	/* Windows lets two programs share a port unless one of them says no. */
	if (*listener != INVALID_SOCKET)
		(void)setsockopt(*listener, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (char *)&on,
				 sizeof(on));
	if (*listener != INVALID_SOCKET &&
	    !bind(*listener, (struct sockaddr *)&to, size) && !listen(*listener, BACKLOG))
		return 0;
	number = WSAGetLastError();
	if (*listener != INVALID_SOCKET)
		(void)closesocket(*listener);
	return err_set_os(err, ERR_LISTEN, (unsigned long)number,
			  "cannot listen on %s port %u%s",
			  net_address_format(address, text), port,
			  number == WSAEADDRINUSE ? ": another program does" : "");
}

void host_cut(socket_handle connection)
{
	/* Fails if the peer was faster, which is as good. */
	(void)shutdown(connection, SD_BOTH);
}

struct waker {
	HANDLE event;
};

struct waker *waker_new(void)
{
	struct waker *waker = xcalloc(1, sizeof(*waker));

	waker->event = CreateEventW(NULL, FALSE, FALSE, NULL);
	if (!waker->event)
		abort();
	return waker;
}

void waker_free(struct waker *waker)
{
	if (waker)
		CloseHandle(waker->event);
	free(waker);
}

void waker_wake(struct waker *waker)
{
	SetEvent(waker->event);
}

void waker_wait(struct waker *waker, int64_t timeout_ms)
{
	/* As an unsigned number, a negative time is weeks. */
	if (timeout_ms < 0)
		timeout_ms = 0;
	if (timeout_ms > INT_MAX)
		timeout_ms = INT_MAX;
	(void)WaitForSingleObject(waker->event, (DWORD)timeout_ms);
}
