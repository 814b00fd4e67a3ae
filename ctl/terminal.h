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

/* False only for a terminal that would take the bytes of UTF-8 for something else. */
bool terminal_takes_utf8(FILE *stream);

/* The size of the terminal behind the stream; 80 by 24 if it does not say. */
void terminal_size(FILE *stream, int *columns, int *rows);

/* From here on Ctrl-C and a request to end do not end the program, but are remembered. */
void terminal_catch_interrupts(void);
bool terminal_is_interrupted(void);

#endif
