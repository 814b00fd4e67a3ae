#include "sources/sessions_reader.h"

#include "buf.h"
#include "clock.h"
#include "mem.h"
#include "sources/subprocess.h"

#include <stdlib.h>

enum { STEP_MS = 20, OUTPUT_LIMIT_BYTES = 64 << 10, ERRORS_KEPT_BYTES = 1024 };

struct command_reader {
	struct sessions_reader reader;
	const struct poold_command *command;
};

/* What it prints there is read to its end, or it could not go on, but not kept. */
static void cut(struct buf *errors)
{
	if (errors->length > ERRORS_KEPT_BYTES)
		errors->length = ERRORS_KEPT_BYTES;
}

static int check_limits(const struct command_reader *command,
			const struct buf *output, struct mono end, struct err *err)
{
	if (command->reader.is_stopping)
		return err_set(err, ERR_SESSIONS,
			       "was ended, as poold is stopping");
	if (output->length > OUTPUT_LIMIT_BYTES)
		return err_set(err, ERR_SESSIONS,
			       "was ended, as it printed more than %d bytes",
			       OUTPUT_LIMIT_BYTES);
	if (clock_since(end, clock_mono()) >= 0)
		return err_set(err, ERR_SESSIONS,
			       "was ended after %g s, its time limit",
			       (double)command->command->timeout_ms / 1000);
	return 0;
}

static int check_end(const struct subprocess *program, const struct buf *errors,
		     struct err *err)
{
	char how[SUBPROCESS_END_BYTES], shown[SESSIONS_SHOWN_BYTES];

	if (subprocess_succeeded(program, how))
		return 0;
	(void)sessions_show(errors->text, errors->length, shown);
	return err_set(err, ERR_SESSIONS, "ended with %s%s%s", how,
		       *shown ? ": " : "", shown);
}

static int run(const struct command_reader *command, struct buf *output,
	       struct buf *errors, struct err *err)
{
	struct mono end = clock_add(clock_mono(), command->command->timeout_ms);
	struct subprocess *program = subprocess_start(&command->command->run, err);
	bool is_running;
	int ret;

	if (!program)
		return -1;
	do {
		is_running = subprocess_wait(program, STEP_MS, output, errors);
		cut(errors);
		ret = check_limits(command, output, end, err);
	} while (is_running && !ret);
	if (!ret)
		ret = check_end(program, errors, err);
	subprocess_free(program);
	return ret;
}

static int read_command(struct sessions_reader *reader,
			struct sessions_reading *reading, struct err *err)
{
	const struct command_reader *command = (struct command_reader *)reader;
	const struct poold_command *config = command->command;
	struct buf output = {0}, errors = {0};
	const char *name = *(char **)config->run.items;
	struct err why = {0};
	int64_t count;
	int ret = 0;

	if (run(command, &output, &errors, &why))
		ret = err_set(err, ERR_SESSIONS, "%s %s", name, why.text);
	else if (sessions_read_json(output.text, output.length, config->pointer,
				    &count, &why))
		ret = err_set(err, ERR_SESSIONS, "what %s printed: %s", name,
			      why.text);
	else
		*reading = (struct sessions_reading){.count = count};
	buf_done(&output);
	buf_done(&errors);
	return ret;
}

static void free_command(struct sessions_reader *reader)
{
	free(reader);
}

struct sessions_reader *sessions_command_new(const struct poold_command *command)
{
	static const struct sessions_reader_ops ops = {read_command, free_command};
	struct command_reader *reader = xcalloc(1, sizeof(*reader));

	reader->reader.ops = &ops;
	reader->reader.name = *(char **)command->run.items;
	reader->reader.pointer = command->pointer;
	reader->command = command;
	return &reader->reader;
}
