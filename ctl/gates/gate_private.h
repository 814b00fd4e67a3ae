/*
 * Shared by the gates: which members serve and would be left, the number that the
 * floor requires, and lists in texts.
 */
#ifndef POOLCTL_GATE_PRIVATE_H
#define POOLCTL_GATE_PRIVATE_H

#include "gates/gate.h"

/* ---- gate_serving.c ---- */

bool gate_serves(const struct gate_member *member);

/* It serves, and still will when the target has left. */
bool gate_is_left(const struct gate_input *input, const struct gate_member *member);

struct gate_tally {
	size_t serve, left, left_in_dns;
};

/* Counts among the first `of_first` by rank, or all if that is negative. */
struct gate_tally gate_tally(const struct gate_input *input, int64_t of_first);

/* The number of servers that the pool's floor requires. */
struct gate_need {
	bool is_known;
	int64_t least;
	int64_t of_first; /* counted among the first so many by rank; -1: all */
	bool is_unverified;
};

struct gate_need gate_need(const struct pool *pool);

/* Refuses, as the table of floors has no row for the pool. */
enum gate_verdict gate_refuse_without_row(const struct gate_input *input,
					  struct gate_result *result);

enum gate_verdict gate_check_last(const struct gate_input *input,
				  struct gate_result *result);
enum gate_verdict gate_check_floor(const struct gate_input *input,
				   struct gate_result *result);
enum gate_verdict gate_check_max_out(const struct gate_input *input,
				     struct gate_result *result);
enum gate_verdict gate_check_domain(const struct gate_input *input,
				    struct gate_result *result);

/* Adds ": frontend02 is drained ..." for each member that does not serve. */
void gate_add_absent(const struct gate_input *input, struct buf *text);

/* ---- gate.c ---- */

enum gate_verdict gate_check_clocks(const struct gate_input *input,
				    struct gate_result *result);

/* ---- gate_dns.c ---- */

enum gate_verdict gate_check_dns(const struct gate_input *input,
				 struct gate_result *result);
enum gate_verdict gate_check_dns_members(const struct gate_input *input,
					 struct gate_result *result);

/* ---- gate_text.c ---- */

const char *gate_target_name(const struct gate_input *input);

/* Adds a text that may be long, up to a limit. */
void gate_add_bounded(struct buf *text, const char *part);

struct gate_list {
	struct buf *text;
	const char *before; /* the first item */
	size_t count;
};

/* To be called before an item is added; false if the list is full. */
bool gate_list_next(struct gate_list *list);
void gate_list_end(const struct gate_list *list);

/* Adds how another server is brought back: the remedy where too few serve. */
void gate_add_bring_back(const struct gate_input *input, struct buf *remedy);

#endif
