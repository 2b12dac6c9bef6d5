//! Which key was meant by one that does not exist.

/// Below this likeness a suggestion would puzzle more than help.
const LEAST_LIKENESS: f64 = 0.7;

/// The known key most like `unknown`, whether it was misspelled or put into the wrong section.
pub(super) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let unknown = unknown.to_ascii_lowercase();
    known
        .into_iter()
        .map(|key| (key, likeness(&unknown, key)))
        .filter(|(_, likeness)| *likeness >= LEAST_LIKENESS)
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
        .map(|(key, _)| key)
}

fn likeness(unknown: &str, key: &str) -> f64 {
    let last = |dotted: &str| dotted.rsplit('.').next().unwrap_or_default().to_owned();
    let misspelled = strsim::jaro_winkler(unknown, key);
    let misplaced = strsim::jaro_winkler(&last(unknown), &last(key)) * 0.95;
    misspelled.max(misplaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_or_misplaced_key_is_recognised() {
        let known = [
            "public_url",
            "listen.public",
            "database.url",
            "database.url_file",
            "database.pool_size",
            "tokens.lifetime",
            "log.level",
        ];
        for (unknown, meant) in [
            ("databse.url", "database.url"),
            ("database_url", "database.url"),
            ("database.poolsize", "database.pool_size"),
            ("pool_size", "database.pool_size"),
            ("token.lifetime", "tokens.lifetime"),
            ("lifetime", "tokens.lifetime"),
            ("loglevel", "log.level"),
            ("Public_URL", "public_url"),
        ] {
            assert_eq!(nearest(unknown, known), Some(meant), "{unknown}");
        }
        assert_eq!(nearest("zzz", known), None);
    }
}
