# Runs code-server for this workspace: finds or installs it, and starts it again when it ends.
#
# The settings stand before it: code_server_version, code_server_folder and code_server_installer.
#
# The agent starts it as a scheduled script, so that it has its place in the agent's log and nobody waits for it, and
# starts it again should it end; it stays until the workspace stops, also when there is nothing that it can do.
#
# code-server asks for no password here: the gateway has found out who is there. So it listens on a unix socket in a
# folder that is the user's own, and not on a port, which every user of the machine could use, and of which two
# workspaces on one machine would need two.

state="$HOME/.code-server"
socket="$state/socket"
log="$state/log"
# While this file is there, code-server is on its way to the agent, and not unwell when it does not answer.
starting="$socket.starting"
cache="${GENBA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/genba}"
kept="$cache/code-server-$code_server_version"

# The Node that this code-server is made for; its package also brings the headers that native modules need.
node_version=24
# Its npm, which compiles with a node-gyp of its own. Debian's links what it compiles to Debian's Node, another version,
# and loading that into this one ends the process.
npm_version=11
# What an installed one takes, and what making it takes beside that.
needed_mib=1500
# What fails with so little left has failed for that.
full_below_mib=50
# A unix socket's path may have 107 bytes.
longest_path=107
largest_log=5000000
longest_pause=60
# One that does not listen within so many seconds is unwell.
longest_start=60
# One that ran for so many seconds was well: the next pause is the first one again.
well_after=60

child=
watcher=
# The last process that got one of these two names.
named=
fresh=
listening=
marked=

say() {
    printf '%s\n' "$*"
}

complain() {
    printf '%s\n' "$@" >&2
}

stop() {
    trap '' HUP INT TERM
    # The signal may come when a process has been started and not yet been named.
    [ "$!" = "$named" ] || kill -KILL "$!" 2>/dev/null
    [ -z "$watcher" ] || kill -KILL "$watcher" 2>/dev/null
    tries=0
    # More than once: a subshell that has only begun loses what it is sent.
    while [ -n "$child" ] && kill "$child" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 40 ] || kill -KILL "$child"
        sleep 0.2
    done
    [ -z "$fresh" ] || rm -rf "$fresh"
    [ -z "$listening" ] || rm -f "$socket"
    [ -z "$marked" ] || unmark
    exit 0
}

mark() {
    marked=yes
    : >"$starting"
}

unmark() {
    rm -f "$starting"
    marked=
}

# Says what is wrong, and waits for the workspace's stop.
fail() {
    complain "$@"
    complain "VS Code in the browser is not there until then; everything else of the workspace works."
    [ -z "$fresh" ] || rm -rf "$fresh"
    fresh=
    unmark
    exec 8>&- 9>&-
    while :; do
        sleep 3600 &
        child=$! named=$!
        wait "$child"
    done
}

# Sets `program` to what starts the code-server in a folder: its program, or its Node and what that has to run.
look_in() {
    node="$1/node/node_modules/node/bin/node"
    entry="$1/code-server/node_modules/code-server/out/node/entry.js"
    if [ -x "$node" ] && [ -f "$entry" ]; then
        program=$node
        return 0
    fi
    entry=
    for program in "$1/lib/code-server-$code_server_version/bin/code-server" "$1/bin/code-server" "$1/code-server"; do
        if [ -f "$program" ] && [ -x "$program" ]; then
            return 0
        fi
    done
    return 1
}

find_code_server() {
    if [ -n "$code_server_folder" ]; then
        look_in "$code_server_folder" && return 0
        fail "There is no code-server in $code_server_folder, which the template's variable code_server_folder names." \
            "Put it there (bin/code-server in it is looked for), or leave the variable empty."
    fi
    entry=
    program=$(command -v code-server) && return 0
    look_in "$kept"
}

# Which package npm is at, for the end of a sentence; it writes "> NAME@VERSION STEP" when it begins with one.
name_package() {
    package=$(sed -n 's/^> \([^ ]*@[^ ]*\) .*/\1/p' "$kept.log" 2>/dev/null | tail -n 1)
    [ -z "$package" ] || printf ', at %s' "$package"
}

# Says now and then that something still goes on, until `unwatch`.
watch() {
    (
        passed=0
        while :; do
            sleep 30 >/dev/null 2>&1
            passed=$((passed + 30))
            say "$1: $passed s so far$(name_package)."
        done
    ) 8>&- 9>&- &
    watcher=$! named=$!
}

