"""A partner's backend in Python: requests-oauthlib to obtain a token, PyJWT to verify it."""

import json
import os
import sys
from urllib.parse import urlsplit

import jwt
import requests
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

ISSUER = os.environ["ISSUER"]
CLIENT_ID = os.environ["CLIENT_ID"]
CLIENT_SECRET = os.environ["CLIENT_SECRET"]
SCOPE = os.environ.get("SCOPE", "").split() or None
AUDIENCE = os.environ["AUDIENCE"]


def discover():
    """The server's metadata (RFC 8414 §3.1): the well-known part stands between host and path."""
    issuer = urlsplit(ISSUER)
    url = f"{issuer.scheme}://{issuer.netloc}/.well-known/oauth-authorization-server{issuer.path}"
    answer = requests.get(url, timeout=10)
    answer.raise_for_status()
    metadata = answer.json()
    if metadata["issuer"] != ISSUER:
        sys.exit(f"the metadata belongs to {metadata['issuer']}")
    return metadata


def obtain(metadata, secret):
    """A token by client credentials (RFC 6749 §4.4), the credentials in the Basic header."""
    session = OAuth2Session(client=BackendApplicationClient(client_id=CLIENT_ID, scope=SCOPE))
    return session.fetch_token(metadata["token_endpoint"], auth=HTTPBasicAuth(CLIENT_ID, secret), timeout=10)


def verify(metadata, token):
    """The claims, once everything RFC 9068 §4 asks for has been checked."""
    header = jwt.get_unverified_header(token)
    if header.get("typ") != "at+jwt":
        sys.exit(f"typ is {header.get('typ')}")
    key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(token)
    return jwt.decode(
        token,
        key.key,
        algorithms=["ES256", "EdDSA", "RS256", "PS256"],
        issuer=ISSUER,
        audience=AUDIENCE,
        options={"require": ["iss", "aud", "exp", "iat", "sub", "jti"]},
    )


def main():
    if ISSUER.startswith("http://127.0.0.1") or ISSUER.startswith("http://localhost"):
        os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    metadata = discover()
    try:
        obtain(metadata, CLIENT_SECRET[:-1] + ("B" if CLIENT_SECRET.endswith("A") else "A"))
        sys.exit("a wrong secret was accepted")
    except InvalidClientError:
        pass
    token = obtain(metadata, CLIENT_SECRET)
    claims = verify(metadata, token["access_token"])
    print(json.dumps({"verified": True, "partnerId": claims["partnerId"], "scope": claims["scope"]}))


main()
