#include "forecast/lifetimes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How much a bin remembers.  More would say more exactly how it was on average,
 * which is not how it is today. */
static const double most_ends = 512, most_risk = 65536;

static const char header[] = "lifetimes 1";

double lifetimes_scale(double age_s)
{
	const double most = (double)LIFETIMES_BINS / LIFETIMES_BINS_PER_UNIT;
	double scaled = age_s > 0 ? log1p(age_s) : 0;

	return scaled < most ? scaled : most;
}

static void fade(struct lifetimes *lifetimes, int bin)
{
	while (lifetimes->ends[bin] > most_ends ||
	       lifetimes->risk[bin] > most_risk) {
		lifetimes->ends[bin] /= 2;
		lifetimes->risk[bin] /= 2;
	}
}

void lifetimes_add(struct lifetimes *lifetimes, double from_s, double to_s,
		   double sessions, bool has_ended)
{
	double from = lifetimes_scale(from_s) * LIFETIMES_BINS_PER_UNIT,
	       to = lifetimes_scale(to_s) * LIFETIMES_BINS_PER_UNIT;

	for (int bin = (int)from; bin < LIFETIMES_BINS && bin < to; bin++) {
		double begin = from > bin ? from : bin,
		       end = to < bin + 1 ? to : bin + 1;

		if (end > begin)
			lifetimes->risk[bin] += (end - begin) * sessions;
		fade(lifetimes, bin);
	}
	if (has_ended) {
		int bin = to < from ? (int)from : (int)to;

		if (bin >= LIFETIMES_BINS)
			bin = LIFETIMES_BINS - 1;
		lifetimes->ends[bin] += sessions;
		fade(lifetimes, bin);
	}
}

double lifetimes_ends(const struct lifetimes *lifetimes)
{
	double ends = 0;

	for (int bin = 0; bin < LIFETIMES_BINS; bin++)
		ends += lifetimes->ends[bin];
	return ends;
}

double lifetimes_oldest(const struct lifetimes *lifetimes)
{
	int bins = LIFETIMES_BINS;

	while (bins > 0 && lifetimes->risk[bins - 1] <= 0)
		bins--;
	return expm1((double)bins / LIFETIMES_BINS_PER_UNIT);
}

void lifetimes_print(const struct lifetimes *lifetimes, struct buf *text)
{
	buf_puts(text, header);
	for (int bin = 0; bin < LIFETIMES_BINS; bin++)
		if (lifetimes->ends[bin] > 0 || lifetimes->risk[bin] > 0)
			buf_printf(text, " %d:%.6g:%.6g", bin, lifetimes->ends[bin],
				   lifetimes->risk[bin]);
}

/* A number from 0 to `most`, with `after` or the end behind it. */
static bool read_number(const char **text, double most, char after, double *number)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	*number = strtod(*text, &end);
	/* Also false for what is not a number. */
	if (!(*number >= 0 && *number <= most) || (*end != after && *end))
		return false;
	*text = end;
	return true;
}

/* " bin:ends:risk", of a later bin than the last. */
static bool read_bin(const char **text, struct lifetimes *read, int *last)
{
	double bin, ends, risk;

	if (*(*text)++ != ' ' ||
	    !read_number(text, LIFETIMES_BINS - 1, ':', &bin) || bin <= *last ||
	    floor(bin) < bin)
		return false;
	if (*(*text)++ != ':' || !read_number(text, most_ends, ':', &ends))
		return false;
	if (*(*text)++ != ':' || !read_number(text, most_risk, ' ', &risk))
		return false;
	*last = (int)bin;
	read->ends[*last] = ends;
	read->risk[*last] = risk;
	return true;
}

int lifetimes_parse(struct lifetimes *lifetimes, const char *text, struct err *err)
{
	struct lifetimes read = {0};
	const char *at = text + strlen(header);
	int last = -1;

	if (strncmp(text, header, strlen(header)) != 0)
		return err_set(err, ERR_STORE, "these are not lifetimes");
	while (*at)
		if (!read_bin(&at, &read, &last))
			return err_set(err, ERR_STORE,
				       "the lifetimes are damaged after bin %d",
				       last);
	*lifetimes = read;
	return 0;
}
