/*
 * The look that comes between the reservation of a server and its drain: whether the
 * server may leave its pool now.
 */
#ifndef POOLCTL_LOOK_H
#define POOLCTL_LOOK_H

#include "drive.h"
#include "rivals.h"

struct look;

/* Begins with DNS, before anything is reserved: it may block for SURVEY_LIMIT_MS, but
 * what an older look at the same server asked a moment ago is taken over; that is freed,
 * and may be NULL.  NULL, with ERR_INTERNAL, if DNS cannot be asked at all.  The order,
 * the server and its terms must outlive the look. */
struct look *look_new(const struct order *order, const struct pool_server *server,
		      const struct terms *terms, struct look *older, struct err *err);

/* Once the server is reserved: asks every member, and the server for its preflight. The
 * replies come while the client is run, which must not be after the look was freed. */
void look_send(struct look *look, struct client *client);
bool look_is_over(const struct look *look);

/* What comes of it, to be asked for once it is over, and once. */
enum rivalry look_settle(struct look *look);

/* Of RIVALRY_LOST and RIVALRY_FIRST: the server whose reservation is in the way. */
const struct pool_server *look_rival(const struct look *look);

/* Before that: adds who has not answered yet. */
void look_explain_silence(const struct look *look, struct buf *text);

/* Adds who or what is in the way, for anything but RIVALRY_NONE. */
void look_explain(const struct look *look, struct buf *text);

/* What the gates said, or NULL before it is settled. */
const struct gate_result *look_gates(const struct look *look);

/* The names of what refuses and is passed all the same, as they are recorded. */
size_t look_forced(const struct look *look, const char *names[GATE__COUNT]);

void look_free(struct look *look);

#endif
