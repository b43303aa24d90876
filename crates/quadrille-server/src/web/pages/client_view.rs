//! The client of a consent page, as its user sees it.

use std::sync::Arc;

use quadrille::provider::{ClientAbout, ClientAccess, ConsentPage, Error, SubjectType};
use serde::Serialize;
use url::Url;

use crate::{users::look_alike, words::Span};

use super::{
    super::{app::App, visitor::Visitor},
    brief::{day, initial},
};

/// The client, and what is known about it.
#[derive(Serialize)]
pub(super) struct ClientView {
    pub(super) name: String,
    pub(super) initial: String,
    /// The host that vouches for a client which describes itself: such a client chooses its own
    /// name.
    pub(super) host: Option<String>,
    /// `true` if the client registered itself, and chose its own name.
    pub(super) registered_itself: bool,
    /// `true` if the client learns the user name by any token, and not by the scope `profile` alone.
    pub(super) learns_user_name: bool,
    /// The path of the logo, if it is here.
    pub(super) logo: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) page: Option<Address>,
    pub(super) policy: Option<Address>,
    pub(super) terms: Option<Address>,
    pub(super) contacts: Vec<String>,
    /// The day since which the client is known here.
    pub(super) known_since: String,
    /// The day of the user's last consent.
    pub(super) last_consent: Option<String>,
    /// The time after which the client has to send the user here again.
    pub(super) lasts: Option<Span>,
    /// An application with a name that looks the same, which the user has allowed.
    pub(super) lookalike: Option<Lookalike>,
}

/// An address of which a page shows the host.
#[derive(Serialize)]
pub(super) struct Address {
    href: String,
    host: String,
}

impl Address {
    fn of(url: Option<&str>) -> Option<Self> {
        let url = Url::parse(url?).ok()?;
        let host = url.host_str()?.to_owned();
        Some(Self { href: url.into(), host })
    }
}

/// Another application that can be taken for the client.
#[derive(Serialize)]
pub(super) struct Lookalike {
    name: String,
    /// Where it is.
    at: Vec<String>,
}

impl Lookalike {
    fn of(access: &ClientAccess) -> Self {
        let at = access.client.destinations().into_iter().map(str::to_owned).collect();
        Self { name: access.client.name.clone(), at }
    }
}

impl App {
    /// The client of a consent page.
    pub(super) async fn client_view(
        &self,
        page: &ConsentPage,
        visitor: &Visitor,
    ) -> Result<ClientView, Error> {
        let (client, about) = (&page.client, page.client.about());
        Ok(ClientView {
            name: client.name.clone(),
            initial: initial(&client.name),
            host: page.client_host.clone(),
            registered_itself: page.registered_itself,
            learns_user_name: client.openid.subject_type == SubjectType::Public,
            logo: self.logo_of(&client.id, &about).await,
            owner: about.owner.as_deref().map(str::to_owned),
            page: Address::of(about.client_uri.as_deref()),
            policy: Address::of(about.policy_uri.as_deref()),
            terms: Address::of(about.tos_uri.as_deref()),
            contacts: about.contacts.iter().map(ToString::to_string).collect(),
            known_since: day(client.created),
            last_consent: page.last_consent.map(day),
            lasts: page.longest_access.map(Span::of),
            lookalike: match page.has_consented {
                true => None,
                false => self.lookalike(page, visitor).await?,
            },
        })
    }

    /// The path of the logo of a client, if it is here.
    pub(super) async fn logo_of(&self, client: &Arc<str>, about: &ClientAbout) -> Option<String> {
        let logo = self.client_logos.at(client, about.logo_uri.as_deref()?).await?;
        Some(self.pages.path_of(&logo))
    }

    /// An application that the user has allowed, and that can be taken for this one.
    async fn lookalike(
        &self,
        page: &ConsentPage,
        visitor: &Visitor,
    ) -> Result<Option<Lookalike>, Error> {
        let allowed = self.server.consents(&visitor.user.subject).await?;
        let is_like = |access: &&ClientAccess| {
            access.client.id != page.client.id && look_alike(&access.client.name, &page.client.name)
        };
        Ok(allowed.iter().find(is_like).map(Lookalike::of))
    }
}
