//! What the tests stand on.

pub mod admin_harness;
pub mod allocating;
pub mod asking;
pub mod beside;
pub mod browser;
pub mod calls;
pub mod certificate;
pub mod counting;
pub mod faulty;
pub mod forge;
pub mod installation;
pub mod keys;
pub mod log;
pub mod oauth;
pub mod postgresql;
pub mod registration;
pub mod schema;
pub mod server;
pub mod shared;
pub mod warm;
pub mod watch;
pub mod webdriver;
pub mod wire;
