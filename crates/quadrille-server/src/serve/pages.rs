//! The pages by the settings.

use std::path::Path;

use crate::{
    Failure,
    config::Settings,
    issuer::Issuer,
    texts::{Texts, TextsError},
    web::{Pages, PagesError},
};

/// The pages of a site with this name.
pub(super) fn pages(name: &str, issuer: &Issuer, settings: &Settings) -> Result<Pages, Failure> {
    let languages = &settings.languages;
    let load = || {
        let texts = Texts::load(languages.texts.as_deref(), &languages.default)?;
        let templates = settings.templates.as_deref();
        Pages::load_with(name, issuer, templates, texts)?.brand(&settings.brand)
    };
    load().map_err(|error| named(settings, error))
}

/// The failure, with the setting that names the file or folder.
fn named(settings: &Settings, error: PagesError) -> Failure {
    let named = [
        ("templates", settings.templates.as_deref()),
        ("texts", settings.languages.texts.as_deref()),
        ("brand_logo", settings.brand.logo.as_deref()),
    ];
    let of = |path: &Path| {
        let is_in = |folder: &Option<&Path>| folder.is_some_and(|folder| path.starts_with(folder));
        named.iter().find(|(_, folder)| is_in(folder)).map(|(setting, _)| *setting)
    };
    match error {
        PagesError::File { path, error } | PagesError::Texts(TextsError::File { path, error }) => {
            match of(&path) {
                Some(setting) => Failure::SettingFile { setting, path, error },
                None => Failure::Pages(PagesError::File { path, error }),
            }
        }
        error => Failure::Pages(error),
    }
}
