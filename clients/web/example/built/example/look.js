// How money and Stripe's form look.
/** An amount in minor units, in the payer's own language. */
export function money({ value, currency }) {
    const format = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency });
    return format.format(value / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}
const dark = matchMedia("(prefers-color-scheme: dark)");
/** Calls back when the payer's system changes between light and dark. */
export function onDark(changed) {
    dark.addEventListener("change", changed);
}
/** Stripe's form in the page's own colours (Elements Appearance API). */
export function appearance() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    return {
        theme: dark.matches ? "night" : "stripe",
        variables: {
            colorPrimary: colour("--accent"),
            colorBackground: colour("--field"),
            colorText: colour("--text"),
            colorTextSecondary: colour("--quiet"),
            colorTextPlaceholder: colour("--quiet"),
            colorDanger: colour("--bad"),
            borderRadius: "10px",
            fontSizeBase: "16px",
        },
    };
}
