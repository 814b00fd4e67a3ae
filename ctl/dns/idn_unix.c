#include "dns/idn.h"

#include "mem.h"

#include <idn2.h>

char *idn_to_ascii(const char *name)
{
	char *ascii = NULL, *copy;

	if (idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
	    IDN2_OK)
		return xstrdup(name);
	copy = xstrdup(ascii);
	idn2_free(ascii);
	return copy;
}
