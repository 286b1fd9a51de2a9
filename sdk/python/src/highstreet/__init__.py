"""Calls a Highstreet street.

`Street` has a stub for each context, generated from the published language. Every call through them shows the token,
carries a `request_id` if it creates or changes something, and is made again if the street says that it is away or busy:
under the same `request_id`, so that whatever the first attempt did is done once.

    from highstreet import Street
    from highstreet.lending.v1.lending_pb2 import RequestReservationRequest

    with Street("http://127.0.0.1:8088", token="eyJhbGciOi…") as street:
        wish = RequestReservationRequest(shop_id="hanbit-library", user_id="minji", book_id="1984")
        reservation = street.lending.RequestReservation(wish).reservation

What is refused is a `grpc.RpcError`; `reason` is why, for programs.
"""

from .patience import PATIENCE, Patience
from .refusal import reason
from .street import Street
from .visit import Token

__all__ = ["PATIENCE", "Patience", "Street", "Token", "reason"]
