#include "text/nearest.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { EDITS_LIMIT = 2 };

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance, kept to one row. */
static size_t distance(const char *a, const char *b)
{
	size_t length_b = strlen(b), row[NEAREST_WORD_BYTES];

	if (length_b >= NEAREST_WORD_BYTES)
		return SIZE_MAX;
	for (size_t j = 0; j <= length_b; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length_b; j++) {
			size_t above = row[j];

			row[j] =
				smallest(row[j] + 1, row[j - 1] + 1,
					 diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
			diagonal = above;
		}
	}
	return row[length_b];
}

void nearest_try(struct nearest *nearest, const char *known)
{
	size_t edits = distance(nearest->word, known);

	if (edits > EDITS_LIMIT || edits >= strlen(known) ||
	    (nearest->found && edits >= nearest->edits))
		return;
	nearest->found = known;
	nearest->edits = edits;
}

const char *nearest_hint(struct nearest *nearest)
{
	if (nearest->found)
		(void)snprintf(nearest->hint, sizeof(nearest->hint),
			       " (did you mean '%s%s'?)",
			       nearest->prefix ? nearest->prefix : "",
			       nearest->found);
	return nearest->hint;
}
