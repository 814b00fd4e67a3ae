/*
 * Security templates: the files in which Windows keeps what group policies say,
 * among other things, of the startup types of services.
 *
 * Format: [MS-GPSB] 2.2.8, "Service General Setting".
 */
#ifndef POOLD_SECURITY_TEMPLATE_H
#define POOLD_SECURITY_TEMPLATE_H

#include "api.h"

/* True if the text (UTF-8, any line ends) sets the startup type of this service,
 * which goes into `*type`.  Names are compared as Windows does, without case. */
bool security_template_find(const char *text, const char *service,
			    enum start_type *type);

#endif
