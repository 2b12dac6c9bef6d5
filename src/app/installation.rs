//! What an installation is, without listeners: the store, and what the master key opens. Commands that work beside a server use it.

use std::sync::Arc;

use super::{Ambient, AppError};
use crate::config::Settings;
use crate::domain::Pepper;
use crate::store::{self, MasterKey, Sealer, Store, StoreSettings};

/// An installation, opened.
pub struct Installation {
    /// The store, migrated or known to be.
    pub store: Arc<dyn Store>,
    /// The key of the digests of secrets and tokens.
    pub pepper: Arc<Pepper>,
    /// What opens and seals private keys.
    pub sealer: Arc<Sealer>,
}

/// Opens the store, migrating it as the settings say, and the master key, made on first start. Blocks.
///
/// # Errors
/// When the store does not open, or the master key is not the one it was begun with.
pub fn open_installation(settings: &Settings, ambient: &Ambient) -> Result<Installation, AppError> {
    let store = store::open(&store_settings(settings))?;
    let master_key = MasterKey::load_or_create(&settings.keys.master_key_file, &*ambient.entropy)?;
    let sealer = master_key.sealer();
    store::verify_or_begin(&*store, &sealer, &*ambient.entropy)?;
    Ok(Installation {
        store,
        pepper: Arc::new(master_key.pepper()),
        sealer: Arc::new(sealer),
    })
}

/// How the settings want the store opened.
fn store_settings(settings: &Settings) -> StoreSettings {
    let database = &settings.database;
    StoreSettings {
        url: database.url.clone(),
        pool_size: database.pool_size,
        timeout: database.timeout,
        migrate: database.migrate,
    }
}
