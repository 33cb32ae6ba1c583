"""An OpenID provider made of Authlib and Flask, for the tests of oauth2flow: it shares no code with it, not even the language.

It listens on a free loopback port, prints its issuer, reads its clients from the first line of its standard input, and ends
with that input. `GET /seen` says what it has done, and `GET /resource/me` is an API that takes its tokens.
"""

import json
import os
import secrets
import sys
import threading
import time
from dataclasses import dataclass, field

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2 import OAuth2Error, rfc9207
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, InvalidRequestError, TokenMixin, grants
from authlib.oauth2.rfc6749.util import list_to_scope, scope_to_list
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc import discovery, rpinitiated
from authlib.oidc.core import OpenIDCode, UserInfo, UserInfoEndpoint
from authlib.oidc.core.grants import OpenIDToken
from flask import Flask, jsonify, request, session
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server

SCOPES = ["openid", "profile", "email", "offline_access"]
ALGORITHMS = ["RS256", "PS512", "ES384"]
CLIENT_ALGORITHMS = ["RS256", "ES256"]
CLIENT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
KEYS = {
    "RS256": RSAKey.generate_key(2048, {"kid": "python-RS256", "alg": "RS256", "use": "sig"}),
    "PS512": RSAKey.generate_key(2048, {"kid": "python-PS512", "alg": "PS512", "use": "sig"}),
    "ES384": ECKey.generate_key("P-384", {"kid": "python-ES384", "alg": "ES384", "use": "sig"}),
}
USERS = {
    "alice": UserInfo(
        sub="python-1",
        name="Alice Example",
        preferred_username="alice",
        email="alice@example.com",
        email_verified=True,
    )
}


@dataclass
class Client(ClientMixin):
    client_id: str
    token_endpoint_auth_method: str
    redirect_uris: list
    post_logout_redirect_uris: list
    id_token_signed_response_alg: str
    client_secret: str = ""
    userinfo_signed_response_alg: str | None = None
    jwks: dict = field(default_factory=dict)

    @property
    def client_metadata(self):
        return {
            "post_logout_redirect_uris": self.post_logout_redirect_uris,
            "userinfo_signed_response_alg": self.userinfo_signed_response_alg,
        }

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return None

    def get_allowed_scope(self, scope):
        return list_to_scope([word for word in scope_to_list(scope or "") if word in SCOPES])

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret):
        return secrets.compare_digest(client_secret, self.client_secret)

    def check_endpoint_auth_method(self, method, endpoint):
        return method == self.token_endpoint_auth_method

    def check_response_type(self, response_type):
        return response_type == "code"

    def check_grant_type(self, grant_type):
        return grant_type in ("authorization_code", "refresh_token")


@dataclass
class AuthorizationCode(AuthorizationCodeMixin):
    client_id: str
    redirect_uri: str
    scope: str
    user: UserInfo
    nonce: str | None
    code_challenge: str
    code_challenge_method: str
    auth_time: int

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope

    def get_nonce(self):
        return self.nonce

    def get_auth_time(self):
        return self.auth_time

    def get_acr(self):
        return "0"

    def get_amr(self):
        return ["pwd"]


@dataclass
class Token(TokenMixin):
    client: Client
    user: UserInfo
    scope: str
    access_token: str
    refresh_token: str
    expires_at: float
    access_token_revoked: bool = False
    refresh_token_revoked: bool = False

    def check_client(self, client):
        return client.client_id == self.client.client_id

    def get_scope(self):
        return self.scope

    def is_expired(self):
        return self.expires_at <= time.time()

    def is_revoked(self):
        return self.access_token_revoked

    def get_user(self):
        return self.user

    def get_client(self):
        return self.client


