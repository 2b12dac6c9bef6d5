//! Replicas that draw from one store in every order, with answers that come late or never, and replicas that die.

use proptest::prelude::*;

use super::*;
use crate::domain::{Environment, Meter, MeterHolder};
use crate::store::{MemoryStore, Return, Store};

const NOON: Timestamp = Timestamp::from_seconds(1_800_014_400);
const DAY: Seconds = Seconds(86_400);

fn meter(window: Window) -> Meter {
    Meter {
        holder: MeterHolder::Partner("acme".parse().unwrap()),
        environment: Environment::Qa,
        window,
    }
}

/// What a replica does when it carries out an order, all of it.
fn carry_out(store: &MemoryStore, order: &Order) -> Drawn {
    let meter = meter(order.window);
    give_back(store, (order.window, order.surrendered));
    store.draw(&meter, order.draw).unwrap()
}

fn give_back(store: &MemoryStore, (window, tokens): (Window, u64)) {
    let meter = meter(window);
    store.give_back(&[Return { meter, tokens }]).unwrap();
}

/// Takes one token as a request does, which waits for every draw; false when there is none.
fn take(store: &MemoryStore, block: &mut Block, (rule, now): (Rule, Timestamp)) -> bool {
    loop {
        match block.take(rule, now) {
            Take::Taken(_, order) => {
                if let Some(order) = order {
                    let drawn = carry_out(store, &order);
                    block.settle(&order, Some(drawn));
                }
                return true;
            }
            Take::Spent(_) => return false,
            Take::Wait(order) => {
                let order = order.expect("no draw is on its way");
                let drawn = carry_out(store, &order);
                block.settle(&order, Some(drawn));
            }
        }
    }
}

fn drawn(store: &MemoryStore, now: Timestamp) -> u64 {
    let mut total = 0;
    let mut read = |records: &mut dyn crate::store::Records| {
        total = records.drawn(&meter(Window::of(Period::Day, now)))?;
        Ok(())
    };
    store.read(&mut read).unwrap();
    total
}

#[test]
fn blocks_double_and_shrink_again_so_that_few_draws_serve_many_tokens() {
    let store = MemoryStore::default();
    let mut block = Block::empty(Period::Day);
    let mut sizes = Vec::new();
    let mut issued = 0;
    loop {
        match block.take(Rule::Enforced(100_000), NOON) {
            Take::Taken(_, order) | Take::Wait(order) if order.is_some() => {
                let order = order.unwrap();
                let answer = carry_out(&store, &order);
                sizes.push(answer.granted);
                block.settle(&order, Some(answer));
            }
            Take::Taken(..) => {}
            Take::Wait(_) => unreachable!("every draw is settled at once"),
            Take::Spent(_) => break,
        }
        issued = drawn(&store, NOON) - block.left;
    }
    assert_eq!(issued, 100_000);
    // Blocks of 1, 2, 4, 8 and so on; from the fifth on an eighth of the one before is left.
    assert_eq!(sizes[..11], [1, 2, 4, 8, 15, 30, 60, 120, 240, 480, 936]);
    assert_eq!(sizes[sizes.len() - 5..], [1, 1, 1, 1, 0]);
    assert!(sizes.len() < 400, "{} draws", sizes.len());
}

#[test]
fn a_lowered_limit_holds_at_once_and_a_raised_one_too() {
    let store = MemoryStore::default();
    let mut block = Block::empty(Period::Day);
    for _ in 0..600 {
        assert!(take(&store, &mut block, (Rule::Enforced(10_000), NOON)));
    }
    assert!(block.left > 0, "something is held");
    assert!(!take(&store, &mut block, (Rule::Enforced(500), NOON)));
    assert_eq!(drawn(&store, NOON), 600, "what was held went back");
    for _ in 0..100 {
        assert!(take(&store, &mut block, (Rule::Enforced(700), NOON)));
    }
    assert!(!take(&store, &mut block, (Rule::Enforced(700), NOON)));
    assert_eq!(drawn(&store, NOON), 700);
}

#[test]
fn a_new_window_begins_at_midnight_and_no_request_that_was_late_brings_the_old_one_back() {
    let store = MemoryStore::default();
    let mut block = Block::empty(Period::Day);
    let rule = Rule::Enforced(40);
    let midnight = Window::of(Period::Day, NOON).end();
    while take(&store, &mut block, (rule, midnight - Seconds(1))) {}
    assert!(take(&store, &mut block, (rule, midnight)));
    assert!(
        take(&store, &mut block, (rule, midnight - Seconds(1))),
        "it counts in the new one"
    );
    assert_eq!((drawn(&store, NOON), drawn(&store, midnight) - block.left), (40, 2));
}

