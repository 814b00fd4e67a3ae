/*
 * Feeds arbitrary bytes to the loader of pool.yaml: the tree, the profiles, the
 * tables, and the rules.  Built with clang's libFuzzer, ASan and UBSan; see `make
 * fuzz`.
 */
#include "pool_config.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mistakes mistakes = {0};
	struct buf text = {0};
	struct pool_config *config =
		pool_config_parse("fuzz.yaml", (const char *)data, size, &mistakes);

	mistakes_print(&mistakes, &text);
	mistakes_done(&mistakes);
	buf_done(&text);
	pool_config_free(config);
	return 0;
}
