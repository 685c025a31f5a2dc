//! The broker: who answers, whether the queues stand as they must, and whether a message makes its way.

use crate::broker::examine::{self, Examined, Server, Trial};
use crate::broker::topology::Difference;
use crate::config::{BrokerUrl, Config, LedgerUrl};
use crate::telemetry::chain::error_chain;

use super::line::Line;

/// The versions that the topology is made for: the first that dead-letters at least once, and before the next major one.
const OLDEST: (u32, u32) = (3, 10);
const LATEST_MAJOR: u32 = 4;
/// More differences than this are the same one again.
const MOST_NAMED: usize = 3;

pub(super) async fn check(config: &Config) -> Vec<Line> {
    match (&config.broker.url, &config.ledger.url) {
        (BrokerUrl::Embedded, LedgerUrl::Sqlite(path)) => {
            vec![match examine::embedded_dead_letters(path).await {
                Ok(None) => Line::ok("broker", "embedded; its queues are made at the first start"),
                Ok(Some(0)) => Line::ok("broker", "embedded, no dead letters"),
                Ok(Some(count)) => dead_letters(count),
                Err(cause) => Line::fault("broker", error_chain(&cause), FILE),
            }]
        }
        (BrokerUrl::Embedded, LedgerUrl::Postgres(_)) => vec![Line::fault(
            "broker",
            "embedded, which needs a ledger that is a file",
            "set broker.url or ledger.url",
        )],
        (BrokerUrl::Amqp(_), _) => rabbit(config).await,
    }
}

const FILE: &str = "is the path of ledger.url right, and may this user read and write there?";

async fn rabbit(config: &Config) -> Vec<Line> {
    let gateways = config.gateway_names();
    let (server, examined) = tokio::join!(
        examine::server(&config.broker),
        examine::examine(&config.broker, &gateways)
    );
    let mut lines = vec![version(server.as_ref())];
    match examined {
        Err(cause) => lines.push(unreachable(&error_chain(&cause))),
        Ok(None) => {}
        Ok(Some(examined)) => {
            lines.push(Line::ok(
                "broker connection",
                "the user is known and may connect",
            ));
            lines.extend(found(&examined));
        }
    }
    lines
}

fn unreachable(cause: &str) -> Line {
    let remedy = match cause.contains("ACCESS_REFUSED") || cause.contains("NOT_ALLOWED") {
        true => "is the password in broker.url right, and may this user use the virtual host?",
        false => "is RabbitMQ running, and broker.url its address and port?",
    };
    Line::fault("broker connection", cause, remedy)
}

/// Pure: what the server says of itself.
fn version(server: Option<&Server>) -> Line {
    let Some(server) = server else {
        return Line::warning(
            "broker version",
            "not told: the broker is away, or behind TLS",
            "make sure by hand that it is RabbitMQ 3.10 to 4.x",
        );
    };
    let told = format!("{} {}", server.product, server.version);
    let mut parts = server.version.split('.').map(str::parse);
    let read = (parts.next(), parts.next());
    match read {
        _ if server.product != "RabbitMQ" => Line::fault(
            "broker version",
            format!("{told}, which is not RabbitMQ"),
            "use RabbitMQ 3.10 to 4.x",
        ),
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) < OLDEST => Line::fault(
            "broker version",
            format!("{told} has no quorum queues that dead-letter at least once"),
            "upgrade to RabbitMQ 3.10 or later",
        ),
        (Some(Ok(major)), Some(Ok(_))) if major > LATEST_MAJOR => Line::warning(
            "broker version",
            format!("{told} is newer than what this build was tested with"),
            "look for a newer build of the connector",
        ),
        (Some(Ok(_)), Some(Ok(_))) => Line::ok("broker version", told),
        (_, _) => Line::warning(
            "broker version",
            format!("{told}, which is no version number"),
            "make sure by hand that it is RabbitMQ 3.10 to 4.x",
        ),
    }
}

/// Pure: what was found over a connection.
fn found(examined: &Examined) -> Vec<Line> {
    let mut lines = vec![topology(&examined.differences)];
    lines.push(match &examined.trial {
        Trial::Passed => Line::ok(
            "broker permissions",
            "a message was published, confirmed and read",
        ),
        Trial::Blocked => Line::fault(
            "broker alarm",
            "the broker takes no messages until its memory or disk alarm is over",
            "free memory or disk on the broker; `rabbitmq-diagnostics alarms` says which",
        ),
        Trial::Failed(why) if is_missing(&examined.differences) => Line::warning(
            "broker permissions",
            format!("not tried to the end, since the topology is missing ({why})"),
            "`topology declare`, then run this again",
        ),
        Trial::Failed(why) => Line::fault(
            "broker permissions",
            why.clone(),
            "give the user configure, write and read on everything that begins with broker.prefix",
        ),
    });
    match examined.dead_letters {
        None => {}
        Some(0) => lines.push(Line::ok("dead letters", "none")),
        Some(count) => lines.push(dead_letters(count)),
    }
    lines
}