#[test]
fn what_is_spent_is_asked_again_once_a_second() {
    let store = MemoryStore::default();
    let (mut block, mut other) = (Block::empty(Period::Day), Block::empty(Period::Day));
    let rule = Rule::Enforced(100);
    while take(&store, &mut other, (rule, NOON)) {}
    assert!(!take(&store, &mut block, (rule, NOON)));
    give_back(&store, (Window::of(Period::Day, NOON), 1));
    assert!(
        matches!(block.take(rule, NOON), Take::Spent(_)),
        "the store is not asked"
    );
    assert!(take(&store, &mut block, (rule, NOON + Seconds(1))));
    assert!(!take(&store, &mut block, (rule, NOON + Seconds(1))));
}

#[test]
fn what_lies_idle_goes_back_and_what_is_used_stays() {
    let store = MemoryStore::default();
    let mut block = Block::empty(Period::Day);
    for _ in 0..70 {
        take(&store, &mut block, (Rule::Enforced(100_000), NOON));
    }
    let held = block.left;
    assert!(held > 0);
    assert_eq!(block.surrender_idle(NOON + Seconds(599)), None);
    let before = block.left_under(100, NOON + IDLE);
    let idle = block.surrender_idle(NOON + IDLE);
    assert_eq!(
        block.left_under(100, NOON + IDLE),
        before,
        "what goes back was never gone"
    );
    assert_eq!(idle, Some(Balance::Undrawn(Window::of(Period::Day, NOON), held)));
    assert_eq!(drawn(&store, NOON) - held, 70);
    assert_eq!(block.surrender_idle(NOON + IDLE), None);
}

