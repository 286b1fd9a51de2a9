//! How each context is put together: one file each, and one line here.

use std::fmt;

use async_trait::async_trait;
use clap::ValueEnum;
use highstreet_domain::kernel::ports::{Perform, Run};
use highstreet_domain::kernel::{Aggregate, Id, Never, Unanswered};

use crate::context::Mount;

/// Makes of one line for each context everything that has to name them all.
macro_rules! contexts {
    ($($(#[$doc:meta])* $name:ident = $module:ident, calls [$($callee:ident for $what:literal),*];)*) => {
        $(mod $module;)*

        /// The contexts, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
        pub enum ContextName {
            $($(#[$doc])* $name,)*
        }

        impl ContextName {
            /// All of them.
            pub const ALL: [Self; [$(Self::$name),*].len()] = [$(Self::$name),*];

            /// The name, as it stands in references, packages and file names.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => highstreet_domain::$module::CONTEXT,)*
                }
            }

            /// The contexts that it calls, and what callers cannot ask of it while one of them is away.
            pub const fn calls(self) -> &'static [(Self, &'static str)] {
                match self {
                    $(Self::$name => &[$((Self::$callee, $what)),*],)*
                }
            }

            pub(crate) fn mount(self, context: &mut Mount<'_>) {
                match self {
                    $(Self::$name => $module::mount(context),)*
                }
            }
        }
    };
}

contexts! {
    /// 발주
    Replenishment = replenishment, calls [Delivery for "CancelOrder"];
    /// 상품/재고
    Inventory = inventory, calls [];
    /// 구매
    Sales = sales, calls [];
    /// 도서 예약
    Lending = lending, calls [];
    /// 주문
    Ordering = ordering, calls [Payment for "PlaceOrder"];
    /// 결제
    Payment = payment, calls [];
    /// 제조
    Kitchen = kitchen, calls [];
    /// 배송
    Delivery = delivery, calls [];
    /// 스탬프/포인트
    Loyalty = loyalty, calls [];
    /// 예매
    Booking = booking, calls [
        Seating for "CreateBooking and SelectSeats",
        Payment for "CreateBooking",
        Ticketing for "CancelBooking, which waits for it"
    ];
    /// 좌석
    Seating = seating, calls [];
    /// 티켓
    Ticketing = ticketing, calls [Loyalty for "CollectTicket"];
    /// 알림
    Notification = notification, calls [];
    /// 마이페이지
    Tracking = tracking, calls [];
}

/// Performs the steps of an aggregate that has none.
pub(crate) struct Nothing;

// === impl ContextName ===

impl fmt::Display for ContextName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[async_trait]
impl<A: Aggregate<Step = Never>> Perform<A> for Nothing {
    async fn perform(&self, _id: Id<A>, step: &Never, _run: &Run) -> Result<A::Command, Unanswered> {
        match *step {}
    }
}
