//! `mintmark usage` against a running server: what a script reads of it.

use serde_json::Value;

use crate::support::calls::Caller;
use crate::support::server::Installation;

#[test]
fn a_script_reads_one_object_a_line_with_the_reasons_of_refusals() {
    let installation = Installation::sqlite();
    let owner = installation.owner();
    let server = installation.start();
    let admin = server.admin(&owner);
    admin.furnish();
    let client = admin.client("qa");
    let token = server.public_url("/qa/token");
    let grant = ("grant_type", "client_credentials");
    for _ in 0..3 {
        Caller::new().form(&token, &client, &[grant]).issued();
    }
    Caller::new()
        .form(&token, &client, &[grant, ("scope", "unknown")])
        .expect(400);

    let url = server.admin_url("");
    let variables = [("MINTMARK_SERVER", &*url), ("MINTMARK_OPERATOR_TOKEN", &*owner)];
    for (group, client_id) in [
        ("environment", Value::Null),
        ("partner", Value::Null),
        ("client", client.client_id.as_str().into()),
    ] {
        let printed = installation.run_with(&["usage", "--group-by", group, "--json"], &variables);
        assert_eq!(printed.code, Some(0), "{printed:?}");
        // Two rows where midnight falls between the requests.
        let rows: Vec<Value> = printed
            .out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let number = |row: &Value, member: &str| row.pointer(member).map_or(0, |value| value.as_u64().unwrap());
        let sum = |member: &str| rows.iter().map(|row| number(row, member)).sum::<u64>();
        assert_eq!(
            (sum("/issued"), sum("/refused"), sum("/refusals/invalid_scope")),
            (3, 1, 1)
        );
        for row in &rows {
            assert_eq!(
                (&row["environment"], &row["client_id"]),
                (&"qa".into(), &client_id),
                "{group}"
            );
        }
    }
}
