"""RQ: one job at a time, in a fork of the worker for each (`fork`) or in the worker itself (`simple`).

At least once only by hand: a job is taken off its queue when it starts, and one whose worker died is put into the
registry of failed jobs, from which it can be requeued.
"""

import logging
import sys

import redis
from rq import Queue, SimpleWorker, Worker

import clock


def nothing(number):
    pass


# Jobs name their function by its module, which is not to be that of the program.
nothing.__module__ = "rq_peer"


class Counted:
    def execute_job(self, job, queue):
        super().execute_job(job, queue)
        clock.tick()


class ForkingWorker(Counted, Worker):
    pass


class InlineWorker(Counted, SimpleWorker):
    pass


if __name__ == "__main__":
    connection = redis.Redis.from_url(clock.REDIS_URL)
    queue = Queue("noop", connection=connection)

    def enqueue(count):
        for first in range(0, count, 1000):
            many = range(first, min(first + 1000, count))
            queue.enqueue_many([Queue.prepare_data(nothing, (number,)) for number in many])

    enqueued = clock.enqueue(enqueue)
    worker = {"fork": ForkingWorker, "simple": InlineWorker}[sys.argv[2]]
    worker([queue], connection=connection).work(burst=True, logging_level=logging.ERROR)
    assert queue.is_empty()
    clock.report(enqueued, clock.wait())
