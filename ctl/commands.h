/*
 * The commands; main has the table of them.
 *
 * Each returns its exit status, or -1 with `err` set.
 */
#ifndef POOLCTL_COMMANDS_H
#define POOLCTL_COMMANDS_H

#include "options.h"
#include "pool_config.h"

int command_status(const struct options *options, const struct pool_config *config,
		   struct err *err);
int command_drain(const struct options *options, const struct pool_config *config,
		  struct err *err);
int command_check(const struct options *options, const struct pool_config *config,
		  struct err *err);
int command_resume(const struct options *options, const struct pool_config *config,
		   struct err *err);
int command_wait(const struct options *options, const struct pool_config *config,
		 struct err *err);
int command_events(const struct options *options, const struct pool_config *config,
		   struct err *err);
int command_sessions(const struct options *options, const struct pool_config *config,
		     struct err *err);

int command_config_check(const struct options *options, const struct pool_config *config,
			 struct err *err);
int command_config_show(const struct options *options, const struct pool_config *config,
			struct err *err);
int command_config_schema(const struct options *options, const struct pool_config *config,
			  struct err *err);
int command_config_init(const struct options *options, const struct pool_config *config,
			struct err *err);
int command_config_reference(const struct options *options,
			     const struct pool_config *config, struct err *err);

#endif
