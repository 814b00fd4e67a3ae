/*
 * The certificate of this server with its key, and the authorities of its clients,
 * as they were read from their files.
 *
 * Once it is loaded it does not change, so several threads may use it.
 */
#ifndef POOLD_CERTIFICATE_H
#define POOLD_CERTIFICATE_H

#include "clock.h"
#include "err.h"
#include "poold_config.h"

/* "sha256//", the base64 of 32 bytes, and a NUL: as libcurl takes it. */
enum { CERTIFICATE_PIN_BYTES = 56 };

struct certificate;

/*
 * Reads the files and checks that they can be used: others cannot change them nor
 * read the key, and the key is that of the certificate.  That a certificate has
 * expired is no failure: its end is known.  Fails with ERR_CONFIG, which names the
 * file and the remedy.
 */
struct certificate *certificate_load(const struct poold_tls *files,
				     struct err *err);
void certificate_free(struct certificate *certificate);

/* The first end of those in the file: from then on no client accepts it. */
struct wall certificate_expires_at(const struct certificate *certificate);

/* "it ends at TIME, in N days", to be freed; NULL if `end` is 0, which stands for
 * no certificate, or more than API_CERTIFICATE_WARN_DAYS away. */
char *certificate_warn(struct wall end, struct wall now);

/* The same of the files, read anew; and "until TIME, pin PIN" of them.  NULL also
 * if they cannot be used. */
char *certificate_warn_of(const struct poold_tls *files, struct wall now);
char *certificate_describe(const struct poold_tls *files);

#endif
