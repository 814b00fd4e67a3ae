#include "services/preflight.h"

#include "pool_advice.h"
#include "system/host.h"

#include <stdlib.h>

/* Services of the tools that set startup types to what a server's configuration
 * says, every half hour or so. */
static const struct {
	const char *service, *name;
} agents[] = {
	{"CcmExec", "Configuration Manager (CcmExec)"},
	{"IntuneManagementExtension", "Intune (IntuneManagementExtension)"},
	{"GCService", "Azure Machine Configuration (GCService)"},
	{"GCArcService", "Azure Machine Configuration (GCArcService)"},
	{"puppet", "Puppet (puppet)"},
	{"pxp-agent", "Puppet (pxp-agent)"},
	{"chef-client", "Chef (chef-client)"},
	{"salt-minion", "Salt (salt-minion)"},
};

_Static_assert(sizeof(agents) / sizeof(agents[0]) <= PREFLIGHT_AGENTS,
	       "room for all");

struct preflight_input preflight_plan(const struct pool *pool,
				      const struct pool_server *server,
				      const struct pool_service *service)
{
	bool has_deadline = pool_deadline_ms(pool, server) >= 0;

	return (struct preflight_input){
		.service = service,
		.startup = pool_startup_while_drained(pool, server),
		.is_stop_planned = has_deadline && pool_on_deadline(pool, server) ==
							   ON_DEADLINE_STOP,
		.wanted = WANT_SERVING,
	};
}

void preflight_look(struct scm *scm, struct preflight_input *input)
{
	const char *name = input->service->named.name;

	if (!scm->ops->observe(scm, name, &input->status, &input->observe_error))
		(void)scm->ops->inspect(scm, name, &input->inspection,
					&input->inspect_error);
}

void preflight_done(struct preflight_input *input)
{
	free(input->inspection.dependants);
}

json_t *preflight_inspect(const struct pool *pool, const struct pool_server *server,
			  const struct list *commands, struct scm *scm)
{
	json_t *services = json_array();

	LIST_EACH (struct pool_service, service, *pool_services(pool, server)) {
		struct preflight_input input =
			preflight_plan(pool, server, service);

		if (service->role != ROLE_DRAIN)
			continue;
		input.has_command = pool_advice_has_command(service, commands);
		preflight_look(scm, &input);
		(void)json_array_append_new(services,
					    preflight_service_to_json(&input));
		preflight_done(&input);
	}
	return services;
}

/* One that is disabled sets nothing back. */
void preflight_look_at_machine(struct scm *scm, struct preflight_machine *machine)
{
	struct scm_status status;

	(void)host_reboot_pending(&machine->reboot, &machine->reboot_error);
	for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++)
		if (!scm->ops->observe(scm, agents[i].service, &status, NULL) &&
		    status.start_type != START_DISABLED)
			machine->agents[machine->agent_count++] = agents[i].name;
}
