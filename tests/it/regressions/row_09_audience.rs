//! The audience not looked at, or looked at carelessly (CVE-2024-5798, CVE-2026-55669, CVE-2020-26160).

use serde_json::json;

use super::Bench;
use crate::support::forge;
use crate::support::installation::{ORDERS, STOCK};

#[test]
fn a_token_counts_only_where_its_audience_names_the_caller_exactly() {
    let bench = Bench::new();
    let with_audience = |audience| forge::with_claims(&bench.key, &bench.token, |claims| claims["aud"] = audience);
    for audience in [
        json!(STOCK),
        json!([STOCK]),
        json!([]),
        json!(""),
        json!([""]),
        json!([[ORDERS]]),
        json!({ "0": ORDERS }),
        json!(null),
        json!(0),
        json!(true),
        json!([ORDERS, 1]),
        json!([ORDERS, null]),
        json!("https://api.example.com"),
        json!("https://api.example.com/"),
        json!("https://api.example.com/orders/"),
        json!("https://api.example.com/orders#"),
        json!("HTTPS://api.example.com/orders"),
        json!("https://api.example.com/order"),
        json!("https://api.example.com/orders2"),
        json!(format!("{ORDERS} {STOCK}")),
        json!(format!("{ORDERS},{STOCK}")),
    ] {
        bench.rejects(&audience.to_string(), &with_audience(audience));
    }
    for audience in [json!(ORDERS), json!([ORDERS]), json!([STOCK, ORDERS])] {
        assert!(bench.confirms(&with_audience(audience.clone())), "{audience}");
    }
}

#[test]
fn an_api_whose_audience_changed_no_longer_sees_the_old_tokens() {
    let bench = Bench::new();
    let mut api = bench.installation.api(bench.asking.environment, "orders");
    api.audience = "https://api.example.com/v2/orders".parse().unwrap();
    bench.installation.commit(mintmark::domain::Mutation::ApiChanged(api));
    bench.rejects("the old audience", &bench.token);
}
