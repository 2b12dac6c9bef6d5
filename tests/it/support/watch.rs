//! What a browser has seen go wrong and what it has fetched: the logs of its session, read.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The most that a page may bring over the wire with everything it is made of, in bytes.
const HEAVIEST_PAGE: u64 = 60_000;

/// One page, with all that came for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    pub url: String,
    /// Heads and bodies as they came over the wire, in bytes.
    pub bytes: u64,
}

/// What is wrong by the log of the console: everything that is no remark, but the refusals a test asked for. Each status a document
/// was refused with stands in `refusals` once.
pub fn faults_of_console(log: &Value, refusals: &[u16]) -> Vec<String> {
    let mut expected: Vec<u16> = refusals.to_vec();
    let mut faults = Vec::new();
    for entry in log.as_array().expect("a log is a list") {
        let (level, message) = (entry["level"].as_str().unwrap(), entry["message"].as_str().unwrap());
        let refusal = status_of(message).and_then(|status| expected.iter().position(|each| *each == status));
        if let Some(place) = refusal {
            expected.swap_remove(place);
        } else if level == "SEVERE" || level == "WARNING" {
            faults.push(format!("{level}: {message}"));
        }
    }
    faults.extend(
        expected
            .iter()
            .map(|status| format!("no page was refused with {status}")),
    );
    faults
}

/// With which status something was refused, where a line of the console says so.
fn status_of(message: &str) -> Option<u16> {
    let (_, rest) = message.split_once("the server responded with a status of ")?;
    rest.get(..3)?.parse().ok()
}

/// What is wrong by what went over the wire: requests to others than `origin`, and pages that are too heavy.
pub fn faults_of_traffic(log: &Value, origin: &str) -> Vec<String> {
    let traffic = Traffic::read(log);
    let elsewhere = traffic.urls.iter().filter(|url| !is_at_home(url, origin));
    let heavy = traffic.loads.values().filter(|load| load.bytes > HEAVIEST_PAGE);
    elsewhere
        .map(|url| format!("{url} was asked for"))
        .chain(heavy.map(|load| format!("{} is {} bytes over the wire", load.url, load.bytes)))
        .collect()
}

