//! The executable: reads the command line and hands over to the command.

mod domain;
mod simulator;

fn main() {}
