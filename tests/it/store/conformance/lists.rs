//! Lists: whole, in order, page by page.

use mintmark::ambient::SystemEntropy;
use mintmark::domain::{
    Client, ClientId, ClientStatus, Environment, KeyState, Mutation, Partner, PartnerId, RevokedToken, Seconds, TokenId,
};
use mintmark::store::{ClientFilter, JournalFilter, Page, PartnerFilter, Store};

use crate::store::samples::{NOW, acme, client, commit, key, partner, read, revoked_token, secret};

pub fn pages_hold_every_row_once(store: &dyn Store) {
    // In byte order: a hyphen comes before a digit, a digit before a letter. Locales disagree.
    let in_order = ["ab", "ab-c", "ab1", "aba", "b-a", "b1", "ba"];
    for partner_id in in_order.iter().rev() {
        commit(store, Mutation::PartnerRegistered(partner(partner_id))).unwrap();
    }
    for limit in 1..=8 {
        let mut seen: Vec<PartnerId> = Vec::new();
        loop {
            let page = Page {
                after: seen.last().cloned(),
                limit,
            };
            let rows = read(store, |records| records.partners(&PartnerFilter::default(), &page));
            assert!(rows.len() <= usize::from(limit));
            if rows.is_empty() {
                break;
            }
            seen.extend(rows.into_iter().map(|partner| partner.partner_id));
        }
        let seen: Vec<&str> = seen.iter().map(PartnerId::as_str).collect();
        assert_eq!(seen, in_order);
    }
}

pub fn what_is_searched_for_is_taken_by_the_letter(store: &dyn Store) {
    for (partner_id, name) in [
        ("dotless", "Işık İstanbul"),
        ("half", "Half! 50 percent_off"),
        ("hundred", "100% Fruit_Juice"),
        ("quoted", "O'Neill \"and\" Sons \\ Co"),
        ("strasse", "Große STRASSE"),
        ("upper", "ÉCOLE Müller"),
        ("zeta", "école MÜLLER"),
    ] {
        let named = Partner {
            name: name.parse().unwrap(),
            ..partner(partner_id)
        };
        commit(store, Mutation::PartnerRegistered(named)).unwrap();
    }
    for (text, found) in [
        ("%", &["hundred"][..]),
        ("_", &["half", "hundred"]),
        ("0%_", &[]),
        ("!", &["half"]),
        ("! 50", &["half"]),
        ("\\", &["quoted"]),
        ("\\ c", &["quoted"]),
        ("'", &["quoted"]),
        ("\"AND\"", &["quoted"]),
        ("' OR 1=1 --", &[]),
        ("HUNDRED", &["hundred"]),
        ("strasse", &["strasse"]),
        ("große", &["strasse"]),
        ("GROSSE", &[]),
        // Every letter beyond ASCII is itself alone: whatever the locale of a cluster says of the others.
        ("École", &["upper"]),
        ("école", &["zeta"]),
        ("ÉCOLE", &["upper"]),
        ("müller", &["upper"]),
        ("mÜller", &["zeta"]),
        // A Turkish locale would make the first letter of the first name an ı.
        ("i", &["dotless", "hundred", "quoted"]),
        ("ı", &["dotless"]),
        (
            "e",
            &["dotless", "half", "hundred", "quoted", "strasse", "upper", "zeta"],
        ),
    ] {
        let filter = PartnerFilter {
            search: Some(text.parse().unwrap()),
            ..PartnerFilter::default()
        };
        let rows = read(store, |records| records.partners(&filter, &Page::first(9)));
        let rows: Vec<&str> = rows.iter().map(|partner| partner.partner_id.as_str()).collect();
        assert_eq!(rows, found, "{text}");
    }
}

