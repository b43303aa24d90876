//! A browser for pages without script: cookies, redirects and forms.

use std::{collections::BTreeMap, sync::Mutex};

use reqwest::{
    Client, Method, Response, StatusCode, Url,
    header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE},
    redirect,
};

/// The browser of one user.
pub(crate) struct Browser {
    http: Client,
    pub(crate) cookies: Mutex<BTreeMap<String, String>>,
    /// An address for `X-Forwarded-For`, for programs that trust this machine as a proxy.
    address: Option<String>,
    /// The languages for `Accept-Language`.
    languages: Option<&'static str>,
}

/// A page, as the browser shows it.
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

/// A form on a page.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) action: Url,
    pub(crate) fields: Vec<(String, String)>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        // Without certificates, since reading those of the system takes longer than most tests.
        let http = Client::builder().redirect(redirect::Policy::none()).no_proxy();
        let http = http.tls_certs_only([]).build().unwrap();
        Self { http, cookies: Mutex::default(), address: None, languages: None }
    }

    pub(crate) fn at(address: &str) -> Self {
        Self { address: Some(address.to_owned()), ..Self::new() }
    }

    pub(crate) fn accepting(languages: &'static str) -> Self {
        Self { languages: Some(languages), ..Self::new() }
    }

    /// The name and the value of the provider's cookie of this kind, if there is one.
    pub(crate) fn cookie(&self, what: &str) -> Option<(String, String)> {
        let (prefix, cookies) = (format!("quadrille-id-{what}-"), self.cookies.lock().unwrap());
        let mut found = cookies.iter().filter(|(name, _)| name.starts_with(&prefix));
        let (name, value) = found.next()?;
        assert!(found.next().is_none(), "two cookies for one thing: {cookies:?}");
        Some((name.clone(), value.clone()))
    }

    /// Adds a cookie, as a thief would.
    pub(crate) fn keep(&self, (name, value): (String, String)) {
        self.cookies.lock().unwrap().insert(name, value);
    }

    /// Sends one request without following redirects.
    pub(crate) async fn send(&self, method: Method, url: &str, form: Option<&Form>) -> Response {
        let mut request = self.http.request(method, url).header("accept", "text/html");
        let cookies: Vec<_> = self
            .cookies
            .lock()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        if let Some(address) = &self.address {
            request = request.header("x-forwarded-for", address);
        }
        if let Some(languages) = self.languages {
            request = request.header("accept-language", languages);
        }
        if let Some(form) = form {
            request = request.form(&form.fields);
        }
        let response = request.send().await.unwrap();
        for line in response.headers().get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if line.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        response
    }

    /// Opens a page.
    pub(crate) async fn get(&self, url: &str) -> Page {
        let response = self.send(Method::GET, url, None).await;
        self.follow(response).await
    }

    /// Sends a form.
    pub(crate) async fn submit(&self, form: &Form) -> Page {
        let response = self.send(Method::POST, form.action.as_str(), Some(form)).await;
        self.follow(response).await
    }

    /// The form that withdraws the access of the first application on the account page.
    pub(crate) async fn withdrawal(&self, account: &Page) -> Form {
        let Form { action, fields } = account.form("client_id");
        let url = Url::parse_with_params(action.as_str(), fields).unwrap();
        self.get(url.as_str()).await.form("client_id")
    }

    /// Signs in at a page with the sign-in form.
    pub(crate) async fn sign_in(&self, page: &Page, name: &str, password: &str) -> Page {
        let form = page.form("username").with("username", name).with("password", password);
        self.submit(&form).await
    }

    /// Follows redirects on this site. A redirect to another site is a page of its own.
    async fn follow(&self, mut response: Response) -> Page {
        loop {
            let here = response.url().clone();
            let next = response.headers().get(LOCATION).map(|to| to.to_str().unwrap().to_owned());
            let Some(next) = next else { break };
            let next = here.join(&next).unwrap();
            if next.origin() != here.origin() {
                let (status, headers) = (response.status(), response.headers().clone());
                return Page { url: next, status, headers, html: String::new() };
            }
            response = self.send(Method::GET, next.as_str(), None).await;
        }
        let url = response.url().clone();
        let (status, headers) = (response.status(), response.headers().clone());
        Page { url, status, headers, html: response.text().await.unwrap() }
    }
}

impl Page {
    /// The form that has a control of this name.
    pub(crate) fn form(&self, control: &str) -> Form {
        let forms =
            self.html.split("<form").skip(1).map(|form| form.split("</form>").next().unwrap());
        let wanted = format!("name=\"{control}\"");
        let form = forms.into_iter().find(|form| form.contains(&wanted));
        let form = form.unwrap_or_else(|| panic!("no {control} on {}: {}", self.url, self.html));
        let action = attribute(form.split('>').next().unwrap(), "action").unwrap();
        let inputs = form.split("<input").skip(1).map(|input| input.split('>').next().unwrap());
        let fields = inputs
            .filter(|input| !input.contains("type=\"checkbox\"") || input.contains(" checked"))
            .filter_map(|input| {
                Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default()))
            })
            .collect();
        Form { action: self.url.join(&action).unwrap(), fields }
    }

    /// A parameter of the page's address.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Form {
    /// The form with this value in this field only.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
    let plain = [
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#x2f;", "/"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    Some(plain.iter().fold(value.to_owned(), |text, (from, to)| text.replace(from, to)))
}
