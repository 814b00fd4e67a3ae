#include "sources/sessions_curl.h"

int sessions_curl_load(struct curl_calls *calls, struct err *err)
{
	(void)err;
	*calls = (struct curl_calls){
		.global_init = curl_global_init,
		.easy_init = curl_easy_init,
		.easy_setopt = curl_easy_setopt,
		.easy_getinfo = curl_easy_getinfo,
		.easy_strerror = curl_easy_strerror,
		.easy_cleanup = curl_easy_cleanup,
		.multi_init = curl_multi_init,
		.multi_add_handle = curl_multi_add_handle,
		.multi_remove_handle = curl_multi_remove_handle,
		.multi_perform = curl_multi_perform,
		.multi_poll = curl_multi_poll,
		.multi_info_read = curl_multi_info_read,
		.multi_cleanup = curl_multi_cleanup,
		.multi_strerror = curl_multi_strerror,
		.slist_append = curl_slist_append,
		.slist_free_all = curl_slist_free_all,
	};
	return 0;
}
