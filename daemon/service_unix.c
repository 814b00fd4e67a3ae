#include "service.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

static const char *const no_service = "Windows services exist on Windows only; here run "
				      "'poold run' under the system's own supervisor";

static void fill_signals(sigset_t *signals)
{
	(void)sigemptyset(signals);
	(void)sigaddset(signals, SIGINT);
	(void)sigaddset(signals, SIGTERM);
}

int service_run_foreground(service_body *body, const char *config_path)
{
	sigset_t signals;

	/* Blocked before any thread starts, so that all inherit it and one waits for
	 * them. */
	fill_signals(&signals);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	/* Ignored, as whoever starts poold may have left it, the exit statuses of the
	 * programs that count sessions would be lost. */
	(void)signal(SIGCHLD, SIG_DFL);
	return body(config_path, false);
}

int service_run_dispatched(service_body *body, const char *config_path, struct err *err)
{
	(void)body;
	(void)config_path;
	return err_set(err, ERR_USAGE, "%s", no_service);
}

void service_is_ready(void)
{
}

void service_wait_for_stop(void)
{
	sigset_t signals;
	int number;

	fill_signals(&signals);
	(void)sigwait(&signals, &number);
}

bool service_is_stopped_within(int64_t ms)
{
	struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	sigset_t signals;

	fill_signals(&signals);
	if (sigtimedwait(&signals, NULL, &limit) <= 0)
		return false;
	/* For service_wait_for_stop, which still has to see it. */
	(void)raise(SIGTERM);
	return true;
}

int service_install(const char *config_path, struct err *err)
{
	(void)config_path;
	return err_set(err, ERR_USAGE, "%s", no_service);
}

int service_uninstall(struct err *err)
{
	return err_set(err, ERR_USAGE, "%s", no_service);
}
