//! The requirements as they are listed: what there is to show, and which shops claim to show all of it.

/// The list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Requirements {
    /// The shops that are finished, and the single requirements of others that are.
    pub(super) done: Vec<String>,
    pub(super) shops: Vec<Shop>,
}

/// A shop, or the capabilities of all.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shop {
    /// What its ids begin with.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) lines: Vec<Line>,
}

/// A requirement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) text: String,
}

// === impl Requirements ===

impl Requirements {
    /// Reads `done SHOP`, `done SHOP-ID`, `shop SHOP title` and `SHOP-ID text`, one to a line.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut list = Self::default();
        for (line, number) in text.lines().zip(1..) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            list.add(line).ok_or_else(|| format!("line {number} is none of done, shop or a requirement: {line}"))?;
        }
        let known = |name: &String| {
            list.shops.iter().any(|shop| shop.name == *name || shop.lines.iter().any(|line| line.id == *name))
        };
        match list.done.iter().find(|name| !known(name)) {
            Some(name) => Err(format!("{name} is done, and there is no such shop or requirement")),
            None => Ok(list),
        }
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let (word, rest) = line.split_once(' ')?;
        match word {
            "done" => self.done.push(rest.trim().into()),
            "shop" => {
                let (name, title) = rest.split_once(' ')?;
                self.shops.push(Shop { name: name.into(), title: title.into(), lines: Vec::new() });
            }
            id => {
                let shop = self.shops.last_mut()?;
                id.strip_prefix(shop.name.as_str())?.strip_prefix('-')?;
                shop.lines.push(Line { id: id.into(), text: rest.into() });
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_is_told_why() {
        for bad in ["CAFE-A1 x", "shop CAFE Coffee\nSTORE-A1 x", "done TEA", "shop"] {
            assert!(Requirements::parse(bad).is_err(), "{bad}");
        }
    }
}
