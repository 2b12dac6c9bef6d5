//! Opening a store, and the sentences it refuses with.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use mintmark::store::{self, OpenError, Sharing, StoreSettings};

use super::Aside;
use crate::store::places::{postgresql_ground, settings, sqlite_ground};
use crate::support::postgresql::Cluster;

fn refusal(settings: &StoreSettings) -> String {
    let refusal = store::open(settings).err().expect("it is refused");
    format!("{refusal}")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_first_start_makes_the_file_and_its_folder_for_their_owner_alone() {
    let ground = sqlite_ground();
    let file = ground.file.clone().unwrap();
    let fresh = ground.opened();
    assert_eq!(fresh.store.sharing(), Sharing::Sole);
    assert_eq!(mode(file.parent().unwrap()), 0o700);
    for entry in fs::read_dir(file.parent().unwrap()).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    let journal_mode = Aside::open(&format!("sqlite:{}", file.display()))
        .lines("SELECT journal_mode AS line FROM pragma_journal_mode");
    assert_eq!(journal_mode, ["wal"]);
}

#[test]
fn a_second_server_on_one_file_is_refused_under_every_name_of_the_file() {
    let ground = sqlite_ground();
    let file = ground.file.clone().unwrap();
    let first = store::open(&ground.settings()).unwrap();
    let link = file.with_file_name("link.db");
    symlink(&file, &link).unwrap();
    for name in [&file, &link] {
        let again = settings(&format!("sqlite:{}", name.display()));
        assert!(matches!(store::open(&again), Err(OpenError::InUse(_))));
        let sentence = refusal(&again);
        assert!(sentence.ends_with("is in use by another mintmark process: a SQLite file serves one server at a time"));
    }
    drop(first);
    assert!(store::open(&ground.settings()).is_ok());
}

#[test]
fn any_number_of_servers_share_one_postgresql() {
    let ground = postgresql_ground();
    let first = store::open(&ground.settings()).unwrap();
    let second = store::open(&ground.settings()).unwrap();
    assert_eq!((first.sharing(), second.sharing()), (Sharing::Shared, Sharing::Shared));
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letter.txt");
    let letter = "Dear Ada, this is not a database. ".repeat(100);
    fs::write(&file, &letter).unwrap();
    let sentence = refusal(&settings(&format!("sqlite:{}", file.display())));
    assert!(sentence.contains("not a database"), "{sentence}");
    assert_eq!(fs::read_to_string(&file).unwrap(), letter);
    let below = refusal(&settings(&format!("sqlite:{}/below.db", file.display())));
    assert!(below.contains("cannot be opened"), "{below}");
}

#[test]
fn a_refusal_never_shows_the_password() {
    let ground = postgresql_ground();
    let (base, _) = ground.url.rsplit_once('/').unwrap();
    let with_password = base.replacen("postgres@", "postgres:hunter2@", 1);
    let sentence = refusal(&settings(&format!("{with_password}/nowhere")));
    assert!(sentence.contains("\"nowhere\" does not exist"), "{sentence}");
    assert!(!sentence.contains("hunter2"), "{sentence}");
}

#[test]
fn a_standby_is_refused() {
    let primary = Cluster::begin();
    let standby = primary.standby();
    assert!(store::open(&settings(&primary.url())).is_ok());
    let sentence = refusal(&settings(&standby.url()));
    let expected = "this PostgreSQL is a standby in recovery; the database URL must lead to the primary";
    assert!(sentence.ends_with(expected), "{sentence}");
}
