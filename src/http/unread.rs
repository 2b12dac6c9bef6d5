//! Bodies without an announced end that nobody reads to their end.
//!
//! Once nobody holds a chunked body any more, the HTTP layer goes on reading it for as long as it comes, which may be for ever. While
//! somebody holds it, the connection is closed behind the answer. So the answer holds it.
//!
//! Of a request that asks for another protocol, the HTTP layer takes all that ever comes for the body. Nothing here speaks another
//! protocol, and who does not may pass over the wish (RFC 9110 §7.8): such a body ends where `Content-Length` says.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage as _;
use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING, UPGRADE};
use actix_web::web::Bytes;
use futures_core::Stream;

/// A body that two hold: the handler that may read it, and the answer.
#[derive(Clone)]
pub(super) struct SharedBody(Rc<RefCell<Body>>);

struct Body {
    payload: Payload,
    /// How much of it is still to come, where the HTTP layer does not know.
    left: Option<usize>,
}

impl SharedBody {
    /// Shares the body of `request` with its handler; `None` when the length of the body was announced.
    pub(super) fn of(request: &mut ServiceRequest) -> Option<Self> {
        let is_chunked = request.headers().contains_key(TRANSFER_ENCODING);
        let left = (!is_chunked && takes_all_for_the_body(request)).then(|| announced(request));
        if !is_chunked && left.is_none() {
            return None;
        }
        let payload = request.take_payload();
        let shared = Self(Rc::new(RefCell::new(Body { payload, left })));
        request.set_payload(Payload::Stream {
            payload: Box::pin(shared.clone()),
        });
        Some(shared)
    }
}

impl Stream for SharedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Body { payload, left } = &mut *self.0.borrow_mut();
        if *left == Some(0) {
            return Poll::Ready(None);
        }
        let polled = Pin::new(payload).poll_next(cx);
        polled.map_ok(|mut piece| {
            if let Some(left) = left {
                piece.truncate(*left);
                *left -= piece.len();
            }
            piece
        })
    }
}

/// Whether the HTTP layer hands over the rest of the connection as the body.
fn takes_all_for_the_body(request: &ServiceRequest) -> bool {
    let wishes = |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket");
    request.method() == Method::CONNECT || request.headers().get_all(UPGRADE).any(wishes)
}

/// The bytes of body that a request announces; none without a word of it.
fn announced(request: &ServiceRequest) -> usize {
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse().ok());
    length.unwrap_or(0)
}

/// An answer that holds the body of its request until it has been sent.
pub(super) struct Holding {
    answer: BoxBody,
    _request: SharedBody,
}

impl MessageBody for Holding {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(cx)
    }
}

/// `response`, holding the shared body where there is one.
pub(super) fn held<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
    shared: Option<SharedBody>,
) -> ServiceResponse<EitherBody<B, Holding>> {
    match shared {
        None => response.map_into_left_body(),
        Some(shared) => response.map_body(|_, body| EitherBody::Right {
            body: Holding {
                answer: body.boxed(),
                _request: shared,
            },
        }),
    }
}
