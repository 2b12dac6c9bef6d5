// A partner's backend in Node: fetch to obtain a token, jose to verify it.
import { createRemoteJWKSet, jwtVerify } from "jose";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, SCOPE, AUDIENCE } = process.env;

// RFC 8414 §3.1: the well-known part stands between host and path.
async function discover() {
  const issuer = new URL(ISSUER);
  const answer = await fetch(`${issuer.origin}/.well-known/oauth-authorization-server${issuer.pathname}`);
  if (!answer.ok) throw new Error(`the metadata answered ${answer.status}`);
  const metadata = await answer.json();
  if (metadata.issuer !== ISSUER) throw new Error(`the metadata belongs to ${metadata.issuer}`);
  return metadata;
}

// RFC 6749 §4.4, the credentials form-encoded in the Basic header as §2.3.1 asks.
async function obtain(metadata, secret) {
  const credentials = `${encodeURIComponent(CLIENT_ID)}:${encodeURIComponent(secret)}`;
  const body = new URLSearchParams({ grant_type: "client_credentials" });
  if (SCOPE) body.set("scope", SCOPE);
  const answer = await fetch(metadata.token_endpoint, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` },
    body,
  });
  return { status: answer.status, json: await answer.json() };
}

const metadata = await discover();

const refused = await obtain(metadata, CLIENT_SECRET.slice(0, -1) + (CLIENT_SECRET.endsWith("A") ? "B" : "A"));
if (refused.status !== 401 || refused.json.error !== "invalid_client") {
  throw new Error(`a wrong secret was answered with ${refused.status} ${refused.json.error}`);
}

const issued = await obtain(metadata, CLIENT_SECRET);
if (issued.status !== 200) throw new Error(`the token endpoint answered ${issued.status} ${issued.json.error}`);

const { payload } = await jwtVerify(issued.json.access_token, createRemoteJWKSet(new URL(metadata.jwks_uri)), {
  issuer: ISSUER,
  audience: AUDIENCE,
  typ: "at+jwt",
  algorithms: ["ES256", "EdDSA", "RS256", "PS256"],
  requiredClaims: ["exp", "iat", "sub", "jti"],
});
console.log(JSON.stringify({ verified: true, partnerId: payload.partnerId, scope: payload.scope }));
