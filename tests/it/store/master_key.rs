//! The master key: made once, kept privately, and the one the database was begun with.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use mintmark::ambient::SystemEntropy;
use mintmark::store::{MasterKey, MasterKeyError, verify_or_begin};

use crate::store::places;

fn load(path: &Path) -> Result<MasterKey, MasterKeyError> {
    MasterKey::load_or_create(path, &SystemEntropy::new())
}

fn digest(key: &MasterKey) -> [u8; 32] {
    *key.pepper().digest("a text").as_bytes()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_first_start_makes_a_key_that_later_starts_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/keys/master.key");
    let made = load(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(fs::read(&path).unwrap().len(), 32);
    assert_eq!(digest(&load(&path).unwrap()), digest(&made));
    let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing else is left behind: {names:?}");
    let other = load(&folder.path().join("other.key")).unwrap();
    assert_ne!(digest(&other), digest(&made));
}

#[test]
fn servers_that_start_at_once_agree_on_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let digests: Vec<[u8; 32]> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| digest(&load(&path).unwrap()))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert!(digests.iter().all(|other| *other == digests[0]));
}

#[test]
fn a_file_that_is_no_well_kept_key_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, (bytes, mode): (&[u8], u32)| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    };
    let key: &[u8] = &[5; 32];
    for (path, sentence) in [
        (file("group", (key, 0o640)), "is open to others than its owner"),
        (file("others", (key, 0o604)), "is open to others than its owner"),
        (file("empty", (b"", 0o600)), "does not have 32 bytes"),
        (file("short", (&key[1..], 0o600)), "does not have 32 bytes"),
        (file("long", (&[5; 33], 0o600)), "does not have 32 bytes"),
    ] {
        let before = fs::read(&path).unwrap();
        let refusal = load(&path).unwrap_err().to_string();
        assert!(
            refusal.contains(sentence) && refusal.contains(path.to_str().unwrap()),
            "{refusal}"
        );
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    let refusal = load(folder.path()).unwrap_err();
    assert!(matches!(refusal, MasterKeyError::NotAFile(_)), "{refusal}");
    let below_a_file = folder.path().join("empty/master.key");
    let refusal = load(&below_a_file).unwrap_err();
    assert!(matches!(refusal, MasterKeyError::File { .. }), "{refusal}");
}

#[test]
fn a_link_counts_as_the_file_it_leads_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("master.key");
    let made = load(&path).unwrap();
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(digest(&load(&link).unwrap()), digest(&made));
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(load(&link), Err(MasterKeyError::Exposed(_))));
    fs::remove_file(&path).unwrap();
    assert!(matches!(load(&link), Err(MasterKeyError::DanglingLink(_))));
    assert!(!path.exists(), "no key is made behind a link");
}

#[test]
fn a_database_begun_with_another_key_is_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let entropy = SystemEntropy::new();
    let right = load(&folder.path().join("right.key")).unwrap().sealer();
    let wrong = load(&folder.path().join("wrong.key")).unwrap().sealer();
    for fresh in [places::memory(), places::sqlite(), places::postgresql()] {
        verify_or_begin(&*fresh.store, &right, &entropy).unwrap();
        verify_or_begin(&*fresh.store, &right, &entropy).unwrap();
        let refusal = verify_or_begin(&*fresh.store, &wrong, &entropy).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "this is not the master key the database was begun with: bring back the right one"
        );
    }
}
