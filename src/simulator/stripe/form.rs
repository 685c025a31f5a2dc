//! Form bodies with nested keys in brackets, decoded into a tree: `metadata[a]=1`, `expand[]=x`, `types[0]=card`.

use std::collections::BTreeMap;

/// A decoded form. A map is also what an indexed list decodes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    Leaf(String),
    List(Vec<Form>),
    Map(BTreeMap<String, Form>),
}

/// The whole form; `Err` names the parameter whose brackets make no sense.
pub(crate) fn decode(text: &[u8]) -> Result<BTreeMap<String, Form>, String> {
    let mut root = BTreeMap::new();
    for (key, value) in url::form_urlencoded::parse(text) {
        let path = path(&key).ok_or_else(|| key.to_string())?;
        let mut path = path.into_iter();
        let first = path.next().ok_or_else(|| key.to_string())?;
        let rest: Vec<String> = path.collect();
        let place = root.remove(&first);
        let grown = grow(place, &rest, &value).ok_or_else(|| key.to_string())?;
        root.insert(first, grown);
    }
    Ok(root)
}

/// `a[b][]` as `a`, `b`, and nothing.
fn path(key: &str) -> Option<Vec<String>> {
    let Some((first, rest)) = key.split_once('[') else {
        return Some(vec![key.to_owned()]);
    };
    let rest = rest.strip_suffix(']')?;
    let mut path = vec![first.to_owned()];
    path.extend(rest.split("][").map(str::to_owned));
    Some(path)
}

/// Puts the value at the path below `place`; nothing when something else is there.
fn grow(place: Option<Form>, path: &[String], value: &str) -> Option<Form> {
    let Some((first, rest)) = path.split_first() else {
        return match place {
            None => Some(Form::Leaf(value.to_owned())),
            Some(_) => None,
        };
    };
    match (place, first.is_empty()) {
        (None, true) => Some(Form::List(vec![grow(None, rest, value)?])),
        (Some(Form::List(mut list)), true) => {
            list.push(grow(None, rest, value)?);
            Some(Form::List(list))
        }
        (None, false) => {
            let below = grow(None, rest, value)?;
            Some(Form::Map(BTreeMap::from([(first.clone(), below)])))
        }
        (Some(Form::Map(mut map)), false) => {
            let below = map.remove(first);
            map.insert(first.clone(), grow(below, rest, value)?);
            Some(Form::Map(map))
        }
        (Some(_), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_become_a_tree() {
        let form =
            decode(b"amount=5&metadata[a]=1&metadata[b]=x%20y&expand[]=p&expand[]=q").unwrap();
        assert_eq!(form["amount"], Form::Leaf("5".to_owned()));
        let Form::Map(metadata) = &form["metadata"] else {
            panic!("no map")
        };
        assert_eq!(metadata["b"], Form::Leaf("x y".to_owned()));
        let Form::List(expand) = &form["expand"] else {
            panic!("no list")
        };
        assert_eq!(expand.len(), 2);
    }

    #[test]
    fn a_parameter_given_twice_is_refused() {
        assert_eq!(decode(b"amount=1&amount=2"), Err("amount".to_owned()));
    }
}
