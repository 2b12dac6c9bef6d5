//! What an operator should look at: a part of the overview. Each kind of thing is asked of the office, which bounds it; here it is only said.

use super::trouble::Trouble;
use super::visit::Visit;
use super::words;
use crate::domain::{
    ClientSecret, Ending, Environment, KeyState, NoticeKind, NoticeSubject, Operator, Role, Seconds, Timestamp,
};
use crate::office::{Extent, KeyOutlook, QuotaStanding};

/// How long before an end it is shown.
const DAYS: u32 = 30;
/// How many of a kind are shown.
const MOST: u16 = 10;
/// How long before the end of an operator's token it is shown.
const TOKEN_DAYS: Seconds = Seconds::from_days(14);
/// How long before a rotation it is shown.
const ROTATION_DAYS: Seconds = Seconds::from_days(7);
/// How late a rotation may be before somebody should look: housekeeping takes its turn every few minutes.
const LATE: Seconds = Seconds(3600);

/// How soon somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Now.
    Now,
    /// In time.
    Soon,
    /// When there is time.
    Sometime,
}

impl Urgency {
    /// In a word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Soon => "soon",
            Self::Sometime => "when there is time",
        }
    }

    /// How it looks.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Now => "bad",
            Self::Soon => "warn",
            Self::Sometime => "calm",
        }
    }
}

/// One thing to look at.
#[derive(Debug)]
pub(super) struct Matter {
    pub(super) urgency: Urgency,
    /// What it is.
    pub(super) told: String,
    /// Where it is.
    pub(super) way: String,
}

/// Things of one kind.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) matters: Vec<Matter>,
    /// How far was looked, where that was not to the end.
    pub(super) bound: Option<&'static str>,
}

/// All there is to look at; each kind in which there is something.
pub(super) async fn groups(visit: &Visit) -> Result<Vec<Group>, Trouble> {
    let groups = [
        ends(visit).await?,
        spare(visit).await?,
        quotas(visit).await?,
        keys(visit).await?,
        operators(visit).await?,
    ];
    let is_something = |group: &Group| !group.matters.is_empty();
    Ok(groups.into_iter().filter(is_something).collect())
}

async fn ends(visit: &Visit) -> Result<Group, Trouble> {
    let (mut all, mut extent) = (Vec::new(), Extent::Whole);
    for kind in NoticeKind::ALL {
        let found = visit.office().coming_ends(visit.who(), kind, (DAYS, MOST)).await?;
        all.extend(found.found);
        if found.extent == Extent::Bounded {
            extent = Extent::Bounded;
        }
    }
    all.sort_by_key(|ending| ending.expires_at);
    let now = visit.now();
    Ok(Group {
        title: "Ending within 30 days",
        matters: all.iter().map(|ending| of_ending(ending, now)).collect(),
        bound: (extent == Extent::Bounded).then_some("The soonest ten of a kind are shown. There are more."),
    })
}

fn of_ending(ending: &Ending, now: Timestamp) -> Matter {
    let what = match &ending.subject {
        NoticeSubject::Secret { .. } => "A secret of ",
        NoticeSubject::Client => "",
    };
    let left = ending.expires_at.since(now);
    Matter {
        urgency: if left <= Seconds::from_days(7) {
            Urgency::Now
        } else {
            Urgency::Soon
        },
        told: format!(
            "{what}{} ends on {}",
            ending.client_id,
            words::minute(&ending.expires_at)
        ),
        way: format!("/console/clients/{}", ending.client_id),
    }
}

async fn spare(visit: &Visit) -> Result<Group, Trouble> {
    let found = visit.office().spare_secrets(visit.who(), MOST).await?;
    let matter = |secret: &ClientSecret| Matter {
        urgency: Urgency::Sometime,
        told: format!(
            "The secret …{} of {} is silent while another is in use",
            secret.hint, secret.client_id
        ),
        way: format!("/console/clients/{}", secret.client_id),
    };
    Ok(Group {
        title: "Secrets safe to retire",
        matters: found.found.iter().map(matter).collect(),
        bound: (found.extent == Extent::Bounded).then_some(
            "Ten are shown, of the first hundred clients that have more than one secret. There may be more.",
        ),
    })
}

