#include "scm/scm.h"

#include "mem.h"
#include "scm/start_due.h"
#include "utf8.h"
#include "system/file.h"
#include "system/waker.h"
#include "text/json_parse.h"
#include "text/words.h"

#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Everything is in the file and nothing in memory, so that it survives whatever
 * happens to poold, and so that a test or a demo can play the administrator who
 * changes a service. */

enum { FILE_LIMIT_BYTES = 1 << 20 };

struct scm_simulated {
	struct scm base;
	char *path;
	pthread_mutex_t lock; /* of a change of the file, by one of several calls */
};

static const char *const control_names[SCM_CONTROL__COUNT] = {
	[SCM_PAUSE] = "pause",
	[SCM_CONTINUE] = "continue",
	[SCM_STOP] = "stop",
};

/* What a service does with a control; "on_pause" and so on in the file.  The first
 * row of a control is what it does if the file does not say.  One that says "block"
 * does the same, and returns "block_ms" later. */
static const struct behaviour {
	enum scm_control control;
	const char *name;
	const char *state; /* afterwards; NULL: as before */
	enum err_code code;
	unsigned long number;
	const char *text;
} behaviours[] = {
	{SCM_PAUSE, "pause", "paused", ERR_NONE, 0, NULL},
	{SCM_PAUSE, "hang", "pause_pending", ERR_NONE, 0, NULL},
	{SCM_PAUSE, "ignore", NULL, ERR_NONE, 0, NULL},
	{SCM_PAUSE, "refuse", NULL, ERR_SCM_REFUSED, 1052,
	 "the service does not take this control"},
	{SCM_PAUSE, "fail", NULL, ERR_SCM_FAILED, 1053,
	 "the service did not answer in time"},
	{SCM_CONTINUE, "continue", "running", ERR_NONE, 0, NULL},
	{SCM_STOP, "stop", "stopped", ERR_NONE, 0, NULL},
	{SCM_STOP, "ignore", NULL, ERR_NONE, 0, NULL},
	{SCM_STOP, "refuse", NULL, ERR_SCM_REFUSED, 1051,
	 "running services depend on it"},
};

static json_t *load(const struct scm_simulated *scm, struct err *err)
{
	json_error_t error;
	size_t length;
	json_t *root;
	char *text;

	if (file_read(scm->path, FILE_LIMIT_BYTES, ERR_SCM_FAILED, &text, &length,
		      err))
		return NULL;
	root = json_parse(text, length, 0, &error);
	free(text);
	if (!root)
		(void)err_set(err, ERR_SCM_FAILED, "%s:%d:%d: %s", scm->path,
			      error.line, error.column, error.text);
	return root;
}

