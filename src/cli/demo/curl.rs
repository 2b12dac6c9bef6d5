//! The `curl` line that repeats a request by hand, secrets and all. Long values that come again and again have names.

use std::fmt::Write as _;

use ureq::http::Method;

use crate::cli::wire::{Credentials, Payload, Request};

/// A shell variable in place of a value.
pub(super) struct Named {
    pub(super) name: &'static str,
    pub(super) value: String,
}

impl Named {
    /// The line that sets it.
    pub(super) fn assignment(&self) -> String {
        format!("{}={}", self.name, word(&self.value, &[]))
    }
}

/// The line for `request`, in which the `named` values stand as variables.
pub(super) fn curl(request: &Request, named: &[Named]) -> String {
    let mut line = String::from("curl -s");
    let mut push = |option: &str, value: &str| {
        write!(line, " {option}{}", word(value, named)).expect("a String takes every text");
    };
    let is_understood = matches!(
        (&request.method, &request.payload),
        (&Method::GET, Payload::None) | (&Method::POST, Payload::Json(_) | Payload::Form(_))
    );
    if !is_understood {
        push("-X ", request.method.as_str());
    }
    match &request.credentials {
        Credentials::None => {}
        Credentials::Bearer(token) => push("-H ", &format!("Authorization: Bearer {}", **token)),
        Credentials::Basic(client_id, secret) => push("-u ", &format!("{client_id}:{}", **secret)),
    }
    for (name, value) in &request.headers {
        push("-H ", &format!("{name}: {value}"));
    }
    match &request.payload {
        Payload::None => {}
        Payload::Json(text) => push("--json ", text),
        Payload::Form(fields) => {
            for (name, value) in fields {
                // A space is all that ours hold of what a form escapes.
                let option = if value.contains(' ') {
                    "--data-urlencode "
                } else {
                    "-d "
                };
                push(option, &format!("{name}={value}"));
            }
        }
    }
    push("", &request.url);
    line
}

/// One word of a POSIX shell.
fn word(text: &str, named: &[Named]) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/=@,+%".contains(&byte);
    if let Some(known) = named.iter().find(|known| text.contains(&known.value)) {
        let mut quoted = String::new();
        for character in text.replace(&known.value, "\0").chars() {
            match character {
                '\0' => write!(quoted, "${}", known.name).expect("a String takes every text"),
                '"' | '\\' | '$' | '`' => quoted.extend(['\\', character]),
                other => quoted.push(other),
            }
        }
        format!("\"{quoted}\"")
    } else if !text.is_empty() && text.bytes().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn a_request_is_repeated_by_one_line_of_shell() {
        let mut request = Request::new(Method::POST, "http://127.0.0.1:8080/qa/token");
        request.credentials = Credentials::Basic("qa-acme-1".to_owned(), Zeroizing::new("mms_qa_x".to_owned()));
        request.payload = Payload::Form(vec![
            ("grant_type", "client_credentials".to_owned()),
            ("scope", "a b".to_owned()),
        ]);
        assert_eq!(
            curl(&request, &[]),
            "curl -s -u qa-acme-1:mms_qa_x -d grant_type=client_credentials --data-urlencode 'scope=a b' \
             http://127.0.0.1:8080/qa/token"
        );
        let mut change = Request::new(Method::PATCH, "http://[::1]:1/x?y=1&z=2");
        change.credentials = Credentials::Bearer(Zeroizing::new("mmo_x".to_owned()));
        change.headers = vec![("If-Match", "\"3\"".to_owned())];
        change.payload = Payload::Json(Zeroizing::new(r#"{"name":"it's"}"#.to_owned()));
        assert_eq!(
            curl(&change, &[]),
            r#"curl -s -X PATCH -H 'Authorization: Bearer mmo_x' -H 'If-Match: "3"' --json '{"name":"it'\''s"}' 'http://[::1]:1/x?y=1&z=2'"#
        );
        assert_eq!(
            curl(&Request::new(Method::POST, "http://h/suspend"), &[]),
            "curl -s -X POST http://h/suspend"
        );
    }

    #[test]
    fn a_named_value_stands_as_its_variable() {
        let named = [Named {
            name: "OPERATOR",
            value: "mmo_x".to_owned(),
        }];
        let mut request = Request::new(Method::GET, "http://h/");
        request.credentials = Credentials::Bearer(Zeroizing::new("mmo_x".to_owned()));
        request.headers = vec![("X", "$`\"\\mmo_x".to_owned())];
        assert_eq!(named[0].assignment(), "OPERATOR=mmo_x");
        assert_eq!(
            curl(&request, &named),
            r#"curl -s -H "Authorization: Bearer $OPERATOR" -H "X: \$\`\"\\$OPERATOR" http://h/"#
        );
    }
}
