terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    docker = {
      source = "kreuzwerker/docker"
    }
  }
}

variable "image" {
  description = "The image of the workspace. It needs a shell, tar, gzip, and one of curl, wget and busybox."
  type        = string
  default     = "buildpack-deps:bookworm-scm"
}

variable "docker_host" {
  description = "Where the Docker engine listens; empty for this machine's own socket."
  type        = string
  default     = ""
}

variable "home" {
  description = "The folder that stays when the workspace stops."
  type        = string
  default     = "/home/developer"
}

provider "docker" {
  host = var.docker_host != "" ? var.docker_host : null
}

data "coder_workspace" "me" {}

data "coder_workspace_owner" "me" {}

data "coder_provisioner" "me" {}

locals {
  name = "genba-${lower(data.coder_workspace_owner.me.name)}-${lower(data.coder_workspace.me.name)}"

  labels = {
    "genba.owner"        = data.coder_workspace_owner.me.name
    "genba.owner_id"     = data.coder_workspace_owner.me.id
    "genba.workspace"    = data.coder_workspace.me.name
    "genba.workspace_id" = data.coder_workspace.me.id
  }
}

resource "coder_agent" "main" {
  os   = "linux"
  arch = data.coder_provisioner.me.arch
  dir  = var.home

  env = {
    GIT_AUTHOR_NAME     = data.coder_workspace_owner.me.full_name
    GIT_AUTHOR_EMAIL    = data.coder_workspace_owner.me.email
    GIT_COMMITTER_NAME  = data.coder_workspace_owner.me.full_name
    GIT_COMMITTER_EMAIL = data.coder_workspace_owner.me.email
  }

  startup_script = <<-EOT
    set -e
    echo "Workspace ${data.coder_workspace.me.name} of ${data.coder_workspace_owner.me.name}"
    echo "Image:    ${var.image}"
    echo "Home:     ${var.home}"
    echo "Ready."
  EOT

  metadata {
    key          = "memory"
    display_name = "Memory"
    script       = "awk '/^MemTotal/ { total = $2 } /^MemAvailable/ { free = $2 } END { printf \"%.1f of %.1f GiB\", (total - free) / 1048576, total / 1048576 }' /proc/meminfo"
    interval     = 10
    timeout      = 2
  }

  metadata {
    key          = "disk"
    display_name = "Disk"
    script       = "df -Ph \"$HOME\" | awk 'NR == 2 { print $3 \" of \" $2 }'"
    interval     = 60
    timeout      = 5
  }
}

# The files; they stay when the workspace stops and go when it is deleted.
resource "docker_volume" "home" {
  name = "genba-${data.coder_workspace.me.id}-home"

  dynamic "labels" {
    for_each = local.labels
    content {
      label = labels.key
      value = labels.value
    }
  }

  # The name of the workspace may change; its files must not go with it.
  lifecycle {
    ignore_changes = all
  }
}

# The container; there while the workspace runs.
resource "docker_container" "workspace" {
  count = data.coder_workspace.me.start_count

  name     = local.name
  hostname = lower(data.coder_workspace.me.name)
  image    = var.image

  # The gateway's own address is another machine's inside of the container: it is reached as host.docker.internal.
  entrypoint = ["sh", "-c", replace(coder_agent.main.init_script, "/localhost|127\\.0\\.0\\.1/", "host.docker.internal")]
  env        = ["CODER_AGENT_TOKEN=${coder_agent.main.token}", "HOME=${var.home}"]

  host {
    host = "host.docker.internal"
    ip   = "host-gateway"
  }

  volumes {
    container_path = var.home
    volume_name    = docker_volume.home.name
  }

  dynamic "labels" {
    for_each = local.labels
    content {
      label = labels.key
      value = labels.value
    }
  }
}
