//! Tables for spreadsheets, as RFC 4180 writes them.
//!
//! A spreadsheet takes a cell that begins with certain characters for a formula, and runs it. What others chose the text of, such as the
//! name of a scope, must not run on the desk of whoever opens the file, so such a cell begins with an apostrophe here.

use csv::{Terminator, Writer, WriterBuilder};

/// With what a formula can begin.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// A table on its way into a file.
pub struct Spreadsheet(Writer<Vec<u8>>);

impl Spreadsheet {
    /// A table with these headings.
    #[must_use]
    pub fn new<'a>(headings: impl IntoIterator<Item = &'a str>) -> Self {
        let mut table = Self(
            WriterBuilder::new()
                .terminator(Terminator::CRLF)
                .from_writer(Vec::new()),
        );
        table.row(headings);
        table
    }

    /// One more row, with as many cells as there are headings.
    ///
    /// # Panics
    /// When there are more or fewer: each table has one place where its rows are made.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = &'a str>) {
        self.0
            .write_record(cells.into_iter().map(harmless))
            .expect("rows are as long as their headings, and memory takes them all");
    }

    /// The file.
    ///
    /// # Panics
    /// Never: memory takes it all, and all of it is text.
    #[must_use]
    pub fn finish(self) -> String {
        let bytes = self.0.into_inner().expect("memory takes what is left");
        String::from_utf8(bytes).expect("what was put in was text")
    }
}

fn harmless(cell: &str) -> String {
    if cell.starts_with(FORMULA) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_leaves_its_place() {
        let mut table = Spreadsheet::new(["scope", "requests"]);
        for cell in [
            "read",
            "=HYPERLINK(1)",
            "+1",
            "-1",
            "@SUM",
            "\tx",
            "\rx",
            "a,b",
            "a\"b",
            "a=b",
        ] {
            table.row([cell, "1"]);
        }
        let expected = [
            "scope,requests",
            "read,1",
            "'=HYPERLINK(1),1",
            "'+1,1",
            "'-1,1",
            "'@SUM,1",
            "'\tx,1",
            "\"'\rx\",1",
            "\"a,b\",1",
            "\"a\"\"b\",1",
            "a=b,1",
            "",
        ];
        assert_eq!(table.finish(), expected.join("\r\n"));
    }
}
