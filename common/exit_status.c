#include "exit_status.h"

#include <stddef.h>

static const struct {
	enum exit_status status;
	const char *word;
} words[] = {
	{EXIT_FAILED, "failed"},
	{EXIT_USAGE, "failed"},
	{EXIT_UNREACHABLE, "unreachable"},
	{EXIT_REFUSED, "refused"},
	{EXIT_HELD, "held"},
	{EXIT_TIMEOUT, "timeout"},
	{EXIT_NOT_VERIFIED, "not_verified"},
	{EXIT_INTERRUPTED, "interrupted"},
};

const char *exit_status_word(int status)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if ((int)words[i].status == status)
			return words[i].word;
	return status == EXIT_REACHED || status == EXIT_CUT ? NULL : "failed";
}

int exit_status_combine(int one, int other)
{
	return one == other ? one : EXIT_SEVERAL;
}
