//! A new PaymentIntent: what Stripe checks before there is one.

use super::fail::Fail;
use super::intent::{Ask, Intent, Status};
use super::params::Params;
use super::work::{ask, return_url};
use super::world::{Desk, World};

/// These can only be given when the intent is confirmed in the same call.
const WITH_CONFIRM: [&str; 4] = [
    "off_session",
    "return_url",
    "mandate_data",
    "error_on_requires_action",
];

/// The new intent's id; it is confirmed too when the request says so.
///
/// # Errors
/// A parameter makes no sense, or the confirmation failed (then the intent exists).
pub(crate) fn intent(world: &mut World, desk: &Desk<'_>, params: &Params) -> Result<String, Fail> {
    let confirm = params.bool("confirm");
    check_amount(params)?;
    check_combinations(world, params, confirm)?;
    let method = match params.text("payment_method") {
        Some(named) => {
            let id = world.method_id(desk, named, 400)?;
            world.usable_card(&id, params.text("customer"))?;
            Some(id)
        }
        None => None,
    };
    let intent = fresh(world, desk, params, method);
    let id = intent.id.clone();
    world.intents.insert(id.clone(), intent);
    world.tell_of_intent(desk, &id, "payment_intent.created")?;
    if confirm {
        let named = Ask {
            method: None,
            ..ask(params)
        };
        world.confirm(desk, &id, named)?;
    }
    Ok(id)
}

fn fresh(world: &mut World, desk: &Desk<'_>, params: &Params, method: Option<String>) -> Intent {
    let text = |name: &str| params.text(name).map(str::to_owned);
    let listed = params.has("payment_method_types");
    let redirects = params
        .map("automatic_payment_methods")
        .get("allow_redirects")
        .is_none_or(|allowed| allowed != "never");
    let mut types = params.texts("payment_method_types");
    if types.is_empty() {
        types.push("card".to_owned());
    }
    let id = desk.mint.id("pi_3");
    Intent {
        place: world.place(),
        created: desk.seconds(),
        client_secret: desk.mint.id(&format!("{id}_secret_")),
        amount: params.int("amount").unwrap_or_default(),
        received: 0,
        capturable: 0,
        refunded: 0,
        currency: params.text("currency").unwrap_or_default().to_lowercase(),
        status: match method {
            Some(_) => Status::RequiresConfirmation,
            None => Status::RequiresPaymentMethod,
        },
        capture: text("capture_method").unwrap_or_else(|| "automatic".to_owned()),
        customer: text("customer"),
        method,
        usage: text("setup_future_usage"),
        metadata: params.map("metadata"),
        description: text("description"),
        suffix: text("statement_descriptor_suffix"),
        return_url: None,
        automatic: (!listed).then_some(redirects),
        types,
        last_error: None,
        latest_charge: None,
        cancellation: None,
        confirms: 0,
        charges: 0,
        id,
    }
}

fn check_amount(params: &Params) -> Result<(), Fail> {
    let amount = params.int("amount").unwrap_or_default();
    if amount < 1 {
        let message = "This value must be greater than or equal to 1.";
        return Err(Fail::invalid("amount", message).code("parameter_invalid_integer"));
    }
    let currency = params.text("currency").unwrap_or_default().to_lowercase();
    if currency.len() != 3 || !currency.chars().all(|letter| letter.is_ascii_lowercase()) {
        let message = format!("Invalid currency: {currency}.");
        return Err(Fail::invalid("currency", message));
    }
    // Three-decimal amounts are rounded to ten; ISK and UGX are sent as if they had two decimals.
    let (least, step) = match currency.as_str() {
        "eur" | "usd" | "jpy" => (50, 1),
        "gbp" => (30, 1),
        "bhd" | "jod" | "kwd" | "omr" | "tnd" => (1, 10),
        "isk" | "ugx" => (1, 100),
        _ => (1, 1),
    };
    if amount < least {
        let message = "Amount must convert to at least 50 cents.";
        return Err(Fail::invalid("amount", message).code("amount_too_small"));
    }
    if amount > 99_999_999 {
        let message = "Amount must be no more than 999,999.99.";
        return Err(Fail::invalid("amount", message).code("amount_too_large"));
    }
    if amount.checked_rem(step) != Some(0) {
        let message = format!("Invalid amount: in {currency} it must be a multiple of {step}.");
        return Err(Fail::invalid("amount", message));
    }
    Ok(())
}

fn check_combinations(world: &World, params: &Params, confirm: bool) -> Result<(), Fail> {
    let automatic = params.map("automatic_payment_methods");
    if params.has("payment_method_types") && automatic.get("enabled").is_some_and(|on| on == "true")
    {
        return Err(Fail::invalid(
            "automatic_payment_methods",
            "You may only specify one of these parameters: automatic_payment_methods, payment_method_types.",
        )
        .code("parameters_exclusive"));
    }
    if let Some(name) = WITH_CONFIRM
        .iter()
        .find(|name| params.has(name) && !confirm)
    {
        let message = format!(
            "The parameter `{name}` cannot be passed when creating a PaymentIntent unless `confirm` is set to true."
        );
        return Err(Fail::invalid(name, message));
    }
    if let Some(suffix) = params.text("statement_descriptor_suffix")
        && suffix.chars().count() > 22
    {
        return Err(Fail::invalid(
            "statement_descriptor_suffix",
            "The statement descriptor suffix must be at most 22 characters.",
        ));
    }
    match params.text("customer") {
        Some(id) if !world.customers.contains_key(id) => {
            Err(Fail::no_such(400, "customer", id, "customer"))
        }
        Some(_) | None => return_url(params),
    }
}
