"""What services say went wrong, in the reader's language.

Services raise errors whose message is English, which is the API's. Pages look it up here: as it is, or by the text that
it was made from, with what stands in its holes. What isn't here is shown in English; a test names what services raise
and nobody has translated.
"""

from __future__ import annotations

from typing import Final

from genba_gateway.web.languages import ENGLISH, current_language, mark
from genba_gateway.web.phrases import Phrases

_WHY: Final = "why"
"""The hole of a text that another text stands in; those of others hold names, which are nobody's to translate."""

MESSAGES: Final = (
    # Sessions and users
    mark("You are not signed in."),
    mark("This session is not known. Sign in again."),
    mark("This session has expired. Sign in again."),
    mark("This key opens workspace apps only: sign in to call the API."),
    mark("This user is suspended. Ask an administrator."),
    mark("Incorrect email or password."),
    mark("This user signs in by %(login_type)s, not by password."),
    mark("What you sign in with was changed just now: sign in again."),
    mark("This link was used, or its 10 minutes are over. Make another, or sign in below."),
    mark("The first user exists already: sign in instead."),
    mark("Validation failed."),
    mark("The password %(why)s."),
    mark("The password was changed just now: sign in with the new one, and then change it."),
    mark("A user with the %(field)s %(name)s exists already."),
    mark("A user with the username %(name)s exists already: choose another."),
    mark("User %(name)s signs in by %(login_type)s, not by password."),
    mark("User %(name)s is an owner, whom nobody can suspend: take the role away first."),
    mark("User %(name)s is the last owner: make another one first."),
    mark("User %(name)s has %(count)s workspace: delete them first."),
    mark("User %(name)s has %(count)s workspaces: delete them first."),
    mark("You can't suspend yourself: ask another owner."),
    mark("You can't change your own roles: ask another owner."),
    mark("You can't delete yourself: ask another owner."),
    mark("Your roles don't allow to administer users."),
    mark("Your roles don't allow to %(action)s this %(thing)s."),
    mark("Resource not found or you do not have access to it."),
    mark("Invalid user search query."),
    mark("Invalid %(of)s search query: %(field)s %(why)s."),
    # Tokens
    mark("The token's lifetime %(why)s."),
    mark("The token's name %(why)s."),
    mark("A token with the name %(name)s exists already: choose another, or delete that one."),
    # Workspaces and their builds
    mark("The name %(name)s can't be used: it %(why)s."),
    mark("%(owner)s has a workspace named %(name)s already: choose another name."),
    mark("There is a workspace named %(name)s already: choose another name."),
    mark("Workspace %(name)s was deleted."),
    mark("Workspace %(name)s was deleted and can't be renamed."),
    mark("Workspace %(name)s has a build in progress (number %(number)s, %(why)s): wait for it or cancel it."),
    mark("Workspace %(name)s was used, started or stopped meanwhile."),
    mark("Workspace %(name)s is %(why)s: only a running one has a deadline."),
    mark("Workspace %(name)s has no deadline: it does not stop by itself."),
    mark("Another build was started at the same moment: look at its log."),
    mark("Parameter %(name)s: %(why)s."),
    mark("Parameter %(name)s: preset %(preset)s sets it: leave it out, or choose no preset."),
    mark("The schedule %(why)s."),
    mark("The deadline %(why)s."),
    mark("The job is being canceled already."),
    mark("The job has ended already."),
    mark("The job has %(why)s already."),
    mark("This port can't be shared so: %(why)s."),
    mark("The agent %(name)s is %(why)s. %(reason)s"),
    # Templates and their versions
    mark("Template %(name)s does not allow users to cancel builds: ask an owner."),
    mark("Template %(name)s does not allow workspaces that start by themselves: set no schedule."),
    mark("Template %(name)s does not allow another time to stop than its own: leave ttl_ms out."),
    mark("Template %(name)s is deprecated: %(message)s"),
    mark("Template %(name)s has no version %(version)s."),
    mark("Template %(name)s has %(count)s workspace: delete them first."),
    mark("Template %(name)s has %(count)s workspaces: delete them first."),
    mark("There is a template named %(name)s already: choose another name, or push a version to it."),
    mark("The template requires its active version, and %(name)s is another one: update the workspace."),
    mark("The template has a version named %(name)s already: choose another name."),
    mark("The template has a version named %(name)s already."),
    mark("Template version %(name)s is archived: choose another one, or unarchive it."),
    mark("Template version %(name)s has no preset %(preset)s: choose one of this version."),
    mark("Template version %(name)s can't be built: its import failed: %(error)s"),
    mark("Template version %(name)s can't be built: its import is %(why)s."),
    mark("The template version is still being imported: try again when its job has completed."),
    mark("Version %(name)s is the active one: promote another first."),
    mark("Version %(name)s is archived: unarchive it first."),
    mark("The import of version %(name)s is %(why)s."),
    mark("The dry run is not over yet: try again when its job has completed."),
    mark("The file needs a name, such as main.tf."),
    mark("Nothing was changed, so there is nothing to push."),
    # The gate and forms
    mark("This form is out of date: go back, reload the page and try again."),
)
DETAILS: Final = (
    mark("must be %(least)s to %(most)s"),
    mark("must be one of %(choices)s"),
    mark(
        "is above the maximum of the template %(name)s, which shares no port: whoever may change the template can "
        "raise it in its settings (max_port_share_level)"
    ),
    mark(
        "is above the maximum of the template %(name)s, whose ports are shared with people who are signed in at most "
        "(authenticated): whoever may change the template can raise it in its settings (max_port_share_level)"
    ),
    mark("is one too many: a workspace shares %(count)s"),
    mark("is no search key; known ones are %(keys)s"),
    mark("may be given once"),
    mark("must be at least 30 minutes from now"),
    mark("the template does not allow it"),
    # Values of a template's parameters (domain/parameter_rules.py)
    mark("a value is needed, since it has no default"),
    mark("must be between %(least)s and %(most)s"),
    mark("must be at least %(least)s"),
    mark("must be at most %(most)s"),
    mark("must match %(pattern)s"),
    mark("may only grow; it was %(value)s"),
    mark("may only shrink; it was %(value)s"),
    mark("has %(count)s characters; %(most)s are allowed"),
    mark("%(value)s is not a number: write it like 4 or 2.5"),
    mark("%(value)s is not a whole number, which one with limits has to be"),
    mark("%(value)s is none of its options: %(options)s"),
)
STATUSES: Final = (
    mark("pending"),
    mark("starting"),
    mark("running"),
    mark("stopping"),
    mark("stopped"),
    mark("canceling"),
    mark("canceled"),
    mark("deleting"),
    mark("deleted"),
    mark("succeeded"),
    mark("failed"),
    mark("connecting"),
    mark("connected"),
    mark("disconnected"),
    mark("timeout"),
)


_IN_HOLES: Final = {"least": r"-?\d+", "most": r"-?\d+", "count": r"\d+", "field": r"[^ ]+", "of": r"[^ ]+"}
"""What stands in some holes, so that nothing else is taken for such a text."""

_PHRASES: Final = Phrases((*MESSAGES, *DETAILS, *STATUSES), nested=frozenset({_WHY}), in_holes=_IN_HOLES)
_DETAILS: Final = Phrases(DETAILS, nested=frozenset({_WHY}), in_holes=_IN_HOLES)


def say_detail(detail: str) -> str:
    """What is wrong with a field, as a sentence; the words of a template's author stay as they are."""
    if current_language() != ENGLISH:
        return say_error(detail)
    return f"{detail[:1].upper()}{detail[1:]}." if _DETAILS.has(detail) else detail


def say_error(message: str) -> str:
    """A message of an error in the language spoken here; as it is where nobody translated it."""
    return _PHRASES.say(message)
