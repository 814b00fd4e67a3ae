#include "system/rate.h"

bool rate_take(struct rate *rate, int at_once, int64_t every_ms, struct mono now)
{
	int64_t given_back = clock_since(rate->since, now) / every_ms;

	if (!rate->taken || given_back >= rate->taken) {
		rate->taken = 0;
		rate->since = now;
	} else if (given_back > 0) {
		rate->taken -= (int)given_back;
		rate->since = clock_add(rate->since, given_back * every_ms);
	}
	if (rate->taken >= at_once) {
		rate->left_out++;
		return false;
	}
	rate->taken++;
	return true;
}
