//! A source file as the rules see it: its text, and its words without comments, strings and characters.

use std::fmt;
use std::fs;
use std::path::Path;

/// One word or sign of the code, and the line it stands on, counted from 1.
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// A file, named by its path from the root of the project, with `/` between folders.
pub struct Source {
    pub path: String,
    pub text: String,
    pub tokens: Vec<Token>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let tokens = tokens(&without_prose(text));
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            tokens,
        }
    }

    /// The word at `index`, or nothing past the end.
    pub fn word(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| &token.text)
    }

    /// Whether the words from `index` on are exactly `words`.
    pub fn reads(&self, index: usize, words: &[&str]) -> bool {
        words
            .iter()
            .enumerate()
            .all(|(offset, word)| self.word(index + offset) == *word)
    }

    /// What is wrong with this file at `line`.
    pub fn finding(&self, line: usize, fault: impl Into<String>) -> Finding {
        Finding {
            path: self.path.clone(),
            line,
            fault: fault.into(),
        }
    }
}

/// A broken rule and where: printed as `path:line: fault`, which editors can follow.
pub struct Finding {
    path: String,
    line: usize,
    fault: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.fault)
    }
}

/// The paths of all files under `folder` of `root`, relative to `root` and sorted. A folder that is not there holds none.
pub fn files(root: &Path, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(root.join(&folder)) else {
            continue;
        };
        for entry in entries {
            let entry = entry.expect("a folder of the project can be listed");
            let path = format!(
                "{folder}/{}",
                entry.file_name().to_str().expect("file names here are UTF-8")
            );
            if entry.file_type().expect("an entry has a type").is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The Rust sources under `folder` of `root`.
pub fn sources(root: &Path, folder: &str) -> Vec<Source> {
    files(root, folder)
        .iter()
        .filter(|path| path.rsplit('.').next() == Some("rs"))
        .map(|path| {
            Source::new(
                path,
                &fs::read_to_string(root.join(path)).expect("a source is readable UTF-8"),
            )
        })
        .collect()
}

/// The text with every comment, string and character blanked; lines keep their numbers.
fn without_prose(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = prose_end(&chars, at).unwrap_or(at);
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Where the comment, string or character that begins at `at` ends, if one begins there.
fn prose_end(chars: &[char], at: usize) -> Option<usize> {
    let next = chars.get(at + 1).copied();
    let starts_word = at == 0 || !is_word(chars[at - 1]) || matches!(chars[at - 1], 'b' | 'c');
    match chars[at] {
        '/' if next == Some('/') => Some(find(chars, at, "\n")),
        '/' if next == Some('*') => Some(block_comment_end(chars, at)),
        '"' => Some(quoted_end(chars, at, '"')),
        'r' if starts_word => {
            let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
            (chars.get(at + 1 + hashes) == Some(&'"')).then(|| {
                let close = format!("\"{}", "#".repeat(hashes));
                (find(chars, at + 2 + hashes, &close) + close.len()).min(chars.len())
            })
        }
        // A lifetime has no closing quote.
        '\'' if next == Some('\\') || chars.get(at + 2) == Some(&'\'') => Some(quoted_end(chars, at, '\'')),
        _ => None,
    }
}

/// The index of `needle` at or after `from`, or the end.
fn find(chars: &[char], from: usize, needle: &str) -> usize {
    let needle: Vec<char> = needle.chars().collect();
    (from..chars.len())
        .find(|at| chars[*at..].starts_with(&needle))
        .unwrap_or(chars.len())
}

fn quoted_end(chars: &[char], open: usize, quote: char) -> usize {
    let mut at = open + 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn block_comment_end(chars: &[char], open: usize) -> usize {
    let mut depth = 0;
    let mut at = open;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(chars.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn tokens(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if is_word(first) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            let (word, after) = rest.split_at(length);
            tokens.push(Token {
                text: word.to_owned(),
                line: index + 1,
            });
            rest = after.trim_start();
        }
    }
    tokens
}

#[test]
fn comments_strings_and_characters_are_not_code() {
    let source = Source::new(
        "src/x.rs",
        "a // b\n/* c /* d */ e */ f \"g \\\" h\" br#\"i\" j\"# '\\'' 'k' fn l<'m>(n: &'m str) r#type",
    );
    let words: Vec<_> = source
        .tokens
        .iter()
        .map(|token| (token.text.as_str(), token.line))
        .collect();
    let expected = [
        "f", "b", "fn", "l", "<", "'", "m", ">", "(", "n", ":", "&", "'", "m", "str", ")", "r", "#", "type",
    ];
    assert_eq!(words[0], ("a", 1));
    assert_eq!(words[1..], expected.map(|word| (word, 2)));
}

#[test]
fn lines_keep_their_numbers_across_long_strings() {
    let source = Source::new("src/x.rs", "\"one\ntwo\nthree\";\nlast");
    let last = source.tokens.last().expect("a word is left");
    assert_eq!((last.text.as_str(), last.line), ("last", 4));
}
