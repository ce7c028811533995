"""Dramatiq: 1 process, 16 threads. At least once: a message is acknowledged after its actor returns."""

import dramatiq
from dramatiq.brokers.redis import RedisBroker

import clock

broker = RedisBroker(url=clock.REDIS_URL)
dramatiq.set_broker(broker)


@dramatiq.actor
def nothing(number):
    clock.tick()


def send(count):
    # There is no sending of many at once.
    for number in range(count):
        nothing.send(number)


enqueued = clock.enqueue(send)
# What `dramatiq --processes 1 --threads 16` runs in its one process.
worker = dramatiq.Worker(broker, worker_threads=clock.SLOTS)
worker.start()
processed = clock.wait()
broker.join("default")
worker.stop()
clock.report(enqueued, processed)
