//! Notices, read.

use super::{Administrator, Office, OfficeError};
use crate::domain::{KeptNotice, NoticeId, Role};
use crate::store::{NoticeFilter, Page};

impl Office {
    /// Notices by the time at which they were raised.
    ///
    /// # Errors
    /// When the role does not allow it, or the store does not answer in time.
    pub async fn notices(
        &self,
        who: &Administrator,
        filter: NoticeFilter,
        page: Page<NoticeId>,
    ) -> Result<Vec<KeptNotice>, OfficeError> {
        who.require(Role::Viewer)?;
        let registry = &self.parts.registry;
        Ok(registry.read(move |records| records.notices(&filter, &page)).await?)
    }
}
