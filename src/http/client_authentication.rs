//! Which credentials a request presents (RFC 6749 §2.3): every combination of header and body, in one match.

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use zeroize::Zeroizing;

use super::basic;
use super::error::OAuthError;
use super::form::Form;
use crate::authority::{PresentedCredentials, PresentedMethod};

/// The credentials of a request.
///
/// # Errors
/// When there are none, when there are more than one, or when they cannot be read.
pub(super) fn presented(headers: &HeaderMap, form: &Form<'_>) -> Result<PresentedCredentials, OAuthError> {
    let mut authorizations = headers.get_all(AUTHORIZATION);
    let authorization = authorizations.next();
    if authorizations.next().is_some() {
        return Err(OAuthError::TwoMethods);
    }
    let assertion = form
        .get("client_assertion")
        .or_else(|| form.get("client_assertion_type"));
    match (
        authorization,
        form.get("client_id"),
        form.get("client_secret"),
        assertion,
    ) {
        (Some(_), _, Some(_), _) | (Some(_), _, _, Some(_)) | (None, _, Some(_), Some(_)) => {
            Err(OAuthError::TwoMethods)
        }
        (Some(value), named, None, None) => {
            let basic = basic::parse(value.to_str().map_err(|_| basic::BasicFault::Encoding)?)?;
            if named.is_some_and(|client_id| client_id != basic.client_id) {
                return Err(OAuthError::DifferentClient);
            }
            let method = PresentedMethod::ClientSecretBasic;
            Ok(PresentedCredentials::new(basic.client_id, basic.client_secret, method))
        }
        (None, Some(client_id), Some(secret), None) => {
            let secret = Zeroizing::new(secret.to_owned());
            Ok(PresentedCredentials::new(
                client_id.to_owned(),
                secret,
                PresentedMethod::ClientSecretPost,
            ))
        }
        (None, None, Some(_), None) => Err(OAuthError::MissingClientId),
        (None, _, None, _) => Err(OAuthError::NoCredentials),
    }
}
