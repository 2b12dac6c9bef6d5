//! `demo`: a whole installation in a temporary folder, and the story of two partners told over real HTTP.
//!
//! Every step says what happened and how to repeat it by hand, and fails the run when it is not what was expected. The
//! secrets it prints open nothing but this scratch installation, which is removed at the end.

mod cast;
mod curl;
mod scenes;
mod scratch;
mod stage;
mod story;

use std::net::{Ipv4Addr, TcpListener};

use actix_web::rt::{self, System, signal};
use clap::Args;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Invocation;
use super::failure::Failure;
use super::first_operator;
use super::output::Output;
use crate::app::{self, Ambient, AppError, Running};
use crate::config::Settings;
use crate::console::PREFIX;
use crate::domain::{Role, Secret};
use scratch::Scratch;
use stage::Stage;

/// Show everything at once: a scratch server, two partners, tokens, a rotation, a revocation, the journal
#[derive(Args, Debug)]
pub(super) struct Demo {
    /// End when every step held, in place of staying up until Ctrl-C
    #[arg(long)]
    once: bool,
}

/// Ports that people expect.
const PORTS: (u16, u16) = (8080, 8081);

/// What reaches the terminal while the story is told on a thread of its own.
enum Told {
    /// Some lines of it.
    Lines(String),
    /// It came to its end: with what to try next, or with the step that did not hold.
    Ended(Result<Vec<String>, Failure>),
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

impl Demo {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let ambient = invocation.ambient.clone();
        let output = &mut invocation.output;
        System::new().block_on(async {
            let Standing {
                running,
                token,
                scratch,
            } = stand(&ambient).await?;
            output.block(PREFACE)?;
            let played = play(&running, &ambient, &token, output).await;
            let ended = match played {
                Ok(Some(next)) if !self.once => {
                    epilogue((&running, &token), &next, output)?;
                    running.until_signal().await.map_err(Failure::from)
                }
                ended => {
                    running.stop().await;
                    ended.map(drop)
                }
            };
            drop(scratch);
            ended
        })
    }
}

/// A scratch server, its operator's token, and the folder it lives in.
struct Standing {
    running: Running,
    token: Secret,
    scratch: Scratch,
}

/// How often ports are sought. Somebody else may take one between the moment it was found free and the moment it is used.
const ATTEMPTS: usize = 5;

/// Starts a server in a folder of its own: on the ports people expect, or where there is room.
async fn stand(ambient: &Ambient) -> Result<Standing, Failure> {
    let mut preferred = PORTS;
    for _ in 0..ATTEMPTS {
        let scratch = Scratch::create(&*ambient.entropy)?;
        let settings = settings(&scratch, preferred)?;
        let email = "ada@example.com".parse().expect("this is an address");
        let made = first_operator::create(&settings, ambient, email, Role::Owner)?;
        let token = made.token.expect("an operator is made with a token");
        match app::start(&settings, ambient.clone()).await {
            Ok(running) => {
                return Ok(Standing {
                    running,
                    token,
                    scratch,
                });
            }
            Err(AppError::Listen { .. }) => preferred = (0, 0),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::failed("no two ports of the loopback address stay free"))
}

const PREFACE: &str = "\
This is Mintmark with a scratch store, scratch keys and no settings of yours. The commands below show its secrets so that
you can repeat them; they open nothing else and are gone at the end.";

/// Plays the story and prints it as it goes. Gives what to try next, or nothing when it was interrupted.
async fn play(
    running: &Running,
    ambient: &Ambient,
    token: &Secret,
    output: &mut Output<'_>,
) -> Result<Option<Vec<String>>, Failure> {
    let (tell, told) = unbounded_channel();
    let interruption = rt::spawn(interruption(tell.clone()));
    let lines = tell.clone();
    let mut stage = Stage::new(
        (running.public_address(), running.admin_address()),
        token.expose(),
        ambient,
        Box::new(move |text| said(&lines, Told::Lines(text))),
    )?;
    let story = rt::task::spawn_blocking(move || said(&tell, Told::Ended(story::tell(&mut stage))));
    let ended = listen(told, output).await;
    interruption.abort();
    match (ended, story.await) {
        (Ok(Some(_)) | Err(_), Err(panicked)) => Err(Failure::failed(panicked.to_string())),
        (ended, _) => ended,
    }
}

/// Whoever no longer listens has ended the program.
fn said(tell: &UnboundedSender<Told>, told: Told) {
    drop(tell.send(told));
}

async fn interruption(tell: UnboundedSender<Told>) {
    if signal::ctrl_c().await.is_ok() {
        said(&tell, Told::Interrupted);
    }
}

async fn listen(mut told: UnboundedReceiver<Told>, output: &mut Output<'_>) -> Result<Option<Vec<String>>, Failure> {
    while let Some(told) = told.recv().await {
        match told {
            Told::Lines(text) => output.block(&text)?,
            Told::Ended(ended) => return ended.map(Some),
            Told::Interrupted => return Ok(None),
        }
        output.flush()?;
    }
    Err(Failure::failed("the story broke off"))
}

fn epilogue((running, token): (&Running, &Secret), next: &[String], output: &mut Output<'_>) -> Result<(), Failure> {
    output.line("")?;
    output.line(&format!(
        "The server stays up until Ctrl-C: OAuth endpoints at http://{}, admin API at http://{}. Try:",
        running.public_address(),
        running.admin_address(),
    ))?;
    next.iter().try_for_each(|line| output.line(&format!("  $ {line}")))?;
    output.line("")?;
    output.line(&format!(
        "All of it on pages: open http://{}{PREFIX} and sign in with {}",
        running.admin_address(),
        token.expose()
    ))?;
    output.flush()?;
    Ok(())
}

/// Everything in the scratch folder, both listeners on loopback.
fn settings(scratch: &Scratch, preferred: (u16, u16)) -> Result<Settings, Failure> {
    let (public, admin) = free_ports(preferred)?;
    let folder = scratch.path().display();
    let variables = [
        ("MINTMARK_PUBLIC_URL", format!("http://127.0.0.1:{public}")),
        ("MINTMARK_LISTEN__PUBLIC", format!("127.0.0.1:{public}")),
        ("MINTMARK_LISTEN__ADMIN", format!("127.0.0.1:{admin}")),
        ("MINTMARK_DATABASE__URL", format!("sqlite:{folder}/mintmark.db")),
        // A machine that is busy compiling is slow, and slowness is not what is shown here.
        ("MINTMARK_DATABASE__TIMEOUT", "10s".to_owned()),
        ("MINTMARK_KEYS__MASTER_KEY_FILE", format!("{folder}/master.key")),
    ];
    Settings::from_environment(variables.map(|(name, value)| (name.to_owned(), value)))
        .map_err(|refused| Failure::failed(refused.to_string()))
}

/// The issuer's name holds the port, so the ports are chosen before the server stands.
fn free_ports(preferred: (u16, u16)) -> Result<(u16, u16), Failure> {
    let bind = |preferred| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, preferred))
            .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .map_err(|error| Failure::failed(format!("no port on the loopback address: {error}")))
    };
    let (public, admin) = (bind(preferred.0)?, bind(preferred.1)?);
    Ok((public.local_addr()?.port(), admin.local_addr()?.port()))
}