pub fn clients_are_found_by_name_id_and_contact_with_what_else_is_asked(store: &dyn Store) {
    commit(store, Mutation::PartnerRegistered(partner("acme"))).unwrap();
    for (client_id, name, contact) in [
        ("qa-acme-aaa", "Checkout 100%", "ada@acme.example"),
        ("qa-acme-bbb", "CHECKOUT till", "bob_b@acme.example"),
        ("qa-acme-ccc", "Stock", "checkout@acme.example"),
        ("qa-checkout-ddd", "Stock", "ada@acme.example"),
    ] {
        let named = Client {
            name: name.parse().unwrap(),
            contact: contact.parse().unwrap(),
            ..client("acme", client_id)
        };
        let secret = secret(&named);
        commit(store, Mutation::ClientRegistered(named.clone(), secret)).unwrap();
        if name == "Stock" {
            commit(store, Mutation::ClientSuspended(named.suspended().unwrap())).unwrap();
        }
    }
    let found = |search: &str, status: Option<ClientStatus>, page: &Page<ClientId>| -> Vec<String> {
        let filter = ClientFilter {
            search: Some(search.parse().unwrap()),
            status,
            ..ClientFilter::default()
        };
        let rows = read(store, |records| records.clients(&filter, page));
        rows.into_iter().map(|client| client.client_id.to_string()).collect()
    };
    let all = Page::first(9);
    let four = ["qa-acme-aaa", "qa-acme-bbb", "qa-acme-ccc", "qa-checkout-ddd"];
    assert_eq!(found("CheckOut", None, &all), four);
    assert_eq!(found("checkout", Some(ClientStatus::Active), &all), four[..2]);
    assert_eq!(found("checkout", None, &Page::first(2)), four[..2]);
    let further = Page {
        after: Some(four[1].parse().unwrap()),
        limit: 1,
    };
    assert_eq!(found("checkout", None, &further), four[2..3]);
    assert_eq!(found("%", None, &all), four[..1]);
    assert_eq!(found("_", None, &all), four[1..2]);
    assert_eq!(found("ada@ACME", None, &all), [four[0], four[3]]);
    assert_eq!(found("qa-acme-C", None, &all), four[2..3]);
    assert!(found("nothing", None, &all).is_empty());
}

pub fn secrets_and_keys_come_in_the_order_of_their_making(store: &dyn Store) {
    let (_, client, first) = acme(store);
    let mut made = vec![first.clone()];
    for _ in 0..3 {
        let added = secret(&client);
        let mutation = Mutation::SecretAdded {
            secret: added.clone(),
            retiring: Vec::new(),
            partner_id: client.partner_id().cloned(),
            environment: client.environment,
        };
        commit(store, mutation).unwrap();
        made.push(added);
    }
    // The oldest is changed last, and still comes first.
    let retired = Mutation::SecretRetired {
        secret: first.ending(NOW, NOW).unwrap(),
        partner_id: client.partner_id().cloned(),
        environment: client.environment,
    };
    commit(store, retired).unwrap();
    let kept = read(store, |records| records.secrets(&client.client_id));
    let ids = |secrets: &[mintmark::domain::ClientSecret]| -> Vec<String> {
        secrets.iter().map(|secret| secret.secret_id.to_string()).collect()
    };
    assert_eq!(ids(&kept), ids(&made));

    let keys: Vec<_> = (0..4).map(|_| key(Environment::Qa, KeyState::Announced)).collect();
    for key in &keys {
        commit(store, Mutation::KeyAnnounced(key.clone())).unwrap();
    }
    commit(store, Mutation::KeyRetired(keys[0].clone())).unwrap();
    let kept = read(store, |records| records.signing_keys(Environment::Qa));
    let kept: Vec<_> = kept.iter().map(|key| &key.kid).collect();
    assert_eq!(kept, keys.iter().map(|key| &key.kid).collect::<Vec<_>>());
    assert!(read(store, |records| records.signing_keys(Environment::Production)).is_empty());
}

pub fn a_subject_nothing_can_have_finds_nothing(store: &dyn Store) {
    acme(store);
    for subject in ["", "acm", "ACME", "acme\0", "' OR 1=1 --", "%"] {
        let filter = JournalFilter {
            subject: Some(subject.to_owned()),
            ..JournalFilter::default()
        };
        assert_eq!(
            read(store, |records| records.journal(&filter, &Page::first(9))),
            [],
            "{subject:?}"
        );
    }
}

pub fn revoked_tokens_come_in_pages_with_their_ends(store: &dyn Store) {
    let (_, client, secret) = acme(store);
    let mut expected = Vec::new();
    for number in 0..7 {
        let token = RevokedToken {
            jti: TokenId::mint(&secret.secret_id, &SystemEntropy::new()),
            expires_at: NOW + Seconds(number),
            ..revoked_token(&client, &secret)
        };
        commit(store, Mutation::TokenRevoked(token.clone())).unwrap();
        expected.push((token.jti, token.expires_at));
    }
    expected.sort();
    for limit in [1, 3, 7, 8] {
        let mut page = Page::first(limit);
        let mut seen = Vec::new();
        loop {
            let rows = read(store, |records| records.revoked_tokens(&page));
            assert!(rows.len() <= usize::from(limit));
            let Some((last, _)) = rows.last() else {
                break;
            };
            page.after = Some(last.clone());
            seen.extend(rows);
        }
        assert_eq!(seen, expected, "in pages of {limit}");
    }
}
