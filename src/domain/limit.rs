//! What there is a limit on, and the words for it.

/// Everything there is a limit on, by the cause of the refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Failed authentications of one client id from one source.
    Failures,
    /// Client ids that failed from one source.
    UnknownIds,
    /// Tokens of one client in a second.
    ClientRate,
    /// Tokens of all clients of a partner and of its sub-accounts in a second.
    PartnerRate,
    /// Tokens of one client in a day.
    ClientDay,
    /// Tokens of one client in a month.
    ClientMonth,
    /// Tokens of all clients of a partner and of its sub-accounts in a day.
    PartnerDay,
    /// The same in a month.
    PartnerMonth,
    /// Tokens that one client revokes.
    Revocations,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Failures,
        Self::UnknownIds,
        Self::ClientRate,
        Self::PartnerRate,
        Self::ClientDay,
        Self::ClientMonth,
        Self::PartnerDay,
        Self::PartnerMonth,
        Self::Revocations,
    ];

    /// Those that are exact over all replicas.
    pub const QUOTAS: [Self; 4] = [Self::ClientDay, Self::ClientMonth, Self::PartnerDay, Self::PartnerMonth];

    /// Its name in metrics, in `RateLimit` and in `RateLimit-Policy`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failures => "failures",
            Self::UnknownIds => "unknown-ids",
            Self::ClientRate => "client-rate",
            Self::PartnerRate => "partner-rate",
            Self::ClientDay => "client-day",
            Self::ClientMonth => "client-month",
            Self::PartnerDay => "partner-day",
            Self::PartnerMonth => "partner-month",
            Self::Revocations => "revocations",
        }
    }

    /// What it means that it is used up, for the log.
    #[must_use]
    pub const fn used_up(self) -> &'static str {
        match self {
            Self::Failures => "too many failed authentications",
            Self::UnknownIds => "too many client ids failed from this source",
            Self::ClientRate => "the client asked for tokens faster than its limits allow",
            Self::PartnerRate => "the partner's clients asked for tokens faster than its plan allows",
            Self::ClientDay | Self::ClientMonth => "the client has used up its quota",
            Self::PartnerDay | Self::PartnerMonth => "the partner's clients have used up its quota",
            Self::Revocations => "the client revoked too many tokens",
        }
    }
}
