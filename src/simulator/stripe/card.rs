//! The test cards: what each token stands for and how it behaves.

use crate::simulator::fault;

/// A card and how it behaves when it is charged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Card {
    pub(crate) brand: &'static str,
    pub(crate) last4: &'static str,
    pub(crate) conduct: Conduct,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Conduct {
    Charge,
    Decline(&'static Decline),
    /// The payer must authenticate; without the payer it is declined.
    Authenticate,
    /// Processing first, succeeded a little later.
    Pending,
    /// Good while the payer is there and for being saved; declined when it is charged without the payer.
    DeclineRenewal(&'static Decline),
}

/// What the issuer, or Radar, says.
#[derive(Debug)]
pub(crate) struct Decline {
    pub(crate) code: &'static str,
    pub(crate) decline_code: Option<&'static str>,
    pub(crate) network_code: Option<&'static str>,
    pub(crate) advice: Option<&'static str>,
    pub(crate) blocked: bool,
    pub(crate) message: &'static str,
}

const AGAIN: Option<&str> = Some("try_again_later");
const NEVER: Option<&str> = Some("do_not_try_again");
const CONFIRM: Option<&str> = Some("confirm_card_data");

static GENERIC: Decline = declined("generic_decline", "01", AGAIN, "Your card was declined.");
static FUNDS: Decline = declined(
    "insufficient_funds",
    "51",
    AGAIN,
    "Your card has insufficient funds.",
);
static LOST: Decline = declined("lost_card", "41", NEVER, "Your card was declined.");
static STOLEN: Decline = declined("stolen_card", "43", NEVER, "Your card was declined.");
static FRAUD: Decline = declined("fraudulent", "59", NEVER, "Your card was declined.");
static EXPIRED: Decline = named("expired_card", "54", NEVER, "Your card has expired.");
static CVC: Decline = named(
    "incorrect_cvc",
    "N7",
    CONFIRM,
    "Your card's security code is incorrect.",
);
static PROCESSING: Decline = named(
    "processing_error",
    "96",
    AGAIN,
    "An error occurred while processing your card. Try again in a little bit.",
);
static BLOCKED: Decline = Decline {
    code: "card_declined",
    decline_code: Some("fraudulent"),
    network_code: None,
    advice: NEVER,
    blocked: true,
    message: "Your card was declined.",
};
pub(crate) static UNAUTHENTICATED: Decline = Decline {
    code: "authentication_required",
    decline_code: Some("authentication_required"),
    network_code: Some("65"),
    advice: None,
    blocked: false,
    message: "Your card was declined. This transaction requires authentication.",
};

/// The card behind a test token; `pm_card_visa_chargeDeclined` is another name of `pm_card_chargeDeclined`.
pub(crate) fn of_token(token: &str) -> Option<Card> {
    if let Some((_, declined)) = fault::carried_by(token, "pm_sim_") {
        let conduct = match declined {
            true => Conduct::Decline(&GENERIC),
            false => Conduct::Charge,
        };
        return Some(visa("4242", conduct));
    }
    let name = token.strip_prefix("pm_card_")?;
    let name = name.strip_prefix("visa_").unwrap_or(name);
    let card = match name {
        "visa" | "us" => visa("4242", Conduct::Charge),
        "mastercard" => mastercard("4444", Conduct::Charge),
        "amex" => Card {
            brand: "amex",
            last4: "8431",
            conduct: Conduct::Charge,
        },
        "chargeDeclined" => visa("0002", Conduct::Decline(&GENERIC)),
        "chargeDeclinedInsufficientFunds" => visa("9995", Conduct::Decline(&FUNDS)),
        "chargeDeclinedLostCard" => visa("9987", Conduct::Decline(&LOST)),
        "chargeDeclinedStolenCard" => visa("9979", Conduct::Decline(&STOLEN)),
        "chargeDeclinedExpiredCard" => visa("0069", Conduct::Decline(&EXPIRED)),
        "chargeDeclinedIncorrectCvc" => visa("0127", Conduct::Decline(&CVC)),
        "chargeDeclinedProcessingError" => visa("0119", Conduct::Decline(&PROCESSING)),
        "chargeDeclinedFraudulent" => visa("0019", Conduct::Decline(&FRAUD)),
        "radarBlock" => visa("0101", Conduct::Decline(&BLOCKED)),
        "authenticationRequired" => visa("3184", Conduct::Authenticate),
        "threeDSecure2Required" | "threeDSecureRequired" => visa("3220", Conduct::Authenticate),
        "pending" => visa("3063", Conduct::Pending),
        // Stripe has no such cards: its own either never decline or always.
        "renewalDeclined" => visa("9995", Conduct::DeclineRenewal(&FUNDS)),
        "renewalLost" => visa("9987", Conduct::DeclineRenewal(&LOST)),
        "renewalAuthenticationRequired" => visa("3155", Conduct::DeclineRenewal(&UNAUTHENTICATED)),
        // Good for a payment; what becomes of its refunds stands in `give_back`.
        "pendingRefund" => visa("7726", Conduct::Charge),
        "refundFail" => visa("5126", Conduct::Charge),
        _ => return None,
    };
    Some(card)
}

/// The numbers of test cards and the token that behaves as each does.
const NUMBERS: [(&str, &str); 17] = [
    ("4242424242424242", "pm_card_visa"),
    ("5555555555554444", "pm_card_mastercard"),
    ("371449635398431", "pm_card_amex"),
    ("4000000000000002", "pm_card_chargeDeclined"),
    (
        "4000000000009995",
        "pm_card_chargeDeclinedInsufficientFunds",
    ),
    ("4000000000009987", "pm_card_chargeDeclinedLostCard"),
    ("4000000000009979", "pm_card_chargeDeclinedStolenCard"),
    ("4000000000000069", "pm_card_chargeDeclinedExpiredCard"),
    ("4000000000000127", "pm_card_chargeDeclinedIncorrectCvc"),
    ("4000000000000119", "pm_card_chargeDeclinedProcessingError"),
    ("4100000000000019", "pm_card_radarBlock"),
    // The payer has to authenticate.
    ("4000002500003155", "pm_card_threeDSecure2Required"),
    ("4000002760003184", "pm_card_authenticationRequired"),
    ("4000000000003220", "pm_card_threeDSecure2Required"),
    ("4000000000003063", "pm_card_threeDSecureRequired"),
    ("4000000000007726", "pm_card_pendingRefund"),
    ("4000000000005126", "pm_card_refundFail"),
];

/// The card of a test number (Stripe's page on testing), with the token that behaves as it does.
pub(crate) fn of_number(number: &str) -> Option<(&'static str, Card)> {
    let (number, token) = NUMBERS.iter().find(|(known, _)| *known == number)?;
    let card = of_token(token)?;
    let last4 = number.get(number.len().saturating_sub(4)..)?;
    Some((token, Card { last4, ..card }))
}

const fn visa(last4: &'static str, conduct: Conduct) -> Card {
    Card {
        brand: "visa",
        last4,
        conduct,
    }
}

const fn mastercard(last4: &'static str, conduct: Conduct) -> Card {
    Card {
        brand: "mastercard",
        last4,
        conduct,
    }
}

const fn declined(
    decline_code: &'static str,
    network_code: &'static str,
    advice: Option<&'static str>,
    message: &'static str,
) -> Decline {
    Decline {
        code: "card_declined",
        decline_code: Some(decline_code),
        network_code: Some(network_code),
        advice,
        blocked: false,
        message,
    }
}

/// A decline that has a code of its own and no decline code.
const fn named(
    code: &'static str,
    network_code: &'static str,
    advice: Option<&'static str>,
    message: &'static str,
) -> Decline {
    Decline {
        code,
        decline_code: None,
        network_code: Some(network_code),
        advice,
        blocked: false,
        message,
    }
}