fn topology(differences: &Result<Vec<Difference>, String>) -> Line {
    let differences = match differences {
        Ok(differences) => differences,
        Err(why) => {
            return Line::fault(
                "broker topology",
                format!("cannot be compared: {why}"),
                "may the user configure everything that begins with broker.prefix?",
            );
        }
    };
    let is_other = |one: &&Difference| matches!(one, Difference::Incompatible { .. });
    let mut named: Vec<String> = differences
        .iter()
        .take(MOST_NAMED)
        .map(ToString::to_string)
        .collect();
    if differences.len() > MOST_NAMED {
        named.push(format!(
            "{} more",
            differences.len().saturating_sub(MOST_NAMED)
        ));
    }
    let told = named.join("; ");
    match (differences.is_empty(), differences.iter().find(is_other)) {
        (true, _) => Line::ok(
            "broker topology",
            "exchanges and quorum queues are as they must be",
        ),
        (false, None) => Line::warning(
            "broker topology",
            told,
            "`topology declare`; each process declares what is missing at its start, too",
        ),
        (false, Some(_)) => Line::fault(
            "broker topology",
            told,
            "stop what uses it, move its messages away, delete it and declare it anew, or choose another broker.prefix",
        ),
    }
}

fn is_missing(differences: &Result<Vec<Difference>, String>) -> bool {
    let missing = |one: &Difference| match one {
        Difference::MissingExchange { .. } | Difference::MissingQueue { .. } => true,
        Difference::Incompatible { .. } => false,
    };
    differences
        .as_ref()
        .is_ok_and(|differences| differences.iter().any(missing))
}

fn dead_letters(count: u64) -> Line {
    Line::warning(
        "dead letters",
        format!("{count} wait for an operator"),
        "`dead-letters list`",
    )
}

#[cfg(test)]
mod tests {
    use super::super::line::Grade;
    use super::*;

    #[test]
    fn versions_from_3_10_to_4_are_supported() {
        for (product, version_, grade) in [
            ("RabbitMQ", "3.10.0", Grade::Ok),
            ("RabbitMQ", "3.13.7", Grade::Ok),
            ("RabbitMQ", "4.2.1", Grade::Ok),
            ("RabbitMQ", "3.9.29", Grade::Fault),
            ("RabbitMQ", "5.0.0", Grade::Warning),
            ("RabbitMQ", "next", Grade::Warning),
            ("LavinMQ", "4.0.0", Grade::Fault),
        ] {
            let server = Server {
                product: product.to_owned(),
                version: version_.to_owned(),
            };
            assert_eq!(version(Some(&server)).grade, grade, "{product} {version_}");
        }
        assert_eq!(version(None).grade, Grade::Warning);
    }

    #[test]
    fn what_is_missing_is_a_warning_and_what_is_other_a_fault() {
        let missing = Difference::MissingQueue {
            name: "connector.dead".to_owned(),
        };
        let other = Difference::Incompatible {
            name: "connector.dead".to_owned(),
            detail: "inequivalent arg".to_owned(),
        };
        let grades = |differences: Vec<Difference>, trial: Trial| {
            let examined = Examined {
                differences: Ok(differences),
                trial,
                dead_letters: Some(2),
            };
            let lines = found(&examined);
            lines.iter().map(|line| line.grade).collect::<Vec<_>>()
        };
        use Grade::{Fault, Ok as Good, Warning};
        let failed = || Trial::Failed("bind".to_owned());
        assert_eq!(grades(vec![], Trial::Passed), [Good, Good, Warning]);
        let many = vec![missing.clone(); 5];
        assert_eq!(grades(many, failed()), [Warning, Warning, Warning]);
        assert_eq!(grades(vec![other], Trial::Passed), [Fault, Good, Warning]);
        assert_eq!(grades(vec![], failed()), [Good, Fault, Warning]);
        assert_eq!(grades(vec![], Trial::Blocked), [Good, Fault, Warning]);
        let told = topology(&Ok(vec![missing; 5])).to_string();
        assert!(told.contains("2 more"), "{told}");
        assert_eq!(topology(&Err("403".to_owned())).grade, Fault);
    }
}
