/*
 * "(did you mean 'x'?)": the known word that is nearest to a mistyped one.
 */
#ifndef COMMON_NEAREST_H
#define COMMON_NEAREST_H

#include <stddef.h>

enum { NEAREST_WORD_BYTES = 65, NEAREST_HINT_BYTES = NEAREST_WORD_BYTES + 64 };

/* Start with the mistyped word, `struct nearest nearest = {.word = word}`, and try
 * each known one.  The words are borrowed. */
struct nearest {
	const char *word;
	const char *prefix; /* before the hint's word, "--"; NULL: none */
	const char *found;  /* the nearest word so far, or NULL: none is near */
	size_t edits;
	char hint[NEAREST_HINT_BYTES];
};

/* Takes `known` if it differs from the word by at most two characters that are
 * inserted, deleted or replaced (Levenshtein's distance), and is nearer than those
 * tried before. */
void nearest_try(struct nearest *nearest, const char *known);

/* " (did you mean 'x'?)", or "" if no word is near; it lives as long as `nearest`.
 */
const char *nearest_hint(struct nearest *nearest);

#endif