unwatch() {
    # Not TERM, which gets lost in a subshell that has only begun.
    kill -KILL "$watcher"
    wait "$watcher" 2>/dev/null
    watcher=
}

# Runs a command with its output going to the installation's log, and says now and then that it still does.
run_slow() {
    what=$1
    shift
    "$@" >>"$kept.log" 2>&1 8>&- 9>&- &
    child=$! named=$!
    watch "$what"
    wait "$child"
    result=$?
    child=
    unwatch
    return "$result"
}

# The official installer fetches a release that needs no compiler, but from places that may be out of reach.
install_release() {
    [ -n "$code_server_installer" ] || return 1
    if ! command -v curl >/dev/null; then
        say "The official installer needs curl, which is not here: npm is used instead."
        return 1
    fi
    if ! run_slow "Fetching the installer" curl -fsSL --connect-timeout 10 --max-time 60 \
        -o "$fresh/install.sh" "$code_server_installer"; then
        say "The official installer, $code_server_installer, can't be reached from here: npm is used instead."
        return 1
    fi
    say "Installing code-server $code_server_version with the official installer."
    run_slow "Installing" env XDG_CACHE_HOME="$fresh/download" timeout 900 sh "$fresh/install.sh" \
        --method=standalone --prefix="$fresh" --version="$code_server_version"
    rm -rf "$fresh/download" "$fresh/install.sh"
    look_in "$fresh" && return 0
    say "The official installer did not manage it (its output is in $kept.log): npm is used instead."
    return 1
}

need() {
    command -v "$1" >/dev/null || missing="$missing $2"
}

install_from_npm() {
    missing=
    need npm npm
    need make make
    need g++ g++
    need python3 python3
    [ -e /usr/include/gssapi/gssapi.h ] || need krb5-config libkrb5-dev
    [ -z "$missing" ] || fail \
        "code-server can't be installed: from npm it is compiled, and this machine lacks:$missing." \
        "Remedy: apt-get install -y$missing (as root; elsewhere the packages like these), then restart the workspace." \
        "Or have code-server on the PATH, or in a folder that the template's variable code_server_folder names."
    say "Installing code-server $code_server_version from npm, step 1 of 2: Node $node_version, which it runs on."
    export npm_config_cache="$fresh/npm" npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
    run_slow "Installing Node" npm install --foreground-scripts --prefix "$fresh/node" \
        "npm@$npm_version" "node@$node_version" || fail_npm "Node $node_version"
    node="$fresh/node/node_modules/node"
    for headers in "$node"/node_modules/node-linux-*; do
        [ ! -d "$headers" ] || export npm_config_nodedir="$headers"
    done
    say "Step 2 of 2: code-server itself. Most of this is compiling; it takes some minutes."
    path="$node/bin:$fresh/node/node_modules/.bin:$PATH"
    run_slow "Installing code-server" env "PATH=$path" npm_config_unsafe_perm=true \
        npm install --foreground-scripts --prefix "$fresh/code-server" "code-server@$code_server_version" ||
        fail_npm "code-server $code_server_version"
    rm -rf "$fresh/npm"
}

free_mib() {
    df -Pk "$cache" | awk 'NR == 2 { print int($4 / 1024) }'
}

fail_npm() {
    # npm takes back what it has written, so its log may be all that remembers.
    if grep -Eq 'ENOSPC|No space left' "$kept.log" || [ "$(free_mib)" -lt "$full_below_mib" ]; then
        fail "npm could not install $1: the disk with $cache got full while it did." \
            "Make room for $needed_mib MiB, then restart the workspace."
    fi
    complain "npm could not install $1. What it said:"
    # The first of it is the reason, and the last what followed from that.
    reasons=$(grep -E '^npm (error|ERR!) [^ ]|: (fatal )?error: |^[A-Za-z]*Error: ' "$kept.log" | head -n 8)
    printf '%s\n' "${reasons:-$(tail -n 8 "$kept.log")}" >&2
    fail "All of it is in $kept.log. When its reason is gone, restart the workspace."
}