class Provider:
    """What the provider remembers."""

    def __init__(self, issuer):
        self.issuer = issuer
        self.clients = {}
        self.codes = {}
        self.tokens = []
        self.nonces = set()
        self.assertions = set()
        self.access_token_seconds = {"authorization_code": 3600, "refresh_token": 3600}
        self.seen = {"grants": [], "authentications": [], "tokens": [], "revocations": [], "logouts": []}

    def register(self, registration):
        self.clients = {client["client_id"]: Client(**client) for client in registration["clients"]}
        self.access_token_seconds = registration["access_token_seconds"]

    def metadata(self):
        data = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "revocation_endpoint": f"{self.issuer}/revoke",
            "end_session_endpoint": f"{self.issuer}/logout",
            "scopes_supported": SCOPES,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ALGORITHMS,
            "userinfo_signing_alg_values_supported": ALGORITHMS,
            "token_endpoint_auth_methods_supported": CLIENT_AUTH_METHODS,
            "token_endpoint_auth_signing_alg_values_supported": CLIENT_ALGORITHMS,
            "revocation_endpoint_auth_methods_supported": CLIENT_AUTH_METHODS,
            "revocation_endpoint_auth_signing_alg_values_supported": CLIENT_ALGORITHMS,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        metadata = discovery.OpenIDProviderMetadata(data)
        metadata.validate([rpinitiated.OpenIDProviderMetadata, rfc9207.AuthorizationServerMetadata])
        return dict(metadata)

    def save_token(self, token, oauth_request):
        self.seen["grants"].append(oauth_request.payload.grant_type)
        self.seen["authentications"].append(oauth_request.auth_method)
        issued = Token(
            client=oauth_request.client,
            user=oauth_request.user,
            scope=token["scope"],
            access_token=token["access_token"],
            refresh_token=token["refresh_token"],
            expires_at=time.time() + token["expires_in"],
        )
        self.tokens.append(issued)
        self.seen["tokens"].append(issued.access_token)

    def token_with(self, **wanted):
        return next((token for token in self.tokens if all(getattr(token, key) == value for key, value in wanted.items())), None)


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_AUTH_METHODS

    def save_authorization_code(self, code, request):
        parameters = request.payload.data
        # Authlib asks several times while it answers one request, so that a nonce is used only now.
        provider.nonces.add((request.client.client_id, parameters.get("nonce")))
        provider.codes[code] = AuthorizationCode(
            client_id=request.client.client_id,
            redirect_uri=request.payload.redirect_uri,
            scope=request.scope,
            user=request.user,
            nonce=parameters.get("nonce"),
            code_challenge=parameters["code_challenge"],
            code_challenge_method=parameters["code_challenge_method"],
            auth_time=session["auth_time"],
        )

    def query_authorization_code(self, code, client):
        # Whatever becomes of the request, a code is used once.
        found = provider.codes.pop(code, None)
        return found if found and found.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code):
        pass

    def authenticate_user(self, authorization_code):
        return authorization_code.user


class RefreshGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = CLIENT_AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        return provider.token_with(refresh_token=refresh_token, refresh_token_revoked=False)

    def authenticate_user(self, refresh_token):
        return refresh_token.user

    def revoke_old_credential(self, refresh_token):
        refresh_token.access_token_revoked = refresh_token.refresh_token_revoked = True


