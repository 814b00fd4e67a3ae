/*
 * bare_httpd PORT FILE TYPE [CERTIFICATE KEY PRIORITIES]: the least that
 * libmicrohttpd can do, which poold is measured against.  It answers every request
 * with the bytes of FILE, from memory; with the other three, over TLS.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_LIMIT_BYTES = 1 << 20 };

static char bytes[FILE_LIMIT_BYTES];
static size_t length;
static const char *type;

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection,
			      const char *path, const char *method,
			      const char *version, const char *data, size_t *size,
			      void **context)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	(void)arg, (void)path, (void)method, (void)version, (void)data, (void)size;
	/* The first call for a request has its headers, and only the second may
	 * answer.
	 */
	if (!*context) {
		*context = bytes;
		return MHD_YES;
	}
	response = MHD_create_response_from_buffer(length, bytes,
						   MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	(void)MHD_add_response_header(response, "Content-Type", type);
	result = MHD_queue_response(connection, 200, response);
	MHD_destroy_response(response);
	return result;
}

/* The text of a file, which is needed to the end. */
static char *read_text(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = calloc(1, FILE_LIMIT_BYTES);

	if (!file || !text || !fread(text, 1, FILE_LIMIT_BYTES - 1, file)) {
		fprintf(stderr, "bare_httpd: cannot read %s\n", path);
		exit(1);
	}
	(void)fclose(file);
	return text;
}

static struct MHD_Daemon *start(struct sockaddr_in *address, char **tls)
{
	unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD;

	if (!tls)
		return MHD_start_daemon(flags, 0, NULL, NULL, answer, NULL,
					MHD_OPTION_SOCK_ADDR, address,
					MHD_OPTION_END);
	return MHD_start_daemon(
		flags | MHD_USE_TLS, 0, NULL, NULL, answer, NULL,
		MHD_OPTION_SOCK_ADDR, address, MHD_OPTION_HTTPS_MEM_CERT,
		read_text(tls[0]), MHD_OPTION_HTTPS_MEM_KEY, read_text(tls[1]),
		MHD_OPTION_HTTPS_PRIORITIES, tls[2], MHD_OPTION_END);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	FILE *file = argc == 4 || argc == 7 ? fopen(argv[2], "rb") : NULL;
	sigset_t ends;
	int number;

	if (!file) {
		fputs("usage: bare_httpd PORT FILE TYPE [CERTIFICATE KEY PRIORITIES]\n",
		      stderr);
		return 2;
	}
	length = fread(bytes, 1, sizeof(bytes), file);
	(void)fclose(file);
	type = argv[3];
	address.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &ends, NULL);
	if (!start(&address, argc == 7 ? argv + 4 : NULL)) {
		fprintf(stderr, "bare_httpd: cannot listen on port %s\n", argv[1]);
		return 1;
	}
	return sigwait(&ends, &number);
}
