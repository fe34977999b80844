# VS Code in the browser: code-server, run by code-server.sh, which says how.

variable "code_server" {
  description = "Offer VS Code in the browser (code-server)."
  type        = bool
  default     = true
}

variable "code_server_folder" {
  description = "A folder in the workspace that has code-server; empty to look on the PATH and install it otherwise."
  type        = string
  default     = ""
}

variable "code_server_version" {
  description = "The version that is installed where there is none."
  type        = string
  default     = "4.139.1"
}

variable "code_server_installer" {
  description = "Where the official installer is fetched from; empty to install from npm only."
  type        = string
  default     = "https://code-server.dev/install.sh"
}

locals {
  code_server_settings = {
    code_server_folder    = var.code_server_folder
    code_server_version   = var.code_server_version
    code_server_installer = var.code_server_installer
  }

  # A path below the home folder: two workspaces on one machine have two, and no other user of the machine gets in.
  code_server_socket = "http+unix://.code-server%2Fsocket"
}

resource "coder_app" "code_server" {
  count = var.code_server ? 1 : 0

  agent_id     = coder_agent.main.id
  slug         = "code-server"
  display_name = "VS Code in the browser"
  icon         = "/icon/code.svg"
  url          = "${local.code_server_socket}/"
  share        = "owner"
  # Under a name of its own where the gateway has some (--wildcard-access-url), apart from other apps; else by path.
  subdomain = true
  order     = 1

  healthcheck {
    url      = "${local.code_server_socket}/healthz"
    interval = 5
    # One that died is unwell within half a minute. While it is installed and begins, which takes minutes, the script
    # keeps a file beside the socket, by which the agent knows that it is on its way.
    threshold = 5
  }
}

resource "coder_script" "code_server" {
  count = var.code_server ? 1 : 0

  agent_id     = coder_agent.main.id
  display_name = "code-server"
  icon         = "/icon/code.svg"

  # It runs until the workspace stops. Whenever it does not run, it is started within a second.
  cron = "* * * * * *"

  script = join("\n", concat(
    ["#!/bin/sh"],
    [for name, value in local.code_server_settings : "${name}='${replace(value, "'", "'\\''")}'"],
    [file("${path.module}/code-server.sh")],
  ))
}
