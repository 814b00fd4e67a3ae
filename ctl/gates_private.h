/*
 * What the gates share: who serves and will be left, what the floor asks for, and lists
 * in texts.
 */
#ifndef POOLCTL_GATES_PRIVATE_H
#define POOLCTL_GATES_PRIVATE_H

#include "gates.h"

/* ---- gates_serving.c ---- */

/* It serves. */
bool gate_serves(const struct gate_member *member);

/* It serves, and still will when the target has left. */
bool gate_is_left(const struct gates_input *input, const struct gate_member *member);

struct gate_tally {
	size_t serve, left, left_in_dns;
};

/* Of the first so many by rank, or of all if that is negative. */
struct gate_tally gate_tally(const struct gates_input *input, int64_t of_first);

/* What the pool's floor asks for. */
struct gate_need {
	bool is_known;
	int64_t least;
	int64_t of_first; /* counted among the first so many by rank; -1: all */
	bool is_unverified;
};

struct gate_need gate_need(const struct pool *pool);

enum gate_verdict gate_check_last(const struct gates_input *input,
				  struct gate_result *result);
enum gate_verdict gate_check_floor(const struct gates_input *input,
				   struct gate_result *result);
enum gate_verdict gate_check_max_out(const struct gates_input *input,
				     struct gate_result *result);
enum gate_verdict gate_check_domain(const struct gates_input *input,
				    struct gate_result *result);

/* Adds ": frontend02 is drained ..." for each member that does not serve. */
void gate_add_absent(const struct gates_input *input, struct buf *text);

/* ---- gates.c ---- */

enum gate_verdict gate_check_clocks(const struct gates_input *input,
				    struct gate_result *result);

/* ---- gates_dns.c ---- */

enum gate_verdict gate_check_dns(const struct gates_input *input,
				 struct gate_result *result);
enum gate_verdict gate_check_dns_members(const struct gates_input *input,
					 struct gate_result *result);

/* ---- gates_text.c ---- */

extern const char gate_wait_remedy[];

const char *gate_target_name(const struct gates_input *input);

/* Adds a text of which nobody knows how long it is, up to some limit. */
void gate_add_bounded(struct buf *text, const char *part);

struct gate_list {
	struct buf *text;
	const char *before; /* the first item */
	size_t count;
};

/* To be called before an item is added; false if there are enough already. */
bool gate_list_next(struct gate_list *list);
void gate_list_end(const struct gate_list *list);

#endif
