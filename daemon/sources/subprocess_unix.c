#include "sources/subprocess.h"

#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_BYTES = 16384, DRAIN_READS = 32, STATUS_LOST = -1 };

struct subprocess {
	pid_t pid; /* and its process group; stays taken until it is waited for */
	int output, errors; /* -1 once they are at their end */
	bool is_ended;
	int status; /* of wait, or STATUS_LOST */
};

/* The end that is read from is ours alone, and never blocks. */
static int open_pipe(int ends[2])
{
	if (pipe2(ends, O_CLOEXEC))
		return -1;
	return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

static void close_if_open(int *file)
{
	if (*file >= 0)
		(void)close(*file);
	*file = -1;
}

/* Everything above standard error is closed in it, whatever the libraries have
 * open. */
static int spawn(pid_t *pid, char **arguments, int output, int errors)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int number;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawnattr_init(&attributes);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
							    POSIX_SPAWN_SETSIGMASK |
							    POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawnattr_setpgroup(&attributes, 0);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	(void)posix_spawn_file_actions_init(&files);
	number = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null",
						  O_RDONLY, 0);
	if (!number)
		number = posix_spawn_file_actions_adddup2(&files, output,
							  STDOUT_FILENO);
	if (!number)
		number = posix_spawn_file_actions_adddup2(&files, errors,
							  STDERR_FILENO);
	if (!number)
		number = posix_spawn_file_actions_addclosefrom_np(
			&files, STDERR_FILENO + 1);
	if (!number)
		number = posix_spawn(pid, arguments[0], &files, &attributes,
				     arguments, environ);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&attributes);
	return number;
}

static int start(struct subprocess *program, char **arguments)
{
	int output[2] = {-1, -1}, errors[2] = {-1, -1};
	int number;

	if (open_pipe(output) || open_pipe(errors))
		number = errno;
	else
		number = spawn(&program->pid, arguments, output[1], errors[1]);
	close_if_open(&output[1]);
	close_if_open(&errors[1]);
	program->output = output[0];
	program->errors = errors[0];
	return number;
}

struct subprocess *subprocess_start(const struct list *run, struct err *err)
{
	struct subprocess *program = xcalloc(1, sizeof(*program));
	char **arguments = xcalloc(run->count + 1, sizeof(*arguments));
	int number;

	memcpy(arguments, run->items, run->count * sizeof(*arguments));
	number = start(program, arguments);
	free(arguments);
	if (!number)
		return program;
	close_if_open(&program->output);
	close_if_open(&program->errors);
	free(program);
	(void)err_set_os(err, ERR_SESSIONS, (unsigned long)number,
			 "cannot be run: %s", strerror(number));
	return NULL;
}

/* True if there may be more at once. */
static bool take(int *file, struct buf *to)
{
	char bytes[READ_BYTES];
	ssize_t got;

	if (*file < 0)
		return false;
	got = read(*file, bytes, sizeof(bytes));
	if (got > 0)
		buf_add(to, bytes, (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		close_if_open(file);
	return got > 0;
}

/* It is not waited for before its group was ended, so that the number of the group
 * still is its own. */
static void end(struct subprocess *program)
{
	(void)kill(-program->pid, SIGKILL);
	while (waitpid(program->pid, &program->status, 0) < 0) {
		if (errno == EINTR)
			continue;
		/* Whoever started us ignores SIGCHLD. */
		program->status = STATUS_LOST;
		break;
	}
	program->is_ended = true;
}

static bool has_ended(const struct subprocess *program)
{
	siginfo_t info = {0};

	if (waitid(P_PID, (id_t)program->pid, &info, WEXITED | WNOHANG | WNOWAIT))
		return errno == ECHILD;
	return info.si_pid != 0;
}

bool subprocess_wait(struct subprocess *program, int timeout_ms, struct buf *output,
		     struct buf *errors)
{
	/* A negative file is passed over; without any, this is only the wait. */
	struct pollfd files[] = {{.fd = program->output, .events = POLLIN},
				 {.fd = program->errors, .events = POLLIN}};

	(void)poll(files, 2, timeout_ms);
	if (!has_ended(program)) {
		(void)take(&program->output, output);
		(void)take(&program->errors, errors);
		return true;
	}
	end(program);
	for (int i = 0; i < DRAIN_READS && take(&program->output, output); i++)
		;
	for (int i = 0; i < DRAIN_READS && take(&program->errors, errors); i++)
		;
	return false;
}

bool subprocess_succeeded(const struct subprocess *program,
			  char how[SUBPROCESS_END_BYTES])
{
	int status = program->status;

	if (status == STATUS_LOST)
		(void)snprintf(how, SUBPROCESS_END_BYTES,
			       "an exit status that was lost");
	else if (WIFSIGNALED(status))
		(void)snprintf(how, SUBPROCESS_END_BYTES, "signal %d",
			       WTERMSIG(status));
	else
		(void)snprintf(how, SUBPROCESS_END_BYTES, "exit status %d",
			       WEXITSTATUS(status));
	return status == 0;
}

void subprocess_free(struct subprocess *program)
{
	if (!program)
		return;
	if (!program->is_ended)
		end(program);
	close_if_open(&program->output);
	close_if_open(&program->errors);
	free(program);
}
