/*
 * `poolctl check POOL`: a pool on one screen: what DNS says, who may leave, and whether
 * all is as it should be.
 */
#ifndef POOLCTL_CHECK_POOL_H
#define POOLCTL_CHECK_POOL_H

#include "options.h"
#include "survey.h"

/* Prints all pools of the survey, whose targets are all of their members; returns the
 * exit status. */
int check_pools(const struct survey *survey, unsigned forced,
		const struct options *options);

#endif
