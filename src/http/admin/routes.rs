//! The route table: every method and path of the admin API, with the least role that may use it. What is served, what is
//! described and what is tested all come from here.

use std::future::Future;
use std::pin::Pin;

use actix_web::HttpResponse;

use super::call::Call;
use super::problem::Problem;
use super::{apis, clients, journal, keys, notices, operators, partners, quotas, secrets, usage};
use crate::domain::Role;

/// A method of the admin API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Reads; `HEAD` goes the same way (RFC 9110 §9.3.2).
    Get,
    /// Creates, or acts.
    Post,
    /// Changes.
    Patch,
}

impl Verb {
    /// As it stands in a request.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
        }
    }
}

/// One method of one path.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method.
    pub verb: Verb,
    /// The path below `/admin/v1`, with its parameters in braces.
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

pub(super) type Served = Pin<Box<dyn Future<Output = Result<HttpResponse, Problem>>>>;

/// Who may use a route, and what then happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Door {
    /// Anyone.
    Open(fn() -> HttpResponse),
    /// An operator of this role or a higher one.
    Guarded(Role, fn(Call) -> Served),
}

macro_rules! guarded {
    ($verb:ident $path:literal $role:ident $handler:path) => {
        Route {
            verb: Verb::$verb,
            path: $path,
            door: Door::Guarded(Role::$role, |call| Box::pin($handler(call))),
        }
    };
}

/// Every route.
pub const ROUTES: &[Route] = &[
    guarded!(Get "/partners" Viewer partners::list_all),
    guarded!(Post "/partners" Operator partners::register),
    guarded!(Get "/partners/{partner_id}" Viewer partners::show),
    guarded!(Patch "/partners/{partner_id}" Operator partners::change),
    guarded!(Post "/partners/{partner_id}/suspend" Operator partners::suspend),
    guarded!(Post "/partners/{partner_id}/reinstate" Operator partners::reinstate),
    guarded!(Get "/partners/{partner_id}/quota" Viewer quotas::of_partner),
    guarded!(Get "/apis" Viewer apis::list_all),
    guarded!(Post "/apis" Operator apis::register),
    guarded!(Get "/apis/{environment}/{api_id}" Viewer apis::show),
    guarded!(Patch "/apis/{environment}/{api_id}" Operator apis::change),
    guarded!(Get "/clients" Viewer clients::list_all),
    guarded!(Post "/clients" Operator clients::register),
    guarded!(Get "/clients/{client_id}" Viewer clients::show),
    guarded!(Patch "/clients/{client_id}" Operator clients::change),
    guarded!(Post "/clients/{client_id}/suspend" Operator clients::suspend),
    guarded!(Post "/clients/{client_id}/reinstate" Operator clients::reinstate),
    guarded!(Post "/clients/{client_id}/revoke" Operator clients::revoke),
    guarded!(Get "/clients/{client_id}/quota" Viewer quotas::of_client),
    guarded!(Get "/clients/{client_id}/secrets" Viewer secrets::list_all),
    guarded!(Post "/clients/{client_id}/secrets" Operator secrets::add),
    guarded!(Get "/clients/{client_id}/secrets/{secret_id}" Viewer secrets::show),
    guarded!(Post "/clients/{client_id}/secrets/{secret_id}/retire" Operator secrets::retire),
    guarded!(Get "/operators" Owner operators::list_all),
    guarded!(Post "/operators" Owner operators::create),
    guarded!(Get "/operators/{operator_id}" Owner operators::show),
    guarded!(Patch "/operators/{operator_id}" Owner operators::change),
    guarded!(Post "/operators/{operator_id}/revoke" Owner operators::revoke),
    guarded!(Post "/operators/{operator_id}/token" Owner operators::rotate_token),
    guarded!(Get "/whoami" Viewer operators::whoami),
    guarded!(Get "/keys" Viewer keys::list_all),
    guarded!(Post "/keys/{environment}/rotate" Owner keys::rotate),
    guarded!(Post "/keys/{environment}/import" Owner keys::import),
    guarded!(Get "/keys/{environment}/{kid}" Viewer keys::show),
    guarded!(Post "/keys/{environment}/{kid}/revoke" Owner keys::revoke),
    guarded!(Get "/notices" Viewer notices::list_all),
    guarded!(Get "/journal" Viewer journal::list_all),
    guarded!(Get "/journal/head" Viewer journal::head),
    guarded!(Get "/journal/{epoch}" Viewer journal::show),
    guarded!(Get "/usage" Viewer usage::list_all),
    Route {
        verb: Verb::Get,
        path: "/openapi.json",
        door: Door::Open(super::description),
    },
];
