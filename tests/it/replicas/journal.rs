//! A journal that grows by a hundred thousand rows in a few seconds, each linked to the one before as the server itself does it.

use serde_json::json;

use crate::store::Aside;
use crate::support::calls::Admin;
use crate::support::server::Installation;

/// Rows written in one transaction, during which every other change waits.
const AT_A_TIME: usize = 5_000;

/// One transaction. As the server does it: the epoch first, which orders all changes; then the rows, each with the SHA-256 of its
/// members, every one of them preceded by its length in eight octets, and of the hash before.
const PIECE: &str = "
    DO $$
    DECLARE
        last BIGINT; place BIGINT; before TEXT; members TEXT[]; member TEXT; octets BYTEA;
    BEGIN
        UPDATE epoch SET number = number + $ROWS RETURNING number - $ROWS INTO last;
        SELECT hash INTO before FROM journal WHERE epoch = last;
        FOR place IN last + 1 .. last + $ROWS LOOP
            members := ARRAY[place::TEXT, '0', 'command line', 'partner.changed', 'partner', 'beside', 'beside', '',
                '{\"partner_id\":\"beside\",\"version\":' || place || '}', '', before];
            octets := '';
            FOREACH member IN ARRAY members LOOP
                octets := octets || int8send(octet_length(member)) || convert_to(member, 'UTF8');
            END LOOP;
            before := encode(sha256(octets), 'hex');
            INSERT INTO journal (epoch, at, actor, action, noun, subject, partner_id, detail, previous_hash, hash)
                VALUES (place, 0, members[3], members[4], members[5], members[6], members[7], members[9], members[11], before);
        END LOOP;
        UPDATE partners SET version = last + $ROWS WHERE partner_id = 'beside';
    END $$";

/// Registers the partner that the rows tell of.
pub fn register(admin: &Admin) {
    let partner = json!({ "partner_id": "beside", "name": "Beside", "scope_ceiling": ["orders:read"] });
    admin.post("/partners", &partner).expect(201);
}

/// Writes so many rows.
pub fn advance(url: &str, rows: usize) {
    let mut aside = Aside::open(url);
    // As the server: whoever waited for the epoch sees what was written before.
    aside.execute("SET default_transaction_isolation = 'read committed'");
    let piece = PIECE.replace("$ROWS", &AT_A_TIME.min(rows).to_string());
    for _ in 0..rows.div_ceil(AT_A_TIME) {
        aside.execute(&piece);
    }
}

#[test]
fn its_rows_are_such_as_the_server_itself_writes() {
    let installation = Installation::postgresql();
    let owner = installation.owner();
    let server = installation.start();
    let admin = server.admin(&owner);
    register(&admin);
    advance(installation.url(), 500);
    admin.furnish();
    let verified = installation.run(&["journal", "verify", "--local"]);
    assert!(verified.out.starts_with("The journal holds: "), "{verified:?}");
    assert!(admin.get("/journal/head")["epoch"].as_u64() > Some(500));
}
