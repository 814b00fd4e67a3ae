#include "output_json.h"

#include "gates_output.h"
#include "look.h"
#include "terminal.h"
#include "text.h"

#include <float.h>
#include <jansson.h>
#include <stdlib.h>

void output_json(json_t *value)
{
	size_t flags = terminal_takes_utf8(stdout) ? 0 : JSON_ENSURE_ASCII;
	/* So many digits, that 0.95 is printed as it was read. */
	char *text =
		json_dumps(value, flags | JSON_COMPACT | JSON_REAL_PRECISION(DBL_DIG));

	if (!text)
		abort();
	text_print(stdout, text);
	(void)fflush(stdout);
	free(text);
	json_decref(value);
}

static json_t *count_or_null(const struct job *job, int64_t count)
{
	return job->view && count != COUNT_UNKNOWN ? json_integer(count) : json_null();
}

static json_t *gates_or_null(const struct job *job)
{
	const struct gate_result *gates = look_gates(job->look);

	return gates ? gates_describe(gates, job->order->forced) : json_null();
}

json_t *output_json_result(const struct job *job)
{
	static const struct progress_view nothing;
	const struct progress_view *progress =
		job->view ? &job->view->progress : &nothing;
	enum goal goal = job->order->aim.goal;
	bool has_id = goal != GOAL_SEEN_DRAINED && goal != GOAL_SEEN_SERVING &&
		      !job->order->is_all;

	return json_pack(
		"{s:s, s:s, s:i, s:s?, s:s?, s:o, s:o, s:o, s:o, s:s?, s:o, s:o}",
		"server", job->server->named.name, "result", job->result.word,
		"exit_code", job->result.exit_status, "message", job->result.message,
		"phase", job->view ? phase_name(job->view->phase) : NULL, "sessions",
		count_or_null(job, progress->sessions), "peak",
		count_or_null(job, progress->peak), "ended",
		count_or_null(job, progress->ended), "cut",
		count_or_null(job, progress->cut), "drain_id",
		has_id ? job->order->aim.id : NULL, "gates", gates_or_null(job),
		"verified", job->outside ? outside_to_json(job->outside) : json_null());
}

void output_json_results(const struct job *jobs, size_t count)
{
	json_t *results = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(results, output_json_result(&jobs[i]));
	output_json(results);
}
