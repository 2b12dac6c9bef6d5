//! Searching, in SQL: a text within another, ASCII letters in whatever case, every other character as it is.

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::sql_types::Text;

use crate::domain::Search;
use crate::store::connection::DbConn;

/// What makes the character after it a plain one in a pattern of `LIKE`. A backslash would be read twice by some.
pub(super) const ESCAPE: char = '!';

/// The pattern of a text that contains what is looked for, in lower case.
pub(super) fn pattern(search: &Search) -> String {
    let mut pattern = String::from("%");
    for character in search.as_str().chars() {
        if matches!(character, '%' | '_' | ESCAPE) {
            pattern.push(ESCAPE);
        }
        pattern.push(character.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}

/// `column`, for a comparison by `LIKE` with a pattern in lower case. PostgreSQL tells cases apart, and what it takes for a letter depends
/// on a locale unless it is told; the `LIKE` of SQLite folds ASCII letters by itself and no others.
pub(super) fn folded(connection: &DbConn, column: &'static str) -> SqlLiteral<Text> {
    match connection {
        DbConn::Postgres(_) => sql(&format!(r#"lower({column} COLLATE "C")"#)),
        DbConn::Sqlite(_) => sql(column),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_in_a_pattern_is_escaped() {
        let of = |text: &str| pattern(&text.parse().unwrap());
        assert_eq!(of("Acme"), "%acme%");
        assert_eq!(of("100%_!\\É"), "%100!%!_!!\\É%");
    }
}
