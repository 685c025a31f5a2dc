//! Stripe's request bodies: form fields, nested by brackets (`metadata[payment_id]=…`), in the order they are added.

use url::form_urlencoded;

/// A body under construction. The same calls in the same order give the same bytes.
pub(super) struct Form(form_urlencoded::Serializer<'static, String>);

impl Form {
    pub(super) fn new() -> Form {
        Form(form_urlencoded::Serializer::new(String::new()))
    }

    pub(super) fn field(mut self, name: &str, value: &str) -> Form {
        self.0.append_pair(name, value);
        self
    }

    /// Adds the field only when it has a value: an empty one would unset it at Stripe.
    pub(super) fn maybe(self, name: &str, value: Option<&str>) -> Form {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    pub(super) fn bytes(mut self) -> String {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn brackets_and_values_are_escaped() {
        let form = Form::new()
            .field("metadata[payment_id]", "a&b=c d")
            .maybe("return_url", None)
            .maybe("customer", Some("cus_1"));
        assert_eq!(
            form.bytes(),
            "metadata%5Bpayment_id%5D=a%26b%3Dc+d&customer=cus_1"
        );
    }

    proptest! {
        #[test]
        fn a_value_never_becomes_a_second_field(value in "\\PC*") {
            let bytes = Form::new().field("a", &value).field("b", "1").bytes();
            let read: Vec<(String, String)> = form_urlencoded::parse(bytes.as_bytes()).into_owned().collect();
            prop_assert_eq!(read, vec![("a".to_owned(), value), ("b".to_owned(), "1".to_owned())]);
        }
    }
}
