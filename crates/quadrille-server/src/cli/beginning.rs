//! The data of a command that may be the first one.

use crate::{Failure, config::Settings, data::Data, output::Output};

/// Whether the folder has no data yet.
pub(super) fn begins(settings: &Settings) -> bool {
    settings.database.is_none() && !Data::has_begun(&settings.data_dir)
}

/// Opens the data, or begins it. Says so if it begins a folder: the operator may have meant another one.
pub(super) async fn open_or_begin(settings: &Settings, output: Output) -> Result<Data, Failure> {
    let begins = begins(settings);
    let data = Data::open_or_make(settings).await?;
    if begins {
        output.note(&format!(
            "This begins a new provider in {}. One in another folder is named by --data-dir or \
             QUADRILLE_DATA_DIR.",
            data.shown()
        ));
    }
    Ok(data)
}
