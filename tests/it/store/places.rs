//! A fresh store of each kind.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mintmark::store::{self, MemoryStore, Migrate, Store, StoreSettings};

use crate::support::postgresql;

/// How long a store of the tests may take: long, since the machine may be busy.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// An empty store, and what must live as long as it does.
pub struct Fresh {
    pub store: Arc<dyn Store>,
    _ground: Box<dyn Any>,
}

/// Plays what is named, functions of a [`Fresh`] store, on every store.
macro_rules! on_every_fresh_store {
    ($($play:ident)*) => {
        mod memory {
            $(#[test] fn $play() { super::$play(&crate::store::places::memory()); })*
        }

        mod sqlite {
            $(#[test] fn $play() { super::$play(&crate::store::places::sqlite()); })*
        }

        mod postgresql {
            $(#[test] fn $play() { super::$play(&crate::store::places::postgresql()); })*
        }
    };
}
pub(crate) use on_every_fresh_store;

/// A database without tables, and what must live as long as it does.
pub struct Ground {
    pub url: String,
    /// The SQLite file.
    pub file: Option<PathBuf>,
    keep: Box<dyn Any>,
}

pub fn memory() -> Fresh {
    Fresh {
        store: Arc::new(MemoryStore::default()),
        _ground: Box::new(()),
    }
}

pub fn sqlite() -> Fresh {
    sqlite_ground().opened()
}

pub fn postgresql() -> Fresh {
    postgresql_ground().opened()
}

pub fn sqlite_ground() -> Ground {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data/mintmark.db");
    Ground {
        url: format!("sqlite:{}", file.display()),
        file: Some(file),
        keep: Box::new(folder),
    }
}

pub fn postgresql_ground() -> Ground {
    let database = postgresql::fresh_url();
    Ground {
        url: database.url.clone(),
        file: None,
        keep: Box::new(database),
    }
}

impl Ground {
    pub fn settings(&self) -> StoreSettings {
        settings(&self.url)
    }

    pub fn opened(self) -> Fresh {
        Fresh {
            store: store::open(&self.settings()).unwrap(),
            _ground: self.keep,
        }
    }
}

pub fn settings(url: &str) -> StoreSettings {
    StoreSettings {
        url: url.parse().unwrap(),
        pool_size: 4,
        timeout: TIMEOUT,
        migrate: Migrate::Auto,
    }
}
