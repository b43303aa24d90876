//! The data of a command, which may be the first one, and may have been moved away.

use crate::{Failure, config::Settings, data::Data, output::Output};

/// Whether the folder has no data yet.
pub(super) fn begins(settings: &Settings) -> bool {
    settings.database.is_none() && !Data::has_begun(&settings.data_dir)
}

/// Opens existing data for a command that changes it.
pub(super) async fn open_to_change(settings: &Settings) -> Result<Data, Failure> {
    Ok(Data::open_existing(settings).await?.to_change().await?)
}

/// Opens existing data for a command that only reads it. Says so if it was moved away.
pub(super) async fn open_to_read(settings: &Settings, output: Output) -> Result<Data, Failure> {
    let data = Data::open_existing(settings).await?;
    remark_if_moved(&data, output).await?;
    Ok(data)
}

/// Says if the data was moved away.
pub(super) async fn remark_if_moved(data: &Data, output: Output) -> Result<(), Failure> {
    if let Some(to) = data.moved_to().await? {
        remark_on_move(&data.shown(), &to, output);
    }
    Ok(())
}

/// Says that data was moved away.
pub(super) fn remark_on_move(from: &str, to: &str, output: Output) {
    output.note(&format!(
        "The data in {from} was moved to {to}: this is the old one, as it was then."
    ));
}

/// Opens the data to change it, or begins it. Says so if it begins a folder: the operator may have meant
/// another one.
pub(super) async fn open_or_begin(settings: &Settings, output: Output) -> Result<Data, Failure> {
    let begins = begins(settings);
    let data = Data::open_or_make(settings).await?.to_change().await?;
    if begins {
        output.note(&format!(
            "This begins a new provider in {}. One in another folder is named by --data-dir or \
             QUADRILLE_DATA_DIR.",
            data.shown()
        ));
    }
    Ok(data)
}
