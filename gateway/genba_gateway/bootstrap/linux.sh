#!/bin/sh
# Genba: fetches the agent from the gateway and starts it. Needs CODER_AGENT_TOKEN in the environment, a shell, tar,
# gzip, and one of curl, wget and busybox. BINARY_DIR names the folder to download to, GENBA_CA_FILE (or SSL_CERT_FILE)
# the certificate authority of a gateway whose own is not among the image's, GENBA_CLIENT_CERT and GENBA_CLIENT_KEY what
# to show to a gateway or proxy that asks for a certificate.
url='${ACCESS_URL}'
program=genba-linux-${ARCH}
export CODER_AGENT_URL="$url" CODER_AGENT_AUTH='${AUTH_TYPE}'
ca=${GENBA_CA_FILE:-${SSL_CERT_FILE:-}}
cert=${GENBA_CLIENT_CERT:-}
cert_key=${cert:+${GENBA_CLIENT_KEY:-$cert}}
notes=
room=50
part=

# What failed is said here, and told to the gateway as soon as it can be reached: a report key, which is made of the
# token and can't be turned back into it, lets us add lines to this agent's log and nothing else. Only so many lines:
# a gateway that fails differently at each try must not fill that log.
fail() {
    echo "genba: $1 failed: $2" >&2
    [ $room -gt 0 ] || return 0
    room=$((room - 1))
    notes="$notes$1 failed: $2
"
}

tell() {
    [ -n "$notes" ] && [ -n "${CODER_AGENT_TOKEN:-}" ] && command -v sha256sum >/dev/null || return 0
    key=$(printf 'genba-report:%s' "$CODER_AGENT_TOKEN" | sha256sum)
    report=$(mktemp "$folder/.report.XXXXXX") || return 0
    printf '%s\n%s' "${key%% *}" "$notes" >"$report"
    if command -v curl >/dev/null; then
        curl -fsS -m 20 ${ca:+--cacert "$ca"} ${cert:+--cert "$cert" --key "$cert_key"} -H 'Content-Type: text/plain' --data-binary "@$report" "${url}api/v2/agent-reports"
    else
        get -q -O - --header 'Content-Type: text/plain' --post-file "$report" "${url}api/v2/agent-reports"
    fi >/dev/null 2>&1 && notes=
    rm -f "$report"
}

# A container that ended at once would take its log with it.
give_up() {
    tell
    [ -z "$part" ] || rm -f "$part"
    echo "genba: the agent could not be started; this log stays for a day." >&2
    sleep 86400
    exit 1
}

# What the template names is trusted, whoever owns it: a volume of the cluster, for example.
is_usable() {
    mkdir -p "$1" 2>/dev/null || return 1
    [ "$1" = "${BINARY_DIR:-}" ] || { [ -O "$1" ] && [ ! -L "$1" ]; } || return 1
    trial=$(mktemp "$1/.try.XXXXXX" 2>/dev/null) || return 1
    printf '#!/bin/sh\n' 2>/dev/null >"$trial" && chmod 700 "$trial" && "$trial" 2>/dev/null
    usable=$?
    rm -f "$trial"
    return $usable
}

# One place in each folder, so that starting again takes no more room. What lies in shared places is used only when it
# is our own.
find_folder() {
    user=$(id -u)
    old=$(umask)
    umask 077
    for folder in ${BINARY_DIR:+"$BINARY_DIR"} ${HOME:+"$HOME/.cache/genba"} "/var/tmp/genba-$user" "/tmp/genba-$user" "/dev/shm/genba-$user"; do
        is_usable "$folder" || continue
        umask "$old"
        # What a start that was cut short left behind.
        find "$folder" -maxdepth 1 -type f -name ".$program.*" -mmin +60 -exec rm -f {} + 2>/dev/null
        part=$(mktemp "$folder/.$program.XXXXXX") && return 0
    done
    folder=/tmp
    fail unpack "no folder can be written to and executed from: set BINARY_DIR to one (tried ~/.cache/genba, /var/tmp, /tmp, /dev/shm)"
    give_up
}

