//! The lives of signing keys on one line of time: geometry only, from what is known of them to where it stands.

use askama::Template;
use askama::filters::HtmlSafe;

use super::words;
use crate::domain::{KeyState, SigningKeyRecord, Timestamp};
use crate::office::KeyOutlook;

/// The width of a drawing, in its own units.
const WIDTH: i64 = 640;
/// The room for names, left of the bars.
const NAMES: i64 = 150;
/// The room above the lines.
const TOP: i64 = 22;
/// From one line to the next.
const LINE: i64 = 26;
/// How many letters of a key's id name it here. All of it is in the table.
const LETTERS: usize = 8;

/// The lives of some keys.
#[derive(Template)]
#[template(path = "timeline.html")]
pub(super) struct Timeline {
    /// What it shows, in words.
    title: String,
    lines: Vec<Line>,
    /// Where now is.
    now: i64,
    begins: String,
    ends: String,
    height: i64,
}

/// It escapes what it is made of.
impl HtmlSafe for Timeline {}

/// One key.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    name: String,
    /// Where its name stands.
    y: i64,
    bars: Vec<Bar>,
}

/// One part of its life.
#[derive(Debug, PartialEq, Eq)]
struct Bar {
    x: i64,
    y: i64,
    width: i64,
    state: &'static str,
}

impl Timeline {
    /// Of `keys`, which are some of the environment's; `None` where there are none.
    pub(super) fn of(outlook: &KeyOutlook, keys: &[SigningKeyRecord], now: Timestamp) -> Option<Self> {
        let parts: Vec<_> = keys.iter().map(|key| parts_of(outlook, key, now)).collect();
        let moments = || parts.iter().flatten().flat_map(|part| [part.from, part.until]);
        let begins = moments().min()?.min(now);
        let ends = moments().max()?.max(now);
        let scale = Scale { begins, ends };
        let lines = keys.iter().zip(&parts).zip(0..).map(|((key, parts), place)| {
            let top = TOP + LINE * place;
            Line {
                name: format!(
                    "{} {}",
                    key.kid.as_str().get(..LETTERS).unwrap_or_default(),
                    key.state.as_str()
                ),
                y: top + 15,
                bars: parts.iter().map(|part| scale.bar(part, top)).collect(),
            }
        });
        let lines: Vec<Line> = lines.collect();
        Some(Self {
            title: format!(
                "The keys of {} from {} to {}",
                words::title(&outlook.environment),
                words::day(begins),
                words::day(ends)
            ),
            height: TOP + LINE * i64::try_from(lines.len()).unwrap_or_default() + 22,
            lines,
            now: scale.x(now),
            begins: words::day(begins),
            ends: words::day(ends),
        })
    }

    /// Where the line of now ends, above the days.
    const fn floor(&self) -> i64 {
        self.height - 20
    }

    /// Where the word of now stands, within the drawing.
    fn now_word(&self) -> i64 {
        self.now.min(WIDTH - 14)
    }

    /// Where the days are written.
    const fn foot(&self) -> i64 {
        self.height - 6
    }
}

/// A part of a life.
struct Part {
    state: KeyState,
    from: Timestamp,
    until: Timestamp,
}

/// What a key was, is and will be by itself, as far as can be told.
fn parts_of(outlook: &KeyOutlook, key: &SigningKeyRecord, now: Timestamp) -> Vec<Part> {
    let gone = key.retired_at;
    let next = outlook.rotates_at().unwrap_or(now).max(now);
    let announced = Part {
        state: KeyState::Announced,
        from: key.announced_at,
        until: key.active_since.or(gone).unwrap_or(next),
    };
    let active = key.active_since.map(|from| Part {
        state: KeyState::Active,
        from,
        until: key.retiring_since.or(gone).unwrap_or(next),
    });
    let retiring = key.retiring_since.map(|from| Part {
        state: KeyState::Retiring,
        from,
        until: gone.or_else(|| outlook.leaves_at(key)).unwrap_or(now),
    });
    let parts = [Some(announced), active, retiring].into_iter().flatten();
    parts.filter(|part| part.from < part.until).collect()
}

/// From moments to places.
struct Scale {
    begins: Timestamp,
    ends: Timestamp,
}

impl Scale {
    fn x(&self, at: Timestamp) -> i64 {
        let length = (self.ends.seconds() - self.begins.seconds()).max(1);
        let passed = (at.seconds() - self.begins.seconds()).clamp(0, length);
        NAMES + passed * (WIDTH - NAMES - 1) / length
    }

    fn bar(&self, part: &Part, top: i64) -> Bar {
        let (x, end) = (self.x(part.from), self.x(part.until));
        Bar {
            x,
            y: top + 3,
            // However short it was, it can be seen.
            width: (end - x).max(2),
            state: part.state.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Algorithm, Environment, Epoch, KeyId, KeyPolicy, Seconds};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn key(number: u8, state: KeyState) -> SigningKeyRecord {
        SigningKeyRecord {
            kid: KeyId::from_thumbprint([number; 32]),
            environment: Environment::Qa,
            algorithm: Algorithm::Es256,
            state,
            public_jwk: String::new(),
            sealed_private_key: Vec::new(),
            announced_at: NOW - Seconds::from_days(10),
            jwks_max_age: Seconds(600),
            active_since: None,
            retiring_since: None,
            retired_at: None,
            version: Epoch::ZERO,
        }
    }

    fn outlook(keys: Vec<SigningKeyRecord>) -> KeyOutlook {
        KeyOutlook {
            environment: Environment::Qa,
            keys,
            policy: KeyPolicy {
                algorithm: Algorithm::Es256,
                rotate_every: Seconds::from_days(30),
                jwks_max_age: Seconds(600),
            },
        }
    }

    #[test]
    fn of_no_key_there_is_nothing_to_draw() {
        assert!(Timeline::of(&outlook(Vec::new()), &[], NOW).is_none());
    }

    #[test]
    fn the_parts_of_a_life_follow_each_other_and_now_stands_among_them() {
        let active = SigningKeyRecord {
            active_since: Some(NOW - Seconds::from_days(10)),
            ..key(1, KeyState::Active)
        };
        let keys = vec![active, key(2, KeyState::Announced)];
        let drawn = Timeline::of(&outlook(keys.clone()), &keys, NOW).unwrap();
        // It has signed for ten of thirty days, so now is a third of the way from 150 to 639.
        assert_eq!(drawn.now, 150 + 489 / 3);
        let bar = |state, y| Bar {
            x: 150,
            y,
            width: 489,
            state,
        };
        assert_eq!(drawn.lines[0].bars, [bar("active", TOP + 3)]);
        assert_eq!(drawn.lines[1].bars, [bar("announced", TOP + LINE + 3)]);
        assert_eq!(drawn.begins, "2027-01-05");
        assert_eq!(drawn.ends, "2027-02-04");
    }

    #[test]
    fn a_life_of_a_second_can_be_seen() {
        let short = SigningKeyRecord {
            retired_at: Some(NOW - Seconds::from_days(10) + Seconds(1)),
            ..key(1, KeyState::Revoked)
        };
        let drawn = Timeline::of(&outlook(Vec::new()), &[short], NOW).unwrap();
        assert_eq!((drawn.lines[0].bars[0].x, drawn.lines[0].bars[0].width), (150, 2));
        assert_eq!(drawn.now, 639);
    }
}
