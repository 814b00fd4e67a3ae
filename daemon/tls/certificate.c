#include "tls/certificate_private.h"

#include "api.h"
#include "mem.h"
#include "system/file.h"
#include "system/private.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT_BYTES = 1 << 20, SHA256_BYTES = 32, DAY_MS = 86400000 };

/* A file as the library takes it. */
struct pem {
	const char *path;
	char *text;
	size_t length;
};

static gnutls_datum_t datum_of(const struct pem *pem)
{
	return (gnutls_datum_t){(unsigned char *)pem->text, (unsigned)pem->length};
}

static int read_pem(const char *path, struct pem *pem, struct err *err)
{
	pem->path = path;
	return file_read_regular(path, FILE_LIMIT_BYTES, ERR_CONFIG, &pem->text,
				 &pem->length, err);
}

/* The key does not stay in memory that is given back. */
static void forget(struct pem *pem)
{
	if (pem->text)
		gnutls_memset(pem->text, 0, pem->length);
	free(pem->text);
}

static int fail(const char *path, const char *what, int code, struct err *err)
{
	return err_set(err, ERR_CONFIG, "%s: %s (%s)", path, what,
		       gnutls_strerror(code));
}

/* ---- the parts ---- */

static int load_chain(struct certificate *certificate, const struct pem *pem,
		      struct err *err)
{
	gnutls_datum_t data = datum_of(pem);
	unsigned count = CERTIFICATE_CHAIN_LIMIT;
	int code = gnutls_pcert_list_import_x509_raw(certificate->chain, &count,
						     &data, GNUTLS_X509_FMT_PEM, 0);

	if (code == GNUTLS_E_SHORT_MEMORY_BUFFER)
		return err_set(err, ERR_CONFIG,
			       "%s has more than %d certificates; expected the "
			       "server's, and after it those of the authorities "
			       "between",
			       pem->path, CERTIFICATE_CHAIN_LIMIT);
	if (code < 0)
		return fail(pem->path,
			    "poold finds no certificate in this file; it must be "
			    "in PEM form, '-----BEGIN CERTIFICATE-----'",
			    code, err);
	certificate->count = count;
	return 0;
}

/* The words for the mistake that is made most come from the file itself. */
static int load_key(struct certificate *certificate, const struct pem *pem,
		    struct err *err)
{
	gnutls_datum_t data = datum_of(pem);
	int code = gnutls_privkey_init(&certificate->key);

	if (code >= 0)
		code = gnutls_privkey_import_x509_raw(certificate->key, &data,
						      GNUTLS_X509_FMT_PEM, NULL, 0);
	if (code >= 0)
		return 0;
	if (strstr(pem->text, "ENCRYPTED"))
		return err_set(err, ERR_CONFIG,
			       "%s: the key has a password, which poold cannot "
			       "ask for; write it without: openssl pkey -in KEY "
			       "-out NEW",
			       pem->path);
	return fail(pem->path,
		    "poold finds no key in this file; it must be in PEM form, "
		    "'-----BEGIN PRIVATE KEY-----'",
		    code, err);
}

int certificate_make_pin(gnutls_pubkey_t key, char pin[CERTIFICATE_PIN_BYTES])
{
	unsigned char digest[SHA256_BYTES];
	gnutls_datum_t data = {digest, sizeof(digest)}, text;
	size_t size = sizeof(digest);
	int code = gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, digest,
					    &size);

	if (code >= 0)
		code = gnutls_base64_encode2(&data, &text);
	if (code < 0)
		return code;
	(void)snprintf(pin, CERTIFICATE_PIN_BYTES, "sha256//%.*s", (int)text.size,
		       text.data);
	gnutls_free(text.data);
	return 0;
}

static int make_pin_of_private(gnutls_privkey_t key,
			       char pin[CERTIFICATE_PIN_BYTES])
{
	gnutls_pubkey_t public;
	int code = gnutls_pubkey_init(&public);

	if (code < 0)
		return code;
	code = gnutls_pubkey_import_privkey(public, key, 0, 0);
	if (code >= 0)
		code = certificate_make_pin(public, pin);
	gnutls_pubkey_deinit(public);
	return code;
}

/* A pin stands for one key. */
static int check_pair(struct certificate *certificate, const char *path,
		      const char *key_path, struct err *err)
{
	char pin[CERTIFICATE_PIN_BYTES];
	int code = certificate_make_pin(certificate->chain[0].pubkey,
					certificate->pin);

	if (code < 0)
		return fail(path, "poold cannot use the key of this certificate",
			    code, err);
	code = make_pin_of_private(certificate->key, pin);
	if (code < 0)
		return fail(key_path, "poold cannot use this key", code, err);
	return !strcmp(pin, certificate->pin)
		       ? 0
		       : err_set(err, ERR_CONFIG,
				 "%s is not the key of the certificate in %s; copy "
				 "both files from the same place",
				 key_path, path);
}

