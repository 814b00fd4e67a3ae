#include "sessions/probe.h"

#include "system/dial.h"
#include "mem.h"
#include "text/json_write.h"
#include "system/waker.h"

#include <stdlib.h>

/* A session that is taken is tried again: a service needs a moment to close its
 * port, after it said that it is paused. */
enum { AGAIN_MS = 1000, STEP_MS = 50 };

/* The kernel may list the other end of a connection a little longer than this one.
 */
enum { LINGER_MS = 1000 };

/* A "reading" of it is 1 if the session was taken, and 0 if it was refused. */
struct prober {
	struct sessions_reader base;
	const struct pool_probe *config;
	struct net_address address;
	struct waker *pause;    /* nobody wakes it */
	atomic_uint own_port;   /* of the try that is under way, or 0 */
	atomic_uint ended_port; /* of the one before, or 0 */
	atomic_llong ended_ms;  /* when that ended */
};

/* Whether what the service says is that it takes the session: 1, 0, or -1. */
static int listen_to(const struct prober *prober, struct dial *dial,
		     struct err *err)
{
	const struct pool_probe *config = prober->config;

	if (!config->taken)
		return 1;
	if (config->send) {
		char *text = xasprintf("%s\r\n", config->send);
		int ret = dial_send(dial, text, err);

		free(text);
		if (ret)
			return -1;
	}
	return dial_expect(dial, config->taken, err);
}

/* As listen_to(). */
static int try_once(struct prober *prober, struct err *err)
{
	uint16_t own_port = 0;
	struct dial *dial = dial_new(&prober->address, prober->config->timeout_ms,
				     &own_port, err);
	int got;

	if (!dial)
		return -1;
	prober->own_port = own_port;
	got = dial_connect(dial, (uint16_t)prober->config->port, err);
	if (got == 1)
		got = listen_to(prober, dial, err);
	dial_free(dial);
	/* In this order: it is always one of them. */
	prober->ended_ms = clock_mono().ms;
	prober->ended_port = own_port;
	prober->own_port = 0;
	return got;
}

static int try_one(struct sessions_reader *reader, struct sessions_reading *reading,
		   struct err *err)
{
	struct prober *prober = (struct prober *)reader;
	int got = try_once(prober, err);

	for (int ms = 0; got == 1 && ms < AGAIN_MS && !reader->is_stopping;
	     ms += STEP_MS)
		(void)waker_wait(prober->pause, STEP_MS);
	if (got == 1 && !reader->is_stopping)
		got = try_once(prober, err);
	reading->count = got;
	return got < 0 ? -1 : 0;
}

static void free_prober(struct sessions_reader *reader)
{
	waker_free(((struct prober *)reader)->pause);
	free(reader);
}

static const struct sessions_reader_ops prober_ops = {try_one, free_prober};

int probe_init(struct probe *probe, const struct pool_server *server,
	       const struct pool_service *service, bool has_no_threads,
	       struct err *err)
{
	const struct list *locals = pool_local_addresses(server, service);
	const struct net_address *address =
		locals ? locals->items : server->addresses.items;

	*probe = (struct probe){.config = &service->probe};
	if (service->probe.port < 0)
		return 0;
	probe->prober = xcalloc(1, sizeof(*probe->prober));
	probe->prober->base.ops = &prober_ops;
	probe->prober->config = probe->config;
	probe->prober->address = *address;
	probe->prober->pause = waker_new();
	probe->sampler = sampler_new(&probe->prober->base);
	sampler_rest(probe->sampler, true);
	return has_no_threads ? 0
			      : sampler_start(probe->sampler,
					      probe->config->every_ms, err);
}

void probe_done(struct probe *probe)
{
	sampler_free(probe->sampler);
	*probe = (struct probe){0};
}

static void forget_tries(struct probe *probe, struct mono since)
{
	probe->since = since;
	probe->has_tried = probe->is_taken = false;
}

bool probe_look(struct probe *probe, bool is_out, struct mono since,
		struct wall now)
{
	struct sampler_reading reading;
	bool was_taken = probe->is_taken;
	bool is_new = clock_since(probe->since, since) != 0;

	if (!probe->sampler)
		return false;
	if (is_out && is_new)
		sampler_hurry(probe->sampler);
	sampler_rest(probe->sampler, !is_out);
	if (!is_out || is_new) {
		forget_tries(probe, since);
		return false;
	}
	if (!sampler_take(probe->sampler, probe->number, &reading))
		return false;
	probe->number = reading.number;
	if (clock_since(since, reading.at) < 0)
		return false;
	probe->has_tried = true;
	probe->is_known = reading.is_known;
	probe->why = reading.err;
	probe->at = now;
	/* An outcome that is not known changes nothing. */
	if (reading.is_known)
		probe->is_taken = reading.count != 0;
	return probe->is_taken && !was_taken;
}

bool probe_is_awaited(const struct probe *probe, struct mono since)
{
	return probe->sampler &&
	       (!probe->has_tried || clock_since(probe->since, since) != 0);
}

void probe_mark(struct probe *probe, struct mono now)
{
	probe->marked_at = now;
	probe->marked_port = probe->prober ? probe->prober->own_port : 0;
}

bool probe_is_own(const struct probe *probe,
		  const struct sessions_connection *connection)
{
	const struct prober *prober = probe->prober;
	unsigned port = connection->peer_port;
	bool is_own =
		prober && (prober->own_port == port || probe->marked_port == port);

	if (prober && prober->ended_port == port)
		is_own = is_own ||
			 prober->ended_ms + LINGER_MS >= probe->marked_at.ms;
	return is_own && net_address_equal(&prober->address, &connection->peer);
}

json_t *probe_to_json(const struct probe *probe)
{
	const char *result = !probe->has_tried  ? NULL
			     : !probe->is_known ? "unknown"
			     : probe->is_taken  ? "taken"
						: "refused";
	char at[CLOCK_TEXT_BYTES];
	json_t *json;

	if (!probe->sampler)
		return json_null();
	json = json_object();
	json_write_number(json, "port", probe->config->port);
	json_write_text(json, "result", result);
	json_write_text(json, "error",
			probe->has_tried && !probe->is_known ? probe->why.text
							     : NULL);
	json_write_text(json, "at",
			probe->has_tried ? clock_format(probe->at, at) : NULL);
	return json;
}
