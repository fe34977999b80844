"""Pages of the dashboard: Jinja templates, plain CSS and a little script, no build step.

* `pages`: the routes
* `rows`: what the list of workspaces shows, and from where
* `rendering`: templates and assets, read once at import
* `forms`: the token that forms repeat, and where a sign-in may lead
"""
