//! How long a subscription's cycle is: calendar months keep the day they began with, as far as the month has it.

use time::{Date, Duration, OffsetDateTime};

/// The cycles that dunning actions know, and the sandbox's daily one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cycle {
    Daily,
    Weekly,
    Monthly,
    Quarterly,
    HalfYearly,
    Annual,
    /// A season's length is the offer's own at Cleeng; here it is a year.
    Seasonal,
}

impl Cycle {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "daily" => Cycle::Daily,
            "weekly" => Cycle::Weekly,
            "monthly" => Cycle::Monthly,
            "3-months" => Cycle::Quarterly,
            "6-months" => Cycle::HalfYearly,
            "annual" => Cycle::Annual,
            "seasonal" => Cycle::Seasonal,
            _ => return None,
        })
    }

    /// As `renewalCycle` writes it.
    pub(crate) fn unit(self) -> (&'static str, u32) {
        match self {
            Cycle::Daily => ("day", 1),
            Cycle::Weekly => ("week", 1),
            Cycle::Monthly => ("month", 1),
            Cycle::Quarterly => ("month", 3),
            Cycle::HalfYearly => ("month", 6),
            Cycle::Annual | Cycle::Seasonal => ("year", 1),
        }
    }

    /// The end of the `count`th cycle since `anchor`, in seconds since 1970.
    pub(crate) fn after(self, anchor: i64, count: u32) -> i64 {
        let (unit, amount) = self.unit();
        let amount = amount.saturating_mul(count);
        match unit {
            "day" => plus_days(anchor, amount),
            "week" => plus_days(anchor, amount.saturating_mul(7)),
            "month" => plus_months(anchor, amount),
            _ => plus_months(anchor, amount.saturating_mul(12)),
        }
    }
}

fn plus_days(at: i64, days: u32) -> i64 {
    at.saturating_add(Duration::days(i64::from(days)).whole_seconds())
}

fn plus_months(at: i64, months: u32) -> i64 {
    let moved = || {
        let start = OffsetDateTime::from_unix_timestamp(at).ok()?;
        let month = u32::from(u8::from(start.month()))
            .checked_sub(1)?
            .checked_add(months)?;
        let year = start
            .year()
            .checked_add(i32::try_from(month.checked_div(12)?).ok()?)?;
        let number = u8::try_from(month.checked_rem(12)?.checked_add(1)?).ok()?;
        let month = time::Month::try_from(number).ok()?;
        let day = start.day().min(month.length(year));
        let date = Date::from_calendar_date(year, month, day).ok()?;
        Some(start.replace_date(date).unix_timestamp())
    };
    // Only beyond the year 9999.
    moved().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn months_keep_the_day_they_began_with() {
        let anchor = datetime!(2024-01-31 12:00 UTC).unix_timestamp();
        for (count, end) in [
            (1, datetime!(2024-02-29 12:00 UTC)),
            (2, datetime!(2024-03-31 12:00 UTC)),
            (13, datetime!(2025-02-28 12:00 UTC)),
        ] {
            assert_eq!(Cycle::Monthly.after(anchor, count), end.unix_timestamp());
        }
        let year = datetime!(2025-01-31 12:00 UTC).unix_timestamp();
        assert_eq!(Cycle::Annual.after(anchor, 1), year);
        assert_eq!(Cycle::Quarterly.after(anchor, 4), year);
        assert_eq!(Cycle::HalfYearly.after(anchor, 2), year);
        assert_eq!(Cycle::Weekly.after(anchor, 2), anchor + 14 * 86_400);
        assert_eq!(Cycle::Daily.after(anchor, 1), anchor + 86_400);
    }
}
