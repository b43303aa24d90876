//! `quadrille config`.

use serde::Serialize;

use crate::{
    Failure,
    config::{Effective, Offer, Settings},
    output::Output,
};

/// A setting or a grant.
#[derive(Serialize)]
struct Row {
    key: String,
    value: String,
    /// The origin of a setting, or the setting that switches a grant.
    origin: String,
    about: &'static str,
}

/// Shows every setting, and whether each grant is on.
pub(super) fn show(settings: &Settings, output: Output) -> Result<(), Failure> {
    let of_setting = |setting: &Effective| Row {
        key: setting.key.to_owned(),
        value: setting.value.clone(),
        origin: setting.origin.to_string(),
        about: setting.about,
    };
    let of_grant = |offer: Offer| Row {
        key: format!("grant {}", offer.grant_type.as_str()),
        value: if offer.is_on { "on" } else { "off" }.to_owned(),
        origin: offer.setting.to_owned(),
        about: offer.about,
    };
    for remark in settings.remarks() {
        output.note(&format!("{remark}."));
    }
    let rows = settings.effective().iter().map(of_setting);
    let rows: Vec<Row> = rows.chain(settings.grants().into_iter().map(of_grant)).collect();
    output.result(&rows, || {
        let mut text = String::new();
        for row in &rows {
            let line = format!("{} = {}", row.key, row.value);
            text.push_str(&format!("{line:<50} # {}: {}\n", row.origin, row.about));
        }
        text
    })
}
