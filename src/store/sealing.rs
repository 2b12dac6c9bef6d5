//! The master key of the installation, and what is derived from it: the pepper of all digests, and the seal of what must be
//! recoverable by this server alone. The one place that encrypts.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use thiserror::Error;
use zeroize::Zeroizing;

use super::{Store, StoreError};
use crate::ambient::Entropy;
use crate::domain::{KeyId, Pepper};

/// Bytes in the master key and in every key derived from it.
const KEY_BYTES: usize = 32;
/// The first byte of everything sealed: names the way it was sealed.
const FORM: u8 = 1;

/// 32 random bytes, the root of everything secret at rest. Lost, all clients need new secrets; stolen together with the
/// database, all signing keys must be revoked.
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

/// Why there is no master key.
#[derive(Debug, Error)]
pub enum MasterKeyError {
    /// The file, or its folder, cannot be read or made.
    #[error("the master key {path} cannot be read or made: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// A folder, a pipe, a device.
    #[error("the master key {0} is not a regular file")]
    NotAFile(PathBuf),
    /// The path is a symbolic link to nothing: a key made there would not be where the next start looks for it.
    #[error("the master key {0} is a symbolic link that leads nowhere")]
    DanglingLink(PathBuf),
    /// Others than its owner may read it.
    #[error("the master key {0} is open to others than its owner: run `chmod 600` on it, and consider who has read it")]
    Exposed(PathBuf),
    /// It is something else, or damaged.
    #[error("the master key {0} does not have 32 bytes: it is not a master key, or damaged")]
    WrongLength(PathBuf),
    /// The database was begun with another one.
    #[error("this is not the master key the database was begun with: bring back the right one")]
    Wrong,
    /// The database did not say.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl MasterKey {
    /// Reads the key at `path`. If there is none, makes one there, whole or not at all, readable by its owner alone.
    ///
    /// A symbolic link is followed, as secrets mounted into containers are links; what counts is the file it leads to.
    ///
    /// # Errors
    /// When the file is not a key, or not kept as one.
    pub fn load_or_create(path: &Path, entropy: &dyn Entropy) -> Result<Self, MasterKeyError> {
        let failed = |reason| MasterKeyError::File {
            path: path.to_owned(),
            reason,
        };
        match fs::metadata(path) {
            Ok(_) => Self::load(path),
            Err(reason) if reason.kind() != io::ErrorKind::NotFound => Err(failed(reason)),
            Err(_) if fs::symlink_metadata(path).is_ok() => Err(MasterKeyError::DanglingLink(path.to_owned())),
            Err(_) => {
                create(path, entropy).map_err(failed)?;
                // Read back: another server may have been first, and then its key counts.
                Self::load(path)
            }
        }
    }

