/*
 * Which server poolctl believes, and why it does not believe another one.
 *
 * Nothing switches the check off.  There are three ways to trust a server:
 *
 *   nothing set   an authority of the system certifies it, for the host of its url
 *   ca_file       the same, by an authority of this file alone
 *   pin           it has the key.  The chain, the name and the dates of its
 *                 certificate say nothing then, as with ssh's known_hosts; with
 *                 ca_file, both must hold
 */
#ifndef POOLCTL_TLS_VERIFY_H
#define POOLCTL_TLS_VERIFY_H

#include "err.h"
#include "pool.h"

#include <curl/curl.h>

/* Sets what must be seen before the first byte of a request is sent.  The handle
 * has the library's defaults. */
void tls_verify_set(CURL *easy, const struct pool_trust *trust);

/*
 * If the failure of a transfer is one of TLS, sets the error and returns true:
 * ERR_UNTRUSTED, or ERR_UNREACHABLE where it may pass.  `says` is the library's
 * text, `url` that of the request.
 */
bool tls_verify_explain(CURLcode code, const char *says, const char *url,
			struct err *err);

#endif
