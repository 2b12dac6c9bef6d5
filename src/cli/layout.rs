//! How things look to people: a table for many, a sheet for one. Values come from a server, so each is made visible first.

use comfy_table::{Table, presets};
use serde_json::{Map, Value};

use super::output::visible;

/// How one kind of thing is shown.
pub(super) struct Layout {
    /// Headings and members of the table.
    pub(super) columns: &'static [(&'static str, &'static str)],
    /// The members that head the sheet, in this order; the others follow.
    pub(super) first: &'static [&'static str],
}

pub(super) const PARTNERS: Layout = Layout {
    columns: &[
        ("PARTNER", "partner_id"),
        ("NAME", "name"),
        ("STATUS", "status"),
        ("SCOPE CEILING", "scope_ceiling"),
        ("PARENT", "parent"),
    ],
    first: &["partner_id", "name", "status", "scope_ceiling", "parent", "plan"],
};

pub(super) const QUOTAS: Layout = Layout {
    columns: &[
        ("QUOTA", "quota"),
        ("HOLDER", "holder"),
        ("ENVIRONMENT", "environment"),
        ("MODE", "quota_mode"),
        ("LIMIT", "limit"),
        ("DRAWN", "drawn"),
        ("REMAINING", "remaining"),
        ("UNTIL", "window_end"),
    ],
    first: &["quota", "holder", "environment"],
};

pub(super) const APIS: Layout = Layout {
    columns: &[
        ("ENVIRONMENT", "environment"),
        ("API", "api_id"),
        ("NAME", "name"),
        ("AUDIENCE", "audience"),
        ("SCOPES", "scopes"),
    ],
    first: &["environment", "api_id", "name", "audience", "scopes"],
};

pub(super) const CLIENTS: Layout = Layout {
    columns: &[
        ("CLIENT", "client_id"),
        ("NAME", "name"),
        ("PARTNER", "partner_id"),
        ("API", "api_id"),
        ("ACCESS", "access_level"),
        ("STATUS", "status"),
        ("EXPIRES", "expires_at"),
    ],
    first: &[
        "client_id",
        "client_secret",
        "environment",
        "name",
        "contact",
        "status",
        "kind",
        "partner_id",
        "api_id",
        "access_level",
        "scope",
        "allowed_apis",
    ],
};

pub(super) const SECRETS: Layout = Layout {
    columns: &[
        ("SECRET", "secret_id"),
        ("HINT", "hint"),
        ("NOTE", "note"),
        ("NOT BEFORE", "not_before"),
        ("EXPIRES", "expires_at"),
        ("LAST USED", "last_used_at"),
        ("FROM", "last_used_source"),
        ("SAFE TO RETIRE", "safe_to_retire"),
        ("CREATED BY", "created_by"),
    ],
    first: &[
        "secret_id",
        "client_id",
        "client_secret",
        "note",
        "hint",
        "not_before",
        "expires_at",
    ],
};

pub(super) const USAGE: Layout = Layout {
    columns: &[
        ("BEGINS", "begins"),
        ("ENVIRONMENT", "environment"),
        ("PARTNER", "partner_id"),
        ("CLIENT", "client_id"),
        ("SCOPE", "scope"),
        ("ISSUED", "issued"),
        ("REFUSED", "refused"),
        ("REFUSALS", "refusals"),
    ],
    first: &["begins", "environment", "partner_id", "client_id", "scope"],
};

pub(super) const OPERATORS: Layout = Layout {
    columns: &[
        ("OPERATOR", "operator_id"),
        ("E-MAIL", "email"),
        ("ROLE", "role"),
        ("STATUS", "status"),
        ("TOKEN EXPIRES", "token_expires_at"),
    ],
    first: &[
        "operator_id",
        "email",
        "role",
        "status",
        "token_hint",
        "token_expires_at",
    ],
};

pub(super) const KEYS: Layout = Layout {
    columns: &[
        ("ENVIRONMENT", "environment"),
        ("KEY", "kid"),
        ("ALGORITHM", "algorithm"),
        ("STATE", "state"),
        ("ANNOUNCED", "announced_at"),
        ("ACTIVE SINCE", "active_since"),
        ("RETIRED", "retired_at"),
    ],
    first: &["environment", "kid", "algorithm", "state"],
};

pub(super) const JOURNAL: Layout = Layout {
    columns: &[
        ("EPOCH", "epoch"),
        ("AT", "at"),
        ("WHO", "actor"),
        ("ACTION", "action"),
        ("SUBJECT", "subject"),
        ("PARTNER", "partner_id"),
        ("ENVIRONMENT", "environment"),
    ],
    first: &["epoch", "at", "actor", "action", "subject"],
};

pub(super) const NOTICES: Layout = Layout {
    columns: &[
        ("RAISED", "raised_at"),
        ("KIND", "kind"),
        ("DAYS", "days"),
        ("EXPIRES", "expires_at"),
        ("ENVIRONMENT", "environment"),
        ("PARTNER", "partner_id"),
        ("CLIENT", "client_id"),
        ("SECRET", "secret_id"),
        ("DELIVERY", "delivery"),
    ],
    first: &["notice_id", "raised_at", "kind", "days", "expires_at"],
};

impl Layout {
    /// Many things, one a row.
    pub(super) fn table(&self, items: &[Value]) -> String {
        let mut table = bare();
        table.set_header(self.columns.iter().map(|(heading, _)| *heading));
        for item in items {
            table.add_row(self.columns.iter().map(|(_, member)| cell(&item[*member])));
        }
        written(table)
    }

    /// One thing, one member a row.
    pub(super) fn sheet(&self, item: &Map<String, Value>) -> String {
        let mut table = bare();
        let headed = self.first.iter().filter_map(|member| item.get_key_value(*member));
        let others = item.iter().filter(|(member, _)| !self.first.contains(&member.as_str()));
        for (member, value) in headed.chain(others) {
            table.add_row([visible(member), cell(value)]);
        }
        written(table)
    }
}

fn bare() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

/// Columns two spaces apart, the first at the margin.
fn written(mut table: Table) -> String {
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    table.trim_fmt()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => visible(text),
        Value::Array(items) if items.is_empty() => "(none)".to_owned(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => visible(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_has_a_row_for_each_thing_and_a_mark_for_what_is_absent() {
        let items = [
            json!({ "partner_id": "acme", "name": "Acme\u{1b}[31m", "status": "active", "scope_ceiling": ["a", "b"], "parent": null }),
            json!({ "partner_id": "acme-eu", "name": "Acme EU", "status": "suspended", "scope_ceiling": [], "parent": "acme" }),
        ];
        let shown = PARTNERS.table(&items);
        let words: Vec<Vec<_>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(
            words,
            [
                vec!["PARTNER", "NAME", "STATUS", "SCOPE", "CEILING", "PARENT"],
                vec!["acme", "Acme\\u{1b}[31m", "active", "a", "b", "-"],
                vec!["acme-eu", "Acme", "EU", "suspended", "(none)", "acme"],
            ]
        );
    }

    #[test]
    fn a_sheet_begins_with_what_matters_and_leaves_nothing_out() {
        let item = json!({ "zebra": 7, "name": "Acme", "created_at": "x", "partner_id": "acme" });
        let shown = PARTNERS.sheet(item.as_object().unwrap());
        let members: Vec<_> = shown
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(members, ["partner_id", "name", "created_at", "zebra"]);
    }
}
