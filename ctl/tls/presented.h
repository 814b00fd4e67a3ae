/*
 * The certificate that a server presents, whether it is trusted or not: to show it
 * to a person.  Only the handshake is made; no request is sent, so that nobody who
 * is not trusted learns anything.
 */
#ifndef POOLCTL_PRESENTED_H
#define POOLCTL_PRESENTED_H

#include "err.h"
#include "pool.h"

enum { PRESENTED_PIN_BYTES = 56 }; /* "sha256//", the base64 of 32 bytes, a NUL */

/* Texts as the other side has them, cleaned, to be freed with presented_done; NULL
 * if the library does not tell. */
struct presented {
	char *subject, *issuer, *names, *begins, *ends;
	char pin[PRESENTED_PIN_BYTES];
};

/* Connects, and reads what is presented.  Fails with ERR_UNREACHABLE or
 * ERR_UNTRUSTED (no TLS). */
int presented_look(const char *url, struct presented *presented, struct err *err);
void presented_done(struct presented *presented);

/* Connects, and fails as every request would: see tls_verify.h. */
int presented_check(const char *url, const struct pool_trust *trust,
		    struct err *err);

/* The pin of the key of a certificate in PEM form: the SHA-256 of its
 * SubjectPublicKeyInfo (RFC 5280, 4.1).  -1 if it is no certificate.  Pure. */
int presented_make_pin(const char *pem, char pin[PRESENTED_PIN_BYTES]);

#endif