#[test]
fn what_is_observed_never_waits_and_every_token_is_counted() {
    let store = MemoryStore::default();
    let mut block = Block::empty(Period::Day);
    let rule = Rule::Observed(50);
    let mut orders = Vec::new();
    for _ in 0..10 {
        match block.take(rule, NOON) {
            Take::Taken(_, order) => orders.extend(order),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(orders.len(), 1, "one draw is on its way and does not come");
    // The store does not answer: what was issued on credit is counted later.
    assert_eq!(block.settle(&orders[0], None), News::default());
    let mut news = Vec::new();
    for _ in 10..200 {
        if let Take::Taken(_, Some(order)) = block.take(rule, NOON) {
            news.push(block.settle(&order, Some(carry_out(&store, &order))));
        }
    }
    assert_eq!(drawn(&store, NOON) - block.left, 200);
    assert_eq!(news.iter().filter(|news| news.reached).count(), 1);
    assert_eq!(
        news.iter().map(|news| news.beyond).sum::<u64>(),
        drawn(&store, NOON) - 50
    );
    // From now on it is enforced: all that was issued counts.
    assert!(!take(&store, &mut block, (Rule::Enforced(200), NOON)));
    assert!(take(&store, &mut block, (Rule::Enforced(201), NOON)));
    assert!(!take(&store, &mut block, (Rule::Enforced(201), NOON)));
}

/// A step of a history of three replicas.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A request comes: it issues a token, or waits, or is refused.
    Request(usize),
    /// A request comes and its token is not issued in the end.
    InVain(usize),
    /// The oldest draw of this replica reaches the store.
    Arrive(usize),
    /// Its answer comes back.
    Answer(usize),
    /// Its answer, come or to come, is lost.
    Lose(usize),
    /// The replica dies with all it holds, and another begins in its place.
    Crash(usize),
    /// What lies idle goes back.
    Tidy(usize),
    /// Time passes.
    Wait(u32),
    /// The limit changes.
    Limit(u64),
}

/// A replica, and its draw on the way: the order, and the store's answer once it was reached.
struct Replica {
    block: Block,
    flight: Option<(Order, Option<Drawn>)>,
}

impl Replica {
    fn new() -> Self {
        Self {
            block: Block::empty(Period::Day),
            flight: None,
        }
    }
}

struct World {
    store: MemoryStore,
    replicas: Vec<Replica>,
    now: Timestamp,
    limit: u64,
    /// The greatest limit this window has seen, and what was issued in it.
    greatest: u64,
    issued: u64,
}

impl World {
    fn new(limit: u64) -> Self {
        Self {
            store: MemoryStore::default(),
            replicas: (0..3).map(|_| Replica::new()).collect(),
            now: NOON,
            limit,
            greatest: limit,
            issued: 0,
        }
    }

    fn request(&mut self, at: usize) -> Option<Token> {
        let replica = &mut self.replicas[at];
        let (token, order) = match replica.block.take(Rule::Enforced(self.limit), self.now) {
            Take::Taken(token, order) => (Some(token), order),
            Take::Wait(order) => (None, order),
            Take::Spent(_) => (None, None),
        };
        if let Some(order) = order {
            replica.flight = Some((order, None));
        }
        token
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Request(at) => self.issued += u64::from(self.request(at).is_some()),
            Step::InVain(at) => {
                if let Some(token) = self.request(at) {
                    self.replicas[at].block.put_back(token);
                }
            }
            Step::Arrive(at) => {
                if let Some((order, answer @ None)) = &mut self.replicas[at].flight {
                    *answer = Some(carry_out(&self.store, order));
                }
            }
            Step::Answer(at) => {
                if let Some((order, Some(answer))) = self.replicas[at].flight {
                    self.replicas[at].flight = None;
                    self.replicas[at].block.settle(&order, Some(answer));
                }
            }
            Step::Lose(at) => {
                if let Some((order, _)) = self.replicas[at].flight.take() {
                    self.replicas[at].block.settle(&order, None);
                }
            }
            Step::Crash(at) => self.replicas[at] = Replica::new(),
            Step::Tidy(at) => match self.replicas[at].block.surrender_idle(self.now) {
                Some(Balance::Undrawn(window, tokens)) => give_back(&self.store, (window, tokens)),
                other => assert_eq!(other, None, "nothing is issued that is not counted"),
            },
            Step::Wait(seconds) => {
                let window = Window::of(Period::Day, self.now);
                self.now = self.now + Seconds(seconds);
                if !window.holds(self.now) {
                    (self.issued, self.greatest) = (0, self.limit);
                }
            }
            Step::Limit(limit) => {
                // Under a limit that is raised again, what was refused under the lower one may be issued after all.
                self.limit = limit;
                self.greatest = self.greatest.max(limit);
            }
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let at = || 0..3usize;
    prop_oneof![
        20 => at().prop_map(Step::Request),
        2 => at().prop_map(Step::InVain),
        8 => at().prop_map(Step::Arrive),
        8 => at().prop_map(Step::Answer),
        1 => at().prop_map(Step::Lose),
        1 => at().prop_map(Step::Crash),
        2 => at().prop_map(Step::Tidy),
        2 => prop_oneof![Just(1u32), Just(600), Just(30_000)].prop_map(Step::Wait),
        1 => (1..80u64).prop_map(Step::Limit),
    ]
}

/// A step of a replica with more requests than answers of the store.
fn busy_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => Just(Step::Request(0)),
        1 => Just(Step::Arrive(0)),
        1 => Just(Step::Answer(0)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn whatever_happens_no_more_is_issued_than_the_limit(
        limit in 1..80u64,
        steps in proptest::collection::vec(step(), 1..600),
    ) {
        let mut world = World::new(limit);
        for step in steps {
            let (before, allowed) = (world.issued, world.limit);
            world.step(step);
            prop_assert!(world.issued <= world.greatest, "{} of {} at {step:?}", world.issued, world.greatest);
            if world.issued > before {
                prop_assert!(world.issued <= allowed, "{} under {allowed} at {step:?}", world.issued);
            }
        }
    }

    #[test]
    fn where_nobody_dies_and_no_answer_is_lost_the_limit_is_reached_to_the_token(
        limit in 1..400u64,
        turns in proptest::collection::vec(0..3usize, 1..400),
    ) {
        let mut world = World::new(limit);
        let one_turn = |world: &mut World, at: usize| {
            for step in [Step::Request(at), Step::Arrive(at), Step::InVain(at), Step::Answer(at)] {
                world.step(step);
            }
        };
        for at in turns {
            one_turn(&mut world, at);
        }
        // All replicas are asked until none has anything, and what lies idle has come back.
        for _ in 0..8 * limit + 100 {
            (0..3).for_each(|at| one_turn(&mut world, at));
        }
        prop_assert_eq!(world.issued, limit);
        prop_assert_eq!(drawn(&world.store, NOON), limit);
    }

    #[test]
    fn what_a_crash_loses_is_one_block_and_the_next_window_is_whole(
        limit in 100..3000u64,
        steps in proptest::collection::vec(busy_step(), 1..3000),
    ) {
        let mut world = World::new(limit);
        for step in steps {
            world.step(step);
            let Replica { block, flight } = &world.replicas[0];
            let under_way = flight.map_or(0, |(order, _)| order.draw.wanted);
            prop_assert!(block.left + under_way <= limit / SHARE, "{} and {under_way} of {limit}", block.left);
        }
        let lost = drawn(&world.store, NOON) - world.issued;
        prop_assert!(lost <= limit / SHARE, "{lost} of {limit}");
        world.step(Step::Crash(0));
        let ask = |world: &mut World| {
            for step in [Step::Request(1), Step::Arrive(1), Step::Answer(1)] {
                world.step(step);
            }
        };
        (0..4 * limit).for_each(|_| ask(&mut world));
        prop_assert_eq!(world.issued, limit - lost);
        world.step(Step::Wait(DAY.get()));
        (0..4 * limit).for_each(|_| ask(&mut world));
        prop_assert_eq!(world.issued, limit);
    }
}
