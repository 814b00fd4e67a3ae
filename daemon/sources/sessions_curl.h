/*
 * The part of libcurl that sessions_http.c uses.
 *
 * On Linux it is loaded when a source first needs it: linked, it and the twenty
 * libraries behind it would make every poold larger by 3 MiB.
 */
#ifndef POOLD_SESSIONS_CURL_H
#define POOLD_SESSIONS_CURL_H

#include "err.h"

#include <curl/curl.h>

struct curl_calls {
	CURLcode (*global_init)(long flags);
	CURL *(*easy_init)(void);
	CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
	CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
	const char *(*easy_strerror)(CURLcode code);
	void (*easy_cleanup)(CURL *easy);
	CURLM *(*multi_init)(void);
	CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_perform)(CURLM *multi, int *running);
	CURLMcode (*multi_poll)(CURLM *multi, struct curl_waitfd *more,
				unsigned count, int timeout_ms, int *ready);
	CURLMsg *(*multi_info_read)(CURLM *multi, int *left);
	CURLMcode (*multi_cleanup)(CURLM *multi);
	const char *(*multi_strerror)(CURLMcode code);
	struct curl_slist *(*slist_append)(struct curl_slist *list,
					   const char *text);
	void (*slist_free_all)(struct curl_slist *list);
};

/* Finds them, and fails with ERR_SESSIONS if there is no libcurl.  May block while
 * it is read from the disk.  To be called once. */
int sessions_curl_load(struct curl_calls *calls, struct err *err);

#endif
