//! Grant types (RFC 6749 §1.3): a closed set, so that every place a new one must be considered is named by the compiler.

/// A way to obtain a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    /// The client credentials grant (RFC 6749 §4.4).
    ClientCredentials,
}

impl GrantType {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::ClientCredentials];

    /// The value of `grant_type` (RFC 6749 §4.4.2), and of `grant_types_supported` (RFC 8414 §2).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
        }
    }
}
