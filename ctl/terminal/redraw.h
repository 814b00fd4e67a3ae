/*
 * A block of lines on a terminal that is drawn over and over, in its place.
 */
#ifndef POOLCTL_REDRAW_H
#define POOLCTL_REDRAW_H

#include <stdio.h>

/* Start with only `stream` set. */
struct redraw {
	FILE *stream;
	char *text; /* what is on the screen, or NULL */
	int rows;
};

/* Shows these lines instead of those before; each ends with a line feed and must
 * fit the width.  Writes nothing if they are the same. */
void redraw_show(struct redraw *frame, const char *text);

/* Leaves on the screen what is there. */
void redraw_done(struct redraw *frame);

#endif
