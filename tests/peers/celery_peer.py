"""Celery: 16 threads; forked processes and gevent did no better. No result backend, as it comes.

At least once: acknowledged late, after the task.
"""

import multiprocessing

from celery import Celery

import clock

app = Celery("celery_peer", broker=clock.REDIS_URL)
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)


@app.task(name="nothing")
def nothing(number):
    clock.tick()


def send(count):
    # There is no sending of many at once; one connection for all is the quickest way.
    with app.producer_pool.acquire(block=True) as producer:
        for number in range(count):
            nothing.apply_async((number,), producer=producer)


def work():
    arguments = f"worker --pool threads --concurrency {clock.SLOTS} --loglevel ERROR"
    app.worker_main([*arguments.split(), "--without-gossip", "--without-mingle", "--without-heartbeat"])


if __name__ == "__main__":
    enqueued = clock.enqueue(send)
    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    processed = clock.wait()
    worker.terminate()
    worker.join()
    clock.report(enqueued, processed)
