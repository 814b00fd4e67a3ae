#include "eventlog.h"

/* Every event is in the record and in the log already; a third copy would tell nobody
 * more. */
void eventlog_write(int id, enum event_level level, const char *text)
{
	(void)id;
	(void)level;
	(void)text;
}
