#include "sources/subprocess.h"

#include "mem.h"
#include "system/wide_windows.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_BYTES = 16384, PIPE_BYTES = 65536, DRAIN_READS = 32 };

struct subprocess {
	HANDLE job; /* it and what it started; they end with the handle */
	HANDLE process;
	HANDLE output, errors; /* where we read */
	DWORD status;
	bool is_ended;
};

/* The three handles that it gets: nothing, and the other ends of the pipes. */
enum { STREAM_INPUT, STREAM_OUTPUT, STREAM_ERRORS, STREAMS };

static int fail(struct err *err, DWORD number)
{
	wchar_t wide[256] = L"";
	char *text;

	(void)FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM |
				     FORMAT_MESSAGE_IGNORE_INSERTS |
				     FORMAT_MESSAGE_MAX_WIDTH_MASK,
			     NULL, number, 0, wide, 256, NULL);
	text = wide_to_utf8(wide);
	for (size_t end = strlen(text); end && strchr(" .", text[end - 1]); end--)
		text[end - 1] = '\0';
	(void)err_set_os(err, ERR_SESSIONS, number, "cannot be run: %s", text);
	free(text);
	return -1;
}

static void close_if_open(HANDLE *handle)
{
	if (*handle)
		(void)CloseHandle(*handle);
	*handle = NULL;
}

/* ---- the command line ---- */

/* As the C runtime takes it apart: a quote is written \", and only before a quote
 * do backslashes have a meaning (Microsoft Learn: "Parsing C command-line
 * arguments"). */
static void add_argument(struct buf *line, const char *argument)
{
	buf_puts(line, " ");
	if (*argument && !strpbrk(argument, " \t\n\v\"")) {
		buf_puts(line, argument);
		return;
	}
	buf_puts(line, "\"");
	for (const char *c = argument; *c; c++) {
		char after = c[strspn(c, "\\")];

		/* Backslashes are doubled before a quote, and at the end, where the
		 * closing one comes. */
		if (*c == '"' || (*c == '\\' && (after == '"' || !after)))
			buf_puts(line, "\\");
		buf_add(line, c, 1);
	}
	buf_puts(line, "\"");
}

static wchar_t *command_line(const struct list *run)
{
	struct buf line = {0};
	wchar_t *wide;

	/* The program's name knows no backslashes, and a path has no quotes. */
	buf_printf(&line, "\"%s\"", *(char **)run->items);
	for (size_t i = 1; i < run->count; i++)
		add_argument(&line, ((char **)run->items)[i]);
	wide = wide_from_utf8(line.text);
	buf_done(&line);
	return wide;
}

/* CreateProcess would give the first two to cmd.exe, which is a shell, and cannot
 * start the others.  It takes no notice of dots and spaces at the end of a name, so
 * neither does this. */
static bool is_script(const char *path)
{
	static const char *const endings[] = {".bat", ".cmd", ".ps1", ".vbs"};
	size_t length = strlen(path);

	while (length && strchr(". ", path[length - 1]))
		length--;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (length >= 4 && !_strnicmp(path + length - 4, endings[i], 4))
			return true;
	return false;
}

/* ---- starting ---- */

static bool open_streams(struct subprocess *program, HANDLE streams[STREAMS])
{
	SECURITY_ATTRIBUTES inherited = {sizeof(inherited), NULL, TRUE};
	HANDLE *ours[STREAMS] = {NULL, &program->output, &program->errors};
	HANDLE nothing = CreateFileW(L"NUL", GENERIC_READ,
				     FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited,
				     OPEN_EXISTING, 0, NULL);

	if (nothing == INVALID_HANDLE_VALUE)
		return false;
	streams[STREAM_INPUT] = nothing;
	for (int i = STREAM_OUTPUT; i < STREAMS; i++)
		if (!CreatePipe(ours[i], &streams[i], NULL, PIPE_BYTES) ||
		    !SetHandleInformation(streams[i], HANDLE_FLAG_INHERIT,
					  HANDLE_FLAG_INHERIT))
			return false;
	return true;
}

static bool open_job(struct subprocess *program)
{
	JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};

	limits.BasicLimitInformation.LimitFlags =
		JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
	program->job = CreateJobObjectW(NULL, NULL);
	return program->job &&
	       SetInformationJobObject(program->job,
				       JobObjectExtendedLimitInformation, &limits,
				       sizeof(limits));
}

