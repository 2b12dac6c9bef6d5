//! Resource indicators (RFC 8707).

use serde_json::json;

use crate::support::installation::{BILLING, Installation, ORDERS, STOCK};

#[test]
fn res_01_a_resource_is_an_absolute_uri_without_fragment_or_query() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    for bad in [
        "orders",
        "/orders",
        "//api.example.com/orders",
        "https://",
        "https:",
        "https:///orders",
        "https://api.example.com/orders#",
        "https://api.example.com/orders#top",
        "https://api.example.com/orders?x=1",
        "https://api.example.com/ord ers",
        "https://api.example.com/órders",
        "https://api.example.com/orders%2",
        " https://api.example.com/orders",
        "1https://api.example.com/orders",
    ] {
        installation
            .token(&client)
            .param("resource", bad)
            .send()
            .refused(400, "invalid_target");
    }
}

#[test]
fn res_02_a_resource_may_repeat() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let request = installation
        .token(&client)
        .param("resource", STOCK)
        .param("resource", ORDERS);
    let answer = request.param("resource", STOCK).send();
    assert_eq!(answer.claims()["aud"], json!([STOCK, ORDERS]), "each once");
    let request = installation
        .token(&client)
        .param("resource", ORDERS)
        .param("resource", "https://unknown.example.com");
    request.send().refused(400, "invalid_target");
}

#[test]
fn res_03_an_unknown_or_forbidden_resource_is_an_invalid_target() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let only_stock = installation.client("acme").only("stock").register();
    let only_read = installation.client("acme").fine_grained("stock:read").register();
    for (client, resource) in [
        (&client, "https://unknown.example.com"),
        (&client, "https://api.example.com/orders/"),
        (&client, "HTTPS://api.example.com/orders"),
        (&client, BILLING),
        (&only_stock, ORDERS),
        (&only_read, ORDERS),
    ] {
        let answer = installation.token(client).param("resource", resource).send();
        answer.refused(400, "invalid_target");
        assert!(!answer.text().contains("example.com/orders"), "{}", answer.text());
    }
    let unknown = installation
        .token(&client)
        .param("resource", "https://unknown.example.com")
        .send();
    let forbidden = installation.token(&client).param("resource", BILLING).send();
    assert_eq!(
        unknown.likeness(),
        forbidden.likeness(),
        "which resources exist is told to nobody"
    );
}

#[test]
fn res_04_a_token_is_good_only_where_it_was_asked_for() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let orders = installation.resource_server("orders").register();
    let stock = installation.resource_server("stock").register();
    let token = installation.token(&client).param("resource", ORDERS).send().issued();
    assert!(installation.is_active(&orders, &token));
    assert!(!installation.is_active(&stock, &token));
    let both = installation
        .token(&client)
        .param("resource", ORDERS)
        .param("resource", STOCK)
        .send()
        .issued();
    assert!(installation.is_active(&orders, &both) && installation.is_active(&stock, &both));
}
