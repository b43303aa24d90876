//! `quadrille config`.

use serde::Serialize;

use crate::{
    Failure,
    config::{Effective, Offer, Settings},
    data::Data,
    output::Output,
    serve,
    words::Plain,
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

/// Shows every setting, and whether each grant is on, and checks what `serve` checks. For people it is a
/// configuration file.
pub(super) fn show(settings: &Settings, output: Output) -> Result<(), Failure> {
    let remembered = Data::remembered_issuer(settings);
    let remembered = remembered.map(|issuer| settings.remembering(&issuer));
    let settings = remembered.as_ref().unwrap_or(settings);
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
    for remark in settings.remarks().into_iter().chain(settings.brand.colors.remarks()) {
        output.note(&format!("{remark}."));
    }
    let rows = settings.effective().iter().map(of_setting);
    let rows: Vec<Row> = rows.chain(settings.grants().into_iter().map(of_grant)).collect();
    let lines = settings.effective().iter().map(Effective::line);
    let of_grant = |offer: Offer| {
        let is = if offer.is_on { "on" } else { "off" };
        format!("# grant {} = {is}", offer.grant_type.as_str())
    };
    let lines = lines.chain(settings.grants().into_iter().map(of_grant));
    output.result(&rows, || {
        let line = |(line, row): (String, &Row)| {
            format!("{line:<50} # {}: {}\n", Plain(&row.origin), row.about)
        };
        lines.zip(&rows).map(line).collect()
    })?;
    serve::check(settings)
}
