#include "terminal/terminal.h"

#include "exit_status.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Written by a signal handler, which has no other way to tell. */
static volatile sig_atomic_t is_interrupted;
static const char *words; /* for the second signal */

bool terminal_can_draw(FILE *stream)
{
	const char *term = getenv("TERM");

	return isatty(fileno(stream)) && term && strcmp(term, "dumb") != 0;
}

bool terminal_can_ask(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* The variables are asked rather than the C library: loading a locale would cost
 * more than all the rest of a start. */
static bool is_locale_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") ||
			       strcasestr(value, "utf8");
	}
	return false;
}

bool terminal_takes_utf8(FILE *stream)
{
	return !isatty(fileno(stream)) || is_locale_utf8();
}

bool terminal_takes_utf8_json(FILE *stream)
{
	return terminal_takes_utf8(stream);
}

void terminal_size(FILE *stream, int *columns, int *rows)
{
	struct winsize size = {0};

	(void)ioctl(fileno(stream), TIOCGWINSZ, &size);
	*columns = size.ws_col ? size.ws_col : 80;
	*rows = size.ws_row ? size.ws_row : 24;
}

static void on_signal(int number)
{
	(void)number;
	if (is_interrupted) {
		/* If it cannot be said, it still ends. */
		if (write(STDERR_FILENO, words, strlen(words)) < 0)
			_exit(EXIT_INTERRUPTED);
		_exit(EXIT_INTERRUPTED);
	}
	is_interrupted = 1;
}

void terminal_catch_interrupts(const char *last_words)
{
	struct sigaction action = {.sa_handler = on_signal};

	words = last_words;
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

void terminal_outlive_readers(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
}

bool terminal_is_interrupted(void)
{
	return is_interrupted != 0;
}
