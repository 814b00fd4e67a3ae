/*
 * testservice.exe: a Windows service with real TCP sessions, which the tests pause,
 * continue, stop and kill.
 *
 * Its binPath says how it behaves: testservice.exe NAME --port 5061 --pause slow
 *... The options table below has them all.  A client speaks lines of ASCII with it:
 *
 *	(connect)        READY pid, or BUSY paused and the end
 *	TALK text        TALK text
 *	PING             PONG
 *	HOLD             HELD, a session that stays open and says nothing
 *	COUNT            COUNT n, the live sessions with this one
 *	SET option value OK, the option holds from now on
 *	RELEASE          OK, a hanging or slow change of state ends now
 *	END              BYE and the end
 *	CRASH            (none) the process dies and reports nothing to the SCM
 *	DIE              (none) the same, and the SCM is told what Windows would
 *see, since Wine's does not look: stopped, exit code 1067
 *
 * One thread owns everything and waits on one completion port, so that thousands of
 * sessions cost no more than one.  The handler, which the SCM calls on another
 *thread, hands its control to that thread and waits for the answer.
 */
#define _WIN32_WINNT 0x0601
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 1024, CHECKPOINT_MS = 300, WAIT_HINT_MS = 2000 };

/*
 * A stop takes a moment: when it ends before the SCM has the handler's answer, Wine
 * ends the program at once and gives the caller 1053.
 */
enum { STOP_MS = 250 };

enum key { KEY_CONTROL, KEY_ACCEPTED, KEY_SESSION };

enum manner { DO_NORMAL, DO_DENY, DO_HANG, DO_SLOW, DO_IGNORE, DO_FAIL, DO_LATE };
static const char *const manners[] = {"normal", "deny", "hang", "slow",
				      "ignore", "fail", "late", NULL};

enum when_paused { PAUSED_CLOSE, PAUSED_REFUSE, PAUSED_ACCEPT };
static const char *const when_paused_words[] = {"close", "refuse", "accept", NULL};

enum { TEXT_BYTES = 260 };

static struct {
	char address[TEXT_BYTES], log[TEXT_BYTES];
	int port, slow_ms, when_paused;
	int on_start, on_stop, on_pause, on_continue;
} opt = {.address = "127.0.0.1", .port = 5061, .slow_ms = 3000};

/* A text, a number, or a number that is a word of a list. */
static const struct option {
	const char *name;
	char *text;
	int *number;
	const char *const *words;
} options[] = {
	{"address", opt.address, NULL, NULL},
	{"port", NULL, &opt.port, NULL},
	/* What a new connection meets while the service is paused. */
	{"when-paused", NULL, &opt.when_paused, when_paused_words},
	/*
	 * How each control is carried out: deny does not accept it at all, hang
	 * reports the pending state for ever, slow takes slow-ms and reports
	 * checkpoints, ignore says yes and changes nothing, fail gives an error
	 * (which Wine keeps from the caller), late does everything after slow-ms
	 * and answers only then.
	 */
	{"start", NULL, &opt.on_start, manners},
	{"stop", NULL, &opt.on_stop, manners},
	{"pause", NULL, &opt.on_pause, manners},
	{"continue", NULL, &opt.on_continue, manners},
	{"slow-ms", NULL, &opt.slow_ms, NULL},
	{"log", opt.log, NULL, NULL},
};

struct session {
	OVERLAPPED overlapped;
	SOCKET socket;
	char line[LINE_BYTES];
	size_t used;
};

static HANDLE port; /* of completions: the one queue that the service waits on */
static SOCKET listener = INVALID_SOCKET;
static unsigned live_sessions;

static SERVICE_STATUS_HANDLE status_handle;
static SERVICE_STATUS status = {.dwServiceType = SERVICE_WIN32_OWN_PROCESS};

/* The handler's question and the loop's answer. */
static HANDLE answered;
static DWORD answer;

static void log_line(const char *format, ...)
{
	static FILE *file;
	va_list args;

	if (!*opt.log || (!file && !(file = fopen(opt.log, "ab"))))
		return;
	fprintf(file, "%llu pid %lu ", GetTickCount64(), GetCurrentProcessId());
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fputc('\n', file);
	fflush(file);
}

/* ---- options ---- */

static bool set_number(int *number, const char *value)
{
	char *end;

	*number = (int)strtol(value, &end, 10);
	return end != value && !*end && *number >= 0;
}