/* Suspended, until it is in the job: nothing that it starts can stay out of it. */
static bool create(struct subprocess *program, const struct list *run,
		   STARTUPINFOEXW *startup)
{
	const DWORD flags =
		CREATE_SUSPENDED | CREATE_NO_WINDOW | EXTENDED_STARTUPINFO_PRESENT;
	wchar_t *path = wide_from_utf8(*(char **)run->items),
		*line = command_line(run);
	PROCESS_INFORMATION made = {0};
	bool is_made = CreateProcessW(path, line, NULL, NULL, TRUE, flags, NULL,
				      NULL, &startup->StartupInfo, &made);
	DWORD number = GetLastError();

	free(path);
	free(line);
	program->process = made.hProcess;
	if (is_made && (!AssignProcessToJobObject(program->job, made.hProcess) ||
			ResumeThread(made.hThread) == (DWORD)-1)) {
		is_made = false;
		number = GetLastError();
		(void)TerminateProcess(made.hProcess, 1);
	}
	if (made.hThread)
		(void)CloseHandle(made.hThread);
	SetLastError(number);
	return is_made;
}

/* Of the handles that may be inherited, some of other threads' programs perhaps, it
 * gets those of the list alone. */
static bool spawn(struct subprocess *program, const struct list *run,
		  HANDLE streams[STREAMS])
{
	STARTUPINFOEXW startup = {
		.StartupInfo = {.cb = sizeof(startup),
				.dwFlags = STARTF_USESTDHANDLES,
				.hStdInput = streams[STREAM_INPUT],
				.hStdOutput = streams[STREAM_OUTPUT],
				.hStdError = streams[STREAM_ERRORS]}};
	SIZE_T size = 0;
	bool is_made = false;
	DWORD number;

	(void)InitializeProcThreadAttributeList(NULL, 1, 0, &size);
	startup.lpAttributeList = xcalloc(1, size);
	if (InitializeProcThreadAttributeList(startup.lpAttributeList, 1, 0,
					      &size)) {
		is_made = UpdateProcThreadAttribute(
				  startup.lpAttributeList, 0,
				  PROC_THREAD_ATTRIBUTE_HANDLE_LIST, streams,
				  STREAMS * sizeof(*streams), NULL, NULL) &&
			  create(program, run, &startup);
		number = GetLastError();
		DeleteProcThreadAttributeList(startup.lpAttributeList);
		SetLastError(number);
	}
	free(startup.lpAttributeList);
	return is_made;
}

struct subprocess *subprocess_start(const struct list *run, struct err *err)
{
	struct subprocess *program;
	HANDLE streams[STREAMS] = {0};
	bool is_made;
	DWORD number;

	if (is_script(*(char **)run->items)) {
		(void)err_set(
			err, ERR_SESSIONS,
			"is a script, which only a shell runs; name a program, as "
			"powershell.exe with -File");
		return NULL;
	}
	program = xcalloc(1, sizeof(*program));
	is_made = open_streams(program, streams) && open_job(program) &&
		  spawn(program, run, streams);
	number = GetLastError();
	for (int i = 0; i < STREAMS; i++)
		close_if_open(&streams[i]);
	if (is_made)
		return program;
	(void)fail(err, number);
	subprocess_free(program);
	return NULL;
}

/* ---- running ---- */

/* Reads what is there, without waiting.  True if there was something. */
static bool take(HANDLE *pipe, struct buf *to)
{
	char bytes[READ_BYTES];
	DWORD there = 0, got = 0;

	if (!*pipe)
		return false;
	if (!PeekNamedPipe(*pipe, NULL, 0, NULL, &there, NULL)) {
		close_if_open(pipe);
		return false;
	}
	if (there > READ_BYTES)
		there = READ_BYTES;
	if (there && ReadFile(*pipe, bytes, there, &got, NULL))
		buf_add(to, bytes, got);
	return got > 0;
}

/* What the program left running ends too. */
static void end(struct subprocess *program)
{
	(void)TerminateJobObject(program->job, 1);
	(void)WaitForSingleObject(program->process, INFINITE);
	(void)GetExitCodeProcess(program->process, &program->status);
	program->is_ended = true;
}

bool subprocess_wait(struct subprocess *program, int timeout_ms, struct buf *output,
		     struct buf *errors)
{
	bool was_more = take(&program->output, output);
	DWORD ended;

	was_more |= take(&program->errors, errors);
	ended = WaitForSingleObject(program->process,
				    was_more ? 0 : (DWORD)timeout_ms);
	if (ended == WAIT_TIMEOUT)
		return true;
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
	const DWORD readable = 65536;

	/* Those that end in an exception have its number: 0xC0000005. */
	(void)snprintf(how, SUBPROCESS_END_BYTES,
		       program->status < readable ? "exit status %lu"
						  : "exit status 0x%08lX",
		       program->status);
	return program->status == 0;
}

void subprocess_free(struct subprocess *program)
{
	if (!program)
		return;
	if (program->process && !program->is_ended)
		end(program);
	close_if_open(&program->output);
	close_if_open(&program->errors);
	close_if_open(&program->process);
	close_if_open(&program->job);
	free(program);
}
