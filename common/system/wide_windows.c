#include "system/wide_windows.h"

#include "mem.h"

#include <windows.h>

wchar_t *wide_from_utf8(const char *text)
{
	int length = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
	wchar_t *wide = xcalloc((size_t)length + 1, sizeof(*wide));

	(void)MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, length);
	return wide;
}

char *wide_to_utf8(const wchar_t *wide)
{
	int length = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
	char *text = xcalloc((size_t)length + 1, 1);

	(void)WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, length, NULL, NULL);
	return text;
}
