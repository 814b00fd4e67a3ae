#include "compat.h"
#include "system/file.h"

#include "mem.h"
#include "system/wide_windows.h"

#include <windows.h>

#include <sddl.h>

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>

static int fail(struct err *err, enum err_code code, const char *what,
		const char *path)
{
	DWORD number = GetLastError();
	wchar_t wide[256] = L"";

	(void)FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM |
				     FORMAT_MESSAGE_IGNORE_INSERTS |
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

/* What is to be written is not reached by a link. */
static HANDLE open_file(const char *path, DWORD access, DWORD share, DWORD how)
{
	bool is_read = access == GENERIC_READ || access == FILE_READ_ATTRIBUTES;
	wchar_t *wide = wide_from_utf8(path);
	HANDLE file =
		CreateFileW(wide, access, share, NULL, how,
			    FILE_ATTRIBUTE_NORMAL |
				    (is_read ? 0 : FILE_FLAG_OPEN_REPARSE_POINT),
			    NULL);

	free(wide);
	return file;
}

int file_read(const char *path, size_t limit_bytes, enum err_code code, char **text,
	      size_t *length, struct err *err)
{
	HANDLE file =
		open_file(path, GENERIC_READ,
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
		ok = ReadFile(file, bytes + used, (DWORD)(limit_bytes + 1 - used),
			      &got, NULL);
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

int file_read_regular(const char *path, size_t limit_bytes, enum err_code code,
		      char **text, size_t *length, struct err *err)
{
	return file_read(path, limit_bytes, code, text, length, err);
}

void file_stamp(const char *path, char stamp[FILE_STAMP_BYTES])
{
	wchar_t *wide = wide_from_utf8(path);
	WIN32_FILE_ATTRIBUTE_DATA found;

	stamp[0] = '\0';
	if (GetFileAttributesExW(wide, GetFileExInfoStandard, &found))
		(void)snprintf(stamp, FILE_STAMP_BYTES, "%lx.%lx.%lx.%lx.%lx",
			       found.nFileSizeHigh, found.nFileSizeLow,
			       found.ftCreationTime.dwLowDateTime,
			       found.ftLastWriteTime.dwHighDateTime,
			       found.ftLastWriteTime.dwLowDateTime);
	free(wide);
}

bool file_exists(const char *path)
{
	wchar_t *wide = wide_from_utf8(path);
	bool is_there = GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES ||
			(GetLastError() != ERROR_FILE_NOT_FOUND &&
			 GetLastError() != ERROR_PATH_NOT_FOUND);

	free(wide);
	return is_there;
}

void file_identify(const char *path, struct file_identity *identity)
{
	HANDLE file =
		open_file(path, FILE_READ_ATTRIBUTES,
			  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
			  OPEN_EXISTING);
	BY_HANDLE_FILE_INFORMATION info;

	*identity = (struct file_identity){0};
	if (file == INVALID_HANDLE_VALUE)
		return;
	if (GetFileInformationByHandle(file, &info))
		*identity = (struct file_identity){
			info.dwVolumeSerialNumber,
			(uint64_t)info.nFileIndexHigh << 32 | info.nFileIndexLow};
	CloseHandle(file);
}

int64_t file_size(const char *path)
{
	wchar_t *wide = wide_from_utf8(path);
	WIN32_FILE_ATTRIBUTE_DATA data;
	BOOL ok = GetFileAttributesExW(wide, GetFileExInfoStandard, &data);

	free(wide);
	return ok ? (int64_t)data.nFileSizeHigh << 32 | data.nFileSizeLow : -1;
}

/* ---- rights ---- */

/* The user who runs this program, as "S-1-5-21-…", to be freed with LocalFree; NULL
 * for one who has the rights of the administrators. */
static wchar_t *other_user(void)
{
	union {
		TOKEN_USER user;
		char bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
	} found;
	char admins[SECURITY_MAX_SID_SIZE];
	DWORD length = sizeof(admins);
	wchar_t *text = NULL;
	BOOL is_admin = FALSE;
	HANDLE token;

	if (CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, admins,
			       &length) &&
	    CheckTokenMembership(NULL, admins, &is_admin) && is_admin)
		return NULL;
	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return NULL;
	if (GetTokenInformation(token, TokenUser, &found, sizeof(found), &length))
		(void)ConvertSidToStringSidW(found.user.User.Sid, &text);
	CloseHandle(token);
	return text;
}

/* For SYSTEM and the administrators, and whoever runs this as another user: nothing
 * comes from the folder above, where everybody may write (%ProgramData%); what is
 * made inside gets the same.  To be freed with LocalFree. */
static PSECURITY_DESCRIPTOR make_rights(void)
{
	static const wchar_t trusted[] = L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";
	wchar_t *user = other_user(), text[256] = L"";
	PSECURITY_DESCRIPTOR rights = NULL;

	if (user)
		(void)swprintf(text, 256, L"%ls(A;OICI;FA;;;%ls)", trusted, user);
	if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
		    user ? text : trusted, SDDL_REVISION_1, &rights, NULL))
		rights = NULL;
	LocalFree(user);
	return rights;
}

