//! Lists, page by page: the rows of one page, and the ways to the first and to the next with the same filters.

use url::form_urlencoded::Serializer;

use crate::store::Page;

/// How many lines a list has.
const LINES: u16 = 50;
/// How many of them stand on the page of what they belong to.
const SOME: u16 = 20;

/// What to ask for: one row more than is shown, to know whether there is a further page.
pub(super) const fn piece<K>(after: Option<K>) -> Page<K> {
    Page {
        after,
        limit: LINES + 1,
    }
}

/// The same for the beginning of a list, on the page of what it belongs to.
pub(super) const fn some<K>() -> Page<K> {
    Page::first(SOME + 1)
}

/// Where a list is, and what it is narrowed by.
pub(super) struct Way<'a> {
    path: &'static str,
    filters: Vec<(&'static str, &'a str)>,
}

impl<'a> Way<'a> {
    /// To the list at `path`, with those filters that have a value.
    pub(super) fn new(path: &'static str, filters: &[(&'static str, Option<&'a str>)]) -> Self {
        let filters = filters.iter().filter_map(|(name, value)| Some((*name, (*value)?)));
        Self {
            path,
            filters: filters.collect(),
        }
    }

    fn after(&self, key: Option<&str>) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(key.map(|key| ("after", key)));
        let query = query.extend_pairs(&self.filters).finish();
        if query.is_empty() {
            self.path.to_owned()
        } else {
            format!("{}?{query}", self.path)
        }
    }
}

/// One page of a list.
pub(super) struct Leaf<T> {
    /// What it shows.
    pub(super) rows: Vec<T>,
    /// The way to the first page, unless this is it.
    pub(super) first: Option<String>,
    /// The way to the next, where there is one.
    pub(super) next: Option<String>,
}

impl<T> Leaf<T> {
    /// Of the rows that were read for a [`piece`], which begins after a row or with the first.
    pub(super) fn new(mut rows: Vec<T>, is_first: bool, way: &Way<'_>, key: impl Fn(&T) -> String) -> Self {
        let is_more = rows.len() > usize::from(LINES);
        rows.truncate(LINES.into());
        let last = rows.last().filter(|_| is_more);
        Self {
            first: (!is_first).then(|| way.after(None)),
            next: last.map(|row| way.after(Some(&key(row)))),
            rows,
        }
    }

    /// Of the rows that were read for [`some`]: it goes on in the list itself, from its first row.
    pub(super) fn beginning(mut rows: Vec<T>, way: &Way<'_>) -> Self {
        let is_more = rows.len() > usize::from(SOME);
        rows.truncate(SOME.into());
        Self {
            first: None,
            next: is_more.then(|| way.after(None)),
            rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_on_keeps_what_the_list_is_narrowed_by() {
        let way = Way::new("/list", &[("status", None), ("search", Some("a&b=%"))]);
        let leaf = Leaf::new(vec!["x"; 51], false, &way, ToString::to_string);
        assert_eq!(leaf.rows.len(), 50);
        assert_eq!(leaf.next.as_deref(), Some("/list?after=x&search=a%26b%3D%25"));
        assert_eq!(leaf.first.as_deref(), Some("/list?search=a%26b%3D%25"));
        let leaf = Leaf::new(vec!["x"; 50], true, &Way::new("/list", &[]), ToString::to_string);
        assert_eq!((leaf.rows.len(), leaf.next, leaf.first), (50, None, None));
    }
}
