//! `quadrille config`.

use crate::{Failure, config::Settings, output::Output};

/// Shows every setting.
pub(super) fn show(settings: &Settings, output: Output) -> Result<(), Failure> {
    let effective = settings.effective();
    output.result(&effective, || {
        let mut text = String::new();
        for setting in effective {
            let line = format!("{} = {}", setting.key, setting.value);
            text.push_str(&format!("{line:<50} # {}: {}\n", setting.origin, setting.about));
        }
        text
    })
}
