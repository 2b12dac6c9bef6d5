//! Random histories, told to the store and to the plainest one: both must answer alike, in every list and every page.

use mintmark::domain::{
    AccessLevel, Action, AllowedApis, Change, ClientRole, ClientStatus, Environment, Epoch, Mutation, Noun, Partner,
    PartnerStatus,
};
use mintmark::store::{
    ClientFilter, CommitError, JournalFilter, MemoryStore, Order, Page, PartnerFilter, Records, Store,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use crate::store::samples::{api, attribution, client, partner, read, resource_server, scope, secret};

/// A step of a history, over a world so small that steps meet.
#[derive(Clone, Debug)]
enum Step {
    Register(&'static str, Option<&'static str>),
    Suspend(&'static str),
    RegisterApi(Environment, &'static str),
    RegisterClient(Environment, u8, &'static str),
    RegisterServer(Environment, u8, &'static str),
    SetStatus(u8, ClientStatus),
    Narrow(u8),
}

const PARTNERS: [&str; 7] = ["acme", "acme-eu", "acme1", "acmeb", "b1", "b-a", "zeta"];
const CLIENTS: u8 = 24;
const APIS: [&str; 2] = ["orders", "stock"];

fn environments() -> impl Strategy<Value = Environment> + Clone {
    select(&Environment::ALL[..])
}

fn step() -> impl Strategy<Value = Step> {
    let partners = || select(&PARTNERS[..]);
    let apis = || select(&APIS[..]);
    prop_oneof![
        (partners(), proptest::option::of(partners())).prop_map(|(own, parent)| Step::Register(own, parent)),
        partners().prop_map(Step::Suspend),
        (environments(), apis()).prop_map(|(environment, api_id)| Step::RegisterApi(environment, api_id)),
        (environments(), 0..CLIENTS, partners()).prop_map(|(environment, n, of)| Step::RegisterClient(
            environment,
            n,
            of
        )),
        (environments(), 0..CLIENTS, apis()).prop_map(|(environment, n, of)| Step::RegisterServer(environment, n, of)),
        (0..CLIENTS, select(&ClientStatus::ALL[..])).prop_map(|(n, status)| Step::SetStatus(n, status)),
        (0..CLIENTS).prop_map(Step::Narrow),
    ]
}

fn client_id(number: u8) -> String {
    format!("qa-client-{number}")
}

/// Decides as an office would: nothing is done to what is not there.
fn decide(step: &Step, records: &mut dyn Records) -> Result<Option<Mutation>, CommitError> {
    Ok(match step {
        Step::Register(partner_id, parent) => {
            let mut new = partner(partner_id);
            new.parent = match parent {
                Some(parent) => records
                    .partner(&parent.parse().unwrap())?
                    .map(|found: Partner| found.partner_id),
                None => None,
            };
            Some(Mutation::PartnerRegistered(new))
        }
        Step::Suspend(partner_id) => match records.partner(&partner_id.parse().unwrap())? {
            Some(found) => Some(Mutation::PartnerSuspended(found.suspended()?)),
            None => None,
        },
        Step::RegisterApi(environment, api_id) => Some(Mutation::ApiRegistered(api(*environment, api_id))),
        Step::RegisterClient(environment, number, of) => {
            let mut new = client(of, &client_id(*number));
            new.environment = *environment;
            let there = records.partner(&of.parse().unwrap())?.is_some();
            there.then(|| Mutation::ClientRegistered(new.clone(), secret(&new)))
        }
        Step::RegisterServer(environment, number, of) => {
            let of = records.api(*environment, &of.parse().unwrap())?;
            let new = of.map(|api| resource_server(&api, &client_id(*number)));
            new.map(|new| Mutation::ClientRegistered(new.clone(), secret(&new)))
        }
        Step::SetStatus(number, status) => {
            let found = records.client(&client_id(*number).parse().unwrap())?;
            match (found, status) {
                (None, _) => None,
                (Some(found), ClientStatus::Active) => Some(Mutation::ClientReinstated(found.reinstated()?)),
                (Some(found), ClientStatus::Suspended) => Some(Mutation::ClientSuspended(found.suspended()?)),
                (Some(found), ClientStatus::Revoked) => Some(Mutation::ClientRevoked(found.revoked()?)),
            }
        }
        Step::Narrow(number) => {
            let found = records.client(&client_id(*number).parse().unwrap())?;
            let found = found.filter(|client| client.partner_id().is_some());
            found.map(|mut client| {
                client.role = ClientRole::Partner {
                    partner_id: client.partner_id().expect("just looked").clone(),
                    access: AccessLevel::FineGrained(scope("orders:read")),
                    allowed_apis: AllowedApis::Only([APIS[0].parse().unwrap()].into()),
                };
                Mutation::ClientChanged(client)
            })
        }
    })
}

/// What a list is asked for.
#[derive(Clone, Debug)]
struct Question {
    partners: (PartnerFilter, Page<String>),
    clients: (ClientFilter, Page<String>),
    journal: (JournalFilter, Page<i64>),
}

fn page<K: std::fmt::Debug>(after: impl Strategy<Value = K>) -> impl Strategy<Value = Page<K>> {
    (proptest::option::of(after), 1..7u16).prop_map(|(after, limit)| Page { after, limit })
}

fn question() -> impl Strategy<Value = Question> {
    use proptest::option::weighted as some;
    let partner_ids = || select(&PARTNERS[..]).prop_map(|text| text.parse().unwrap());
    let searches = || select(&["1", "-", "ACME", "1%", "Check", "example"][..]).prop_map(|text| text.parse().unwrap());
    let partners = (
        some(0.3, select(&PartnerStatus::ALL[..])),
        some(0.3, partner_ids()),
        some(0.2, searches()),
    )
        .prop_map(|(status, parent, search)| PartnerFilter { status, parent, search });
    let clients = (
        some(0.3, environments()),
        some(0.3, partner_ids()),
        some(0.2, select(&APIS[..]).prop_map(|text| text.parse().unwrap())),
        some(0.3, select(&ClientStatus::ALL[..])),
        some(0.2, searches()),
    )
        .prop_map(|(environment, partner_id, api_id, status, search)| ClientFilter {
            environment,
            partner_id,
            api_id,
            status,
            search,
        });
    let journal = (
        some(0.2, select(Action::ALL)),
        some(0.2, select(&Noun::ALL[..])),
        some(
            0.2,
            prop_oneof![
                (0..CLIENTS).prop_map(client_id),
                select(&PARTNERS[..]).prop_map(str::to_owned)
            ],
        ),
        some(0.3, partner_ids()),
        some(0.3, environments()),
        select(&[Order::OldestFirst, Order::NewestFirst][..]),
    )
        .prop_map(
            |(action, noun, subject, partner_id, environment, order)| JournalFilter {
                action,
                noun,
                subject,
                partner_id,
                environment,
                order,
            },
        );
    let between_partners = prop_oneof!["[a-z][a-z1-]{0,5}[a-z1]", select(&PARTNERS[..]).prop_map(str::to_owned)];
    let between_partners = between_partners.prop_filter("is a slug", |text| !text.contains("--"));
    (
        (partners, page(between_partners)),
        (clients, page((0..CLIENTS).prop_map(client_id))),
        (journal, page(0..40i64)),
    )
        .prop_map(|(partners, clients, journal)| Question {
            partners,
            clients,
            journal,
        })
}

fn typed<K: std::str::FromStr<Err: std::fmt::Debug>>(page: &Page<String>) -> Page<K> {
    Page {
        after: page.after.as_ref().map(|after| after.parse().unwrap()),
        limit: page.limit,
    }
}

/// Every list, as the question asks for it. Secrets differ in their random ids, so of the journal only what names no secret is shown.
fn answer(store: &dyn Store, question: &Question) -> String {
    let (filter, page) = &question.partners;
    let partners = read(store, |records| records.partners(filter, &typed(page)));
    let (filter, page) = &question.clients;
    let clients = read(store, |records| records.clients(filter, &typed(page)));
    let (filter, page) = &question.journal;
    let page = Page {
        after: page.after.map(Epoch::new),
        limit: page.limit,
    };
    let journal = read(store, |records| records.journal(filter, &page));
    let journal: Vec<_> = journal
        .into_iter()
        .map(|entry| (entry.epoch, entry.action, entry.subject))
        .collect();
    let apis = Environment::ALL.map(|environment| read(store, |records| records.apis(environment)));
    format!("{partners:#?} {clients:#?} {journal:#?} {apis:#?}")
}

fn take(store: &dyn Store, step: &Step) -> String {
    let taken = store.commit(&attribution(), &mut |records| {
        Ok(decide(step, records)?.map(Change::from))
    });
    format!(
        "{:?}",
        taken.map(|entry| entry.map(|entry| (entry.epoch, entry.action)))
    )
}

pub fn it_answers_as_memory_does(store: &dyn Store) {
    let oracle = MemoryStore::default();
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        cases: 48,
        // Each part stands on those before it, so a part alone shows nothing.
        max_shrink_iters: 0,
        ..Config::default()
    });
    // One long history, asked between its parts: a fresh database for each part would cost more than it finds.
    let parts = (
        proptest::collection::vec(step(), 0..6),
        proptest::collection::vec(question(), 4),
    );
    runner
        .run(&parts, |(steps, questions)| {
            for step in &steps {
                prop_assert_eq!(take(store, step), take(&oracle, step), "{:?}", step);
            }
            for question in &questions {
                prop_assert_eq!(answer(store, question), answer(&oracle, question), "{:?}", question);
            }
            Ok(())
        })
        .unwrap();
}
