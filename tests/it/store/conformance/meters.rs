//! What is drawn from meters: never past a limit, whoever draws beside.

use std::num::NonZeroU64;
use std::thread;

use mintmark::domain::{Environment, Meter, MeterHolder, Period, Window};
use mintmark::store::{Draw, Drawn, Return, Store};

use crate::store::samples::{NOW, read};

fn meter(period: Period) -> Meter {
    Meter {
        holder: MeterHolder::Partner("acme".parse().unwrap()),
        environment: Environment::Qa,
        window: Window::of(period, NOW),
    }
}

fn under(limit: u64, wanted: u64) -> Draw {
    Draw::sharing(wanted, limit, NonZeroU64::MIN)
}

fn back(meter: &Meter, tokens: u64) -> Return {
    Return {
        meter: meter.clone(),
        tokens,
    }
}

fn drawn(store: &dyn Store, meter: &Meter) -> u64 {
    read(store, |records| records.drawn(meter))
}

pub fn a_draw_gives_what_is_left_and_no_more(store: &dyn Store) {
    let day = meter(Period::Day);
    assert_eq!(drawn(store, &day), 0);
    for (draw, granted, total) in [
        (under(10, 4), 4, 4),
        (under(10, 4), 4, 8),
        (under(10, 4), 2, 10),
        (under(10, 1), 0, 10),
        // The limit was lowered, raised, taken away.
        (under(3, 1), 0, 10),
        (under(12, 9), 2, 12),
        (Draw::counting(5), 5, 17),
        (under(12, 1), 0, 17),
    ] {
        assert_eq!(store.draw(&day, draw).unwrap(), Drawn { granted, total }, "{draw:?}");
        assert_eq!(drawn(store, &day), total);
    }
    assert_eq!(
        read(store, |records| records.epoch()).get(),
        0,
        "a draw is not a mutation"
    );
}

pub fn a_first_draw_keeps_to_the_limit_too(store: &dyn Store) {
    let day = meter(Period::Day);
    let none = store.draw(&day, under(0, 5)).unwrap();
    assert_eq!((none.granted, none.total), (0, 0));
    let first = store.draw(&meter(Period::Month), under(3, 5)).unwrap();
    assert_eq!((first.granted, first.total), (3, 3));
}

pub fn a_share_of_what_is_left_is_one_at_least(store: &dyn Store) {
    let day = meter(Period::Day);
    let quarter = |wanted| Draw::sharing(wanted, 100, NonZeroU64::new(4).unwrap());
    // A quarter of 100, of 75, of 56; then what is asked; then a quarter of 37, down to single tokens.
    let granted = [(90, 25), (90, 18), (20, 14), (5, 5), (90, 9), (90, 7)];
    let mut total = 0;
    for (wanted, granted) in granted {
        total += granted;
        assert_eq!(store.draw(&day, quarter(wanted)).unwrap(), Drawn { granted, total });
    }
    let mut rest = Vec::new();
    while total < 100 {
        let drawn = store.draw(&day, quarter(90)).unwrap();
        total += drawn.granted;
        rest.push(drawn.granted);
    }
    assert_eq!(rest, [5, 4, 3, 2, 2, 1, 1, 1, 1, 1, 1]);
    assert_eq!(store.draw(&day, quarter(90)).unwrap().granted, 0);
}

pub fn every_meter_counts_by_itself(store: &dyn Store) {
    let one = meter(Period::Day);
    let other_environment = Meter {
        environment: Environment::Production,
        ..one.clone()
    };
    let other_partner = Meter {
        holder: MeterHolder::Partner("globex".parse().unwrap()),
        ..one.clone()
    };
    let client_of_that_name = Meter {
        holder: MeterHolder::Client("acme".parse().unwrap()),
        ..one.clone()
    };
    let tomorrow = Meter {
        window: Window::of(Period::Day, one.window.end()),
        ..one.clone()
    };
    let all = [
        one,
        meter(Period::Month),
        other_environment,
        other_partner,
        client_of_that_name,
        tomorrow,
    ];
    for (place, meter) in (1u64..).zip(&all) {
        let first = store.draw(meter, under(100, place)).unwrap();
        assert_eq!((first.granted, first.total), (place, place), "{meter:?}");
    }
    for (place, meter) in (1u64..).zip(&all) {
        assert_eq!(drawn(store, meter), place, "{meter:?}");
    }
}

