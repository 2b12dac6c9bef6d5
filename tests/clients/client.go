// A partner's backend in Go: golang.org/x/oauth2/clientcredentials to obtain a token, go-oidc to verify it.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

type metadata struct {
	Issuer        string `json:"issuer"`
	TokenEndpoint string `json:"token_endpoint"`
	JwksURI       string `json:"jwks_uri"`
}

// discover fetches the metadata of RFC 8414 §3.1: the well-known part stands between host and path.
func discover(issuer string) (*metadata, error) {
	location, err := url.Parse(issuer)
	if err != nil {
		return nil, err
	}
	location.Path = "/.well-known/oauth-authorization-server" + location.Path
	answer, err := http.Get(location.String())
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the metadata answered %s", answer.Status)
	}
	var found metadata
	if err := json.NewDecoder(answer.Body).Decode(&found); err != nil {
		return nil, err
	}
	if found.Issuer != issuer {
		return nil, fmt.Errorf("the metadata belongs to %s", found.Issuer)
	}
	return &found, nil
}

// obtain asks for a token by client credentials (RFC 6749 §4.4), the credentials in the Basic header.
func obtain(ctx context.Context, endpoint, secret string) (*oauth2.Token, error) {
	config := clientcredentials.Config{
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: secret,
		TokenURL:     endpoint,
		Scopes:       strings.Fields(os.Getenv("SCOPE")),
		AuthStyle:    oauth2.AuthStyleInHeader,
	}
	return config.Token(ctx)
}

// refused fails unless a wrong secret is answered with 401 invalid_client (RFC 6749 §5.2).
func refused(ctx context.Context, endpoint, secret string) error {
	last := "A"
	if strings.HasSuffix(secret, last) {
		last = "B"
	}
	_, err := obtain(ctx, endpoint, secret[:len(secret)-1]+last)
	var refusal *oauth2.RetrieveError
	if !errors.As(err, &refusal) {
		return fmt.Errorf("a wrong secret was answered with %v", err)
	}
	var body struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(refusal.Body, &body); err != nil {
		return err
	}
	if refusal.Response.StatusCode != http.StatusUnauthorized || body.Error != "invalid_client" {
		return fmt.Errorf("a wrong secret was answered with %s %s", refusal.Response.Status, body.Error)
	}
	return nil
}

// verify checks typ; go-oidc checks signature, iss, aud and exp.
func verify(ctx context.Context, jwks, issuer, token string) (claims struct {
	PartnerID string `json:"partnerId"`
	Scope     string `json:"scope"`
}, err error) {
	encoded, err := base64.RawURLEncoding.DecodeString(strings.SplitN(token, ".", 2)[0])
	if err != nil {
		return claims, err
	}
	var header struct {
		Typ string `json:"typ"`
	}
	if err := json.Unmarshal(encoded, &header); err != nil {
		return claims, err
	}
	if header.Typ != "at+jwt" {
		return claims, fmt.Errorf("typ is %q", header.Typ)
	}
	verifier := oidc.NewVerifier(issuer, oidc.NewRemoteKeySet(ctx, jwks), &oidc.Config{
		ClientID:             os.Getenv("AUDIENCE"),
		SupportedSigningAlgs: []string{oidc.ES256, oidc.RS256, oidc.PS256},
	})
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		return claims, err
	}
	err = verified.Claims(&claims)
	return claims, err
}

func run() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	issuer, secret := os.Getenv("ISSUER"), os.Getenv("CLIENT_SECRET")
	server, err := discover(issuer)
	if err != nil {
		return err
	}
	if err := refused(ctx, server.TokenEndpoint, secret); err != nil {
		return err
	}
	token, err := obtain(ctx, server.TokenEndpoint, secret)
	if err != nil {
		return err
	}
	claims, err := verify(ctx, server.JwksURI, issuer, token.AccessToken)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"verified": true, "partnerId": claims.PartnerID, "scope": claims.Scope,
	})
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}