static int read_end(const gnutls_pcert_st *one, struct wall *end)
{
	gnutls_x509_crt_t crt;
	time_t seconds = -1;

	if (gnutls_pcert_export_x509((gnutls_pcert_st *)one, &crt) < 0)
		return -1;
	seconds = gnutls_x509_crt_get_expiration_time(crt);
	gnutls_x509_crt_deinit(crt);
	end->ms = (int64_t)seconds * 1000;
	return seconds == (time_t)-1 ? -1 : 0;
}

static int read_ends(struct certificate *certificate, const char *path,
		     struct err *err)
{
	for (unsigned i = 0; i < certificate->count; i++) {
		struct wall end;

		if (read_end(&certificate->chain[i], &end))
			return err_set(
				err, ERR_CONFIG,
				"%s: the end of a certificate cannot be read",
				path);
		if (!i || end.ms < certificate->expires_at.ms)
			certificate->expires_at = end;
	}
	return 0;
}

static int load_client_ca(struct certificate *certificate, const char *path,
			  struct err *err)
{
	struct pem pem = {0};
	gnutls_datum_t data;
	int count = 0;

	if (!path)
		return 0;
	if (private_check_file(path, ERR_CONFIG, err) || read_pem(path, &pem, err))
		return -1;
	data = datum_of(&pem);
	if (gnutls_x509_trust_list_init(&certificate->client_ca, 0) >= 0)
		count = gnutls_x509_trust_list_add_trust_mem(
			certificate->client_ca, &data, NULL, GNUTLS_X509_FMT_PEM, 0,
			0);
	free(pem.text);
	return count > 0 ? 0
			 : err_set(err, ERR_CONFIG,
				   "%s: poold finds no certificate of an authority "
				   "in this file; it must be in PEM form",
				   path);
}

/* ---- all of it ---- */

static int load_pair(struct certificate *certificate, const struct poold_tls *files,
		     struct err *err)
{
	struct pem chain = {0}, key = {0};
	int ret = -1;

	if (private_check_file(files->certificate, ERR_CONFIG, err) ||
	    private_check_secret(files->key, ERR_CONFIG, err))
		return -1;
	if (!read_pem(files->certificate, &chain, err) &&
	    !read_pem(files->key, &key, err) &&
	    !load_chain(certificate, &chain, err) &&
	    !load_key(certificate, &key, err))
		ret = check_pair(certificate, files->certificate, files->key, err);
	forget(&chain);
	forget(&key);
	return ret;
}

struct certificate *certificate_load(const struct poold_tls *files, struct err *err)
{
	struct certificate *certificate = xcalloc(1, sizeof(*certificate));

	if (!load_pair(certificate, files, err) &&
	    !read_ends(certificate, files->certificate, err) &&
	    !load_client_ca(certificate, files->client_ca, err))
		return certificate;
	certificate_free(certificate);
	return NULL;
}

void certificate_free(struct certificate *certificate)
{
	if (!certificate)
		return;
	for (unsigned i = 0; i < certificate->count; i++)
		gnutls_pcert_deinit(&certificate->chain[i]);
	if (certificate->key)
		gnutls_privkey_deinit(certificate->key);
	if (certificate->client_ca)
		gnutls_x509_trust_list_deinit(certificate->client_ca, 1);
	free(certificate);
}

struct wall certificate_expires_at(const struct certificate *certificate)
{
	return certificate->expires_at;
}

char *certificate_warn(struct wall end, struct wall now)
{
	int64_t rest_days = (end.ms - now.ms) / DAY_MS;
	char text[CLOCK_TEXT_BYTES];

	if (!end.ms ||
	    end.ms - now.ms > (int64_t)API_CERTIFICATE_WARN_DAYS * DAY_MS)
		return NULL;
	(void)clock_format(end, text);
	return end.ms <= now.ms
		       ? xasprintf("it ended at %s", text)
		       : xasprintf("it ends at %s, in %d day%s", text,
				   (int)rest_days, rest_days == 1 ? "" : "s");
}

static struct certificate *load_if(const struct poold_tls *files)
{
	return files->certificate ? certificate_load(files, NULL) : NULL;
}

char *certificate_warn_of(const struct poold_tls *files, struct wall now)
{
	struct certificate *certificate = load_if(files);
	char *text =
		certificate ? certificate_warn(certificate->expires_at, now) : NULL;

	certificate_free(certificate);
	return text;
}

char *certificate_describe(const struct poold_tls *files)
{
	struct certificate *certificate = load_if(files);
	char end[CLOCK_TEXT_BYTES], *text = NULL;

	if (certificate)
		text = xasprintf("until %s, pin %s",
				 clock_format(certificate->expires_at, end),
				 certificate->pin);
	certificate_free(certificate);
	return text;
}
