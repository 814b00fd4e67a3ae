#include "compat.h"
#include "system/private.h"

#include "mem.h"
#include "system/wide_windows.h"

#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include <stdlib.h>
#include <string.h>

/* The folders that this program makes hand their access rights down. */
void private_begin(void)
{
}

char *private_folder_of(const char *path)
{
	const char *end = path + strlen(path);

	while (end > path && end[-1] != '/' && end[-1] != '\\')
		end--;
	if (end == path)
		return xstrdup(".");
	/* "C:\" is a folder, and "C:" another one. */
	if (end > path + 1 && end[-2] != ':')
		end--;
	return xasprintf("%.*s", (int)(end - path), path);
}

/* ---- who is trusted ---- */

/* SIDs as [MS-DTYP] 2.4.2.4 lists them. */
static const char *const trusted[] = {
	"S-1-5-18",     /* SYSTEM */
	"S-1-5-32-544", /* Administrators */
	"S-1-3-0",      /* CREATOR OWNER: the owner is checked */
	"S-1-3-4",      /* OWNER RIGHTS: the same */
	/* TrustedInstaller, to which Windows' own programs belong. */
	"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
};

static bool is_of_this_process(PSID sid)
{
	union {
		TOKEN_USER user;
		char bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
	} found;
	DWORD length;
	HANDLE token;
	bool is_same;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return false;
	is_same = GetTokenInformation(token, TokenUser, &found, sizeof(found),
				      &length) &&
		  EqualSid(found.user.User.Sid, sid);
	CloseHandle(token);
	return is_same;
}

/* As "S-1-5-32-545", to be freed. */
static char *sid_text(PSID sid)
{
	wchar_t *wide;
	char *text;

	if (!ConvertSidToStringSidW(sid, &wide))
		return xstrdup("S-1-0-0");
	text = wide_to_utf8(wide);
	LocalFree(wide);
	return text;
}

static bool is_trusted(PSID sid)
{
	char *text = sid_text(sid);
	bool is_known = is_of_this_process(sid);

	for (size_t i = 0; i < sizeof(trusted) / sizeof(trusted[0]); i++)
		is_known = is_known || !strcmp(trusted[i], text);
	free(text);
	return is_known;
}

/* "BUILTIN\Users", or the SID if it has no name; to be freed. */
static char *sid_name(PSID sid)
{
	wchar_t name[256], domain[256];
	DWORD name_length = 256, domain_length = 256;
	SID_NAME_USE use;
	char *short_name, *domain_name, *text;

	if (!LookupAccountSidW(NULL, sid, name, &name_length, domain,
			       &domain_length, &use))
		return sid_text(sid);
	short_name = wide_to_utf8(name);
	domain_name = wide_to_utf8(domain);
	text = xasprintf("%s%s%s", domain_name, *domain_name ? "\\" : "",
			 short_name);
	free(short_name);
	free(domain_name);
	return text;
}

/* ---- what they may do ---- */

enum {
	RIGHTS_REPLACE =
		(int)(FILE_DELETE_CHILD | DELETE | WRITE_DAC | WRITE_OWNER),
	RIGHTS_WRITE = RIGHTS_REPLACE | FILE_WRITE_DATA | FILE_APPEND_DATA
};

/* What is checked of one path. */
struct check {
	const char *path;
	DWORD rights;         /* that others may not have */
	bool with_inherited;  /* also those that only hand down */
	const char *remedy;   /* of icacls, before the SID */
	const char *remedy_2; /* after it */
	const char *verb;     /* "changed" */
	const char *danger;   /* of it */
	enum err_code code;
};

#define MAY_CHANGE .verb = "changed", .danger = ", who could change what poold does"

static int refuse(const struct check *check, PSID sid, struct err *err)
{
	char *name = sid_name(sid), *text = sid_text(sid);

	(void)err_set(err, check->code,
		      "%s may be %s by %s%s; take that right away: icacls \"%s\" "
		      "%s*%s%s",
		      check->path, check->verb, name, check->danger, check->path,
		      check->remedy, text, check->remedy_2);
	free(name);
	free(text);
	return -1;
}

static int check_entry(const struct check *check, const ACCESS_ALLOWED_ACE *entry,
		       struct err *err)
{
	DWORD rights = check->rights | GENERIC_ALL | GENERIC_WRITE;
	PSID sid = (PSID)(uintptr_t)&entry->SidStart;

	if (entry->Header.AceType != ACCESS_ALLOWED_ACE_TYPE &&
	    entry->Header.AceType != ACCESS_ALLOWED_CALLBACK_ACE_TYPE)
		return 0;
	if ((entry->Header.AceFlags & INHERIT_ONLY_ACE) && !check->with_inherited)
		return 0;
	return (entry->Mask & rights) && !is_trusted(sid) ? refuse(check, sid, err)
							  : 0;
}

