//! The payer's challenge page of both gateways: two buttons, and the way back to the shop.

use std::sync::Arc;

use serde_json::json;
use url::Url;

use super::call::{Call, Reply};
use super::{Sim, simulated, stripe};

/// What a page is about.
struct Challenge {
    amount: String,
    open: bool,
    /// Where the payer goes afterwards, with the gateway's own parameters.
    back: Option<Url>,
    status: &'static str,
}

/// `GET /{gateway}/3ds/{id}` shows the page; `POST` settles: the form's `choice` and a redirect, or `/approve` and `/decline`.
pub(crate) async fn answer(sim: &Arc<Sim>, call: &Call) -> Reply {
    let segments = call.segments("");
    let (gateway, id, choice) = match segments.as_slice() {
        [gateway, "3ds", id] => (*gateway, *id, None),
        [gateway, "3ds", id, choice] => (*gateway, *id, Some(*choice)),
        _ => return missing(),
    };
    if find(sim, gateway, id).is_none() {
        return missing();
    }
    let form = url::form_urlencoded::parse(&call.body)
        .find(|(name, _)| name == "choice")
        .map(|(_, value)| value.into_owned());
    let approved = match (call.method.as_str(), choice.or(form.as_deref())) {
        ("GET", None) => return show(sim, gateway, id),
        ("POST", Some("approve")) => true,
        ("POST", Some("decline")) => false,
        _ => return Reply::text(400, "text/plain", "choice: approve or decline".to_owned()),
    };
    let letters = match gateway {
        "stripe" => stripe::door::authenticate(sim, id, approved),
        _ => simulated::work::authenticate(sim, id, approved),
    };
    let settled = letters.is_some();
    sim.send(letters.unwrap_or_default(), None).await;
    let Some(challenge) = find(sim, gateway, id) else {
        return missing();
    };
    match (choice, challenge.back) {
        // The form of the page: a browser, which wants to go back.
        (None, Some(back)) => {
            Reply::text(303, "text/plain", String::new()).with("location", back.as_str())
        }
        (None, None) => show(sim, gateway, id),
        (Some(_), _) => {
            let status = if settled { 200 } else { 409 };
            Reply::json(status, &json!({ "id": id, "status": challenge.status }))
        }
    }
}

fn find(sim: &Sim, gateway: &str, id: &str) -> Option<Challenge> {
    match gateway {
        "stripe" if id.starts_with("seti_") => set_up(sim, id),
        "stripe" => payment(sim, id),
        "simulated" if id.starts_with("sm_") => saving(sim, id),
        "simulated" => charge(sim, id),
        _ => None,
    }
}

fn payment(sim: &Sim, id: &str) -> Option<Challenge> {
    let world = sim.stripe();
    let intent = world.intents.get(id)?;
    let result = match intent.last_error {
        Some(_) => "failed",
        None => "succeeded",
    };
    Some(Challenge {
        amount: format!("{} {}", intent.amount, intent.currency.to_uppercase()),
        open: intent.status == stripe::intent::Status::RequiresAction,
        back: way_back(
            intent.return_url.as_deref(),
            &[
                ("payment_intent", &intent.id),
                ("payment_intent_client_secret", &intent.client_secret),
                ("redirect_status", result),
            ],
        ),
        status: intent.status.name(),
    })
}

fn set_up(sim: &Sim, id: &str) -> Option<Challenge> {
    let world = sim.stripe();
    let setup = world.setups.get(id)?;
    let result = match setup.last_error {
        Some(_) => "failed",
        None => "succeeded",
    };
    Some(Challenge {
        amount: "0".to_owned(),
        open: setup.status == stripe::intent::Status::RequiresAction,
        back: way_back(
            setup.return_url.as_deref(),
            &[
                ("setup_intent", &setup.id),
                ("setup_intent_client_secret", &setup.client_secret),
                ("redirect_status", result),
            ],
        ),
        status: setup.status.name(),
    })
}

fn charge(sim: &Sim, id: &str) -> Option<Challenge> {
    let world = sim.simulated();
    let charge = world.charges.get(id)?;
    let status = charge.status.name();
    Some(Challenge {
        amount: format!("{} {}", charge.value, charge.currency),
        open: charge.status == simulated::world::Status::RequiresAction,
        back: way_back(
            charge.return_url.as_deref(),
            &[("charge", &charge.id), ("status", status)],
        ),
        status,
    })
}

fn saving(sim: &Sim, id: &str) -> Option<Challenge> {
    let world = sim.simulated();
    let saving = world.savings.get(id)?;
    let status = saving.status.name();
    Some(Challenge {
        amount: "0".to_owned(),
        open: saving.status.waits(),
        back: way_back(
            saving.return_url.as_deref(),
            &[("method", &saving.id), ("status", status)],
        ),
        status,
    })
}

fn way_back(return_url: Option<&str>, pairs: &[(&str, &str)]) -> Option<Url> {
    let mut back = Url::parse(return_url?).ok()?;
    back.query_pairs_mut().extend_pairs(pairs);
    Some(back)
}

fn show(sim: &Sim, gateway: &str, id: &str) -> Reply {
    let Some(challenge) = find(sim, gateway, id) else {
        return missing();
    };
    let inner = match challenge.open {
        true => format!(
            "<p>Your bank asks: is this payment yours?</p><p class=\"amount\">{} <small>(minor units)</small></p>\
             <form method=\"post\"><button name=\"choice\" value=\"approve\">Approve</button> \
             <button name=\"choice\" value=\"decline\" class=\"quiet\">Decline</button></form>",
            challenge.amount
        ),
        false => format!(
            "<p>Nothing to do here: this payment is <b>{}</b>.</p>",
            challenge.status
        ),
    };
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <link rel=\"icon\" href=\"data:,\"><title>Confirm your payment</title><style>{STYLE}</style>\
         <main><h1>Confirm your payment</h1>{inner}<footer>A simulated bank. No money moves.</footer></main></html>"
    );
    Reply::html(body)
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;background:#f3f4f6;color:#111827;display:grid;place-items:center;min-height:100vh;margin:0}\
main{background:#fff;border-radius:12px;box-shadow:0 4px 24px #0002;padding:2rem 2.5rem;max-width:22rem;text-align:center}\
h1{font-size:1.25rem;margin:0 0 1rem}.amount{font-size:1.75rem;margin:.5rem 0 1.25rem}small{font-size:.75rem;color:#6b7280}\
button{font:inherit;padding:.6rem 1.4rem;border-radius:8px;border:1px solid #166534;background:#166534;color:#fff;cursor:pointer}\
button.quiet{background:#fff;color:#991b1b;border-color:#991b1b}footer{margin-top:1.5rem;font-size:.75rem;color:#6b7280}";

fn missing() -> Reply {
    Reply::text(404, "text/plain", "no such payment".to_owned())
}
