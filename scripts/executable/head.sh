#!/bin/sh
# Genba @VERSION@ for Linux on @ARCH@: the agent, the command line and the editors' bridge in one file. Below this
# script lies a gzipped tar with Python and all else. It is unpacked once, into the first folder that can be written to
# and executed from: $GENBA_CACHE, ~/.cache/genba, /var/tmp, /tmp, /dev/shm.
case $0 in
    /*) self=$0 ;;
    */*) self=$PWD/$0 ;;
    *) self=$(command -v -- "$0") ;;
esac
name=genba-@HASH@
tried=

# Folders in shared places are trusted only when they are ours: what others put there never runs.
is_ours() {
    [ -O "$1" ] && [ ! -L "$1" ] && [ -O "$1/$name" ] && [ -f "$1/$name/main.py" ]
}

start() {
    root=$1/$name
    shift
    GENBA_EXECUTABLE=$self
    export GENBA_EXECUTABLE
    exec "$root/lib/@LOADER@" --library-path "$root/lib" "$root/bin/python3.11" -I -S -X utf8 "$root/main.py" "$@"
}

# main.py is the last file of the tar: where it is, all is. The move is atomic, so that many may unpack at once.
unpack() {
    if ! { mkdir -p "$1" && [ -O "$1" ] && [ ! -L "$1" ] && new=$(mktemp -d "$1/.new-XXXXXX"); } 2>/dev/null; then
        tried="$tried
  $1: can't be written to"
        return 1
    fi
    why=$({ tail -n +@FIRST_LINE@ "$self" | gzip -dc | tar -xf - -C "$new"; } 2>&1)
    if [ ! -f "$new/$name/main.py" ]; then
        tried="$tried
  $1: unpacking failed: ${why:-the file is not complete}"
    elif ! "$new/$name/lib/@LOADER@" --library-path "$new/$name/lib" "$new/$name/bin/python3.11" -I -S -c '' 2>/dev/null; then
        tried="$tried
  $1: programs may not run there (mounted noexec?), or this is not a machine of the kind @ARCH@"
    else
        mv "$new/$name" "$1/" 2>/dev/null
        drop_old "$1"
    fi
    rm -rf "$new"
    is_ours "$1"
}

# Once for each version: what a start that was cut short left behind, and versions unpacked weeks ago that no process of
# this machine runs. Where processes can't be looked at, all stay.
drop_old() {
    find "$1" -maxdepth 1 -type d -name '.new-*' -mtime +0 -exec rm -rf {} + 2>/dev/null
    [ -r /proc/self/maps ] && command -v grep >/dev/null || return 0
    for other in "$1"/genba-*; do
        [ "$other" != "$1/$name" ] && [ -f "$other/main.py" ] && [ -O "$other" ] || continue
        [ -n "$(find "$other" -maxdepth 0 -mtime +@KEEP_DAYS@ 2>/dev/null)" ] || continue
        # The kernel tells paths without links.
        real=$(cd "$other" && pwd -P) && ! grep -qsF "$real/" /proc/[0-9]*/maps || continue
        # Moved first: a removal that is cut short must not leave what looks whole.
        mv "$other" "$1/.new-old.$$" 2>/dev/null && rm -rf "$1/.new-old.$$"
    done
}

# The first two without starting another program: this is the way of every later start.
for folder in ${GENBA_CACHE:+"$GENBA_CACHE"} ${HOME:+"$HOME/.cache/genba"}; do
    is_ours "$folder" && start "$folder" "$@"
done
old=$(umask)
umask 077
user=$(id -u)
for folder in ${GENBA_CACHE:+"$GENBA_CACHE"} ${HOME:+"$HOME/.cache/genba"} "/var/tmp/genba-$user" "/tmp/genba-$user" "/dev/shm/genba-$user"; do
    if is_ours "$folder" || unpack "$folder"; then
        umask "$old" # what is started makes the user's files
        start "$folder" "$@"
    fi
done
echo "genba: no folder to unpack to. Set GENBA_CACHE to one that can be written to and executed from. Tried:$tried" >&2
exit 70
