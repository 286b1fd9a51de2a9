//! The whole coffee shop.
