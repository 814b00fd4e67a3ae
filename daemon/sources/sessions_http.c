#include "sources/sessions_reader.h"

#include "buf.h"
#include "mem.h"
#include "sources/sessions_curl.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_MS = 50, BODY_LIMIT_BYTES = 1 << 20, STATUS_OK = 200 };

struct http_reader {
	struct sessions_reader reader;
	const struct pool_http *http;
	char *name; /* the url, without what may be a secret in it */
	/* They keep the connection for the next reading; NULL at first, and after
	 * one that failed. */
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;

	struct buf body;
	bool is_too_large;
	char error[CURL_ERROR_SIZE];
};

/* ---- the library, once for all readers ---- */

static struct curl_calls curl;
static struct err curl_missing;
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
	if (!sessions_curl_load(&curl, &curl_missing) &&
	    curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		(void)err_set(&curl_missing, ERR_SESSIONS,
			      "libcurl cannot be started");
}

/* ---- what may be shown ---- */

/* Whoever reads a message need not know a user, a password, or a token behind '?'
 * or '#'.
 * "" of what is no url at all. */
static char *harmless(const char *url)
{
	size_t scheme = !strncmp(url, "http://", 7)    ? 7
			: !strncmp(url, "https://", 8) ? 8
						       : 0;
	const char *host = url + scheme, *end = host + strcspn(host, "/?#"), *port;

	if (!scheme)
		return xstrdup("");
	for (const char *c = host; c < end; c++)
		if (*c == '@')
			host = c + 1;
	/* No port, but the beginning of a password with one of "/?#" in it. */
	port = host + strcspn(host, *host == '[' ? "]" : ":/?#");
	port += strspn(port, "]:");
	if (port + strspn(port, "0123456789") < end)
		return xasprintf("%.*s", (int)scheme, url);
	end += strcspn(end, "?#");
	return xasprintf("%.*s%.*s", (int)scheme, url, (int)(end - host), host);
}

/* ---- one reader ---- */

/* Taking less than was offered ends the transfer. */
static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_reader *http = context;
	size_t length = size * count;

	http->is_too_large = http->body.length + length > BODY_LIMIT_BYTES;
	if (http->is_too_large)
		return 0;
	buf_add(&http->body, bytes, length);
	return length;
}

/* CURLOPT_NOSIGNAL: a time limit must not come as a signal.  CURLOPT_QUICK_EXIT:
 * nor must who stops wait for a name to be resolved. */
static void restrict_to_http(CURL *easy)
{
	(void)curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl.easy_setopt(easy, CURLOPT_NOPROXY, "*");
	(void)curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl.easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	(void)curl.easy_setopt(easy, CURLOPT_USERAGENT, "poold/" VERSION);
}

/* With a file of our own, the system's authorities do not count.  Authorities
 * inside a company often publish no list of what they revoked, which Schannel would
 * not accept. */
static void verify_tls(CURL *easy, const char *ca_file)
{
	(void)curl.easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl.easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	(void)curl.easy_setopt(easy, CURLOPT_SSL_OPTIONS,
			       (long)CURLSSLOPT_REVOKE_BEST_EFFORT);
	if (!ca_file)
		return;
	(void)curl.easy_setopt(easy, CURLOPT_CAINFO, ca_file);
	(void)curl.easy_setopt(easy, CURLOPT_CAPATH, NULL);
}

static int prepare(struct http_reader *http, struct err *err)
{
	CURL *easy;

	(void)pthread_once(&curl_once, start_curl);
	if (curl_missing.code)
		return err_set(err, ERR_SESSIONS, "%s", curl_missing.text);
	if (http->easy)
		return 0;
	http->multi = curl.multi_init();
	http->easy = easy = curl.easy_init();
	http->headers = curl.slist_append(NULL, "Accept: application/json");
	if (!http->multi || !easy || !http->headers)
		return err_set(err, ERR_SESSIONS, "libcurl cannot be started");
	restrict_to_http(easy);
	verify_tls(easy, http->http->ca_file);
	(void)curl.easy_setopt(easy, CURLOPT_URL, http->http->url);
	(void)curl.easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
	(void)curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS,
			       (long)http->http->timeout_ms);
	(void)curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, http->error);
	(void)curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl.easy_setopt(easy, CURLOPT_WRITEDATA, http);
	return 0;
}

