//! How many connections each listener has room for: what the settings say, as far as this process may open files.
//!
//! Each connection takes a descriptor. A process that has none left can neither let anybody in nor open its store; so some are kept back,
//! and the public listener never has those of the other.
//!
//! Many systems start a process with room for a thousand files and let it take more: it does.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Settings;

/// Descriptors for everything but callers and the store: the log, the listeners, what the framework's threads wait with.
const KEPT_BACK: usize = 96;
/// Descriptors for one connection to the store: SQLite holds the file, its log and its index.
const FOR_THE_STORE: usize = 4;

/// The most connections open at one time, at each listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) public: usize,
    pub(super) admin: usize,
}

impl Room {
    /// For a server with these settings in this process.
    pub(super) fn of(settings: &Settings) -> Self {
        let wanted = settings.limits.connections;
        let kept_back = KEPT_BACK + FOR_THE_STORE * (settings.database.pool_size as usize + 2);
        match open_files() {
            Some(files) => Self::within(files.saturating_sub(kept_back), wanted),
            None => Self {
                public: wanted,
                admin: wanted,
            },
        }
    }

    /// As many as `wanted` at each, within so many `descriptors`: an eighth of them at the admin listener.
    fn within(descriptors: usize, wanted: usize) -> Self {
        let admin = wanted.min(descriptors / 8).max(1);
        Self {
            public: wanted.min(descriptors - descriptors / 8).max(1),
            admin,
        }
    }

    /// Tells the operator where this is less than the settings say.
    pub(super) fn tell(self, settings: &Settings) {
        let wanted = settings.limits.connections;
        if self.public < wanted {
            let Self { public, admin } = self;
            log::warn!(
                "this process may open too few files for limits.connections = {wanted}: the public listener takes {public} \
                 connections, the admin listener {admin}; raise `ulimit -Hn` or LimitNOFILE"
            );
        }
    }
}

/// Lets this process open as many files as the system allows it.
pub(super) fn take_all_files() {
    let allowed = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: allowed,
        maximum: allowed,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        log::debug!(error:% = error; "the limit of open files stays as it was");
    }
}

/// How many files this process may have open, where that is bounded.
fn open_files() -> Option<usize> {
    usize::try_from(getrlimit(Resource::Nofile).current?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_listener_takes_the_descriptors_of_the_other_or_more_than_it_was_given() {
        let room = |public, admin| Room { public, admin };
        assert_eq!(Room::within(65_000, 10_000), room(10_000, 8125));
        assert_eq!(Room::within(1_000_000, 10_000), room(10_000, 10_000));
        assert_eq!(Room::within(800, 10_000), room(700, 100));
        assert_eq!(Room::within(800, 16), room(16, 16));
        assert_eq!(Room::within(0, 10_000), room(1, 1));
        for descriptors in (100..30_000).step_by(97) {
            let Room { public, admin } = Room::within(descriptors, 10_000);
            assert!(public + admin <= descriptors, "{descriptors}");
        }
    }
}
