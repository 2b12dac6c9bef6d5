//! Several servers over one PostgreSQL, as an operator runs them: what one has acknowledged holds on all, at once, under load, and
//! through every fault there is a way to cause.

mod connection;
mod ending;
mod fault;
mod fleet;
mod journal;
mod keys;
mod load;
mod oracle;
mod outage;
mod passing;
mod question;
mod relay;
mod subject;

mod upgrade;
