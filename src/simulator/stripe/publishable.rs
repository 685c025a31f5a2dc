//! What Stripe's script may ask from a browser, by the publishable key: a card for a payment method, and an intent whose secret it has.

use serde_json::{Value, json};

use super::card;
use super::endpoint::Endpoint;
use super::fail::Fail;
use super::form;
use super::method::Method;
use super::params::{Kind, Params, Shape};
use super::world::{Desk, World};
use super::{setup, shapes, wire};
use crate::simulator::Sim;
use crate::simulator::call::{Call, Reply};

const SECRET_ONLY: &str = "This API call cannot be made with a publishable API key. Please use a secret API key. You can find a list of your API keys at https://dashboard.stripe.com/account/apikeys.";

const CARD: Kind = Kind::Fields(&[
    ("number", Kind::Text),
    ("exp_month", Kind::Int),
    ("exp_year", Kind::Int),
    ("cvc", Kind::Text),
]);

const METHOD_CREATE: Shape = Shape {
    params: &[
        ("type", Kind::OneOf(&["card"])),
        ("card", CARD),
        ("billing_details", Kind::Open),
        ("metadata", Kind::Metadata),
        ("payment_user_agent", Kind::Text),
    ],
    required: &["type", "card"],
};

/// Whether a browser asks.
pub(crate) fn asks(call: &Call) -> bool {
    call.bearer().is_some_and(|key| key.starts_with("pk_"))
}

/// Answers one request of a browser.
pub(crate) fn answer(sim: &Sim, call: &Call) -> Reply {
    let desk = Desk::of_no_call(sim);
    let mut world = sim.stripe();
    match run(&mut world, &desk, call) {
        Ok(body) => Reply::json(200, &body),
        Err(fail) => fail.reply(),
    }
}

fn run(world: &mut World, desk: &Desk<'_>, call: &Call) -> Result<Value, Fail> {
    let segments = call.segments("/stripe/v1");
    if let ("POST", ["payment_methods"]) = (call.method.as_str(), segments.as_slice()) {
        let params = read(&call.body, &METHOD_CREATE)?;
        return create(world, desk, &params);
    }
    match Endpoint::of(call.method.as_str(), &segments) {
        Some(Endpoint::ReadIntent(id)) => {
            let params = read(call.query.as_bytes(), &shapes::INTENT_READ)?;
            intent(world, desk, &id, params.text("client_secret"))
        }
        Some(Endpoint::ReadSetup(id)) => {
            let params = read(call.query.as_bytes(), &shapes::INTENT_READ)?;
            setup_intent(world, desk, &id, params.text("client_secret"))
        }
        Some(_) => Err(Fail::unauthorized(SECRET_ONLY)),
        None => Err(Fail::no_such_url(call.method.as_str(), &call.path)),
    }
}

fn read(text: &[u8], shape: &Shape) -> Result<Params, Fail> {
    let form = form::decode(text)
        .map_err(|name| Fail::invalid(&name, format!("Invalid parameter: {name}")))?;
    Params::check(form, shape)
}

/// A payment method of a card that was typed in. Only the test cards are known, as in test mode.
fn create(world: &mut World, desk: &Desk<'_>, params: &Params) -> Result<Value, Fail> {
    let card = params.map("card");
    let part = |name: &str| {
        card.get(name)
            .ok_or_else(|| Fail::missing(&format!("card[{name}]")))
    };
    let number = part("number")?;
    for name in ["exp_month", "exp_year", "cvc"] {
        part(name)?;
    }
    let (token, card) = card::of_number(number).ok_or_else(not_a_test_card)?;
    let method = Method {
        id: desk.mint.id("pm_1"),
        token: token.to_owned(),
        card,
        customer: None,
        spent: false,
        created: desk.seconds(),
    };
    let shown = wire::method(&method);
    world.methods.insert(method.id.clone(), method);
    Ok(shown)
}

fn not_a_test_card() -> Fail {
    let message = "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, visit: https://stripe.com/docs/testing.";
    Fail::new(402, "card_error", message)
        .code("card_declined")
        .and("decline_code", json!("test_mode_live_card"))
}

fn intent(world: &World, desk: &Desk<'_>, id: &str, secret: Option<&str>) -> Result<Value, Fail> {
    let intent = world.intent(id)?;
    if secret != Some(intent.client_secret.as_str()) {
        return Err(Fail::no_such(404, "payment_intent", id, "intent"));
    }
    Ok(json!({
        "id": intent.id,
        "object": "payment_intent",
        "amount": intent.amount,
        "capture_method": intent.capture,
        "client_secret": intent.client_secret,
        "created": intent.created,
        "currency": intent.currency,
        "last_payment_error": intent.last_error,
        "livemode": false,
        "next_action": wire::next_action(intent, desk.public_url),
        "payment_method": intent.method,
        "payment_method_types": intent.types,
        "status": intent.status.name(),
    }))
}

fn setup_intent(
    world: &World,
    desk: &Desk<'_>,
    id: &str,
    secret: Option<&str>,
) -> Result<Value, Fail> {
    let found = world.setup(id)?;
    if secret != Some(found.client_secret.as_str()) {
        return Err(Fail::no_such(404, "setupintent", id, "intent"));
    }
    let mut shown = setup::show(found, desk.public_url);
    if let Some(fields) = shown.as_object_mut() {
        // A browser is not shown what the shop notes.
        fields.remove("metadata");
        fields.remove("customer");
    }
    Ok(shown)
}
