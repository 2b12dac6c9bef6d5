//! Usage over time, drawn here: from rows to geometry, and nothing but that. Two series that differ by shape, not by colour alone.

use askama::Template;
use askama::filters::HtmlSafe;

use super::words;
use crate::domain::{Granularity, Seconds, Timestamp};
use crate::store::UsageRow;

/// The drawing, in its own units.
const WIDTH: u32 = 640;
/// Where the columns begin, right of the numbers.
const LEFT: u32 = 44;
/// Where they end.
const RIGHT: u32 = WIDTH - 6;
/// Where the highest column ends.
const TOP: u32 = 12;
/// What the columns stand on.
const FLOOR: u32 = 152;
/// The room a word below them needs.
const WORD: u32 = 46;
/// However few they are, they can be seen.
const LEAST_HEIGHT: u32 = 2;

/// The time that a graph is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// By the hour, the one that runs included.
    LastDay,
    /// By the day, the one that runs included.
    LastMonth,
}

impl Reach {
    /// By what it is summed.
    pub(super) const fn granularity(self) -> Granularity {
        match self {
            Self::LastDay => Granularity::Hour,
            Self::LastMonth => Granularity::Day,
        }
    }

    /// How many columns it has.
    pub(super) const fn columns(self) -> u32 {
        match self {
            Self::LastDay => 24,
            Self::LastMonth => 30,
        }
    }

    const fn step(self) -> Seconds {
        match self {
            Self::LastDay => Seconds(3600),
            Self::LastMonth => Seconds::from_days(1),
        }
    }

    /// When the first column begins.
    pub(super) fn from(self, now: Timestamp) -> Timestamp {
        let back = self.step().get() * (self.columns() - 1);
        self.granularity().begin(now) - Seconds(back)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::LastDay => "the last 24 hours",
            Self::LastMonth => "the last 30 days",
        }
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::LastDay => "Hour, UTC",
            Self::LastMonth => "Day",
        }
    }

    /// A column, in full.
    fn full(self, begins: Timestamp) -> String {
        match self {
            Self::LastDay => words::minute(&begins),
            Self::LastMonth => words::day(begins),
        }
    }

    /// A column, in five letters: the time, or the month and the day.
    fn short(self, begins: Timestamp) -> String {
        let text = begins.to_string();
        let piece = match self {
            Self::LastDay => text.get(11..16),
            Self::LastMonth => text.get(5..10),
        };
        piece.unwrap_or_default().to_owned()
    }
}

/// What became of requests in an hour or a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Column {
    begins: Timestamp,
    issued: u64,
    refused: u64,
}

/// Tokens and refusals over time.
#[derive(Template)]
#[template(path = "graph.html")]
pub(super) struct Graph {
    title: String,
    desc: String,
    bars: Vec<Bar>,
    marks: Vec<Mark>,
    words: Vec<Word>,
    unit: &'static str,
    /// The same for those who read: when, tokens, refusals.
    lines: Vec<(String, String, String)>,
    /// How many tokens in all.
    pub(super) issued: u64,
    /// How many refusals in all.
    pub(super) refused: u64,
}

/// It escapes what it is made of.
impl HtmlSafe for Graph {}

#[derive(Debug, PartialEq, Eq)]
struct Bar {
    series: &'static str,
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

/// A number at the side, and the line across.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    y: u32,
    text: String,
}

/// A word below the columns, around its place.
#[derive(Debug, PartialEq, Eq)]
struct Word {
    x: u32,
    text: String,
}

