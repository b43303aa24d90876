//! Remarks on a client that was registered or changed.

use quadrille::provider::{
    AccessTokenFormat, AuthorizationServer, Client, ClientKeys, GrantType, RedirectUri,
    RegisteredAuth, SubjectType,
};
use url::{Host, Url};

use crate::{
    Failure,
    config::{Settings, method_name},
    data::Known,
    output::Output,
    users::look_alike,
    words::{Quoted, quoted},
};

/// Points out what a client has and cannot use, and what it gives up.
pub(super) fn remark(client: &Client, (settings, known): (&Settings, &Known), output: Output) {
    grants_off(client, (settings, known), output);
    openid_unused(client, (settings, known), output);
    pairwise_unknown(client, settings, output);
    settings_missing(client, settings, output);
    redirect_uris_unused(client, output);
    schemes_claimable(client, output);
    keys_inside(client, settings.fetches.reach_this_machine, output);
}

/// Points out another client whose name users can take for the new name of this one.
pub(super) async fn remark_on_name(
    server: &AuthorizationServer,
    client: &Client,
    output: Output,
) -> Result<(), Failure> {
    let others = server.clients().await?;
    let is_like = |other: &&Client| other.id != client.id && look_alike(&other.name, &client.name);
    if let Some(other) = others.iter().map(AsRef::as_ref).find(is_like) {
        output.note(&format!(
            "Users can take {} for {} ({}), whose name looks like it: `quadrille client edit {} --name` \
             changes it.",
            Quoted(&client.name),
            Quoted(&other.name),
            other.id,
            quoted(&client.id)
        ));
    }
    Ok(())
}

/// Keys at an address of this machine or of a private network, which are not fetched.
fn keys_inside(client: &Client, reaches_this_machine: bool, output: Output) {
    let keys = match &client.auth {
        Some(RegisteredAuth::PrivateKeyJwt { keys, .. }) => Some(keys),
        _ => client.openid.keys.as_ref(),
    };
    let Some(ClientKeys::JwksUri(uri)) = keys else { return };
    let is_inside = Url::parse(uri).is_ok_and(|url| match url.host() {
        Some(Host::Ipv4(address)) if address.is_loopback() => !reaches_this_machine,
        Some(Host::Ipv6(address)) if address.is_loopback() => !reaches_this_machine,
        Some(Host::Domain("localhost")) => !reaches_this_machine,
        Some(Host::Ipv4(address)) => {
            address.is_loopback() || address.is_private() || address.is_link_local()
        }
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        Some(Host::Domain(name)) => !name.trim_end_matches('.').contains('.'),
        None => false,
    });
    if is_inside {
        output.note(&format!(
            "The keys at {uri} are not fetched: the host is not on the public Internet. --jwks \
             takes them from a file."
        ));
    }
}

/// Pairwise subjects, and no secret from which they follow.
fn pairwise_unknown(client: &Client, settings: &Settings, output: Output) {
    let is_pairwise = client.openid.subject_type == SubjectType::Pairwise;
    if is_pairwise && settings.openid.pairwise_secret.is_none() {
        output.note(&format!(
            "{} knows users by pairwise subjects: `quadrille serve` needs openid_pairwise_secret.",
            client.id
        ));
    }
    if !is_pairwise && client.openid.sector_identifier_uri.is_some() {
        output.note(&format!(
            "The sector of {} has no effect without --subject-type pairwise.",
            client.id
        ));
    }
    if is_pairwise && client.access_token_format == Some(AccessTokenFormat::Jwt) {
        output.note(&format!(
            "{} gets opaque access tokens: a JWT would name its users as others know them.",
            client.id
        ));
    }
}

/// Metadata of OpenID Connect that have an effect by a setting of `serve` alone.
fn settings_missing(client: &Client, settings: &Settings, output: Output) {
    let (id, openid) = (&client.id, &client.openid);
    let has_objects = !openid.request_uris.is_empty()
        || openid.request_object_signing_alg.is_some()
        || openid.request_object_encryption.is_some()
        || openid.require_signed_request_object;
    if has_objects && !settings.openid.request_objects {
        output.note(&format!(
            "{id} sends request objects: `quadrille serve` needs openid_request_objects."
        ));
    }
    let is_known = |class: &str| settings.openid.acr_values.iter().any(|known| known == class);
    if let Some(class) = openid.default_acr_values.iter().find(|class| !is_known(class)) {
        output.note(&format!(
            "{id} gets no authentication of the class {class} here: see openid_acr_values."
        ));
    }
}

