//! Certificates and keys as PEM texts, read once at the start, so that a wrong one is a fault of the configuration and not of each
//! connection.

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret, SecretString};

use super::value::Wrong;

const REMEDY: &str = "give the PEM text itself (-----BEGIN …), or name its file with the variable that ends in _FILE";

/// Certificates of authorities; an empty text is none.
pub(super) fn authorities(text: &str) -> Result<Option<String>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    let mut store = RootCertStore::empty();
    for certificate in certificates(text)? {
        store.add(certificate).map_err(|_| {
            Wrong::new(
                "a certificate that cannot be read as an authority's",
                REMEDY,
            )
        })?;
    }
    Ok(Some(text.to_owned()))
}

/// A certificate and those that lead from it to its authority; an empty text is none.
pub(super) fn chain(text: &str) -> Result<Option<String>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    certificates(text)?;
    Ok(Some(text.to_owned()))
}

/// A key without a password; an empty text is none.
pub(super) fn private_key(text: &str) -> Result<Option<SecretString>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    key(text)?;
    Ok(Some(SecretString::from(text)))
}

/// Whether the key is the certificate's.
pub(super) fn belong_together(certificate: &str, key_text: &SecretString) -> Result<(), Wrong> {
    let chain = certificates(certificate)?;
    let key = key(key_text.expose_secret())?;
    let found = CertifiedKey::from_der(chain, key, &ring::default_provider());
    found.map(drop).map_err(|_| {
        Wrong::new(
            "not the key of the client certificate",
            "give the key that the certificate was made for",
        )
    })
}

/// Whether anything in the text is PEM.
pub(super) fn is_some(text: &str) -> bool {
    certificates(text).is_ok() || key(text).is_ok()
}

fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, Wrong> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(Wrong::new("no certificate in PEM form", REMEDY)),
    }
}

fn key(text: &str) -> Result<PrivateKeyDer<'static>, Wrong> {
    PrivateKeyDer::from_pem_slice(text.as_bytes())
        .map_err(|_| Wrong::new("no private key in PEM form without a password", REMEDY))
}
