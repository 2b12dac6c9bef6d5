//! The console over real HTTP, without a browser: who is let in, what a form needs, what every page promises.

mod apis;
mod browser;
mod client_list;
mod clients;
mod doors;
mod editing;
mod journal;
mod keys;
mod operators;
mod overview;
mod partners;
mod sessions;
mod standing;
