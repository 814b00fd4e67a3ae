/*
 * The terminal: what it can show, how large it is, and whether Ctrl-C was pressed.
 */
#ifndef POOLCTL_TERMINAL_H
#define POOLCTL_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* True if the stream is a terminal that understands cursor movement and colours. */
bool terminal_can_draw(FILE *stream);

/* True if somebody can be asked: standard input and error are a terminal. */
bool terminal_can_ask(void);

/* False only for a terminal that would take the bytes of UTF-8 for something else.
 */
bool terminal_takes_utf8(FILE *stream);

/* The same for JSON.  In a pipe or file it must be ASCII where programs that read
 * it take bytes for those of another code page, as on Windows. */
bool terminal_takes_utf8_json(FILE *stream);

/* The size of the terminal behind the stream; 80 by 24 if it does not say. */
void terminal_size(FILE *stream, int *columns, int *rows);

/*
 * From here on Ctrl-C and a request to end do not end the program, but are
 * remembered.  A second one ends it at once, wherever it is, with EXIT_INTERRUPTED:
 * `last_words`, which must live until then, say on standard error what is left
 * behind.
 */
void terminal_catch_interrupts(const char *last_words);
bool terminal_is_interrupted(void);

/* From now on a reader of the output that goes away does not end poolctl: what it
 * began must be brought to an end. */
void terminal_outlive_readers(void);

#endif
