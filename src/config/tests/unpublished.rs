//! What Cleeng does not publish is configuration: its words and names are checked as far as they can be.

use super::with;

#[test]
fn a_word_of_cleengs_that_cannot_be_is_a_fault() {
    for (variable, value, problem) in [
        ("TERMINATION", "put", "not one of the words"),
        ("TERMINATION_TYPE", "usercancel", "did you mean"),
        (
            "REFUND_AMOUNT_FIELD",
            "the amount",
            "not the name of a field",
        ),
        ("REFUND_AMOUNT_FIELD", "", "not the name of a field"),
        ("REFUND_AMOUNT_FIELD", "status", "another field"),
        ("REFUND_TYPE_FIELD", "amount", "the same field"),
    ] {
        let variable = format!("CONNECTOR_CLEENG__{variable}");
        let told = with(None, &[(&variable, value)]).unwrap_err().to_string();
        assert!(told.contains(problem) && told.contains(&variable), "{told}");
    }
}

#[test]
fn a_refunds_fields_are_called_as_cleeng_says() {
    let named = [
        ("CONNECTOR_CLEENG__REFUND_AMOUNT_FIELD", "refundAmount"),
        ("CONNECTOR_CLEENG__REFUND_TYPE_FIELD", "refundType"),
    ];
    let fields = with(None, &named).unwrap().cleeng.refund_fields;
    assert_eq!(fields.amount, "refundAmount");
    assert_eq!(fields.kind, "refundType");
}
