"""The pages of one workspace.

* `dashboard`: makes them all
* `page`, `builds`, `agents`, `ports`, `terminal`: the routes that show; `actions`: those that do
* `shown`: gets what they show; `view`: what of it is shown, and to whom; `words`: how it is said
* `steps`, `kept_steps`: what Terraform does, read from its log; `agent_steps`: what its agents do; `log_text`: logs
  as files
* `app_links`: where apps are opened
* `pieces`: what comes by itself while one looks
"""
