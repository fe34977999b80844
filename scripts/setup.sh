#!/bin/sh
# Finds a Python that Genba runs on and hands over to scripts/setup.py: setup.sh run|dev [run|smoke]
# The second word is the target that it is for, if that can't work on every system: said before anything is installed.
# PYTHON=/path/to/python chooses one. 3.11 is tried first because the checks and tests are written for it.
set -u
cd "$(dirname "$0")/.." || exit 1

case ${2-} in
    run | smoke)
        system=$(uname -s)
        if [ "$system" != Linux ]; then
            [ "$system" = Darwin ] && system=macOS
            echo "\`make $2\` needs Linux and this is $system: its workspace comes from the \`host\` starter, which knows its processes by Linux's means; run it in a Linux virtual machine or container" >&2
            exit 1
        fi
        ;;
esac

found=
for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3.14 python3}; do
    # Running it, not only finding it: version managers leave shims on PATH that do nothing but fail.
    version=$("$candidate" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        exec "$candidate" scripts/setup.py "${1-}"
    fi
    found="$candidate is $version"
done
echo "Genba needs Python 3.11 or later (${found:-no Python found}): install one (Debian 12, Ubuntu 24.04 or later: sudo apt install python3 python3-venv), or name one: make PYTHON=/path/to/python3.11 …" >&2
exit 1
