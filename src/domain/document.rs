//! Documents that are published again and again as they are: written and tagged once.

use std::fmt::Write as _;
use std::sync::Arc;

use super::secret::sha256;

/// A document with its entity tag. A copy of it shares both.
#[derive(Clone, Debug)]
pub struct Document {
    body: Arc<[u8]>,
    etag: Arc<str>,
}

impl Document {
    /// Tags `body` with the first half of its SHA-256: a strong entity tag (RFC 9110 §8.8.3).
    #[must_use]
    pub fn new(body: &str) -> Self {
        let digest = sha256(&[body.as_bytes()]);
        let mut etag = String::from("\"");
        for byte in &digest[..16] {
            write!(etag, "{byte:02x}").expect("a text takes whatever is written to it");
        }
        etag.push('"');
        Self {
            body: body.as_bytes().into(),
            etag: etag.into(),
        }
    }

    /// The document.
    #[must_use]
    pub const fn body(&self) -> &Arc<[u8]> {
        &self.body
    }

    /// Its entity tag, quotes included.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_tagged_with_half_of_its_sha_256() {
        let document = Document::new(r#"{"keys":[]}"#);
        assert_eq!(&**document.body(), br#"{"keys":[]}"#);
        // By `printf '{"keys":[]}' | sha256sum`.
        assert_eq!(document.etag(), "\"9638d11914735d0072002dd4d67c734a\"");
        assert!(document.etag().is_ascii() && Document::new("").etag() != document.etag());
    }

    #[test]
    fn a_copy_shares_what_was_written_once() {
        let document = Document::new("a");
        assert!(Arc::ptr_eq(document.clone().body(), document.body()));
    }
}
