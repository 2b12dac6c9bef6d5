#!/usr/bin/env bash
# A partner's backend in shell: curl to obtain a token, openssl to verify it (ES256), jq to read JSON.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$1" >&2
    exit 1
}

# base64url without padding (RFC 7515 §2) to bytes.
decode() {
    local text
    text=$(tr -- '-_' '+/')
    while ((${#text} % 4)); do text+='='; done
    openssl base64 -d -A <<<"$text"
}

hex() {
    od -An -v -tx1 | tr -d ' \n'
}

unhex() {
    printf "$(sed 's/../\\x&/g')"
}

# The answer of the token endpoint, and on a last line its status. The secret reaches curl by a pipe, never by its arguments.
obtain() {
    curl -sS --max-time 10 -w '\n%{http_code}' --config <(printf 'user = "%s:%s"\n' "$CLIENT_ID" "$1") \
        -d grant_type=client_credentials ${SCOPE:+--data-urlencode "scope=$SCOPE"} "$token_endpoint"
}

# RFC 8414 §3.1: the well-known part stands between host and path.
authority=${ISSUER#*://}
origin=${ISSUER%%://*}://${authority%%/*}
metadata=$(curl -sS --max-time 10 --fail "$origin/.well-known/oauth-authorization-server${ISSUER#"$origin"}")
[[ $(jq -r .issuer <<<"$metadata") == "$ISSUER" ]] || fail "the metadata belongs to another issuer"
token_endpoint=$(jq -r .token_endpoint <<<"$metadata")
jwks_uri=$(jq -r .jwks_uri <<<"$metadata")

last=A
[[ $CLIENT_SECRET != *A ]] || last=B
refused=$(obtain "${CLIENT_SECRET%?}$last")
[[ ${refused##*$'\n'} == 401 && $(jq -r .error <<<"${refused%$'\n'*}") == invalid_client ]] ||
    fail "a wrong secret was not answered with 401 invalid_client"

issued=$(obtain "$CLIENT_SECRET")
[[ ${issued##*$'\n'} == 200 ]] || fail "the token endpoint answered ${issued##*$'\n'}"
token=$(jq -r .access_token <<<"${issued%$'\n'*}")

IFS=. read -r header payload signature rest <<<"$token"
[[ -n $signature && -z $rest ]] || fail "not a compact JWS"
header_json=$(decode <<<"$header")
[[ $(jq -r .typ <<<"$header_json") == at+jwt ]] || fail "typ is not at+jwt"
[[ $(jq -r .alg <<<"$header_json") == ES256 ]] || fail "alg is not ES256, the one this client can verify"

kid=$(jq -r .kid <<<"$header_json")
key=$(curl -sS --max-time 10 --fail "$jwks_uri" | jq -e --arg kid "$kid" '.keys[] | select(.kid == $kid)') ||
    fail "no key has this kid"

# The public key as X.509 SubjectPublicKeyInfo of P-256, the signature as the DER sequence of r and s (RFC 7518 §3.4).
point=$(jq -r .x <<<"$key" | decode | hex)$(jq -r .y <<<"$key" | decode | hex)
unhex <<<"3059301306072a8648ce3d020106082a8648ce3d03010703420004$point" >"$work/key.der"
rs=$(decode <<<"$signature" | hex)
[[ ${#point} == 128 && ${#rs} == 128 ]] || fail "not a key and a signature of P-256"
printf 'asn1 = SEQUENCE:s\n[s]\nr = INTEGER:0x%s\ns = INTEGER:0x%s\n' "${rs:0:64}" "${rs:64}" >"$work/signature.conf"
openssl asn1parse -genconf "$work/signature.conf" -noout -out "$work/signature.der"
printf %s "$header.$payload" >"$work/signed"
openssl dgst -sha256 -verify "$work/key.der" -keyform DER -signature "$work/signature.der" "$work/signed" >/dev/null ||
    fail "the signature does not verify"

decode <<<"$payload" | jq -ce --arg iss "$ISSUER" --arg aud "$AUDIENCE" \
    'select(.iss == $iss and ([.aud] | flatten | index($aud)) and .exp > now)
     | {verified: true, partnerId, scope}' || fail "iss, aud or exp is wrong"