/* The service's object, borrowed from the root. */
static json_t *find(json_t *root, const char *service, struct err *err)
{
	json_t *services = json_object_get(root, "services"), *each, *found = NULL;
	const char *name;

	json_object_foreach (services, name, each)
		if (!utf8_compare_names(name, service))
			found = each;
	if (!json_is_object(found)) {
		(void)err_set_os(err, ERR_SCM_MISSING, 1060,
				 "the service %s is not installed", service);
		return NULL;
	}
	return found;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static uint32_t number_of(const json_t *object, const char *key)
{
	return (uint32_t)json_integer_value(json_object_get(object, key));
}

static int read_service(const json_t *service, const char *name,
			struct scm_status *status, struct err *err)
{
	int state = words_find(api_service_states, text_of(service, "state"));
	int start_type =
		words_find(api_start_types, text_of(service, "start_type"));
	const json_t *delayed = json_object_get(service, "delayed_auto_start");

	if (state < 0 || state >= STATE_MISSING || start_type < 0)
		return err_set(
			err, ERR_SCM_FAILED,
			"the simulated service %s has a wrong state or start_type",
			name);
	*status = (struct scm_status){
		.state = (enum service_state)state,
		.start_type = (enum start_type)start_type,
		.delayed_auto_start = !json_is_boolean(delayed)
					      ? SCM_FLAG_UNSUPPORTED
				      : json_is_true(delayed) ? SCM_FLAG_YES
							      : SCM_FLAG_NO,
		.accepts_pause =
			state != STATE_STOPPED &&
			!json_is_false(json_object_get(service, "accepts_pause")),
		.is_deleted = json_is_true(
			json_object_get(service, "marked_for_deletion")),
		.pid = number_of(service, "pid"),
		.checkpoint = number_of(service, "checkpoint"),
		.wait_hint_ms = number_of(service, "wait_hint_ms"),
	};
	status->is_start_due =
		status->state == STATE_STOPPED &&
		start_is_due(&(struct start_facts){
			.was_started = !json_is_true(
				json_object_get(service, "never_started")),
			.start_type = status->start_type,
			.is_delayed = status->delayed_auto_start == SCM_FLAG_YES,
			.has_triggers = number_of(service, "triggers"),
		});
	utf8_copy(status->display_name, sizeof(status->display_name),
		  text_of(service, "display_name"));
	return 0;
}

static int observe(struct scm *base, const char *name, struct scm_status *status,
		   struct err *err)
{
	json_t *root = load((struct scm_simulated *)base, err);
	json_t *service = root ? find(root, name, err) : NULL;
	int ret = service ? read_service(service, name, status, err) : -1;

	json_decref(root);
	return ret;
}

/* Sets one field of a service and writes the file. */
static int change(struct scm *base, const char *name, const char *key,
		  json_t *value, struct err *err)
{
	struct scm_simulated *scm = (struct scm_simulated *)base;
	json_t *root, *service;
	int ret = -1;

	pthread_mutex_lock(&scm->lock);
	root = load(scm, err);
	service = root ? find(root, name, err) : NULL;
	if (service) {
		char *text;

		(void)json_object_set(service, key, value);
		text = json_dumps(root, JSON_INDENT(2));
		ret = file_write(scm->path, text, err);
		if (ret && err)
			err->code = ERR_SCM_FAILED;
		free(text);
	}
	pthread_mutex_unlock(&scm->lock);
	json_decref(value);
	json_decref(root);
	return ret;
}

/* What it does when its startup type is set: "on_set_startup" in the file. */
static int check_set_startup(struct scm *base, const char *name, bool *is_ignored,
			     struct err *err)
{
	json_t *root = load((struct scm_simulated *)base, err);
	json_t *service = root ? find(root, name, err) : NULL;
	bool is_deleted =
		json_is_true(json_object_get(service, "marked_for_deletion"));
	bool is_refused = !strcmp(text_of(service, "on_set_startup"), "refuse");

	*is_ignored = !strcmp(text_of(service, "on_set_startup"), "ignore");
	json_decref(root);
	if (!service)
		return -1;
	if (is_deleted)
		return err_set_os(
			err, ERR_SCM_MISSING, 1072,
			"cannot change the startup type of %s: the service "
			"is marked for deletion",
			name);
	if (is_refused)
		return err_set_os(
			err, ERR_SCM_DENIED, 5,
			"cannot change the startup type of %s: access denied",
			name);
	return 0;
}

static int set_startup(struct scm *base, const char *name, enum start_type type,
		       enum scm_flag delayed_auto_start, struct err *err)
{
	bool is_ignored;

	if (check_set_startup(base, name, &is_ignored, err))
		return -1;
	if (is_ignored)
		return 0;
	if (type == START_AUTOMATIC && delayed_auto_start != SCM_FLAG_UNSUPPORTED &&
	    change(base, name, "delayed_auto_start",
		   json_boolean(delayed_auto_start == SCM_FLAG_YES), err))
		return -1;
	return change(base, name, "start_type", json_string(api_start_types[type]),
		      err);
}

/* Where its handler takes its time, the caller waits. */
static void block(const json_t *service, const char *control)
{
	char *key = xasprintf("on_%s", control);
	struct waker *nobody_wakes;

	if (!strcmp(text_of(service, key), "block")) {
		nobody_wakes = waker_new();
		waker_wait(nobody_wakes, number_of(service, "block_ms"));
		waker_free(nobody_wakes);
	}
	free(key);
}

static const struct behaviour *behaviour_of(const json_t *service,
					    enum scm_control control)
{
	char *key = xasprintf("on_%s", control_names[control]);
	const char *name = text_of(service, key);
	const struct behaviour *chosen = NULL;

	for (size_t i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++)
		if (behaviours[i].control == control &&
		    (!chosen || !strcmp(behaviours[i].name, name)))
			chosen = &behaviours[i];
	free(key);
	return chosen;
}

static int behave(struct scm *base, const char *name, enum scm_control control,
		  struct err *err)
{
	json_t *root = load((struct scm_simulated *)base, err);
	json_t *service = root ? find(root, name, err) : NULL;
	const struct behaviour *behaviour;

	if (!service) {
		json_decref(root);
		return -1;
	}
	behaviour = behaviour_of(service, control);
	block(service, control_names[control]);
	json_decref(root);
	if (behaviour->code)
		return err_set_os(err, behaviour->code, behaviour->number,
				  "cannot %s %s: %s", control_names[control], name,
				  behaviour->text);
	return behaviour->state ? change(base, name, "state",
					 json_string(behaviour->state), err)
				: 0;
}

static int control(struct scm *base, const char *name, enum scm_control control,
		   struct err *err)
{
	struct scm_status status;

	if (observe(base, name, &status, err))
		return -1;
	if (status.state == STATE_STOPPED && control == SCM_STOP)
		return 0;
	if (status.state == STATE_STOPPED)
		return err_set_os(err, ERR_SCM_NOT_NOW, 1062,
				  "the service %s is not started", name);
	if (!status.accepts_pause && control != SCM_STOP)
		return err_set_os(err, ERR_SCM_REFUSED, 1052,
				  "the service %s does not take this control",
				  name);
	return behave(base, name, control, err);
}

/* True if it was never started before. */
static bool begin_start(struct scm *base, const char *name)
{
	json_t *root = load((struct scm_simulated *)base, NULL);
	json_t *service = root ? find(root, name, NULL) : NULL;
	bool is_set = json_is_true(json_object_get(service, "never_started"));

	block(service, "start");
	json_decref(root);
	return is_set;
}

static int start(struct scm *base, const char *name, struct err *err)
{
	struct scm_status status;

	if (observe(base, name, &status, err))
		return -1;
	if (status.start_type == START_DISABLED)
		return err_set_os(err, ERR_SCM_FAILED, 1058,
				  "the service %s is disabled", name);
	if (status.state != STATE_STOPPED)
		return 0;
	if (begin_start(base, name) &&
	    change(base, name, "never_started", json_false(), err))
		return -1;
	return change(base, name, "state", json_string("running"), err);
}

/* ---- inspection: what the file says, or "unknown" ---- */

static bool is_word(const json_t *value, const char *word)
{
	return json_is_string(value) && !strcmp(json_string_value(value), word);
}

static bool has_word(const json_t *list, const char *word)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (is_word(json_array_get(list, i), word))
			return true;
	return false;
}

