/*
 * Names of DNS with letters beyond ASCII, as people write them and as DNS is asked.
 */
#ifndef POOLCTL_IDN_H
#define POOLCTL_IDN_H

/*
 * Returns the name with each label that is not ASCII as an A-label (IDNA 2008):
 * "müller.example" becomes "xn--mller-kva.example".  A name that is none stays as
 * it is. To be freed.
 */
char *idn_to_ascii(const char *name);

#endif