static bool set_word(int *number, const char *const *words, const char *value)
{
	for (*number = 0; words[*number]; ++*number)
		if (strcmp(words[*number], value) == 0)
			return true;
	*number = 0;
	return false;
}

static bool set_option(const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		const struct option *option = &options[i];

		if (strcmp(option->name, name) != 0)
			continue;
		if (option->text)
			return snprintf(option->text, TEXT_BYTES, "%s", value) <
			       TEXT_BYTES;
		if (option->words)
			return set_word(option->number, option->words, value);
		return set_number(option->number, value);
	}
	return false;
}

/* ---- the state, as the SCM is told ---- */

static bool is_pending(DWORD state)
{
	return state != SERVICE_RUNNING && state != SERVICE_PAUSED &&
	       state != SERVICE_STOPPED;
}

static DWORD accepted_controls(DWORD state)
{
	DWORD accepted = 0;

	if (state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING ||
	    state == SERVICE_STOPPED)
		return 0;
	if (opt.on_stop != DO_DENY)
		accepted |= SERVICE_ACCEPT_STOP;
	if (opt.on_pause != DO_DENY)
		accepted |= SERVICE_ACCEPT_PAUSE_CONTINUE;
	return accepted;
}

/* Reporting a pending state again raises its checkpoint. */
static void report(DWORD state)
{
	bool is_again = is_pending(state) && state == status.dwCurrentState;

	status.dwCheckPoint = is_again ? status.dwCheckPoint + 1 : 0;
	status.dwWaitHint = is_pending(state) ? WAIT_HINT_MS : 0;
	status.dwCurrentState = state;
	status.dwControlsAccepted = accepted_controls(state);
	SetServiceStatus(status_handle, &status);
	log_line("state %lu checkpoint %lu sessions %u", state, status.dwCheckPoint,
		 live_sessions);
}

/* ---- sessions ---- */

static void say(SOCKET socket, const char *format, ...)
{
	char line[LINE_BYTES + 16];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	/* A client that is gone shows at the next receive. */
	(void)send(socket, line, length, 0);
}

static void session_free(struct session *session)
{
	shutdown(session->socket, SD_SEND);
	closesocket(session->socket);
	free(session);
	live_sessions--;
}

static void session_receive(struct session *session)
{
	WSABUF buffer = {(ULONG)(sizeof(session->line) - session->used),
			 session->line + session->used};
	DWORD flags = 0;

	memset(&session->overlapped, 0, sizeof(session->overlapped));
	if (WSARecv(session->socket, &buffer, 1, NULL, &flags, &session->overlapped,
		    NULL) != 0 &&
	    WSAGetLastError() != WSA_IO_PENDING)
		session_free(session);
}

static void session_new(SOCKET socket)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		abort();
	session->socket = socket;
	live_sessions++;
	CreateIoCompletionPort((HANDLE)socket, port, KEY_SESSION, 0);
	say(socket, "READY %lu\n", GetCurrentProcessId());
	session_receive(session);
}

/* ---- the listener ---- */

/* Ends when its listener is closed; a client that left before its turn is no
 * reason. */
static DWORD WINAPI accept_thread(void *socket)
{
	SOCKET accepted;

	for (;;) {
		accepted = accept((SOCKET)socket, NULL, NULL);
		if (accepted != INVALID_SOCKET)
			PostQueuedCompletionStatus(port, 0, KEY_ACCEPTED,
						   (OVERLAPPED *)accepted);
		else if (WSAGetLastError() != WSAECONNRESET)
			return 0;
	}
}

static void listener_accepted(SOCKET socket)
{
	if (status.dwCurrentState == SERVICE_PAUSED &&
	    opt.when_paused == PAUSED_REFUSE)
		say(socket, "BUSY paused\n");
	else if (listener != INVALID_SOCKET) {
		session_new(socket);
		return;
	}
	shutdown(socket, SD_SEND);
	closesocket(socket);
}

static bool listener_close(void)
{
	closesocket(listener);
	listener = INVALID_SOCKET;
	return true;
}

/*
 * Windows binds an address that closed sessions still linger on; Wine, being on
 * Unix, needs SO_REUSEADDR for that.
 */
static bool listener_open(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((u_short)opt.port)};
	BOOL yes = TRUE;

	if (listener != INVALID_SOCKET)
		return true;
	inet_pton(AF_INET, opt.address, &address.sin_addr);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, (char *)&yes, sizeof(yes));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(listener, SOMAXCONN) != 0) {
		status.dwWin32ExitCode = (DWORD)WSAGetLastError();
		log_line("listener error %lu", status.dwWin32ExitCode);
		listener_close();
		return false;
	}
	CloseHandle(
		CreateThread(NULL, 0, accept_thread, (void *)listener, 0, NULL));
	return true;
}

