//! The journal on pages: found, read, checked, saved.

use mintmark::domain::{ChainHash, Role};
use mintmark::store;
use serde_json::json;

use super::browser::{Browser, Page};
use crate::store::engines::Aside;
use crate::store::places::sqlite_ground;
use crate::support::admin_harness::{Harness, furnish, register, warehouse};

/// How many rows the table has, without its head.
fn rows(page: &Page) -> usize {
    page.text.matches("<tr>").count() - 1
}

#[test]
fn rows_are_found_by_what_they_are_about_the_newest_first() {
    let harness = Harness::start();
    furnish(&harness);
    let (client_id, ..) = register(&harness, &warehouse());
    harness.act(&format!("/clients/{client_id}/suspend")).expect(200);
    let browser = Browser::signed_in(&harness, Role::Viewer);
    let page = browser.get("/console/journal").expect(200);
    // Three operators, a partner, two APIs, a client that was registered and suspended.
    assert_eq!(rows(&page), 8);
    page.says("Chain verified, row by row (8 shown)");
    assert!(!page.text.contains("Older"), "there is one page");
    let order = |first: &str, second: &str| page.text.find(first).unwrap() < page.text.find(second).unwrap();
    assert!(order(">client.suspended</td>", ">client.registered</td>"));
    for (query, found) in [
        ("action=client.suspended", 1),
        ("noun=client", 2),
        ("noun=operator&environment=", 3),
        ("partner_id=acme", 3),
        ("environment=qa", 3),
        ("environment=production", 1),
        (&format!("subject={client_id}"), 2),
        ("subject=nobody", 0),
        ("partner_id=acme&noun=partner", 1),
    ] {
        let page = browser.get(&format!("/console/journal?{query}")).expect(200);
        assert_eq!(rows(&page), found, "{query}");
    }
    browser
        .get("/console/journal?noun=client")
        .says("<option selected>client</option>");
    browser
        .get("/console/journal?noun=nonsense")
        .expect(400)
        .says("noun is none of");
    browser
        .get("/console/journal?before=0")
        .expect(400)
        .says("is not the number of a row");
}

#[test]
fn a_long_journal_goes_on_on_the_next_page() {
    let harness = Harness::start();
    for number in 0..60 {
        let partner = json!({ "partner_id": format!("p-{number:02}"), "name": "A" });
        harness.post("/partners", &partner).expect(201);
    }
    let browser = Browser::signed_in(&harness, Role::Viewer);
    let page = browser.get("/console/journal?noun=partner").expect(200);
    assert_eq!(rows(&page), 50);
    // Three operators were made first, so sixty partners are the rows 4 to 63, and the fiftieth from the end is row 14.
    page.says("href=\"/console/journal?noun=partner&#38;before=14\"");
    let page = browser.get("/console/journal?noun=partner&before=14").expect(200);
    assert_eq!(rows(&page), 10);
    page.says("Chain verified, row by row (10 shown)");
    assert!(!page.text.contains("Older"));
}

#[test]
fn one_row_is_shown_whole_and_what_somebody_typed_is_text() {
    let harness = Harness::start();
    let partner = json!({ "partner_id": "acme", "name": "<script>alert(1)</script>" });
    harness.post("/partners", &partner).expect(201);
    let browser = Browser::signed_in(&harness, Role::Viewer);
    let page = browser.get("/console/journal/4").expect(200);
    page.says("partner.registered");
    page.says("owner@example.com");
    page.says("It has the hash of its content");
    page.says("\n  &#34;name&#34;: &#34;&#60;script&#62;alert(1)&#60;/script&#62;&#34;");
    assert!(!page.text.contains("<script>"));
    page.says("href=\"/console/journal?noun=partner&#38;subject=acme\"");
    let written = harness.get("/journal/4").expect(200);
    page.says(written["hash"].as_str().unwrap());
    page.says(written["previous_hash"].as_str().unwrap());
    assert!(
        page.text.contains("Row 3") && !page.text.contains("Row 5"),
        "it is the last"
    );
    browser
        .get("/console/journal/1")
        .expect(200)
        .says(&ChainHash::GENESIS.to_string());
    for nowhere in ["5", "0", "x"] {
        browser.get(&format!("/console/journal/{nowhere}")).expect(404);
    }
}

#[test]
fn a_file_holds_what_the_filter_finds_and_no_formula() {
    let harness = Harness::start();
    furnish(&harness);
    let browser = Browser::signed_in(&harness, Role::Viewer);
    let page = browser.get("/console/journal.csv?noun=api").expect(200);
    for (name, value) in [
        ("content-type", "text/csv; charset=utf-8; header=present"),
        ("content-disposition", "attachment; filename=\"journal-5-6.csv\""),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(page.header(name), Some(value));
    }
    let mut table = csv::Reader::from_reader(page.text.as_bytes());
    let headings: Vec<String> = table.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    let written = [
        harness.get("/journal/6").expect(200),
        harness.get("/journal/5").expect(200),
    ];
    for (row, written) in rows.iter().zip(written) {
        for (heading, cell) in headings.iter().zip(row) {
            let expected = match &written[heading] {
                serde_json::Value::Null => String::new(),
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(cell, expected, "{heading}");
        }
    }
    let empty = browser.get("/console/journal.csv?subject=nobody").expect(200);
    assert_eq!(empty.text.lines().count(), 1);
    assert_eq!(
        empty.header("content-disposition"),
        Some("attachment; filename=\"journal.csv\"")
    );
}

#[test]
fn every_row_is_held_against_the_one_before_it_shown_or_not() {
    let ground = sqlite_ground();
    let harness = Harness::on(store::open(&ground.settings()).unwrap());
    furnish(&harness);
    let browser = Browser::signed_in(&harness, Role::Viewer);
    browser
        .get("/console/journal")
        .expect(200)
        .says("Chain verified, row by row (6 shown)");
    let mut aside = Aside::open(&ground.url);
    aside.execute("UPDATE journal SET subject = 'acne' WHERE epoch = 4");
    let page = browser.get("/console/journal").expect(200);
    page.says("Of the rows shown, 1 did not pass");
    page.says("epoch 4 was altered after it was written");
    assert!(!page.text.contains("Chain verified"));
    browser
        .get("/console/journal/4")
        .expect(200)
        .says("Not as it was written: epoch 4 was altered");
    // Somebody who computes the hash of what they altered is betrayed by the row after it, though only that one is shown.
    aside.execute("UPDATE journal SET hash = (SELECT hash FROM journal WHERE epoch = 3) WHERE epoch = 4");
    for path in ["/console/journal?subject=orders&environment=qa", "/console/journal/5"] {
        browser
            .get(path)
            .expect(200)
            .says("epoch 5 does not follow the row before it");
    }
    aside.execute("DELETE FROM journal WHERE epoch = 4");
    let page = browser.get("/console/journal?noun=api").expect(200);
    page.says("epoch 4 is missing: epoch 5 stands in its place");
    page.says("Of the rows shown, 1 did not pass");
    aside.execute("DELETE FROM journal WHERE epoch = 6");
    let page = browser.get("/console/journal").expect(200);
    page.says("The newest rows are gone: the journal ends at epoch 5, but the head stands at epoch 6");
}
