/*
 * A block of lines on a terminal that is drawn over and over, in its place.
 */
#ifndef POOLCTL_FRAME_H
#define POOLCTL_FRAME_H

#include <stdio.h>

/* Start with only `stream` set. */
struct frame {
	FILE *stream;
	char *text; /* what is on the screen, or NULL */
	int rows;
};

/* Shows these lines instead of those before; each ends with a line feed and must fit the
 * width.  Writes nothing if they are the same. */
void frame_show(struct frame *frame, const char *text);

/* Leaves on the screen what is there. */
void frame_done(struct frame *frame);

#endif
