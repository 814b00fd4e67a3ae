/*
 * What the files of TLS share: the library's form of a certificate.
 */
#ifndef POOLD_CERTIFICATE_PRIVATE_H
#define POOLD_CERTIFICATE_PRIVATE_H

#include "tls/certificate.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

enum { CERTIFICATE_CHAIN_LIMIT = 8 };

struct certificate {
	gnutls_pcert_st chain[CERTIFICATE_CHAIN_LIMIT]; /* the server's own first */
	unsigned count;
	gnutls_privkey_t key;
	gnutls_x509_trust_list_t client_ca; /* NULL: clients need no certificate */
	struct wall expires_at;
	char pin[CERTIFICATE_PIN_BYTES];

	/* Of the handshakes that may still use an old one; see tls.c. */
	struct mono replaced_at;
	struct certificate *next;
};

/* Writes the pin of a key: the SHA-256 of its SubjectPublicKeyInfo (RFC 7469, 2.4).
 */
int certificate_make_pin(gnutls_pubkey_t key, char pin[CERTIFICATE_PIN_BYTES]);

struct tls;

/* The certificate in use, or NULL; it lives for minutes after it was replaced. */
struct certificate *tls_in_use(struct tls *tls);
const struct list *tls_clients(const struct tls *tls); /* struct poold_client */

#endif
