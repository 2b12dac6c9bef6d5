//! Prints how often a token request allocates: in code of ours, in all, and in the framework. For `scripts/bench.sh`; the test of
//! the budget counts in the same way.

#[path = "../tests/it/support/allocating.rs"]
mod allocating;
#[path = "../tests/it/support/counting.rs"]
#[expect(dead_code, reason = "bytes are weighed by a test alone")]
mod counting;
#[path = "world/house.rs"]
#[expect(dead_code, reason = "what is counted is asked over HTTP")]
mod house;
#[path = "world/records.rs"]
mod records;

use std::sync::Arc;

use actix_web::rt::System;
use mintmark::domain::Algorithm;
use mintmark::store::MemoryStore;

use self::house::House;
use self::records::Outcome;

fn main() -> Outcome<()> {
    let house = House::plan(Algorithm::Es256)?;
    let store = Arc::new(MemoryStore::default());
    house.commit(&*store)?;
    let counted = System::new().block_on(async {
        let (registry, authority) = house.replica(store)?;
        Outcome::Ok(allocating::for_a_token(authority, registry, &house.client.header()).await)
    })?;
    println!("{} {} {}", counted.own(), counted.all, counted.framework);
    Ok(())
}
