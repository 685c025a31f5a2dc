// The elements of the page: what is shown, never why.
const by = (id) => {
    const element = document.getElementById(id);
    if (!element)
        throw new Error(`the page has no #${id}`);
    return element;
};
let isReady = false;
let isTest = false;
let act = () => { };
/** Whether no money moves: then there are cards to try. */
export function testMode(is) {
    isTest = is;
    by("tests").hidden = !is;
}
export function order(id, price) {
    by("order-id").textContent = String(id);
    for (const place of document.querySelectorAll("[data-price]"))
        place.textContent = price;
}
export function ready() {
    isReady = true;
    busy(false);
}
/** The button, while the card is checked. */
export function busy(isBusy) {
    const button = by("submit");
    button.disabled = isBusy || !isReady;
    button.setAttribute("aria-busy", String(isBusy));
}
export function alert(said) {
    by("alert").hidden = said === null;
    by("alert").className = said?.tone === "wait" ? "alert wait" : "alert";
    by("alert-title").textContent = said?.title ?? "";
    by("alert-text").textContent = said?.text ?? "";
}
/** The form again, with what went wrong before. */
export function form(said) {
    alert(said);
    by("status").hidden = true;
    by("form").hidden = false;
    testMode(isTest);
    by("live").textContent = "";
}
/** How the payment stands, in place of the form. */
export function status(said, { canAct, receipt }) {
    const wasForm = by("status").hidden;
    const couldAct = !by("act").hidden;
    const isNew = by("status-text").textContent !== said.text;
    alert(null);
    by("form").hidden = true;
    by("status").hidden = false;
    by("tests").hidden = true;
    by("mark").className = `mark ${said.tone}`;
    by("status-title").textContent = said.title;
    by("status-text").textContent = said.text;
    by("act").hidden = !canAct;
    if (isNew)
        by("live").textContent = `${said.title}. ${said.text}`;
    showReceipt(receipt);
    if (canAct && !couldAct)
        by("act").focus();
    else if (wasForm || (isNew && said.tone === "good"))
        by("status-title").focus();
}
function showReceipt(receipt) {
    by("receipt").hidden = receipt === null;
    const rows = Object.entries(receipt ?? {}).map(([name, value]) => {
        const row = document.createElement("div");
        const term = document.createElement("dt");
        const said = document.createElement("dd");
        term.textContent = name;
        said.textContent = value;
        row.append(term, said);
        return row;
    });
    by("receipt").replaceChildren(...rows);
}
export function keepsCard() {
    return by("keep").checked;
}
export function onSubmit(submit) {
    by("form").addEventListener("submit", (event) => {
        event.preventDefault();
        submit();
    });
    by("act").addEventListener("click", () => act());
}
export function onAct(handler) {
    act = handler;
}