/* ---- changes of state ---- */

static bool enter_paused(void)
{
	return opt.when_paused != PAUSED_CLOSE || listener_close();
}

static const struct change {
	DWORD control, pending, final;
	const int *manner;
	bool (*enter)(void);
} changes[] = {
	{0, SERVICE_START_PENDING, SERVICE_RUNNING, &opt.on_start, listener_open},
	{SERVICE_CONTROL_STOP, SERVICE_STOP_PENDING, SERVICE_STOPPED, &opt.on_stop,
	 listener_close},
	{SERVICE_CONTROL_PAUSE, SERVICE_PAUSE_PENDING, SERVICE_PAUSED,
	 &opt.on_pause, enter_paused},
	{SERVICE_CONTROL_CONTINUE, SERVICE_CONTINUE_PENDING, SERVICE_RUNNING,
	 &opt.on_continue, listener_open},
};

/* A change that takes time; end_ms 0 means that only RELEASE ends it. */
static const struct change *current;
static ULONGLONG end_ms, checkpoint_ms;

static void change_finish(const struct change *change)
{
	current = NULL;
	report(change->enter() ? change->final : SERVICE_STOPPED);
}

static DWORD change_begin(const struct change *change)
{
	ULONGLONG now_ms = GetTickCount64();

	if (*change->manner == DO_IGNORE)
		return NO_ERROR;
	if (*change->manner == DO_FAIL || *change->manner == DO_DENY)
		return ERROR_CALL_NOT_IMPLEMENTED;
	report(change->pending);
	current = change;
	end_ms = 0;
	checkpoint_ms = now_ms + CHECKPOINT_MS;
	if (*change->manner == DO_SLOW)
		end_ms = now_ms + (ULONGLONG)opt.slow_ms;
	else if (*change->manner != DO_HANG && change->final == SERVICE_STOPPED)
		end_ms = now_ms + STOP_MS;
	else if (*change->manner != DO_HANG)
		change_finish(change);
	return NO_ERROR;
}

static void change_continue(void)
{
	ULONGLONG now_ms = GetTickCount64();

	if (!current || !end_ms)
		return;
	if (now_ms >= end_ms) {
		change_finish(current);
	} else if (now_ms >= checkpoint_ms) {
		checkpoint_ms = now_ms + CHECKPOINT_MS;
		report(current->pending);
	}
}

static const struct change *change_find(DWORD code)
{
	for (size_t i = 1; i < sizeof(changes) / sizeof(*changes); i++)
		if (changes[i].control == code)
			return &changes[i];
	return NULL;
}

/* ---- what clients say ---- */

static bool run_talk(SOCKET socket, char *text)
{
	say(socket, "TALK %s\n", text);
	return true;
}

static bool run_count(SOCKET socket, char *text)
{
	(void)text;
	say(socket, "COUNT %u\n", live_sessions);
	return true;
}

/* Reported again, because what is accepted may be another thing now. */
static bool run_set(SOCKET socket, char *text)
{
	char *value = strchr(text, ' ');

	if (value)
		*value++ = '\0';
	if (!value || !set_option(text, value)) {
		say(socket, "ERROR no such option or value\n");
		return true;
	}
	report(status.dwCurrentState);
	say(socket, "OK\n");
	return true;
}

/* Replies first, since the release may be the end of this program. */
static bool run_release(SOCKET socket, char *text)
{
	(void)text;
	say(socket, "OK\n");
	if (current)
		change_finish(current);
	return true;
}

static bool run_end(SOCKET socket, char *text)
{
	(void)socket;
	(void)text;
	return false;
}

static bool run_crash(SOCKET socket, char *text)
{
	(void)socket;
	(void)text;
	return TerminateProcess(GetCurrentProcess(), 66);
}

static bool run_die(SOCKET socket, char *text)
{
	status.dwWin32ExitCode = ERROR_PROCESS_ABORTED;
	report(SERVICE_STOPPED);
	return run_crash(socket, text);
}

static const struct command {
	const char *name;
	bool (*run)(SOCKET socket, char *text); /* false ends the session */
	const char *reply;
} commands[] = {
	{"PING", NULL, "PONG\n"},  {"HOLD", NULL, "HELD\n"},
	{"TALK", run_talk, ""},    {"COUNT", run_count, ""},
	{"SET", run_set, ""},      {"RELEASE", run_release, ""},
	{"END", run_end, "BYE\n"}, {"CRASH", run_crash, ""},
	{"DIE", run_die, ""},
};

