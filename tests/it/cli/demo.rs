//! The demonstration, as the real program.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use super::Installation;

#[test]
fn every_step_holds_and_nothing_is_left_behind() {
    let installation = Installation::new();
    let folder = installation.path().join("tmp");
    fs::create_dir(&folder).unwrap();
    let installation = installation.with("TMPDIR", folder.to_str().unwrap());
    let shown = installation.run(&["demo", "--once"]).exits(0);
    assert_eq!(shown.err, "");
    let steps = shown.out.lines().filter(|line| line.starts_with("  ✓ ")).count();
    assert!(steps >= 40, "{}", shown.out);
    assert!(
        !shown.out.contains('✗') && !shown.out.contains('\u{1b}'),
        "{}",
        shown.out
    );
    assert!(
        shown.out.ends_with(&format!("\nAll {steps} steps held.\n")),
        "{}",
        shown.out
    );
    // Every step has the line that repeats it.
    let by_hand = shown
        .out
        .lines()
        .filter(|line| line.starts_with("      $ curl -s "))
        .count();
    assert_eq!(by_hand, steps);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "the scratch folder is gone");
    assert_eq!(
        fs::read_dir(installation.path()).unwrap().count(),
        1,
        "nothing was made here"
    );
}

#[test]
fn it_heeds_no_settings() {
    let installation = Installation::new()
        .with("MINTMARK_DATABASE__URL", "postgres://nobody@127.0.0.1:1/nothing")
        .with("MINTMARK_NO_SUCH_SETTING", "1");
    installation.run(&["demo", "--once"]).exits(0);
}

#[test]
fn it_stays_up_until_it_is_interrupted_and_leaves_nothing_behind() {
    let installation = Installation::new();
    let folder = installation.path().join("tmp");
    fs::create_dir(&folder).unwrap();
    let installation = installation.with("TMPDIR", folder.to_str().unwrap());
    let mut child = installation.command(&["demo"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let stays = lines
        .find(|line| line.starts_with("The server stays up until Ctrl-C"))
        .unwrap();
    let admin = stays.split("admin API at ").nth(1).unwrap().split(". ").next().unwrap();
    let health = ureq::get(format!("{admin}/readyz")).call().unwrap();
    assert_eq!(health.status(), 200);
    let pages = lines.find(|line| line.starts_with("All of it on pages: ")).unwrap();
    let (link, token) = pages
        .split_once("open ")
        .unwrap()
        .1
        .split_once(" and sign in with ")
        .unwrap();
    assert_eq!(link, format!("{admin}/console"));
    let agent = ureq::Agent::config_builder().max_redirects(0).build().new_agent();
    let answer = agent
        .post(format!("{link}/sign-in"))
        .header("Sec-Fetch-Site", "same-origin")
        .send_form([("token", token)])
        .unwrap();
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    let page = agent
        .get(format!("{link}/partners"))
        .header("Cookie", cookie)
        .call()
        .unwrap();
    let page = page.into_body().read_to_string().unwrap();
    assert!(
        page.contains("/console/partners/acme") && page.contains("Globex"),
        "{page}"
    );
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "the scratch folder is gone");
}
