#!/bin/sh
# Genba @VERSION@: the command line and the editors' bridge, for machines with a Python 3.11 or later, or with uv. Below
# this script lies a gzipped tar with the programs and the list of the packages they need, each with its hash. They are
# set up once, in the first folder that can be written to and executed from: $GENBA_CACHE, ~/.cache/genba, /var/tmp, /tmp.
case $0 in
    /*) self=$0 ;;
    */*) self=$PWD/$0 ;;
    *) self=$(command -v -- "$0") ;;
esac
name=genba-python-@HASH@
tried=
new=
lock=

# Folders in shared places are trusted only when they are ours: what others put there never runs. A Python that was
# removed since leaves a link that leads nowhere.
is_ready() {
    [ -O "$1" ] && [ ! -L "$1" ] && [ -O "$1/$name" ] && [ -f "$1/$name/main.py" ] && [ -x "$1/$name/venv/bin/python" ]
}

start() {
    root=$1/$name
    shift
    GENBA_EXECUTABLE=$self
    export GENBA_EXECUTABLE
    exec "$root/venv/bin/python" -I -X utf8 "$root/main.py" "$@"
}

say() {
    echo "genba: $1" >&2
}

clean_up() {
    [ -z "$new" ] || rm -rf "$new"
    [ -z "$lock" ] || rm -rf "$lock"
    new=
    lock=
}

# macOS's own /usr/bin/python3 is too old, and may only ask with a window for developers' tools to be installed.
find_python() {
    [ "$(uname)" != Darwin ] || PATH=$PATH:/opt/homebrew/bin:/usr/local/bin
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
        path=$(command -v "$candidate") || continue
        [ "$(uname):$path" != Darwin:/usr/bin/python3 ] || continue
        "$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        echo "$path"
        return 0
    done
    return 1
}

find_uv() {
    for path in "$(command -v uv)" "${HOME:-}/.local/bin/uv" /opt/homebrew/bin/uv; do
        [ -x "$path" ] && echo "$path" && return 0
    done
    return 1
}

# The pinned packages alone, by their hashes; what is there of pip's or uv's settings (mirrors, proxies) is kept.
make_environment() {
    if python=$(find_python) && "$python" -m venv "$1/venv" >"$1/log" 2>&1; then
        "$1/venv/bin/python" -m pip install -q --no-input --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r "$1/requirements.txt" >"$1/log" 2>&1
    elif uv=$(find_uv); then
        rm -rf "$1/venv"
        "$uv" venv -q --no-project --python "${UV_PYTHON:->=3.11}" "$1/venv" >"$1/log" 2>&1 &&
            "$uv" pip install -q --python "$1/venv/bin/python" --no-deps --require-hashes --only-binary :all: -r "$1/requirements.txt" >"$1/log" 2>&1
    elif [ -n "$python" ]; then
        say "$python could make no environment: install its venv module (Debian, Ubuntu: python3-venv), or uv (https://docs.astral.sh/uv)"
        clean_up
        exit 69
    else
        say "neither Python 3.11 or later nor uv is here: install one of them (https://www.python.org, https://docs.astral.sh/uv)"
        clean_up
        exit 69
    fi
}

# One sets up while the others wait; one that died is not waited for, and none is for ever.
wait_for_turn() {
    left=300
    until mkdir "$1" 2>/dev/null; do
        [ -d "$1" ] && [ $left -gt 0 ] || return 1
        holder=$(cat "$1/pid" 2>/dev/null)
        if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
            rm -rf "$1"
            continue
        fi
        sleep 1
        left=$((left - 1))
    done
    echo $$ >"$1/pid"
    lock=$1
}

set_up() {
    if ! { mkdir -p "$1" && [ -O "$1" ] && [ ! -L "$1" ] && new=$(mktemp -d "$1/.new-$name.XXXXXX"); } 2>/dev/null; then
        tried="$tried
  $1: can't be written to"
        return 1
    fi
    trap 'clean_up; exit 130' HUP INT TERM
    wait_for_turn "$1/.lock-$name"
    if ! is_ready "$1"; then
        say "setting up in $1 (once)"
        tail -n +@FIRST_LINE@ "$self" | gzip -dc | tar -xf - -C "$new" 2>/dev/null
        if [ ! -f "$new/main.py" ]; then
            clean_up
            say "$self is not complete: download it again"
            exit 70
        fi
        if ! make_environment "$new"; then
            say "the packages could not be installed: $(tail -n 1 "$new/log")"
            clean_up
            exit 69
        fi
        if "$new/venv/bin/python" -I -c 'import msgspec' 2>/dev/null; then
            is_ready "$1" || rm -rf "${1:?}/$name"
            # Atomic. Where another was quicker, the folder that is there is not empty, and ours goes.
            mv "$new" "$1/$name" 2>/dev/null && rm -rf "$1/$name/${new##*/}"
        else
            tried="$tried
  $1: programs may not run there (mounted noexec?)"
        fi
    fi
    clean_up
    trap - HUP INT TERM
    is_ready "$1"
}

for folder in ${GENBA_CACHE:+"$GENBA_CACHE"} ${HOME:+"$HOME/.cache/genba"}; do
    is_ready "$folder" && start "$folder" "$@"
done
old=$(umask)
umask 077
user=$(id -u)
for folder in ${GENBA_CACHE:+"$GENBA_CACHE"} ${HOME:+"$HOME/.cache/genba"} "/var/tmp/genba-$user" "/tmp/genba-$user"; do
    if is_ready "$folder" || set_up "$folder"; then
        umask "$old"
        start "$folder" "$@"
    fi
done
say "no folder to set up in. Set GENBA_CACHE to one that can be written to and executed from. Tried:$tried"
exit 70
