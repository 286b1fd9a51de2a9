"""The package against the real server."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import grpc
import highstreet
import library
import pytest
from conftest import Serve, token

from highstreet import Patience, Street, reason
from highstreet.lending.v1.lending_pb2 import (
    ListBooksRequest,
    ListReservationsRequest,
    RequestReservationRequest,
)
from highstreet.tracking.v1.tracking_pb2 import WatchTracesRequest

SHOP = "hanbit-library"


def wish(**more: str) -> RequestReservationRequest:
    return RequestReservationRequest(shop_id=SHOP, user_id="minji", book_id="1984", **more)


def test_the_example_plays(serve: Serve) -> None:
    with Street(serve()) as street:
        confirmed, cancelled = library.play(street)
    assert "예약 완료" in confirmed
    assert "예약 취소" in cancelled


def test_a_request_is_taken_once_by_its_id_and_gets_one_of_its_own_without(serve: Serve) -> None:
    with Street(serve()) as street:
        mine = wish(request_id=str(uuid4()))
        ids = [street.lending.RequestReservation(mine).reservation.reservation_id for _ in range(2)]
        assert ids[0] == ids[1]
        another = wish()
        ids = [street.lending.RequestReservation(another).reservation.reservation_id for _ in range(2)]
        assert ids[0] != ids[1]
        assert another.request_id == "", "the caller's message stays as it is"


def test_a_refusal_says_why(serve: Serve) -> None:
    with Street(serve()) as street, pytest.raises(grpc.RpcError) as refused:
        street.lending.RequestReservation(RequestReservationRequest(shop_id=SHOP))
    assert reason(refused.value) == "INVALID_REQUEST"


def test_what_happens_is_streamed(serve: Serve) -> None:
    with Street(serve()) as street:
        changes = street.tracking.WatchTraces(WatchTracesRequest(shop_id=SHOP, customer="minji"), timeout=20)
        seen = threading.Event()

        def reserve_until_seen() -> None:
            # A watch begins with what happens from now on.
            while not seen.wait(0.02):
                street.lending.RequestReservation(wish())

        with ThreadPoolExecutor() as threads:
            reserving = threads.submit(reserve_until_seen)
            try:
                assert next(iter(changes)).trace.customer == "minji"
            finally:
                seen.set()
            reserving.result()
        changes.cancel()


def test_a_street_that_is_asked_too_much_is_waited_for_as_it_says(serve: Serve) -> None:
    address = serve("--rate-limit", "5")
    ask = ListBooksRequest(shop_id=SHOP)
    with Street(address, patience=Patience(attempts=20)) as street, ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda _: street.lending.ListBooks(ask), range(12)))
        assert len(answers) == 12
    refusals = []
    with Street(address, patience=Patience(attempts=1)) as street:
        for _ in range(12):
            try:
                street.lending.ListBooks(ask)
            except grpc.RpcError as refusal:
                refusals.append(reason(refusal))
    assert set(refusals) == {"RATE_LIMITED"}


def test_a_street_that_asks_who_calls_is_shown_the_token(serve: Serve, tmp_path: Path) -> None:
    owner = token(tmp_path, "--role", "owner", "--shop", SHOP)
    address = serve("--auth-jwks", str(tmp_path / "key.jwks.json"))
    ask = ListReservationsRequest(shop_id=SHOP)
    with Street(address) as stranger, pytest.raises(grpc.RpcError) as refused:
        stranger.lending.ListReservations(ask)
    assert isinstance(refused.value, grpc.Call)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    for shown in (owner, lambda: owner):
        with Street(address, token=shown) as street:
            assert not street.lending.ListReservations(ask).reservations
            changes = street.tracking.WatchTraces(WatchTracesRequest(shop_id=SHOP))
            assert dict(changes.initial_metadata()), "a stream shows it too"
            changes.cancel()


def test_every_context_has_a_stub() -> None:
    package = Path(highstreet.__file__).parent
    contexts = {path.parent.parent.name for path in package.glob("*/v1/*_pb2_grpc.py") if "Stub" in path.read_text()}
    assert "lending" in contexts
    with Street("http://127.0.0.1:1") as street:
        assert contexts == {name for name in vars(street) if not name.startswith("_")}


@pytest.mark.parametrize("address", ["127.0.0.1:8088", "ftp://127.0.0.1:8088", "http://", "http://street/v1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="no address of a street"):
        Street(address)
