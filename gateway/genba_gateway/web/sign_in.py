"""Pages of signing in and out, and of the first user."""

from __future__ import annotations

from quart import Blueprint, Response, request

from genba_gateway.api.cookies import clear_session_cookies, set_session_cookies
from genba_gateway.api.gate import current_user, needs
from genba_gateway.api.users import visitor_of_request
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.errors import BadRequest, Conflict, Forbidden, Unauthenticated
from genba_gateway.services.sign_in import SignIn
from genba_gateway.services.sign_in_links import SignInLinks
from genba_gateway.services.users import Users
from genba_gateway.web.error_texts import say_error
from genba_gateway.web.forms import HOME, go_to, local_target, read_form
from genba_gateway.web.languages import translate
from genba_gateway.web.pages import Pages, error_page
from genba_wire.api.users import CreateFirstUserRequest


def make_blueprint(pages: Pages, users: Users, sign_in: SignIn, links: SignInLinks) -> Blueprint:
    """/login, /logout, /setup and /sign-in."""
    blueprint = pages.blueprint("sign-in")
    _add_sign_in(blueprint, pages, users, sign_in)
    _add_setup(blueprint, pages, users, sign_in)
    _add_sign_in_link(blueprint, pages, links)
    return blueprint


def _add_sign_in(blueprint: Blueprint, pages: Pages, users: Users, sign_in: SignIn) -> None:
    async def show(*, error: str = "", email: str = "", target: str = HOME, status: int = 200) -> Response:
        is_set_up = await users.has_first()
        return pages.show(
            "sign_in/login.html", status=status, error=error, email=email, target=target, is_set_up=is_set_up
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
            return await show(error=say_error(error.message), email=email, target=target, status=error.status)
        return _signed_in(token, target, secure=pages.secure)

    @blueprint.get("/logout")
    @needs(RouteAccess.SIGNED_IN)
    async def ask_to_log_out() -> Response:
        return pages.show("sign_in/logout.html", username=current_user().username)

    @blueprint.post("/logout")
    @needs(RouteAccess.SIGNED_IN)
    async def log_out() -> Response:
        await read_form()
        await sign_in.sign_out(current_user())
        response = go_to("/login")
        clear_session_cookies(response, secure=pages.secure)
        return response


def _add_setup(blueprint: Blueprint, pages: Pages, users: Users, sign_in: SignIn) -> None:
    def show(*, problems: list[str], email: str = "", username: str = "", status: int = 200) -> Response:
        return pages.show("sign_in/setup.html", status=status, problems=problems, email=email, username=username)

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
            told = [f"{each.field.capitalize()} {each.detail}." for each in error.validations]
            problems = told or [say_error(error.message)]
            return show(problems=problems, email=wanted.email, username=wanted.username, status=error.status)
        token = await sign_in.sign_in(visitor_of_request(), wanted.email, wanted.password)
        return _signed_in(token, HOME, secure=pages.secure)


def _add_sign_in_link(blueprint: Blueprint, pages: Pages, links: SignInLinks) -> None:
    # Chat programs and mail scanners fetch links to preview them: only the form's POST uses the link up.
    @blueprint.get("/sign-in")
    @needs(RouteAccess.PUBLIC)
    async def show_link() -> Response:
        return pages.show("sign_in/link.html", code=request.args.get("code", ""))

    @blueprint.post("/sign-in")
    @needs(RouteAccess.PUBLIC)
    async def use_link() -> Response:
        form = await read_form()
        try:
            token = await links.redeem(visitor_of_request(), form.get("code", ""))
        except Unauthenticated as error:
            return error_page(error.status, translate("This link is over"), say_error(error.message))
        return _signed_in(token, HOME, secure=pages.secure)


def _signed_in(token: str, target: str, *, secure: bool) -> Response:
    response = go_to(target)
    set_session_cookies(response, token, secure=secure)
    return response
