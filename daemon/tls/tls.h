/*
 * TLS of the API: which certificate a handshake gets, and who the client is.
 *
 * The files are read again when they change, without a restart and without an end
 * of connections.  A change that cannot be used, as a key that is not that of the
 * certificate, is reported, and the old certificate stays in use.
 *
 * There is one in a process: the library's callback knows nothing else.  Its lock
 * is its own; any thread may ask.
 */
#ifndef POOLD_TLS_H
#define POOLD_TLS_H

#include "tls/certificate.h"

#include <stdbool.h>

/* TLS 1.2 and 1.3, with ephemeral keys and authenticated ciphers alone (RFC 9325,
 * 4.2), as the library writes it. */
#define TLS_PRIORITIES                                                         \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:"     \
	"+ECDHE-RSA:-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:" \
	"-MAC-ALL:+AEAD:%SERVER_PRECEDENCE"

struct tls;

/* NULL if `files` has no certificate: then there is no TLS.  `files` must outlive
 * it. */
struct tls *tls_new(const struct poold_tls *files);
void tls_free(struct tls *tls);

/* Reads the files.  Before that succeeded, there is nothing to serve with. */
int tls_load(struct tls *tls, struct err *err);

/* To be called about once a second; looks at the files every few seconds.  A change
 * is used once it stands still, and is logged, whether it can be used or not. */
void tls_step(struct tls *tls);

/* The end of the certificate in use; 0: there is none, or `tls` is NULL. */
struct wall tls_expires_at(struct tls *tls);

/* Why the files as they are now are not in use, to be freed; NULL: they are. */
char *tls_problem(struct tls *tls);

/* The library's gnutls_certificate_retrieve_function2. */
extern void *const tls_choose_certificate;

/*
 * The client whose certificate one of the authorities of `client_ca` certifies now,
 * and whom `clients` names; else NULL, whatever the reason.  `session` is the
 * library's gnutls_session_t.  It is verified at each call, which costs less than a
 * millisecond.  The result lives as long as `files`.
 */
const struct poold_client *tls_client(struct tls *tls, void *session);

#endif
