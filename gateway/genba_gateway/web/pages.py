"""What every page is shown with, and the pages that say what did not work."""

from __future__ import annotations

from quart import Blueprint, Quart, Response, has_websocket_context, request
from werkzeug.exceptions import NotFound as RouteNotFound

from genba_gateway.api.answers import say
from genba_gateway.errors import GenbaError, TooManyRequests, Unauthenticated
from genba_gateway.web.error_texts import say_error
from genba_gateway.web.flashes import FLASH_COOKIE, leave_flash
from genba_gateway.web.forms import FormPage, go_to, login_path
from genba_gateway.web.languages import translate
from genba_gateway.web.rendering import answer_html, render_page, render_text

_PROGRAM_PATHS = ("/api/", "/bin/", "/derp")
"""Below these, programs ask, which want JSON rather than a page."""

OPEN_DIALOG = "genba:open"
CLOSE_DIALOG = "genba:close"
"""Events of genba.js."""


class Pages:
    """Shows templates, with what they all need. Each noun's module makes its blueprint here.

    Args:
        access_url: where browsers find the gateway.
    """

    def __init__(self, *, access_url: str) -> None:
        self.access_url = access_url
        self.secure = access_url.startswith("https:")

    def blueprint(self, noun: str) -> Blueprint:
        """A blueprint whose errors become pages, or messages where htmx asked."""
        blueprint = Blueprint(f"pages of {noun}", __name__)
        _add_error_pages(blueprint)
        return blueprint

    def show(
        self, template: str, /, *, status: int = 200, policy: dict[str, str] | None = None, **values: object
    ) -> Response:
        """A page; its template gets `values`, `csrf_token`, `shell` and `access_url`."""
        form = FormPage(secure=self.secure)
        shown: dict[str, object] = {"csrf_token": form.token, "access_url": self.access_url, **values}
        response = form.finish(render_page(template, status=status, policy=policy, **shown))
        if FLASH_COOKIE in request.cookies:
            response.delete_cookie(FLASH_COOKIE, path="/", httponly=True, samesite="Lax", secure=self.secure)
        return response

    def fragment(self, template: str, /, **values: object) -> Response:
        """A piece of a page, for htmx to put into its place; its template gets what a page's does, without `shell`."""
        form = FormPage(secure=self.secure)
        shown: dict[str, object] = {"csrf_token": form.token, "access_url": self.access_url, **values}
        return form.finish(answer_html(render_text(template, **shown)))

    def go(self, path: str, *, good: str = "", bad: str = "") -> Response:
        """Lead to another page, which shows the message if there is one. htmx leads the whole window there."""
        response = Response(b"", 204, {"HX-Redirect": path}) if is_htmx() else go_to(path)
        if good or bad:
            leave_flash(response, "bad" if bad else "good", bad or good, secure=self.secure)
        return response

    def dialog(self, template: str, /, **values: object) -> Response:
        """A piece for the page's one dialog, which it opens (genba.js)."""
        response = self.fragment(template, **values)
        response.headers.update({"HX-Reswap": "innerHTML", "HX-Trigger-After-Swap": OPEN_DIALOG})
        if request.headers.get("HX-Target") != "dialog":
            # htmx looks for it from the element that asked, in vain if a live piece has replaced that meanwhile.
            response.headers["HX-Retarget"] = "#dialog"
        return response

    def tell(self, back: str, *, good: str = "", bad: str = "") -> Response:
        """Say what came of something: at once where a script asked, else on the page that it leads back to."""
        if not is_htmx():
            return self.go(back, good="" if bad else good, bad=f"{good} {bad}".strip() if bad else "")
        response = self.fragment("errors/flashes.html", good=good, bad=bad)
        response.headers.update({"HX-Retarget": "#flash", "HX-Reswap": "innerHTML", "HX-Trigger": CLOSE_DIALOG})
        return response


def is_htmx() -> bool:
    """Whether a script of the page asks, which wants a piece of one."""
    return request.headers.get("HX-Request") == "true"


def install_not_found_page(app: Quart) -> None:
    """Answer paths that lead nowhere: people get a page, programs the API's error body."""

    @app.errorhandler(RouteNotFound)
    async def nowhere(_error: RouteNotFound) -> Response:
        if has_websocket_context() or request.path.startswith(_PROGRAM_PATHS):
            return say("Route not found.", 404)
        return not_found_page()


def not_found_page() -> Response:
    """The page for a path that leads nowhere."""
    return error_page(404, translate("Nothing here"), translate("No page has this address."))


def error_page(status: int, title: str, message: str) -> Response:
    """A page that says what did not work."""
    return render_page("errors/error.html", status=status, title=title, message=message)


def _add_error_pages(blueprint: Blueprint) -> None:
    @blueprint.errorhandler(Unauthenticated)
    async def ask_to_sign_in(_error: Unauthenticated) -> Response:
        if is_htmx():
            return Response(b"", 204, {"HX-Redirect": login_path("/workspaces")})
        return go_to(login_path(request.full_path.removesuffix("?") if request.method == "GET" else request.path))

    @blueprint.errorhandler(GenbaError)
    async def refused(error: GenbaError) -> Response:
        response = _message(error) if is_htmx() else _page(error)
        if isinstance(error, TooManyRequests):
            response.headers["Retry-After"] = str(error.retry_after_s)
        return response


def _page(error: GenbaError) -> Response:
    title = translate("Nothing here") if error.status == 404 else translate("That did not work")
    return error_page(error.status, title, say_error(error.message))


def _message(error: GenbaError) -> Response:
    response = answer_html(render_text("errors/flash.html", message=say_error(error.message)), status=error.status)
    response.headers["HX-Retarget"] = "#flash"
    response.headers["HX-Reswap"] = "innerHTML"
    return response
