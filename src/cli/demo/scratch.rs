//! A folder that is nobody else's and does not outlive the run.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::ambient::Entropy;
use crate::cli::failure::Failure;

/// A temporary folder, removed with everything in it when this is dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one under the system's folder for temporary files. Only its owner can look into it.
    ///
    /// # Errors
    /// When it cannot be made; a folder that is there already is never taken.
    pub(super) fn create(entropy: &dyn Entropy) -> Result<Self, Failure> {
        let mut random = [0; 8];
        entropy.fill(&mut random);
        let name = format!("mintmark-demo-{:016x}", u64::from_be_bytes(random));
        let path = std::env::temp_dir().join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| Failure::failed(format!("{} cannot be made: {error}", path.display())))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing can be done about what is left; it opens nothing that still runs.
        drop(fs::remove_dir_all(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::ambient::SystemEntropy;

    struct Constant;

    impl Entropy for Constant {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0x5a);
        }
    }

    #[test]
    fn a_scratch_folder_is_its_owners_and_goes_with_what_is_in_it() {
        let scratch = Scratch::create(&SystemEntropy::new()).unwrap();
        let path = scratch.path().to_owned();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        fs::write(path.join("master.key"), [0; 32]).unwrap();
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_that_is_there_is_not_taken() {
        let first = Scratch::create(&Constant).unwrap();
        assert!(Scratch::create(&Constant).is_err());
        assert!(first.path().exists());
    }
}
