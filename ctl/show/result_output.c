#include "show/result_output.h"

#include "exit_status.h"
#include "operation/admission_check.h"
#include "operation/operation.h"
#include "show/gate_output.h"
#include "terminal/print.h"
#include "text/duration.h"
#include "text/json_write.h"
#include "text/text.h"

static void write_progress(const struct job *job, json_t *object)
{
	static const struct progress_view unknown = {.sessions = COUNT_UNKNOWN,
						     .peak = COUNT_UNKNOWN,
						     .ended = COUNT_UNKNOWN,
						     .cut = COUNT_UNKNOWN};
	const struct progress_view *progress =
		job->view ? &job->view->progress : &unknown;

	json_write_count(object, "sessions", progress->sessions);
	json_write_count(object, "peak", progress->peak);
	json_write_count(object, "ended", progress->ended);
	json_write_count(object, "cut", progress->cut);
}

static json_t *describe(const void *entry)
{
	const struct job *job = entry;
	const struct gate_result *gates = admission_check_gates(job->check);
	bool has_id = !job->order->is_all;
	json_t *object = json_object();

	json_write_text(object, "server", job->server->named.name);
	json_write_text(object, "result", job->result.word);
	json_write_number(object, "exit_code", job->result.exit_status);
	json_write_text(object, "message", job->result.message);
	json_write_text(object, "phase",
			job->view ? api_phases[job->view->phase] : NULL);
	write_progress(job, object);
	json_write_text(object, "drain_id", has_id ? job->order->goal.id : NULL);
	json_write_value(object, "gates",
			 gates ? gate_output_to_json(gates, job->order->forced)
			       : NULL);
	json_write_value(object, "verified",
			 job->resume_check ? resume_check_to_json(job->resume_check)
					   : NULL);
	return object;
}

static void add_details(const struct job *job, struct buf *line)
{
	char text[DURATION_BYTES];
	const char *took = duration_print(job_elapsed_ms(job), text);

	switch (job->order->goal.kind) {
	case GOAL_OUT:
		buf_printf(line, " (takes no new sessions; drain %s)",
			   job->order->goal.id);
		break;
	case GOAL_DRAINED:
		buf_puts(line, " (");
		text_add_count(line, job->view->progress.ended);
		buf_printf(line, " session%s ended, %lld cut, %s)",
			   job->view->progress.ended == 1 ? "" : "s",
			   (long long)goal_cut(&job->order->goal, job->view), took);
		break;
	case GOAL_ENDED:
		buf_puts(line, " (resuming)");
		break;
	default:
		buf_printf(line, " (after %s)", took);
	}
}

static void print_reached(const struct job *job)
{
	struct buf text = {0}, notes = {0};

	goal_add_notes(&job->order->goal, job->view, &notes);
	if (job->result.exit_status == 0 && job->result.message && !notes.length) {
		buf_puts(&text, job->result.message);
	} else if (job->was_there) {
		buf_printf(&text, "already %s",
			   job_drain(job) ? api_phases[PHASE_DRAINED]
			   : job->order->goal.service_count
				   ? job->result.word
				   : api_phases[job->view->phase]);
		if (job_is_resume(job) && !job->order->is_default_id)
			buf_printf(&text, " (no drain '%s' is active)",
				   job->order->goal.id);
	} else {
		buf_puts(&text, job->result.word);
		add_details(job, &text);
	}
	if (notes.length)
		buf_printf(&text, "; %s", notes.text);
	buf_done(&notes);
	if (job->resume_check)
		resume_check_add_unwanted(job->resume_check, &text);
	print_line(stdout, "%s: %s", job->server->named.name, text.text);
	buf_done(&text);
}

/* A line on standard output if the goal was reached; a complaint on standard error
 * if something is not as asked. */
static void print(const void *entry)
{
	const struct job *job = entry;
	int status = job->result.exit_status;

	if (status == EXIT_REACHED || status == EXIT_CUT)
		print_reached(job);
	if (job->result.message && status != EXIT_REACHED)
		print_complaint("%s: %s", job->server->named.name,
				job->result.message);
	if (status == EXIT_REFUSED && admission_check_gates(job->check))
		gate_output_print_refusals(stderr,
					   admission_check_gates(job->check),
					   job->order->forced);
}

const struct output_kind result_output = {
	.describe = describe, .describe_row = describe, .print = print};
