//! What stands between a connection and the HTTP layer. That layer reads as much as it can hold and makes all of it into requests at
//! once; while its answers are not taken it asks itself without a pause whether there is more; and a header name of 64 KiB is the end of
//! it. So it is handed no more than it can serve: some heads at a time, no more than one turn of them while a request is being served,
//! nothing while an answer is not taken, and no head that is longer than any should be. What is not handed on waits in the kernel, and with it the caller.
//!
//! A turn is what is handed on until it is known that nothing of it is left to serve. The HTTP layer reads, decodes, serves and flushes,
//! in this order, each time it is woken. So when it reads while no request is being served and no answer waits to be taken, all of what
//! it decoded before has been served; what it has not decoded yet it will decode before it reads again. That may be a turn, so that at most
//! two are under way.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::heads::{Heads, Turn};
use super::quiet::Connection;

/// The longest head that is handed on, in octets, give or take a turn. Far below the 64 KiB that a header name may not have.
const LONGEST_HEAD: usize = 48 * 1024;
/// Where the HTTP layer says of a head without an end that it is too long, in octets.
const TOO_LONG: usize = 128 * 1024;

/// A connection whose octets are handed on as they can be served.
pub struct Paced<T> {
    stream: T,
    connection: Arc<Connection>,
    heads: Heads,
    turn: Turn,
    /// Whether a turn has ended since the HTTP layer was woken. It asks again at once where it throws away what it reads, and would hold up
    /// everybody else on its thread.
    rests: bool,
    /// What was read beyond the turn.
    held: Held,
    /// Whether the caller takes nothing of what was written last.
    is_blocked: bool,
    /// Whether the HTTP layer wanted to read and is to be woken when it may.
    was_refused: bool,
    /// What is handed on in place of the rest of a head that is too long.
    padding: Option<usize>,
}

/// Octets that wait, from a place on.
#[derive(Default)]
struct Held {
    octets: Vec<u8>,
    from: usize,
}

impl Held {
    fn waiting(&self) -> &[u8] {
        &self.octets[self.from..]
    }

    fn take(&mut self, count: usize) {
        self.from += count;
        if self.from == self.octets.len() {
            *self = Self::default();
        }
    }
}

impl<T> Paced<T> {
    pub(super) fn new(stream: T, connection: Arc<Connection>) -> Self {
        Self {
            stream,
            connection,
            heads: Heads::default(),
            turn: Turn::default(),
            rests: false,
            held: Held::default(),
            is_blocked: false,
            was_refused: false,
            padding: None,
        }
    }

    /// What the outermost layer tells of it.
    pub(super) const fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Whether more may be handed on now; if not, whoever wants it is woken when it may.
    fn has_room(&mut self, context: &Context<'_>) -> bool {
        if self.rests {
            return false;
        }
        let is_spent = self.turn.is_spent() || self.heads.unfinished() >= LONGEST_HEAD;
        if self.is_blocked || (is_spent && self.connection.is_at_work()) {
            self.was_refused = true;
            return false;
        }
        if self.turn.is_spent() {
            // What was handed on is decoded first.
            self.turn = Turn::default();
            self.rests = true;
            context.waker().wake_by_ref();
            return false;
        }
        true
    }

    /// Hands on something that is neither an end of a head nor anything else, up to where the HTTP layer answers 431.
    fn pad(&mut self, buffer: &mut ReadBuf<'_>) {
        let left = self.padding.unwrap_or(TOO_LONG);
        let count = left.min(buffer.remaining());
        buffer.initialize_unfilled_to(count).fill(b'x');
        buffer.advance(count);
        self.padding = Some(left - count);
    }
}

impl<T: AsyncRead + Unpin> Paced<T> {
    /// Reads no more than the turn has room for, however much the buffer holds: what is beyond would have to be held.
    fn poll_stream(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (stream, room) = (Pin::new(&mut self.stream), self.turn.room());
        if buffer.remaining() <= room {
            return stream.poll_read(context, buffer);
        }
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        let polled = stream.poll_read(context, &mut part);
        let count = part.filled().len();
        buffer.advance(count);
        polled
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.connection.is_served_by(context.waker());
        if this.connection.is_shut() {
            return Poll::Ready(Ok(()));
        }
        if this.connection.waits_for_a_body() {
            this.heads.forget();
        }
        if !this.has_room(context) {
            return Poll::Pending;
        }
        if this.heads.unfinished() >= LONGEST_HEAD && this.padding != Some(0) {
            this.pad(buffer);
            return Poll::Ready(Ok(()));
        }
        if !this.held.waiting().is_empty() {
            let waiting = this.held.waiting();
            let waiting = &waiting[..waiting.len().min(buffer.remaining())];
            let count = this.heads.allot(waiting, &mut this.turn);
            buffer.put_slice(&waiting[..count]);
            this.held.take(count);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match this.poll_stream(context, buffer) {
            Poll::Ready(Ok(())) => {
                let octets = &buffer.filled()[before..];
                let count = this.heads.allot(octets, &mut this.turn);
                if count < octets.len() {
                    this.held = Held {
                        octets: octets[count..].to_vec(),
                        from: 0,
                    };
                    buffer.set_filled(before + count);
                }
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                if !this.connection.is_at_work() {
                    this.turn = Turn::default();
                }
                Poll::Pending
            }
            failed @ Poll::Ready(Err(_)) => failed,
        }
    }
}

/// What whoever writes to a connection that was shut is told.
fn broken<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Paced<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.connection.is_shut() {
            return broken();
        }
        let written = Pin::new(&mut this.stream).poll_write(context, octets);
        this.is_blocked |= written.is_pending();
        written
    }

    /// The HTTP layer does this whenever it is woken: last, or first where it throws away what it reads.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(context);
        if flushed.is_pending() && this.connection.is_shut() {
            return broken();
        }
        this.is_blocked = flushed.is_pending();
        this.rests = false;
        if this.was_refused && !this.is_blocked && !this.connection.is_at_work() {
            this.was_refused = false;
            context.waker().wake_by_ref();
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.stream).poll_shutdown(context);
        if done.is_pending() && this.connection.is_shut() {
            return broken();
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::super::quiet::Connections;
    use super::*;

    /// A caller who always has more to say. It has an empty line in each KiB, so it is no head without an end.
    struct Endless;

    impl AsyncRead for Endless {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            let piece = [&[b'x'; 1022][..], b"\n\n"].concat();
            while buffer.remaining() > 0 {
                buffer.put_slice(&piece[..piece.len().min(buffer.remaining())]);
            }
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Endless {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(octets.len()))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn whoever_throws_away_what_comes_gets_one_turn_each_time_it_is_woken_and_little_is_held() {
        let mut connection = Connections::at_most(1).open(Endless);
        let mut connection = Pin::new(&mut connection);
        let context = &mut Context::from_waker(Waker::noop());
        let mut room = vec![0; 128 * 1024];
        for woken in 0..3 {
            assert!(connection.as_mut().poll_flush(context).is_ready());
            let (mut taken, mut refusals) = (0, 0);
            // It asks again after a first no, since it has thrown something away since.
            for _ in 0..100 {
                let mut buffer = ReadBuf::new(&mut room);
                match connection.as_mut().poll_read(context, &mut buffer) {
                    Poll::Ready(read) => read.unwrap(),
                    Poll::Pending => refusals += 1,
                }
                taken += buffer.filled().len();
            }
            assert!((1..=8 * 1024).contains(&taken), "{taken} the {woken}th time");
            assert!(refusals > 90, "{refusals}");
            assert!(connection.held.waiting().len() <= 4 * 1024);
        }
    }
}
