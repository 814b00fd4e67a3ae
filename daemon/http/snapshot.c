#include "http/snapshot.h"

#include <stdlib.h>

/* Under the lock. */
static void drop(struct snapshot *snapshot)
{
	if (!snapshot || --snapshot->references > 0)
		return;
	free(snapshot->server);
	free(snapshot->drains);
	free(snapshot->reserved);
	metrics_free(snapshot->metrics);
	free(snapshot);
}

void snapshot_shelf_init(struct snapshot_shelf *shelf)
{
	pthread_mutex_init(&shelf->lock, NULL);
	shelf->last = NULL;
}

void snapshot_shelf_done(struct snapshot_shelf *shelf)
{
	drop(shelf->last);
	pthread_mutex_destroy(&shelf->lock);
}

void snapshot_publish(struct snapshot_shelf *shelf, struct snapshot *fresh)
{
	fresh->shelf = shelf;
	fresh->references = 1;
	pthread_mutex_lock(&shelf->lock);
	drop(shelf->last);
	shelf->last = fresh;
	pthread_mutex_unlock(&shelf->lock);
}

struct snapshot *snapshot_take(struct snapshot_shelf *shelf)
{
	struct snapshot *snapshot;

	pthread_mutex_lock(&shelf->lock);
	snapshot = shelf->last;
	if (snapshot)
		snapshot->references++;
	pthread_mutex_unlock(&shelf->lock);
	return snapshot;
}

void snapshot_release(struct snapshot *snapshot)
{
	struct snapshot_shelf *shelf = snapshot->shelf;

	pthread_mutex_lock(&shelf->lock);
	drop(snapshot);
	pthread_mutex_unlock(&shelf->lock);
}
