//! Endpoints of an installation of a service: the paths of its spec, below the application's base.

use std::borrow::Cow;

use url::Url;

use crate::{consumer::error::OperatorError, loopback::is_secure};

use super::{Protocol, SpecBuf, endpoint::is_graphic, is_absolute};

type Text = Cow<'static, str>;

/// The spec with every endpoint below its base, if it has one.
pub(crate) fn settled(mut spec: SpecBuf) -> Result<SpecBuf, OperatorError> {
    let Some(text) = spec.base.take() else { return Ok(spec) };
    let Some(base) = Base::parse(&text) else {
        return Err(OperatorError::BaseMalformed { service: (*spec.name).into() });
    };
    let is_to_be_discovered = spec.is_to_be_discovered();
    if let Some(path) = spec.api_below_base.take() {
        spec.api = path;
    }
    let own = [&mut spec.authorize, &mut spec.token].into_iter().filter(|_| !is_to_be_discovered);
    for endpoint in own.chain([&mut spec.api]) {
        base.put_below(endpoint);
    }
    // Tokens are sent there, so these must move with the base.
    let identity = spec.identity.as_mut().map(|(path, _)| path);
    for path in identity.into_iter().chain(&mut spec.email_list) {
        base.move_absolute(path);
    }
    match &mut spec.protocol {
        Protocol::OAuth2(oauth2) => {
            let own = oauth2.issuer.iter_mut().chain(&mut oauth2.refresh);
            let own = own.chain(&mut oauth2.device_authorization);
            let openid = oauth2.openid.issuer.iter_mut().chain(&mut oauth2.openid.keys);
            let openid = openid.chain(&mut oauth2.openid.end_session);
            for endpoint in own.chain(openid) {
                base.put_below(endpoint);
            }
            oauth2.revocation.iter_mut().for_each(|(endpoint, _)| base.move_absolute(endpoint));
        }
        Protocol::OAuth1(oauth1) => base.put_below(&mut oauth1.temporary),
    }
    Ok(spec)
}

/// The URL of an installation, without a trailing slash.
struct Base<'a>(&'a str);

impl<'a> Base<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let url = Url::parse(text).ok().filter(is_secure)?;
        let is_bare = url.query().is_none() && url.fragment().is_none();
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        (is_bare && is_anonymous && is_graphic(text)).then(|| Self(text.trim_end_matches('/')))
    }

    /// Puts an endpoint below the base unless it is a path of the API.
    fn move_absolute(&self, endpoint: &mut Text) {
        if is_absolute(endpoint) {
            self.put_below(endpoint);
        }
    }

    /// Puts the path of an endpoint, a URL or a path, below the base.
    fn put_below(&self, endpoint: &mut Text) {
        let path = match endpoint.split_once("://") {
            Some((_, rest)) => rest.trim_start_matches(|char| !matches!(char, '/' | '?')),
            None => &**endpoint,
        };
        let slash = if path.is_empty() || path.starts_with(['/', '?']) { "" } else { "/" };
        *endpoint = format!("{}{slash}{path}", self.0).into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumer::Revocation;

    /// Authorization, token and API endpoint, identity, issuer, refresh, revocation and device
    /// authorization endpoint.
    fn below(base: &'static str) -> Result<[String; 8], OperatorError> {
        let spec = SpecBuf::oauth2(
            "git",
            "https://git.example/login/authorize?lang=en",
            "login/token",
            "https://api.git.example",
        )
        .issuer("https://git.example")
        .identity("https://who.git.example/me", "id")
        .refresh_endpoint("https://git.example/refresh")
        .revocation("https://git.example/revoke", Revocation::Standard)
        .device_authorization("https://git.example/device/code")
        .api_below_base("/api/v3")
        .hosted_at(base);
        let spec = settled(spec.build())?;
        let Protocol::OAuth2(oauth2) = spec.protocol else { panic!("it is OAuth 2") };
        let (identity, _) = spec.identity.unwrap();
        let (issuer, refresh) = (oauth2.issuer.unwrap(), oauth2.refresh.unwrap());
        let (revocation, _) = oauth2.revocation.unwrap();
        let device = oauth2.device_authorization.unwrap();
        let own =
            [spec.authorize, spec.token, spec.api, identity, issuer, refresh, revocation, device];
        Ok(own.map(Text::into_owned))
    }

    #[test]
    fn every_endpoint_keeps_its_path_below_the_base() {
        for (base, expected) in [
            ("https://git.corp.example", "https://git.corp.example"),
            ("https://git.corp.example/", "https://git.corp.example"),
            ("https://corp.example/git", "https://corp.example/git"),
            ("https://corp.example/git//", "https://corp.example/git"),
            ("https://corp.example:8443/a/b", "https://corp.example:8443/a/b"),
            ("http://localhost:4010", "http://localhost:4010"),
            ("http://127.0.0.1:4010/git", "http://127.0.0.1:4010/git"),
            ("http://[::1]:4010", "http://[::1]:4010"),
        ] {
            let paths = [
                "/login/authorize?lang=en",
                "/login/token",
                "/api/v3",
                "/me",
                "",
                "/refresh",
                "/revoke",
                "/device/code",
            ];
            assert_eq!(below(base).unwrap(), paths.map(|path| format!("{expected}{path}")));
        }
    }

    #[test]
    fn a_base_that_is_no_place_of_an_installation_is_refused() {
        for base in [
            "",
            "/git",
            "git.example",
            "http://git.example",
            "http://localhost.example",
            "ftp://git.example",
            "https://",
            "https://git.example?x",
            "https://git.example/?",
            "https://git.example/#",
            "https://user@git.example",
            "https://:password@git.example",
            "https://git.example/ ",
            "https://git.example\n",
            "https://g\u{ef}t.example",
        ] {
            let error = OperatorError::BaseMalformed { service: "git".into() };
            assert_eq!(below(base), Err(error), "{base:?}");
        }
    }

    #[test]
    fn without_a_base_everything_stays_where_it_is() {
        let spec = SpecBuf::oauth2("git", "https://a.example", "token", "https://api.example");
        assert!(!spec.clone().build().is_homeless());
        let spec = settled(spec.api_below_base("/api").build()).unwrap();
        assert_eq!((&*spec.token, &*spec.api), ("token", "https://api.example"));
        let nowhere = SpecBuf::oauth2("git", "authorize", "token", "api");
        assert!(nowhere.clone().build().is_homeless());
        assert!(!nowhere.hosted_at("https://git.example").build().is_homeless());
    }
}
