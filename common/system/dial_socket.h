/*
 * The part of dial.c that differs between systems: sockets that never block.
 */
#ifndef POOLCTL_DIAL_SOCKET_H
#define POOLCTL_DIAL_SOCKET_H

#include "compat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0 or -1; the error of the last call that failed is asked for with the functions
 * below.
 */
int dial_socket_open(int family, socket_handle *handle);
void dial_socket_close(socket_handle handle);

/* True once it can be written or read, or is broken; false when the time is over.
 */
bool dial_socket_await(socket_handle handle, bool to_write, int64_t timeout_ms);
long dial_socket_send(socket_handle handle, const char *data, size_t size);
long dial_socket_receive(socket_handle handle, char *data, size_t size);

bool dial_socket_is_refused(void);
bool dial_socket_is_waiting(void); /* it would have blocked, or is under way */
void dial_socket_set_error(int number);
const char *dial_socket_error(void); /* for people; good until the next call */

#endif
