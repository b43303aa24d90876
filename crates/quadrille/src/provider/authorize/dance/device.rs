//! The device authorization grant: an approval of a pending request (RFC 8628, section 3.3).

use std::net::IpAddr;

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    provider::{
        authorize::error::AuthorizeError,
        client::{
            grant_type::GrantType,
            record::Client,
            redirect_uri::{RedirectUri, matching::RedirectRule},
        },
        error::Error,
        server::Inner,
        store::{Approval, Grant, Outcome, RowId, TicketId, TicketUse},
        token::format::{TokenKey, TokenSecret},
    },
};

use super::{Parts, Rules};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ForDevice {
    /// The row of the pending request.
    pub(crate) pending: RowId,
    /// The user code, as the device shows it.
    pub(crate) user_code: String,
    /// The address from which the device requested the code.
    pub(crate) from: Option<IpAddr>,
    pub(crate) expires: Timestamp,
}

impl Rules for ForDevice {
    fn destination(&self) -> Option<&RedirectUri> {
        None
    }

    fn ends(&self) -> Option<Timestamp> {
        Some(self.expires)
    }

    fn is_open_to(&self, client: &Client, _: Option<&RedirectRule>) -> bool {
        client.grant_types.contains(&GrantType::DeviceCode) && client.number <= self.pending
    }

    /// The device may be anybody's, and the user may have got the code from an attacker: no consent
    /// is old enough, and no client known well enough, for a device to be let in without a page
    /// (RFC 8628, section 5.4).
    fn is_identity_assured(&self, _: &Client) -> bool {
        false
    }

    /// None: the device has its code already.
    fn secret(&self, _: &TokenKey, _: &TicketId) -> TokenSecret {
        TokenSecret::default()
    }

    fn approved(
        &self,
        _: &Inner,
        _: &Client,
        grant: Grant,
        _: &TokenSecret,
        _: TicketUse,
    ) -> Outcome {
        Outcome::Pending(self.pending, Some(Approval { proof: None, grant }))
    }

    fn denied(&self, _: TicketUse) -> Outcome {
        Outcome::Pending(self.pending, None)
    }

    fn reply(
        &self,
        inner: &Inner,
        client: &Client,
        _: &TokenSecret,
        _: Parts,
    ) -> Result<Response<Bytes>, Error> {
        Ok(inner.pages.device(client, true))
    }

    fn refusal(
        &self,
        inner: &Inner,
        client: &Client,
        _: AuthorizeError,
        _: bool,
        _: Option<String>,
    ) -> Result<Response<Bytes>, Error> {
        Ok(inner.pages.device(client, false))
    }
}