/// Whether a URL leads out of the browser to nobody but `origin`.
fn is_at_home(url: &str, origin: &str) -> bool {
    let below = url.strip_prefix(origin);
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        || ["about:", "data:", "blob:"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
}

#[derive(Default)]
struct Traffic {
    urls: BTreeSet<String>,
    /// By the id of the load of a document.
    loads: BTreeMap<String, Load>,
    /// To which load a request belongs.
    load_of: BTreeMap<String, String>,
}

impl Traffic {
    fn read(log: &Value) -> Self {
        let mut traffic = Self::default();
        for entry in log.as_array().expect("a log is a list") {
            let told: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            let (method, event) = (&told["message"]["method"], &told["message"]["params"]);
            match method.as_str().unwrap_or_default() {
                "Network.requestWillBeSent" => traffic.begin(event),
                "Network.responseReceived" => traffic.receive(event),
                "Network.loadingFinished" => traffic.end(event),
                _ => {}
            }
        }
        traffic
    }

    fn begin(&mut self, event: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let url = text(&event["request"]["url"]);
        if event["type"] == "Document" {
            let loaded = self.loads.entry(text(&event["loaderId"])).or_insert(Load {
                url: String::new(),
                bytes: 0,
            });
            loaded.url.clone_from(&url);
            // A redirect on the way here came over the wire too.
            loaded.bytes += octets(&event["redirectResponse"]["encodedDataLength"]);
        }
        self.urls.insert(url);
    }

    /// What a browser shows of its own, where it has no answer to show, comes over no wire.
    fn receive(&mut self, event: &Value) {
        let [request, load] =
            [&event["requestId"], &event["loaderId"]].map(|id| id.as_str().unwrap_or_default().to_owned());
        if event["response"]["protocol"]
            .as_str()
            .is_some_and(|protocol| protocol.starts_with("http"))
        {
            self.load_of.insert(request, load);
        }
    }

    fn end(&mut self, event: &Value) {
        let load = event["requestId"]
            .as_str()
            .and_then(|request| self.load_of.get(request));
        if let Some(loaded) = load.and_then(|load| self.loads.get_mut(load)) {
            loaded.bytes += octets(&event["encodedDataLength"]);
        }
    }
}

/// A count of bytes; browsers give it as a number that may have a fraction.
fn octets(count: &Value) -> u64 {
    count
        .as_f64()
        .map_or(0, |count| format!("{count:.0}").parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HOME: &str = "http://127.0.0.1:8081";

    fn event(method: &str, event: &Value) -> Value {
        json!({ "message": json!({ "message": { "method": method, "params": event } }).to_string() })
    }

    fn request(id: &str, url: &str, kind: &str) -> Value {
        let event_of = json!({ "requestId": id, "loaderId": "1", "type": kind, "request": { "url": url } });
        event("Network.requestWillBeSent", &event_of)
    }

    fn received(id: &str, protocol: &str) -> Value {
        let event_of = json!({ "requestId": id, "loaderId": "1", "response": { "protocol": protocol } });
        event("Network.responseReceived", &event_of)
    }

    fn finished(id: &str, bytes: u32) -> Value {
        event(
            "Network.loadingFinished",
            &json!({ "requestId": id, "encodedDataLength": bytes }),
        )
    }

    #[test]
    fn an_error_of_the_console_is_a_fault_and_a_remark_is_none() {
        let log = json!([
            { "level": "INFO", "message": "a remark" },
            { "level": "SEVERE", "message": "Refused to apply inline style" },
        ]);
        assert_eq!(faults_of_console(&log, &[]), ["SEVERE: Refused to apply inline style"]);
    }

    #[test]
    fn a_refusal_is_none_where_it_was_asked_for_once() {
        let message = format!(
            "{HOME}/console/x - Failed to load resource: the server responded with a status of 404 (Not Found)"
        );
        let log = json!([{ "level": "SEVERE", "message": message }]);
        assert!(faults_of_console(&log, &[404]).is_empty());
        assert_eq!(faults_of_console(&log, &[]).len(), 1);
        assert_eq!(faults_of_console(&log, &[409]).len(), 2);
        assert_eq!(faults_of_console(&json!([]), &[404]), ["no page was refused with 404"]);
    }

    #[test]
    fn a_request_to_another_host_is_a_fault() {
        let log = |url: &str| json!([request("1", url, "Document")]);
        for url in ["http://127.0.0.1:8081/console", "about:blank", "data:,"] {
            assert!(faults_of_traffic(&log(url), HOME).is_empty(), "{url}");
        }
        for url in [
            "http://127.0.0.1:80811/",
            "http://fonts.example/x.css",
            "http://127.0.0.1:8080/",
        ] {
            assert_eq!(faults_of_traffic(&log(url), HOME).len(), 1, "{url}");
        }
    }

    #[test]
    fn a_page_weighs_what_came_for_it() {
        let log = |bytes: u32| {
            json!([
                request("1", "http://127.0.0.1:8081/console", "Document"),
                request("2", "http://127.0.0.1:8081/assets/style.css", "Stylesheet"),
                request("3", "data:image/svg+xml,", "Image"),
                request("4", "http://127.0.0.1:8081/assets/unanswered", "Image"),
                received("1", "http/1.1"),
                received("2", "http/1.1"),
                received("3", "data"),
                finished("1", 50_000),
                finished("2", bytes),
                finished("3", 50_000),
                finished("4", 50_000),
            ])
        };
        assert!(faults_of_traffic(&log(10_000), HOME).is_empty());
        let heavy = ["http://127.0.0.1:8081/console is 60001 bytes over the wire"];
        assert_eq!(faults_of_traffic(&log(10_001), HOME), heavy);
    }
}
