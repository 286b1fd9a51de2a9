"""A street, and the way into each of its contexts."""

from types import TracebackType
from urllib.parse import urlsplit

import grpc

from .booking.v1.booking_pb2_grpc import BookingServiceStub
from .delivery.v1.delivery_pb2_grpc import DeliveryServiceStub
from .inventory.v1.inventory_pb2_grpc import InventoryServiceStub
from .kitchen.v1.kitchen_pb2_grpc import KitchenServiceStub
from .lending.v1.lending_pb2_grpc import LendingServiceStub
from .loyalty.v1.loyalty_pb2_grpc import LoyaltyServiceStub
from .notification.v1.notification_pb2_grpc import NotificationServiceStub
from .operations.v1.operations_pb2_grpc import OperationsServiceStub
from .ordering.v1.ordering_pb2_grpc import OrderingServiceStub
from .patience import PATIENCE, Patience
from .payment.v1.payment_pb2_grpc import PaymentServiceStub
from .replenishment.v1.replenishment_pb2_grpc import ReplenishmentServiceStub
from .sales.v1.sales_pb2_grpc import SalesServiceStub
from .seating.v1.seating_pb2_grpc import SeatingServiceStub
from .ticketing.v1.ticketing_pb2_grpc import TicketingServiceStub
from .tracking.v1.tracking_pb2_grpc import TrackingServiceStub
from .visit import Bearer, Patiently, Token


class Street:
    """A street: a stub for each context. May be used by several threads; `with` closes it."""

    def __init__(
        self,
        address: str,
        *,
        token: Token | None = None,
        patience: Patience = PATIENCE,
        authorities: bytes | None = None,
    ) -> None:
        """The street at this address, such as `http://127.0.0.1:8088`; with TLS if it begins with `https://`, checked
        with these authorities (PEM) or with those that gRPC knows. It is connected to when it is first called."""
        url = urlsplit(address)
        if url.scheme not in ("http", "https") or not url.hostname or url.path not in ("", "/"):
            raise ValueError(f"no address of a street: {address!r}; write it as http://host:port or https://host:port")
        host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
        target = f"{host}:{url.port or (443 if url.scheme == 'https' else 80)}"
        if url.scheme == "https":
            channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(authorities))
        else:
            channel = grpc.insecure_channel(target)
        self._enter(channel, token, patience)

    @classmethod
    def over(cls, channel: grpc.Channel, *, token: Token | None = None, patience: Patience = PATIENCE) -> "Street":
        """The street that a channel of your own leads to."""
        street = cls.__new__(cls)
        street._enter(channel, token, patience)
        return street

    def _enter(self, channel: grpc.Channel, token: Token | None, patience: Patience) -> None:
        # The id comes before the attempts: all of them carry the same one. The token comes after: each gets a fresh one.
        way = [Patiently(patience), *([] if token is None else [Bearer(token)])]
        self._channel = channel
        visit = grpc.intercept_channel(channel, *way)
        self.replenishment = ReplenishmentServiceStub(visit)
        """Orders of goods (발주)."""
        self.inventory = InventoryServiceStub(visit)
        """Stock (상품/재고)."""
        self.sales = SalesServiceStub(visit)
        """Purchases (구매)."""
        self.lending = LendingServiceStub(visit)
        """Reservations of books (도서 예약)."""
        self.ordering = OrderingServiceStub(visit)
        """Orders of drinks (주문)."""
        self.payment = PaymentServiceStub(visit)
        """Payments (결제)."""
        self.kitchen = KitchenServiceStub(visit)
        """What is made (제조)."""
        self.delivery = DeliveryServiceStub(visit)
        """Deliveries (배송)."""
        self.loyalty = LoyaltyServiceStub(visit)
        """Stamps and points (스탬프/포인트)."""
        self.booking = BookingServiceStub(visit)
        """Bookings (예매)."""
        self.seating = SeatingServiceStub(visit)
        """Screenings and their seats (좌석)."""
        self.ticketing = TicketingServiceStub(visit)
        """Tickets (티켓)."""
        self.notification = NotificationServiceStub(visit)
        """Messages (알림)."""
        self.tracking = TrackingServiceStub(visit)
        """What became of an order (마이페이지)."""
        self.operations = OperationsServiceStub(visit)
        """What waits and what could not be read, for operators."""

    def close(self) -> None:
        """Ends the connection, and whatever call is under way."""
        self._channel.close()

    def __enter__(self) -> "Street":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
