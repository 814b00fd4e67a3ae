#include "tls/self_signed.h"

#include "mem.h"
#include "net_address.h"
#include "tls/certificate_private.h"

#include <gnutls/crypto.h>

#include <stdlib.h>
#include <string.h>

enum { HOUR_S = 3600, YEAR_S = 365 * 24 * 3600, SERIAL_BYTES = 16 };

#define COMMON_NAME GNUTLS_OID_X520_COMMON_NAME

static int add_name(gnutls_x509_crt_t crt, const char *name)
{
	struct net_address address;
	bool is_ipv4;

	if (net_address_parse(name, &address))
		return gnutls_x509_crt_set_subject_alt_name(
			crt, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name),
			GNUTLS_FSAN_APPEND);
	/* One of IPv4 is in the last four bytes. */
	is_ipv4 = net_address_is_ipv4(&address);
	return gnutls_x509_crt_set_subject_alt_name(
		crt, GNUTLS_SAN_IPADDRESS, address.bytes + (is_ipv4 ? 12 : 0),
		is_ipv4 ? 4 : 16, GNUTLS_FSAN_APPEND);
}

static int set_names(gnutls_x509_crt_t crt, const char *const *names, size_t count)
{
	int code = gnutls_x509_crt_set_dn_by_oid(crt, COMMON_NAME, 0, names[0],
						 (unsigned)strlen(names[0]));

	for (size_t i = 0; code >= 0 && i < count; i++)
		code = add_name(crt, names[i]);
	return code;
}

static int set_serial(gnutls_x509_crt_t crt)
{
	unsigned char serial[SERIAL_BYTES];
	int code = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	/* Positive, and of full length (RFC 5280, 4.1.2.2). */
	serial[0] = (serial[0] & 0x7F) | 0x40;
	return code < 0 ? code
			: gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
}

/* All that does not depend on the server. */
static int set_rest(gnutls_x509_crt_t crt, struct wall now)
{
	time_t seconds = (time_t)(now.ms / 1000);
	int code = gnutls_x509_crt_set_version(crt, 3);

	if (code >= 0)
		code = set_serial(crt);
	if (code >= 0)
		code = gnutls_x509_crt_set_activation_time(crt, seconds - HOUR_S);
	if (code >= 0)
		code = gnutls_x509_crt_set_expiration_time(
			crt, seconds + (time_t)SELF_SIGNED_YEARS * YEAR_S);
	if (code >= 0)
		code = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
	if (code >= 0)
		code = gnutls_x509_crt_set_key_usage(crt,
						     GNUTLS_KEY_DIGITAL_SIGNATURE);
	return code < 0 ? code
			: gnutls_x509_crt_set_key_purpose_oid(
				  crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
}

static int sign(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	int code = gnutls_x509_privkey_generate(
		key, GNUTLS_PK_ECDSA,
		GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);

	if (code >= 0)
		code = gnutls_x509_crt_set_key(crt, key);
	return code < 0
		       ? code
		       : gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
}

static char *take(gnutls_datum_t *data)
{
	char *text = xasprintf("%.*s", (int)data->size, data->data);

	gnutls_memset(data->data, 0, data->size);
	gnutls_free(data->data);
	return text;
}

static int make_pin(gnutls_x509_crt_t crt, char pin[CERTIFICATE_PIN_BYTES])
{
	gnutls_pubkey_t public;
	int code = gnutls_pubkey_init(&public);

	if (code < 0)
		return code;
	code = gnutls_pubkey_import_x509(public, crt, 0);
	if (code >= 0)
		code = certificate_make_pin(public, pin);
	gnutls_pubkey_deinit(public);
	return code;
}

static int export(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key,
		  struct self_signed *made)
{
	gnutls_datum_t certificate, secret;
	int code = make_pin(crt, made->pin);

	if (code >= 0)
		code = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM,
					       &certificate);
	if (code < 0)
		return code;
	made->certificate = take(&certificate);
	code = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
						 GNUTLS_PKCS_PLAIN, &secret);
	if (code >= 0)
		made->key = take(&secret);
	return code;
}

int self_signed_make(const char *const *names, size_t count, struct wall now,
		     struct self_signed *made, struct err *err)
{
	gnutls_x509_crt_t crt = NULL;
	gnutls_x509_privkey_t key = NULL;
	int code = gnutls_x509_crt_init(&crt);

	*made = (struct self_signed){0};
	if (code >= 0)
		code = gnutls_x509_privkey_init(&key);
	if (code >= 0)
		code = set_names(crt, names, count);
	if (code >= 0)
		code = set_rest(crt, now);
	if (code >= 0)
		code = sign(crt, key);
	if (code >= 0)
		code = export(crt, key, made);
	if (key)
		gnutls_x509_privkey_deinit(key);
	if (crt)
		gnutls_x509_crt_deinit(crt);
	if (code >= 0)
		return 0;
	self_signed_done(made);
	return err_set(err, ERR_INTERNAL, "no certificate can be made: %s",
		       gnutls_strerror(code));
}

void self_signed_done(struct self_signed *made)
{
	if (made->key)
		gnutls_memset(made->key, 0, strlen(made->key));
	free(made->key);
	free(made->certificate);
	*made = (struct self_signed){0};
}
