"""The types of parameters, and how forms show them."""

from __future__ import annotations

TYPES = ("string", "number", "bool", "list(string)")
FORM_TYPES = (
    "radio",
    "slider",
    "input",
    "dropdown",
    "checkbox",
    "switch",
    "multi-select",
    "tag-select",
    "textarea",
    "error",
)
# The first is the default. The key's second part says whether the parameter has options.
ALLOWED_FORM_TYPES = {
    ("string", True): ("radio", "dropdown"),
    ("string", False): ("input", "textarea"),
    ("number", True): ("radio", "dropdown"),
    ("number", False): ("input", "slider"),
    ("bool", True): ("radio", "dropdown"),
    ("bool", False): ("checkbox", "switch"),
    ("list(string)", True): ("radio", "multi-select"),
    ("list(string)", False): ("tag-select",),
}
