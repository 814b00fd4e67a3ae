#include "operation/step.h"

#define BIT(step) (1U << (step))

static const char one[] = "the server",
		  all[] = "the server and all members of its pool",
		  other[] = "the server that is reserved by another";

static const struct step_info steps[STEP__COUNT] = {
	[STEP_BEGIN] = {"begin", "read the server's state; decide what to ask for",
			REQUEST_VIEW, one,
			.good = BIT(STEP_TURN) | BIT(STEP_COMMIT) | BIT(STEP_END) |
				BIT(STEP_WATCH),
			.patience = STEP_PATIENCE_READ, .turn = STEP_TURN_COMES},
	[STEP_TURN] = {"turn", "drain: wait for other servers named in the command",
		       REQUEST__COUNT, NULL, .good = BIT(STEP_RESERVE),
		       .patience = STEP_PATIENCE_READ, .turn = STEP_TURN_COMES,
		       .waits_for =
			       "still waiting for another server named in this "
			       "command"},
	[STEP_RESERVE] = {"reserve", "drain: reserve the server", REQUEST_RESERVE,
			  one, .good = BIT(STEP_CHECK), .problem = BIT(STEP_YIELD),
			  .patience = STEP_PATIENCE_WRITE, .turn = STEP_TURN_IS},
	[STEP_CHECK] = {"check", "drain: check that the pool can spare the server",
			REQUEST_PREFLIGHT, all,
			.good = BIT(STEP_COMMIT) | BIT(STEP_RESERVE) |
				BIT(STEP_YIELD),
			.problem = BIT(STEP_TURN), .turn = STEP_TURN_IS},
	[STEP_YIELD] = {"yield", "drain: wait until another's reservation is gone",
			REQUEST_VIEW, other, .good = BIT(STEP_TURN),
			.problem = BIT(STEP_TURN), .patience = STEP_PATIENCE_LOCK,
			.turn = STEP_TURN_IS, .gives_back = true},
	[STEP_COMMIT] = {"commit", "drain: ask for the drain", REQUEST_COMMIT, one,
			 .good = BIT(STEP_WATCH), .problem = BIT(STEP_TURN),
			 .patience = STEP_PATIENCE_WRITE,
			 .effect = STEP_EFFECT_UNKNOWN},
	[STEP_END] = {"end", "resume: end a drain", REQUEST_END, one,
		      .good = BIT(STEP_BEGIN), .problem = BIT(STEP_BEGIN),
		      .patience = STEP_PATIENCE_WRITE,
		      .effect = STEP_EFFECT_UNKNOWN},
	[STEP_WATCH] = {"watch", "watch until the goal is reached", REQUEST_VIEW,
			one, .good = BIT(STEP_VERIFY) | BIT(STEP_WHY),
			.patience = STEP_PATIENCE_LONG,
			.effect = STEP_EFFECT_GOES_ON},
	[STEP_VERIFY] = {"verify",
			 "resume: try the services and DNS, then read again",
			 REQUEST_VIEW, one, .good = BIT(STEP_WATCH),
			 .patience = STEP_PATIENCE_LONG,
			 .effect = STEP_EFFECT_UNVERIFIED},
	[STEP_WHY] = {"why", "drain: it is gone; ask what ended it", REQUEST_DRAIN,
		      one, .effect = STEP_EFFECT_GOES_ON},
	[STEP_DONE] = {"done", "say how it ended", REQUEST__COUNT, NULL,
		       .gives_back = true},
};

const struct step_info *step_info(enum step step)
{
	return &steps[step];
}

bool step_may_follow(enum step from, enum step to)
{
	return from != STEP_DONE &&
	       (to == STEP_DONE ||
		(steps[from].good | steps[from].problem) & BIT(to));
}

/* Every reply may end the operation, so the table does not say it. */
static void print_steps(FILE *out, unsigned set)
{
	const char *comma = " ";

	for (int i = 0; i < STEP__COUNT; i++)
		if (set & BIT(i)) {
			fprintf(out, "%s%s", comma, steps[i].name);
			comma = ", ";
		}
	fputs(" |", out);
}

static void print_request(FILE *out, const struct step_info *info)
{
	static const char *const requests[REQUEST__COUNT] = {
		[REQUEST_VIEW] = "`GET /v1/server`",
		[REQUEST_PREFLIGHT] = "`GET /v1/preflight`, `GET /v1/server`",
		[REQUEST_RESERVE] = "`PUT /v1/drains/ID` (reserved)",
		[REQUEST_COMMIT] = "`PUT /v1/drains/ID`",
		[REQUEST_END] = "`DELETE /v1/drains/ID`",
		[REQUEST_DRAIN] = "`GET /v1/drains/ID`",
	};

	if (info->request == REQUEST__COUNT)
		fputs(" | |", out);
	else
		fprintf(out, " %s | %s |", requests[info->request], info->whom);
}

void step_print(FILE *out)
{
	static const char *const patiences[STEP_PATIENCE__COUNT] = {
		[STEP_PATIENCE_NONE] = "",
		[STEP_PATIENCE_READ] = "retryable",
		[STEP_PATIENCE_WRITE] = "retryable, received",
		[STEP_PATIENCE_LONG] = "long",
		[STEP_PATIENCE_LOCK] = "`--lock-wait`",
	};
	static const char *const effects[STEP_EFFECT__COUNT] = {
		[STEP_EFFECT_NOTHING] = "unchanged",
		[STEP_EFFECT_GOES_ON] = "goes on",
		[STEP_EFFECT_UNKNOWN] = "unknown",
		[STEP_EFFECT_UNVERIFIED] = "unverified",
	};
	static const char *const turns[STEP_TURN__COUNT] = {"", "comes", "is"};

	fputs("| step | what happens | request | to | good reply | problem | patience | "
	      "if it ends here | turn | reservation |\n"
	      "|---|---|---|---|---|---|---|---|---|---|\n",
	      out);
	for (int i = 0; i < STEP__COUNT; i++) {
		const struct step_info *info = &steps[i];

		fprintf(out, "| %s | %s |", info->name, info->what);
		print_request(out, info);
		print_steps(out, info->good);
		print_steps(out, info->problem);
		fprintf(out, " %s | %s | %s | %s |\n", patiences[info->patience],
			i == STEP_DONE ? "" : effects[info->effect],
			turns[info->turn], info->gives_back ? "given up" : "");
	}
}