pub fn what_is_given_back_can_be_drawn_again(store: &dyn Store) {
    let (day, month) = (meter(Period::Day), meter(Period::Month));
    store.draw(&day, under(10, 10)).unwrap();
    store.draw(&month, under(10, 7)).unwrap();
    store.give_back(&[back(&month, 2), back(&day, 3)]).unwrap();
    assert_eq!((drawn(store, &day), drawn(store, &month)), (7, 5));
    assert_eq!(store.draw(&day, under(10, 10)).unwrap().granted, 3);
    // More than was ever drawn, and to a meter nobody drew from: neither makes room.
    let tomorrow = Meter {
        window: Window::of(Period::Day, day.window.end()),
        ..day.clone()
    };
    store
        .give_back(&[back(&day, 11), back(&tomorrow, 1), back(&month, 1)])
        .unwrap();
    assert_eq!([&day, &tomorrow, &month].map(|meter| drawn(store, meter)), [10, 0, 4]);
}

/// Six threads draw in blocks of every size until nothing is left, now and then giving some back.
pub fn who_draw_at_once_reach_the_limit_and_never_pass_it(store: &dyn Store) {
    const LIMIT: u64 = 500;
    let day = meter(Period::Day);
    let draw_out = |seed: u64| {
        let (mut kept, mut wanted) = (0, seed);
        loop {
            wanted = wanted % 17 + 1;
            let answer = store.draw(&day, under(LIMIT, wanted)).unwrap();
            assert!(answer.total <= LIMIT && answer.granted <= wanted, "{answer:?}");
            if answer.granted == 0 {
                return kept;
            }
            kept += answer.granted;
            if answer.granted % 5 == 3 {
                store.give_back(&[back(&day, 1)]).unwrap();
                kept -= 1;
            }
        }
    };
    let kept: u64 = thread::scope(|scope| {
        let draw_out = &draw_out;
        let threads: Vec<_> = (0..6).map(|seed| scope.spawn(move || draw_out(seed))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(drawn(store, &day), kept, "what is kept is what is counted");
    let rest = store.draw(&day, under(LIMIT, LIMIT)).unwrap();
    assert_eq!(kept + rest.granted, LIMIT);
}

pub fn meters_are_forgotten_two_days_after_their_window(store: &dyn Store) {
    let of = |period, now: &str| Meter {
        window: Window::of(period, now.parse().unwrap()),
        ..meter(period)
    };
    let meters = [
        of(Period::Day, "2027-02-27T12:00:00Z"),
        of(Period::Day, "2027-02-28T12:00:00Z"),
        of(Period::Day, "2027-03-01T12:00:00Z"),
        of(Period::Month, "2027-01-31T12:00:00Z"),
        of(Period::Month, "2027-02-03T12:00:00Z"),
    ];
    for meter in &meters {
        store.draw(meter, under(9, 9)).unwrap();
    }
    // February is kept as long as a month of 31 days would be.
    for (now, gone) in [
        ("2027-03-02T23:59:59Z", vec![0, 3]),
        ("2027-03-03T00:00:00Z", vec![1]),
        ("2027-03-05T23:59:59Z", vec![2]),
        ("2027-03-06T00:00:00Z", vec![4]),
    ] {
        let before = meters.each_ref().map(|meter| drawn(store, meter));
        assert_eq!(store.forget(now.parse().unwrap()).unwrap(), gone.len() as u64, "{now}");
        for (place, meter) in meters.iter().enumerate() {
            let expected = if gone.contains(&place) { 0 } else { before[place] };
            assert_eq!(drawn(store, meter), expected, "{meter:?} at {now}");
        }
    }
}
