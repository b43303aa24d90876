//! The user of the machine who runs a command.

use serde::Serialize;

/// The user of the operating system. The name is for people: with the same rights one could write
/// the file itself.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Operator {
    operator: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    /// The user who became another one by `sudo`.
    #[serde(skip_serializing_if = "Option::is_none")]
    sudo_user: Option<String>,
}

impl Operator {
    pub(super) fn current() -> Self {
        let uid = uid();
        let known = uid.and_then(name_of).or_else(|| variable("USERNAME"));
        let number = || uid.map_or_else(|| "unknown".to_owned(), |uid| uid.to_string());
        Self { operator: known.unwrap_or_else(number), uid, sudo_user: variable("SUDO_USER") }
    }

    pub(super) fn name(&self) -> &str {
        &self.operator
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(unix)]
fn uid() -> Option<u32> {
    Some(rustix::process::getuid().as_raw())
}

#[cfg(not(unix))]
const fn uid() -> Option<u32> {
    None
}

/// The name in the table of users; users of a directory service are not in it.
fn name_of(uid: u32) -> Option<String> {
    named_in(&std::fs::read_to_string("/etc/passwd").ok()?, uid)
}

fn named_in(table: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    let names = table.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut named = names.filter_map(|fields| match fields[..] {
        [name, _, number, ..] if number == uid => Some(name.to_owned()),
        _ => None,
    });
    named.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_number_is_in_the_table_of_users() {
        let table = "root:x:0:0:root:/root:/bin/bash\nbroken\nada:x:1000:1000::/home/ada:\n";
        assert_eq!(named_in(table, 1000).as_deref(), Some("ada"));
        assert_eq!(named_in(table, 0).as_deref(), Some("root"));
        assert_eq!(named_in(table, 100), None);
    }
}
