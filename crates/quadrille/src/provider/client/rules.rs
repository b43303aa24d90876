//! The rules of one client, in place of the server's policy.

use std::time::Duration;

use crate::{
    Policy, Scopes,
    oauth2::ResponseType,
    provider::openid::{details::OPENID, offline::OFFLINE_ACCESS},
};

use super::{
    grant_type,
    record::{Client, ClientType},
};

impl Client {
    /// The server's policy with the lifetimes of this client.
    pub(crate) fn policy(&self, server: &Policy) -> Policy {
        self.lifetimes.over(server)
    }

    /// The scopes of a request: without a `scope`, the client's defaults (RFC 6749, section 3.3), or
    /// all of the client's, as far as the server knows them. `None` if the client may not request
    /// one of them, or none of its own is left.
    ///
    /// A request of OpenID Connect may have scopes that the server does not know, and
    /// `offline_access` where it does not apply: they are ignored (OpenID Connect Core, sections
    /// 3.1.2.1 and 11).
    pub(crate) fn requested_scopes(
        &self,
        scope: Option<&Scopes>,
        known: &Scopes,
    ) -> Option<Scopes> {
        let ceiling = self.scopes.intersection(known);
        let is_openid = known.contains(OPENID) && scope.is_some_and(|it| it.contains(OPENID));
        match scope {
            None => {
                let usual = self.default_scopes.as_ref().unwrap_or(&self.scopes);
                let scopes = usual.intersection(&ceiling);
                // An answer without a scope would say that the usual ones are granted.
                (usual.is_empty() || !scopes.is_empty()).then_some(scopes)
            }
            Some(scope) if is_openid => {
                let is_ignored = |name: &str| {
                    !known.contains(name) || name == OFFLINE_ACCESS && !ceiling.contains(name)
                };
                let scopes: Scopes = scope.iter().filter(|name| !is_ignored(name)).collect();
                ceiling.is_superset(&scopes).then_some(scopes)
            }
            Some(scope) => ceiling.is_superset(scope).then(|| scope.clone()),
        }
    }

    /// `true` if the client is registered for this response type.
    pub(crate) fn uses(&self, response_type: ResponseType) -> bool {
        grant_type::is_used(response_type, &self.grant_types, &self.openid.response_types)
    }

    /// `true` if the client may send an authorization request without PKCE.
    pub(crate) fn may_omit_pkce(&self, policy: &Policy) -> bool {
        self.client_type == ClientType::Confidential
            && !self.requires_pkce
            && (self.without_pkce || !policy.pkce_for_confidential_clients)
    }

    /// The time for which the revocation of a grant must be remembered: until then one of its
    /// tokens could be valid, also a token from before the lifetimes were shortened.
    pub(crate) fn longest_use(&self, server: &Policy) -> Duration {
        let policy = self.policy(server);
        let now = policy.refresh_token_total_lifetime + policy.access_token_lifetime;
        let then = server.refresh_token_total_lifetime + server.access_token_lifetime;
        now.max(then).max(self.longest_use_before.unwrap_or_default())
    }

    /// Keeps the time for which revocations of this client must be remembered, at a change from
    /// the settings of `before`.
    pub(super) fn remember_longest_use(&mut self, before: &Self, server: &Policy) {
        let then = before.longest_use(server);
        self.longest_use_before =
            (then > self.longest_use(server)).then_some(then).or(before.longest_use_before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::client::record::tests::client;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn a_client_has_its_own_lifetimes_and_the_servers_where_it_has_none() {
        let mut app = client("app", "https://app.example/cb");
        let server = Policy::safe();
        assert_eq!(app.policy(&server), server);
        app.lifetimes.access_token = Some(Duration::from_secs(60));
        let own = app.policy(&server);
        assert_eq!(own.access_token_lifetime.as_secs(), 60);
        assert_eq!(own.code_lifetime, server.code_lifetime);
    }

    /// OpenID Connect Core, sections 3.1.2.1 and 11.
    #[test]
    fn scopes_that_nobody_knows_are_ignored_in_requests_of_openid_connect_alone() {
        let mut app = client("app", "https://app.example/cb");
        app.scopes = Scopes::of(["openid", "email", "photos"]);
        let plain = Scopes::of(["email", "photos", "admin", "offline_access"]);
        let known = Scopes::of(["openid", "email", "photos", "admin", "offline_access"]);
        for (asked, of_openid, of_plain) in [
            ("openid email", Some("openid email"), None),
            ("openid email roles", Some("openid email"), None),
            ("openid offline_access", Some("openid"), None),
            ("openid admin", None, None),
            ("openid admin roles", None, None),
            ("email", Some("email"), Some("email")),
            ("email roles", None, None),
            ("email offline_access", None, None),
        ] {
            let asked = Scopes::parse(asked).unwrap();
            for (known, expected) in [(&known, of_openid), (&plain, of_plain)] {
                let found = app.requested_scopes(Some(&asked), known);
                assert_eq!(found, expected.map(|it| Scopes::parse(it).unwrap()), "{asked}");
            }
        }
        app.scopes = Scopes::of(["openid", "offline_access"]);
        let both = app.scopes.clone();
        assert_eq!(app.requested_scopes(Some(&both), &known), Some(both));
        app.scopes = Scopes::of(["email"]);
        assert_eq!(app.requested_scopes(Some(&Scopes::of(["openid", "email"])), &known), None);
    }

    #[test]
    fn a_revocation_outlives_tokens_from_before_a_change() {
        let server = Policy::safe();
        let mut long = client("app", "https://app.example/cb");
        long.lifetimes.refresh_token_total = Some(DAY * 1000);
        let mut short = client("app", "https://app.example/cb");
        short.remember_longest_use(&long, &server);
        assert_eq!(short.longest_use(&server), DAY * 1000 + server.access_token_lifetime);
        let mut again = client("app", "https://app.example/cb");
        again.remember_longest_use(&short, &server);
        assert_eq!(again.longest_use(&server), short.longest_use(&server));
        let mut same = client("app", "https://app.example/cb");
        same.remember_longest_use(&same.clone(), &server);
        assert_eq!(same.longest_use_before, None);
    }
}
