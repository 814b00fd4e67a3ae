#include "http/caller_check.h"

#include "mem.h"
#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What happened at the door, on its way into the record. */
struct told {
	struct task task;
	struct access_note note;
};

static void free_told(struct task *task)
{
	struct told *told = task->arg;

	free(told->note.text);
	free(told);
}

void caller_check_tell(struct caller_check *check)
{
	struct access_note note;

	while (access_take_note(check->access, &note)) {
		struct told *told = xcalloc(1, sizeof(*told));

		told->note = note;
		told->task = (struct task){
			.kind = TASK_NOTE,
			.note_kind = note.kind,
			.note = note.text,
			.who = *told->note.who ? told->note.who : "poold",
			.from = *told->note.from ? told->note.from : NULL,
			.done = free_told,
			.arg = told};
		task_queue_submit(check->tasks, &told->task);
	}
}

int caller_check_role(struct caller_check *check, const struct request *request,
		      const struct caller *caller, enum role role, const char *what,
		      struct err *err)
{
	int ret = access_require(check->access, caller, role, what,
				 request_from(request), err);

	caller_check_tell(check);
	return ret;
}

int caller_check_find(struct caller_check *check, const struct request *request,
		      enum role role, const char *what, struct caller *caller,
		      struct err *err)
{
	const char *from = request_from(request);
	int ret;

	*caller = (struct caller){0};
	if (role == ROLE_NONE)
		return 0;
	ret = access_identify(check->access,
			      request_header(request, "Authorization"), from,
			      caller, err) ||
			      access_require(check->access, caller, role, what,
					     from, err)
		      ? -1
		      : 0;
	caller_check_tell(check);
	return ret;
}

/* The owner is the credential, and what the client says is for whom it acts.  Only
 * an administrator of this machine says himself who he is. */
void caller_check_owner(const struct request *request, const struct caller *caller,
			const char *said, char owner[API_TEXT_BYTES],
			char acts_for[API_TEXT_BYTES])
{
	*acts_for = '\0';
	if (caller->kind == CREDENTIAL_LOCAL) {
		if (said)
			utf8_copy(owner, API_TEXT_BYTES, said);
		else
			(void)snprintf(owner, API_TEXT_BYTES, "unknown@%s",
				       request_from(request));
		return;
	}
	utf8_copy(owner, API_TEXT_BYTES, caller->name);
	if (said && strcmp(said, owner) != 0)
		utf8_copy(acts_for, API_TEXT_BYTES, said);
}
