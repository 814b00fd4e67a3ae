/* poolctl: takes servers of a pool out of service and back, from an admin's
 * machine. */
#include "commands/commands.h"
#include "completion.h"
#include "line/config.h"
#include "system/host.h"
#include "system/streams.h"
#include "mem.h"
#include "operation/step.h"
#include "pool_config.h"
#include "show/nagios.h"
#include "terminal/print.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { ANY_NUMBER = 1000 };

static const struct program_command {
	struct command command;
	bool has_config;
	command_run *run;
} commands[] = {
	{{"status", 0, ANY_NUMBER, "[POOL|SERVER...]", "watch",
	  "show which servers serve and which are out",
	  .examples = "status\n"
		      "status fe-pool01\n"
		      "status frontend01 -o json\n"
		      "status --watch",
	  .also = "list ls show get ps"},
	 true,
	 command_status},
	{{"check", 0, ANY_NUMBER, "[POOL...|SERVER...]",
	  "service with-group deadline force accept-broken-sessions nagios",
	  "check pools, or whether servers could be drained",
	  .about =
		  "Of a pool: whether its servers, DNS and clocks are as they should be, and\n"
		  "which servers may leave it.  Of a server: whether it could be drained now,\n"
		  "and in time.  Changes nothing.  Exit status 4: it is not so.",
	  .examples = "check fe-pool01\n"
		      "check fe-pool01 --nagios\n"
		      "check frontend01 --deadline 2h",
	  .also = "verify test"},
	 true,
	 command_check},
	{{"drain", 1, ANY_NUMBER, "SERVER...",
	  "id owner reason service with-group deadline on-deadline until dry-run force confirm "
	  "accept-broken-sessions lock-wait no-wait timeout heartbeat",
	  "stop new sessions, and wait until all others end",
	  .about =
		  "Takes servers out of service: they take no new sessions, and stay out until\n"
		  "'poolctl resume', also after a crash or reboot.  A server is refused if its pool\n"
		  "cannot spare it.  Ctrl-C stops the waiting, not the drain.",
	  .examples =
		  "drain frontend01 --reason KB5031364\n"
		  "drain frontend01 --reason KB5031364 --deadline 2h --on-deadline resume\n"
		  "drain frontend01 --dry-run",
	  .also = "pause cordon disable stop suspend"},
	 true,
	 command_drain},
	{{"resume", 1, ANY_NUMBER, "SERVER...",
	  "id all owner force no-wait timeout heartbeat",
	  "end a drain, and wait until all is as before",
	  .about =
		  "Ends your drain of the servers, waits until their services are exactly as they\n"
		  "were before, and tries to connect to them.  Of somebody else's drain\n"
		  "it says whose it is; --force=owner or --all ends that too.",
	  .examples = "resume frontend01\n"
		      "resume frontend01 --id kb5031364 --force=owner\n"
		      "resume frontend01 --all",
	  .also = "undrain uncordon continue enable start unpause"},
	 true,
	 command_resume},
	{{"wait", 1, ANY_NUMBER, "SERVER...",
	  "for id service with-group timeout heartbeat",
	  "wait until servers are drained or serving",
	  .examples = "wait frontend01 --for drained --timeout 2h\n"
		      "wait frontend01 --for drained --service RTCSRV"},
	 true,
	 command_wait},
	{{"sessions", 1, 1, "SERVER", "service with-group limit",
	  "show who is still connected, oldest first",
	  .examples = "sessions frontend01\n"
		      "sessions frontend01 --service RTCSRV --limit 20",
	  .also = "connections users"},
	 true,
	 command_sessions},
	{{"events", 1, 1, "SERVER", "after limit follow verify head",
	  "show what happened on a server, and who did it",
	  .examples = "events frontend01 --limit 20\n"
		      "events frontend01 --after 0\n"
		      "events frontend01 --follow\n"
		      "events frontend01 --verify",
	  .also = "log logs history record audit"},
	 true,
	 command_events},
	{{"trust", 1, 1, "SERVER", "yes",
	  "show a server's certificate, and pin its key",
	  .about =
		  "Shows the certificate that the server presents beside what pool.yaml has for it.\n"
		  "After a yes, writes the pin of its key into pool.yaml.  Compare the pin first\n"
		  "with what 'poold check' prints on the server.",
	  .examples = "trust frontend01\n"
		      "trust frontend01 "
		      "--yes sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
	  .also = "pin certificate tls"},
	 true,
	 command_trust},
	{{"doctor", 0, ANY_NUMBER, "[POOL|SERVER...]", "",
	  "check whether poolctl can work from this machine",
	  .about =
		  "One line for each server: whether its name resolves, it answers, its certificate\n"
		  "is trusted and the credential is taken, and with which role; if not, what to do.\n"
		  "Changes nothing.",
	  .examples = "doctor\n"
		      "doctor frontend01\n"
		      "doctor -o json",
	  .also = "diagnose debug whoami ping"},
	 true,
	 command_doctor},
	{{"config check", 0, 1, "[FILE]", "poold",
	  "find the mistakes in a pool.yaml",
	  .examples = "config check pool.yaml\n"
		      "config check --poold poold.yaml",
	  .also = "validate lint"},
	 false,
	 command_config_check},
	{{"config show", 0, 2, "[FILE] [NAME]", "yaml no-defaults",
	  "show the settings in force, and their origin",
	  .examples = "config show\n"
		      "config show pool.yaml --no-defaults\n"
		      "config show frontend01 -o yaml"},
	 true,
	 command_config_show},
	{{"config init", 0, 1, "[FILE]", "pool fqdn profile server service",
	  "write a first pool.yaml",
	  .about =
		  "Asks on the terminal for what the options do not say.  What it writes, loads.",
	  .examples =
		  "config init\n"
		  "config init --pool fe-pool01 --server frontend01=10.1.0.11 --service RTCSRV=5061"},
	 false,
	 command_config_init},
	{{"config profiles", 0, 0, "", "", "list the profiles that are built in",
	  .examples = "config profiles"},
	 false,
	 command_config_profiles},
	{{"config schema", 0, 0, "", "poold", "print a JSON Schema for editors",
	  .examples = "config schema >pool.schema.json"},
	 false,
	 command_config_schema},
	{{"config reference", 0, 0, "", "", "print what every key means",
	  .examples = "config reference"},
	 false,
	 command_config_reference},
	{{"completion", 1, 1, "SHELL", "", "print the completion of a shell",
	  .about =
		  "Prints a script with which bash, zsh, fish or powershell completes commands,\n"
		  "options, and the names of pools, servers and services from pool.yaml.",
	  .examples = "completion bash >/etc/bash_completion.d/poolctl\n"
		      "completion fish >~/.config/fish/completions/poolctl.fish"},
	 false,
	 command_completion},
	{{"version", 0, 0, "", "", "show the version of poolctl",
	  .examples = "version\nversion -o json"},
	 false,
	 NULL},
	{{"help", 0, 2, "[COMMAND]", "", "show this help, or that of a command",
	  .examples = "help drain"},
	 false,
	 NULL},
};

