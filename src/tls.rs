//! Why a server was not believed, in words that name the setting to change. The one place that reads errors of TLS.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// Why TLS was not agreed on. All of these last until somebody changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Signed by an authority that we do not trust.
    UnknownAuthority,
    /// Of another host than the one that the URL names.
    OtherHost,
    Expired,
    NotYetValid,
    /// Any other fault of the certificate.
    BadCertificate,
    /// The server wants a certificate of ours, or another one.
    WantsOurs,
    /// The server speaks no TLS.
    NoTls,
}

/// The refusal that an error tells of, wherever in its chain; nothing when it is about something else.
pub(crate) fn refusal(error: &(dyn Error + 'static)) -> Option<Refusal> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(tls) = current.downcast_ref::<TlsError>() {
            return of(tls);
        }
        // An I/O error does not name what it wraps as its source.
        let wrapped = current
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => current.source(),
        };
    }
    None
}

fn of(error: &TlsError) -> Option<Refusal> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "another crate's growing list; what is not named here is told in its own words"
    )]
    match error {
        TlsError::InvalidCertificate(fault) => Some(match fault {
            CertificateError::UnknownIssuer => Refusal::UnknownAuthority,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Refusal::OtherHost
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Refusal::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Refusal::NotYetValid
            }
            _ => Refusal::BadCertificate,
        }),
        TlsError::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown,
        ) => Some(Refusal::WantsOurs),
        TlsError::InvalidMessage(_) => Some(Refusal::NoTls),
        _ => None,
    }
}

/// What the settings of one server are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The server itself, as a sentence begins with it.
    pub(crate) server: &'static str,
    pub(crate) url: &'static str,
    pub(crate) authority: &'static str,
    pub(crate) identity: &'static str,
}

/// A server that was not believed, with what to do about it. It lasts until somebody changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) struct Unbelieved {
    pub(crate) refusal: Refusal,
    pub(crate) settings: Settings,
}

impl Unbelieved {
    /// Nothing when the error is about something else.
    pub(crate) fn by(error: &(dyn Error + 'static), settings: Settings) -> Option<Unbelieved> {
        let refusal = refusal(error)?;
        Some(Unbelieved { refusal, settings })
    }
}

impl fmt::Display for Unbelieved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings {
            server,
            url,
            authority,
            identity,
        } = self.settings;
        write!(f, "{server} is not believed: ")?;
        match self.refusal {
            Refusal::UnknownAuthority => write!(
                f,
                "its certificate is signed by an authority that is not trusted; name the authority's certificate ({authority})"
            ),
            Refusal::OtherHost => write!(
                f,
                "its certificate is for another host than the one in {url}; write the certificate's host there, or renew it"
            ),
            Refusal::Expired => f.write_str("its certificate has expired; renew it"),
            Refusal::NotYetValid => f.write_str(
                "its certificate is not valid yet; look at both machines' clocks, or renew it",
            ),
            Refusal::BadCertificate => f.write_str("its certificate cannot be used; renew it"),
            Refusal::WantsOurs => write!(
                f,
                "it wants a certificate of ours, or another one; give one that it trusts ({identity})"
            ),
            Refusal::NoTls => write!(
                f,
                "it speaks no TLS there; switch TLS on at the server, or correct {url}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrapped_by_an_io_error_is_found() {
        let inner = TlsError::InvalidCertificate(CertificateError::UnknownIssuer);
        let error = io::Error::new(io::ErrorKind::InvalidData, io::Error::other(inner));
        assert_eq!(refusal(&error), Some(Refusal::UnknownAuthority));
    }

    #[test]
    fn what_is_not_about_certificates_is_left_to_its_own_words() {
        assert_eq!(refusal(&io::Error::other("reset")), None);
        assert_eq!(refusal(&TlsError::DecryptError), None);
    }
}
