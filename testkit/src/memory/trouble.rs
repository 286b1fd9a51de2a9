//! What can befall a call of a port.

/// Decides the fate of every call. Does nothing in itself: a test writes its own.
pub trait Trouble: Send + Sync {
    /// What becomes of this call; asked right before it is carried out.
    fn strike(&self, call: Call) -> Strike;
}

/// Every call succeeds.
#[derive(Clone, Copy, Debug)]
pub struct NoTrouble;

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// It only looks.
    Read,
    /// It changes something.
    Write,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strike {
    /// It succeeds.
    Spared,
    /// It fails, and nothing is changed.
    Away,
    /// It is carried out, and whoever called never learns of it: the process ends there.
    Silenced,
}

// === impl NoTrouble ===

impl Trouble for NoTrouble {
    fn strike(&self, _call: Call) -> Strike {
        Strike::Spared
    }
}
