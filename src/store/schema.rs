//! The tables as diesel sees them, written by hand for both engines; a test holds this page to the live databases.

diesel::table! {
    epoch (one) {
        one -> BigInt,
        number -> BigInt,
    }
}

diesel::table! {
    installation (one) {
        one -> BigInt,
        master_key_check -> Nullable<Binary>,
    }
}

diesel::table! {
    partners (partner_id) {
        partner_id -> Text,
        name -> Text,
        scope_ceiling -> Text,
        status -> Text,
        parent -> Nullable<Text>,
        plan -> Nullable<Text>,
        created_at -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    apis (environment, api_id) {
        api_id -> Text,
        environment -> Text,
        name -> Text,
        audience -> Text,
        scopes -> Text,
        created_at -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    clients (client_id) {
        client_id -> Text,
        environment -> Text,
        kind -> Text,
        partner_id -> Nullable<Text>,
        access_level -> Nullable<Text>,
        scope -> Nullable<Text>,
        allowed_apis -> Nullable<Text>,
        api_id -> Nullable<Text>,
        name -> Text,
        contact -> Text,
        token_endpoint_auth_method -> Text,
        token_lifetime -> Nullable<BigInt>,
        limits -> Nullable<Text>,
        allowed_sources -> Nullable<Text>,
        expires_at -> Nullable<BigInt>,
        status -> Text,
        created_at -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    client_secrets (secret_id) {
        secret_id -> Text,
        client_id -> Text,
        digest -> Binary,
        note -> Nullable<Text>,
        hint -> Text,
        created_by -> Text,
        created_at -> BigInt,
        not_before -> BigInt,
        status -> Text,
        expires_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        first_version -> BigInt,
        version -> BigInt,
        last_used_source -> Nullable<Text>,
    }
}

diesel::table! {
    operators (operator_id) {
        operator_id -> Text,
        email -> Text,
        role -> Text,
        token_digest -> Binary,
        token_hint -> Text,
        token_expires_at -> BigInt,
        status -> Text,
        created_at -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        environment -> Text,
        algorithm -> Text,
        state -> Text,
        public_jwk -> Text,
        sealed_private_key -> Binary,
        announced_at -> BigInt,
        jwks_max_age -> BigInt,
        active_since -> Nullable<BigInt>,
        retiring_since -> Nullable<BigInt>,
        retired_at -> Nullable<BigInt>,
        first_version -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    revoked_tokens (jti) {
        jti -> Text,
        client_id -> Text,
        partner_id -> Text,
        environment -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    idempotency_keys (operator_id, key) {
        operator_id -> Text,
        key -> Text,
        fingerprint -> Binary,
        subject -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    usage (granularity, broken_down_by, begins, environment, partner_id, client_id, scope, outcome) {
        granularity -> Text,
        broken_down_by -> Text,
        begins -> BigInt,
        environment -> Text,
        partner_id -> Text,
        client_id -> Text,
        scope -> Text,
        outcome -> Text,
        requests -> BigInt,
    }
}

diesel::table! {
    usage_writers (writer) {
        writer -> Text,
        sequence -> BigInt,
        at -> BigInt,
    }
}

diesel::table! {
    journal (epoch) {
        epoch -> BigInt,
        at -> BigInt,
        actor -> Text,
        action -> Text,
        noun -> Text,
        subject -> Text,
        partner_id -> Nullable<Text>,
        environment -> Nullable<Text>,
        detail -> Text,
        request_id -> Nullable<Text>,
        previous_hash -> Text,
        hash -> Text,
    }
}

diesel::table! {
    quota_meters (holder_kind, holder_id, environment, period, window_start) {
        holder_kind -> Text,
        holder_id -> Text,
        environment -> Text,
        period -> Text,
        window_start -> BigInt,
        drawn -> BigInt,
    }
}

diesel::table! {
    notices (notice_id) {
        notice_id -> Text,
        kind -> Text,
        subject -> Text,
        environment -> Text,
        partner_id -> Nullable<Text>,
        client_id -> Text,
        days -> BigInt,
        expires_at -> BigInt,
        raised_at -> BigInt,
        delivery -> Text,
        attempts -> BigInt,
        next_attempt_at -> Nullable<BigInt>,
        settled_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sessions (digest) {
        digest -> Binary,
        operator_id -> Text,
        token_digest -> Binary,
        source -> Text,
        began_at -> BigInt,
        used_at -> BigInt,
    }
}

diesel::joinable!(client_secrets -> clients (client_id));
diesel::allow_tables_to_appear_in_same_query!(client_secrets, clients, notices);
diesel::allow_tables_to_appear_in_same_query!(epoch, journal);
