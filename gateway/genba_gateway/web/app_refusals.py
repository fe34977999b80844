"""The pages in place of an app, in their reader's language. Nothing of the dashboard is known where they are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from genba_gateway.apps.refusals import Page, PageWords, write_page
from genba_gateway.domain.app_access import AppRefusal, AppRequest
from genba_gateway.web.languages import choose_language, mark, speaking, translate
from genba_gateway.web.phrases import Phrases

TEXTS: Final = (
    # What a request asks for
    mark("Nothing here"),
    mark("There is no app at this address, or you may not use it. Look for it on its workspace's page."),
    mark("Apps by path are switched off"),
    mark("This gateway serves apps under names of their own."),
    mark("Another address"),
    mark("Apps are served under the exact name and port that the dashboard's links have."),
    mark("This address can't be used"),
    mark("Its path leads upwards, or has characters that none has."),
    mark("This port can't be opened"),
    mark("Ports of workspaces are 9 to 65535."),
    mark("This address leads in a circle"),
    mark("What serves the app in its workspace leads back to this gateway."),
    mark("This request can't be read"),
    mark("The request names no host."),
    mark("The request names more than one host."),
    mark("The request's Host is neither a host's name nor an address, with a port perhaps."),
    mark("The request's method is none."),
    mark("The request's address is not a path."),
    mark("The request's path has segments of dots."),
    mark("A header of the request has a name or a value that can't be."),
    mark("The request names the length of its body twice (Content-Length, Transfer-Encoding)."),
    mark("The request's body comes in chunks, which its version of HTTP does not know."),
    mark("The request's body is not as long as it says."),
    mark("The request has more than %(count)s trailers."),
    mark("The request's trailers are longer than %(count)s bytes."),
    mark("The address leads to no app."),
    # Who asks
    mark("Another page asked for this"),
    mark("A page of another origin may not use this app in your name. If it has to, share the app publicly."),
    mark("You are not signed in"),
    mark("Open the app in a tab of its own to sign in."),
    mark("This link is of no use here"),
    mark(
        "It was made for another browser, or this one kept no cookie of the app. Allow cookies, and open the app from "
        "its workspace's page."
    ),
    mark("The workspace is gone."),
    mark("You signed out."),
    mark("Your user is gone."),
    mark("Your user is suspended."),
    mark("You may not use this app any more."),
    mark("The workspace was stopped."),
    mark("The workspace was deleted."),
    mark("A new build of the workspace took the agent's place."),
    mark("The gateway could not find out whether this may go on."),
    # The workspace
    mark("%(name)s is stopping"),
    mark("%(name)s is being deleted"),
    mark("Its apps end with it."),
    mark("%(name)s is stopped"),
    mark("Start it on its page, then open the app again."),
    mark("Its owner can start it."),
    mark("%(name)s is starting"),
    mark("%(name)s does not run"),
    mark("Its %(doing)s waits in the queue, %(place)s of %(size)s. You can cancel it."),
    mark("Its %(doing)s is next in the queue. You can cancel it."),
    mark("Its %(doing)s is running since %(when)s. Follow its log, or cancel it."),
    mark("Its %(doing)s was canceled at %(when)s and Terraform is ending its current step."),
    mark("Its %(doing)s was canceled. What was made is kept: start, stop or delete it."),
    mark("Its stop at the deadline failed: %(error)s It is tried again within an hour; read its log."),
    mark("Its %(doing)s failed: %(error)s Read the build's log, then start, stop or delete it."),
    mark("Its %(doing)s succeeded at %(when)s."),
    # Its agent
    mark("The agent of %(name)s is away"),
    mark("Its agent %(agent)s is awaited. %(why)s"),
    mark("The machine was restarted; the workspace's processes are gone. Start the workspace to get them back."),
    mark("%(why)s It was connected until %(when)s."),
    mark("Its connection ended."),
    mark("The agent's connection ended."),
    mark("A newer build of the workspace took its place."),
    mark("The gateway was restarted, and the agent has not connected again yet."),
    mark("Nothing was heard from it since %(when)s. It connects again by itself when it runs and reaches the gateway."),
    mark(
        "It has not connected within %(seconds)s s. Look at the log of the machine or container that should run it; it "
        "is still welcome when it comes.%(more)s"
    ),
    mark(" See %(url)s."),
    mark("It has not connected yet; its machine may still be starting.%(more)s"),
    mark(" It is given up for late %(seconds)s s after %(when)s."),
    mark("It is connected."),
    mark("an unknown time"),
    mark("%(agent)s: %(why)s"),
    # The way there
    mark("The gateway is stopping"),
    mark("It is back in a moment."),
    mark("The workspace can't be reached"),
    mark("The gateway is stopping."),
    mark("The agent has no control connection to this gateway at the moment. It connects again by itself; try again."),
    mark("The agent could not open a carrier: %(reason)s"),
    mark("The agent did not open a carrier within %(seconds)s s. It may have lost its network."),
    mark("The agent opened a carrier, but no link: %(reason)s."),
    mark("The agent did not answer within %(seconds)s s."),
    mark("The link to the agent broke: %(reason)s."),
    mark("Something went wrong in the gateway; its log says what."),
    mark("%(count)s connections to the app are open: close some of its pages."),
    # The app
    mark("Its start scripts are still running, and nothing listens for %(what)s yet."),
    mark("port %(port)s"),
    mark("the app %(app)s"),
    mark("%(name)s is not ready yet"),
    mark("It has not answered since %(name)s started. The agent's log may say how far it is."),
    mark("Nothing answers in %(name)s"),
    mark("No program listens for %(what)s. %(why)s"),
    mark("Start the program that should."),
    mark("Look at the log of the script that starts it."),
    mark("The app can't be shown"),
    mark("Its address can't be used. Its owner sees why."),
    mark("The app's url %(url)s can't be read: %(error)s."),
    mark("The app's url %(url)s is not of the form http://HOST:PORT or https://HOST:PORT."),
    mark("The app did not answer"),
    mark("It closed the connection. Its owner sees more."),
    mark("%(app)s closed the connection: %(why)s"),
    mark("The request's body could not be handed on."),
    mark("The connection to the app was closed."),
    mark("The connection to the app broke."),
    mark("The app closed the connection."),
    mark("TLS failed: %(reason)s."),
    mark("TLS did not come about within %(seconds)s s."),
    mark("The app's answer can't be read"),
    mark("What it answered is not HTTP. Its owner sees more."),
    mark("What %(app)s answered is not HTTP: %(why)s. Is it https?"),
    mark("it ended before it had answered, or never came to it"),
    mark("the body ended too early"),
    mark("a line of its chunks, or their trailers, are too long"),
    mark("it names two lengths of its body (Content-Length and Transfer-Encoding)"),
    mark("its handshake of a websocket does not fit the request"),
    mark("it chose the subprotocol %(name)s, which was not offered"),
    mark("it chose an extension, and none was offered"),
)

_WAITS: Final = mark("This page goes on by itself when that changes.")
_PROGRESS: Final = mark("See how far it is")

_IN_HOLES: Final = {
    "agent": r"'?[\w-]+'?",
    "count": r"\d+",
    "doing": "start|stop|deletion",
    "more": ".*",
    "place": r"\d+",
    "seconds": r"[\d.]+",
    "size": r"\d+",
    "when": r"\d{4}-[\d-]+ [\d:]+ UTC|an unknown time",
}
_PHRASES: Final = Phrases(TEXTS, nested=frozenset({"doing", "more", "what", "when", "why"}), in_holes=_IN_HOLES)


def say_refusal(text: str) -> str:
    """A title or a message of a refusal in the language spoken here."""
    return _PHRASES.say(text)


def show_refusal(refusal: AppRefusal, request: AppRequest) -> Page:
    """The page in the language of the browser: what its reader chose on the dashboard is a cookie of that host."""
    accepted = b",".join(value for name, value in request.headers if name == b"accept-language")
    language = choose_language(accepted.decode("latin-1"))
    with speaking(language):
        said = replace(refusal, title=say_refusal(refusal.title), message=say_refusal(refusal.message))
        return write_page(said, PageWords(language, translate(_WAITS), translate(_PROGRESS)))
