//! What a browser does, without one: keeps the cookie, sends back the fields of a page, follows nowhere by itself.

use std::cell::RefCell;

use mintmark::domain::Role;
use ureq::http::Request;

use crate::support::admin_harness::Harness;

/// One browser of one person.
pub struct Browser<'a> {
    harness: &'a Harness,
    /// The value of the cookie.
    pub cookie: RefCell<Option<String>>,
    /// What the forms of the last page prove themselves with.
    pub proof: RefCell<String>,
}

/// An answer.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

impl Page {
    /// A header that stands once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} stands twice");
        value
    }

    /// Where it leads.
    pub fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{self:?}");
        self.header("location").unwrap()
    }

    /// The page, when it is one with this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Whether it says this somewhere.
    #[track_caller]
    pub fn says(&self, text: &str) {
        assert!(self.text.contains(text), "{text:?} is not in {}", self.text);
    }
}

impl<'a> Browser<'a> {
    /// A new one, of somebody who is not signed in.
    pub fn open(harness: &'a Harness) -> Self {
        Self {
            harness,
            cookie: RefCell::default(),
            proof: RefCell::default(),
        }
    }

    /// One in which an operator of this role has signed in.
    pub fn signed_in(harness: &'a Harness, role: Role) -> Self {
        let browser = Self::open(harness);
        let answer = browser.post("/console/sign-in", &[("token", harness.token(role))]);
        assert_eq!(answer.location(), "/console");
        browser.get("/console").expect(200);
        browser
    }

    /// Another browser with a copy of this one's cookie.
    pub fn stolen(&self) -> Self {
        Self {
            harness: self.harness,
            cookie: self.cookie.clone(),
            proof: self.proof.clone(),
        }
    }

    /// Asks for a page.
    pub fn get(&self, path: &str) -> Page {
        self.send(Request::get(self.url(path)), String::new())
    }

    /// Sends a form of the last page.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let proof = self.proof.borrow().clone();
        let mut fields = fields.to_vec();
        if !proof.is_empty() {
            fields.push(("proof", &proof));
        }
        self.post_from("same-origin", path, &fields)
    }

    /// Sends a form whose sender a browser would name so, with these fields and no others.
    pub fn post_from(&self, site: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = Request::post(self.url(path))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Sec-Fetch-Site", site);
        self.send(request, body)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.harness.address)
    }

    fn send(&self, mut request: ureq::http::request::Builder, body: String) -> Page {
        if let Some(cookie) = &*self.cookie.borrow() {
            request = request.header("Cookie", format!("mintmark_session={cookie}"));
        }
        let request = request.body(body).unwrap();
        let mut answer = self.harness.agent.run(request).unwrap();
        let headers = answer.headers().iter().map(|(name, value)| {
            let value = value.to_str().unwrap().to_owned();
            (name.as_str().to_owned(), value)
        });
        let page = Page {
            status: answer.status().as_u16(),
            headers: headers.collect(),
            text: answer.body_mut().read_to_string().unwrap(),
        };
        self.keep(&page);
        page
    }

    fn keep(&self, page: &Page) {
        if let Some(line) = page.header("set-cookie") {
            let value = line
                .strip_prefix("mintmark_session=")
                .unwrap()
                .split(';')
                .next()
                .unwrap();
            *self.cookie.borrow_mut() = Some(value.to_owned()).filter(|value| !value.is_empty());
        }
        let proof = page.text.split_once("name=\"proof\" value=\"");
        if let Some(proof) = proof.and_then(|(_, rest)| rest.split('"').next()) {
            proof.clone_into(&mut self.proof.borrow_mut());
        }
    }
}

/// The value of the field with this name.
#[track_caller]
pub fn field(page: &Page, name: &str) -> String {
    let named = page.text.split_once(&format!("name=\"{name}\""));
    let tag = named.and_then(|(_, rest)| rest.split('>').next());
    let value = tag
        .and_then(|tag| tag.split_once("value=\""))
        .and_then(|(_, rest)| rest.split('"').next());
    value.unwrap_or_else(|| panic!("no {name} in {}", page.text)).to_owned()
}
