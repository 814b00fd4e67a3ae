/*
 * The one place where Windows and the rest differ by #ifdef: socket headers,
 * poll(), and what the compiler calls the printf of C99.
 *
 * Everything else that differs lives in files named *_windows.c and *_unix.c (or
 * *_linux.c), which the Makefile picks from.
 */
#ifndef POOLCTL_COMPAT_H
#define POOLCTL_COMPAT_H

#ifdef _WIN32
/* winsock2.h must come before windows.h, or the old socket names come in. */
#include <winsock2.h>
#include <ws2tcpip.h>
typedef SOCKET socket_handle;
/* Before 2020 it does not report connections that are refused: see to a limit of
 * time. */
#define poll WSAPoll
#define PRINTF_LIKE(text, first) __attribute__((format(gnu_printf, text, first)))
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
typedef int socket_handle;
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#endif

#endif
