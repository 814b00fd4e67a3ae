#include "tls/tls_verify.h"

#include "buf.h"

#include <string.h>

/* Authorities inside a company often publish no list of what they revoked, which
 * Schannel would not accept. */
void tls_verify_set(CURL *easy, const struct pool_trust *trust)
{
	bool is_by_authority = trust->ca_file || !trust->pins.count;
	struct buf pins = {0};

	(void)curl_easy_setopt(easy, CURLOPT_SSLVERSION,
			       (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_OPTIONS,
			       (long)CURLSSLOPT_REVOKE_BEST_EFFORT);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER,
			       is_by_authority ? 1L : 0L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST,
			       is_by_authority ? 2L : 0L);
	/* With a folder of authorities, the library would read the file of them for
	 * each connection. */
	(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	if (trust->ca_file || !is_by_authority)
		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, trust->ca_file);
	LIST_EACH (char *, pin, trust->pins)
		buf_printf(&pins, "%s%s", pins.length ? ";" : "", *pin);
	if (pins.length)
		(void)curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, pins.text);
	buf_done(&pins);
}

#define OR_PIN "or pin its key: `poolctl trust SERVER` shows it"

/* What libcurl says, with OpenSSL or with Schannel, in the order in which it is
 * looked for; "" fits any text. */
static const struct {
	CURLcode code;
	const char *says;
	enum err_code error;
	const char *text;
} failures[] = {
	{CURLE_SSL_PINNEDPUBKEYNOTMATCH, "", ERR_UNTRUSTED,
	 "it presents another key than the one that pool.yaml pins: either its key was "
	 "replaced, or another machine answers; ask who runs it, then `poolctl trust "
	 "SERVER` shows both keys"},
	{CURLE_SSL_CACERT_BADFILE, "", ERR_CONFIG,
	 "the file of authorities cannot be used; check 'ca_file' in pool.yaml"},
	{CURLE_PEER_FAILED_VERIFICATION, "expired", ERR_UNTRUSTED,
	 "its certificate has expired; renew it there (poold uses new files by itself), "
	 "and check the clock of this machine"},
	{CURLE_PEER_FAILED_VERIFICATION, "CERT_EXPIRED", ERR_UNTRUSTED,
	 "its certificate has expired; renew it there (poold uses new files by itself), "
	 "and check the clock of this machine"},
	{CURLE_PEER_FAILED_VERIFICATION, "NOT_TIME_VALID", ERR_UNTRUSTED,
	 "its certificate has expired, or is not valid yet; renew it there (poold uses "
	 "new files by itself), and check the clock of this machine"},
	{CURLE_PEER_FAILED_VERIFICATION, "not yet valid", ERR_UNTRUSTED,
	 "its certificate is not valid yet; check the clocks of both machines"},
	{CURLE_PEER_FAILED_VERIFICATION, "subject name", ERR_UNTRUSTED,
	 "its certificate is for another name than the host of its url; use a name of "
	 "the certificate in 'url', or a certificate with this name, " OR_PIN},
	{CURLE_PEER_FAILED_VERIFICATION, "does not match", ERR_UNTRUSTED,
	 "its certificate is for another name than the host of its url; use a name of "
	 "the certificate in 'url', or a certificate with this name, " OR_PIN},
	{CURLE_PEER_FAILED_VERIFICATION, "match connection hostname", ERR_UNTRUSTED,
	 "its certificate is for another name than the host of its url; use a name of "
	 "the certificate in 'url', or a certificate with this name, " OR_PIN},
	{CURLE_PEER_FAILED_VERIFICATION, "WRONG_PRINCIPAL", ERR_UNTRUSTED,
	 "its certificate is for another name than the host of its url; use a name of "
	 "the certificate in 'url', or a certificate with this name, " OR_PIN},
	{CURLE_PEER_FAILED_VERIFICATION, "in certificate chain", ERR_UNTRUSTED,
	 "its certificate is of an authority that is not trusted here; name the file "
	 "with that authority as 'ca_file' in pool.yaml, " OR_PIN},
	{CURLE_PEER_FAILED_VERIFICATION, "self-signed certificate", ERR_UNTRUSTED,
	 "its certificate is self-signed, and pool.yaml pins no key for it; `poolctl "
	 "trust SERVER` shows the key and pins it"},
	{CURLE_PEER_FAILED_VERIFICATION, "", ERR_UNTRUSTED,
	 "its certificate is not of an authority that is trusted here; name the file "
	 "with that authority as 'ca_file' in pool.yaml, " OR_PIN},
	{CURLE_SSL_CONNECT_ERROR, "SSL_ERROR_SYSCALL", ERR_UNREACHABLE,
	 "it closed the connection before TLS began; perhaps it does not speak TLS: set "
	 "'tls' in its poold.yaml, or check the port in 'url' in pool.yaml"},
	{CURLE_SSL_CONNECT_ERROR, "unexpected eof", ERR_UNREACHABLE,
	 "it closed the connection before TLS began; perhaps it does not speak TLS: set "
	 "'tls' in its poold.yaml, or check the port in 'url' in pool.yaml"},
	{CURLE_SSL_CONNECT_ERROR, "wrong version number", ERR_UNTRUSTED,
	 "it does not speak TLS; set 'tls' in its poold.yaml, or check the port in "
	 "'url' in pool.yaml"},
	{CURLE_SSL_CONNECT_ERROR, "INVALID_TOKEN", ERR_UNTRUSTED,
	 "it does not speak TLS; set 'tls' in its poold.yaml, or check the port in "
	 "'url' in pool.yaml"},
	{CURLE_SSL_CONNECT_ERROR, "ILLEGAL_MESSAGE", ERR_UNTRUSTED,
	 "it does not speak TLS; set 'tls' in its poold.yaml, or check the port in "
	 "'url' in pool.yaml"},
	{CURLE_SSL_CONNECT_ERROR, "", ERR_UNREACHABLE,
	 "it ended the TLS handshake: it does not speak TLS (set 'tls' in its "
	 "poold.yaml, or check the port in 'url' in pool.yaml), or it is stopping"},
};

bool tls_verify_explain(CURLcode code, const char *says, const char *url,
			struct err *err)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (failures[i].code != code || !strstr(says, failures[i].says))
			continue;
		(void)err_set(err, failures[i].error, "%s", failures[i].text);
		return true;
	}
	/* To a server with TLS, a plain request is no beginning. */
	if (code != CURLE_GOT_NOTHING || strncmp(url, "http://", 7) != 0)
		return false;
	(void)err_set(err, ERR_UNREACHABLE,
		      "it closed the connection without a reply; if its poold has "
		      "TLS, 'url' in pool.yaml must begin with https://");
	return true;
}
