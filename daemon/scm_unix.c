#include "scm.h"

/* There is no Windows SCM here. */
struct scm *scm_windows_new(struct err *err)
{
	(void)err_set(
		err, ERR_CONFIG,
		"'scm: windows' needs Windows; here only 'scm: simulated' can be used");
	return NULL;
}
