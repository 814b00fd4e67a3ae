#include "compat.h"
#include "dns/idn.h"

#include "mem.h"
#include "system/wide_windows.h"

#include <windows.h>

#include <stdlib.h>

char *idn_to_ascii(const char *name)
{
	enum { NAME_CHARS = 256 };
	wchar_t ascii[NAME_CHARS];
	wchar_t *wide = wide_from_utf8(name);
	/* The length counts the NUL, and so does the result's. */
	int length = wide ? IdnToAscii(0, wide, -1, ascii, NAME_CHARS) : 0;

	free(wide);
	return length > 0 ? wide_to_utf8(ascii) : xstrdup(name);
}
