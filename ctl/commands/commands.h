/*
 * The commands; main has the table of them.
 */
#ifndef POOLCTL_COMMANDS_H
#define POOLCTL_COMMANDS_H

#include "line/options.h"
#include "pool.h"

/* Returns the exit status, or -1 with `err` set.  `config` is NULL for a command
 * that works without one. */
typedef int command_run(const struct options *options,
			const struct pool_config *config, struct err *err);

command_run command_status, command_check, command_drain, command_resume,
	command_wait, command_sessions, command_events, command_config_check,
	command_config_show, command_config_init, command_config_schema,
	command_config_reference, command_config_profiles, command_trust,
	command_doctor;

#endif
