/*
 * Standard output: whether all that was printed has arrived.
 */
#ifndef POOLCTL_STREAMS_H
#define POOLCTL_STREAMS_H

#include "err.h"

/*
 * main calls this last, with the status that it is about to return.  Writes out
 * what is left; returns that status, or that of ERR_INTERNAL with `err` set if it
 * was 0 and some output was lost.  A reader that went away early has had what it
 * wanted, which is no loss.
 */
int streams_finish(int status, struct err *err);

#endif
