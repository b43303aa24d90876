//! The consent page of the examples that are providers, with all that such a page has to show: copy
//! it into a template of your own.

use axum::response::Html;
use quadrille::{
    Timestamp,
    page::escape,
    provider::{ConsentPage, DeviceInfo},
};

/// The fields of the consent page that are its own.
#[derive(serde::Deserialize)]
pub(crate) struct ConsentForm {
    /// The check boxes that are ticked.
    #[serde(default)]
    pub(crate) scope: Vec<String>,
    /// The button.
    pub(crate) decision: String,
}

pub(crate) fn consent_page(page: &ConsentPage) -> Html<String> {
    let (name, action) = (escape(&page.client.name), escape(&page.action));
    let mut html = format!("<h1>{name} asks for access to your account</h1>");
    if let Some(host) = &page.client_host {
        let host = escape(host);
        html += &format!("<p>Nobody here knows this application: {host} calls it so.</p>");
    }
    if page.registered_itself {
        html += "<p>This application registered itself, and chose its name.</p>";
    }
    if let Some(destination) = &page.destination {
        html += &format!("<p>You will go to {}.</p>", escape(destination));
    }
    if let Some(device) = &page.device {
        html += &about_the_device(device);
    }
    let apis: Vec<_> = page.resources.iter().map(escape).collect();
    if !apis.is_empty() {
        html += &format!("<p>It asks for access to {}, and to nothing else.</p>", apis.join(", "));
    }
    html += &format!("<form method=post action=\"{action}\">");
    for scope in &page.scopes {
        let (name, description) = (escape(&scope.name), escape(&scope.description));
        // A user who has consented before may have refused what is not granted: do not tick it again.
        let is_granted = page.granted.contains(&scope.name);
        let ticked = if is_granted || !page.has_consented { " checked" } else { "" };
        let before = if is_granted { ": you allowed this before" } else { "" };
        html += &format!(
            "<p><label><input type=checkbox name=scope value=\"{name}\"{ticked}> \
             {description}{before}</label>"
        );
    }
    for (name, value) in page.form_fields() {
        html += &format!("<input type=hidden name=\"{name}\" value=\"{value}\">");
    }
    html += "<p><button name=decision value=allow>Allow</button> \
             <button name=decision value=deny>Deny</button></form>";
    Html(html)
}

fn about_the_device(device: &DeviceInfo) -> String {
    let from = device.address.map_or("an unknown address".into(), |address| address.to_string());
    format!(
        "<p>It runs on a device, which must show {} now. It asked at {}, from {from}. Did you not \
         start this, or did the code come by mail or by telephone? Then deny.</p>",
        escape(&device.user_code),
        minute(device.requested),
    )
}

/// A time for people, in UTC.
fn minute(time: Timestamp) -> String {
    jiff::Timestamp::from_second(time.seconds())
        .map(|time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default()
}
