"""Marketing: who are our best customers?

A service by strangers. It knows the published language (`proto/highstreet/*/v1/events.proto`) and the broker, and
nothing else: no other part of the street knows that it is there. It follows every stream of `highstreet.>` with a
durable consumer of its own, so that it goes on where it stopped, and keeps its report in a file of its own.

    python marketing.py follow            # until it is stopped
    python marketing.py report            # the best customers so far
"""

import argparse
import asyncio
import json
import pathlib
import signal
import sqlite3
import sys

import nats
from nats.errors import TimeoutError as NothingYet
from nats.js.api import AckPolicy, ConsumerConfig

sys.path.insert(0, str(pathlib.Path(__file__).parent / "generated"))
from highstreet.payment.v1 import events_pb2 as payment  # noqa: E402

NAME = "marketing"
EVERYTHING = "highstreet.>"
# What others could not handle is no news.
OTHERS_TROUBLE = ("_RETRIES", "_DEAD_LETTERS")
# New contexts may publish any time: their streams are looked for this often.
LOOK_AGAIN = 2.0
NANOS = 1_000_000_000

# What an event does to what a customer has spent.
TURNOVER = {
    "highstreet.payment.v1.PaymentApproved": (payment.PaymentApproved, +1),
    "highstreet.payment.v1.PaymentRefunded": (payment.PaymentRefunded, -1),
}


class Report:
    """What each customer of each shop has spent, counted once however often an event comes."""

    def __init__(self, path):
        self.db = sqlite3.connect(path)
        self.db.executescript(
            """
            CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS spent (
                shop TEXT, customer TEXT, currency TEXT, nanos INTEGER NOT NULL, orders INTEGER NOT NULL,
                PRIMARY KEY (shop, customer, currency)
            ) WITHOUT ROWID;
            """
        )

    def add(self, messages):
        """Takes messages in, all of them or none."""
        with self.db:
            for message in messages:
                headers = message.headers or {}
                # What is no event is no news.
                if "ce-id" in headers and "ce-type" in headers:
                    self.count(headers["ce-id"], headers["ce-type"], message.data)

    def count(self, id, type, body):
        if type not in TURNOVER or not self.db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (id,)).rowcount:
            return
        event_type, sign = TURNOVER[type]
        event = event_type.FromString(body)
        amount = event.amount.units * NANOS + event.amount.nanos
        self.db.execute(
            "INSERT INTO spent VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " nanos = nanos + excluded.nanos, orders = orders + excluded.orders",
            (event.header.shop_id, event.header.customer, event.amount.currency_code, sign * amount, sign),
        )

    def best(self, most):
        rows = self.db.execute(
            "SELECT shop, customer, currency, nanos, orders FROM spent WHERE orders > 0"
            " ORDER BY nanos DESC, customer LIMIT ?",
            (most,),
        )
        names = ("shop", "customer", "currency", "spent", "orders")
        return [dict(zip(names, (shop, who, currency, nanos / NANOS, orders))) for shop, who, currency, nanos, orders in rows]


async def follow_stream(js, stream, report, stopped):
    """Follows one stream, again and again: the broker may go away, and forget its consumers."""
    while not stopped.is_set():
        try:
            await follow_consumer(js, stream, report, stopped)
        except Exception as error:
            print(f"{stream}: {error!r}; trying again", flush=True)
            await asyncio.sleep(LOOK_AGAIN)


async def follow_consumer(js, stream, report, stopped):
    config = ConsumerConfig(durable_name=NAME, ack_policy=AckPolicy.EXPLICIT)
    subscription = await js.pull_subscribe("", durable=NAME, stream=stream, config=config)
    while not stopped.is_set():
        try:
            messages = await subscription.fetch(batch=100, timeout=0.5)
        except NothingYet:
            continue
        report.add(messages)
        # Only once they are in the report: what a crash interrupts comes again.
        for message in messages:
            await message.ack()


async def follow(server, path):
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    connection = await nats.connect(server, name=NAME, max_reconnect_attempts=-1)
    js, report, followed = connection.jetstream(), Report(path), {}
    while not stopped.is_set():
        try:
            streams = await js.streams_info()
        except Exception as error:
            print(f"the broker is away: {error!r}", flush=True)
            streams = []
        for stream in streams:
            name = stream.config.name
            ours = any(subject.startswith(EVERYTHING.removesuffix(">")) for subject in stream.config.subjects or [])
            if ours and not name.endswith(OTHERS_TROUBLE) and name not in followed:
                followed[name] = asyncio.create_task(follow_stream(js, name, report, stopped))
                print(f"following {name}", flush=True)
        try:
            await asyncio.wait_for(stopped.wait(), LOOK_AGAIN)
        except asyncio.TimeoutError:
            pass
    await asyncio.gather(*followed.values(), return_exceptions=True)
    await connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("follow", "report"))
    parser.add_argument("--server", default="nats://127.0.0.1:4222")
    parser.add_argument("--file", default="marketing.db")
    parser.add_argument("--most", type=int, default=10)
    args = parser.parse_args()
    if args.what == "follow":
        asyncio.run(follow(args.server, args.file))
    else:
        print(json.dumps(Report(args.file).best(args.most), ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
