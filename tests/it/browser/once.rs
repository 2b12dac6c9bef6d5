//! A secret is shown once: after its page it is nowhere, neither in the browser nor at the server.

use std::path::Path;
use std::time::Instant;
use std::{fs, thread};

use super::stage::{Stage, create_credentials, go_on};
use crate::support::browser::Browser;
use crate::support::server::PATIENCE;

/// Fails where a page has the secret.
#[track_caller]
fn assert_gone(browser: &Browser, secret: &str) {
    assert!(
        !browser.source().contains(secret),
        "the secret is at {}",
        browser.path()
    );
}

/// The files below a folder that have `text`, in UTF-8 or UTF-16.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let has = |octets: &[u8], wanted: &[u8]| octets.windows(wanted.len()).any(|window| window == wanted);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files_with(&entry.path(), text));
        } else if kind.is_file() {
            let octets = fs::read(entry.path()).unwrap();
            if has(&octets, text.as_bytes()) || has(&octets, &wide) {
                found.push(entry.path().display().to_string());
            }
        }
    }
    found
}

#[test]
fn after_return_it_is_nowhere() {
    let stage = Stage::open();
    let browser = stage.owner_at_browser();
    let profile = browser.profile();
    let made = create_credentials(&browser, "Shop");
    assert!(made.secret.starts_with("mms_qa_"), "{made:?}");
    assert!(!browser.named("Return").is_shown(), "it has to be stored first");
    go_on(&browser);
    browser.is_at("Shop");
    let path = format!("/console/clients/{}", made.client_id);
    assert_eq!(browser.path(), path);
    assert_gone(&browser, &made.secret);
    browser.reload();
    browser.is_at("Shop");
    assert_gone(&browser, &made.secret);
    browser.back();
    browser.is_at("Create credentials");
    assert_gone(&browser, &made.secret);
    browser.forward();
    browser.is_at("Shop");
    assert_gone(&browser, &made.secret);
    assert_eq!(stage.token_status(&made), 200, "it was the secret all the same");
    drop(browser);
    let visited = files_with(profile.path(), "console/partners/acme");
    assert_ne!(visited, [""; 0], "the browser has written down where it was");
    assert_eq!(files_with(profile.path(), &made.secret), [""; 0]);
    assert_eq!(files_with(stage.installation.path("").as_path(), &made.secret), [""; 0]);
    let log = stage.server.log().text();
    assert!(!log.contains(&made.secret), "{log}");
}

#[test]
fn a_reload_shows_no_secret_and_makes_none() {
    let stage = Stage::open();
    let browser = stage.owner_at_browser();
    let made = create_credentials(&browser, "Shop");
    browser.reload();
    browser.says("their secret was shown then");
    assert_gone(&browser, &made.secret);
    browser.press("To the client");
    browser.is_at("Shop");
    browser.back();
    assert_gone(&browser, &made.secret);
    assert_eq!(stage.admin.list("/clients").len(), 1);
    let secrets = format!("/clients/{}/secrets", made.client_id);
    assert_eq!(stage.admin.list(&secrets).len(), 1);
}

#[test]
fn it_can_be_copied_and_downloaded() {
    let stage = Stage::open();
    let folder = tempfile::tempdir().unwrap();
    let browser = stage.owner_at_browser();
    browser.download_to(folder.path());
    let made = create_credentials(&browser, "Shop");
    let token_endpoint = browser.find("#token-endpoint").text();
    for (place, text) in [
        ("client-id", &made.client_id),
        ("client-secret", &made.secret),
        ("token-endpoint", &token_endpoint),
    ] {
        let button = browser.find(&format!("[data-copy={place}]"));
        button.click();
        assert_eq!(browser.clipboard(), *text, "{place}");
    }
    browser.says("Copied");
    browser.press("Download as .env");
    let expected = format!(
        "CLIENT_ID={}\nCLIENT_SECRET={}\nTOKEN_ENDPOINT={token_endpoint}\n",
        made.client_id, made.secret
    );
    let file = folder.path().join(format!("{}.env", made.client_id));
    let begun = Instant::now();
    while fs::read_to_string(&file).ok().as_ref() != Some(&expected) {
        assert!(
            begun.elapsed() < PATIENCE,
            "{} is not what it should be",
            file.display()
        );
        thread::yield_now();
    }
}
