//! A certificate for the loopback address, and an installation that shows it.

use std::fs;

use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::server::{Installation, write_private};

/// A certificate for the loopback address, and its key, both in PEM.
pub struct Certificate {
    pub pem: String,
    pub key: String,
}

impl Certificate {
    /// A new one.
    pub fn new() -> Self {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        Self {
            pem: cert.pem(),
            key: signing_key.serialize_pem(),
        }
    }

    /// Puts it where the installation reads its own.
    pub fn put(&self, installation: &Installation) {
        fs::write(installation.path("tls.pem"), &self.pem).unwrap();
        write_private(&installation.path("tls.key"), self.key.as_bytes());
    }

    /// The same installation over TLS, with this certificate.
    pub fn shown_by(&self, installation: Installation) -> Installation {
        let path = |name| installation.path(name).display().to_string();
        let (chain, key) = (path("tls.pem"), path("tls.key"));
        let installation = installation
            .with("tls.certificate_file", &chain)
            .with("tls.key_file", &key)
            .with("public_url", "https://auth.example.com");
        self.put(&installation);
        installation
    }
}
