/*
 * UTF-8 to UTF-16 and back, for the wide functions of Windows.
 */
#ifndef POOLCTL_WIDE_WINDOWS_H
#define POOLCTL_WIDE_WINDOWS_H

#include <wchar.h>

/* The caller frees the results.  Bytes that are not UTF-8 become U+FFFD. */
wchar_t *wide_from_utf8(const char *text);
char *wide_to_utf8(const wchar_t *wide);

#endif