impl Graph {
    /// Of rows that are summed by what `reach` is; rows that begin in the same moment are added up. `of` completes the title.
    pub(super) fn of(rows: &[UsageRow], (reach, now): (Reach, Timestamp), of: &str) -> Self {
        let columns = columns(rows, reach, now);
        let sum = |part: fn(&Column) -> u64| columns.iter().map(part).fold(0, u64::saturating_add);
        let (issued, refused) = (sum(|column| column.issued), sum(|column| column.refused));
        let highest = columns.iter().map(|column| column.issued.max(column.refused)).max();
        let top = ceiling(highest.unwrap_or_default());
        let line = |column: &Column| {
            let numbers = [column.issued, column.refused].map(words::number);
            let [issued, refused] = numbers;
            (reach.full(column.begins), issued, refused)
        };
        Self {
            title: format!("Tokens and refusals {of} in {}", reach.name()),
            desc: told(&columns, reach, (issued, refused)),
            bars: bars(&columns, top),
            marks: marks(top),
            words: below(&columns, reach),
            unit: reach.unit(),
            lines: columns.iter().rev().map(line).collect(),
            issued,
            refused,
        }
    }

    /// Whether anything happened.
    pub(super) const fn is_empty(&self) -> bool {
        self.issued == 0 && self.refused == 0
    }

    fn issued_in_words(&self) -> String {
        words::number(self.issued)
    }

    fn refused_in_words(&self) -> String {
        words::number(self.refused)
    }
}

/// A column for each hour or day, those in which nothing happened too.
fn columns(rows: &[UsageRow], reach: Reach, now: Timestamp) -> Vec<Column> {
    let from = reach.from(now);
    let column = |number| {
        let begins = from + Seconds(reach.step().get() * number);
        let empty = Column {
            begins,
            issued: 0,
            refused: 0,
        };
        rows.iter()
            .filter(|row| row.place.begins == begins)
            .fold(empty, |sum, row| Column {
                issued: sum.issued.saturating_add(row.issued),
                refused: sum.refused.saturating_add(row.refused_in_all()),
                ..sum
            })
    };
    (0..reach.columns()).map(column).collect()
}

fn told(columns: &[Column], reach: Reach, (issued, refused): (u64, u64)) -> String {
    let sums = format!(
        "{} tokens were issued and {} requests refused",
        words::number(issued),
        words::number(refused)
    );
    match columns
        .iter()
        .max_by_key(|column| column.issued)
        .filter(|column| column.issued > 0)
    {
        Some(busiest) => format!(
            "{sums}; most tokens, {}, in what began on {}.",
            words::number(busiest.issued),
            reach.full(busiest.begins)
        ),
        None => format!("{sums}."),
    }
}

/// The least of 1, 2, 5, 10, 20, 50 and so on that is no less than `highest`.
fn ceiling(highest: u64) -> u128 {
    let mut power = 1_u128;
    loop {
        for step in [1, 2, 5] {
            if step * power >= u128::from(highest) {
                return step * power;
            }
        }
        power *= 10;
    }
}

fn height(number: u64, top: u128) -> u32 {
    let whole = u128::from(number) * u128::from(FLOOR - TOP) / top;
    u32::try_from(whole).unwrap_or(FLOOR - TOP).max(LEAST_HEIGHT)
}

/// Where the column of this number among so many begins.
fn place(number: usize, columns: usize) -> u32 {
    let columns = u32::try_from(columns.max(1)).unwrap_or(u32::MAX);
    LEFT + (RIGHT - LEFT) * u32::try_from(number).unwrap_or_default() / columns
}

fn bars(columns: &[Column], top: u128) -> Vec<Bar> {
    let bars = columns.iter().enumerate().flat_map(|(number, column)| {
        let (begin, end) = (place(number, columns.len()), place(number + 1, columns.len()));
        // Two bars side by side, and room before the next two.
        let width = (end - begin).saturating_sub(4) / 2;
        let bar = |series, x, number: u64| Bar {
            series,
            x,
            y: FLOOR - height(number, top),
            width,
            height: height(number, top),
        };
        let issued = (column.issued > 0).then(|| bar("issued", begin + 1, column.issued));
        let refused = (column.refused > 0).then(|| bar("refused", begin + 2 + width, column.refused));
        issued.into_iter().chain(refused)
    });
    bars.collect()
}

