//! What a replica holds of one meter: a block of tokens drawn from the store and not issued yet. No IO, no time of its own.
//!
//! Blocks begin at one token and double with each draw, so that who asks rarely holds nothing. They never pass a small share of
//! what is left under the limit, so that near its end replicas draw token by token, and nothing lies where it is not asked for. What
//! is drawn beside the requests fills a block up: what is held and what is on its way are never more than one.

use std::cmp::Ordering;
use std::num::NonZeroU64;

use crate::domain::{CLOCK_SKEW, Period, Seconds, Timestamp, Window};
use crate::store::{Draw, Drawn};

/// No draw takes more than this part of what is left under the limit.
pub(super) const SHARE: NonZeroU64 = NonZeroU64::new(32).expect("it is not zero");
/// The most tokens drawn at once.
const LARGEST: u64 = 1_000;
/// When no more than this part of a block is left, the next is drawn beside the requests.
const LOW: u64 = 8;
/// How long a block may lie untouched before it goes back. Longer than most tokens live, so that who renews in time finds it.
pub(super) const IDLE: Seconds = Seconds(600);

/// What holds for one take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// No more than so many are issued.
    Enforced(u64),
    /// They are counted, and it is told when there were more.
    Observed(u64),
}

impl Rule {
    /// The limit, whether or not it is enforced.
    pub(super) const fn number(self) -> u64 {
        match self {
            Self::Enforced(limit) | Self::Observed(limit) => limit,
        }
    }

    const fn limit(self) -> Option<u64> {
        match self {
            Self::Enforced(limit) => Some(limit),
            Self::Observed(_) => None,
        }
    }

    fn news(self, drawn: Drawn) -> News {
        let before = drawn.total - drawn.granted;
        match self {
            Self::Enforced(limit) => News {
                reached: drawn.granted > 0 && before < limit && drawn.total >= limit,
                beyond: 0,
            },
            Self::Observed(limit) => News {
                reached: before < limit && drawn.total >= limit,
                beyond: drawn.total - limit.clamp(before, drawn.total),
            },
        }
    }
}

/// A draw to be made. Until it is [settled](Block::settle) no other is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// From which window.
    pub(super) window: Window,
    /// So many go back first: they were drawn under a limit that is lowered now.
    pub(super) surrendered: u64,
    /// What is asked.
    pub(super) draw: Draw,
    /// So many of them were issued already, while they were only observed.
    on_credit: u64,
    rule: Rule,
    asked_at: Timestamp,
}

/// A token that was taken, and is issued unless it is put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    window: Window,
    /// The limit under which it was drawn.
    limit: u64,
}

/// What a take comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Take {
    /// There was a token. Where there is an order, it is carried out beside the request.
    Taken(Token, Option<Order>),
    /// Nothing is here. Where there is an order, it is carried out now; else one is on its way.
    Wait(Option<Order>),
    /// The store has none either.
    Spent(Window),
}

/// What a draw brought to light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// The limit was reached by this draw and no other.
    pub(super) reached: bool,
    /// So many of the tokens drawn lie beyond a limit that is only observed.
    pub(super) beyond: u64,
}

/// What is left to be told to the store of a block that is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Balance {
    /// So many were drawn and not issued.
    Undrawn(Window, u64),
    /// So many were issued and not counted.
    Uncounted(Window, u64),
}

/// What is held of one meter.
#[derive(Debug)]
pub(super) struct Block {
    window: Window,
    left: u64,
    /// The greatest limit under which any of it was drawn.
    limit: u64,
    /// How many have been drawn in all, as the store last said.
    total: u64,
    /// How many it was to be when it was last filled.
    size: u64,
    /// Issued while observed, and not counted yet.
    owed: u64,
    drawing: bool,
    /// When the store last had none, and under which limit.
    spent: Option<(Timestamp, u64)>,
    used_at: Timestamp,
}

impl Block {
    /// Nothing, and of a window long gone.
    pub(super) fn empty(period: Period) -> Self {
        let beginning = Timestamp::from_seconds(0);
        Self::of(Window::of(period, beginning), beginning)
    }

    const fn of(window: Window, now: Timestamp) -> Self {
        Self {
            window,
            left: 0,
            limit: 0,
            total: 0,
            size: 0,
            owed: 0,
            drawing: false,
            spent: None,
            used_at: now,
        }
    }

    /// Takes one token.
    pub(super) fn take(&mut self, rule: Rule, now: Timestamp) -> Take {
        self.turn(now);
        match rule {
            Rule::Enforced(limit) if self.left > 0 && self.limit <= limit => self.left -= 1,
            Rule::Enforced(limit) if self.left == 0 && self.is_spent(limit, now) => return Take::Spent(self.window),
            Rule::Enforced(_) => return Take::Wait(self.order(rule, now)),
            Rule::Observed(_) if self.left > 0 => self.left -= 1,
            Rule::Observed(_) => self.owed += 1,
        }
        self.used_at = now;
        let token = Token {
            window: self.window,
            limit: rule.limit().map_or(u64::MAX, |_| self.limit),
        };
        let order = self.is_low(rule, now).then(|| self.order(rule, now)).flatten();
        Take::Taken(token, order)
    }

