#include "scm/security_template.h"

#include <string.h>
#include <strings.h>

static const char section[] = "[Service General Setting]";

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* `Name,2,"..."` or `"Name",2,"..."`; 2 to 4 are automatic, manual and disabled, as
 * in the SCM. */
static bool read_line(const char *line, const char *service, enum start_type *type)
{
	size_t length = strlen(service);
	bool is_quoted;

	line = skip_blanks(line);
	is_quoted = *line == '"';
	line += is_quoted;
	if (strncasecmp(line, service, length) != 0)
		return false;
	line += length;
	if (is_quoted && *line++ != '"')
		return false;
	line = skip_blanks(line);
	if (*line++ != ',')
		return false;
	line = skip_blanks(line);
	if (*line < '2' || *line > '4')
		return false;
	*type = (enum start_type)(*line - '0');
	return true;
}

bool security_template_find(const char *text, const char *service,
			    enum start_type *type)
{
	bool is_inside = false;

	for (const char *line = text; *line; line += strspn(line, "\r\n")) {
		if (*skip_blanks(line) == '[')
			is_inside = !strncasecmp(skip_blanks(line), section,
						 sizeof(section) - 1);
		else if (is_inside && read_line(line, service, type))
			return true;
		line += strcspn(line, "\r\n");
	}
	return false;
}