fn marks(top: u128) -> Vec<Mark> {
    let mark = |number: u128| Mark {
        y: FLOOR - u32::try_from(number * u128::from(FLOOR - TOP) / top).unwrap_or_default(),
        text: in_short(number),
    };
    let half = top.is_multiple_of(2).then_some(top / 2);
    [Some(0), half, Some(top)].into_iter().flatten().map(mark).collect()
}

/// A number in five letters at the most.
fn in_short(number: u128) -> String {
    const UNITS: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];
    let (mut left, mut unit) = (number, 0);
    while left >= 10_000 || (left >= 1000 && left.is_multiple_of(1000)) {
        left /= 1000;
        unit += 1;
    }
    format!("{left}{}", UNITS.get(unit).copied().unwrap_or("+"))
}

/// As many words as there is room for, evenly.
fn below(columns: &[Column], reach: Reach) -> Vec<Word> {
    let width = (RIGHT - LEFT) / u32::try_from(columns.len().max(1)).unwrap_or(u32::MAX);
    let every = WORD.div_ceil(width.max(1));
    let words = columns
        .iter()
        .enumerate()
        .step_by(every as usize)
        .map(|(number, column)| Word {
            x: u32::midpoint(place(number, columns.len()), place(number + 1, columns.len())),
            text: reach.short(column.begins),
        });
    words.filter(|word| word.x + WORD / 2 <= WIDTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Environment, TokenRefusal};
    use crate::store::UsagePlace;

    /// 2027-01-15T08:00:00Z.
    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn row(begins: &str, issued: u64, refused: u64) -> UsageRow {
        let mut row = UsageRow {
            place: UsagePlace {
                begins: begins.parse().unwrap(),
                environment: Environment::Qa,
                partner_id: None,
                client_id: None,
                scope: None,
            },
            issued,
            refused: [0; TokenRefusal::ALL.len()],
        };
        row.refused[TokenRefusal::Limited as usize] = refused;
        row
    }

    fn month(rows: &[UsageRow]) -> Graph {
        Graph::of(rows, (Reach::LastMonth, NOW), "of acme")
    }

    fn day(rows: &[UsageRow]) -> Graph {
        Graph::of(rows, (Reach::LastDay, NOW), "of acme")
    }

    #[test]
    fn where_nothing_happened_there_is_no_bar_and_every_day_has_a_line() {
        let graph = month(&[]);
        assert!(graph.is_empty() && graph.bars.is_empty());
        assert_eq!(graph.lines.len(), 30);
        assert_eq!(graph.lines[0], ("2027-01-15".into(), "0".into(), "0".into()));
        assert_eq!(graph.lines[29].0, "2026-12-17");
        assert_eq!(graph.desc, "0 tokens were issued and 0 requests refused.");
        let marks: Vec<_> = graph.marks.iter().map(|mark| (mark.y, mark.text.as_str())).collect();
        assert_eq!(marks, [(FLOOR, "0"), (TOP, "1")]);
    }

    #[test]
    fn one_bar_stands_in_its_day_as_high_as_its_share() {
        let graph = month(&[row("2027-01-15T00:00:00Z", 5, 0)]);
        // The last of thirty columns over 590 units: from 44 + 590 * 29 / 30 to 634, less the room between.
        let (begin, end) = (44 + 570, 634);
        let expected = Bar {
            series: "issued",
            x: begin + 1,
            y: TOP,
            width: (end - begin - 4) / 2,
            height: FLOOR - TOP,
        };
        assert_eq!(graph.bars, [expected]);
        assert_eq!(
            graph.desc,
            "5 tokens were issued and 0 requests refused; most tokens, 5, in what began on 2027-01-15."
        );
    }

    #[test]
    fn both_series_have_one_scale_and_rows_of_one_moment_are_added_up() {
        let graph = month(&[row("2027-01-14T00:00:00Z", 30, 10), row("2027-01-14T00:00:00Z", 10, 15)]);
        let heights: Vec<_> = graph.bars.iter().map(|bar| (bar.series, bar.height)).collect();
        // Of 50, which is the ceiling of 40, over 140 units.
        assert_eq!(heights, [("issued", 112), ("refused", 70)]);
        assert_eq!((graph.issued, graph.refused), (40, 25));
        assert_eq!(graph.lines[1], ("2027-01-14".into(), "40".into(), "25".into()));
    }

    #[test]
    fn refusals_alone_are_drawn_too_and_few_among_many_are_seen() {
        let graph = day(&[row("2027-01-15T08:00:00Z", 0, 3)]);
        assert_eq!(graph.bars.len(), 1);
        assert_eq!((graph.bars[0].series, graph.is_empty()), ("refused", false));
        let graph = day(&[row("2027-01-15T08:00:00Z", 1_000_000, 1)]);
        assert_eq!(
            (graph.bars[0].height, graph.bars[1].height),
            (FLOOR - TOP, LEAST_HEIGHT)
        );
    }

    #[test]
    fn the_greatest_numbers_stay_within_the_drawing() {
        let graph = month(&[
            row("2027-01-14T00:00:00Z", u64::MAX, u64::MAX),
            row("2027-01-15T00:00:00Z", u64::MAX, 1),
        ]);
        assert_eq!(graph.issued, u64::MAX);
        for bar in &graph.bars {
            assert!(
                bar.y >= TOP && bar.y + bar.height == FLOOR && bar.x + bar.width < WIDTH,
                "{bar:?}"
            );
        }
        // Twenty million million millions are the ceiling of 2^64.
        assert_eq!(graph.marks.last().unwrap().text, "20E");
    }

    #[test]
    fn a_ceiling_is_one_two_or_five_and_noughts() {
        for (highest, expected) in [
            (0, 1),
            (1, 1),
            (2, 2),
            (3, 5),
            (5, 5),
            (6, 10),
            (11, 20),
            (21, 50),
            (51, 100),
        ] {
            assert_eq!(ceiling(highest), expected, "{highest}");
        }
    }

    #[test]
    fn numbers_at_the_side_are_short_and_exact() {
        for (number, text) in [
            (0, "0"),
            (500, "500"),
            (1000, "1k"),
            (2500, "2500"),
            (25_000, "25k"),
            (5_000_000, "5M"),
        ] {
            assert_eq!(in_short(number), text);
        }
    }

    #[test]
    fn words_below_do_not_touch_and_neither_do_bars() {
        for graph in [month(&[]), day(&[])] {
            assert!(graph.words.len() > 5);
            for pair in graph.words.windows(2) {
                // Five letters of twelve units are no wider than forty.
                assert!(pair[0].x + 40 <= pair[1].x, "{pair:?}");
            }
            let (first, last) = (&graph.words[0], graph.words.last().unwrap());
            assert!(first.x >= 20 && last.x + 20 <= WIDTH);
        }
        let busy: Vec<_> = (0..24)
            .map(|hour| row(&format!("2027-01-15T{hour:02}:00:00Z"), 1, 1))
            .collect();
        let graph = Graph::of(&busy, (Reach::LastDay, "2027-01-15T23:59:59Z".parse().unwrap()), "");
        assert_eq!(graph.bars.len(), 48);
        for pair in graph.bars.windows(2) {
            assert!(pair[0].x + pair[0].width < pair[1].x, "{pair:?}");
        }
    }

    #[test]
    fn a_day_is_the_hour_that_runs_and_the_twenty_three_before_it() {
        let graph = day(&[row("2027-01-14T09:00:00Z", 1, 0), row("2027-01-14T08:00:00Z", 7, 0)]);
        assert_eq!(graph.issued, 1, "the hour that began a whole day ago is over");
        assert_eq!(graph.lines.last().unwrap().0, "2027-01-14 09:00 UTC");
    }
}
