//! What the operator prepares before any token is asked for: APIs, partners, and a client for everyone.

use serde_json::json;

use super::cast::{Account, Cast, created};
use super::stage::Stage;
use crate::cli::failure::Failure;
use crate::domain::Environment;

/// What the tokens for the orders API name as their audience.
pub(super) const fn audience(environment: Environment) -> &'static str {
    match environment {
        Environment::Qa => "https://orders.qa.example.com",
        Environment::Production => "https://orders.example.com",
    }
}

/// The operator opens the orders API to two partners.
pub(super) fn opening(stage: &mut Stage) -> Result<Cast, Failure> {
    stage.scene("Operator: opens an API to two partners");
    stage.name_the_operator();
    for environment in Environment::ALL {
        let api = json!({
            "environment": environment, "api_id": "orders", "name": "Orders",
            "audience": audience(environment), "scopes": ["orders.read", "orders.write"],
        });
        let title = format!("registers the API \"orders\" in {environment} with two scopes");
        stage.step(&title, &stage.does("/apis", Some(&api)), created("/audience"))?;
    }
    for (partner_id, name, ceiling) in [
        ("acme", "Acme", vec!["orders.read", "orders.write"]),
        ("globex", "Globex", vec!["orders.read"]),
    ] {
        let title = format!(
            "registers the partner {name}, whose clients can have {} at the most",
            ceiling.join(" and ")
        );
        let partner = json!({ "partner_id": partner_id, "name": name, "scope_ceiling": ceiling });
        stage.step(&title, &stage.does("/partners", Some(&partner)), created("/partner_id"))?;
    }
    Ok(Cast {
        acme_qa: partner_client(stage, Environment::Qa, "acme")?,
        acme_production: partner_client(stage, Environment::Production, "acme")?,
        globex_qa: partner_client(stage, Environment::Qa, "globex")?,
        orders_qa: resource_server(stage, Environment::Qa)?,
        orders_production: resource_server(stage, Environment::Production)?,
    })
}

/// A client with everything its partner may have.
fn partner_client(stage: &mut Stage, environment: Environment, partner_id: &str) -> Result<Account, Failure> {
    let client = json!({
        "kind": "partner", "environment": environment, "partner_id": partner_id, "access_level": "full",
        "name": format!("{partner_id} backend"), "contact": format!("api@{partner_id}.example.com"),
    });
    let title = format!("registers a {environment} client for {partner_id}: every scope under its ceiling");
    register(stage, &title, &client)
}

/// The credential by which the orders API introspects.
fn resource_server(stage: &mut Stage, environment: Environment) -> Result<Account, Failure> {
    let client = json!({
        "kind": "resource_server", "environment": environment, "api_id": "orders",
        "name": "Orders", "contact": "orders@example.com",
    });
    let title = format!("registers the orders API itself in {environment}, so that it may introspect");
    register(stage, &title, &client)
}

fn register(stage: &mut Stage, title: &str, client: &serde_json::Value) -> Result<Account, Failure> {
    let request = stage.does("/clients", Some(client));
    let answer = stage.step(title, &request, created("/client/client_id"))?;
    Ok(Account::shown(&answer))
}
