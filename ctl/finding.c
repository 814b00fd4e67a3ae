#include "finding.h"

#include "options.h"
#include "output_json.h"

enum { EXIT_SEVERAL = 8 };

static void report_one(const struct finding *finding, int output,
		       const struct finding_report *report, json_t *list)
{
	if (output == OUTPUT_TABLE)
		report->print(finding);
	else if (list)
		(void)json_array_append_new(list, report->describe(finding));
	else
		output_json(report->describe(finding));
}

int finding_report_all(const struct survey *survey, unsigned forced, int output,
		       const struct finding_report *report)
{
	const struct survey_question *question = survey->question;
	json_t *list = output == OUTPUT_JSON ? json_array() : NULL;
	int status = 0;

	for (size_t i = 0; i < question->targets->count; i++) {
		struct finding finding = {.answer = &survey->answers[i],
					  .terms = &question->terms[i],
					  .forced = forced};
		int one;

		(void)pool_find_server(question->config,
				       finding.answer->server->named.name, &finding.pool);
		survey_ask_gates(survey, i, finding.gates);
		report_one(&finding, output, report, list);
		one = report->exit_status(&finding);
		status = i == 0 || one == status ? one : EXIT_SEVERAL;
		gates_done(finding.gates);
	}
	if (list)
		output_json(list);
	return status;
}
