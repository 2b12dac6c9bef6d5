//! What each engine has of its own: tables, locks, timeouts, and rows that somebody else has written to.

mod bulk;
mod many_tokens;
mod migrating;
mod opening;
mod tampering;
mod waiting;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;

/// A connection of our own, past the store.
pub enum Aside {
    Sqlite(SqliteConnection),
    Postgresql(PgConnection),
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

impl Aside {
    pub fn open(url: &str) -> Self {
        match url.strip_prefix("sqlite:") {
            Some(path) => Self::Sqlite(SqliteConnection::establish(path).unwrap()),
            None => Self::Postgresql(PgConnection::establish(url).unwrap()),
        }
    }

    pub fn execute(&mut self, statements: &str) {
        match self {
            Self::Sqlite(connection) => connection.batch_execute(statements),
            Self::Postgresql(connection) => connection.batch_execute(statements),
        }
        .unwrap();
    }

    /// The column `line` of every row.
    pub fn lines(&mut self, query: &str) -> Vec<String> {
        let query = diesel::sql_query(query);
        let lines: Vec<Line> = match self {
            Self::Sqlite(connection) => query.load(connection),
            Self::Postgresql(connection) => query.load(connection),
        }
        .unwrap();
        lines.into_iter().map(|line| line.line).collect()
    }
}
