//! Every section but the stores and the gateways: which keys it has, and the range of each.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::credential;
use super::reader::Reader;
use super::value;
use super::{
    CallLimits, CheckoutConfig, CleengConfig, ConfirmerConfig, HttpConfig, LogConfig, LogFormat,
    OpsConfig, RefundFields, ShutdownConfig, TerminationCall, TerminationType, WorkerConfig,
    address, visitors,
};

/// How far a store's time-out may be set; below 2 s keeps the promise of an early 503.
pub(super) const STORE_TIMEOUT: RangeInclusive<Duration> = millis(10)..=secs(10);
/// Often enough to help, rarely enough to cost nothing.
const SWEEP: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(86_400);
const AGE: RangeInclusive<Duration> = secs(1)..=secs(30 * 86_400);
const BODY_BYTES: RangeInclusive<usize> = 1024..=16_777_216;
/// Cleeng's numbers have up to ten digits in its specification; twelve leave room.
pub(super) const CLEENG_ID: RangeInclusive<u64> = 1..=999_999_999_999;
const CLIENT_RATE: RangeInclusive<u32> = 0..=100_000;
const CLIENT_BURST: RangeInclusive<u32> = 1..=100_000;
const WAITING: RangeInclusive<u64> = 0..=10_000_000;
const CONCURRENCY: RangeInclusive<u16> = 1..=1000;
/// Some failures in a row are bad luck, as many as this are an outage.
const BREAKER_FAILURES: u32 = 10;
const RATE_LIMIT: u32 = 0;
const CALLS_AT_ONCE: u32 = 64;

pub(super) const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub(super) const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(super) fn http(reader: &mut Reader) -> Option<HttpConfig> {
    let listen = reader.text("http.listen", value::socket);
    let body_bytes = reader.number("http.body_bytes", BODY_BYTES);
    let webhook_body_bytes = reader.number("http.webhook_body_bytes", BODY_BYTES);
    let max_in_flight = reader.number("http.max_in_flight", 1..=100_000);
    let allowed_origins = reader.text("http.allowed_origins", visitors::origins);
    let rate_limit = reader.number("http.rate_limit", CLIENT_RATE);
    let rate_limit_burst = reader.number("http.rate_limit_burst", CLIENT_BURST);
    let trusted_proxies = reader.text("http.trusted_proxies", visitors::networks);
    Some(HttpConfig {
        listen: listen?,
        body_bytes: body_bytes?,
        webhook_body_bytes: webhook_body_bytes?,
        max_in_flight: max_in_flight?,
        allowed_origins: allowed_origins?,
        rate_limit: rate_limit?,
        rate_limit_burst: NonZeroU32::new(rate_limit_burst?)?,
        trusted_proxies: trusted_proxies?,
    })
}

pub(super) fn ops(reader: &mut Reader) -> Option<OpsConfig> {
    let listen = reader.text("ops.listen", value::socket);
    let admin_tokens = reader.text("ops.admin_token", credential::admin_tokens);
    Some(OpsConfig {
        listen: listen?,
        admin_tokens: admin_tokens?,
    })
}

pub(super) fn cleeng(reader: &mut Reader) -> Option<CleengConfig> {
    let base_url = reader.text("cleeng.base_url", address::cleeng_base_url);
    let publisher_token = reader.text("cleeng.publisher_token", credential::token);
    let publisher_id = reader.number("cleeng.publisher_id", CLEENG_ID);
    let timeout = reader.duration("cleeng.timeout", millis(100)..=secs(120));
    let settle_time = reader.duration("cleeng.settle_time", millis(0)..=secs(3600));
    let amount = reader.text("cleeng.refund_amount_field", value::refund_field);
    let kind = reader.text("cleeng.refund_type_field", value::refund_field);
    let termination = reader.text("cleeng.termination", |text| {
        value::one_of(text, &TerminationCall::ALL.map(|call| (call.label(), call)))
    });
    let termination_type = reader.text("cleeng.termination_type", |text| {
        value::one_of(text, &TerminationType::ALL.map(|kind| (kind.label(), kind)))
    });
    let limits = call_limits(reader, "cleeng");
    Some(CleengConfig {
        base_url: base_url?,
        publisher_token: publisher_token?,
        publisher_id: publisher_id?,
        timeout: timeout?,
        settle_time: settle_time?,
        refund_fields: RefundFields {
            amount: amount?,
            kind: kind?,
        },
        termination: termination?,
        termination_type: termination_type?,
        limits: limits?,
    })
}

/// The keys that every outside system has in its section.
pub(super) fn call_limits(reader: &mut Reader, section: &str) -> Option<CallLimits> {
    let mut number =
        |word: &str, default, range| reader.number_or(&format!("{section}.{word}"), default, range);
    let breaker_failures = number("breaker_failures", BREAKER_FAILURES, 0..=10_000);
    let rate_limit = number("rate_limit", RATE_LIMIT, 0..=10_000);
    let concurrency = number("concurrency", CALLS_AT_ONCE, 1..=1000);
    Some(CallLimits {
        breaker_failures: breaker_failures?,
        rate_limit: rate_limit?,
        concurrency: concurrency?,
    })
}

pub(super) fn checkout(reader: &mut Reader) -> Option<CheckoutConfig> {
    let deadline = reader.duration("checkout.deadline", secs(1)..=secs(86_400));
    let max_waiting = reader.number("checkout.max_waiting", WAITING);
    Some(CheckoutConfig {
        deadline: deadline?,
        max_waiting: max_waiting?,
    })
}

pub(super) fn worker(reader: &mut Reader) -> Option<WorkerConfig> {
    let concurrency = reader.number("worker.concurrency", CONCURRENCY);
    let billing_concurrency = reader.number("worker.billing_concurrency", CONCURRENCY);
    let max_age = reader.duration("worker.max_age", AGE);
    let event_max_age = reader.duration("worker.event_max_age", AGE);
    let sweep_every = reader.duration("worker.sweep_every", SWEEP);
    Some(WorkerConfig {
        concurrency: concurrency?,
        billing_concurrency: billing_concurrency?,
        max_age: max_age?,
        event_max_age: event_max_age?,
        sweep_every: sweep_every?,
    })
}

pub(super) fn confirmer(reader: &mut Reader) -> Option<ConfirmerConfig> {
    let concurrency = reader.number("confirmer.concurrency", CONCURRENCY);
    let max_age = reader.duration("confirmer.max_age", AGE);
    Some(ConfirmerConfig {
        concurrency: concurrency?,
        max_age: max_age?,
    })
}

pub(super) fn shutdown(reader: &mut Reader) -> Option<ShutdownConfig> {
    let grace = reader.duration("shutdown.grace", millis(100)..=secs(600));
    Some(ShutdownConfig { grace: grace? })
}

pub(super) fn log(reader: &mut Reader) -> Option<LogConfig> {
    let level = reader.text("log.level", value::log_level);
    let format = reader.text("log.format", |text| {
        value::one_of(
            text,
            &[("json", LogFormat::Json), ("pretty", LogFormat::Pretty)],
        )
    });
    Some(LogConfig {
        level: level?,
        format: format?,
    })
}