    /// How many are left under `limit` in this window, as far as is known here: what the store had when it was last asked, less what was
    /// issued here since. Nothing where it was not asked in this window.
    pub(super) fn left_under(&mut self, limit: u64, now: Timestamp) -> Option<(Window, u64)> {
        self.turn(now);
        let gone = (self.total + self.owed).saturating_sub(self.left);
        (self.total > 0).then(|| (self.window, limit.saturating_sub(gone)))
    }

    /// Puts back a token that was taken and not issued. In another window it is worth nothing.
    pub(super) fn put_back(&mut self, token: Token) {
        if token.window == self.window {
            self.left += 1;
            self.limit = self.limit.max(token.limit);
        }
    }

    /// Takes in what a draw brought, or that nothing is known of it: then nothing of it is ever issued.
    pub(super) fn settle(&mut self, order: &Order, drawn: Option<Drawn>) -> News {
        let here = order.window == self.window;
        let Some(drawn) = drawn else {
            self.owed += order.on_credit;
            self.drawing &= !here;
            return News::default();
        };
        if here {
            self.drawing = false;
            let under = order.draw.limit.unwrap_or(u64::MAX);
            self.limit = if self.left == 0 { under } else { self.limit.max(under) };
            self.left += drawn.granted.saturating_sub(order.on_credit);
            self.total = drawn.total;
            self.spent = (drawn.granted == 0).then_some((order.asked_at, under));
        }
        order.rule.news(drawn)
    }

    /// Gives up what has not been touched for long, so that others can draw it.
    pub(super) fn surrender_idle(&mut self, now: Timestamp) -> Option<Balance> {
        self.turn(now);
        if now.since(self.used_at) < IDLE || self.drawing {
            return None;
        }
        self.surrender()
    }

    /// Gives up everything.
    pub(super) fn surrender(&mut self) -> Option<Balance> {
        self.size = 0;
        let (left, owed) = (std::mem::take(&mut self.left), std::mem::take(&mut self.owed));
        // What the store will have when it is told.
        self.total = (self.total + owed).saturating_sub(left);
        match left.cmp(&owed) {
            Ordering::Greater => Some(Balance::Undrawn(self.window, left - owed)),
            Ordering::Less => Some(Balance::Uncounted(self.window, owed - left)),
            Ordering::Equal => None,
        }
    }

    /// Whether nothing would be lost with it.
    pub(super) const fn is_empty(&self) -> bool {
        self.left == 0 && self.owed == 0
    }

    /// Whether a draw is on its way.
    pub(super) const fn is_drawing(&self) -> bool {
        self.drawing
    }

    /// Begins anew where another window has begun: what is left of the old one is worth nothing in it. A request that arrived
    /// just before counts in the new one.
    fn turn(&mut self, now: Timestamp) {
        if !self.window.holds(now) && !self.window.holds(now + CLOCK_SKEW) {
            let window = Window::of(self.window.period(), now);
            *self = Self {
                // Issued in the old window and counted late: better in the new one than not at all.
                owed: self.owed,
                ..Self::of(window, now)
            };
        }
    }

    /// Whether the store had none under this limit, or a greater one, in this second: it is asked once a second, since others may
    /// give something back.
    fn is_spent(&self, limit: u64, now: Timestamp) -> bool {
        self.spent
            .is_some_and(|(at, under)| limit <= under && now <= at && at < now + CLOCK_SKEW)
    }

    fn is_low(&self, rule: Rule, now: Timestamp) -> bool {
        let low = self.size.min(self.next_size(rule)) / LOW;
        match rule {
            Rule::Enforced(limit) => (1..=low).contains(&self.left) && !self.is_spent(limit, now),
            Rule::Observed(_) => self.left <= low,
        }
    }

    /// The next draw, unless one is on its way.
    fn order(&mut self, rule: Rule, now: Timestamp) -> Option<Order> {
        if self.drawing {
            return None;
        }
        let surrendered = match rule {
            Rule::Enforced(limit) if self.limit > limit => std::mem::take(&mut self.left),
            Rule::Enforced(_) | Rule::Observed(_) => 0,
        };
        self.drawing = true;
        let on_credit = std::mem::take(&mut self.owed);
        let draw = match rule {
            // What was issued while it was observed is counted first, whatever the limit is now.
            Rule::Enforced(_) if on_credit > 0 => Draw::counting(on_credit),
            Rule::Enforced(limit) => Draw::sharing(self.fill_up(rule), limit, SHARE),
            Rule::Observed(_) => Draw::counting(self.fill_up(rule) + on_credit),
        };
        Some(Order {
            window: self.window,
            surrendered,
            draw,
            on_credit,
            rule,
            asked_at: now,
        })
    }

    /// How many the next block takes beside what is left. Only a block that is low is filled, so it takes some.
    fn fill_up(&mut self, rule: Rule) -> u64 {
        self.size = self.next_size(rule);
        self.size.saturating_sub(self.left)
    }

    fn next_size(&self, rule: Rule) -> u64 {
        let ahead = match rule {
            Rule::Enforced(limit) => limit.saturating_sub(self.total),
            // Beyond the limit there is no end to come near to.
            Rule::Observed(limit) if self.total < limit => limit - self.total,
            Rule::Observed(_) => self.total,
        };
        (2 * self.size).min(ahead / SHARE).clamp(1, LARGEST)
    }
}

#[cfg(test)]
mod tests;
