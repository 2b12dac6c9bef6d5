//! A small checker of JSON against the schemas of the served OpenAPI description: `$ref`, `type`, `required`, `properties`,
//! `items`, `enum`, the bounds of texts and numbers. Stricter than JSON Schema in one point: what is not described is wrong.

use serde_json::Value;

/// Resolves a `$ref` within `document`, once or as often as it takes.
pub fn resolve<'a>(document: &'a Value, mut schema: &'a Value) -> &'a Value {
    while let Some(reference) = schema.get("$ref") {
        let pointer = reference
            .as_str()
            .unwrap()
            .strip_prefix('#')
            .expect("references stay inside");
        schema = document
            .pointer(pointer)
            .unwrap_or_else(|| panic!("{pointer} leads nowhere"));
    }
    schema
}

/// What of `value` does not fit `schema`, each with its path; nothing when all fits.
pub fn misfits(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, (value, "$"), &mut found);
    found
}

fn check(document: &Value, schema: &Value, (value, path): (&Value, &str), found: &mut Vec<String>) {
    let schema = resolve(document, schema);
    if let Some(types) = schema.get("type")
        && !types_of(types).iter().any(|wanted| is_of_type(wanted, value))
    {
        found.push(format!("{path}: {value} is not of type {types}"));
        return;
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array)
        && !words.contains(value)
    {
        found.push(format!("{path}: {value} is none of the words"));
    }
    match value {
        Value::Object(members) => {
            for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
                if !members.contains_key(name.as_str().unwrap()) {
                    found.push(format!("{path}.{} is missing", name.as_str().unwrap()));
                }
            }
            if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
                for (name, member) in members {
                    match properties.get(name) {
                        Some(property) => check(document, property, (member, &format!("{path}.{name}")), found),
                        None => found.push(format!("{path}.{name} is not described")),
                    }
                }
            }
        }
        Value::Array(elements) => {
            for (place, element) in elements.iter().enumerate() {
                if let Some(items) = schema.get("items") {
                    check(document, items, (element, &format!("{path}[{place}]")), found);
                }
            }
        }
        Value::String(text) => {
            let length = text.chars().count() as u64;
            let bound = |name| schema.get(name).and_then(Value::as_u64);
            if bound("minLength").is_some_and(|least| length < least)
                || bound("maxLength").is_some_and(|most| length > most)
            {
                found.push(format!("{path} has {length} characters"));
            }
        }
        Value::Number(number) => {
            let bound = |name| schema.get(name).and_then(Value::as_i64);
            let number = number.as_i64();
            if bound("minimum")
                .zip(number)
                .is_some_and(|(least, number)| number < least)
                || bound("maximum").zip(number).is_some_and(|(most, number)| number > most)
            {
                found.push(format!("{path} is out of bounds"));
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn types_of(types: &Value) -> Vec<&str> {
    match types {
        Value::String(only) => vec![only],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        other => panic!("{other} is no type"),
    }
}

fn is_of_type(wanted: &str, value: &Value) -> bool {
    match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other} is no type"),
    }
}

#[test]
fn the_checker_finds_what_does_not_fit() {
    let document = serde_json::json!({ "colour": { "type": "string", "enum": ["red", "blue"] } });
    let schema = serde_json::json!({
        "type": "object",
        "required": ["name", "colour"],
        "properties": {
            "name": { "type": ["string", "null"], "maxLength": 3 },
            "colour": { "$ref": "#/colour" },
            "sizes": { "type": "array", "items": { "type": "integer", "minimum": 1 } },
        }
    });
    let fits = |value: Value| misfits(&document, &schema, &value);
    assert_eq!(
        fits(serde_json::json!({"name": null, "colour": "red", "sizes": [1]})),
        [""; 0]
    );
    assert_eq!(fits(serde_json::json!([])).len(), 1);
    let wrong = fits(serde_json::json!({"colour": "green", "sizes": [0, 1.5], "shape": 1}));
    assert_eq!(wrong.len(), 5, "{wrong:?}");
    assert_eq!(
        fits(serde_json::json!({"name": "four", "colour": "blue"})),
        ["$.name has 4 characters"]
    );
}
