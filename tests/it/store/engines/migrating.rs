//! Migrations: twins, there and back, one at a time, and tables as `schema.rs` has them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mintmark::store::{self, Migrate, OpenError, StoreSettings};

use super::Aside;
use crate::store::places::{Ground, TIMEOUT, postgresql_ground, sqlite_ground};

fn grounds() -> [Ground; 2] {
    [sqlite_ground(), postgresql_ground()]
}

fn migrate(ground: &Ground) -> Result<Vec<String>, OpenError> {
    store::migrate(&ground.settings().url, TIMEOUT)
}

/// Everything the database says of its own form.
fn form(ground: &Ground) -> Vec<String> {
    let mut aside = Aside::open(&ground.url);
    let query = match aside {
        Aside::Sqlite(_) => {
            "SELECT type || ' ' || name || ' ' || coalesce(sql, '') AS line FROM sqlite_master ORDER BY 1"
        }
        Aside::Postgresql(_) => {
            "SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, collation_name) AS line
             FROM information_schema.columns WHERE table_schema = current_schema()
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()
             UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
             FROM pg_constraint WHERE connamespace = current_schema()::regnamespace ORDER BY 1"
        }
    };
    aside.lines(query)
}

#[test]
fn up_down_up_ends_where_up_ended() {
    for ground in grounds() {
        let ran = migrate(&ground).unwrap();
        assert!(!ran.is_empty());
        let up = form(&ground);
        assert!(up.iter().any(|line| line.contains("client_secrets")), "{up:#?}");
        let mut back = store::revert_all_migrations(&ground.settings().url, TIMEOUT).unwrap();
        back.reverse();
        assert_eq!(back, ran);
        let down = form(&ground);
        let left: Vec<_> = down
            .iter()
            .filter(|line| !line.contains("__diesel_schema_migrations"))
            .collect();
        assert!(left.is_empty(), "down leaves {left:#?}");
        assert_eq!(migrate(&ground).unwrap(), ran);
        assert_eq!(form(&ground), up);
    }
}

#[test]
fn whoever_finds_nothing_to_do_does_nothing() {
    for ground in grounds() {
        let url = ground.settings().url;
        let needed = store::pending_migrations(&url, TIMEOUT).unwrap();
        assert_eq!(migrate(&ground).unwrap(), needed);
        assert!(store::pending_migrations(&url, TIMEOUT).unwrap().is_empty());
        assert!(migrate(&ground).unwrap().is_empty());
    }
}

#[test]
fn of_servers_that_start_at_once_one_migrates() {
    for ground in grounds() {
        let url = ground.settings().url;
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..6).map(|_| scope.spawn(|| store::migrate(&url, TIMEOUT))).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        let mut ran = 0;
        for outcome in outcomes {
            match outcome {
                Ok(migrations) => ran += migrations.len(),
                Err(OpenError::InUse(_)) => assert!(ground.file.is_some(), "only a file is owned by one process"),
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(ran, scripts("sqlite").len());
    }
}

#[test]
fn a_server_told_not_to_migrate_refuses_and_changes_nothing() {
    for ground in grounds() {
        let settings = StoreSettings {
            migrate: Migrate::Require,
            ..ground.settings()
        };
        let before = match ground.file {
            Some(_) => Vec::new(),
            None => form(&ground),
        };
        let refusal = store::open(&settings).err().expect("it refuses").to_string();
        assert!(refusal.contains("run `mintmark migrate`"), "{refusal}");
        assert_eq!(form(&ground), before);
        migrate(&ground).unwrap();
        assert!(store::open(&settings).is_ok());
    }
}

#[test]
fn a_database_of_a_newer_server_is_refused() {
    for ground in grounds() {
        migrate(&ground).unwrap();
        Aside::open(&ground.url).execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231235959')");
        let refusal = store::open(&ground.settings()).err().expect("it refuses").to_string();
        assert!(
            refusal.contains("newer version") && refusal.contains("20991231235959"),
            "{refusal}"
        );
    }
}

/// The names of the folders of one engine's scripts.
fn scripts(engine: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
    let names = fs::read_dir(folder).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn the_scripts_are_twins() {
    assert_eq!(scripts("sqlite"), scripts("postgresql"));
    let [sqlite, postgresql] = grounds().map(|ground| {
        migrate(&ground).unwrap();
        let mut aside = Aside::open(&ground.url);
        let query = match aside {
            Aside::Sqlite(_) => "SELECT name AS line FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL",
            Aside::Postgresql(_) => {
                "SELECT indexname::text AS line FROM pg_indexes
                 WHERE schemaname = current_schema() AND indexname NOT LIKE '%_pkey'"
            }
        };
        aside.lines(query).into_iter().collect::<BTreeSet<_>>()
    });
    assert_eq!(sqlite, postgresql);
}

/// `table column type nullability`, one for each column in `schema.rs`.
fn columns_in_schema_rs() -> BTreeSet<String> {
    let mut table = "";
    let mut columns = BTreeSet::new();
    for line in include_str!("../../../../src/store/schema.rs").lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            table = name;
        } else if let Some((column, kind)) = line.strip_suffix(',').and_then(|line| line.split_once(" -> ")) {
            let (kind, nullable) = match kind.strip_prefix("Nullable<") {
                Some(kind) => (kind.trim_end_matches('>'), "nullable"),
                None => (kind, "required"),
            };
            columns.insert(format!("{table} {column} {kind} {nullable}"));
        }
    }
    columns
}

#[test]
fn schema_rs_has_the_tables_of_both_live_databases() {
    let expected = columns_in_schema_rs();
    assert!(expected.contains("clients partner_id Text nullable") && expected.len() > 80);
    for ground in grounds() {
        migrate(&ground).unwrap();
        let mut aside = Aside::open(&ground.url);
        let query = match aside {
            Aside::Sqlite(_) => {
                "SELECT t.name || ' ' || c.name || ' '
                     || CASE c.type WHEN 'INTEGER' THEN 'BigInt' WHEN 'TEXT' THEN 'Text' WHEN 'BLOB' THEN 'Binary' ELSE c.type END
                     || CASE c.\"notnull\" WHEN 1 THEN ' required' ELSE ' nullable' END AS line
                 FROM sqlite_master t, pragma_table_info(t.name) c
                 WHERE t.type = 'table' AND t.name NOT LIKE '\\_\\_%' ESCAPE '\\'"
            }
            Aside::Postgresql(_) => {
                "SELECT table_name || ' ' || column_name || ' '
                     || CASE data_type WHEN 'bigint' THEN 'BigInt' WHEN 'text' THEN 'Text' WHEN 'bytea' THEN 'Binary' ELSE data_type END
                     || CASE is_nullable WHEN 'NO' THEN ' required' ELSE ' nullable' END AS line
                 FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name NOT LIKE '\\_\\_%'"
            }
        };
        let live: BTreeSet<String> = aside.lines(query).into_iter().collect();
        assert_eq!(live, expected);
    }
}
