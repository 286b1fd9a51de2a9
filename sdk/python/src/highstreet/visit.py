"""The way of a call: who calls, under which id, and how often."""

import random
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, cast

import grpc
from google.protobuf.message import Message

from .patience import Patience
from .refusal import Refusal

Token = str | Callable[[], str]
"""A bearer token, or what gets one for each attempt (from a session that renews it, say)."""

_REQUEST_ID = "request_id"

_Request = TypeVar("_Request")


class _CallDetails(NamedTuple):
    """The one of grpc, which is abstract."""

    method: str
    timeout: float | None
    metadata: Sequence[tuple[str, str | bytes]] | None
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


class Patiently(grpc.UnaryUnaryClientInterceptor):
    """Gives every request an id that takes one and has none, and makes a call again that the street could not answer, if
    calling twice does no more than calling once: it only looks, or its request has an id."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience

    def intercept_unary_unary(
        self, continuation: Callable[[Any, Any], Any], client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        request = _identified(request)
        if not _is_repeatable(client_call_details.method, request):
            return continuation(client_call_details, request)
        begun = time.monotonic()
        timeout = client_call_details.timeout
        over = begun + min(self._patience.in_all.total_seconds(), float("inf") if timeout is None else timeout)
        attempts = 0
        while True:
            attempts += 1
            left = None if timeout is None else max(begun + timeout - time.monotonic(), 0.0)
            outcome = continuation(_copy(client_call_details, timeout=left), request)
            if outcome.code() is grpc.StatusCode.OK:
                return outcome
            wait = self._patience.wait(attempts, cast(Refusal, outcome), random.random())
            if wait is None or time.monotonic() + wait.total_seconds() > over:
                return outcome
            time.sleep(wait.total_seconds())


class Bearer(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    """Shows a token with every call."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def intercept_unary_unary(
        self, continuation: Callable[[Any, Any], Any], client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        return continuation(self._shown(client_call_details), request)

    def intercept_unary_stream(
        self, continuation: Callable[[Any, Any], Any], client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        return continuation(self._shown(client_call_details), request)

    def _shown(self, details: grpc.ClientCallDetails) -> grpc.ClientCallDetails:
        token = self._token if isinstance(self._token, str) else self._token()
        shown = ("authorization", f"Bearer {token.strip()}")
        return _copy(details, metadata=[*(details.metadata or ()), shown])


def _identified(request: _Request) -> _Request:
    """The request with an id, if it takes one and has none: a copy, for the caller's own may be sent once more, and that
    is another request."""
    if not isinstance(request, Message) or _REQUEST_ID not in request.DESCRIPTOR.fields_by_name:
        return request
    if getattr(request, _REQUEST_ID):
        return request
    copy = type(request)()
    copy.CopyFrom(request)
    setattr(copy, _REQUEST_ID, str(uuid.uuid4()))
    return copy


def _is_repeatable(method: str, request: object) -> bool:
    if method.rpartition("/")[2].startswith(("Get", "List")):
        return True
    return isinstance(request, Message) and _REQUEST_ID in request.DESCRIPTOR.fields_by_name


def _copy(details: grpc.ClientCallDetails, **changed: Any) -> grpc.ClientCallDetails:
    same = {field: getattr(details, field, None) for field in _CallDetails._fields}
    return cast(grpc.ClientCallDetails, _CallDetails(**{**same, **changed}))
