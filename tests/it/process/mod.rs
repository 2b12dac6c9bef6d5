//! The built program as it runs: started, watched, asked over real sockets, stopped, killed, and started again.

mod bounds;
pub mod clients;
mod durability;
mod everything;
mod log;
mod metrics;
mod notices;
mod outage;
mod proxies;
mod quota;
mod replicas;
mod set_up;
mod standing;
mod tls;
mod usage;

/// Runs each test on both stores.
macro_rules! on_both_stores {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(crate::support::server::Installation::sqlite()); })*
        }

        mod postgresql {
            $(#[test] fn $name() { super::$name(crate::support::server::Installation::postgresql()); })*
        }
    };
}
pub(crate) use on_both_stores;
