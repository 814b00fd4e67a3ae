#include "sources/sessions_curl.h"

#include <dlfcn.h>
#include <string.h>

/* The name of the interface that curl.h describes; it has not changed since 2006.
 */
#define LIBRARY "libcurl.so.4"

#define CALL(name)                                               \
	{                                                        \
		"curl_" #name, offsetof(struct curl_calls, name) \
	}

static const struct {
	const char *name;
	size_t place;
} symbols[] = {
	CALL(global_init),    CALL(easy_init),        CALL(easy_setopt),
	CALL(easy_getinfo),   CALL(easy_strerror),    CALL(easy_cleanup),
	CALL(multi_init),     CALL(multi_add_handle), CALL(multi_remove_handle),
	CALL(multi_perform),  CALL(multi_poll),       CALL(multi_info_read),
	CALL(multi_cleanup),  CALL(multi_strerror),   CALL(slist_append),
	CALL(slist_free_all),
};

_Static_assert(sizeof(symbols) / sizeof(symbols[0]) ==
		       sizeof(struct curl_calls) / sizeof(void *),
	       "every call has its symbol");

int sessions_curl_load(struct curl_calls *calls, struct err *err)
{
	/* Never unloaded: it may have threads and exit handlers. */
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return err_set(err, ERR_SESSIONS, "libcurl cannot be loaded: %s",
			       dlerror());
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *symbol = dlsym(library, symbols[i].name);

		if (!symbol)
			return err_set(err, ERR_SESSIONS,
				       "libcurl cannot be used: it has no %s",
				       symbols[i].name);
		memcpy((char *)calls + symbols[i].place, &symbol, sizeof(symbol));
	}
	return 0;
}
