"""Pages of the dashboard: Jinja templates, htmx, plain CSS and plain scripts, no build step.

How a page is added: a module of its noun here with `make_blueprint(pages, …)`, listed in `dashboard`; its templates in
`templates/<noun>/`; its texts in `locale/ja.po` (`python -m scripts.gather_texts` finds them); a line in
`shell.NAVIGATION` if it is to be found from everywhere; a style sheet or module of its own in `assets/` if it needs
one, loaded in the template's block `head`.

* `dashboard`: all pages, for `routes`
* `pages`: what every page is shown with, and the pages that say what did not work
* `shell`: what surrounds a page; `flashes`: the message that a form leaves for the next one
* `rendering`, `assets`, `languages`: templates, files and texts, read once at import
* `forms`: the token that forms repeat, and where a sign-in may lead
* `template_pages`, `template_editor`, `workspace_forms`: templates, what changes them, and the form from which a
  workspace is made; `parameter_fields`: its fields; `markup`, `read_mes`: read-mes and files as HTML
* `field_problems`: what was wrong with a form's fields; `error_texts`: what services raise; `app_refusals`: the pages
  in place of an app; all in the reader's language, by `phrases` that were made in English elsewhere
* `listings`: lists that are searched and shown by pages
* `sign_in`, `tokens`, `preferences`, `workspaces`, `account`, `git_ssh_keys`, `users`,
  `user_changes`, `audit_logs`, `health`, `deployment`, `help_page`: the pages by their nouns
* `user_views`, `health_views`: a user and the health report in words
* `workspace_views`, `states`: a workspace as pages show it, and its states in words; `workspace_actions`: what is done
  with chosen ones
"""
