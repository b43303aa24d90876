//! The figure that must be zero: of many logins at the same time, by users who are all different,
//! those that come out as nobody or as another.

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use crate::{
    Result, databases,
    load::{
        self,
        message::Answer,
        script::{Progress, Script, Visit},
    },
    process::{Role, Server},
    stage::Programs,
};

/// The storages.
const STORAGES: [&str; 8] =
    ["cookie", "memory", "file", "SQLite", "PostgreSQL", "PostgreSQL, cached", "MariaDB", "Redis"];
/// The number of connections. Each has many visitors, who take the steps of their logins in turn,
/// so that all logins are open at the same time.
const CONNECTIONS: usize = 400;

/// The outcome over one storage.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    storage: &'static str,
    logins: usize,
    nobody: usize,
    another: usize,
    /// The first response that was wrong.
    example: Option<String>,
}

impl Outcome {
    /// Whether every visitor came out as the right user.
    pub(crate) fn is_right(&self) -> bool {
        self.nobody + self.another == 0
    }

    /// Prints the outcomes as Markdown.
    pub(crate) fn print(all: &[Self]) {
        println!("\n| logins at the same time | logins | as nobody | as another |");
        println!("|---|--:|--:|--:|");
        for Self { storage, logins, nobody, another, .. } in all {
            println!("| {storage} | {logins} | {nobody} | {another} |");
        }
        for outcome in all {
            if let Some(example) = &outcome.example {
                println!("\n{}: {example}", outcome.storage);
            }
        }
    }
}

/// Logs in `visitors` visitors over each storage whose title is wanted.
pub(crate) fn measure(
    programs: &Programs,
    visitors: usize,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Outcome>> {
    let storages = STORAGES.iter().filter(|storage| wanted(&format!("crowd, {storage}")));
    storages.map(|storage| log_in(programs, storage, visitors)).collect()
}

fn log_in(programs: &Programs, storage: &'static str, visitors: usize) -> Result<Outcome> {
    let postgres = || Some(("PG_URL", [&databases::postgres(), "postgres"].concat()));
    let (name, database) = match storage {
        "PostgreSQL" => ("postgres", postgres()),
        "PostgreSQL, cached" => ("postgres-cached", postgres()),
        "MariaDB" => ("mariadb", Some(("MYSQL_URL", databases::mariadb()))),
        "Redis" => ("redis", Some(("REDIS_URL", databases::redis()))),
        "SQLite" => ("sqlite", None),
        other => (other, None),
    };
    let service = programs.start(Role::CrowdService)?;
    let site: Server = programs.start_crowd(name, database, &service)?;
    let outcome = Rc::new(RefCell::new(Outcome { storage, ..Outcome::default() }));
    let mut crews: Vec<_> = (0..CONNECTIONS.min(visitors)).map(|_| VecDeque::new()).collect();
    let count = crews.len();
    for number in 0..visitors {
        if let Some(crew) = crews.get_mut(number % count) {
            crew.push_back(Visitor::new(number));
        }
    }
    let scripts = crews.into_iter().map(|visitors| {
        let idle = Visit::with_code("/who", "");
        Box::new(Crew { visitors, idle, outcome: Rc::clone(&outcome) }) as Box<dyn Script>
    });
    load::run_count(&site, scripts.collect(), u64::try_from(visitors)?)
        .map_err(|error| format!("crowd, {storage}: {error}"))?;
    Ok(outcome.take())
}

/// The visitors of one connection, who take turns.
struct Crew {
    visitors: VecDeque<Visitor>,
    /// The requests after the last visitor.
    idle: Visit,
    outcome: Rc<RefCell<Outcome>>,
}

/// A visitor: logs in, then opens each of the pages that must name them.
struct Visitor {
    name: String,
    visit: Visit,
    pages: std::slice::Iter<'static, &'static str>,
}

/// The pages after the login: the account in the storage, and the account that its token is of.
const PAGES: [&str; 2] = ["/who", "/called"];

impl Visitor {
    fn new(number: usize) -> Self {
        let name = format!("visitor-{number}");
        let visit = Visit::with_code("/login/stub?next=/who", &name);
        Self { name, visit, pages: PAGES.iter() }
    }
}

impl Script for Crew {
    fn request(&mut self, out: &mut Vec<u8>) {
        match self.visitors.front_mut() {
            Some(visitor) => visitor.visit.request(out),
            None => self.idle.request(out),
        }
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        let Some(mut visitor) = self.visitors.pop_front() else { return Ok(Progress::Ongoing) };
        let mut outcome = self.outcome.borrow_mut();
        let wrong = match visitor.visit.follow(answer) {
            Ok(false) => None,
            Ok(true) => match answer.json_text("user") {
                Ok(user) if user == visitor.name => match visitor.pages.next() {
                    Some(page) => {
                        visitor.visit.open(page);
                        None
                    }
                    None => {
                        outcome.logins += 1;
                        return Ok(Progress::Done);
                    }
                },
                Ok(user) => {
                    outcome.another += 1;
                    Some(format!("{} came out as {user}", visitor.name))
                }
                Err(_) => {
                    outcome.nobody += 1;
                    Some(format!("{} came out as nobody", visitor.name))
                }
            },
            Err(error) => {
                outcome.nobody += 1;
                let body = String::from_utf8_lossy(answer.body);
                Some(format!("{} came out as nobody: {error}\n{body}", visitor.name))
            }
        };
        let Some(wrong) = wrong else {
            self.visitors.push_back(visitor);
            return Ok(Progress::Ongoing);
        };
        outcome.logins += 1;
        outcome.example.get_or_insert(wrong);
        Ok(Progress::Done)
    }
}
