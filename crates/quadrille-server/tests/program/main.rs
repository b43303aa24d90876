//! The program as people use it: a process, its command line, its pages.

mod browser;
mod command_line;
mod flow;
mod limits;
mod process;
mod serving;
mod sign_in;
