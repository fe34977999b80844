"""Routes of the pages: signing in and out, the first user, the token for editors, the list of workspaces."""

from __future__ import annotations

from quart import Blueprint, Quart, Response, has_websocket_context, request
from werkzeug.exceptions import NotFound as RouteNotFound

from genba_gateway.api.answers import say
from genba_gateway.api.cookies import clear_session_cookies, set_session_cookies
from genba_gateway.api.gate import current_user, needs
from genba_gateway.api.users import visitor_of_request
from genba_gateway.domain.actors import Action, Permission, Resource, RouteAccess
from genba_gateway.errors import BadRequest, Conflict, Forbidden, GenbaError, TooManyRequests, Unauthenticated
from genba_gateway.services.api_keys import ApiKeys
from genba_gateway.services.sign_in import SignIn
from genba_gateway.services.sign_in_links import SignInLinks
from genba_gateway.services.users import Users
from genba_gateway.web.forms import HOME, FormPage, go_to, local_target, login_path, read_form
from genba_gateway.web.rendering import render_page, serve_asset
from genba_gateway.web.rows import WorkspaceRows
from genba_wire.api.users import CreateFirstUserRequest

_PROGRAM_PATHS = ("/api/", "/bin/", "/derp")
"""Below these, programs ask, which want JSON rather than a page."""


def make_blueprint(
    users: Users,
    sign_in: SignIn,
    links: SignInLinks,
    keys: ApiKeys,
    rows: WorkspaceRows,
    *,
    access_url: str,
) -> Blueprint:
    """All pages."""
    blueprint = Blueprint("pages", __name__)
    secure = access_url.startswith("https:")
    _add_error_pages(blueprint)
    _add_sign_in(blueprint, users, sign_in, secure=secure)
    _add_setup(blueprint, users, sign_in, secure=secure)
    _add_sign_in_link(blueprint, links, secure=secure)
    _add_token_page(blueprint, users, keys, secure=secure)

    @blueprint.get("/")
    @needs(RouteAccess.PUBLIC)
    async def home() -> Response:
        return go_to(HOME)

    @blueprint.get("/workspaces")
    @needs(Permission(Resource.WORKSPACE, Action.READ))
    async def list_workspaces() -> Response:
        page = FormPage(secure=secure)
        found = await rows.list_rows(current_user())
        return page.finish(
            render_page(
                "workspaces.html",
                csrf_token=page.token,
                username=current_user().username,
                workspaces=found,
                access_url=access_url,
            )
        )

    @blueprint.get("/static/<name>")
    @needs(RouteAccess.PUBLIC)
    async def asset(name: str) -> Response:
        return serve_asset(name) or not_found_page()

    return blueprint


def install_not_found_page(app: Quart) -> None:
    """Answer paths that lead nowhere: people get a page, programs the API's error body."""

    @app.errorhandler(RouteNotFound)
    async def nowhere(_error: RouteNotFound) -> Response:
        if has_websocket_context() or request.path.startswith(_PROGRAM_PATHS):
            return say("Route not found.", 404)
        return not_found_page()


def not_found_page() -> Response:
    """The page for a path that leads nowhere."""
    return error_page(404, "Nothing here", "No page has this address.")


def error_page(status: int, title: str, message: str) -> Response:
    """A page that says what did not work."""
    return render_page("error.html", status=status, title=title, message=message)


def _add_error_pages(blueprint: Blueprint) -> None:
    @blueprint.errorhandler(Unauthenticated)
    async def ask_to_sign_in(_error: Unauthenticated) -> Response:
        return go_to(login_path(request.path))

    @blueprint.errorhandler(GenbaError)
    async def refused(error: GenbaError) -> Response:
        response = render_page("error.html", status=error.status, title="That did not work", message=error.message)
        if isinstance(error, TooManyRequests):
            response.headers["Retry-After"] = str(error.retry_after_s)
        return response


