//! The way out: one POST for each attempt, signed as the Standard Webhooks specification says, on a thread of its own.
//!
//! Only the status and the head of an answer are looked at. No redirect is followed, no proxy of the environment is asked, and the
//! whole exchange has one deadline. The address is the operator's own setting: nothing a caller sends can choose it.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use chrono::DateTime;
use serde_json::json;
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::timeout;
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig};

use crate::domain::{CLOCK_SKEW, Notice, Seconds, Signed, Timestamp, WebhookSecret, WebhookUrl, webhook_signature};

/// The longest head of an answer, in bytes.
const LONGEST_HEAD: usize = 16_384;
/// How much later than its own deadline an exchange is waited for.
const GRACE: Duration = Duration::from_secs(1);

/// Where notices are sent, and as whom.
#[derive(Clone, Debug)]
pub struct WebhookParts {
    /// The receiver.
    pub url: WebhookUrl,
    /// What signs, the current one first.
    pub secrets: Vec<WebhookSecret>,
    /// For a whole exchange.
    pub timeout: Duration,
    /// Certificates to believe, in PEM, in place of the public authorities'.
    pub ca_file: Option<PathBuf>,
}

/// Why there is no way out.
#[derive(Debug, Error)]
pub enum WebhookError {
    /// The thread does not start.
    #[error("the thread of the webhook does not start: {0}")]
    Thread(#[from] std::io::Error),
    /// The certificates to believe cannot be used.
    #[error("webhook.ca_file: {} {reason}", path.display())]
    Certificates {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// The way out. When it is dropped the thread ends with the exchange it is in; nobody waits for it.
pub struct Webhook {
    parts: WebhookParts,
    letters: SyncSender<(Letter, oneshot::Sender<Answer>)>,
}

/// What is sent: everything but the address.
struct Letter {
    headers: [(&'static str, String); 4],
    body: String,
}

/// How the receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// With a status of 200 to 299.
    Accepted,
    /// With another.
    Refused {
        /// Which.
        status: u16,
        /// The header `Retry-After`, as it came.
        retry_after: Option<String>,
    },
    /// Not at all.
    Missing {
        /// Why, without anything of the address.
        reason: String,
    },
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::Refused { status, .. } => write!(f, "status {status}"),
            Self::Missing { reason } => f.write_str(reason),
        }
    }
}

impl Answer {
    /// How long the receiver asks to be left alone (RFC 9110 §10.2.3), if it does in one of the two ways there are.
    pub(super) fn retry_after(&self, now: Timestamp) -> Option<Seconds> {
        let Self::Refused {
            retry_after: Some(text),
            ..
        } = self
        else {
            return None;
        };
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Seconds(text.parse().unwrap_or(u32::MAX))).filter(|_| !text.is_empty());
        }
        let date = DateTime::parse_from_rfc2822(text).ok()?;
        Some(Timestamp::from_seconds(date.timestamp()).since(now))
    }

    fn missing(reason: impl Into<String>) -> Self {
        Self::Missing { reason: reason.into() }
    }
}

impl Webhook {
    /// Starts the thread. Nothing is sent yet.
    ///
    /// # Errors
    /// When the certificates to believe cannot be used, or the thread does not start.
    pub fn start(parts: WebhookParts) -> Result<Self, WebhookError> {
        let agent = agent(&parts)?;
        let url = parts.url.clone();
        let (letters, inbox) = sync_channel(1);
        thread::Builder::new()
            .name("webhook".to_owned())
            .spawn(move || post_all(&inbox, &agent, &url))?;
        Ok(Self { parts, letters })
    }

    /// How long an attempt may be under way before it counts as lost, by the clock of any replica.
    pub(super) fn lease(&self) -> Seconds {
        let whole = (self.parts.timeout + GRACE + Duration::from_secs(1)).as_secs();
        Seconds(u32::try_from(whole).unwrap_or(u32::MAX)) + CLOCK_SKEW
    }

