//! The pages by the settings.

use crate::{
    config::Settings,
    issuer::Issuer,
    texts::Texts,
    web::{Pages, PagesError},
};

/// The pages of a site with this name.
pub(super) fn pages(name: &str, issuer: &Issuer, settings: &Settings) -> Result<Pages, PagesError> {
    let languages = &settings.languages;
    let texts = Texts::load(languages.texts.as_deref(), &languages.default)?;
    let templates = settings.templates.as_deref();
    Pages::load_with(name, issuer, templates, texts)?.brand(&settings.brand)
}
