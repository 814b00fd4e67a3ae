#include "tls/tls.h"

#include "mem.h"
#include "tls/certificate_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NAME_BYTES = 512 };

/* The certificates that a client showed, its own first. */
struct shown {
	gnutls_x509_crt_t items[CERTIFICATE_CHAIN_LIMIT];
	unsigned count;
};

static void drop(struct shown *shown)
{
	while (shown->count)
		gnutls_x509_crt_deinit(shown->items[--shown->count]);
}

static int add(struct shown *shown, const gnutls_datum_t *der)
{
	gnutls_x509_crt_t *item = &shown->items[shown->count];

	if (gnutls_x509_crt_init(item) < 0)
		return -1;
	shown->count++;
	return gnutls_x509_crt_import(*item, der, GNUTLS_X509_FMT_DER) < 0 ? -1 : 0;
}

/* True if there is at least one, and all can be read. */
static bool read_shown(gnutls_session_t session, struct shown *shown)
{
	unsigned count = 0;
	const gnutls_datum_t *items;

	if (gnutls_certificate_type_get(session) != GNUTLS_CRT_X509)
		return false;
	items = gnutls_certificate_get_peers(session, &count);
	if (!items || !count || count > CERTIFICATE_CHAIN_LIMIT)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (add(shown, &items[i]))
			return false;
	return true;
}

/* The chain, the dates, and that it is a certificate for clients. */
static bool is_certified(gnutls_x509_trust_list_t authorities,
			 const struct shown *shown)
{
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT,
	};
	unsigned status = 0;
	int code = gnutls_x509_trust_list_verify_crt2(
		authorities, (gnutls_x509_crt_t *)shown->items, shown->count,
		&purpose, 1, 0, &status, NULL);

	return code >= 0 && !status;
}

static bool has_subject(gnutls_x509_crt_t crt, const char *subject)
{
	gnutls_datum_t text;
	bool is_same;

	if (gnutls_x509_crt_get_dn3(crt, &text, 0) < 0)
		return false;
	is_same = text.size == strlen(subject) &&
		  !memcmp(text.data, subject, text.size);
	gnutls_free(text.data);
	return is_same;
}

/* Only names of DNS have no case. */
static bool is_name(int kind, const char *name, size_t size, const char *san)
{
	/* One with a NUL in it would be another name to whoever reads it as text.
	 */
	if (size != strlen(san) || memchr(name, '\0', size))
		return false;
	if (kind == GNUTLS_SAN_DNSNAME)
		return !strncasecmp(name, san, size);
	return (kind == GNUTLS_SAN_RFC822NAME || kind == GNUTLS_SAN_URI) &&
	       !memcmp(name, san, size);
}

static bool has_san(gnutls_x509_crt_t crt, const char *san)
{
	char name[NAME_BYTES];

	for (unsigned i = 0;; i++) {
		size_t size = sizeof(name);
		int kind = gnutls_x509_crt_get_subject_alt_name(crt, i, name, &size,
								NULL);

		/* One that is too long is none of ours. */
		if (kind == GNUTLS_E_SHORT_MEMORY_BUFFER)
			continue;
		if (kind < 0)
			return false;
		if (is_name(kind, name, size, san))
			return true;
	}
}

static const struct poold_client *find(const struct list *clients,
				       gnutls_x509_crt_t crt)
{
	LIST_EACH (struct poold_client, client, *clients)
		if (client->subject ? has_subject(crt, client->subject)
				    : has_san(crt, client->san))
			return client;
	return NULL;
}

const struct poold_client *tls_client(struct tls *tls, void *session)
{
	const struct certificate *certificate = tls ? tls_in_use(tls) : NULL;
	const struct poold_client *client = NULL;
	struct shown shown = {0};

	if (certificate && certificate->client_ca && session &&
	    read_shown(session, &shown) &&
	    is_certified(certificate->client_ca, &shown))
		client = find(tls_clients(tls), shown.items[0]);
	drop(&shown);
	return client;
}
