//! The broker or the database itself fails while payments are under way: the roles wait, come back by themselves, and
//! every payment is charged once and recorded once. Here the servers are real and the test's own; `outages` cuts wires.

mod broker;
mod database;
mod site;
