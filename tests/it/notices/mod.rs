//! Notices: raised once, sent until they arrive or are given up. Time is a clock that the tests move; nothing waits for it.

mod counting;
mod raising;
pub mod receiver;
mod receivers;
mod replica;
mod sending;
