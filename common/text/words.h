/*
 * Lists of words that end with NULL: the names of an enum's values, in their order.
 */
#ifndef POOLCTL_WORDS_H
#define POOLCTL_WORDS_H

#include "buf.h"

/* The index of the word, or -1 if it is not in the list or empty. */
int words_find(const char *const *words, const char *word);

/* Adds "hold, resume, stop". */
void words_print(const char *const *words, struct buf *text);

#endif
