//! How each context is put together: one file each, and one line here.

mod delivery;
mod kitchen;
mod loyalty;
mod notification;
mod ordering;
mod payment;
mod tracking;

use std::fmt;

use async_trait::async_trait;
use clap::ValueEnum;
use highstreet_domain::kernel::ports::{Perform, Run};
use highstreet_domain::kernel::{Aggregate, Id, Never, Unanswered};

use crate::StartError;
use crate::context::Mount;

/// The contexts, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
pub enum ContextName {
    /// 주문
    Ordering,
    /// 결제
    Payment,
    /// 제조
    Kitchen,
    /// 배송
    Delivery,
    /// 스탬프/포인트
    Loyalty,
    /// 알림
    Notification,
    /// 마이페이지
    Tracking,
}

/// Performs the steps of an aggregate that has none.
pub(crate) struct Nothing;

// === impl ContextName ===

impl ContextName {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Ordering,
        Self::Payment,
        Self::Kitchen,
        Self::Delivery,
        Self::Loyalty,
        Self::Notification,
        Self::Tracking,
    ];

    /// The name, as it stands in references, packages and file names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ordering => highstreet_domain::ordering::CONTEXT,
            Self::Payment => highstreet_domain::payment::CONTEXT,
            Self::Kitchen => highstreet_domain::kitchen::CONTEXT,
            Self::Delivery => highstreet_domain::delivery::CONTEXT,
            Self::Loyalty => highstreet_domain::loyalty::CONTEXT,
            Self::Notification => highstreet_domain::notification::CONTEXT,
            Self::Tracking => highstreet_domain::tracking::CONTEXT,
        }
    }

    /// The contexts that it calls, and what callers cannot ask of it while one of them is away.
    pub const fn calls(self) -> &'static [(Self, &'static str)] {
        match self {
            Self::Ordering => &[(Self::Payment, "PlaceOrder")],
            Self::Payment | Self::Kitchen | Self::Delivery | Self::Loyalty | Self::Notification | Self::Tracking => &[],
        }
    }

    pub(crate) fn mount(self, context: &mut Mount<'_>) -> Result<(), StartError> {
        match self {
            Self::Ordering => ordering::mount(context),
            Self::Payment => payment::mount(context),
            Self::Kitchen => kitchen::mount(context),
            Self::Delivery => delivery::mount(context),
            Self::Loyalty => loyalty::mount(context),
            Self::Notification => {
                notification::mount(context);
                Ok(())
            }
            Self::Tracking => {
                tracking::mount(context);
                Ok(())
            }
        }
    }
}

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