    /// Sends `notice` once, signed for this moment.
    pub(super) async fn send(&self, notice: &Notice, now: Timestamp) -> Answer {
        let (tell, told) = oneshot::channel();
        if self.letters.try_send((self.letter(notice, now), tell)).is_err() {
            return Answer::missing("the exchange before has not ended");
        }
        match timeout(self.parts.timeout + GRACE, told).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Answer::missing("the exchange broke off"),
            Err(_) => Answer::missing("timed out"),
        }
    }

    fn letter(&self, notice: &Notice, now: Timestamp) -> Letter {
        let body = json!({
            "type": notice.subject.kind().as_str(),
            "timestamp": notice.raised_at,
            "data": notice,
        })
        .to_string();
        let signed = Signed {
            id: &notice.notice_id,
            at: now,
            body: body.as_bytes(),
        };
        Letter {
            headers: [
                ("content-type", "application/json".to_owned()),
                ("webhook-id", notice.notice_id.to_string()),
                ("webhook-timestamp", now.seconds().to_string()),
                ("webhook-signature", webhook_signature(&self.parts.secrets, signed)),
            ],
            body,
        }
    }
}

fn agent(parts: &WebhookParts) -> Result<Agent, WebhookError> {
    let tls = match &parts.ca_file {
        Some(path) => TlsConfig::builder().root_certs(roots(path)?),
        None => TlsConfig::builder(),
    };
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .max_idle_connections(0)
        .max_response_header_size(LONGEST_HEAD)
        .timeout_global(Some(parts.timeout))
        .user_agent(concat!("mintmark/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls.build())
        .build();
    Ok(config.new_agent())
}

fn roots(path: &Path) -> Result<RootCerts, WebhookError> {
    let refused = |reason: String| WebhookError::Certificates {
        path: path.to_path_buf(),
        reason,
    };
    let pem = std::fs::read(path).map_err(|error| refused(format!("cannot be read: {error}")))?;
    let items: Result<Vec<_>, _> = ureq::tls::parse_pem(&pem).collect();
    let certificates: Vec<_> = items
        .map_err(|_| refused("is not PEM".to_owned()))?
        .into_iter()
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(refused("holds no certificate".to_owned()));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

/// Posts one letter after the other, until nobody can send any more.
fn post_all(inbox: &Receiver<(Letter, oneshot::Sender<Answer>)>, agent: &Agent, url: &WebhookUrl) {
    while let Ok((letter, tell)) = inbox.recv() {
        // Whoever asked may have stopped waiting; the attempt then counts as lost.
        let _ = tell.send(post(agent, url, &letter));
    }
}

fn post(agent: &Agent, url: &WebhookUrl, letter: &Letter) -> Answer {
    let mut request = agent.post(url.expose());
    for (name, value) in &letter.headers {
        request = request.header(*name, value);
    }
    match request.send(letter.body.as_str()) {
        // The body is never read: dropping it shuts the connection.
        Ok(response) if response.status().is_success() => Answer::Accepted,
        Ok(response) => {
            let header = response.headers().get("retry-after");
            Answer::Refused {
                status: response.status().as_u16(),
                retry_after: header.and_then(|value| value.to_str().ok()).map(str::to_owned),
            }
        }
        Err(error) => Answer::missing(reason(&error)),
    }
}

/// In words that hold nothing of the address, which may be a secret.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "timed out".to_owned(),
        ureq::Error::HostNotFound => "host not found".to_owned(),
        // So the stream says what rustls has refused.
        ureq::Error::Io(error) if error.kind() == ErrorKind::InvalidData => "TLS failed".to_owned(),
        ureq::Error::Io(error) => error.kind().to_string(),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_) => "TLS failed".to_owned(),
        _ => "no HTTP answer".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Option<u32> {
        let refused = Answer::Refused {
            status: 503,
            retry_after: Some(text.to_owned()),
        };
        // RFC 9110 §5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT" is 784 111 777 seconds after 1970.
        refused
            .retry_after(Timestamp::from_seconds(784_111_777))
            .map(Seconds::get)
    }

    #[test]
    fn a_receiver_may_ask_for_time_in_seconds_or_by_a_date() {
        assert_eq!(asked("120"), Some(120));
        assert_eq!(asked("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(asked("Sun, 06 Nov 1994 08:48:37 GMT"), Some(0));
        assert_eq!(asked("99999999999999999999"), Some(u32::MAX));
        for nonsense in ["", "soon", "-5", "1.5"] {
            assert_eq!(asked(nonsense), None, "{nonsense}");
        }
    }
}
