//! Stripe's decline codes, by who or what can help.

use super::wire::Failure;
use crate::domain::outcome::{Decline, DeclineClass};
use crate::http;

use DeclineClass::{Fraud, Hard, NeedsCustomer, Soft, Technical};

/// `decline_code`, or `code` where there is none. What is not here is soft: the bank may say yes another time.
const CLASSES: [(&str, DeclineClass); 57] = [
    ("insufficient_funds", Soft),
    ("card_velocity_exceeded", Soft),
    ("withdrawal_count_limit_exceeded", Soft),
    ("try_again_later", Soft),
    ("generic_decline", Soft),
    ("do_not_honor", Soft),
    ("approve_with_id", Soft),
    ("call_issuer", Soft),
    ("no_action_taken", Soft),
    ("not_permitted", Soft),
    ("service_not_allowed", Soft),
    ("transaction_not_allowed", Soft),
    ("processing_error", Technical),
    ("issuer_not_available", Technical),
    ("reenter_transaction", Technical),
    // The same amount from the same card a moment ago: the network's guard, gone within hours.
    ("duplicate_transaction", Technical),
    ("payment_method_provider_timeout", Technical),
    ("authentication_required", NeedsCustomer),
    ("payment_intent_authentication_failure", NeedsCustomer),
    ("setup_intent_authentication_failure", NeedsCustomer),
    ("incorrect_cvc", NeedsCustomer),
    ("invalid_cvc", NeedsCustomer),
    ("incorrect_zip", NeedsCustomer),
    ("incorrect_number", NeedsCustomer),
    ("invalid_number", NeedsCustomer),
    ("invalid_expiry_month", NeedsCustomer),
    ("invalid_expiry_year", NeedsCustomer),
    ("incorrect_address", NeedsCustomer),
    ("incorrect_pin", NeedsCustomer),
    ("invalid_pin", NeedsCustomer),
    ("offline_pin_required", NeedsCustomer),
    ("online_or_offline_pin_required", NeedsCustomer),
    ("authentication_not_handled", NeedsCustomer),
    ("mobile_device_authentication_required", NeedsCustomer),
    ("payment_method_customer_decline", NeedsCustomer),
    ("expired_card", Hard),
    ("lost_card", Hard),
    ("stolen_card", Hard),
    ("pickup_card", Hard),
    ("restricted_card", Hard),
    ("invalid_account", Hard),
    ("new_account_information_available", Hard),
    ("card_not_supported", Hard),
    ("currency_not_supported", Hard),
    ("do_not_try_again", Hard),
    ("revocation_of_all_authorizations", Hard),
    ("revocation_of_authorization", Hard),
    ("stop_payment_order", Hard),
    ("security_violation", Hard),
    ("pin_try_exceeded", Hard),
    ("testmode_decline", Hard),
    ("invalid_amount", Hard),
    // The stored method is gone.
    ("resource_missing", Hard),
    ("payment_method_unactivated", Hard),
    ("fraudulent", Fraud),
    ("merchant_blacklist", Fraud),
    ("highest_risk_level", Fraud),
];

/// The decline that an error or a `last_payment_error` tells. `blocked`: Stripe's own risk rules stopped it.
pub(super) fn decline(failure: &Failure, blocked: bool) -> Decline {
    let words = [&failure.decline_code, &failure.code];
    let mut said = words
        .into_iter()
        .flatten()
        .filter(|word| http::is_code(word));
    let class = if blocked { Fraud } else { class(failure) };
    Decline {
        class,
        code: said
            .next()
            .map_or_else(|| "unknown".to_owned(), Clone::clone),
    }
}

/// The network's advice wins over the code, but fraud stays fraud: the payer is not told.
fn class(failure: &Failure) -> DeclineClass {
    let by_code = [&failure.decline_code, &failure.code]
        .into_iter()
        .flatten()
        .find_map(|word| find(word))
        .unwrap_or(Soft);
    if by_code == Fraud {
        return Fraud;
    }
    match failure.advice_code.as_deref() {
        Some("do_not_try_again") => Hard,
        Some("try_again_later") => Soft,
        Some("confirm_card_data") => NeedsCustomer,
        _ => by_code,
    }
}

fn find(word: &str) -> Option<DeclineClass> {
    CLASSES
        .iter()
        .find(|(code, _)| *code == word)
        .map(|(_, class)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(code: Option<&str>, decline_code: Option<&str>, advice: Option<&str>) -> Decline {
        let failure = Failure {
            code: code.map(str::to_owned),
            decline_code: decline_code.map(str::to_owned),
            advice_code: advice.map(str::to_owned),
            ..Failure::default()
        };
        decline(&failure, false)
    }

    #[test]
    fn the_most_specific_code_decides_and_the_advice_overrides() {
        let declined = Some("card_declined");
        for (code, decline_code, advice, class, word) in [
            (
                declined,
                Some("insufficient_funds"),
                None,
                Soft,
                "insufficient_funds",
            ),
            (declined, Some("lost_card"), None, Hard, "lost_card"),
            (declined, Some("fraudulent"), None, Fraud, "fraudulent"),
            (
                declined,
                Some("never_heard_of"),
                None,
                Soft,
                "never_heard_of",
            ),
            (declined, None, None, Soft, "card_declined"),
            (Some("expired_card"), None, None, Hard, "expired_card"),
            (
                Some("incorrect_cvc"),
                Some("a text for people"),
                None,
                NeedsCustomer,
                "incorrect_cvc",
            ),
            (
                declined,
                Some("generic_decline"),
                Some("do_not_try_again"),
                Hard,
                "generic_decline",
            ),
            (
                declined,
                Some("expired_card"),
                Some("try_again_later"),
                Soft,
                "expired_card",
            ),
            (
                declined,
                Some("do_not_honor"),
                Some("confirm_card_data"),
                NeedsCustomer,
                "do_not_honor",
            ),
            (
                declined,
                Some("fraudulent"),
                Some("try_again_later"),
                Fraud,
                "fraudulent",
            ),
            (None, None, None, Soft, "unknown"),
        ] {
            let read = read(code, decline_code, advice);
            assert_eq!((read.class, read.code.as_str()), (class, word));
        }
    }

    #[test]
    fn what_the_risk_rules_blocked_is_fraud() {
        assert_eq!(decline(&Failure::default(), true).class, Fraud);
    }

    #[test]
    fn no_code_stands_twice_in_the_table() {
        let codes: std::collections::BTreeSet<&str> =
            CLASSES.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes.len(), CLASSES.len());
    }
}
