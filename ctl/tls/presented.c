#include "tls/presented.h"

#include "mem.h"
#include "text/text.h"
#include "tls/tls_verify.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECT_MS = 5000 };

/* The names of the library's fields, each with ':' behind it; with OpenSSL and with
 * Schannel they are the same, but for the names. */
static const struct field {
	const char *name;
	size_t offset;
} fields[] = {
	{"Subject:", offsetof(struct presented, subject)},
	{"Issuer:", offsetof(struct presented, issuer)},
	{"X509v3 Subject Alternative Name:", offsetof(struct presented, names)},
	{"Start date:", offsetof(struct presented, begins)},
	{"Expire date:", offsetof(struct presented, ends)},
};

static void take_field(const char *line, struct presented *presented)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *field = &fields[i];
		size_t length = strlen(field->name);
		char **to = (char **)((char *)presented + field->offset);

		if (strncasecmp(line, field->name, length) != 0 || *to)
			continue;
		*to = xstrdup(line + length + strspn(line + length, " "));
		text_join_lines(*to);
		text_clean(*to, true);
	}
}

/* The server's own certificate is the first one. */
static int read_presented(CURL *easy, struct presented *presented, struct err *err)
{
	struct curl_certinfo *all = NULL;
	bool has_pin = false;

	(void)curl_easy_getinfo(easy, CURLINFO_CERTINFO, &all);
	for (struct curl_slist *line = all && all->num_of_certs ? all->certinfo[0]
								: NULL;
	     line; line = line->next) {
		take_field(line->data, presented);
		if (!strncmp(line->data, "Cert:", 5))
			has_pin = !presented_make_pin(line->data, presented->pin);
	}
	return has_pin ? 0
		       : err_set(err, ERR_UNTRUSTED,
				 "it presents no certificate that can be read");
}

/* A connection as client.c makes it, without a request. */
static CURL *prepare(const char *url, char error[CURL_ERROR_SIZE], struct err *err)
{
	CURL *easy = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK
			     ? curl_easy_init()
			     : NULL;

	error[0] = '\0';
	if (!easy) {
		(void)err_set(err, ERR_INTERNAL, "the HTTP library cannot start");
		return NULL;
	}
	(void)curl_easy_setopt(easy, CURLOPT_URL, url);
	if (pool_is_localhost(url))
		(void)curl_easy_setopt(easy, CURLOPT_IPRESOLVE,
				       (long)CURL_IPRESOLVE_V4);
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
	(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
	return easy;
}

static int connect_once(CURL *easy, const char *url, const char *error,
			struct err *err)
{
	CURLcode code = curl_easy_perform(easy);

	if (code == CURLE_OK)
		return 0;
	if (!tls_verify_explain(code, error, url, err))
		(void)err_set(err, ERR_UNREACHABLE, "%s",
			      *error ? error : curl_easy_strerror(code));
	return -1;
}

static void finish(CURL *easy)
{
	curl_easy_cleanup(easy);
	curl_global_cleanup();
}

int presented_look(const char *url, struct presented *presented, struct err *err)
{
	char error[CURL_ERROR_SIZE];
	CURL *easy = prepare(url, error, err);
	int ret;

	*presented = (struct presented){0};
	if (!easy)
		return -1;
	/* Whoever it is: it is only shown. */
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);
	ret = connect_once(easy, url, error, err) ||
			      read_presented(easy, presented, err)
		      ? -1
		      : 0;
	finish(easy);
	return ret;
}

int presented_check(const char *url, const struct pool_trust *trust,
		    struct err *err)
{
	char error[CURL_ERROR_SIZE];
	CURL *easy = prepare(url, error, err);
	int ret;

	if (!easy)
		return -1;
	tls_verify_set(easy, trust);
	ret = connect_once(easy, url, error, err);
	finish(easy);
	return ret;
}

void presented_done(struct presented *presented)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		free(*(char **)((char *)presented + fields[i].offset));
	*presented = (struct presented){0};
}
