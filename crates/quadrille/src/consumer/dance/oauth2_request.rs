//! Authorization requests as objects that the site signs (RFC 9101).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use url::Url;

use crate::{
    consumer::{
        error::{OperatorError, RequestObjectUnusable, Result},
        openid::{published::Publisher, request_object},
        site::Site,
    },
    form::{FormWriter, Limits, Params},
    jose::{Protected, SigningKey, unsecured},
};

use super::oauth2::OAuth2Dance;

/// The limits of the parameters, which the login has checked.
const LIMITS: Limits = Limits { parameters: usize::MAX, ..Limits::DEFAULT };

impl OAuth2Dance {
    /// The URL of an authorization request with its parameters in a request object, if the service is
    /// to get such; else the same URL.
    ///
    /// # Errors
    /// [`OperatorError::RequestObjectUnusable`], [`OperatorError::ClientKeysMissing`], and those of the
    /// request for the provider's metadata and keys.
    pub(crate) async fn as_object(
        &self,
        site: &Site,
        publisher: Option<&Publisher<'_>>,
        url: String,
    ) -> Result<String> {
        let (Some(delivery), Some(openid)) = (self.spec.openid.request_objects, &self.openid)
        else {
            return Ok(url);
        };
        let unusable = |reason| self.object_unusable(reason);
        let key = if delivery.is_signed() { Some(self.site_key(site)?) } else { None };
        let metadata = openid.metadata(&site.env).await?;
        let encryption = self.spec.openid.request_encryption;
        let algorithm = key.as_ref().map(SigningKey::algorithm);
        request_object::check(&metadata, delivery, algorithm, encryption).map_err(unusable)?;
        let id = BASE64_URL_SAFE_NO_PAD.encode(site.env.random::<16>());
        let endpoint = &self.service.spec.authorize;
        // The parameters follow those of the endpoint itself.
        let own = Url::parse(endpoint).map_err(|_| self.service.endpoint_malformed())?;
        let own = own.query().filter(|query| !query.is_empty());
        let own = own.map_or(0, |query| query.split('&').count());
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let query = query.splitn(own + 1, '&').nth(own).unwrap_or_default();
        let params = Params::parse_within(query.as_bytes(), LIMITS);
        let params = params.map_err(|_| self.service.endpoint_malformed())?;
        let claims = request_object::claims(
            &self.service.id,
            &metadata.issuer,
            params.iter(),
            id,
            site.env.now(),
        );
        let header = Protected::typ(request_object::TYPE);
        let mut object = match key {
            Some(key) => key
                .sign_claims(&header, &claims)
                .map_err(|_| unusable(RequestObjectUnusable::Algorithm))?,
            None => unsecured(&header, &claims),
        };
        if let Some((algorithm, content)) = encryption {
            let key = openid.encrypting_key(&site.env, algorithm).await?;
            let key = key.ok_or_else(|| unusable(RequestObjectUnusable::KeyMissing))?;
            let header = Protected::plain().cty("JWT");
            object = key
                .encrypt(algorithm, content, &header, object.as_bytes())
                .map_err(|_| unusable(RequestObjectUnusable::KeyMissing))?;
        }
        let mut out = FormWriter::after_url(endpoint);
        for (name, value) in params.iter().filter(|(name, _)| request_object::stays(name)) {
            out.append(name, value);
        }
        match delivery.is_by_reference() {
            false => out.append("request", &object),
            true => {
                let missing = || unusable(RequestObjectUnusable::StorageInBrowser);
                let publisher = publisher.ok_or_else(missing)?;
                let reference = publisher.publish(site, &self.service.name, &object).await?;
                let here = format!("{}/{}/request?", site.name, self.service.name);
                let mut here = FormWriter::after_url(&here);
                here.append("object", &reference);
                out.append("request_uri", &here.finish())
            }
        };
        Ok(out.finish())
    }

    /// The key of the site that signs now.
    fn site_key(&self, site: &Site) -> Result<SigningKey, OperatorError> {
        let keys = site.client_keys.as_ref();
        let key = keys.and_then(|keys| keys.signing(site.env.now()));
        let missing = || OperatorError::ClientKeysMissing { service: (*self.service.name).into() };
        key.ok_or_else(missing)
    }

    fn object_unusable(&self, reason: RequestObjectUnusable) -> OperatorError {
        OperatorError::RequestObjectUnusable { service: (*self.service.name).into(), reason }
    }
}