# Of the options, busybox's wget shares few: it knows no --version and no --ca-certificate, and Debian's crashes at -T,
# so that only a limit for the whole download is left.
get() {
    if $wget --version >/dev/null 2>&1; then
        $wget -t 1 -T 60 ${ca:+--ca-certificate="$ca"} ${cert:+--certificate="$cert" --private-key="$cert_key"} "$@"
    elif timeout 1 true 2>/dev/null; then
        timeout 900 $wget "$@"
    else
        $wget "$@"
    fi
}

# A way that falls silent counts as failed, after a minute: nothing else would end a download that has begun.
fetch() {
    if command -v curl >/dev/null; then
        said=$(curl -fsSL --connect-timeout 20 --speed-limit 1 --speed-time 60 ${ca:+--cacert "$ca"} ${cert:+--cert "$cert" --key "$cert_key"} "${url}bin/$program" -o "$part" 2>&1)
        code=$?
        case $code in
            0) return 0 ;;
            6) step=DNS ;;
            7 | 28) step=TCP ;;
            35 | 51 | 53 | 54 | 58 | 59 | 60 | 64 | 66 | 77 | 80 | 82 | 83 | 90 | 91) step=TLS ;;
            *) step=download ;;
        esac
        case $said in
            *'too slow'*) step=download ;;
            # How long it took is another at each try, which would make the same failure look like a new one.
            *' after '*' ms: '*) said="${said%% after *}: ${said##* ms: }" ;;
        esac
    elif [ -n "$wget" ]; then
        said=$(get -O "$part" "${url}bin/$program" 2>&1) && return 0
        case $said in
            *'bad address'* | *'unable to resolve'* | *'Name or service not known'* | *'Temporary failure in name'*) step=DNS ;;
            *'server returned error'* | *'awaiting response... '[345]*) step=download ;;
            *'awaiting response... '*'timed out'* | *'download timed out'*) step=download ;;
            *ertificate* | *TLS* | *SSL* | *ssl_client*) step=TLS ;;
            *onnect* | *'timed out'* | *'No route'* | *unreachable*) step=TCP ;;
            *) step=download ;;
        esac
        said=$(printf '%s\n' "$said" | tail -n 1)
        case $said in *' ERROR '*) said="ERROR ${said##* ERROR }" ;; esac # without the time
    else
        fail download "neither curl nor wget is here: add one to the image"
        give_up
    fi
    return 1
}

explain() {
    case $step-$url-$said in
        *'certificate required'* | *'alert bad certificate'* | *'alert unknown ca'*)
            echo "$(printf '%s\n' "$said" | head -n 1) ($url). The gateway, or a proxy before it, asks for a certificate that it knows: put it and its key into the image, or mount them, and set GENBA_CLIENT_CERT and GENBA_CLIENT_KEY to them" ;;
        TCP-*://localhost[:/]* | TCP-*://127.* | TCP-*://\[::1\]* | TCP-*://host.docker.internal[:/]*)
            echo "$said. Seen from this workspace, no gateway listens at $url: give it an address that workspaces reach (genba server --agent-listen, or --listen and --access-url)" ;;
        TLS-*)
            echo "$(printf '%s\n' "$said" | head -n 1) ($url). Add CA certificates to the image (Debian's package ca-certificates); for a private CA, put its certificate into the image, or mount it, and set GENBA_CA_FILE to it" ;;
        *) echo "$said ($url)" ;;
    esac
}

wget=
if command -v wget >/dev/null; then
    wget=wget
elif command -v busybox >/dev/null; then
    wget='busybox wget'
fi
find_folder
pause=1
last=
until fetch; do
    if [ "$step$said" != "$last" ]; then
        fail "$step" "$(explain)"
        last=$step$said
    fi
    tell
    sleep $pause
    [ $pause -ge 30 ] || pause=$((pause * 2))
done
chmod 700 "$part"
if ! said=$("$part" --version 2>&1); then
    case $said in
        *'no folder to unpack'*) fail unpack "$said" ;;
        *) fail start "$said" ;;
    esac
    give_up
fi
mv -f "$part" "$folder/$program" || { fail unpack "$folder/$program can't be replaced"; give_up; }
part=
tell
exec "$folder/$program" agent
