//! The description and the routes say the same.

use std::collections::BTreeSet;

use mintmark::http::admin::{PREFIX, ROUTES};
use serde_json::Value;

use crate::support::admin_harness::Harness;
use crate::support::asking::description;
use crate::support::schema::resolve;

fn operations() -> impl Iterator<Item = (&'static String, &'static String, &'static Value)> {
    let paths = description()["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap();
        operations
            .iter()
            .map(move |(method, operation)| (path, method, operation))
    })
}

#[test]
fn every_route_is_described_and_every_description_routed() {
    let routed: BTreeSet<String> = ROUTES
        .iter()
        .map(|route| {
            let role = route.least_role().map_or("anyone", |role| role.as_str());
            format!("{} {PREFIX}{} {role}", route.verb.as_str(), route.path)
        })
        .collect();
    let described: BTreeSet<String> = operations()
        .filter(|(path, _, _)| path.starts_with(PREFIX))
        .map(|(path, method, operation)| {
            let role = operation["x-least-role"].as_str().unwrap();
            format!("{} {path} {role}", method.to_ascii_uppercase())
        })
        .collect();
    assert_eq!(routed, described);
    assert_eq!(routed.len(), ROUTES.len(), "a route stands twice");
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(elements) => elements.iter().for_each(|element| references(element, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    references(description(), &mut found);
    assert!(found.len() > 40, "{found:?}");
    for reference in &found {
        resolve(description(), &serde_json::json!({ "$ref": reference }).clone());
    }
    for kind in ["parameters", "headers", "responses", "schemas"] {
        for name in description()["components"][kind].as_object().unwrap().keys() {
            assert!(
                found.contains(format!("#/components/{kind}/{name}").as_str()),
                "{kind}/{name} is not used"
            );
        }
    }
}

#[test]
fn every_operation_is_named_once_and_every_path_parameter_declared() {
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations() {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{name} stands twice");
        assert!(!operation["summary"].as_str().unwrap().is_empty());
        let declared: BTreeSet<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| resolve(description(), parameter))
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let in_path: BTreeSet<&str> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        assert_eq!(declared, in_path, "{method} {path}");
    }
}

#[test]
fn every_schema_describes_what_it_requires() {
    for (name, schema) in description()["components"]["schemas"].as_object().unwrap() {
        assert!(schema["description"].is_string(), "{name}");
        let properties = schema["properties"].as_object().unwrap();
        for required in schema["required"].as_array().unwrap() {
            assert!(properties.contains_key(required.as_str().unwrap()), "{name} {required}");
        }
        for (property, of) in properties {
            assert!(
                resolve(description(), of)["description"].is_string(),
                "{name}.{property}"
            );
        }
    }
}

#[test]
fn the_oauth_endpoints_are_described_with_their_own_servers_and_errors() {
    let oauth: Vec<_> = operations().filter(|(path, _, _)| !path.starts_with(PREFIX)).collect();
    assert_eq!(oauth.len(), 6);
    for (path, method, operation) in oauth {
        assert!(operation["servers"].is_array(), "{path}");
        if method == "post" {
            let form = &operation["requestBody"]["content"]["application/x-www-form-urlencoded"];
            assert!(form.is_object(), "{path}");
            let error = &operation["responses"]["401"]["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(error, "#/components/schemas/OAuthError", "{path}");
        }
    }
}

#[test]
fn the_description_is_served_to_anyone_as_it_is_kept() {
    let harness = Harness::start();
    let served = harness.ask("GET", "/openapi.json").without("Authorization").send();
    assert_eq!(served.expect(200), *description());
}
