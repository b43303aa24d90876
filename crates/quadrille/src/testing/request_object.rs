//! The request objects of applications at a fake service (RFC 9101).

use url::Url;

use crate::{
    form::{FormWriter, Params},
    jose::{Algorithms, ClaimsPolicy, Decryption, Encrypted, TokenType, Unverified, Verification},
};

use super::{openid::OpenId, scene::Scene, service::OAuth2};

impl OAuth2 {
    /// The authorization request in `url`, with the `response_type` of a code if the service needs none,
    /// whose request object is verified by the keys of the
    /// application, if it has one; `None` if that is invalid. One at a `request_uri` is for the test to
    /// get.
    pub(super) fn requested(&self, scene: &Scene, url: &str) -> Option<Url> {
        let mut url = Url::parse(url).ok()?;
        let has_type = url.query_pairs().any(|(name, _)| name == "response_type");
        if scene.own_manners.response_type_is_optional && !has_type {
            url.query_pairs_mut().append_pair("response_type", "code");
        }
        let query = url.query().unwrap_or_default().to_owned();
        let params = Params::parse(query.as_bytes()).ok()?;
        let Some(object) = params.one("request").ok()? else { return Some(url) };
        let openid = self.openid.as_ref()?;
        let decrypted = match Encrypted::is_one(object) {
            true => {
                let object = Encrypted::parse(object).ok()?;
                Some(object.decrypt(Decryption::PUBLIC_KEY, [openid.decrypting.as_ref()?]).ok()?)
            }
            false => None,
        };
        let object = match &decrypted {
            Some(decrypted) => decrypted.nested().ok()?,
            None => object,
        };
        let token = Unverified::parse(object).ok()?;
        let made = token.claims_of_anybody().ok()?.iat?;
        let rules = Verification::new(Algorithms::PUBLIC_KEY, TokenType::Is("oauth-authz-req+jwt"));
        let verified = token.verify(&rules, &self.assertions.keys).ok()?;
        let policy = ClaimsPolicy::new(&*self.id, openid.issuer()).require("jti");
        let now = OpenId::now(openid).unwrap_or(made);
        let claims = verified.claims(&policy, now).ok()?;
        let mut form = FormWriter::new();
        for (name, value) in &claims.extra {
            match value.as_str() {
                Some(text) => form.append(name, text),
                None => form.append(name, &value.to_string()),
            };
        }
        url.set_query(Some(&form.finish()));
        Some(url)
    }
}
