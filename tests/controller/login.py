"""Detection, login and logout for both kinds of controller, and authentication of requests."""

from collections.abc import Awaitable, Callable
import hmac
import secrets
from typing import Any
import uuid

from aiohttp import web
import orjson

from .faults import HTML, Rejection
from .models import Flavour, Json, object_id
from .sessions import Session, TokenStatus
from .state import ControllerState

STATUS_SECOND_FACTOR = 499
MFA_COOKIE = "UBIC_2FA"
WRITING = ("POST", "PUT", "DELETE", "PATCH")

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def meta_error(message: str, status: int) -> web.Response:
    """Return an error of the classic API."""
    return web.json_response({"meta": {"rc": "error", "msg": message}, "data": []}, status=status)


class Authentication:
    """Logs users in and rejects requests without a session."""

    def __init__(self, state: ControllerState) -> None:
        """Authenticate the requests to this controller."""
        self._state = state
        self._os = state.settings.flavour is Flavour.UNIFI_OS
        self._csrf_header_prefix = ""

    def routes(self) -> list[web.RouteDef]:
        """Return the routes served by this class."""
        if self._os:
            return [
                web.get("/", self._root_unifi_os),
                web.post("/api/auth/login", self._login_unifi_os),
                web.post("/api/auth/logout", self._logout),
                web.get("/api/users/self", self.guarded(self._self_unifi_os)),
            ]
        return [
            web.get("/", self._root_self_hosted),
            web.get("/manage", self._manage),
            web.get("/status", self._status),
            web.post("/api/login", self._login_self_hosted),
            web.post("/api/logout", self._logout),
            web.get("/api/self", self.guarded(self._self_self_hosted)),
        ]

    def guarded(self, handler: Handler, *, v2: bool = False, stream: bool = False) -> Handler:
        """Wrap a handler to require a session, and the CSRF token where it is enforced."""

        async def guard(request: web.Request) -> web.StreamResponse:
            cookie = self._state.cookie(request)
            token_status = self._state.sessions.token_status(cookie)
            session = self._state.sessions.get(cookie)
            if session is None:
                return self._refused(token_status, v2=v2)
            if not stream and not self._csrf_accepted(request, session):
                return self._refused(TokenStatus.FORBIDDEN, v2=False)
            response = await handler(request)
            if not response.prepared and self._state.faults.rotate_csrf:
                session.csrf = str(uuid.uuid4())
                # Responses alternate between the two headers; the latest one wins.
                self._csrf_header_prefix = "" if self._csrf_header_prefix else "Updated-"
                response.headers[f"X-{self._csrf_header_prefix}CSRF-Token"] = session.csrf
            return response

        return guard

    def _csrf_accepted(self, request: web.Request, session: Session) -> bool:
        sent = request.headers.get("X-CSRF-Token")
        if self._state.faults.rotate_csrf:
            return sent == session.csrf
        if request.method not in WRITING:
            return True
        # A self-hosted application accepts writes without the header (aiounifi sends none there).
        return sent == session.csrf or (sent is None and not self._os)

    def _refused(self, token_status: TokenStatus, *, v2: bool) -> web.Response:
        status = 403 if token_status is TokenStatus.FORBIDDEN else 401
        if v2:
            response = web.json_response(
                {"errorCode": status, "message": "api.err.LoginRequired"}, status=status
            )
        elif not self._os:
            response = meta_error("api.err.LoginRequired", status)
        else:
            response = web.Response(
                status=status,
                text="Unauthorized" if status == web.HTTPUnauthorized.status_code else "Forbidden",
            )
        if self._os and token_status is TokenStatus.NONE:
            response.set_cookie(
                self._state.settings.session_cookie,
                "",
                expires="Thu, 01 Jan 1970 00:00:00 GMT",
                path="/",
            )
        return response

    async def _root_unifi_os(self, request: web.Request) -> web.Response:
        response = web.Response(text=HTML.format(""), content_type="text/html")
        session = self._state.sessions.get(self._state.cookie(request))
        if session is None or self._state.faults.stale_root_cookie:
            csrf = str(uuid.uuid4())
            token = self._state.sessions.token(csrf, None, self._state.clock() + 3600)
            self._set_cookie(response, token, max_age=None)
            response.headers["X-CSRF-Token"] = csrf
        else:
            response.headers["X-CSRF-Token"] = session.csrf
        return response

    async def _root_self_hosted(self, _: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/manage"})

    async def _manage(self, _: web.Request) -> web.Response:
        return web.Response(text=HTML.format(""), content_type="text/html")

    async def _status(self, _: web.Request) -> web.Response:
        return web.json_response({"meta": {"rc": "ok", "up": True}, "data": []})

    async def _login_unifi_os(self, request: web.Request) -> web.Response:
        body = await self._credentials(request)
        if isinstance(body, web.Response):
            return body
        if not self._credentials_match(body):
            if self._state.rejection is Rejection.ERRORS_401:
                return web.json_response({"errors": ["Invalid username or password"]}, status=401)
            return web.json_response(
                {
                    "code": "AUTHENTICATION_FAILED_INVALID_CREDENTIALS",
                    "message": "Invalid username or password",
                    "level": "debug",
                },
                status=403,
            )
        code = self._state.faults.login_code
        if code is not None and not (body.get("token") == code and MFA_COOKIE in request.cookies):
            return web.json_response(
                {
                    "code": "MFA_AUTH_REQUIRED",
                    "message": "MFA required",
                    "data": {"mfaCookie": f"{MFA_COOKIE}={secrets.token_urlsafe(16)}"},
                },
                status=STATUS_SECOND_FACTOR,
            )
        session = self._open(body)
        response = web.json_response(self._user())
        self._set_cookie(response, session.token, int(session.expires - session.created))
        for name in ("X-CSRF-Token", "X-Updated-CSRF-Token"):
            response.headers[name] = session.csrf
        return response

    def _user(self) -> Json:
        name = self._state.settings.username
        return {
            "unique_id": object_id("account", name),
            "username": name,
            "first_name": "",
            "last_name": "",
            "full_name": name,
            "local_account_exist": True,
            "isOwner": False,
            "isSuperAdmin": False,
            "status": "ACTIVE",
            "roles": [{"name": "Limited Admin", "system_role": True}],
        }

    async def _self_unifi_os(self, _: web.Request) -> web.Response:
        return web.json_response(self._user())

    async def _self_self_hosted(self, _: web.Request) -> web.Response:
        name = self._state.settings.username
        admin = {"admin_id": object_id("account", name), "name": name}
        return web.json_response({"meta": {"rc": "ok"}, "data": [admin]})

    async def _login_self_hosted(self, request: web.Request) -> web.Response:
        body = await self._credentials(request)
        if isinstance(body, web.Response):
            return body
        if not self._credentials_match(body):
            return meta_error("api.err.Invalid", 400)
        code = self._state.faults.login_code
        if code is not None and body.get("ubic_2fa_token") != code:
            return meta_error("api.err.Ubic2faTokenRequired", 400)
        session = self._open(body)
        response = web.json_response({"meta": {"rc": "ok"}, "data": []})
        max_age = int(session.expires - session.created)
        self._set_cookie(response, session.token, max_age)
        response.set_cookie("csrf_token", session.csrf, max_age=max_age, path="/", secure=True)
        return response

    async def _logout(self, request: web.Request) -> web.Response:
        self._state.sessions.close(self._state.cookie(request))
        response = web.json_response(
            {"success": True} if self._os else {"meta": {"rc": "ok"}, "data": []}
        )
        response.del_cookie(self._state.settings.session_cookie, path="/")
        return response

    async def _credentials(self, request: web.Request) -> dict[str, Any] | web.Response:
        # Every attempt counts towards the limit, successful ones too (docs/protocol.md 2).
        now = self._state.clock()
        self._state.request_log.login_attempts.append(now)
        limit = self._state.faults.login_limit
        if limit is not None and limit.refuses(now):
            headers = {} if limit.retry_after is None else {"Retry-After": str(limit.retry_after)}
            return web.json_response(
                {
                    "code": "AUTHENTICATION_FAILED_LIMIT_REACHED",
                    "message": "You've reached the login attempt limit",
                    "level": "debug",
                },
                status=429,
                headers=headers,
            )
        try:
            body = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            body = None
        if not isinstance(body, dict):
            return meta_error("api.err.InvalidPayload", 400)
        return body

    def _credentials_match(self, body: dict[str, Any]) -> bool:
        settings = self._state.settings
        given = f"{body.get('username')}\n{body.get('password')}"
        return hmac.compare_digest(
            given.encode(), f"{settings.username}\n{settings.password}".encode()
        )

    def _open(self, body: dict[str, Any]) -> Session:
        # `rememberMe` replaced `remember`, which newer builds ignore (docs/protocol.md 2).
        session = self._state.sessions.open(
            self._state.settings.username,
            remember=body.get("rememberMe") is True,
            jwt=self._os,
        )
        self._state.request_log.logins.append(session.created)
        return session

    def _set_cookie(self, response: web.Response, token: str, max_age: int | None) -> None:
        response.set_cookie(
            self._state.settings.session_cookie,
            token,
            max_age=max_age,
            path="/",
            httponly=True,
            secure=True,
            samesite="Strict",
            partitioned=self._state.settings.partitioned or None,
        )