    fn load(path: &Path) -> Result<Self, MasterKeyError> {
        let failed = |reason| MasterKeyError::File {
            path: path.to_owned(),
            reason,
        };
        // Asked before opening, since opening a pipe would wait for its other end; asked again of what was opened.
        if !fs::metadata(path).map_err(failed)?.is_file() {
            return Err(MasterKeyError::NotAFile(path.to_owned()));
        }
        let mut file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(MasterKeyError::NotAFile(path.to_owned()));
        }
        if metadata.mode() & 0o077 != 0 {
            return Err(MasterKeyError::Exposed(path.to_owned()));
        }
        if metadata.len() != KEY_BYTES as u64 {
            return Err(MasterKeyError::WrongLength(path.to_owned()));
        }
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        file.read_exact(&mut *bytes).map_err(failed)?;
        Ok(Self(bytes))
    }

    /// The key of all digests at rest.
    #[must_use]
    pub fn pepper(&self) -> Pepper {
        Pepper::new(&self.derived(b"mintmark pepper"))
    }

    /// What seals and opens.
    ///
    /// # Panics
    /// Never: the derived key has the length the cipher takes.
    #[must_use]
    pub fn sealer(&self) -> Sealer {
        let key = UnboundKey::new(&AES_256_GCM, &*self.derived(b"mintmark sealing"))
            .expect("AES-256 takes a key of 32 bytes");
        Sealer(LessSafeKey::new(key))
    }

    /// HKDF-SHA-256 (RFC 5869) without salt: the key is uniformly random already. `purpose` keeps derived keys apart.
    fn derived(&self, purpose: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
        struct Length;
        impl KeyType for Length {
            fn len(&self) -> usize {
                KEY_BYTES
            }
        }
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        let purpose = [purpose];
        let material = Salt::new(HKDF_SHA256, &[]).extract(&*self.0);
        let filled = material
            .expand(&purpose, Length)
            .and_then(|material| material.fill(&mut *bytes));
        filled.expect("one block of output is less than the 255 that HKDF can give");
        bytes
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Writes a new key beside `path`, brings it to disk, and only then gives it its name, unless the name is taken by now.
fn create(path: &Path, entropy: &dyn Entropy) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    entropy.fill(&mut *bytes);
    let mut mark = [0; 8];
    entropy.fill(&mut mark);
    let beside = folder.join(format!(".master-key-{:016x}", u64::from_be_bytes(mark)));
    let written = write_new(&beside, &bytes[..]).and_then(|()| match fs::hard_link(&beside, path) {
        Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    fs::remove_file(&beside)?;
    written?;
    File::open(folder)?.sync_all()
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Where something sealed lies. It opens there and nowhere else, so that rows cannot be exchanged.
#[derive(Clone, Copy, Debug)]
pub struct SealedColumn<'a> {
    /// The table.
    pub table: &'a str,
    /// The key of the row.
    pub row: &'a str,
    /// The column.
    pub column: &'a str,
}

impl<'a> SealedColumn<'a> {
    /// Where the private part of a signing key lies.
    #[must_use]
    pub fn private_key(kid: &'a KeyId) -> Self {
        Self {
            table: "signing_keys",
            row: kid.as_str(),
            column: "sealed_private_key",
        }
    }

    /// Each name preceded by its length, so that no two places are written alike.
    fn associated_data(&self) -> Vec<u8> {
        let names = [self.table, self.row, self.column];
        names
            .iter()
            .flat_map(|name| (name.len() as u64).to_be_bytes().into_iter().chain(name.bytes()))
            .collect()
    }
}

/// What is sealed does not open: it was altered, lies elsewhere than where it was sealed, or was sealed under another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("what is sealed does not open under this master key in this place")]
pub struct Unopenable;

/// Seals what must be recoverable (AES-256-GCM, NIST SP 800-38D).
pub struct Sealer(LessSafeKey);

impl Sealer {
    /// Seals `plain` for `place`: one byte that names the form, 96 random bits of nonce, the ciphertext, the tag.
    ///
    /// # Panics
    /// When `plain` is longer than 64 GiB.
    #[must_use]
    pub fn seal(&self, place: SealedColumn<'_>, plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut sealed = vec![FORM];
        sealed.extend_from_slice(&nonce);
        let mut text = plain.to_vec();
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.associated_data()),
                &mut text,
            )
            .expect("what is sealed is far shorter than AES-GCM allows");
        sealed.append(&mut text);
        sealed
    }

    /// Opens what was sealed for `place`. The plain text is wiped when dropped.
    ///
    /// # Errors
    /// When it was not sealed with this key for this place, or was altered.
    pub fn open(&self, place: SealedColumn<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unopenable> {
        let rest = sealed.strip_prefix(&[FORM]).ok_or(Unopenable)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Unopenable)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self
            .0
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(place.associated_data()),
                &mut text,
            )
            .map_err(|_| Unopenable)?
            .len();
        text.truncate(length);
        Ok(text)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Where the check value lies.
const CHECK: SealedColumn<'static> = SealedColumn {
    table: "installation",
    row: "1",
    column: "master_key_check",
};
/// What the check value says when opened.
const CHECK_TEXT: &[u8] = b"mintmark";