async fn quotas(visit: &Visit) -> Result<Group, Trouble> {
    let mut near = visit.office().quotas_near_their_limit(visit.who()).await?;
    let many = near.len() > usize::from(MOST);
    near.truncate(MOST.into());
    let matter = |standing: &QuotaStanding| Matter {
        urgency: if standing.remaining == 0 {
            Urgency::Now
        } else {
            Urgency::Soon
        },
        told: format!(
            "{} of {} in {}: {} of {} drawn, until {}",
            standing.quota,
            standing.holder,
            words::title(&standing.environment),
            words::number(standing.drawn),
            words::number(standing.limit),
            words::minute(&standing.window_end),
        ),
        way: format!("/console/partners/{}", standing.holder),
    };
    Ok(Group {
        title: "Quotas near their limit",
        matters: near.iter().map(matter).collect(),
        bound: many.then_some("Ten are shown, of the partners that draw most. There are more."),
    })
}

async fn keys(visit: &Visit) -> Result<Group, Trouble> {
    let mut matters = Vec::new();
    for environment in Environment::ALL {
        let outlook = visit.office().key_outlook(visit.who(), environment).await?;
        matters.extend(of_keys(&outlook, visit.now()));
    }
    Ok(Group {
        title: "Signing keys",
        matters,
        bound: None,
    })
}

fn of_keys(outlook: &KeyOutlook, now: Timestamp) -> Option<Matter> {
    let name = words::title(&outlook.environment);
    let matter = |urgency, told| Matter {
        urgency,
        told,
        way: "/console/keys".to_owned(),
    };
    if !outlook.keys.iter().any(|key| key.state == KeyState::Active) {
        return Some(matter(Urgency::Now, format!("No key signs in {name}")));
    }
    let Some(at) = outlook.rotates_at() else {
        return Some(matter(Urgency::Soon, format!("No successor is announced in {name}")));
    };
    let told = words::minute(&at);
    if at + LATE < now {
        Some(matter(
            Urgency::Now,
            format!("The next key of {name} was due on {told} and does not sign yet"),
        ))
    } else if at <= now + ROTATION_DAYS {
        Some(matter(
            Urgency::Sometime,
            format!("The next key of {name} follows by itself on {told}"),
        ))
    } else {
        None
    }
}

/// What owners see of all, others see of themselves.
async fn operators(visit: &Visit) -> Result<Group, Trouble> {
    let (now, who) = (visit.now(), visit.who());
    let seen = match who.require(Role::Owner) {
        Ok(_) => visit.office().operators(who).await?,
        Err(_) => vec![visit.office().whoami(who).await?],
    };
    let mut matters: Vec<Matter> = seen
        .iter()
        .filter_map(|operator| of_operator(operator, who.role(), now))
        .collect();
    matters.truncate(MOST.into());
    let owners = seen.iter().filter(|operator| operator.is_live_owner(now)).count();
    if owners == 1 && who.role() == Role::Owner {
        matters.push(Matter {
            urgency: Urgency::Sometime,
            told: "You are the only owner whose token works: whoever follows you needs one too".to_owned(),
            way: "/console/operators".to_owned(),
        });
    }
    Ok(Group {
        title: "Operators",
        matters,
        bound: None,
    })
}

fn of_operator(operator: &Operator, seen_by: Role, now: Timestamp) -> Option<Matter> {
    let ends_soon = operator.is_live(now) && operator.token_expires_at <= now + TOKEN_DAYS;
    ends_soon.then(|| Matter {
        urgency: Urgency::Soon,
        told: format!(
            "The token of {} ends on {}",
            operator.email,
            words::minute(&operator.token_expires_at)
        ),
        way: match seen_by {
            Role::Owner => format!("/console/operators/{}", operator.operator_id),
            Role::Viewer | Role::Operator => "/console".to_owned(),
        },
    })
}