/// What OpenID Connect alone has, for a client or a provider without it, and response types that the
/// provider does not offer.
fn openid_unused(client: &Client, (settings, known): (&Settings, &Known), output: Output) {
    let (id, openid) = (&client.id, &client.openid);
    let has_id_token = openid.response_types.iter().any(|it| it.has_id_token());
    let is_told =
        openid.frontchannel_logout_uri.is_some() || openid.backchannel_logout_uri.is_some();
    if !has_id_token && !is_told {
        return;
    }
    if !known.scopes.contains_key("openid") {
        output.note(&format!("{id} needs a provider that offers OpenID Connect: see openid."));
        return;
    }
    if !client.scopes.contains("openid") {
        output.note(&format!(
            "{id} gets no ID token, and learns of no logout, without openid: --scope openid."
        ));
    }
    for other in openid.response_types.iter().filter(|it| it.has_id_token()) {
        if !settings.openid.response_types.contains(other) {
            let name = other.as_str();
            output.note(&format!(
                "{id} needs a provider that offers the response type {name}: see openid_response_types."
            ));
        }
    }
}

/// Redirect URIs, and no grant that uses them.
fn redirect_uris_unused(client: &Client, output: Output) {
    let has_none = client.redirect_uris.is_empty() && client.redirect_patterns.is_empty();
    let mut redirecting = [GrantType::AuthorizationCode, GrantType::Implicit].iter();
    let has_redirect = redirecting.any(|grant| client.grant_types.contains(grant));
    if !has_none && !has_redirect && client.oauth1.is_none() {
        let remove = |uri: &RedirectUri| format!(" --remove-redirect-uri {}", quoted(uri.as_str()));
        let all: String = client.redirect_uris.iter().map(remove).collect();
        let patterns = match client.redirect_patterns.is_empty() {
            true => "",
            false => " --without-redirect-uri-patterns",
        };
        output.note(&format!(
            "The redirect URIs of {id} are of no use without the grant authorization_code or \
             implicit: `quadrille client edit {}{all}{patterns}` removes them.",
            quoted(&client.id),
            id = client.id,
        ));
    }
}

/// Grants that the provider does not offer, and those that give up safety.
fn grants_off(client: &Client, (settings, known): (&Settings, &Known), output: Output) {
    let needs = |offered: &str| {
        output.note(&format!("{} needs a provider that offers {offered}.", client.id));
    };
    if client.oauth1.is_some() && !known.oauth1 {
        needs("OAuth 1.0a: `quadrille serve --oauth1`");
    }
    let methods = client.oauth1.iter().flat_map(|oauth1| &oauth1.methods);
    for method in methods.filter(|method| !settings.oauth1.methods.contains(method)) {
        needs(&format!("{} in oauth1.signature_methods", method_name(*method)));
    }
    for offer in known.off(settings, client) {
        match offer.grant_type {
            GrantType::DeviceCode => needs("device codes: `quadrille serve --device`"),
            grant => {
                let (grant, setting) = (grant.as_str(), offer.setting);
                needs(&format!("the grant {grant}: see the setting {setting}"));
            }
        }
    }
    if client.grant_types.contains(&GrantType::Implicit) {
        let types = &client.openid.response_types;
        let kind = match !types.is_empty() && types.iter().all(|it| !it.has_token()) {
            true => "ID tokens",
            false => "access tokens",
        };
        output.note(&format!("{} gets {kind} in addresses, where they can leak.", client.id));
    }
    if client.grant_types.contains(&GrantType::Password) {
        output.note(&format!("{} sees the passwords of its users.", client.id));
    }
}

/// Redirect URIs whose scheme any other program can claim.
fn schemes_claimable(client: &Client, output: Output) {
    for uri in client.redirect_uris.iter().filter(|uri| uri.can_be_claimed_by_other_programs()) {
        output.note(&format!(
            "Any other program on a user's device can claim the scheme of {uri}. A domain name in \
             reverse belongs to its owner: com.example.app:/callback."
        ));
    }
}
