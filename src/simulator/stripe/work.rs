//! What each endpoint does to the account.

use serde_json::{Value, json};

use super::endpoint::Endpoint;
use super::fail::Fail;
use super::intent::Ask;
use super::params::Params;
use super::world::{Desk, World};
use super::{create, list, setup, wire};

/// Does it.
///
/// # Errors
/// As Stripe would answer.
pub(crate) fn run(
    world: &mut World,
    desk: &Desk<'_>,
    endpoint: &Endpoint,
    params: &Params,
) -> Result<Value, Fail> {
    let expand = expansions(params)?;
    match endpoint {
        Endpoint::CreateCustomer => Ok(create_customer(world, desk, params)),
        Endpoint::ReadCustomer(id) => match world.customers.get(id) {
            Some(customer) => Ok(customer.clone()),
            None => Err(Fail::no_such(404, "customer", id, "id")),
        },
        Endpoint::CreateIntent => {
            let id = create::intent(world, desk, params)?;
            show(world, desk, &id, &expand)
        }
        Endpoint::Confirm(id) => {
            return_url(params)?;
            world.confirm(desk, id, ask(params))?;
            show(world, desk, id, &expand)
        }
        Endpoint::Capture(id) => {
            world.capture(desk, id, params)?;
            show(world, desk, id, &expand)
        }
        Endpoint::Cancel(id) => {
            let reason = params.text("cancellation_reason").map(str::to_owned);
            world.cancel(desk, id, reason)?;
            show(world, desk, id, &expand)
        }
        Endpoint::ReadIntent(id) => show(world, desk, id, &expand),
        Endpoint::ListIntents => list::intents(world, desk, params, &expand),
        Endpoint::CreateSetup
        | Endpoint::ReadSetup(_)
        | Endpoint::ConfirmSetup(_)
        | Endpoint::CancelSetup(_) => set_up(world, desk, endpoint, params, &expand),
        Endpoint::ReadMethod(id) => show_method(world, id),
        Endpoint::Attach(named) => {
            let customer = params.text("customer").unwrap_or_default();
            let id = world.attach(desk, named, customer)?;
            show_method(world, &id)
        }
        Endpoint::Detach(id) => {
            world.detach(desk, id)?;
            show_method(world, id)
        }
        Endpoint::CreateRefund => {
            let id = world.refund(desk, params)?;
            show_refund(world, &id)
        }
        Endpoint::ReadRefund(id) => show_refund(world, id),
        Endpoint::ListRefunds => list::refunds(world, params),
        Endpoint::ReadDispute(id) => world.show_dispute(id),
        Endpoint::ListDisputes => list::disputes(world, params),
        Endpoint::ReadEvent(id) => match world.events.iter().find(|event| event.id == *id) {
            Some(event) => Ok(event.body.clone()),
            None => Err(Fail::no_such(404, "event", id, "id")),
        },
        Endpoint::ListEvents => list::events(world, params),
    }
}

fn set_up(
    world: &mut World,
    desk: &Desk<'_>,
    endpoint: &Endpoint,
    params: &Params,
    expand: &[String],
) -> Result<Value, Fail> {
    let text = |name: &str| params.text(name).map(str::to_owned);
    let id = if let Endpoint::ConfirmSetup(id) = endpoint {
        return_url(params)?;
        world.confirm_setup(desk, id, text("payment_method"), text("return_url"))?;
        id.clone()
    } else if let Endpoint::CancelSetup(id) = endpoint {
        world.cancel_setup(desk, id, text("cancellation_reason"))?;
        id.clone()
    } else if let Endpoint::ReadSetup(id) = endpoint {
        id.clone()
    } else {
        world.create_setup(desk, params)?
    };
    let setup = world.setup(&id)?;
    let mut shown = setup::show(setup, desk.public_url);
    let method = setup.method.as_ref().and_then(|id| world.methods.get(id));
    if let (Some(fields), Some(method)) = (shown.as_object_mut(), method)
        && expand.iter().any(|name| name == "payment_method")
    {
        fields.insert("payment_method".to_owned(), wire::method(method));
    }
    Ok(shown)
}

fn create_customer(world: &mut World, desk: &Desk<'_>, params: &Params) -> Value {
    let id = desk.mint.id("cus_");
    let customer = json!({
        "id": id,
        "object": "customer",
        "created": desk.seconds(),
        "description": params.text("description"),
        "email": params.text("email"),
        "livemode": false,
        "metadata": params.map("metadata"),
        "name": params.text("name"),
    });
    world.customers.insert(id, customer.clone());
    customer
}

pub(crate) fn return_url(params: &Params) -> Result<(), Fail> {
    match params.text("return_url").map(url::Url::parse) {
        Some(Err(_)) => Err(Fail::invalid("return_url", "Not a valid URL").code("url_invalid")),
        Some(Ok(_)) | None => Ok(()),
    }
}

pub(crate) fn ask(params: &Params) -> Ask {
    let text = |name: &str| params.text(name).map(str::to_owned);
    Ask {
        method: text("payment_method"),
        off_session: params
            .text("off_session")
            .is_some_and(|value| value != "false"),
        return_url: text("return_url"),
        usage: text("setup_future_usage"),
        capture: text("capture_method"),
        error_on_requires_action: params.bool("error_on_requires_action"),
    }
}

/// # Errors
/// Something is to be expanded that cannot be.
fn expansions(params: &Params) -> Result<Vec<String>, Fail> {
    let mut wanted = Vec::new();
    for name in params.texts("expand") {
        let name = name.strip_prefix("data.").unwrap_or(&name).to_owned();
        match name.as_str() {
            "latest_charge" | "payment_method" | "customer" | "charge" | "payment_intent" => {
                wanted.push(name);
            }
            _ => {
                let message = format!("This property cannot be expanded ({name}).");
                return Err(Fail::invalid("expand", message));
            }
        }
    }
    Ok(wanted)
}

pub(crate) fn show(
    world: &World,
    desk: &Desk<'_>,
    id: &str,
    expand: &[String],
) -> Result<Value, Fail> {
    let intent = world.intent(id)?;
    let mut shown = wire::intent(world, intent, expand);
    if let Some(fields) = shown.as_object_mut() {
        let action = wire::next_action(intent, desk.public_url);
        fields.insert("next_action".to_owned(), action);
    }
    Ok(shown)
}

fn show_method(world: &World, id: &str) -> Result<Value, Fail> {
    match world.methods.get(id) {
        Some(method) => Ok(wire::method(method)),
        None => Err(Fail::no_such(404, "PaymentMethod", id, "payment_method")),
    }
}

pub(crate) fn show_refund(world: &World, id: &str) -> Result<Value, Fail> {
    match world.refunds.get(id) {
        Some(refund) => Ok(wire::refund(refund)),
        None => Err(Fail::no_such(404, "refund", id, "id")),
    }
}
