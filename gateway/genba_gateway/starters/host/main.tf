terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
    genba = {
      source = "genba/genba"
    }
  }
}

data "coder_workspace" "me" {}

data "coder_workspace_owner" "me" {}

data "coder_provisioner" "me" {}

resource "coder_agent" "main" {
  os   = data.coder_provisioner.me.os
  arch = data.coder_provisioner.me.arch
  dir  = genba_host_home.home.path

  env = {
    GIT_AUTHOR_NAME     = data.coder_workspace_owner.me.full_name
    GIT_AUTHOR_EMAIL    = data.coder_workspace_owner.me.email
    GIT_COMMITTER_NAME  = data.coder_workspace_owner.me.full_name
    GIT_COMMITTER_EMAIL = data.coder_workspace_owner.me.email
  }

  startup_script = <<-EOT
    set -e
    echo "Workspace ${data.coder_workspace.me.name} of ${data.coder_workspace_owner.me.name}"
    echo "Machine:  $(uname -srm)"
    echo "Home:     $HOME"
    echo "Ready."
  EOT

  metadata {
    key          = "cpu"
    display_name = "CPU load"
    script       = "cut -d' ' -f1 /proc/loadavg"
    interval     = 10
    timeout      = 2
  }

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
resource "genba_host_home" "home" {
  workspace_id = data.coder_workspace.me.id
  running      = data.coder_workspace.me.start_count > 0
}

# The processes; there while the workspace runs.
resource "genba_host" "workspace" {
  count = data.coder_workspace.me.start_count

  workspace_id = data.coder_workspace.me.id
  token        = coder_agent.main.token
  directory    = genba_host_home.home.path
}
