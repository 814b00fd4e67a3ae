/*
 * What DNS says of a pool, for people and for programs.
 */
#ifndef POOLCTL_DNS_VIEW_TEXT_H
#define POOLCTL_DNS_VIEW_TEXT_H

#include "buf.h"
#include "dns/dns_view.h"

struct json_t;

/* "balanced", "one_address", ... */
const char *dns_view_text_balance(enum dns_balance verdict);

/* An object with all of a view that was judged. */
struct json_t *dns_view_text_to_json(const struct dns_view *view);

/*
 * Adds lines, each with its end: what the pool is; then, indented, what each
 * resolver says, which servers are missing in whose answer, which addresses are
 * nobody's, and which servers' own names are wrong.  Names of strangers are in it:
 * to be cleaned when it is printed.
 */
void dns_view_text_explain(const struct dns_view *view, struct buf *text);

#endif