class RequiredChallenge(CodeChallenge):
    """PKCE is for every client here, not for public ones only."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant, redirect_uri):
        super().validate_code_challenge(grant, redirect_uri)
        if grant.request.payload.data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A code_challenge of the method S256 is required.", redirect_uri=redirect_uri)


class IdToken:
    """What ID tokens are, at the exchange of a code and at a refresh."""

    def resolve_client_private_key(self, client):
        return KEYS[client.id_token_signed_response_alg]

    def get_encode_header(self, client):
        return {"alg": client.id_token_signed_response_alg, "kid": self.resolve_client_private_key(client).kid}

    def get_client_claims(self, client):
        return {"iss": provider.issuer, "aud": [client.client_id]}

    def generate_user_info(self, user, scope):
        return {"sub": user["sub"]}


class IdTokenOfCode(IdToken, OpenIDCode):
    def exists_nonce(self, nonce, request):
        return (request.payload.client_id, nonce) in provider.nonces


class IdTokenOfRefresh(IdToken, OpenIDToken):
    pass


class Assertion(JWTBearerClientAssertion):
    CLIENT_AUTH_METHOD = "private_key_jwt"

    def get_audiences(self):
        # draft-ietf-oauth-rfc7523bis: the issuer, and nothing else.
        return [provider.issuer]

    def validate_jti(self, claims, jti):
        used = (claims["sub"], jti)
        fresh = used not in provider.assertions
        provider.assertions.add(used)
        return fresh

    def resolve_client_public_key(self, client):
        return KeySet.import_key_set(client.jwks)


class Issuer(rfc9207.IssuerParameter):
    def get_issuer(self):
        return provider.issuer


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = CLIENT_AUTH_METHODS

    def query_token(self, token_string, token_type_hint):
        return provider.token_with(access_token=token_string) or provider.token_with(refresh_token=token_string)

    def revoke_token(self, token, request):
        provider.seen["revocations"].append(request.form.get("token_type_hint"))
        token.access_token_revoked = token.refresh_token_revoked = True


class User(UserInfoEndpoint):
    def get_issuer(self):
        return provider.issuer

    def generate_user_info(self, user, scope):
        return user.filter(scope)

    def get_supported_algorithms(self):
        return ALGORITHMS

    def resolve_private_key(self):
        return KeySet(list(KEYS.values()))


class EndSession(rpinitiated.EndSessionEndpoint):
    def get_server_jwks(self):
        return KeySet(list(KEYS.values()))

    def end_session(self, end_session_request):
        provider.seen["logouts"].append((end_session_request.id_token_claims or {}).get("sub"))
        session.clear()


class TokenValidator(BearerTokenValidator):
    def authenticate_token(self, token_string):
        return provider.token_with(access_token=token_string)


def page(heading, form):
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>{heading}</title>'
        f"<h1>{heading}</h1>{form}</html>"
    )


def application():
    app = Flask(__name__)
    app.secret_key = secrets.token_bytes(32)
    app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
    app.config["OAUTH2_TOKEN_EXPIRES_IN"] = provider.access_token_seconds
    app.config["OAUTH2_SCOPES_SUPPORTED"] = SCOPES

    server = AuthorizationServer(app, query_client=lambda client_id: provider.clients.get(client_id), save_token=provider.save_token)
    server.register_client_auth_method(Assertion.CLIENT_AUTH_METHOD, Assertion())
    server.register_grant(CodeGrant, [IdTokenOfCode(require_nonce=True), RequiredChallenge(required=True)])
    server.register_grant(RefreshGrant, [IdTokenOfRefresh()])
    server.register_extension(Issuer())
    protector = ResourceProtector()
    protector.register_token_validator(TokenValidator())
    server.register_endpoint(Revocation)
    server.register_endpoint(User(resource_protector=protector))
    server.register_endpoint(EndSession)

    @app.get("/.well-known/openid-configuration")
    def metadata():
        return jsonify(provider.metadata())

    @app.get("/keys")
    def keys():
        return jsonify(KeySet(list(KEYS.values())).as_dict(private=False))

    @app.route("/authorize", methods=["GET", "POST"])
    def authorize():
        user = USERS.get(session.get("login", ""))
        try:
            grant = server.get_consent_grant(end_user=user)
        except OAuth2Error as error:
            return server.handle_error_response(None, error)
        if request.method == "GET":
            return page(
                "Python provider",
                '<form method="post"><label>Account <input name="account" required></label>'
                '<label>Password <input name="password" type="password" required></label><button>Continue</button></form>',
            )
        user = USERS.get(request.form["account"]) if request.form["password"] == "demo" else None
        if user:
            session["login"] = request.form["account"]
            session["auth_time"] = int(time.time())
        return server.create_authorization_response(grant_user=user, grant=grant)

    @app.post("/token")
    def token():
        return server.create_token_response()

    @app.post("/revoke")
    def revoke():
        return server.create_endpoint_response(Revocation.ENDPOINT_NAME)

    @app.route("/userinfo", methods=["GET", "POST"])
    def userinfo():
        return server.create_endpoint_response(User.ENDPOINT_NAME)

    @app.route("/logout", methods=["GET", "POST"])
    def logout():
        try:
            validated = server.validate_endpoint_request(EndSession.ENDPOINT_NAME)
        except OAuth2Error as error:
            return server.handle_error_response(None, error)
        if validated.needs_confirmation and request.method == "GET":
            return page("Sign out of the Python provider", '<form method="post"><button>Sign out here too</button></form>')
        return server.create_endpoint_response(EndSession.ENDPOINT_NAME, validated) or page("You are signed out", "")

    @app.get("/resource/me")
    @protector("openid")
    def resource():
        return jsonify(sub=current_token.user["sub"], client=current_token.client.client_id, cookie=request.headers.get("cookie"))

    @app.get("/seen")
    def seen():
        return jsonify(provider.seen)

    return app


class Quiet(WSGIRequestHandler):
    """Its log would tell every request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *arguments):
        pass


def end_with_input():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    # The application is made when its clients are known; whoever calls before that waits.
    listener = make_server("127.0.0.1", 0, lambda *call: application_now(*call), threaded=True, request_handler=Quiet)
    provider = Provider(f"http://127.0.0.1:{listener.port}")
    print(provider.issuer, flush=True)
    provider.register(json.loads(sys.stdin.readline()))
    application_now = application()
    threading.Thread(target=end_with_input, daemon=True).start()
    listener.serve_forever()
