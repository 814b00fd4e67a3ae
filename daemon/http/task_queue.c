#include "http/task_queue.h"
#include "system/waker.h"

void task_queue_init(struct task_queue *queue, const char *server)
{
	*queue = (struct task_queue){
		.server = server, .waker = waker_new(), .last = &queue->first};
	pthread_mutex_init(&queue->lock, NULL);
}

void task_queue_done(struct task_queue *queue)
{
	waker_free(queue->waker);
	pthread_mutex_destroy(&queue->lock);
}

static void refuse(const struct task_queue *queue, struct task *task)
{
	(void)err_set(&task->err, ERR_STOPPING, "poold on %s is stopping",
		      queue->server);
	task->done(task);
}

void task_queue_submit(struct task_queue *queue, struct task *task)
{
	bool is_closed;

	task->next = NULL;
	pthread_mutex_lock(&queue->lock);
	is_closed = queue->is_closed;
	if (!is_closed) {
		*queue->last = task;
		queue->last = &task->next;
	}
	pthread_mutex_unlock(&queue->lock);
	if (is_closed)
		refuse(queue, task);
	else
		waker_wake(queue->waker);
}

static struct task *take_first(struct task_queue *queue, bool *is_closed)
{
	struct task *task;

	pthread_mutex_lock(&queue->lock);
	*is_closed = queue->is_closed;
	task = queue->first;
	if (task) {
		queue->first = task->next;
		if (!queue->first)
			queue->last = &queue->first;
	}
	pthread_mutex_unlock(&queue->lock);
	return task;
}

struct task *task_queue_take(struct task_queue *queue)
{
	bool is_closed;
	struct task *task = take_first(queue, &is_closed);

	while (task && is_closed) {
		refuse(queue, task);
		task = take_first(queue, &is_closed);
	}
	return task;
}

bool task_queue_wait(struct task_queue *queue, int64_t ms)
{
	return waker_wait(queue->waker, ms);
}

void task_queue_wake(struct task_queue *queue)
{
	waker_wake(queue->waker);
}

void task_queue_close(struct task_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->is_closed = true;
	pthread_mutex_unlock(&queue->lock);
	waker_wake(queue->waker);
}

bool task_queue_is_closed(struct task_queue *queue)
{
	bool is_closed;

	pthread_mutex_lock(&queue->lock);
	is_closed = queue->is_closed;
	pthread_mutex_unlock(&queue->lock);
	return is_closed;
}
