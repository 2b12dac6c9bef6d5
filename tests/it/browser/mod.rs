//! The console in a real browser, as an operator walks it: a headless Chromium against the running program. Whatever a test does,
//! `support::browser` counts errors of the console, violations of the policy, foreign hosts and heavy pages beside it.

mod changes;
mod credentials;
mod editing;
mod inspection;
mod keyboard;
mod once;
mod owner;
mod partners;
mod scriptless;
mod set_up;
mod sign_in;
mod stage;
mod tour;
