//! The tests from outside: the executable as a process, and the repository's own rules.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "test harness: a failed step ends the test"
)]

mod alerts;
mod api_keys;
mod architecture;
mod bench;
mod browser;
mod chart;
mod cleeng_webhooks;
mod commands;
mod console;
mod control;
mod customers;
mod dashboards;
mod dead_letters;
mod deployment;
mod desk;
mod doctor;
mod documents;
mod drill;
mod edge;
mod external;
mod faults;
mod harness;
mod ingest;
mod kill;
mod kill_billing;
mod lifecycle;
mod money_back;
mod openapi;
mod outages;
mod overload;
mod payment_details;
mod payments;
mod reconcile;
mod renewals;
mod report_order;
mod server_faults;
mod tls;
mod tokens;
mod traces;
mod web_client;
mod webhook_commands;
mod year;