/* What the library says may be in the words of the other side. */
static int fail(const char *text, struct err *err)
{
	char shown[SESSIONS_SHOWN_BYTES];

	return err_set(err, ERR_SESSIONS, "%s",
		       sessions_show(text, strlen(text), shown));
}

static int explain(const struct http_reader *http, CURLcode code, struct err *err)
{
	if (http->is_too_large)
		return err_set(err, ERR_SESSIONS,
			       "the reply is larger than %d bytes",
			       BODY_LIMIT_BYTES);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(err, ERR_SESSIONS, "no whole reply within %g s",
			       (double)http->http->timeout_ms / 1000);
	return fail(*http->error ? http->error : curl.easy_strerror(code), err);
}

/* The easy interface would look at is_stopping once a second only. */
static int transfer(struct http_reader *http, struct err *err)
{
	int running = 1, left;
	CURLMsg *message;
	CURLMcode code;

	while (running) {
		if (http->reader.is_stopping)
			return err_set(err, ERR_SESSIONS, "poold is stopping");
		code = curl.multi_perform(http->multi, &running);
		if (!code && running)
			code = curl.multi_poll(http->multi, NULL, 0, STEP_MS, NULL);
		if (code)
			return fail(curl.multi_strerror(code), err);
	}
	message = curl.multi_info_read(http->multi, &left);
	if (message && message->data.result == CURLE_OK)
		return 0;
	return explain(http, message ? message->data.result : CURLE_GOT_NOTHING,
		       err);
}

static int check_status(const struct http_reader *http, struct err *err)
{
	char shown[SESSIONS_SHOWN_BYTES] = "";
	char *elsewhere = NULL, *target;
	long status = 0;

	(void)curl.easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl.easy_getinfo(http->easy, CURLINFO_REDIRECT_URL, &elsewhere);
	if (status == STATUS_OK)
		return 0;
	if (!elsewhere)
		return err_set(err, ERR_SESSIONS,
			       "the reply has status %ld, not 200", status);
	target = harmless(elsewhere);
	(void)sessions_show(target, strlen(target), shown);
	free(target);
	return err_set(err, ERR_SESSIONS,
		       "the reply has status %ld, not 200; redirects are not "
		       "followed%s%s",
		       status, *shown ? ": " : "", shown);
}

static int get(struct http_reader *http, struct err *err)
{
	CURLMcode code;
	int ret;

	http->body.length = 0;
	http->is_too_large = false;
	*http->error = '\0';
	code = curl.multi_add_handle(http->multi, http->easy);
	if (code)
		return fail(curl.multi_strerror(code), err);
	ret = transfer(http, err);
	if (!ret)
		ret = check_status(http, err);
	(void)curl.multi_remove_handle(http->multi, http->easy);
	return ret;
}

/* All of it; the next reading makes it anew. */
static void drop(struct http_reader *http)
{
	if (http->easy)
		curl.easy_cleanup(http->easy);
	if (http->multi)
		(void)curl.multi_cleanup(http->multi);
	if (http->headers)
		curl.slist_free_all(http->headers);
	http->easy = NULL;
	http->multi = NULL;
	http->headers = NULL;
}

static int read_http(struct sessions_reader *reader,
		     struct sessions_reading *reading, struct err *err)
{
	struct http_reader *http = (struct http_reader *)reader;
	struct err why = {0};
	int64_t count;

	if (prepare(http, &why) || get(http, &why)) {
		drop(http);
		return err_set(err, ERR_SESSIONS, "%s: %s", http->name, why.text);
	}
	if (sessions_read_json(http->body.text, http->body.length,
			       http->http->pointer, &count, &why))
		return err_set(err, ERR_SESSIONS, "what %s answered: %s",
			       http->name, why.text);
	*reading = (struct sessions_reading){.count = count};
	return 0;
}

static void free_http(struct sessions_reader *reader)
{
	struct http_reader *http = (struct http_reader *)reader;

	drop(http);
	buf_done(&http->body);
	free(http->name);
	free(http);
}

struct sessions_reader *sessions_http_new(const struct pool_http *http)
{
	static const struct sessions_reader_ops ops = {read_http, free_http};
	struct http_reader *reader = xcalloc(1, sizeof(*reader));

	reader->reader.ops = &ops;
	reader->http = http;
	reader->name = harmless(http->url);
	reader->reader.name = reader->name;
	reader->reader.pointer = http->pointer;
	return &reader->reader;
}