static bool run_line(SOCKET socket, char *line)
{
	char *text = strchr(line, ' ');
	bool is_open;

	if (text)
		*text++ = '\0';
	else
		text = line + strlen(line);
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(commands[i].name, line) == 0) {
			is_open = !commands[i].run || commands[i].run(socket, text);
			say(socket, "%s", commands[i].reply);
			return is_open;
		}
	say(socket, "ERROR no such command\n");
	return true;
}

static void session_received(struct session *session, DWORD bytes)
{
	char *newline, *line = session->line;

	session->used += bytes;
	if (bytes == 0) {
		session_free(session);
		return;
	}
	while ((newline = memchr(line, '\n', session->used))) {
		*newline = '\0';
		session->used -= (size_t)(newline + 1 - line);
		if (!run_line(session->socket, line)) {
			session_free(session);
			return;
		}
		line = newline + 1;
	}
	memmove(session->line, line, session->used);
	if (session->used == sizeof(session->line))
		session_free(session);
	else
		session_receive(session);
}

/* ---- the service ---- */

static DWORD wait_ms(void)
{
	ULONGLONG now_ms = GetTickCount64();
	ULONGLONG next_ms = checkpoint_ms < end_ms ? checkpoint_ms : end_ms;

	if (!current || !end_ms)
		return INFINITE;
	return next_ms > now_ms ? (DWORD)(next_ms - now_ms) : 0;
}

static void wait_and_serve(void)
{
	DWORD bytes = 0;
	ULONG_PTR key = 0;
	OVERLAPPED *overlapped = NULL;
	BOOL is_good = GetQueuedCompletionStatus(port, &bytes, &key, &overlapped,
						 wait_ms());

	if (overlapped && key == KEY_SESSION) {
		session_received((struct session *)overlapped, is_good ? bytes : 0);
	} else if (is_good && key == KEY_ACCEPTED) {
		listener_accepted((SOCKET)overlapped);
	} else if (is_good) {
		answer = change_begin(change_find(bytes));
		SetEvent(answered);
	}
	change_continue();
}

/* The SCM sends one control at a time, so that one answer is enough. */
static DWORD WINAPI handler(DWORD code, DWORD event, void *data, void *context)
{
	const struct change *change = change_find(code);

	(void)event;
	(void)data;
	(void)context;
	log_line("control %lu", code);
	if (!change)
		return code == SERVICE_CONTROL_INTERROGATE
			       ? NO_ERROR
			       : ERROR_CALL_NOT_IMPLEMENTED;
	if (*change->manner == DO_LATE)
		Sleep((DWORD)opt.slow_ms);
	PostQueuedCompletionStatus(port, code, KEY_CONTROL, NULL);
	WaitForSingleObject(answered, INFINITE);
	return answer;
}

static void WINAPI service_main(DWORD argc, char **argv)
{
	(void)argc;
	status_handle = RegisterServiceCtrlHandlerExA(argv[0], handler, NULL);
	if (change_begin(&changes[0]) != NO_ERROR) {
		status.dwWin32ExitCode = ERROR_CALL_NOT_IMPLEMENTED;
		report(SERVICE_STOPPED);
	}
	while (status.dwCurrentState != SERVICE_STOPPED)
		wait_and_serve();
}

static bool read_options(int argc, char **argv)
{
	for (int i = 2; i < argc; i += 2)
		if (strncmp(argv[i], "--", 2) != 0 || i + 1 == argc ||
		    !set_option(argv[i] + 2, argv[i + 1])) {
			fprintf(stderr, "testservice: bad option '%s'\n", argv[i]);
			return false;
		}
	return argc > 1;
}

int main(int argc, char **argv)
{
	SERVICE_TABLE_ENTRYA table[] = {{argv[1], service_main}, {NULL, NULL}};
	WSADATA data;

	if (!read_options(argc, argv) || WSAStartup(MAKEWORD(2, 2), &data) != 0)
		return 2;
	port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
	answered = CreateEventA(NULL, FALSE, FALSE, NULL);
	if (!StartServiceCtrlDispatcherA(table)) {
		fprintf(stderr, "testservice: error %lu, not started by the SCM\n",
			GetLastError());
		return 1;
	}
	return 0;
}
