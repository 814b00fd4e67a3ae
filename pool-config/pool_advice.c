#include "pool_advice.h"

#include "poold_config.h"
#include "utf8.h"

#include <string.h>

bool pool_advice_has_command(const struct pool_service *service,
			     const struct list *commands)
{
	if (commands)
		LIST_EACH (struct poold_command, command, *commands)
			if (!utf8_compare_names(command->service,
						service->named.name))
				return true;
	return false;
}

void pool_advice_add_line(const struct pool_service *service, struct buf *text)
{
	size_t count = 0;

	buf_printf(text, "%s: {unverified: [", service->named.name);
	LIST_EACH (char *, fact, service->unverified)
		if (strcmp(*fact, "counters") != 0)
			buf_printf(text, "%s%s", count++ ? ", " : "", *fact);
	buf_printf(
		text, "]}  # %s",
		service->connections == CONNECTIONS_LIKELY
			? "likely right: each session has a connection"
			: "unsure: a session may have no connection to these ports");
}

static void advise_counters(const struct pool *pool, const struct list *services,
			    const struct list *commands, struct buf *text)
{
	size_t count = 0;

	LIST_EACH (struct pool_service, service, *services) {
		if (!pool_lacks_count(service,
				      pool_advice_has_command(service, commands)))
			continue;
		if (!count++)
			buf_printf(
				text,
				"pool '%s': poold can never report these services as drained, as no counter of "
				"their sessions is known.\nFind the counters with `poold counters 'LS:*'` on a "
				"server; or let the connections to a service's ports\ncount alone (without those "
				"of the pool's other servers), with these lines under 'services' in pool.yaml:\n",
				pool->named.name);
		buf_puts(text, "  ");
		if (service->ports.count)
			pool_advice_add_line(service, text);
		else
			buf_printf(
				text,
				"%s: {ports: [N]}  # its ports are not known either",
				service->named.name);
		buf_puts(text, "\n");
	}
}

void pool_advice_print(const struct pool *pool, const struct list *services,
		       const struct list *commands, struct buf *text)
{
	const struct pool_pacing *pacing = &pool->pacing;

	LIST_EACH (struct pool_service, service, *services)
		if (service->role == ROLE_DRAIN &&
		    service->method == METHOD_LOGON_MODE)
			buf_printf(
				text,
				"pool '%s': every drain is refused, and poold does not start: %s is drained by "
				"its logon mode, which this version cannot switch yet\n",
				pool->named.name, service->named.name);
	advise_counters(pool, services, commands, text);
	if (pacing->between_domains_ms >= 0 || pacing->retry_busy_ms >= 0 ||
	    pacing->busy_limit >= 0)
		buf_printf(
			text,
			"pool '%s': 'pacing' has no effect yet: no command takes a whole pool through "
			"maintenance; wait yourself between upgrade domains\n",
			pool->named.name);
}

void pool_advice_add_floor(const struct pool *pool, struct buf *text)
{
	const struct floor *floor = &pool->availability.floor;
	const struct pool_floor_row *row =
		pool_floor_row(pool, pool->servers.count);

	buf_printf(text, "pool '%s': the floor is ", pool->named.name);
	if (floor->kind == FLOOR_TABLE && row && row->of_first > 0)
		buf_printf(text, "%lld of the first %lld servers by rank",
			   (long long)row->functional, (long long)row->of_first);
	else
		buf_printf(text, "%lld%s of %zu servers",
			   floor->kind == FLOOR_TABLE && row
				   ? (long long)row->functional
				   : (long long)floor->value,
			   floor->kind == FLOOR_PERCENT ? "%" : "",
			   pool->servers.count);
	if (floor->kind == FLOOR_TABLE)
		buf_printf(text, ", from the table of profile %s",
			   pool->profile ? pool->profile : "(none)");
	else if (pool->floors.count)
		buf_printf(
			text,
			"; the table of profile %s has %s row for this size, but 'floor' "
			"decides",
			pool->profile ? pool->profile : "(none)", row ? "a" : "no");
	buf_puts(text, "\n");
}
