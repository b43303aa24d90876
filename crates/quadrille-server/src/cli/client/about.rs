//! The arguments for the facts about a client that users are shown beside its name.

use std::sync::Arc;

use clap::Args;
use quadrille::provider::NewClient;

/// The facts about a client (RFC 7591, section 2). Those that are given replace the client's; an empty
/// one is removed.
#[derive(Args, Debug)]
#[command(next_help_heading = "About the client, for its users")]
pub(super) struct AboutArgs {
    /// The person or organization who is responsible for the client
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// https URL of the page about the client
    #[arg(long, value_name = "URL")]
    client_uri: Option<String>,
    /// https URL of the logo of the client
    #[arg(long, value_name = "URL")]
    logo_uri: Option<String>,
    /// https URL of the terms of service
    #[arg(long, value_name = "URL")]
    tos_uri: Option<String>,
    /// https URL of the policy on the use of the data of users
    #[arg(long, value_name = "URL")]
    policy_uri: Option<String>,
    /// Address of a person who is responsible for the client; repeatable
    #[arg(long = "contact", value_name = "ADDRESS")]
    contacts: Vec<String>,
}

/// The ids of these arguments, for the group of changes.
pub(super) const ABOUT: [&str; 6] =
    ["owner", "client_uri", "logo_uri", "tos_uri", "policy_uri", "contacts"];

impl AboutArgs {
    /// The settings of the client with what is given.
    pub(super) fn apply(&self, new: NewClient) -> NewClient {
        let set = |fact: &mut Option<Arc<str>>, given: &Option<String>| {
            if let Some(given) = given {
                *fact = Some(given.trim()).filter(|given| !given.is_empty()).map(Into::into);
            }
        };
        new.about(|about| {
            set(&mut about.owner, &self.owner);
            set(&mut about.client_uri, &self.client_uri);
            set(&mut about.logo_uri, &self.logo_uri);
            set(&mut about.tos_uri, &self.tos_uri);
            set(&mut about.policy_uri, &self.policy_uri);
            if !self.contacts.is_empty() {
                let given = self.contacts.iter().map(|contact| contact.trim());
                about.contacts =
                    given.filter(|contact| !contact.is_empty()).map(Into::into).collect();
            }
        })
    }
}
