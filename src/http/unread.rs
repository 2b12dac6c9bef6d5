//! Bodies without an announced end that nobody reads to their end.
//!
//! Once nobody holds a chunked body any more, the HTTP layer goes on reading it for as long as it comes, which may be for ever. While
//! somebody holds it, the connection is closed behind the answer. So the answer holds it.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage as _;
use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::web::Bytes;
use futures_core::Stream;

/// A body that two hold: the handler that may read it, and the answer.
#[derive(Clone)]
pub(super) struct SharedBody(Rc<RefCell<Payload>>);

impl SharedBody {
    /// Shares the body of `request` with its handler; `None` when the length of the body was announced.
    pub(super) fn of(request: &mut ServiceRequest) -> Option<Self> {
        if !request.headers().contains_key(TRANSFER_ENCODING) {
            return None;
        }
        let shared = Self(Rc::new(RefCell::new(request.take_payload())));
        request.set_payload(Payload::Stream {
            payload: Box::pin(shared.clone()),
        });
        Some(shared)
    }
}

impl Stream for SharedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
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
