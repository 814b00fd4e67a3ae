/*
 * Loads a pool.yaml, or only lets libyaml parse it: for comparing the two.
 *
 * usage: load_config ours|bare FILE TIMES.  "ours" prints how many bytes the loaded
 * configuration holds.
 */
#include "host.h"
#include "pool_config.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

static int load(const char *file)
{
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	struct buf mistakes = {0};
	struct err err = {0};
	struct pool_config *config = pool_config_load(file, &mistakes, &err);

	if (!config) {
		fputs(mistakes.text, stderr);
		return -1;
	}
	printf("%zu\n", mallinfo2().uordblks + mallinfo2().hblkhd - before);
	pool_config_free(config);
	buf_done(&mistakes);
	return 0;
}

static int parse(const char *file)
{
	struct err err = {0};
	yaml_parser_t parser;
	yaml_event_t event;
	size_t length;
	char *text;
	int is_over = 0;

	if (host_read_file(file, 1 << 20, ERR_CONFIG, &text, &length, &err) ||
	    !yaml_parser_initialize(&parser))
		return -1;
	yaml_parser_set_input_string(&parser, (unsigned char *)text, length);
	while (!is_over && yaml_parser_parse(&parser, &event)) {
		is_over = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	free(text);
	return is_over ? 0 : -1;
}

int main(int argc, char **argv)
{
	int times = argc == 4 ? (int)strtol(argv[3], NULL, 10) : 0;
	int ret = times > 0 ? 0 : -1;

	for (int i = 0; i < times && !ret; i++)
		ret = strcmp(argv[1], "ours") ? parse(argv[2]) : load(argv[2]);
	return ret ? 1 : 0;
}
