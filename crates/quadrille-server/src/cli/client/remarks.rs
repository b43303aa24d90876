//! Remarks on a client's grants and redirect URIs, for several commands.

use quadrille::provider::{Client, GrantType};

use crate::{config::Settings, data::Known, output::Output};

/// Warns of the client's grants that the provider does not offer, and of passwords that the client
/// sees.
pub(super) fn warn_of_grants_off(
    client: &Client,
    (settings, known): (&Settings, &Known),
    output: Output,
) {
    let needs = |offered: &str| {
        output.note(&format!("This application needs a provider that offers {offered}."));
    };
    if client.oauth1.is_some() && !known.oauth1 {
        needs("OAuth 1.0a: `quadrille serve --oauth1`");
    }
    for offer in known.off(settings, client) {
        match offer.grant_type {
            GrantType::DeviceCode => needs("device codes: `quadrille serve --device`"),
            grant => needs(&format!(
                "the grant {}: see the setting {}",
                grant.as_str(),
                offer.setting
            )),
        }
    }
    if client.grant_types.contains(&GrantType::Password) {
        output.note("This application sees the passwords of its users.");
    }
}

/// Warns of redirect URIs whose scheme any other program can claim.
pub(super) fn warn_of_claimable(client: &Client, output: Output) {
    for uri in client.redirect_uris.iter().filter(|uri| uri.can_be_claimed_by_other_programs()) {
        output.note(&format!(
            "Any other program on a user's device can claim the scheme of {uri}. A domain name in \
             reverse belongs to its owner: com.example.app:/callback."
        ));
    }
}
