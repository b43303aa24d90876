//! The program as people use it: a process, its command line, its pages.

mod browser;
mod flow;
mod process;
mod serving;
