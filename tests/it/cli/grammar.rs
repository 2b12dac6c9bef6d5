//! The grammar: what is understood, what is not, and that the words about it in the documentation are true.

use std::collections::BTreeSet;
use std::fs;

use clap::Command;
use mintmark::cli;

use super::call;

/// Every verb that does something, by its whole name: `client create`.
fn verbs() -> BTreeSet<String> {
    fn collect(command: &Command, prefix: &str, found: &mut BTreeSet<String>) {
        for verb in command.get_subcommands() {
            let name = format!("{prefix}{}", verb.get_name());
            if verb.has_subcommands() {
                collect(verb, &format!("{name} "), found);
            } else {
                found.insert(name);
            }
        }
    }
    let mut found = BTreeSet::new();
    collect(&cli::command(), "", &mut found);
    found
}

fn documentation() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/CLI.md")).unwrap()
}

#[test]
fn the_grammar_is_consistent() {
    cli::command().debug_assert();
}

#[test]
fn the_documentation_has_a_heading_for_every_verb_and_no_other() {
    let documented: BTreeSet<_> = documentation()
        .lines()
        .filter_map(|line| {
            line.strip_prefix("### `mintmark ")?
                .strip_suffix('`')
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(documented, verbs());
}

#[test]
fn every_example_of_the_documentation_is_understood_and_shows_its_own_verb() {
    let text = documentation();
    let mut shown = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("$ mintmark ")) {
        let line = line.split(" > ").next().unwrap();
        let words = std::iter::once("mintmark".to_owned()).chain(shell_words(line));
        let matched = cli::command()
            .try_get_matches_from(words)
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        let mut name = Vec::new();
        let mut matches = &matched;
        while let Some((verb, inner)) = matches.subcommand() {
            name.push(verb);
            matches = inner;
        }
        shown.insert(name.join(" "));
    }
    assert_eq!(shown, verbs());
}

/// Words separated by spaces, double quotes around those that hold some.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for character in line.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    words
}

#[test]
fn no_argument_takes_a_secret() {
    fn look(command: &Command) {
        for argument in command.get_arguments() {
            let name = argument.get_id().as_str();
            let holds_none = [
                "token_file",
                "secret_id",
                "token_lifetime",
                "default_token_lifetime",
                "token_endpoint_auth_method",
            ];
            let sounds_like_one = ["token", "password", "secret", "pem"]
                .iter()
                .any(|word| name.contains(word));
            assert!(
                !sounds_like_one || holds_none.contains(&name) || name.contains("tokens_per_"),
                "{} {name}",
                command.get_name()
            );
            assert!(argument.get_env().is_none(), "{name}: variables are read in one place");
        }
        command.get_subcommands().for_each(look);
    }
    let mut command = cli::command();
    command.build();
    look(&command);
}

#[test]
fn what_is_not_understood_exits_with_2_and_says_why() {
    for arguments in [
        &[][..],
        &["sever"],
        &["serve", "--port", "1"],
        &["partner"],
        &["partner", "show"],
        &["partner", "show", "Not A Slug"],
        &["partner", "change", "acme"],
        &["partner", "list", "--limit", "0"],
        &["api", "show", "orders"],
        &["api", "show", "orders", "--environment", "staging"],
        &[
            "client",
            "create",
            "--environment",
            "qa",
            "--name",
            "x",
            "--contact",
            "a@example.com",
        ],
        &[
            "client",
            "create",
            "--partner",
            "acme",
            "--environment",
            "qa",
            "--name",
            "x",
            "--contact",
            "a@example.com",
        ],
        &[
            "client",
            "create",
            "--api",
            "orders",
            "--full",
            "--environment",
            "qa",
            "--name",
            "x",
            "--contact",
            "a@example.com",
        ],
        &["client", "change", "qa-acme-1"],
        &["client", "change", "qa-acme-1", "--full", "--scope", "a"],
        &["client", "change", "qa-acme-1", "--token-lifetime", "59"],
        &[
            "client",
            "change",
            "qa-acme-1",
            "--expires-at",
            "tomorrow",
            "--never-expires",
        ],
        &["secret", "retire", "qa-acme-1"],
        &["key", "rotate"],
        &["completions", "dos"],
    ] {
        let called = call(arguments, &[]).exits(2);
        assert!(
            called.out.is_empty() && !called.err.is_empty(),
            "{arguments:?} {called:?}"
        );
    }
}

#[test]
fn help_and_version_are_results() {
    let help = call(&["--help"], &[]).exits(0);
    assert!(help.err.is_empty());
    for line in ["Exit codes:", "  3  there is no such thing"] {
        assert!(help.out.lines().any(|found| found == line), "{line} in {}", help.out);
    }
    let version = call(&["--version"], &[]).exits(0);
    assert_eq!(version.out, concat!("mintmark ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn completions_know_the_verbs_and_their_options() {
    for shell in ["bash", "zsh", "fish"] {
        let script = call(&["completions", shell], &[]).exits(0).out;
        for word in ["introduce", "reinstate", "idempotency-key", "production"] {
            assert_eq!(script.contains(word), word != "introduce", "{shell} {word}");
        }
    }
}

#[test]
fn the_description_of_the_api_is_printed_as_it_is_served() {
    let printed = call(&["openapi"], &[]).exits(0);
    assert_eq!(printed.json()["openapi"], "3.1.0");
    assert_eq!(printed.out, mintmark::http::admin::OPENAPI);
}
