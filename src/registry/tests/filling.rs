//! A client is read while the journal is being applied: what others do keeps nobody from it, what is done to it does.

use super::*;

/// What is committed about others: a client, its secret, another partner, and what no client depends on.
fn elsewhere() -> [JournalEntry; 4] {
    let (mut of_another, secret) = client();
    of_another.client_id = ClientId::mint(Environment::Qa, "globex", &SystemEntropy::new());
    let partner_id: crate::domain::PartnerId = "globex".parse().unwrap();
    let added = Mutation::SecretAdded {
        secret: ClientSecret {
            client_id: of_another.client_id.clone(),
            ..secret
        },
        retiring: Vec::new(),
        partner_id: Some(partner_id.clone()),
        environment: Environment::Qa,
    };
    let another = Partner {
        partner_id,
        ..partner()
    };
    let mut production = api();
    production.environment = Environment::Production;
    [
        Mutation::ClientChanged(of_another),
        added,
        Mutation::PartnerChanged(another),
        Mutation::ApiChanged(production),
    ]
    .map(|mutation| mutation.entry(Epoch::new(1), &by_the_server(), crate::domain::ChainHash::GENESIS))
}

#[actix_web::test]
async fn a_client_is_read_and_remembered_however_fast_others_change() {
    let store = SharedStore::default();
    let registry = replica(&store, AT_ONCE);
    let client = registered(&registry).await;
    let memory = Arc::clone(&registry.memory);
    let busy = move || {
        for entry in (0..25).flat_map(|_| elsewhere()) {
            memory.apply(&entry);
        }
    };
    *store.after_read.lock().unwrap() = Some(Box::new(busy));
    for _ in 0..5 {
        registry.memory.clients.clear();
        let read = known(&registry, &client).await.unwrap();
        assert!(Arc::ptr_eq(&read, &known(&registry, &client).await.unwrap()));
    }
    *store.after_read.lock().unwrap() = None;
}

#[actix_web::test]
async fn a_client_that_changes_during_each_reading_is_not_answered_for() {
    let store = SharedStore::default();
    let registry = replica(&store, AT_ONCE);
    let client = registered(&registry).await;
    for mutation in [
        Mutation::ClientChanged(client.clone()),
        Mutation::PartnerChanged(partner()),
        Mutation::ApiChanged(api()),
    ] {
        registry.memory.clients.clear();
        let entry = mutation.entry(Epoch::new(1), &by_the_server(), crate::domain::ChainHash::GENESIS);
        let memory = Arc::clone(&registry.memory);
        *store.after_read.lock().unwrap() = Some(Box::new(move || memory.apply(&entry)));
        let refused = registry.fresh().await.unwrap().client(&client.client_id).await;
        *store.after_read.lock().unwrap() = None;
        assert!(refused.unwrap_err().to_string().contains("too fast"), "{mutation:?}");
        assert!(known(&registry, &client).await.is_some());
    }
}
