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

/* The client's certificate was verified already. */
static bool find_client(const struct request *request, struct caller *caller)
{
	const struct poold_client *client = request_client(request);

	*caller = (struct caller){0};
	if (!client)
		return false;
	caller->role = (enum role)client->role;
	caller->kind = CREDENTIAL_CERTIFICATE;
	utf8_copy(caller->name, sizeof(caller->name), client->name);
	return true;
}

bool caller_check_knows(struct caller_check *check, const struct request *request)
{
	const char *authorization = request_header(request, "Authorization");
	struct caller caller;

	return authorization ? access_knows(check->access, authorization)
			     : find_client(request, &caller);
}

static int identify(struct caller_check *check, const struct request *request,
		    struct caller *caller, struct err *err)
{
	const char *authorization = request_header(request, "Authorization");

	if (!authorization && find_client(request, caller))
		return 0;
	return access_identify(check->access, authorization, request_from(request),
			       caller, err);
}

bool caller_check_is_still_good(struct caller_check *check,
				const struct request *request,
				const struct caller *caller)
{
	struct caller now;

	if (caller->kind != CREDENTIAL_CERTIFICATE)
		return access_is_still_good(check->access, caller);
	return find_client(request, &now) && now.role == caller->role &&
	       !strcmp(now.name, caller->name);
}

int caller_check_find(struct caller_check *check, const struct request *request,
		      enum role role, const char *what, struct caller *caller,
		      struct err *err)
{
	int ret;

	*caller = (struct caller){0};
	if (role == ROLE_NONE)
		return 0;
	ret = identify(check, request, caller, err) ||
			      access_require(check->access, caller, role, what,
					     request_from(request), err)
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
