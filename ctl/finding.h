/*
 * What a survey says of servers that may be drained, one after the other: for people, or
 * as JSON, and as one exit status.
 */
#ifndef POOLCTL_FINDING_H
#define POOLCTL_FINDING_H

#include "survey.h"

/* One server, and what is said of it; each is asked about as if it left alone. */
struct finding {
	const struct pool *pool;
	const struct answer *answer;
	const struct terms *terms;
	struct gate_result gates[GATE__COUNT];
	unsigned forced;
};

/* What a command makes of a finding. */
struct finding_report {
	int (*exit_status)(const struct finding *finding);
	json_t *(*describe)(const struct finding *finding);
	void (*print)(const struct finding *finding);
};

/* Reports on all targets, in their order, as `output` (enum output) says; returns the
 * exit status of all of them together. */
int finding_report_all(const struct survey *survey, unsigned forced, int output,
		       const struct finding_report *report);

#endif
