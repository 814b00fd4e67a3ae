/*
 * The scripts with which shells complete poolctl.
 */
#ifndef POOLCTL_COMPLETION_SCRIPTS_H
#define POOLCTL_COMPLETION_SCRIPTS_H

struct completion_script {
	const char *name; /* of the shell */
	const char *text;
};

/* Generated from ctl/completion/ by the Makefile, sorted by name; ends with a NULL
 * name. */
extern const struct completion_script completion_scripts[];

#endif
