//! Everything the console says, in every language: a line here without one of them does not compile.

use crate::lang::Lang;

/// Texts by name: in Korean, in English.
macro_rules! texts {
    ($($name:ident: $korean:literal, $english:literal;)*) => {
        impl Lang {
            $(pub(crate) const fn $name(self) -> &'static str {
                match self {
                    Self::Korean => $korean,
                    Self::English => $english,
                }
            })*
        }
    };
}

/// Texts for what services call by names of their own.
macro_rules! words {
    ($($(#[$doc:meta])* $kind:ident { $($name:literal: $korean:literal, $english:literal;)* })*) => {
        impl Lang {
            $($(#[$doc])* pub(crate) fn $kind(self, name: &str) -> Option<&'static str> {
                let (korean, english) = match name {
                    $($name => ($korean, $english),)*
                    _ => return None,
                };
                Some(match self {
                    Self::Korean => korean,
                    Self::English => english,
                })
            })*
        }
    };
}

texts! {
    own_name: "한국어", "English";
    in_this_language: "한국어로 보기", "Read this in English";
    skip: "본문으로 건너뛰기", "Skip to the content";
    pages: "페이지", "Pages";
    foot: "Highstreet · 동네 가게들의 뒷방", "Highstreet · the back office of a high street";
    live: "실시간", "Live";
    to_the_start: "처음으로", "To the start";

    welcome: "오늘도 문을 열었습니다.", "The street is open.";
    welcome_why: "편의점, 카페, 도서관, 영화관. 주문부터 배달까지 한눈에 보세요.", "Store, café, library, cinema: everything from the order to the door, at a glance.";
    who_are_you: "누구신가요?", "Who are you today?";
    walk_in: "들어가기", "Walk in";
    open_house: "이 서버는 인증 없이 열려 있습니다. 누구든 될 수 있습니다.", "This server runs without authentication: you may be anybody.";
    which_shops: "가게 고르기", "Which shops";
    phone_or_name: "전화번호 또는 이름", "Phone number or name";
    say_who_you_are: "이름이나 전화번호를 적어 주세요.", "Say a name or a phone number, at most 200 letters.";
    sign_in: "로그인", "Sign in";
    sign_in_again: "다시 로그인하기", "Sign in again";
    sign_out: "나가기", "Sign out";
    sign_in_there: "로그인하러 가기", "Go and sign in";
    sign_in_there_how: "로그인 페이지로 이동한 뒤 돌아옵니다:", "You sign in there, and come back:";
    token: "토큰", "Token";
    token_how: "개발용 토큰을 붙여 넣으세요. 만드는 명령:", "Paste a development token. What makes one:";
    no_token: "토큰이 아닙니다. 점으로 이어진 세 부분 모두를 붙여 넣으세요.", "This is no token: paste all three parts of it, dots included.";
    account: "내 정보", "About you";
    name: "이름", "Name";
    roles: "역할", "Roles";
    save: "저장", "Save";
    customer: "손님", "Customer";
    customer_does: "주문하고, 예매하고, 책을 빌려요", "Orders, books and borrows";
    staff: "직원", "Staff";
    staff_does: "만들고, 팔고, 티켓을 받아요", "Makes, sells and hands out";
    owner: "점주", "Owner";
    owner_does: "재고와 매출을 살펴요", "Watches stock and sales";
    head_office: "본사", "Head office";
    head_office_does: "물건을 보내고 배달해요", "Ships and delivers";
    operator: "운영자", "Operator";
    operator_does: "시스템을 돌봐요", "Looks after the mesh";

    my_page: "마이페이지", "My page";
    cafe: "카페", "Café";
    cinema: "영화관", "Cinema";
    library: "도서관", "Library";
    store: "편의점", "Store";
    counter: "카운터", "Counter";
    board: "점주 보드", "Board";
    operations: "운영", "Operations";

    stamps: "스탬프", "Stamps";
    pieces: "개", "collected";
    points: "포인트", "Points";
    points_why: "티켓 한 장을 쓸 때마다 100포인트", "100 for every ticket you use";
    orders: "주문", "Orders";
    bookings: "예매", "Bookings";
    reservations: "도서 예약", "Reservations";
    no_orders: "아직 주문이 없습니다. 커피 한 잔 어떠세요?", "No orders yet. How about a coffee?";
    no_bookings: "아직 예매가 없습니다. 오늘은 무슨 영화를 볼까요?", "No bookings yet. What is on tonight?";
    no_reservations: "예약한 책이 없습니다.", "No books reserved.";
    have_a_look: "둘러보기", "Have a look";
    total: "합계", "Total";
    ordered_at: "주문 시각", "Ordered";
    booked_at: "예매 시각", "Booked";
    reserved_at: "예약 시각", "Reserved";
    pay_by: "결제 기한", "Pay by";
    seats_by: "좌석 선택 기한", "Choose by";
    seats_later: "좌석 미정", "no seats yet";
    pay: "결제하기", "Pay";
    cancel: "취소", "Cancel";
    choose_seats: "좌석을 고르세요", "Choose your seats";
    every_step: "모든 단계", "Every step";
    not_yet: "아직", "not yet";
    no_trace_yet: "진행 상황이 곧 나타납니다.", "Its progress will be here in a moment.";

    place_order: "주문하기", "Place the order";
    pay_afterwards: "결제는 마이페이지에서 이어집니다.", "You pay on your page, next.";
    take_an_order: "주문 받기", "Take an order";
    customer_phone: "손님 전화번호", "Customer's phone";
    kitchen: "제조 대기", "To be made";
    nothing_to_make: "기다리는 주문이 없습니다.", "Nothing to make right now.";
    ready: "완료", "Ready";
    deliveries: "배송", "Deliveries";
    nothing_to_send: "보낼 것이 없습니다.", "Nothing to send right now.";
    ship: "출발", "Ship";
    deliver: "전달 완료", "Delivered";
    tickets: "티켓 받기", "Tickets to collect";
    no_tickets: "받을 티켓이 없습니다.", "No tickets are waiting.";
    collect: "입장", "Collect";
    record_purchase: "판매 등록", "Record a purchase";
    record: "등록", "Record";
    product: "상품", "Product";
    on_hand: "재고", "In stock";
    quantity: "수량", "Quantity";
    price_won: "단가 (원)", "Price each (₩)";
    customer_name: "손님 이름 (선택)", "Customer's name (optional)";
    sold_last: "최근 판매", "Sold last";
    nothing_sold: "아직 판매가 없습니다.", "Nothing sold yet.";
    take_back: "반품", "Take back";

    sales_today: "오늘의 매출", "Sales today";
    sales_by_hour: "시간대별 매출", "Sales by the hour";
    at_most: "최고", "at most";
    taken: "매출", "Taken";
    purchases: "판매", "Purchases";
    pieces_sold: "판매 수량", "Pieces";
    cancellations: "취소", "Cancelled";
    stock: "재고", "Stock";
    no_stock: "아직 재고가 없습니다. 먼저 발주해 주세요.", "Nothing in stock yet: order goods first.";
    order_more: "발주", "Order more";
    on_order: "발주 현황", "At the head office";
    nothing_on_order: "발주한 것이 없습니다.", "Nothing on order.";
    order_goods: "발주하기", "Order goods";
    sku: "상품 코드", "Product code";
    notifications: "알림", "Notifications";
    nothing_told: "아직 알림이 없습니다.", "No notifications yet.";
    send_again: "다시 보내기", "Send again";

    no_screenings: "상영 중인 영화가 없습니다.", "Nothing is on yet.";
    open_screening: "상영 등록", "Open a screening";
    film: "영화", "Film";
    screening_id: "상영 코드", "Screening code";
    hall: "상영관", "Hall";
    starts_at: "시작 (선택)", "Starts (optional)";
    write_time_like_this: "2026-11-21T19:30처럼 적어 주세요.", "Write it like 2026-11-21T19:30.";
    rows: "줄 수", "Rows";
    seats_per_row: "줄당 좌석", "Seats per row";
    seats: "좌석", "seats";
    one_seat: "1석", "seat";
    screen: "스크린", "Screen";
    free: "빈 좌석", "Free";
    chosen: "내 선택", "Yours";
    taken_seat: "선택 불가", "Taken";
    just_taken: "방금 다른 분이 가져갔어요", "Just taken by somebody else";
    book_and_pay: "예매하고 결제", "Book and pay";
    take_these_seats: "이 좌석으로", "Take these seats";
    paid_for: "결제된 좌석 수:", "Paid for:";
    pay_first: "결제 먼저, 좌석은 나중에", "Pay first, choose later";
    pay_first_how: "자리를 예약하고 결제한 다음, 마이페이지에서 좌석을 고르세요.", "Reserve, pay on your page, then choose where to sit.";
    how_many_seats: "좌석 수", "How many seats";
    reserve: "예약하기", "Reserve";

    no_books: "아직 책이 없습니다.", "No books yet.";
    no_copy: "남은 책이 없습니다", "No copy left";
    copies_left: "권 남음", "left";
    reserve_book: "예약", "Reserve";
    receive_books: "도서 입고", "Receive books";
    book_title: "제목", "Title";
    book_id: "도서 코드", "Book code";
    copies: "권수", "Copies";

    contexts: "컨텍스트", "Contexts";
    serving: "정상", "Serving";
    not_serving: "중단", "Not serving";
    no_answer: "응답 없음", "No answer";
    messages_before: "수신 대기", "To read";
    to_be_told: "발행 대기", "to publish";
    failing: "건 실패 중", "failing";
    seconds: "초", " s";
    calls_between: "컨텍스트 간 호출", "Calls between contexts";
    breaker_closed: "정상 (닫힘)", "Closed: called";
    breaker_half_open: "시험 중 (반열림)", "Half-open: trying";
    breaker_open: "차단 (열림)", "Open: not called";
    pending_steps: "대기 중인 단계", "Pending steps";
    nothing_waits: "기다리는 단계가 없습니다.", "Nothing waits.";
    attempts: "번 실패", "failed attempts";
    since: "시작", "since";
    waits_for: "기한", "Waits for";
    retry: "지금 재시도", "Retry now";
    abandon: "포기", "Abandon";
    dead_letters: "처리하지 못한 메시지", "Dead letters";
    no_dead_letters: "처리하지 못한 메시지가 없습니다.", "No dead letters.";
    what_event: "이벤트", "Event";
    not_handled_by: "처리 못한 곳", "Not handled by";
    payload: "내용", "Payload";
    replay: "다시 처리", "Replay";
    discard: "버리기", "Discard";

    refused_title: "처리하지 못했습니다", "That did not work";
    refused_other_site: "다른 사이트에서 보낸 요청은 받지 않습니다.", "Forms of other sites are not listened to here.";
    not_available: "잠시 연결이 되지 않습니다. 조금 뒤에 다시 시도해 주세요.", "This part of the street is away for a moment. Please try again.";
    too_busy: "지금은 조금 붐빕니다. 잠시 후 다시 시도해 주세요.", "It is crowded right now. Please try again in a moment.";
    not_signed_in: "로그인이 필요합니다.", "Please sign in.";
    not_allowed: "이 역할로는 할 수 없는 일입니다.", "Your role does not allow this.";
    please_check: "입력한 내용을 확인해 주세요.", "Please check what you entered.";
    not_there: "찾을 수 없습니다.", "It is not there, or not yours.";
}

words! {
    /// How far something has come.
    status {
        "ORDERED": "주문됨", "Ordered";
        "PAID": "결제됨", "Paid";
        "READY": "준비됨", "Ready";
        "SHIPPED": "배송 중", "On the way";
        "COMPLETED": "완료", "Done";
        "CANCELLED": "취소됨", "Cancelled";
        "PLACED": "발주됨", "Placed";
        "RECEIVED": "입고됨", "Received";
        "CANCELLATION_PENDING": "취소 중", "Being cancelled";
        "PREPARING": "준비 중", "Preparing";
        "DELIVERED": "배송됨", "Delivered";
        "RESERVED": "예약됨", "Reserved";
        "CONFIRMED": "확정", "Confirmed";
        "FAILED": "실패", "Failed";
        "REQUESTED": "접수됨", "Requested";
        "ISSUED": "티켓 발급", "Ticket issued";
        "COLLECTED": "입장 완료", "Collected";
        "PURCHASED": "판매됨", "Sold";
        "LOW": "부족", "Low";
        "PENDING": "대기", "Pending";
        "SENT": "보냄", "Sent";
    }
    /// What happened.
    event {
        "OrderPlaced": "주문 접수", "Order placed";
        "OrderPaid": "주문 결제 확인", "Order paid";
        "OrderCompleted": "주문 완료", "Order completed";
        "OrderCancelled": "주문 취소", "Order cancelled";
        "PaymentRequested": "결제 요청", "Payment requested";
        "PaymentApproved": "결제 승인", "Payment approved";
        "PaymentDeclined": "결제 거절", "Payment declined";
        "PaymentCancelled": "결제 취소", "Payment cancelled";
        "PaymentRefunded": "환불", "Refunded";
        "PreparationStarted": "제조 시작", "Preparation started";
        "PreparationReady": "제조 완료", "Preparation ready";
        "PreparationCancelled": "제조 취소", "Preparation cancelled";
        "DeliveryScheduled": "배송 예정", "Delivery scheduled";
        "Shipped": "출발", "Shipped";
        "Delivered": "배송 완료", "Delivered";
        "DeliveryCancelled": "배송 취소", "Delivery cancelled";
        "RecallRefused": "회수 불가", "Recall refused";
        "Earned": "적립", "Earned";
        "Reversed": "적립 취소", "Reversed";
        "BookingReserved": "예매 접수", "Booking reserved";
        "BookingPaid": "예매 결제 확인", "Booking paid";
        "BookingConfirmed": "예매 확정", "Booking confirmed";
        "BookingCompleted": "관람 완료", "Booking completed";
        "BookingCancellationRequested": "예매 취소 요청", "Cancellation requested";
        "BookingCancelled": "예매 취소", "Booking cancelled";
        "BookingFailed": "예매 실패", "Booking failed";
        "SeatsHeld": "좌석 잡아 둠", "Seats held";
        "SeatsAssigned": "좌석 배정", "Seats assigned";
        "SeatsReleased": "좌석 반환", "Seats released";
        "TicketIssued": "티켓 발급", "Ticket issued";
        "TicketCollected": "티켓 사용", "Ticket collected";
        "TicketCancelled": "티켓 취소", "Ticket cancelled";
        "ReservationRequested": "예약 요청", "Reservation requested";
        "ReservationConfirmed": "예약 확정", "Reservation confirmed";
        "ReservationFailed": "예약 실패", "Reservation failed";
        "ReservationCancelled": "예약 취소", "Reservation cancelled";
        "StockWithdrawn": "재고 차감", "Stock withdrawn";
        "StockReturned": "재고 반환", "Stock returned";
        "StockShort": "재고 부족", "Stock short";
    }
    /// A bounded context.
    context {
        "booking": "예매", "booking";
        "delivery": "배송", "delivery";
        "inventory": "재고", "inventory";
        "kitchen": "제조", "kitchen";
        "lending": "도서 예약", "lending";
        "loyalty": "적립", "loyalty";
        "notification": "알림", "notification";
        "operations": "운영", "operations";
        "ordering": "주문", "ordering";
        "payment": "결제", "payment";
        "replenishment": "발주", "replenishment";
        "sales": "판매", "sales";
        "seating": "좌석", "seating";
        "ticketing": "티켓", "ticketing";
        "tracking": "추적", "tracking";
    }
    /// What was just done.
    done {
        "ordered": "주문했습니다.", "Ordered.";
        "paid": "결제했습니다.", "Paid. Thank you.";
        "cancelled": "취소했습니다.", "Cancelled.";
        "ready": "완료했습니다. 곧 배송됩니다.", "Ready: it goes out for delivery.";
        "shipped": "출발했습니다.", "On its way.";
        "delivered": "전달했습니다.", "Delivered.";
        "collected": "입장 처리했습니다. 100포인트가 적립됩니다.", "Collected, and 100 points granted.";
        "purchased": "판매를 등록했습니다.", "Purchase recorded.";
        "sent": "다시 보냅니다.", "It is sent again.";
        "opened": "상영을 등록했습니다.", "The screening is open.";
        "booked": "예매했습니다. 즐거운 관람 되세요!", "Booked. Enjoy the film!";
        "reserved": "예약했습니다. 이제 결제해 주세요.", "Reserved. Please pay next.";
        "reserved-book": "예약을 접수했습니다. 마이페이지에서 확인하세요.", "Reservation taken: follow it on your page.";
        "received": "입고했습니다.", "Received.";
        "retried": "다시 시도했습니다.", "Tried again.";
        "abandoned": "포기했습니다.", "Abandoned.";
        "replayed": "다시 처리하도록 보냈습니다.", "Given to the context once more.";
        "discarded": "버렸습니다.", "Discarded.";
    }
    /// Why a service refused, by its reason.
    reason {
        "SEAT_TAKEN": "다른 분이 먼저 고른 좌석입니다.", "Somebody else was quicker: that seat is taken.";
        "SEAT_LOST": "그사이 좌석이 나갔습니다. 결제는 환불됩니다.", "The seat was lost meanwhile; what you paid goes back.";
        "NO_SUCH_SEAT": "없는 좌석입니다.", "There is no such seat in this hall.";
        "WRONG_NUMBER_OF_SEATS": "결제한 수만큼 좌석을 골라 주세요.", "Choose as many seats as you paid for.";
        "PAYMENT_DECLINED": "결제가 거절되었습니다.", "The payment was declined.";
        "NOT_PAID": "먼저 결제해 주세요.", "It has to be paid first.";
        "ALREADY_PAID": "이미 결제되었습니다.", "It is paid already.";
        "ORDER_ALREADY_COMPLETED": "이미 완료된 주문입니다.", "The order is completed already.";
        "BOOKING_ALREADY_COMPLETED": "이미 관람한 예매입니다.", "The ticket has been used already.";
        "ALREADY_CANCELLED": "이미 취소되었습니다.", "It is cancelled already.";
        "DELIVERY_ALREADY_SHIPPED": "이미 출발해서 취소할 수 없습니다.", "It has been shipped already.";
        "TICKET_ALREADY_COLLECTED": "이미 사용한 티켓입니다.", "The ticket has been used already.";
        "TICKET_CANCELLED": "취소된 티켓입니다.", "The ticket is cancelled.";
        "RESERVATION_FAILED": "이미 실패한 예약입니다.", "The reservation had failed.";
        "SCREENING_EXISTS": "같은 코드의 상영이 이미 있습니다.", "There is such a screening already, with other details.";
        "SCREENING_NOT_FOUND": "없는 상영입니다.", "There is no such screening.";
        "REQUEST_ID_REUSED": "이미 보낸 양식입니다. 다시 보내 주세요.", "This form was sent before with other content: send it again.";
        "REVISION_MISMATCH": "그사이 바뀌었습니다. 다시 확인해 주세요.", "It has changed meanwhile: look again.";
        "STEP_MUST_BE_ANSWERED": "답을 받을 때까지 계속 시도해야 하는 단계입니다.", "It has to be tried until it is answered.";
        "STEP_RUNNING": "지금 시도하고 있습니다.", "It is being tried just now.";
        "STEP_NOT_FOUND": "그사이 끝났습니다.", "It has been done meanwhile.";
        "DEAD_LETTER_NOT_FOUND": "이미 처리된 메시지입니다.", "It has been dealt with already.";
    }
}
