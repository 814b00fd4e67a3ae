/*
 * A pool that the gates are asked about.  To be included after cmocka.h.
 */
#ifndef POOLCTL_GATES_SCENE_H
#define POOLCTL_GATES_SCENE_H

#include "gates/gate.h"

#include <stdio.h>
#include <string.h>

enum { SERVERS = 16 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A pool, what was gathered of it, and what the gates say. */
struct scene {
	struct pool pool;
	struct pool_server servers[SERVERS];
	char names[SERVERS][16];
	struct gate_member members[SERVERS];
	struct gate_input input;
	struct gate_result results[GATE__COUNT];
};

/* One letter for each server. */
static const char standing_letters[STANDING__COUNT + 1] = {
	[STANDING_UNREACHABLE] = '?', [STANDING_STALE] = 'o',
	[STANDING_SERVING] = 's',     [STANDING_DRAINING] = 'd',
	[STANDING_DRAINED] = 'D',     [STANDING_RESUMING] = 'r',
	[STANDING_ATTENTION] = 'a',   [STANDING_RESERVED] = 'v',
};

static const struct preflight_reply possible = {.is_possible = true};

/* The first server is to be drained.  All gates but preflight and dns have nothing
 * to say or are content while all serve. */
static inline void set_scene(struct scene *scene, const char *standings)
{
	size_t size = strlen(standings);

	memset(scene, 0, sizeof(*scene));
	assert_true(size <= SERVERS);
	scene->pool.capacity = -1;
	scene->pool.availability.max_out = SERVERS;
	scene->pool.servers = (struct list){scene->servers, size};
	for (size_t i = 0; i < size; i++) {
		const char *letter = strchr(standing_letters, standings[i]);

		assert_non_null(letter);
		(void)snprintf(scene->names[i], sizeof(scene->names[i]), "fe%02d",
			       (int)i + 1);
		scene->servers[i] =
			(struct pool_server){.named.name = scene->names[i],
					     .rank = (int64_t)i + 1,
					     .capacity = -1};
		scene->members[i] = (struct gate_member){
			.server = &scene->servers[i],
			.standing = (enum gate_standing)(letter - standing_letters),
			.sessions = COUNT_UNKNOWN,
			.is_in_dns = true};
	}
	scene->input = (struct gate_input){.pool = &scene->pool,
					   .members = scene->members,
					   .member_count = size,
					   .target = scene->members,
					   .dns.kind = DNS_VIEW_BALANCED,
					   .preflight = &possible};
}

static inline void ask(struct scene *scene)
{
	gate_done(scene->results);
	gate_check(&scene->input, scene->results);
}

static inline const char *text_of(const struct scene *scene, enum gate gate)
{
	return scene->results[gate].text.text;
}

static const char *const features[] = {"Response Group", "Call Park"};

#endif