static void set_unknown(struct scm_inspection *inspection, enum scm_fact fact)
{
	utf8_copy(inspection->unknown[fact], SCM_REASON_BYTES,
		  "the file does not tell");
}

static void add_dependant(struct scm_inspection *inspection, const char *name,
			  const json_t *service)
{
	struct scm_dependant *dependant;
	struct scm_status status;

	if (read_service(service, name, &status, NULL)) {
		set_unknown(inspection, SCM_FACT_DEPENDANTS);
		return;
	}
	inspection->dependants =
		xrealloc(inspection->dependants,
			 (inspection->dependant_count + 1) * sizeof(*dependant));
	dependant = &inspection->dependants[inspection->dependant_count++];
	dependant->start_type = (int)status.start_type;
	dependant->state = status.state;
	utf8_copy(dependant->name, sizeof(dependant->name), name);
}

static void read_dependants(json_t *services, const char *name,
			    struct scm_inspection *inspection)
{
	const char *other;
	json_t *service;

	json_object_foreach (services, other, service) {
		const json_t *needs = json_object_get(service, "depends_on");

		if (is_word(needs, "unknown"))
			set_unknown(inspection, SCM_FACT_DEPENDANTS);
		else if (has_word(needs, name))
			add_dependant(inspection, other, service);
	}
}

