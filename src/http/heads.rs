//! Where heads of requests end, as far as that can be told without reading them: at an empty line (RFC 9112 §2.1). Bodies may have
//! empty lines too, so this is an upper bound of how many requests are among some octets, and nothing may be refused for it.
//!
//! A turn ends just before a head does, unless a body is longer than a turn. A request that is handed on without all of its body has the
//! HTTP layer say of the answers before it that they are the last, since it cannot know yet that the rest will be taken.

use memchr::memchr_iter;

/// With so many heads a turn is full: it ends before the next one does.
const HEADS: usize = 16;
/// So it is with so many octets.
const OCTETS: usize = 4 * 1024;
/// The most octets that are handed on in one turn, wherever it then ends.
const MOST_OCTETS: usize = 2 * OCTETS;

/// What has been handed on since it was last known that nothing of it is left.
#[derive(Debug, Default)]
pub(super) struct Turn {
    heads: usize,
    octets: usize,
    /// Whether it was ended before a head.
    is_ended: bool,
}

impl Turn {
    /// Whether it is enough for one turn.
    pub(super) const fn is_spent(&self) -> bool {
        self.is_ended || self.heads > HEADS || self.octets >= MOST_OCTETS
    }

    /// How many octets more may be handed on in it.
    pub(super) const fn room(&self) -> usize {
        MOST_OCTETS.saturating_sub(self.octets)
    }
}

/// How the line ends that is being handed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    /// It has just begun.
    Empty,
    /// Nothing of it but a carriage return.
    Return,
    /// There is something on it. So is it at the start: empty lines before a request are no end of one.
    #[default]
    Text,
}

/// The place in what a connection sends.
#[derive(Debug, Default)]
pub(super) struct Heads {
    line: Line,
    /// Octets since the last empty line.
    since: usize,
}

impl Heads {
    /// How many octets have come without an empty line among them.
    pub(super) const fn unfinished(&self) -> usize {
        self.since
    }

    /// Octets that belong to a body belong to no head.
    pub(super) const fn forget(&mut self) {
        self.since = 0;
    }

    /// How many of `octets` are handed on in `turn`: all of them, or as many as fill it, at least one. Notes them.
    pub(super) fn allot(&mut self, octets: &[u8], turn: &mut Turn) -> usize {
        let octets = &octets[..octets.len().min(turn.room())];
        let (mut begins, mut noted) = (0, 0);
        for end in memchr_iter(b'\n', octets) {
            self.note(&octets[begins..end], end - noted);
            (begins, noted) = (end + 1, end);
            if self.line == Line::Text {
                self.line = Line::Empty;
                continue;
            }
            let is_enough = turn.heads >= HEADS || turn.octets + end >= OCTETS;
            if is_enough && turn.heads > 0 && end > 0 {
                turn.octets += end;
                turn.is_ended = true;
                return end;
            }
            (*self, noted) = (Self::default(), begins);
            self.line = Line::Empty;
            turn.heads += 1;
        }
        self.note(&octets[begins..], octets.len() - noted);
        turn.octets += octets.len();
        octets.len()
    }

    /// Notes so many octets, of which `more` are of the line that is being handed on.
    fn note(&mut self, more: &[u8], count: usize) {
        self.line = self.after(more);
        self.since += count;
    }

    /// The line as it is with `more` of it.
    fn after(&self, more: &[u8]) -> Line {
        match (self.line, more) {
            (line, []) => line,
            (Line::Empty, [b'\r']) => Line::Return,
            _ => Line::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hands on all of `octets`, in pieces of at most `piece`, in as many turns as it takes; the turns, and what is unfinished at the end.
    fn turns(mut octets: &[u8], piece: usize) -> (Vec<Turn>, usize) {
        let (mut heads, mut turns) = (Heads::default(), vec![Turn::default()]);
        while !octets.is_empty() {
            if turns.last().unwrap().is_spent() {
                turns.push(Turn::default());
            }
            let taken = heads.allot(&octets[..piece.min(octets.len())], turns.last_mut().unwrap());
            assert_ne!(taken, 0);
            octets = &octets[taken..];
        }
        (turns, heads.unfinished())
    }

    #[test]
    fn a_turn_has_sixteen_heads_or_eight_kib() {
        let heads = b"GET / HTTP/1.1\r\nHost:\r\n\r\n".repeat(33);
        let (found, unfinished) = turns(&heads, 4096);
        assert_eq!(found.iter().map(|turn| turn.heads).collect::<Vec<_>>(), [16, 16, 1]);
        assert_eq!(unfinished, 0);
        let (found, unfinished) = turns(&b"a".repeat(20_000), 20_000);
        assert_eq!(
            found.iter().map(|turn| turn.octets).collect::<Vec<_>>(),
            [8192, 8192, 3616]
        );
        assert_eq!(unfinished, 20_000);
    }

    /// What is handed on of `octets` in the first turn.
    fn first_turn(octets: &str) -> &str {
        let (mut heads, mut turn) = (Heads::default(), Turn::default());
        let count = heads.allot(octets.as_bytes(), &mut turn);
        assert!(turn.is_spent());
        &octets[..count]
    }

    #[test]
    fn a_turn_leaves_no_request_without_its_body() {
        for body in [10, 1_000] {
            let one = format!("POST / HTTP/1.1\r\nContent-Length: {body}\r\n\r\n{}", "b".repeat(body));
            // The head behind these begins within the turn or at its end.
            let fit = OCTETS.div_ceil(one.len()).min(HEADS);
            let whole = one.repeat(fit);
            let handed_on = first_turn(&one.repeat(20)).to_owned();
            let rest = handed_on.strip_prefix(&whole).unwrap();
            assert_eq!(
                rest,
                "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r".replace("10", &body.to_string())
            );
        }
    }

    #[test]
    fn the_parser_finds_no_more_heads_than_are_counted() {
        for head in [
            "GET / HTTP/1.0\n\n",
            "\r\nGET / HTTP/1.0\r\n\n",
            "GET / HTTP/1.0\n\r\n",
            "\n\nGET / HTTP/1.0\nA:\n\n",
        ] {
            let (found, _) = turns(head.repeat(5).as_bytes(), 3);
            assert!(found.iter().map(|turn| turn.heads).sum::<usize>() >= 5, "{head:?}");
        }
    }

    proptest! {
        #[test]
        fn empty_lines_are_found_wherever_the_pieces_end(text in "[a\r\n]{0,200}", piece in 1_usize..20) {
            // The first line has something before it, as far as this goes.
            let lines: Vec<_> = text.split('\n').collect();
            let whole = &lines[..lines.len() - 1];
            let empty: Vec<_> = (1..whole.len()).filter(|line| matches!(whole[*line], "" | "\r")).collect();
            let after_the_last = empty.last().map_or(0, |last| last + 1);
            let (found, unfinished) = turns(text.as_bytes(), piece);
            prop_assert!(found.iter().all(|turn| turn.heads <= HEADS + 1), "{found:?}");
            prop_assert_eq!(found.iter().map(|turn| turn.heads).sum::<usize>(), empty.len());
            prop_assert_eq!(unfinished, lines[after_the_last..].join("\n").len());
        }
    }
}
