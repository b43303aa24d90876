//! Errors of the command line's parser, in the words of all others.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::words::{Quoted, did_you_mean};

/// The number of options that are named where one of many is missing.
const MOST_NAMED: usize = 8;

/// The message; `None` for a help that was asked for, or that stands for an empty command.
pub(super) fn told(error: &clap::Error) -> Option<String> {
    let reason = match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => return None,
        ErrorKind::UnknownArgument => {
            unknown(error, "option", ContextKind::InvalidArg, ContextKind::SuggestedArg)
        }
        ErrorKind::InvalidSubcommand => {
            let nearest = ContextKind::SuggestedSubcommand;
            unknown(error, "command", ContextKind::InvalidSubcommand, nearest)
        }
        ErrorKind::MissingRequiredArgument => match one_of_many(error) {
            // The usage would list all.
            Some(text) => return Some(text),
            None => missing(error),
        },
        ErrorKind::MissingSubcommand => missing_command(error),
        ErrorKind::InvalidValue => invalid_value(error),
        ErrorKind::ValueValidation => malformed_value(error),
        ErrorKind::ArgumentConflict => conflict(error),
        ErrorKind::TooManyValues => too_many_values(error),
        ErrorKind::TooFewValues => number_of_values(error, ContextKind::MinValues),
        ErrorKind::WrongNumberOfValues => number_of_values(error, ContextKind::ExpectedNumValues),
        ErrorKind::NoEquals => {
            option(error).map(|option| format!("{option} needs \"=\" before its value"))
        }
        ErrorKind::InvalidUtf8 => Some("an argument is not text in UTF-8".to_owned()),
        _ => None,
    };
    let Some(reason) = reason else {
        let all = error.render().to_string();
        return Some(all.trim().trim_start_matches("error:").trim_start().to_owned());
    };
    let usage = error.get(ContextKind::Usage).map(|usage| format!("\n\n{usage}"));
    let usage = usage.unwrap_or_default();
    Some(format!("{reason}{}\n\nFor more information, try '--help'.", usage.trim_end()))
}

/// The texts of a part of an error; none if the part is missing.
fn texts(error: &clap::Error, kind: ContextKind) -> Vec<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text],
        Some(ContextValue::Strings(texts)) => texts.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The text of a part of an error. Of several, which the parser has for the nearest names, the last is
/// the nearest.
fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    texts(error, kind).pop()
}

/// The option or the argument that is wrong, without the placeholder of an option's value.
fn option(error: &clap::Error) -> Option<&str> {
    text(error, ContextKind::InvalidArg).map(without_value)
}

fn without_value(argument: &str) -> &str {
    let name = argument.split([' ', '=', '[']).next().unwrap_or_default();
    if argument.starts_with('-') { name } else { argument }
}

/// An option or a command that does not exist.
fn unknown(
    error: &clap::Error,
    what: &str,
    name: ContextKind,
    nearest: ContextKind,
) -> Option<String> {
    let name = text(error, name)?;
    // A word that no argument takes is no option.
    let what = if what == "option" && !name.starts_with('-') { "argument" } else { what };
    let nearest = did_you_mean(text(error, nearest));
    Some(format!("there is no {what} {}{nearest}", Quoted(name)))
}

/// A command that needs one of many options and has none.
fn one_of_many(error: &clap::Error) -> Option<String> {
    let missing = texts(error, ContextKind::InvalidArg);
    let group = missing.iter().find(|group| group.split('|').count() > MOST_NAMED)?;
    let named: Vec<_> = group.trim_matches(['<', '>']).split('|').take(MOST_NAMED).collect();
    Some(format!("one option at least is needed, such as {}; --help lists all", named.join(", ")))
}

fn missing(error: &clap::Error) -> Option<String> {
    let missing = texts(error, ContextKind::InvalidArg);
    let verb = if missing.len() == 1 { "is" } else { "are" };
    (!missing.is_empty()).then(|| format!("{} {verb} required", missing.join(", ")))
}

fn missing_command(error: &clap::Error) -> Option<String> {
    let command = text(error, ContextKind::InvalidSubcommand)?;
    let known = texts(error, ContextKind::ValidSubcommand).into_iter();
    let known: Vec<_> = known.filter(|name| *name != "help").collect();
    Some(format!("`{command}` needs one of its commands: {}", known.join(", ")))
}

