//! The scenarios by their names.

use std::fmt;
use std::str::FromStr;

use super::stores::Profile;

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scenario {
    /// The same two hops over RabbitMQ with bare lapin.
    Floor,
    /// As much as goes through: the closed model.
    Saturation,
    /// So many payments a second, whatever happens: the open model.
    Rate(f64),
    /// The open model, with twice what saturation has shown.
    Overload,
    /// One process for each role, and all payments waiting before the next role begins.
    Backlog,
    /// Saturation again and again, with ever more payments in the ledger.
    Growth,
    /// A batch of due renewals, and payers meanwhile.
    Renewals,
    /// Saturation with one, two and four worker processes.
    Scaling,
}

impl Scenario {
    /// Those that run when none is named.
    pub(crate) fn usual(profile: Profile) -> Vec<Scenario> {
        let floor = match profile {
            Profile::Embedded => None,
            Profile::RabbitSqlite | Profile::RabbitPostgres => Some(Scenario::Floor),
        };
        let others = [
            Scenario::Saturation,
            Scenario::Rate(50.0),
            Scenario::Rate(500.0),
            Scenario::Overload,
        ];
        floor.into_iter().chain(others).collect()
    }

    /// # Errors
    /// A sentence for the operator: these cannot be run in this order, or on these stores.
    pub(crate) fn check(all: &[Scenario], profile: Profile) -> Result<(), String> {
        let first = |wanted: Scenario| all.iter().position(|scenario| *scenario == wanted);
        if profile == Profile::Embedded && first(Scenario::Floor).is_some() {
            return Err(
                "floor is a measurement of RabbitMQ, and --profile embedded has none".to_owned(),
            );
        }
        for scenario in [Scenario::Backlog, Scenario::Scaling] {
            if profile != Profile::RabbitPostgres && first(scenario).is_some() {
                return Err(format!(
                    "{scenario} gives each role a process, which needs --profile rabbitmq+postgres"
                ));
            }
        }
        match (first(Scenario::Overload), first(Scenario::Saturation)) {
            (Some(overload), Some(saturation)) if saturation < overload => Ok(()),
            (None, _) => Ok(()),
            (Some(_), _) => Err(
                "overload offers twice what saturation has shown: name saturation before it"
                    .to_owned(),
            ),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scenario::Floor => f.write_str("floor"),
            Scenario::Saturation => f.write_str("saturation"),
            Scenario::Rate(rate) => write!(f, "{rate}/s"),
            Scenario::Overload => f.write_str("overload"),
            Scenario::Backlog => f.write_str("backlog"),
            Scenario::Growth => f.write_str("growth"),
            Scenario::Renewals => f.write_str("renewals"),
            Scenario::Scaling => f.write_str("scaling"),
        }
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = "one of floor, saturation, overload, backlog, growth, renewals, scaling, or a rate such as 50/s";
        match text {
            "floor" => Ok(Scenario::Floor),
            "saturation" => Ok(Scenario::Saturation),
            "overload" => Ok(Scenario::Overload),
            "backlog" => Ok(Scenario::Backlog),
            "growth" => Ok(Scenario::Growth),
            "renewals" => Ok(Scenario::Renewals),
            "scaling" => Ok(Scenario::Scaling),
            rate => {
                let rate = rate
                    .strip_suffix("/s")
                    .and_then(|rate| rate.parse::<f64>().ok());
                rate.filter(|rate| (0.01..=100_000.0).contains(rate))
                    .map(Scenario::Rate)
                    .ok_or_else(|| unknown.to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for name in [
            "floor",
            "saturation",
            "overload",
            "backlog",
            "growth",
            "renewals",
            "scaling",
            "50/s",
            "0.5/s",
        ] {
            assert_eq!(name.parse::<Scenario>().unwrap().to_string(), name);
        }
        for name in ["", "50", "-1/s", "0/s", "NaN/s", "inf/s", "Floor"] {
            assert!(name.parse::<Scenario>().is_err(), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_run_is_told_before_anything_starts() {
        let (embedded, rabbit) = (Profile::Embedded, Profile::RabbitPostgres);
        for profile in [embedded, rabbit] {
            assert_eq!(Scenario::check(&Scenario::usual(profile), profile), Ok(()));
        }
        assert!(Scenario::check(&[Scenario::Floor], embedded).is_err());
        for scenario in [Scenario::Backlog, Scenario::Scaling] {
            assert!(Scenario::check(&[scenario], embedded).is_err());
            assert!(Scenario::check(&[scenario], rabbit).is_ok());
        }
        assert!(Scenario::check(&[Scenario::Overload, Scenario::Saturation], rabbit).is_err());
    }
}
