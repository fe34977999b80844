#!/bin/sh
# Genba: fetches the agent from the gateway and starts it. Needs CODER_AGENT_TOKEN in the environment, a shell, tar,
# gzip, and one of curl, wget and busybox. BINARY_DIR names the folder to download to.
url='${ACCESS_URL}'
program=genba-linux-${ARCH}
export CODER_AGENT_URL="$url" CODER_AGENT_AUTH='${AUTH_TYPE}'
notes=

# What failed is said here, and told to the gateway as soon as it can be reached: a report key, which is made of the
# token and can't be turned back into it, lets us add lines to this agent's log and nothing else.
fail() {
    echo "genba: $1 failed: $2" >&2
    notes="$notes$1 failed: $2
"
}

tell() {
    [ -n "$notes" ] && [ -n "${CODER_AGENT_TOKEN:-}" ] && command -v sha256sum >/dev/null || return 0
    key=$(printf 'genba-report:%s' "$CODER_AGENT_TOKEN" | sha256sum)
    printf '%s\n%s' "${key%% *}" "$notes" >"$folder/report"
    if command -v curl >/dev/null; then
        curl -fsS -m 20 -H 'Content-Type: text/plain' --data-binary "@$folder/report" "${url}api/v2/agent-reports"
    else
        wget -q -T 20 -O - --header 'Content-Type: text/plain' --post-file "$folder/report" "${url}api/v2/agent-reports"
    fi >/dev/null 2>&1 && notes=
    rm -f "$folder/report"
}

# A container that ended at once would take its log with it.
give_up() {
    tell
    echo "genba: the agent could not be started; this log stays for a day." >&2
    sleep 86400
    exit 1
}

is_usable() {
    mkdir -p "$1" 2>/dev/null && printf '#!/bin/sh\n' 2>/dev/null >"$1/.try-$$" && chmod 700 "$1/.try-$$" && "$1/.try-$$" 2>/dev/null
    usable=$?
    rm -f "$1/.try-$$"
    return $usable
}

find_folder() {
    for folder in ${BINARY_DIR:+"$BINARY_DIR"} ${HOME:+"$HOME/.cache/genba"} /var/tmp /tmp /dev/shm; do
        is_usable "$folder" || continue
        [ "$folder" = "${BINARY_DIR:-}" ] || folder=$(umask 077 && mktemp -d "$folder/genba.XXXXXX") || continue
        return 0
    done
    folder=/tmp
    fail unpack "no folder can be written to and executed from: set BINARY_DIR to one (tried ~/.cache/genba, /var/tmp, /tmp, /dev/shm)"
    give_up
}

fetch() {
    if command -v curl >/dev/null; then
        said=$(curl -fsSL --connect-timeout 20 "${url}bin/$program" -o "$folder/$program" 2>&1)
        code=$?
        case $code in
            0) return 0 ;;
            6) step=DNS ;;
            7 | 28) step=TCP ;;
            35 | 51 | 53 | 54 | 58 | 59 | 60 | 64 | 66 | 77 | 80 | 82 | 83 | 90 | 91) step=TLS ;;
            *) step=download ;;
        esac
    elif command -v wget >/dev/null; then
        said=$(wget -T 60 -O "$folder/$program" "${url}bin/$program" 2>&1) && return 0
        case $said in
            *'bad address'* | *'unable to resolve'* | *'Name or service not known'* | *'Temporary failure in name'*) step=DNS ;;
            *'server returned error'* | *'awaiting response... '[345]*) step=download ;;
            *ertificate* | *TLS* | *SSL* | *ssl_client*) step=TLS ;;
            *onnect* | *'timed out'* | *'No route'* | *unreachable*) step=TCP ;;
            *) step=download ;;
        esac
        said=$(printf '%s\n' "$said" | tail -n 1)
    else
        fail download "neither curl nor wget is here: add one to the image"
        give_up
    fi
    return 1
}

explain() {
    case $step-$url in
        TCP-*://localhost[:/]* | TCP-*://127.* | TCP-*://\[::1\]* | TCP-*://host.docker.internal[:/]*)
            echo "$said. Seen from this workspace, no gateway listens at $url: give it an address that workspaces reach (genba server --agent-listen, or --listen and --access-url)" ;;
        *) echo "$said ($url)" ;;
    esac
}

command -v busybox >/dev/null && ! command -v wget >/dev/null && wget() { busybox wget "$@"; }
find_folder
pause=1
last=
until fetch; do
    [ "$step$said" = "$last" ] || fail "$step" "$(explain)"
    last=$step$said
    sleep $pause
    [ $pause -ge 30 ] || pause=$((pause * 2))
done
chmod 700 "$folder/$program"
if ! said=$("$folder/$program" --version 2>&1); then
    case $said in
        *'no folder to unpack'*) fail unpack "$said" ;;
        *) fail start "$said" ;;
    esac
    give_up
fi
tell
exec "$folder/$program" agent
