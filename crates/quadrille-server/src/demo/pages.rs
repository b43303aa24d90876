//! The demo's own pages.

use minijinja::{Environment, context, value::Serde};

use super::{dance::Dance, diagram::Diagram};

/// The style sheet of the last page.
pub(super) const DANCE_CSS: &str = include_str!("templates/dance.css");

/// The last page: the dance that just happened. Website and provider are named by their hosts.
///
/// # Errors
/// Those of the template.
pub(super) fn dance(
    dance: &Dance,
    website: &str,
    provider: &str,
) -> Result<String, minijinja::Error> {
    let mut templates = Environment::new();
    templates.add_template("dance.html", include_str!("templates/dance.html"))?;
    templates
        .get_template("dance.html")?
        .render(context! { d => Serde(Diagram::of(dance)), website, provider })
}
