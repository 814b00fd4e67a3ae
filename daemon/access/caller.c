#include "access/caller.h"

#include <stddef.h>

const char *const caller_roles[ROLE__COUNT + 1] = {
	[ROLE_NONE] = "none",
	[ROLE_VIEWER] = "viewer",
	[ROLE_OPERATOR] = "operator",
	[ROLE_ADMIN] = "admin",
};

const char *const caller_credentials[CREDENTIAL__COUNT] = {
	[CREDENTIAL_NONE] = NULL,
	[CREDENTIAL_LOCAL] = "local administrator",
	[CREDENTIAL_TOKEN] = "token",
	[CREDENTIAL_CERTIFICATE] = "client certificate",
};
