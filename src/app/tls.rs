//! TLS, where it is configured: the certificate and its key, read again when the files change: at SIGHUP at once, else within half
//! a minute.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring::{default_provider, sign::any_supported_type};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::AppError;
use crate::config::TlsSettings;

/// The certificate in use, exchanged without a restart.
#[derive(Debug)]
pub(super) struct Certificate {
    files: TlsSettings,
    current: ArcSwap<CertifiedKey>,
    read_at: ArcSwap<Stamp>,
}

/// When the two files were last written.
type Stamp = (Option<SystemTime>, Option<SystemTime>);

impl Certificate {
    /// Reads the certificate chain and its key.
    ///
    /// # Errors
    /// When a file cannot be read, holds no certificate or key, or the two do not belong together.
    pub(super) fn read(files: &TlsSettings) -> Result<Arc<Self>, AppError> {
        let stamp = stamp(files);
        let current = certified_key(files)?;
        Ok(Arc::new(Self {
            files: files.clone(),
            current: ArcSwap::from_pointee(current),
            read_at: ArcSwap::from_pointee(stamp),
        }))
    }

    /// What both listeners speak: TLS 1.2 and 1.3. HTTP/1.1 only: the bounds of HTTP/2 cannot be set here (ADR 0017).
    ///
    /// # Errors
    /// When the library offers no version of TLS.
    pub(super) fn server_config(self: &Arc<Self>) -> Result<ServerConfig, AppError> {
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| AppError::Tls(error.to_string()))?;
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(self) as _;
        let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    /// Reads the files again if they were written since.
    pub(super) fn refresh(&self) {
        if **self.read_at.load() != stamp(&self.files) {
            self.reload();
        }
    }

    /// Reads the files again. What cannot be used leaves the certificate in use, with a warning, and is tried again at the next
    /// refresh: the other file may be on its way.
    pub(super) fn reload(&self) {
        let written = stamp(&self.files);
        match certified_key(&self.files) {
            Ok(key) => {
                self.current.store(Arc::new(key));
                self.read_at.store(Arc::new(written));
                log::info!("the certificate was read again");
            }
            Err(error) => {
                log::warn!(error:% = error; "the certificate cannot be used as it is now: the one before stays in use");
            }
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn stamp(files: &TlsSettings) -> Stamp {
    let written = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    (written(&files.certificate_file), written(&files.key_file))
}

fn certified_key(files: &TlsSettings) -> Result<CertifiedKey, AppError> {
    let fault = |path: &Path, what: &dyn std::fmt::Display| AppError::Tls(format!("{}: {what}", path.display()));
    let chain = CertificateDer::pem_file_iter(&files.certificate_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fault(&files.certificate_file, &error))?;
    if chain.is_empty() {
        return Err(fault(&files.certificate_file, &"holds no certificate"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key_file).map_err(|error| fault(&files.key_file, &error))?;
    let key = any_supported_type(&key).map_err(|error| fault(&files.key_file, &error))?;
    let certified = CertifiedKey::new(chain, key);
    certified.keys_match().map_err(|error| fault(&files.key_file, &error))?;
    Ok(certified)
}
