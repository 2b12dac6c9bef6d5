//! The admin API, over real HTTP.

mod apis;
mod bad_input;
mod clients;
mod conditions;
mod description;
mod doors;
mod journal;
mod keys;
mod limits;
mod notices;
mod operators;
mod outage;
mod paging;
mod partners;
mod quotas;
mod roles;
mod secrets;
mod stores;
mod usage;