/// A value that is none of those that an option takes, or that is not there.
fn invalid_value(error: &clap::Error) -> Option<String> {
    let (option, value) = (option(error)?, text(error, ContextKind::InvalidValue)?);
    let known = texts(error, ContextKind::ValidValue).join(", ");
    let known = if known.is_empty() { known } else { format!(" (one of {known})") };
    if value.is_empty() {
        return Some(format!("{option} needs a value{known}"));
    }
    let nearest = did_you_mean(text(error, ContextKind::SuggestedValue));
    Some(format!("{option} takes no {}{known}{nearest}", Quoted(value)))
}

fn malformed_value(error: &clap::Error) -> Option<String> {
    let (option, value) = (option(error)?, text(error, ContextKind::InvalidValue)?);
    let reason = error.source().map(|reason| format!(": {reason}")).unwrap_or_default();
    Some(format!("{option} takes no {}{reason}", Quoted(value)))
}

fn conflict(error: &clap::Error) -> Option<String> {
    let given = text(error, ContextKind::InvalidArg);
    let command =
        || text(error, ContextKind::InvalidSubcommand).map(|name| format!("the command {name}"));
    let given = given.map(|given| without_value(given).to_owned()).or_else(command)?;
    let others = texts(error, ContextKind::PriorArg);
    let others: Vec<_> = others.into_iter().map(without_value).collect();
    Some(match &others[..] {
        [] => format!("{given} cannot be used with the others"),
        [one] if *one == given => format!("{given} is there twice"),
        others => format!("{given} cannot be used with {}", others.join(", ")),
    })
}

fn too_many_values(error: &clap::Error) -> Option<String> {
    let (option, value) = (option(error)?, text(error, ContextKind::InvalidValue)?);
    Some(format!("{option} has no place for the value {}", Quoted(value)))
}

fn number_of_values(error: &clap::Error, wanted: ContextKind) -> Option<String> {
    let number = |kind| match error.get(kind)? {
        ContextValue::Number(number) => Some(*number),
        _ => None,
    };
    let (given, wanted) = (number(ContextKind::ActualNumValues)?, number(wanted)?);
    Some(format!("{} needs {wanted} values, not {given}", option(error)?))
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction, Command};

    use super::*;

    fn command() -> Command {
        let number = |text: &str| match text {
            "1" => Ok(1),
            _ => Err("a number"),
        };
        let run = Command::new("run")
            .arg(Arg::new("name").required(true))
            .arg(Arg::new("kind").long("kind").value_parser(["code", "device"]))
            .arg(Arg::new("count").long("count").value_parser(number))
            .arg(Arg::new("quiet").long("quiet").action(ArgAction::SetTrue).conflicts_with("kind"))
            .arg(Arg::new("pair").long("pair").num_args(2))
            .arg(Arg::new("range").long("range").num_args(2..=3))
            .arg(Arg::new("exact").long("exact").require_equals(true));
        Command::new("app").subcommand_required(true).subcommand(run)
    }

    #[test]
    fn every_mistake_has_one_look_and_plain_words() {
        for (arguments, said) in [
            (&["run", "--kin", "x"][..], "there is no option \"--kin\"; did you mean \"--kind\"?"),
            (&["run", "x", "y"], "there is no argument \"y\""),
            (&["runs"], "there is no command \"runs\"; did you mean \"run\"?"),
            (&[], "`app` needs one of its commands: run"),
            (&["run"], "<name> is required"),
            (
                &["run", "x", "--kind", "cod"],
                "--kind takes no \"cod\" (one of code, device); did you mean \"code\"?",
            ),
            (&["run", "x", "--kind"], "--kind needs a value (one of code, device)"),
            (&["run", "x", "--count", "two"], "--count takes no \"two\": a number"),
            (&["run", "x", "--quiet", "--kind", "code"], "--quiet cannot be used with --kind"),
            (&["run", "x", "--quiet", "--quiet"], "--quiet is there twice"),
            (&["run", "x", "--pair", "1"], "--pair needs 2 values, not 1"),
            (&["run", "x", "--range", "1"], "--range needs 2 values, not 1"),
            (&["run", "x", "--exact", "1"], "--exact needs \"=\" before its value"),
            (&["run", "x", "--quiet=1"], "--quiet has no place for the value \"1\""),
        ] {
            let error = command().try_get_matches_from([&["app"], arguments].concat()).unwrap_err();
            let text = told(&error).unwrap();
            assert_eq!(text.lines().next(), Some(said), "{arguments:?}: {text}");
            assert!(!text.contains("error:") && !text.contains("tip:"), "{text}");
        }
        let help = command().try_get_matches_from(["app", "--help"]).unwrap_err();
        assert_eq!(told(&help), None);
    }
}
