"""How Sphinx builds the site. No font, script or style comes from another host."""

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "emorank"
html_title = "emorank"
language = "en"

extensions = ["myst_parser", "sphinx_copybutton"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["files"]  # what pages lead to beside pages, handed out as it is
myst_enable_extensions = ["deflist", "html_image"]
myst_heading_anchors = 4
nitpicky = True
smartquotes = False  # "--option" stays as it is typed
highlight_language = "none"  # a block that names no language is shown as it stands

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_logo = html_favicon = "../../src/emorank/web/static/icon.svg"
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_last_updated_fmt = None
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b4f8a", "color-brand-content": "#0b5cad"},
    "dark_css_variables": {"color-brand-primary": "#9cc7e8", "color-brand-content": "#8ec5f4"},
}
copybutton_prompt_text = "$ "
copybutton_exclude = ".linenos, .gp"


def setup(app: Sphinx) -> None:
    """Tables as text are shown as they stand."""
    app.add_lexer("csv", TextLexer)
