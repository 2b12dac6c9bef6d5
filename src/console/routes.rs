//! Every page: its method, its path, the least role that may ask for it, and what then happens. What is served and what is tested
//! come from here.

use std::future::Future;
use std::pin::Pin;

use actix_web::HttpResponse;

use super::sign_in::Stranger;
use super::trouble::Trouble;
use super::visit::Visit;
use super::{
    api_edit, apis, client_edit, client_list, clients, journal, keys, operators, overview, partner_edit, partners,
    set_up, sign_in,
};
use crate::domain::Role;

/// A method of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Shows; `HEAD` goes the same way (RFC 9110 §9.3.2).
    Get,
    /// Acts.
    Post,
}

/// One method of one path.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method.
    pub verb: Verb,
    /// The path below `/console`, with its parameters in braces.
    pub path: &'static str,
    /// Who may use it, and what then happens.
    pub(super) door: Door,
}

impl Route {
    /// The least role that may use it; `None`: it is open to anyone.
    #[must_use]
    pub const fn least_role(&self) -> Option<Role> {
        match self.door {
            Door::Open(_) => None,
            Door::Guarded(role, _) => Some(role),
        }
    }
}

pub(super) type Served = Pin<Box<dyn Future<Output = Result<HttpResponse, Trouble>>>>;

/// Who may use a route, and what then happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Door {
    /// Anyone.
    Open(fn(Stranger) -> Served),
    /// An operator of this role or a higher one, who is signed in.
    Guarded(Role, fn(Visit) -> Served),
}

macro_rules! open {
    ($verb:ident $path:literal $handler:path) => {
        Route {
            verb: Verb::$verb,
            path: $path,
            door: Door::Open(|stranger| Box::pin($handler(stranger))),
        }
    };
}

macro_rules! guarded {
    ($verb:ident $path:literal $role:ident $handler:path) => {
        Route {
            verb: Verb::$verb,
            path: $path,
            door: Door::Guarded(Role::$role, |visit| Box::pin($handler(visit))),
        }
    };
}

/// Every route.
pub const ROUTES: &[Route] = &[
    guarded!(Get "" Viewer overview::show),
    open!(Get "/set-up/{code}" set_up::show),
    open!(Post "/set-up/{code}" set_up::make),
    open!(Get "/sign-in" sign_in::show),
    open!(Post "/sign-in" sign_in::by_token),
    guarded!(Get "/new-partner" Operator partners::new),
    guarded!(Get "/partners" Viewer partners::list_all),
    guarded!(Post "/partners" Operator partners::register),
    guarded!(Get "/partners/{partner_id}" Viewer partners::show),
    guarded!(Get "/partners/{partner_id}/edit" Operator partner_edit::show),
    guarded!(Post "/partners/{partner_id}/edit" Operator partner_edit::change),
    guarded!(Post "/partners/{partner_id}/suspend" Operator partners::suspend),
    guarded!(Post "/partners/{partner_id}/reinstate" Operator partners::reinstate),
    guarded!(Get "/partners/{partner_id}/clients/new" Operator clients::new),
    guarded!(Post "/partners/{partner_id}/clients" Operator clients::register),
    guarded!(Get "/clients" Viewer client_list::show),
    guarded!(Get "/clients/{client_id}" Viewer clients::show),
    guarded!(Get "/clients/{client_id}/edit" Operator client_edit::show),
    guarded!(Post "/clients/{client_id}/edit" Operator client_edit::change),
    guarded!(Post "/clients/{client_id}/suspend" Operator clients::suspend),
    guarded!(Post "/clients/{client_id}/reinstate" Operator clients::reinstate),
    guarded!(Post "/clients/{client_id}/revoke" Operator clients::revoke),
    guarded!(Post "/clients/{client_id}/secrets" Operator clients::rotate),
    guarded!(Post "/clients/{client_id}/secrets/{secret_id}/retire" Operator clients::retire),
    guarded!(Get "/new-api" Operator apis::new),
    guarded!(Get "/apis" Viewer apis::list_all),
    guarded!(Post "/apis" Operator apis::register),
    guarded!(Get "/apis/{environment}/{api_id}" Viewer apis::show),
    guarded!(Get "/apis/{environment}/{api_id}/edit" Operator api_edit::show),
    guarded!(Post "/apis/{environment}/{api_id}/edit" Operator api_edit::change),
    guarded!(Get "/keys" Viewer keys::list_all),
    guarded!(Get "/keys/{environment}/{kid}" Viewer keys::show),
    guarded!(Post "/keys/{environment}/rotate" Owner keys::rotate),
    guarded!(Post "/keys/{environment}/{kid}/revoke" Owner keys::revoke),
    guarded!(Get "/journal" Viewer journal::list_all),
    guarded!(Get "/journal.csv" Viewer journal::save),
    guarded!(Get "/journal/{epoch}" Viewer journal::show),
    guarded!(Get "/operators" Owner operators::list_all),
    guarded!(Post "/operators" Owner operators::create),
    guarded!(Get "/operators/{operator_id}" Owner operators::show),
    guarded!(Post "/operators/{operator_id}/role" Owner operators::change_role),
    guarded!(Post "/operators/{operator_id}/token" Owner operators::rotate),
    guarded!(Post "/operators/{operator_id}/revoke" Owner operators::revoke),
    guarded!(Post "/sign-out" Viewer sign_in::out),
    guarded!(Post "/sign-out-everywhere" Viewer sign_in::out_everywhere),
];