static int check_list(const struct check *check, PACL list, struct err *err)
{
	int ret = 0;
	void *entry;

	if (!list)
		return err_set(
			err, check->code,
			"%s may be %s by everybody%s; take that right away: icacls "
			"\"%s\" /reset",
			check->path, check->verb, check->danger, check->path);
	for (DWORD i = 0; !ret && i < list->AceCount; i++)
		if (GetAce(list, i, &entry))
			ret = check_entry(check, entry, err);
	return ret;
}

static int check_owner(const struct check *check, PSID owner, struct err *err)
{
	char *name;

	if (!owner || is_trusted(owner))
		return 0;
	name = sid_name(owner);
	(void)err_set(
		err, check->code,
		"%s belongs to %s, who could change what poold does; give it "
		"to the administrators: icacls \"%s\" /setowner *S-1-5-32-544",
		check->path, name, check->path);
	free(name);
	return -1;
}

static int check(const struct check *check, struct err *err)
{
	wchar_t *wide = wide_from_utf8(check->path);
	PSECURITY_DESCRIPTOR descriptor = NULL;
	PSID owner = NULL;
	PACL list = NULL;
	int ret = 0;

	if (!GetNamedSecurityInfoW(wide, SE_FILE_OBJECT,
				   OWNER_SECURITY_INFORMATION |
					   DACL_SECURITY_INFORMATION,
				   &owner, NULL, &list, NULL, &descriptor)) {
		ret = check_owner(check, owner, err) || check_list(check, list, err)
			      ? -1
			      : 0;
		LocalFree(descriptor);
	}
	free(wide);
	return ret;
}

static int check_link(const char *path, enum err_code code, struct err *err)
{
	wchar_t *wide = wide_from_utf8(path);
	DWORD attributes = GetFileAttributesW(wide);

	free(wide);
	if (attributes == INVALID_FILE_ATTRIBUTES ||
	    !(attributes & FILE_ATTRIBUTE_REPARSE_POINT))
		return 0;
	return err_set(err, code,
		       "%s is a symbolic link or a junction, which poold does not "
		       "follow; put the folder or file itself there, or name the "
		       "place it leads to in poold.yaml",
		       path);
}

/* In %ProgramData% everybody may make files, and nobody may replace those of
 * others. */
static int check_place(const char *path, enum err_code code, struct err *err)
{
	char *folder = private_folder_of(path);
	const struct check place = {
		.path = folder,
		.rights = (DWORD)RIGHTS_REPLACE,
		.remedy = "/inheritance:d /grant:r ",
		.remedy_2 = ":(OI)(CI)RX",
		MAY_CHANGE,
		.code = code,
	};
	int ret = check(&place, err);

	free(folder);
	return ret;
}

static int check_file(const char *path, enum err_code code, struct err *err)
{
	const struct check file = {
		.path = path,
		.rights = (DWORD)RIGHTS_WRITE,
		.remedy = "/inheritance:d /grant:r ",
		.remedy_2 = ":RX",
		MAY_CHANGE,
		.code = code,
	};

	return check(&file, err);
}

int private_check_folder(const char *path, enum err_code code, struct err *err)
{
	const struct check folder = {
		.path = path,
		.rights = (DWORD)RIGHTS_WRITE,
		.with_inherited = true,
		.remedy = "/inheritance:r /grant:r *S-1-5-18:(OI)(CI)F "
			  "*S-1-5-32-544:(OI)(CI)F /remove:g ",
		.remedy_2 = "",
		MAY_CHANGE,
		.code = code,
	};

	return check_place(path, code, err) || check_link(path, code, err) ||
			       check(&folder, err)
		       ? -1
		       : 0;
}

int private_check_own_file(const char *path, enum err_code code, struct err *err)
{
	return check_place(path, code, err) || check_link(path, code, err) ||
			       check_file(path, code, err)
		       ? -1
		       : 0;
}

int private_check_file(const char *path, enum err_code code, struct err *err)
{
	return check_place(path, code, err) || check_file(path, code, err) ? -1 : 0;
}

int private_check_secret(const char *path, enum err_code code, struct err *err)
{
	const struct check secret = {
		.path = path,
		.rights = (DWORD)RIGHTS_WRITE | FILE_READ_DATA | GENERIC_READ,
		.remedy = "/inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F "
			  "/remove:g ",
		.remedy_2 = "",
		.verb = "read",
		.danger = ", and is a secret",
		.code = code,
	};

	return private_check_file(path, code, err) || check(&secret, err) ? -1 : 0;
}

void private_begin_as_owner(const char *folder)
{
	(void)folder;
}

void private_end_as_owner(void)
{
}
