/*
 * A text that grows.
 *
 * Start with `struct buf buf = {0}`; `text` is NULL until something was added, and
 * then always ends with a NUL.
 */
#ifndef POOLCTL_BUF_H
#define POOLCTL_BUF_H

#include "compat.h"

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *text;
	size_t length;
	size_t size_bytes;
};

void buf_add(struct buf *buf, const void *bytes, size_t length);
void buf_puts(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *buf, const char *format, va_list args)
	PRINTF_LIKE(2, 0);
void buf_done(struct buf *buf);

/* Adds a part, with `between` before it if the buf is not empty; nothing if the
 * part is empty.  Frees the part. */
void buf_join(struct buf *buf, const char *between, struct buf *part);

#endif
