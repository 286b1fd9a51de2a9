"""What a refusal says besides its code."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol, TypeVar, cast

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

_DETAILS = "grpc-status-details-bin"

_Detail = TypeVar("_Detail", bound=Message)


class Refusal(Protocol):
    """An error of a call; each `grpc.RpcError` that a call raises is one."""

    def code(self) -> grpc.StatusCode: ...

    def trailing_metadata(self) -> Sequence[tuple[str, str | bytes]] | None: ...


def reason(error: grpc.RpcError) -> str | None:
    """Why a call was refused, for programs: the `reason` of the street's `ErrorInfo`, such as `SEAT_TAKEN`. `None` if the
    refusal does not come from a street."""
    info = _detail(cast(Refusal, error), ErrorInfo)
    return info.reason if info else None


def told_to_wait(refusal: Refusal) -> timedelta | None:
    """How long the street says to wait before calling again, if it says so."""
    info = _detail(refusal, RetryInfo)
    return info.retry_delay.ToTimedelta() if info and info.HasField("retry_delay") else None


def _detail(refusal: Refusal, kind: type[_Detail]) -> _Detail | None:
    for key, value in refusal.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            try:
                details: Any = Status.FromString(value).details
            except DecodeError:
                return None
            for packed in details:
                detail = kind()
                if packed.Unpack(detail):
                    return detail
    return None
