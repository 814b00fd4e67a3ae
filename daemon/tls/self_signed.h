/*
 * A certificate that a server signs itself, for pools without an authority: whoever
 * pins its key needs none.
 */
#ifndef POOLD_SELF_SIGNED_H
#define POOLD_SELF_SIGNED_H

#include "err.h"
#include "tls/certificate.h"

enum {
	SELF_SIGNED_YEARS = 10, /* a pin has no end, and the key is what counts */
	SELF_SIGNED_NAMES = 16,
};

struct self_signed {
	char *certificate, *key; /* PEM */
	char pin[CERTIFICATE_PIN_BYTES];
};

/*
 * Makes a key (ECDSA, P-256) and its certificate for these names and IP addresses,
 * as texts; the first one is its subject.  Valid from an hour ago, so that a clock
 * that is behind takes it.  To be freed with self_signed_done.
 */
int self_signed_make(const char *const *names, size_t count, struct wall now,
		     struct self_signed *made, struct err *err);
void self_signed_done(struct self_signed *made);

#endif