static const struct command_line command_line = {
	.program = "poolctl",
	.version = VERSION,
	.options = options_table,
	.option_count = OPTIONS_COUNT,
	.commands = commands,
	.command_bytes = sizeof(commands[0]),
	.command_count = sizeof(commands) / sizeof(commands[0]),
};

/* Prints all mistakes of the file; the error's text has only the first. */
static struct pool_config *load_config(const struct options *options,
				       struct err *err)
{
	char standard[HOST_PATH_BYTES];
	struct buf mistakes = {0};
	struct pool_config *config;

	config = pool_config_load(config_path(options, standard),
				  pool_config_remedy, &mistakes, err);
	if (!config)
		print_complaints(mistakes.text);
	buf_done(&mistakes);
	return config;
}

static int run(const struct program_command *chosen, const struct options *options,
	       struct err *err)
{
	struct pool_config *config = NULL;
	int ret;

	if (options->output == OUTPUT_YAML &&
	    !command_takes(&chosen->command, "yaml"))
		return err_set(err, ERR_USAGE,
			       "'%s' cannot print yaml; use table, json or jsonl",
			       chosen->command.name);
	if (chosen->has_config) {
		config = load_config(options, err);
		if (!config)
			return err_info(ERR_CONFIG)->exit_status;
	}
	ret = chosen->run(options, config, err);
	pool_config_free(config);
	return ret;
}

static int run_command(int argc, char **argv, bool *is_nagios, struct err *err)
{
	const struct program_command *chosen;
	struct options options;
	const char *no_color = getenv("NO_COLOR");
	int status = -1;

	if (argc == 2 && !strcmp(argv[1], "--dump-operation")) {
		step_print(stdout);
		return 0;
	}
	if (completion_is_asked(argc, argv)) {
		completion_print(&command_line, argc, argv);
		return 0;
	}
	options_init(&options);
	if (!command_line_parse(&command_line, argc, argv, &options, err)) {
		options.has_no_color |= no_color && *no_color;
		if (options.is_local)
			clock_show_local();
		options.given.is_json = options.output == OUTPUT_JSON ||
					options.output == OUTPUT_JSONL;
		chosen = command_line_choose(&command_line, &options.given, &status,
					     err);
		if (chosen)
			status = run(chosen, &options, err);
	}
	*is_nagios = options.is_nagios;
	options_done(&options);
	if (*is_nagios && err->code)
		return nagios_fail(err->text);
	if (status >= 0)
		return status;
	print_complaint("%s", err->text);
	return err_info(err->code)->exit_status;
}

int main(int argc, char **argv)
{
	struct err err = {0}, lost = {0};
	bool is_nagios = false;
	int status;

	json_set_alloc_funcs(xmalloc, free);
	host_init(&argc, &argv);
	status = streams_finish(run_command(argc, argv, &is_nagios, &err), &lost);
	if (lost.code)
		print_complaint("%s", lost.text);
	/* The program that calls it must not take 1 for a warning. */
	if (lost.code && is_nagios)
		status = NAGIOS_UNKNOWN;
	host_done();
	return status;
}