def _add_sign_in(blueprint: Blueprint, users: Users, sign_in: SignIn, *, secure: bool) -> None:
    async def show(*, error: str = "", email: str = "", target: str = HOME, status: int = 200) -> Response:
        page = FormPage(secure=secure)
        return page.finish(
            render_page(
                "login.html",
                status=status,
                csrf_token=page.token,
                error=error,
                email=email,
                target=target,
                is_set_up=await users.has_first(),
            )
        )

    @blueprint.get("/login")
    @needs(RouteAccess.PUBLIC)
    async def show_login() -> Response:
        return await show(target=local_target(request.args.get("redirect", "")))

    @blueprint.post("/login")
    @needs(RouteAccess.PUBLIC)
    async def log_in() -> Response:
        form = await read_form()
        email, target = form.get("email", ""), local_target(form.get("redirect", ""))
        try:
            token = await sign_in.sign_in(visitor_of_request(), email, form.get("password", ""))
        except (Unauthenticated, Forbidden) as error:
            return await show(error=error.message, email=email, target=target, status=error.status)
        return _signed_in(token, target, secure=secure)

    @blueprint.post("/logout")
    @needs(RouteAccess.SIGNED_IN)
    async def log_out() -> Response:
        await read_form()
        await sign_in.sign_out(current_user())
        response = go_to("/login")
        clear_session_cookies(response, secure=secure)
        return response


def _add_setup(blueprint: Blueprint, users: Users, sign_in: SignIn, *, secure: bool) -> None:
    def show(*, problems: list[str], email: str = "", username: str = "", status: int = 200) -> Response:
        page = FormPage(secure=secure)
        return page.finish(
            render_page(
                "setup.html",
                status=status,
                csrf_token=page.token,
                problems=problems,
                email=email,
                username=username,
            )
        )

    @blueprint.get("/setup")
    @needs(RouteAccess.PUBLIC)
    async def show_setup() -> Response:
        return go_to("/login") if await users.has_first() else show(problems=[])

    @blueprint.post("/setup")
    @needs(RouteAccess.PUBLIC)
    async def set_up() -> Response:
        form = await read_form()
        wanted = CreateFirstUserRequest(
            email=form.get("email", ""), username=form.get("username", ""), password=form.get("password", "")
        )
        try:
            await users.create_first(visitor_of_request(), wanted)
        except Conflict:
            return go_to("/login")
        except BadRequest as error:
            problems = [f"{each.field.capitalize()} {each.detail}." for each in error.validations] or [error.message]
            return show(problems=problems, email=wanted.email, username=wanted.username, status=error.status)
        token = await sign_in.sign_in(visitor_of_request(), wanted.email, wanted.password)
        return _signed_in(token, HOME, secure=secure)


def _add_sign_in_link(blueprint: Blueprint, links: SignInLinks, *, secure: bool) -> None:
    # Chat programs and mail scanners fetch links to preview them: only the form's POST uses the link up.
    @blueprint.get("/sign-in")
    @needs(RouteAccess.PUBLIC)
    async def show_link() -> Response:
        page = FormPage(secure=secure)
        return page.finish(render_page("sign_in.html", csrf_token=page.token, code=request.args.get("code", "")))

    @blueprint.post("/sign-in")
    @needs(RouteAccess.PUBLIC)
    async def use_link() -> Response:
        form = await read_form()
        try:
            token = await links.redeem(visitor_of_request(), form.get("code", ""))
        except Unauthenticated as error:
            return render_page("error.html", status=error.status, title="This link is over", message=error.message)
        return _signed_in(token, HOME, secure=secure)


def _add_token_page(blueprint: Blueprint, users: Users, keys: ApiKeys, *, secure: bool) -> None:
    # Editors and command lines open this page and wait for a pasted token. A GET makes none: any page could cause it.
    @blueprint.get("/cli-auth")
    @needs(Permission(Resource.API_KEY, Action.CREATE))
    async def offer_token() -> Response:
        page = FormPage(secure=secure)
        username = current_user().username
        return page.finish(render_page("cli_auth.html", csrf_token=page.token, username=username, token=""))

    @blueprint.post("/cli-auth")
    @needs(Permission(Resource.API_KEY, Action.CREATE))
    async def show_token() -> Response:
        await read_form()
        page = FormPage(secure=secure)
        token = await keys.create_key(current_user(), await users.resolve_user(current_user(), "me"))
        username = current_user().username
        return page.finish(render_page("cli_auth.html", csrf_token=page.token, username=username, token=token))


def _signed_in(token: str, target: str, *, secure: bool) -> Response:
    response = go_to(target)
    set_session_cookies(response, token, secure=secure)
    return response
