#include "tls/tls.h"

#include "mem.h"
#include "system/file.h"
#include "system/log.h"
#include "tls/certificate_private.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOOK_MS = 3000,
	/* Longer than any handshake may take; see http.c. */
	HANDSHAKE_MS = 300000
};

struct stamps {
	char certificate[FILE_STAMP_BYTES], key[FILE_STAMP_BYTES],
		client_ca[FILE_STAMP_BYTES];
};

struct tls {
	const struct poold_tls *files;
	/* Of the main thread alone. */
	struct stamps used, seen;
	struct mono looked_at;

	pthread_mutex_t lock; /* of all below */
	/* In use, and after it those that handshakes may still use. */
	struct certificate *certificates;
	char *problem;
};

/* The library gives its callback no argument. */
static struct tls *_Atomic current;

static void look(const struct tls *tls, struct stamps *stamps)
{
	*stamps = (struct stamps){0};
	file_stamp(tls->files->certificate, stamps->certificate);
	file_stamp(tls->files->key, stamps->key);
	if (tls->files->client_ca)
		file_stamp(tls->files->client_ca, stamps->client_ca);
}

static bool is_same(const struct stamps *a, const struct stamps *b)
{
	return !strcmp(a->certificate, b->certificate) && !strcmp(a->key, b->key) &&
	       !strcmp(a->client_ca, b->client_ca);
}

struct tls *tls_new(const struct poold_tls *files)
{
	struct tls *tls;

	if (!files->certificate)
		return NULL;
	tls = xcalloc(1, sizeof(*tls));
	tls->files = files;
	pthread_mutex_init(&tls->lock, NULL);
	current = tls;
	return tls;
}

static void free_all(struct certificate *certificate)
{
	struct certificate *next;

	for (; certificate; certificate = next) {
		next = certificate->next;
		certificate_free(certificate);
	}
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	current = NULL;
	free_all(tls->certificates);
	pthread_mutex_destroy(&tls->lock);
	free(tls->problem);
	free(tls);
}

/* ---- the files ---- */

/* With the lock. */
static void drop_old(struct tls *tls, struct mono now)
{
	struct certificate **link = &tls->certificates->next;

	while (*link && clock_since((*link)->replaced_at, now) < HANDSHAKE_MS)
		link = &(*link)->next;
	free_all(*link);
	*link = NULL;
}

static void use(struct tls *tls, struct certificate *certificate)
{
	struct mono now = clock_mono();

	pthread_mutex_lock(&tls->lock);
	certificate->next = tls->certificates;
	if (certificate->next)
		certificate->next->replaced_at = now;
	tls->certificates = certificate;
	drop_old(tls, now);
	free(tls->problem);
	tls->problem = NULL;
	pthread_mutex_unlock(&tls->lock);
}

static void note_problem(struct tls *tls, const struct err *err)
{
	char *problem = xasprintf("the change of the certificate's files cannot be "
				  "used: %s; poold goes on with the certificate "
				  "that it has",
				  err->text);

	log_warning("%s", problem);
	pthread_mutex_lock(&tls->lock);
	free(tls->problem);
	tls->problem = problem;
	pthread_mutex_unlock(&tls->lock);
}

int tls_load(struct tls *tls, struct err *err)
{
	struct certificate *certificate;

	/* Before they are read: what is written meanwhile is seen later. */
	look(tls, &tls->used);
	tls->seen = tls->used;
	tls->looked_at = clock_mono();
	certificate = certificate_load(tls->files, err);
	if (!certificate)
		return -1;
	use(tls, certificate);
	return 0;
}

static void reload(struct tls *tls)
{
	char end[CLOCK_TEXT_BYTES];
	struct err err = {0};

	if (tls_load(tls, &err))
		note_problem(tls, &err);
	else
		log_info("the new certificate is in use; it ends at %s",
			 clock_format(tls_expires_at(tls), end));
}

void tls_step(struct tls *tls)
{
	struct mono now = clock_mono();
	struct stamps before;

	if (!tls || clock_since(tls->looked_at, now) < LOOK_MS)
		return;
	tls->looked_at = now;
	before = tls->seen;
	look(tls, &tls->seen);
	/* Nobody reads a file that is still being written. */
	if (is_same(&tls->seen, &before) && !is_same(&tls->seen, &tls->used))
		reload(tls);
}

/* ---- what others ask ---- */

struct wall tls_expires_at(struct tls *tls)
{
	struct wall end = {0};

	if (!tls)
		return end;
	pthread_mutex_lock(&tls->lock);
	if (tls->certificates)
		end = certificate_expires_at(tls->certificates);
	pthread_mutex_unlock(&tls->lock);
	return end;
}

char *tls_problem(struct tls *tls)
{
	char *problem = NULL;

	if (!tls)
		return NULL;
	pthread_mutex_lock(&tls->lock);
	if (tls->problem)
		problem = xstrdup(tls->problem);
	pthread_mutex_unlock(&tls->lock);
	return problem;
}

/* ---- handshakes ---- */

struct certificate *tls_in_use(struct tls *tls)
{
	struct certificate *certificate;

	pthread_mutex_lock(&tls->lock);
	certificate = tls->certificates;
	pthread_mutex_unlock(&tls->lock);
	return certificate;
}

const struct list *tls_clients(const struct tls *tls)
{
	return &tls->files->clients;
}

/* A client is asked for a certificate, and not told of which authorities: it has
 * one or none, and what it shows is verified with the request. */
static int choose(gnutls_session_t session, const gnutls_datum_t *authorities,
		  int authority_count, const gnutls_pk_algorithm_t *algorithms,
		  int algorithm_count, gnutls_pcert_st **chain, unsigned *count,
		  gnutls_privkey_t *key)
{
	struct tls *tls = current;
	struct certificate *certificate = tls ? tls_in_use(tls) : NULL;

	(void)authorities;
	(void)authority_count;
	(void)algorithms;
	(void)algorithm_count;
	if (!certificate)
		return -1;
	if (certificate->client_ca) {
		gnutls_certificate_send_x509_rdn_sequence(session, 1);
		gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
	}
	*chain = certificate->chain;
	*count = certificate->count;
	*key = certificate->key;
	return 0;
}

/* The HTTP library takes functions as pointers to data. */
void *const tls_choose_certificate = (void *)choose;
