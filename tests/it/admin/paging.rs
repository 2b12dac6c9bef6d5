//! Pages: every row once, in order, whatever the limit; and no cursor but one's own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::admin_harness::{Harness, furnish, register, warehouse};

/// Walks a list by pages of `limit`, and checks that each but the last is full.
fn walk(harness: &Harness, path: &str, limit: usize) -> Vec<Value> {
    let glue = if path.contains('?') { '&' } else { '?' };
    let (mut rows, mut cursor) = (Vec::new(), None);
    loop {
        let after = cursor.map_or_else(String::new, |cursor: String| format!("&cursor={cursor}"));
        let page = harness.get(&format!("{path}{glue}limit={limit}{after}")).expect(200);
        let items = page["items"].as_array().unwrap();
        rows.extend(items.iter().cloned());
        match page["next"].as_str() {
            Some(next) => {
                assert_eq!(items.len(), limit, "{path}");
                cursor = Some(next.to_owned());
            }
            None => return rows,
        }
    }
}

fn furnished() -> (Harness, String) {
    let harness = Harness::start();
    furnish(&harness);
    harness.tend_keys();
    for number in 0..7 {
        let body = json!({ "partner_id": format!("partner-{number}"), "name": "P" });
        harness.post("/partners", &body).expect(201);
        let body = json!({ "email": format!("o{number}@example.com"), "role": "viewer" });
        harness.post("/operators", &body).expect(201);
        let body = json!({
            "environment": "qa", "api_id": format!("api-{number}"), "name": "A", "audience": format!("urn:{number}"), "scopes": [],
        });
        harness.post("/apis", &body).expect(201);
    }
    let paths: Vec<String> = (0..7).map(|_| register(&harness, &warehouse()).2).collect();
    for _ in 0..4 {
        harness.act(&format!("{}/secrets", paths[0])).expect(201);
    }
    (harness, paths[0].clone())
}

#[test]
fn every_row_stands_on_one_page_and_in_order() {
    let (harness, client) = furnished();
    let lists = [
        ("/partners".to_owned(), 8),
        ("/apis".to_owned(), 9),
        ("/clients".to_owned(), 7),
        ("/clients?environment=qa&partner_id=acme".to_owned(), 7),
        (format!("{client}/secrets"), 5),
        ("/operators".to_owned(), 10),
        ("/keys".to_owned(), 4),
        ("/journal?noun=partner".to_owned(), 8),
        ("/journal?noun=partner&order=newest_first".to_owned(), 8),
    ];
    for (path, count) in lists {
        let whole = harness.get(&path).expect(200);
        assert!(whole.get("next").is_none());
        let whole = whole["items"].as_array().unwrap();
        assert_eq!(whole.len(), count, "{path}");
        let once: BTreeSet<String> = whole.iter().map(Value::to_string).collect();
        assert_eq!(once.len(), count, "{path}");
        for limit in [1, 3, count - 1, count, count + 1] {
            assert_eq!(walk(&harness, &path, limit), *whole, "{path} by {limit}");
        }
    }
}

#[test]
fn a_row_that_comes_between_is_neither_skipped_nor_repeated() {
    let (harness, _) = furnished();
    let first = harness.get("/partners?limit=3").expect(200);
    let body = json!({ "partner_id": "aaa", "name": "First" });
    harness.post("/partners", &body).expect(201);
    let next = first["next"].as_str().unwrap();
    let second = harness.get(&format!("/partners?limit=3&cursor={next}")).expect(200);
    assert_eq!(first["items"][2]["partner_id"], "partner-1");
    assert_eq!(second["items"][0]["partner_id"], "partner-2");
}

#[test]
fn a_forged_cursor_or_limit_is_refused_by_name() {
    let (harness, client) = furnished();
    let secrets = format!("{client}/secrets");
    let foreign = harness.get("/partners?limit=1").expect(200)["next"]
        .as_str()
        .unwrap()
        .to_owned();
    for path in ["/clients", "/apis", "/operators", "/keys", "/journal", &secrets] {
        for cursor in [&foreign, "x", "", "%00", "YTpi", "JyBPUiAxPTEgLS0", &"A".repeat(300)] {
            let refused = harness.get(&format!("{path}?cursor={cursor}"));
            assert_eq!(refused.faults(400), ["cursor"], "{path} {cursor}");
        }
        for limit in ["0", "201", "-1", "1.5", "all", "", "99999999999999999999"] {
            let refused = harness.get(&format!("{path}?limit={limit}"));
            assert_eq!(refused.faults(400), ["limit"], "{path} {limit}");
        }
    }
    let key_of_nobody = "a2V5OkFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE";
    assert_eq!(
        harness.get(&format!("/keys?cursor={key_of_nobody}")).faults(400),
        ["cursor"]
    );
}
