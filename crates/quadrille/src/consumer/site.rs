//! The site of a login: the values that all of its parts share. It knows no service.

use std::{sync::Arc, time::Duration};

use url::{Position, Url};

use crate::{
    Env, KeyRing,
    jose::ClaimsPolicy,
    seal::{Keys, MaskKey},
    transport::ErasedClient,
};

use super::{
    client_keys::ClientKeys,
    cookies::{CookieStyle, room::InUse},
};

/// Where a login is mounted, and the means of its requests.
#[derive(Clone)]
pub(crate) struct Site {
    /// `https://app.example`
    pub(crate) origin: String,
    /// The public URL's path without a trailing slash: empty, or `/app`.
    pub(crate) base_path: String,
    /// The public URL with the mount, which seals are bound to.
    pub(crate) name: String,
    pub(crate) style: CookieStyle,
    pub(crate) in_use: InUse,
    pub(crate) env: Env,
    pub(crate) keys: KeyRing,
    /// The keys from which PKCE verifiers are derived.
    pub(crate) verifiers: Arc<Keys<MaskKey>>,
    /// The keys from which the `nonce` of OpenID Connect is derived.
    pub(crate) nonces: Arc<Keys<MaskKey>>,
    pub(crate) http: Arc<dyn ErasedClient>,
    /// The keys by which the site authenticates at services.
    pub(crate) client_keys: Option<ClientKeys>,
    /// The tolerated difference between the clocks of this site and of OpenID Providers.
    pub(crate) clock_leeway: Duration,
}

impl Site {
    pub(crate) fn new(
        public_url: &Url,
        mount: &str,
        env: &Env,
        keys: &KeyRing,
        http: Arc<dyn ErasedClient>,
        in_use: InUse,
    ) -> Self {
        let origin = public_url[..Position::BeforePath].to_owned();
        let base_path = public_url.path().trim_end_matches('/').to_owned();
        let name = [&origin, &base_path, mount].concat();
        Self {
            style: CookieStyle::of(public_url, mount),
            verifiers: Arc::new(keys.derive(|key| key.mask_key("pkce verifier", &name))),
            nonces: Arc::new(keys.derive(|key| key.mask_key("openid nonce", &name))),
            env: env.clone(),
            keys: keys.clone(),
            origin,
            base_path,
            name,
            in_use,
            http,
            client_keys: None,
            clock_leeway: ClaimsPolicy::LEEWAY,
        }
    }

    /// The site with these keys.
    pub(crate) fn with_client_keys(self, client_keys: Option<ClientKeys>) -> Self {
        Self { client_keys, ..self }
    }

    /// The site with this difference between clocks.
    pub(crate) fn with_clock_leeway(self, clock_leeway: Duration) -> Self {
        Self { clock_leeway, ..self }
    }
}
