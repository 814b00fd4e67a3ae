#include "show/output.h"

#include "terminal/terminal.h"

#include <stdio.h>

static const struct output_writer *const writers[] = {
	[OUTPUT_TABLE] = &output_text,
	[OUTPUT_JSON] = &output_json,
	[OUTPUT_JSONL] = &output_jsonl,
	[OUTPUT_YAML] =
		&output_text, /* what a command prints as text is YAML then */
};

static void begin(struct output *output, const struct output_kind *kind,
		  const struct output_writer *writer)
{
	output->kind = kind;
	output->writer = writer;
	if (writer->begin)
		writer->begin(output);
}

void output_begin(struct output *output, const struct output_kind *kind,
		  const struct options *options, bool is_live)
{
	*output = (struct output){
		.is_live = is_live,
		.style.has_color =
			!options->has_no_color && terminal_can_draw(stdout),
	};
	begin(output, kind, writers[options->output]);
}

void output_begin_text(struct output *output, const struct output_kind *kind,
		       struct table_style style, struct buf *text)
{
	*output = (struct output){.style = style, .text = text};
	begin(output, kind, &output_text);
}

void output_entry(struct output *output, const void *entry)
{
	output->writer->entry(output, entry);
}

void output_row(struct output *output, const void *row)
{
	if (output->writer->row)
		output->writer->row(output, row);
}

void output_end(struct output *output)
{
	if (output->writer->end)
		output->writer->end(output);
}

void output_single(const struct output_kind *kind, const void *entry,
		   const struct options *options)
{
	struct output output;

	output_begin(&output, kind, options, false);
	output_entry(&output, entry);
	output_end(&output);
}

int output_check_live(const struct options *options, const char *option,
		      struct err *err)
{
	if (writers[options->output]->can_be_live)
		return 0;
	return err_set(
		err, ERR_USAGE,
		"%s shows each change when it comes: use -o table or -o jsonl",
		option);
}

bool output_can_be_drawn(const struct output *output)
{
	return output->writer->can_be_drawn && terminal_can_draw(stdout);
}
