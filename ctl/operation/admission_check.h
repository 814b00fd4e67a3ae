/*
 * The check between the reservation of a server and its drain: whether the server
 * may leave its pool now.
 */
#ifndef POOLCTL_ADMISSION_CHECK_H
#define POOLCTL_ADMISSION_CHECK_H

#include "api/client.h"
#include "operation/contention.h"
#include "operation/order.h"

struct admission_check;

/* Begins with DNS, before anything is reserved, and blocks for that:
 * POOL_SNAPSHOT_LIMIT_MS at most, and not at all if an older check of the same
 * server asked a moment ago.  Frees the older one, which may be NULL.  Returns
 * NULL, with ERR_INTERNAL, if DNS cannot be asked at all.  The order, the server
 * and the drain options must outlive the check. */
struct admission_check *admission_check_new(
	const struct order *order, const struct pool_server *server,
	const struct drain_options *drain_options, struct admission_check *older,
	struct err *err);

/* Once the server is reserved: asks every member, and the server for its preflight.
 * The replies come while the client is run, which must not be after the check was
 * freed. */
void admission_check_send(struct admission_check *check, struct client *client);
bool admission_check_is_over(const struct admission_check *check);

/* Once it is over: whether the server may be drained.  To be called once. */
enum contention admission_check_finish(struct admission_check *check);

/* True if a proxy, or nobody, replied in the server's place, or a proxy in that of
 * another member: that may be over in a moment. */
bool admission_check_may_pass(const struct admission_check *check);

/* After CONTENTION_LOST and CONTENTION_FIRST: the server whose reservation is in
 * the way.
 */
const struct pool_server *admission_check_rival(
	const struct admission_check *check);

/* Before it is over: adds which servers have not answered yet. */
void admission_check_explain_silence(const struct admission_check *check,
				     struct buf *text);

/* Adds who or what is in the way, for anything but CONTENTION_NONE. */
void admission_check_explain(const struct admission_check *check, struct buf *text);

/* The results of the gates, or NULL before the check is finished. */
const struct gate_result *admission_check_gates(
	const struct admission_check *check);

/* The names of what refuses and is passed all the same, as they are recorded. */
size_t admission_check_forced(const struct admission_check *check,
			      const char *names[GATE__COUNT]);

void admission_check_free(struct admission_check *check);

#endif