static void read_recovery(const json_t *service, struct scm_inspection *inspection)
{
	static const struct {
		const char *name;
		enum scm_recovery recovery;
	} words[] = {
		{"restart", SCM_RECOVERY_RESTART},
		{"reboot", SCM_RECOVERY_REBOOT},
		{"run", SCM_RECOVERY_RUN},
	};
	const json_t *value = json_object_get(service, "recovery");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_word(value, words[i].name))
			inspection->recovery |= words[i].recovery;
}

static void read_denied(const json_t *service, struct scm_inspection *inspection)
{
	static const char *const rights[SCM_RIGHT__COUNT] = {
		[SCM_RIGHT_PAUSE] = "pause",
		[SCM_RIGHT_CONFIGURE] = "configure",
		[SCM_RIGHT_START] = "start",
		[SCM_RIGHT_STOP] = "stop",
	};
	const json_t *denied = json_object_get(service, "denied");

	for (unsigned i = 0; i < SCM_RIGHT__COUNT; i++)
		if (has_word(denied, rights[i]))
			inspection->denied |= 1u << i;
}

static int inspect(struct scm *base, const char *name,
		   struct scm_inspection *inspection, struct err *err)
{
	static const char *const fields[SCM_FACT__COUNT] = {
		[SCM_FACT_DEPENDANTS] = "", /* in the other services */
		[SCM_FACT_TRIGGERS] = "triggers",
		[SCM_FACT_RECOVERY] = "recovery",
		[SCM_FACT_POLICY] = "policy",
		[SCM_FACT_RIGHTS] = "denied",
		[SCM_FACT_PROTECTION] = "protected",
	};
	json_t *root = load((struct scm_simulated *)base, err);
	json_t *service = root ? find(root, name, err) : NULL;

	*inspection = (struct scm_inspection){.policy_start_type = START_AUTOMATIC};
	if (!service) {
		json_decref(root);
		return -1;
	}
	for (int i = 0; i < SCM_FACT__COUNT; i++)
		if (is_word(json_object_get(service, fields[i]), "unknown"))
			set_unknown(inspection, (enum scm_fact)i);
	read_dependants(json_object_get(root, "services"), name, inspection);
	inspection->trigger_count = number_of(service, "triggers");
	read_recovery(service, inspection);
	if (!*inspection->unknown[SCM_FACT_POLICY])
		utf8_copy(inspection->policy, sizeof(inspection->policy),
			  text_of(service, "policy"));
	read_denied(service, inspection);
	inspection->is_protected =
		json_is_true(json_object_get(service, "protected"));
	json_decref(root);
	return 0;
}

static struct scm_watch *watch(struct scm *base, const char *const *services,
			       size_t count, scm_watch_changed *changed, void *arg)
{
	(void)services;
	(void)count;
	return scm_watch_file(((struct scm_simulated *)base)->path, changed, arg);
}

static void free_simulated(struct scm *base)
{
	struct scm_simulated *scm = (struct scm_simulated *)base;

	pthread_mutex_destroy(&scm->lock);
	free(scm->path);
	free(scm);
}

static const struct scm_ops simulated_ops = {
	observe, set_startup, control, start, inspect, free_simulated, watch};

struct scm *scm_simulated_new(const char *path, struct err *err)
{
	struct scm_simulated *scm = xcalloc(1, sizeof(*scm));
	json_t *root;

	scm->base.ops = &simulated_ops;
	scm->path = xstrdup(path);
	pthread_mutex_init(&scm->lock, NULL);
	root = load(scm, err);
	if (!root) {
		if (err)
			err->code = ERR_CONFIG;
		free_simulated(&scm->base);
		return NULL;
	}
	json_decref(root);
	return &scm->base;
}
