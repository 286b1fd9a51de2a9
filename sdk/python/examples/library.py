"""A day at the library: a book comes in, a reader reserves it, another is too late, and the first one cancels.

    python examples/library.py http://127.0.0.1:8088
"""

import os
import sys
import time
from collections.abc import Callable
from typing import TypeVar
from uuid import uuid4

import grpc
from google.type.money_pb2 import Money

from highstreet import Street, reason
from highstreet.inventory.v1.inventory_pb2 import ReceiveStockRequest
from highstreet.lending.v1.lending_pb2 import (
    CancelReservationRequest,
    GetReservationRequest,
    ListBooksRequest,
    RequestReservationRequest,
    Reservation,
    ReservationStatus,
)
from highstreet.notification.v1.notification_pb2 import ListNotificationsRequest

SHOP = "hanbit-library"

T = TypeVar("T")


def play(street: Street) -> list[str]:
    """Plays it, and returns what the first reader was told, the oldest first."""
    # Names of this play's own, so that it can be played again on the same street.
    number = uuid4().hex[:6]
    book, reader, another = f"book-{number}", f"minji-{number}", f"haneul-{number}"

    price = Money(currency_code="KRW", units=15_000)
    street.inventory.ReceiveStock(
        ReceiveStockRequest(shop_id=SHOP, sku=book, product_name="1984", quantity=1, unit_price=price)
    )
    print(f"received one copy of 1984: {book}")
    available(street, book, 1)

    first = reserve(street, book, reader, ReservationStatus.RESERVATION_STATUS_CONFIRMED)
    available(street, book, 0)
    late = reserve(street, book, another, ReservationStatus.RESERVATION_STATUS_FAILED)
    try:
        street.lending.CancelReservation(CancelReservationRequest(reservation_id=late.reservation_id))
    except grpc.RpcError as refusal:
        print(f"{another} cancels: {reason(refusal)}")

    street.lending.CancelReservation(CancelReservationRequest(reservation_id=first.reservation_id))
    print(f"{reader} cancels")
    available(street, book, 1)

    def told() -> list[str] | None:
        listed = street.notification.ListNotifications(ListNotificationsRequest(shop_id=SHOP, recipient=reader))
        texts = [notification.text for notification in reversed(listed.notifications)]
        return texts if len(texts) >= 2 else None

    messages = eventually(f"{reader} is told", told)
    print(f"{reader} was told:", *messages, sep="\n  ")
    return messages


def reserve(street: Street, book: str, reader: str, status: ReservationStatus.ValueType) -> Reservation:
    """Reserves, and waits until inventory has answered."""
    wish = RequestReservationRequest(shop_id=SHOP, user_id=reader, book_id=book)
    requested = street.lending.RequestReservation(wish).reservation

    def answered() -> Reservation | None:
        asked = GetReservationRequest(reservation_id=requested.reservation_id)
        reservation = street.lending.GetReservation(asked).reservation
        return reservation if reservation.status == status else None

    reservation = eventually(f"the reservation is {ReservationStatus.Name(status)}", answered)
    print(f"{reader} reserves: {ReservationStatus.Name(reservation.status)}")
    return reservation


def available(street: Street, book: str, copies: int) -> None:
    """Waits until lending's own list of books shows so many copies."""

    def shown() -> bool | None:
        books = street.lending.ListBooks(ListBooksRequest(shop_id=SHOP, page_size=1000)).books
        return True if any(it.book_id == book and it.available == copies for it in books) else None

    eventually(f"{book} has {copies} copies", shown)


def eventually(what: str, look: Callable[[], T | None]) -> T:
    """Contexts hear of each other some milliseconds after a call was answered."""
    over = time.monotonic() + 10
    while time.monotonic() < over:
        found = look()
        if found is not None:
            return found
        time.sleep(0.02)
    raise TimeoutError(f"not within ten seconds: {what}")


if __name__ == "__main__":
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8088"
    with Street(address, token=os.environ.get("HIGHSTREET_TOKEN")) as street:
        play(street)
