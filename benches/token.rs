//! The steps of a request on their own, in one process and on the store in memory: `cargo bench`. What a whole server does, beside
//! another one, is measured by `scripts/bench.sh`.

#[path = "../examples/world/house.rs"]
mod house;
#[path = "../examples/world/records.rs"]
mod records;

use std::hint::black_box;
use std::sync::Arc;

use actix_web::rt::Runtime;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use mintmark::authority::{Authority, AuthorityError};
use mintmark::domain::Algorithm;
use mintmark::http::{basic, form};
use mintmark::store::MemoryStore;

use self::house::House;

/// A house over the store in memory.
struct World {
    house: House,
    authority: Authority,
    runtime: Runtime,
}

impl World {
    fn signing_with(algorithm: Algorithm) -> Self {
        let house = House::plan(algorithm).expect("it can be planned");
        let store = Arc::new(MemoryStore::default());
        house.commit(&*store).expect("it is empty");
        let runtime = Runtime::new().expect("a runtime can be made");
        let (_, authority) = runtime
            .block_on(async { house.replica(store) })
            .expect("the registry opens");
        Self {
            house,
            authority,
            runtime,
        }
    }

    fn token(&self) -> String {
        self.runtime
            .block_on(self.house.issue(&self.authority))
            .expect("a token is issued")
    }

    fn introspect(&self, token: &str) {
        self.runtime
            .block_on(self.house.introspect(&self.authority, token))
            .expect("it is active");
    }
}

fn parsing(criterion: &mut Criterion) {
    let client = House::plan(Algorithm::Es256).expect("it can be planned").client;
    let header = client.header();
    let (client_id, secret) = (client.client_id, client.secret);
    let body = format!("grant_type=client_credentials&client_id={client_id}&client_secret={secret}");
    criterion.bench_function("parsing/form", |bencher| {
        bencher.iter(|| form::parse(black_box(body.as_bytes())))
    });
    criterion.bench_function("parsing/basic", |bencher| {
        bencher.iter(|| basic::parse(black_box(&header)).expect("it is well-formed"));
    });
}

/// A grant that is not served is refused right behind the authentication.
fn authentication(criterion: &mut Criterion) {
    let world = World::signing_with(Algorithm::Es256);
    let ask = || world.runtime.block_on(world.house.ask(&world.authority, "password"));
    let refused = ask().expect_err("this grant is not served");
    assert!(matches!(refused.why, AuthorityError::UnsupportedGrantType), "{refused}");
    criterion.bench_function("authentication", |bencher| bencher.iter(ask));
}

fn issuing(criterion: &mut Criterion) {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let world = World::signing_with(algorithm);
        criterion.bench_function(&format!("issuing/{algorithm}"), |bencher| {
            bencher.iter(|| world.token())
        });
    }
}

fn introspection(criterion: &mut Criterion) {
    let world = World::signing_with(Algorithm::Es256);
    let token = world.token();
    criterion.bench_function("introspection/repeated", |bencher| {
        bencher.iter(|| world.introspect(&token))
    });
    criterion.bench_function("introspection/fresh", |bencher| {
        bencher.iter_batched(
            || world.token(),
            |token| world.introspect(&token),
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(token, parsing, authentication, issuing, introspection);
criterion_main!(token);
