"""How calls are made again: with a street in this process that is away as often as it is told to."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import NoReturn
from uuid import UUID

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from highstreet import PATIENCE, Patience, Street
from highstreet.loyalty.v1.loyalty_pb2 import (
    GetAccountRequest,
    GetAccountResponse,
    GrantPointsRequest,
    GrantPointsResponse,
    ListEntriesRequest,
    ListEntriesResponse,
)
from highstreet.loyalty.v1.loyalty_pb2_grpc import LoyaltyServiceServicer, add_LoyaltyServiceServicer_to_server
from highstreet.operations.v1.operations_pb2 import RetryStepRequest, RetryStepResponse

MS = timedelta(milliseconds=1)
QUICK = Patience(first=MS)


class Away(LoyaltyServiceServicer):
    """Refuses like this until it was called so often; notes the request ids, and how long callers would wait."""

    def __init__(self, code: grpc.StatusCode, refusals: int, wait: timedelta | None = None) -> None:
        self.code, self.refusals, self.wait = code, refusals, wait
        self.ids: list[str] = []
        self.left: list[float] = []

    def GrantPoints(self, request: GrantPointsRequest, context: grpc.ServicerContext) -> GrantPointsResponse:
        self.note(request.request_id, context)
        return GrantPointsResponse()

    def GetAccount(self, request: GetAccountRequest, context: grpc.ServicerContext) -> GetAccountResponse:
        self.note("", context)
        return GetAccountResponse()

    def ListEntries(self, request: ListEntriesRequest, context: grpc.ServicerContext) -> ListEntriesResponse:
        self.note("", context)
        return ListEntriesResponse()

    def retry_step(self, request: RetryStepRequest, context: grpc.ServicerContext) -> RetryStepResponse:
        self.note("", context)
        return RetryStepResponse()

    def note(self, request_id: str, context: grpc.ServicerContext) -> None:
        self.ids.append(request_id)
        self.left.append(context.time_remaining() or 0)
        if len(self.ids) <= self.refusals:
            self.refuse(context)

    def refuse(self, context: grpc.ServicerContext) -> NoReturn:
        if self.wait is not None:
            delay = Duration()
            delay.FromTimedelta(self.wait)
            packed = Any()
            packed.Pack(RetryInfo(retry_delay=delay))
            status = Status(code=self.code.value[0], message="later", details=[packed])
            context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(self.code, "later")


@contextmanager
def street_that_is(away: Away, patience: Patience = QUICK) -> Iterator[Street]:
    server = grpc.server(ThreadPoolExecutor(2))
    add_LoyaltyServiceServicer_to_server(away, server)
    retry_step = grpc.unary_unary_rpc_method_handler(
        away.retry_step, RetryStepRequest.FromString, RetryStepResponse.SerializeToString
    )
    operations = {"RetryStep": retry_step}
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("highstreet.operations.v1.OperationsService", operations)]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with Street.over(grpc.insecure_channel(f"127.0.0.1:{port}"), patience=patience) as street:
            yield street
    finally:
        server.stop(None).wait()


def test_a_change_is_made_again_under_the_id_of_the_first_attempt() -> None:
    away = Away(grpc.StatusCode.UNAVAILABLE, 3)
    with street_that_is(away) as street:
        street.loyalty.GrantPoints(GrantPointsRequest(member="minji"))
    assert len(away.ids) == 4
    assert len(set(away.ids)) == 1
    UUID(away.ids[0])


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_it_waits_as_long_as_it_is_told(code: grpc.StatusCode) -> None:
    away = Away(code, 1, 120 * MS)
    with street_that_is(away) as street:
        begun = time.monotonic()
        street.loyalty.GetAccount(GetAccountRequest())
    assert time.monotonic() - begun >= 0.12
    assert len(away.ids) == 2


@pytest.mark.parametrize(
    ("code", "wait", "patience", "attempts"),
    [
        pytest.param(grpc.StatusCode.UNAVAILABLE, None, QUICK, 5, id="after five attempts"),
        pytest.param(grpc.StatusCode.UNAVAILABLE, 11_000 * MS, QUICK, 1, id="told to wait longer than it would"),
        pytest.param(grpc.StatusCode.UNAVAILABLE, 400 * MS, Patience(in_all=300 * MS), 1, id="beyond its time"),
        pytest.param(grpc.StatusCode.RESOURCE_EXHAUSTED, None, QUICK, 1, id="too much of something else"),
        pytest.param(grpc.StatusCode.FAILED_PRECONDITION, MS, QUICK, 1, id="an answer"),
    ],
)
def test_it_ends(code: grpc.StatusCode, wait: timedelta | None, patience: Patience, attempts: int) -> None:
    away = Away(code, 99, wait)
    with street_that_is(away, patience) as street, pytest.raises(grpc.RpcError) as refused:
        street.loyalty.GetAccount(GetAccountRequest())
    assert isinstance(refused.value, grpc.Call)
    assert refused.value.code() is code
    assert len(away.ids) == attempts


def test_it_keeps_the_calls_own_timeout() -> None:
    away = Away(grpc.StatusCode.UNAVAILABLE, 99, 400 * MS)
    with street_that_is(away) as street, pytest.raises(grpc.RpcError):
        street.loyalty.GetAccount(GetAccountRequest(), timeout=1)
    assert 2 <= len(away.ids) <= 3
    assert away.left[0] > away.left[1] + 0.35, "what is left of it goes with each attempt"


def test_an_operators_order_is_given_once() -> None:
    away = Away(grpc.StatusCode.UNAVAILABLE, 1)
    with street_that_is(away) as street, pytest.raises(grpc.RpcError):
        street.operations.RetryStep(RetryStepRequest())
    assert len(away.ids) == 1


def test_it_waits_twice_as_long_each_time_where_nobody_says() -> None:
    class Refused:
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.UNAVAILABLE

        def trailing_metadata(self) -> None:
            return None

    assert [PATIENCE.wait(made, Refused(), 1.0) for made in range(1, 5)] == [100 * MS, 200 * MS, 400 * MS, 800 * MS]
    assert PATIENCE.wait(1, Refused(), 0.0) == 50 * MS
    assert Patience(attempts=10_000).wait(9_999, Refused(), 1.0) == PATIENCE.longest
