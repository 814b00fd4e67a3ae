#include "service.h"

#include "service_notify.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

static const char *const no_service =
	"a Windows service needs Windows; on this system let the init system run "
	"'poold run'";

static void fill_signals(sigset_t *signals)
{
	(void)sigemptyset(signals);
	(void)sigaddset(signals, SIGINT);
	(void)sigaddset(signals, SIGTERM);
	(void)sigaddset(signals, SIGHUP);
}

int service_run_foreground(service_body *body, const char *config_path)
{
	sigset_t signals;

	/* Blocked before any thread starts, so that all inherit it and one waits
	 * for them. */
	fill_signals(&signals);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	/* If SIGCHLD is ignored, as the parent may have left it, the exit statuses
	 * of the programs that count sessions would be lost. */
	(void)signal(SIGCHLD, SIG_DFL);
	service_notify_begin();
	return body(config_path, false);
}

int service_run_dispatched(service_body *body, const char *config_path,
			   struct err *err)
{
	(void)body;
	(void)config_path;
	return err_set(err, ERR_USAGE, "%s", no_service);
}

void service_is_ready(void)
{
	service_notify("READY=1");
}

void service_is_alive(void)
{
	service_notify_alive();
}

void service_wait_for_stop(void)
{
	sigset_t signals;
	int number = SIGHUP;

	fill_signals(&signals);
	while (number == SIGHUP)
		(void)sigwait(&signals, &number);
	service_notify("STOPPING=1");
}

enum service_word service_await(int64_t ms)
{
	struct timespec limit = {.tv_sec = ms / 1000,
				 .tv_nsec = ms % 1000 * 1000000};
	sigset_t signals;
	int number;

	fill_signals(&signals);
	number = sigtimedwait(&signals, NULL, &limit);
	if (number == SIGHUP)
		return SERVICE_WORD_RELOAD;
	if (number <= 0)
		return SERVICE_WORD_NONE;
	/* For service_wait_for_stop, which still has to see it. */
	(void)raise(SIGTERM);
	return SERVICE_WORD_STOP;
}

/* The init system stops poold alone. */
bool service_is_machine_ending(void)
{
	return false;
}

int service_install(const char *config_path, struct err *err)
{
	(void)config_path;
	return err_set(err, ERR_USAGE, "%s", no_service);
}

int service_stop(struct err *err)
{
	return err_set(err, ERR_USAGE, "%s", no_service);
}

int service_start(struct err *err)
{
	return err_set(err, ERR_USAGE, "%s", no_service);
}

int service_uninstall(struct err *err)
{
	return err_set(err, ERR_USAGE, "%s", no_service);
}