/// Makes sure that `store` was begun with the master key behind `sealer`, or begins it with that key.
///
/// # Errors
/// When it was begun with another one, or does not answer.
pub fn verify_or_begin(store: &dyn Store, sealer: &Sealer, entropy: &dyn Entropy) -> Result<(), MasterKeyError> {
    let kept = if let Some(kept) = check(store)? {
        kept
    } else {
        store.keep_master_key_check(&sealer.seal(CHECK, CHECK_TEXT, entropy))?;
        // Read back: of two servers that begin at once only one is kept.
        check(store)?.ok_or_else(|| StoreError::Corrupt("the master key check was not kept".to_owned()))?
    };
    match sealer.open(CHECK, &kept) {
        Ok(text) if text.as_slice() == CHECK_TEXT => Ok(()),
        _ => Err(MasterKeyError::Wrong),
    }
}

fn check(store: &dyn Store) -> Result<Option<Vec<u8>>, StoreError> {
    let mut found = None;
    store.read(&mut |records| {
        found = records.master_key_check()?;
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: SealedColumn<'static> = SealedColumn {
        table: "signing_keys",
        row: "kid-1",
        column: "sealed_private_key",
    };

    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn master_key(first: u8) -> MasterKey {
        let mut bytes = std::array::from_fn(|position| u8::try_from(position).unwrap());
        bytes[0] = first;
        MasterKey(Zeroizing::new(bytes))
    }

    fn hex(bytes: &[u8]) -> String {
        let digit = |value: u8| char::from_digit(value.into(), 16).unwrap();
        bytes
            .iter()
            .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
            .collect()
    }

    #[test]
    fn keys_and_seals_are_those_of_another_implementation() {
        // Computed with Python's `cryptography`: HKDF(SHA256, 32, salt=None, info=…), AESGCM, and `hmac`.
        let sealed = master_key(0).sealer().seal(PLACE, b"a private key", &Sevens);
        assert_eq!(
            hex(&sealed),
            "01070707070707070707070707725f02211365a76723f541257530a171ebd6f25d07bcfaa18f971c4ce9"
        );
        let digest = master_key(0).pepper().digest("mms_qa_secret");
        assert_eq!(
            hex(digest.as_bytes()),
            "b4fce9580d858b7cdba2b7a63183731bcf8490a138a2b8253d9f8622f8caa878"
        );
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_under_its_key_and_nowhere_else() {
        let sealed = master_key(0).sealer().seal(PLACE, b"text", &Sevens);
        assert_eq!(*master_key(0).sealer().open(PLACE, &sealed).unwrap(), b"text");
        assert_eq!(master_key(1).sealer().open(PLACE, &sealed), Err(Unopenable));
        let elsewhere = [
            SealedColumn {
                table: "signing_key",
                ..PLACE
            },
            SealedColumn { row: "kid-2", ..PLACE },
            SealedColumn {
                column: "public_jwk",
                ..PLACE
            },
            // The same letters, divided otherwise.
            SealedColumn {
                table: "signing_keysk",
                row: "id-1",
                ..PLACE
            },
        ];
        for place in elsewhere {
            assert_eq!(
                master_key(0).sealer().open(place, &sealed),
                Err(Unopenable),
                "{place:?}"
            );
        }
    }

    #[test]
    fn every_byte_altered_or_cut_is_noticed() {
        let key = master_key(0).sealer();
        let sealed = key.seal(PLACE, b"text", &Sevens);
        for position in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[position] ^= 1;
            assert_eq!(key.open(PLACE, &altered), Err(Unopenable), "{position}");
            assert_eq!(key.open(PLACE, &sealed[..position]), Err(Unopenable), "{position}");
        }
    }

    #[test]
    fn keys_print_as_redacted() {
        let key = master_key(0);
        assert_eq!(format!("{key:?} {:?}", key.sealer()), "[redacted] [redacted]");
    }
}