install() {
    mkdir -p "$cache" || fail "The folder $cache can't be made: free its place, then restart the workspace."
    exec 8>"$kept.lock"
    if ! flock -n 8; then
        say "code-server $code_server_version is being installed by another workspace; waiting for that."
        flock 8 9>&- &
        child=$! named=$!
        watch "Waiting"
        wait "$child"
        child=
        unwatch
        look_in "$kept" && return 0
    fi
    free=$(free_mib)
    [ "$free" -ge "$needed_mib" ] || fail \
        "code-server can't be installed: that needs $needed_mib MiB in $cache, and $free MiB are free." \
        "Make room, then restart the workspace."
    : >"$kept.log"
    # What an installation left that was cut short; nobody else is at it, since the lock is ours.
    rm -rf "$kept".new.*
    fresh=$(mktemp -d "$kept.new.XXXXXX") || fail "$cache can't be written to: mend that, then restart the workspace."
    install_release || install_from_npm
    mv "$fresh" "$kept" || fail "$fresh can't be moved to $kept: mend that, then restart the workspace."
    fresh=
    exec 8>&-
    say "code-server $code_server_version is installed in $kept."
    look_in "$kept"
}

run_code_server() {
    # The user's own configuration file could ask for a port, a password or a certificate.
    set -- --config "$state/config.yaml" --auth none --socket "$socket" --socket-mode 600 \
        --disable-telemetry --disable-update-check "$HOME"
    [ -z "$entry" ] || set -- "$entry" "$@"
    exec "$program" "$@"
}

# Says so when it listens.
wait_until_ready() {
    while kill -0 "$child" 2>/dev/null; do
        if [ -S "$socket" ]; then
            say "code-server is ready: open it from the workspace's page."
            break
        fi
        [ $(($(date +%s) - began)) -lt "$longest_start" ] || unmark
        sleep 0.2
    done
    unmark
}

# What the editor begins with, where its user has no settings: it opens in the home folder without questions. Whoever
# gets this far owns what is in there, and runs programs of it by the terminal beside the editor anyway.
write_first_settings() {
    settings="${XDG_DATA_HOME:-$HOME/.local/share}/code-server/User/settings.json"
    [ ! -e "$settings" ] && [ ! -L "$settings" ] || return 0
    mkdir -p "${settings%/*}" && cat >"$settings" <<'JSON' ||
{
    "files.watcherExclude": {"**/.cache/**": true},
    "git.openRepositoryInParentFolders": "never",
    "security.workspace.trust.enabled": false,
    "telemetry.telemetryLevel": "off",
    "terminal.integrated.initialHint": false,
    "window.autoDetectColorScheme": true,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none"
}
JSON
        complain "$settings can't be written: the editor begins with its own settings, and asks more."
}

keep_running() {
    pause=1
    listening=yes
    while :; do
        rm -f "$socket"
        if [ -f "$log" ] && [ "$(wc -c <"$log")" -gt "$largest_log" ]; then
            mv -f "$log" "$log.1"
        fi
        began=$(date +%s)
        # It keeps descriptor 9, the lock: whoever comes while it runs leaves it alone.
        run_code_server >>"$log" 2>&1 </dev/null &
        child=$! named=$!
        wait_until_ready
        wait "$child"
        status=$?
        child=
        # The agent that reads what is said here may be gone; the next one has started this script again, which waits.
        [ "$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$$/status)" = "$PPID" ] || exit 0
        [ $(($(date +%s) - began)) -lt "$well_after" ] || pause=1
        complain "code-server ended with status $status and is started again in $pause s. The last lines of $log:"
        tail -n 5 "$log" >&2
        sleep "$pause" 9>&- &
        child=$! named=$!
        wait "$child"
        child=
        pause=$((pause * 2 > longest_pause ? longest_pause : pause * 2))
    done
}

trap stop HUP INT TERM
umask 077
length=$(printf %s "$socket" | wc -c)
[ "$length" -le "$longest_path" ] || fail \
    "code-server can't listen on $socket: that path has $length bytes, and a unix socket's may have $longest_path." \
    "Give the gateway a shorter --data-dir, or the workspace a shorter home."
command -v flock >/dev/null || fail "flock, which keeps two of them apart, is missing." \
    "Remedy: apt-get install -y util-linux (as root), then restart the workspace."
cd "$HOME" && mkdir -p "$state" && chmod 700 "$state" && exec 9>"$state/lock" ||
    fail "$state can't be written to: mend that, then restart the workspace."
if ! flock -n 9; then
    say "code-server runs already, from before the agent was started again."
    flock 9
fi
mark
if ! find_code_server; then
    umask 022
    install
    umask 077
fi
say "Starting $program."
[ -s "$state/config.yaml" ] || echo '{}' >"$state/config.yaml"
# Files that are made in the editor and its terminals are as elsewhere.
umask 022
write_first_settings
keep_running