/* ---- new files ---- */

static int create(const char *path, SECURITY_ATTRIBUTES *attributes,
		  const char *text, struct err *err)
{
	DWORD length = (DWORD)strlen(text), written = 0;
	wchar_t *wide = wide_from_utf8(path);
	HANDLE file = CreateFileW(wide, GENERIC_WRITE, 0, attributes, CREATE_NEW,
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

int file_create(const char *path, const char *text, struct err *err)
{
	return create(path, NULL, text, err);
}

int file_create_secret(const char *path, const char *text, struct err *err)
{
	SECURITY_ATTRIBUTES attributes = {
		.nLength = sizeof(attributes),
		.lpSecurityDescriptor = make_rights(),
	};
	int ret = attributes.lpSecurityDescriptor
			  ? create(path, &attributes, text, err)
			  : fail(err, ERR_INTERNAL, "set the rights of", path);

	LocalFree(attributes.lpSecurityDescriptor);
	return ret;
}

/* Closes the file. */
static int write_through(HANDLE file, const void *bytes, size_t length,
			 const char *path, struct err *err)
{
	DWORD written = 0;
	int ret = 0;

	if (!WriteFile(file, bytes, (DWORD)length, &written, NULL) ||
	    written != length || !FlushFileBuffers(file))
		ret = fail(err, ERR_STATE_DIR, "write", path);
	CloseHandle(file);
	return ret;
}

int file_overwrite(const char *path, const char *text, struct err *err)
{
	HANDLE file =
		open_file(path, GENERIC_WRITE, FILE_SHARE_READ, OPEN_EXISTING);

	if (file == INVALID_HANDLE_VALUE)
		return fail(err, ERR_STATE_DIR, "open", path);
	return write_through(file, text, strlen(text), path, err);
}

/* CREATE_ALWAYS would follow a link. */
static HANDLE create_anew(const char *path)
{
	(void)file_remove(path, NULL);
	return open_file(path, GENERIC_WRITE, 0, CREATE_NEW);
}

int file_fill(const char *path, const void *bytes, size_t length, struct err *err)
{
	HANDLE file = create_anew(path);

	if (file == INVALID_HANDLE_VALUE)
		return fail(err, ERR_STATE_DIR, "create", path);
	if (!write_through(file, bytes, length, path, err))
		return 0;
	(void)file_remove(path, NULL);
	return -1;
}

int file_remove(const char *path, struct err *err)
{
	wchar_t *wide = wide_from_utf8(path);
	int ret = DeleteFileW(wide) ? 0 : fail(err, ERR_STATE_DIR, "remove", path);

	free(wide);
	return ret;
}

int file_replace(const char *from, const char *to, struct err *err)
{
	wchar_t *wide_from = wide_from_utf8(from), *wide_to = wide_from_utf8(to);
	BOOL ok = MoveFileExW(wide_from, wide_to,
			      MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH);
	int ret = ok ? 0 : fail(err, ERR_STATE_DIR, "rename", from);

	free(wide_from);
	free(wide_to);
	return ret;
}

int file_write(const char *path, const char *text, struct err *err)
{
	char *fresh = xasprintf("%s.new", path);
	HANDLE file = create_anew(fresh);
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
		(void)file_remove(fresh, NULL);
		goto out;
	}
	CloseHandle(file);
	ret = file_replace(fresh, path, err);
out:
	free(fresh);
	return ret;
}

FILE *file_open_for_append(const char *path, struct err *err)
{
	HANDLE handle = open_file(path, FILE_APPEND_DATA | SYNCHRONIZE,
				  FILE_SHARE_READ | FILE_SHARE_WRITE, OPEN_ALWAYS);
	int number = -1;
	FILE *file;

	if (handle != INVALID_HANDLE_VALUE)
		number = _open_osfhandle((intptr_t)handle, _O_APPEND);
	file = number < 0 ? NULL : _fdopen(number, "ab");
	if (file)
		return file;
	(void)fail(err, ERR_STATE_DIR, "open", path);
	if (number >= 0)
		(void)_close(number);
	else if (handle != INVALID_HANDLE_VALUE)
		CloseHandle(handle);
	return NULL;
}

/* ---- folders ---- */

static int make_one(const char *path, struct err *err)
{
	wchar_t *wide = wide_from_utf8(path);
	SECURITY_ATTRIBUTES attributes = {
		.nLength = sizeof(attributes),
		.lpSecurityDescriptor = make_rights(),
	};
	int ret = 0;

	if (!attributes.lpSecurityDescriptor ||
	    (!CreateDirectoryW(wide, &attributes) &&
	     GetLastError() != ERROR_ALREADY_EXISTS))
		ret = fail(err, ERR_STATE_DIR, "make directory", path);
	LocalFree(attributes.lpSecurityDescriptor);
	free(wide);
	return ret;
}

int file_make_directory(const char *path, struct err *err)
{
	const char *end = path + strlen(path);
	char *parent;

	while (end > path && end[-1] != '/' && end[-1] != '\\')
		end--;
	/* Makes the parent only if it is missing; if that fails, the error is that
	 * of the path itself. */
	if (!make_one(path, NULL))
		return 0;
	if (end > path + 1) {
		parent = xasprintf("%.*s", (int)(end - path - 1), path);
		(void)file_make_directory(parent, NULL);
		free(parent);
	}
	return make_one(path, err);
}

/* Whoever asks whether a file is locked has it open for an instant. */
static HANDLE open_to_lock(const char *path)
{
	enum { TRIES = 5, WAIT_MS = 20 };
	HANDLE file = INVALID_HANDLE_VALUE;

	for (int i = 0; i < TRIES && file == INVALID_HANDLE_VALUE; i++) {
		if (i)
			Sleep(WAIT_MS);
		file = open_file(path, GENERIC_READ | GENERIC_WRITE, 0,
				 OPEN_ALWAYS);
		if (file == INVALID_HANDLE_VALUE &&
		    GetLastError() != ERROR_SHARING_VIOLATION)
			break;
	}
	return file;
}

int file_lock_for_life(const char *path, struct err *err)
{
	/* The lock is a file that nobody else may open, until this process ends.
	 */
	HANDLE file = open_to_lock(path);

	if (file == INVALID_HANDLE_VALUE &&
	    GetLastError() != ERROR_SHARING_VIOLATION)
		file = open_file(path, GENERIC_READ, 0, OPEN_EXISTING);
	if (file != INVALID_HANDLE_VALUE)
		return 0;
	if (GetLastError() == ERROR_SHARING_VIOLATION)
		return err_set(err, ERR_STATE_LOCKED,
			       "another poold is running: it has locked %s", path);
	return fail(err, ERR_STATE_DIR, "open", path);
}

/* Nobody can remove a file that is open so. */
int file_keep_locks(int *taken, struct err *err)
{
	*taken = 0;
	(void)err;
	return 0;
}

bool file_is_locked(const char *path)
{
	HANDLE file =
		open_file(path, GENERIC_READ,
			  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
			  OPEN_EXISTING);

	if (file == INVALID_HANDLE_VALUE)
		return GetLastError() == ERROR_SHARING_VIOLATION;
	CloseHandle(file);
	return false;
}
