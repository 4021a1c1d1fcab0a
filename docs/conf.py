"""How the documentation is built: `tox -e docs`, where every warning is an error."""

import re

from sphinx.application import Sphinx

import evoclient

project = "evoclient"
author = "The evoclient authors"
project_copyright = "2026, The evoclient authors"
release = version = evoclient.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_design",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
# The fragments become CHANGELOG.md; they are no pages.
exclude_patterns = ["_build", "changes"]

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
# Names for unions, which the reference explains where they belong.
autodoc_type_aliases = {
    "ApiKey": "evoclient.auth.bearer.ApiKey",
    "By": "evoclient.streaming.buffering.By",
    "Cert": "evoclient.transports.environment.Cert",
    "ScriptLike": "evoclient.transports.scripts.ScriptLike",
    "Verify": "evoclient.transports.environment.Verify",
}
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# Single backquotes in docstrings name things of ours, or are simply code.
default_role = "code"

# Long signatures stand on several lines, one argument on each.
python_maximum_signature_line_length = 88

nitpicky = True
# The documentation is built without a network, so the standard library has no pages to link to.
nitpick_ignore_regex = [
    ("py:class", r"(collections\.abc|os|pathlib|re|types|typing)\.\w+"),
    # matplotlib's, which is imported where it is used.
    ("py:class", "Figure"),
    # What a decorator is given, it returns.
    ("py:class", r"evoclient\.streaming\.callbacks\.(F|On\w+)"),
    # What headers give for a field that is not there.
    ("py:class", r"evoclient\.wire\._T"),
    # What a request keeps from being shown; nobody makes one by hand.
    ("py:class", r"evoclient\.ground\.Secrets"),
]

html_theme = "furo"
html_title = "evoclient"

# What users get and do not make: how it is made is of no use to them.
_HANDED_OUT = (
    *("Chat", "Completions", "Embeddings", "Models", "Stream", "TextCompletions"),
    *(
        "Callback",
        "FailedAttempt",
        "GapFigures",
        "LabelledChunk",
        "Rates",
        "Start",
        "StreamMetrics",
    ),
)


def _shown_signature(
    app: Sphinx,
    what: str,
    name: str,
    documented: object,
    options: object,
    arguments: str | None,
    returned: str | None,
) -> tuple[str | None, str | None]:
    """Return the signature as it is to be shown."""
    last = name.rpartition(".")[2].removeprefix("Async")
    is_protocol = getattr(documented, "_is_protocol", False)
    if what == "exception" or last in _HANDED_OUT or (what == "class" and is_protocol):
        return "", None
    # A default that is made anew for each object, as attrs and dataclasses show it.
    return arguments and re.sub(r"=(NOTHING|<[^,]*>)", "=...", arguments), returned


def setup(app: Sphinx) -> None:
    """Connect the hook above."""
    app.connect("autodoc-process-signature", _shown_signature)
