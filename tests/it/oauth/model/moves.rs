//! What may happen in a history, and how often: requests of clients and of resource servers, and what operators do.

use mintmark::domain::{Allowance, Plan, QuotaMode};
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::installation::{ORDERS, STOCK};

/// The clients, by their partners. The second stands under the first's.
pub const PARTNERS: [&str; CLIENTS] = ["acme", "acme-north", "globex"];
pub const CLIENTS: usize = 3;
/// The APIs whose resource servers ask.
pub const ASKING: [&str; 2] = ["orders", "stock"];

/// Every scope there is.
pub const EVERYTHING: &str = "billing:read orders:read orders:write stock:read";
/// The last is of no API.
const CEILINGS: [&str; 5] = [
    EVERYTHING,
    "orders:read orders:write stock:read",
    "orders:read",
    "stock:read",
    "orders:delete",
];
const LISTS: [&str; 3] = ["orders:read", "stock:read", "orders:write stock:read"];
const SCOPES: [&str; 5] = [
    "billing:read",
    "orders:read",
    "orders:write",
    "stock:read",
    "orders:delete",
];

/// What an API becomes. A scope belongs to one API, so one of them may have to let go of it first.
#[derive(Clone, Copy, Debug)]
pub struct ApiShape {
    pub api_id: &'static str,
    pub audience: &'static str,
    pub scopes: &'static str,
}

const fn shape(api_id: &'static str, audience: &'static str, scopes: &'static str) -> ApiShape {
    ApiShape {
        api_id,
        audience,
        scopes,
    }
}

const SHAPES: [ApiShape; 6] = [
    shape("orders", ORDERS, "orders:read orders:write"),
    shape("orders", "https://api.example.com/orders/2", "orders:read orders:write"),
    shape("orders", ORDERS, "orders:read"),
    shape("stock", STOCK, "stock:read"),
    shape("stock", STOCK, "orders:write stock:read"),
    shape("stock", "https://api.example.com/stock/2", "stock:read"),
];

/// What happens, and where: on the first replica or the second, where there are two.
#[derive(Clone, Debug)]
pub struct Step(pub usize, pub Event);

/// Clients, secrets and tokens are named by numbers. One too great is that of the newest secret; with tokens it begins again at the first.
#[derive(Clone, Debug)]
pub enum Event {
    /// A client asks with one of its secrets, for this scope or for all.
    Issue(usize, usize, Option<&'static str>),
    /// It asks as often as this, or until it is refused.
    Spend(usize, usize),
    /// A resource server asks about a token.
    Introspect(usize, usize),
    /// A client revokes a token, its own or not.
    RevokeToken(usize, usize),
    /// An operator does something.
    Operator(Deed),
    /// So many seconds go by.
    Wait(u32),
    /// The next day begins.
    Midnight,
}

/// What an operator does.
#[derive(Clone, Debug)]
pub enum Deed {
    ToggleClient(usize),
    /// It is revoked for ever, and another comes.
    ReplaceClient(usize),
    TogglePartner(usize),
    /// Whatever stands in a client's way is taken away, and it gets one more secret.
    Mend(usize),
    /// A client is cut down to a list of scopes, or may have all again.
    Access(usize, Option<&'static str>),
    /// The ceiling of a partner.
    Ceiling(usize, &'static str),
    Api(ApiShape),
    /// A client gets one more secret, which ends in so many seconds; the others end in so many.
    AddSecret(usize, Option<u32>, Option<u32>),
    /// A secret ends in so many seconds.
    EndSecret(usize, usize, u32),
    /// The plan of the first partner, which its sub-account shares.
    Plan(Option<Plan>),
    /// The same with as many tokens a day as it has obtained already, whatever the replicas hold.
    CutPlan,
    RotateKey,
    RevokeKey,
}

/// So many tokens a day.
pub fn day(tokens: u64) -> Allowance {
    Allowance {
        tokens_per_day: Some(tokens.try_into().unwrap()),
        ..Allowance::UNBOUNDED
    }
}

fn month(tokens: u64) -> Allowance {
    Allowance {
        tokens_per_month: Some(tokens.try_into().unwrap()),
        ..Allowance::UNBOUNDED
    }
}

fn plans() -> impl Strategy<Value = Option<Plan>> {
    let plan = |quota_mode, partner, client| {
        Some(Plan {
            quota_mode,
            partner,
            client,
        })
    };
    select(vec![
        None,
        plan(QuotaMode::Off, day(1), day(1)),
        plan(QuotaMode::Observe, day(6), day(3)),
        plan(QuotaMode::Enforce, day(7), Allowance::UNBOUNDED),
        plan(QuotaMode::Enforce, day(25), day(5)),
        plan(QuotaMode::Enforce, month(15), month(7)),
        // Of so many more than one is drawn at a time, and some are held when another plan comes.
        plan(QuotaMode::Enforce, day(130), Allowance::UNBOUNDED),
        plan(QuotaMode::Enforce, day(400), day(200)),
    ])
}

fn seconds() -> impl Strategy<Value = Option<u32>> {
    proptest::option::of(1..400_u32)
}

fn deed() -> impl Strategy<Value = Deed> {
    let (clients, secrets) = (|| 0..CLIENTS, || 0..4_usize);
    let lists = || proptest::option::of(select(&LISTS[..]));
    let end = prop_oneof![Just(0), 1..400_u32];
    prop_oneof![
        2 => clients().prop_map(Deed::ToggleClient),
        1 => clients().prop_map(Deed::ReplaceClient),
        3 => clients().prop_map(Deed::TogglePartner),
        4 => clients().prop_map(Deed::Mend),
        2 => (clients(), lists()).prop_map(|(client, list)| Deed::Access(client, list)),
        4 => (clients(), select(&CEILINGS[..])).prop_map(|(partner, ceiling)| Deed::Ceiling(partner, ceiling)),
        3 => select(&SHAPES[..]).prop_map(Deed::Api),
        2 => (clients(), seconds(), seconds()).prop_map(|(client, own, others)| Deed::AddSecret(client, own, others)),
        2 => (clients(), secrets(), end).prop_map(|(client, secret, end)| Deed::EndSecret(client, secret, end)),
        4 => plans().prop_map(Deed::Plan),
        2 => Just(Deed::CutPlan),
        1 => Just(Deed::RotateKey),
        1 => Just(Deed::RevokeKey),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let (clients, secrets, tokens) = (|| 0..CLIENTS, || 0..4_usize, || 0..256_usize);
    let scope = proptest::option::weighted(0.4, select(&SCOPES[..]));
    prop_oneof![
        12 => (clients(), secrets(), scope).prop_map(|(client, secret, scope)| Event::Issue(client, secret, scope)),
        4 => (clients(), 2..16_usize).prop_map(|(client, times)| Event::Spend(client, times)),
        16 => (0..ASKING.len(), tokens()).prop_map(|(asking, token)| Event::Introspect(asking, token)),
        4 => (clients(), tokens()).prop_map(|(client, token)| Event::RevokeToken(client, token)),
        29 => deed().prop_map(Event::Operator),
        3 => (1..150_u32).prop_map(Event::Wait),
        1 => Just(Event::Midnight),
    ]
}

/// A history: each thing happens on one replica or the other.
pub fn history() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..2_usize, event()).prop_map(|(replica, event)| Step(replica, event));
    prop::collection::vec(step, 100..160)
}
