import { quote } from '../transport/shell.ts'
import { askedLibraries, digestTools, neededTools, otherTools } from './facts.ts'
import { ancestorsFact } from './lock.ts'

/**
 * Asks for HostFacts; nothing is written. Every program that it starts costs a host about a millisecond of processor time, so
 * it starts few. It leaves remoteDir in $dir, absolute, for what is asked after it in the same round trip.
 * @param remoteDir as in the inventory; `~` is the remote home
 * @param askSudo whether to find out if sudo works without a password (which sudo logs)
 * @param askMore whether to ask for MoreFacts as well
 */
export function factsScript(remoteDir: string, askSudo: boolean, askMore = false): string {
  return `
LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/sbin:/sbin
say() { printf 'cpn-fact %s=%s\\n' "$1" "$2"; }
newline='
'
say kernel "$(uname -sm)"
say bits "$(getconf LONG_BIT 2>/dev/null)"
say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
for f in /lib/ld-musl-*.so.1; do [ -e "$f" ] && say musl "$f"; done
say flags "$(sed -n '/^flags/{s/.*: //p;q;}' /proc/cpuinfo 2>/dev/null)"
id=$(id)
say id "$id"
user=\${id#*\\(}; user=\${user%%\\)*}
[ -e "/var/lib/systemd/linger/$user" ] && say lingers yes
home=$(CDPATH='' cd -- "$HOME" 2>/dev/null && pwd -P)
say home "$home"
dir=${quote(remoteDir)}
case $dir in
  '~') dir=$home ;;
  '~/'*) dir=$home/\${dir#'~/'} ;;
  /*) ;;
  *) dir=$home/$dir ;;
esac
say dir "$dir"
[ -h "$dir" ] && say linkOwner "$(ls -lnd "$dir" 2>/dev/null)"
[ -d "$dir" ] && say dirOwner "$(ls -lnLd "$dir/." 2>/dev/null)"
near=$dir
while [ -n "$near" ] && [ ! -d "$near" ]; do near=\${near%/*}; done
near=$(CDPATH='' cd -- "\${near:-/}" && pwd -P)
say near "$near"
[ -w "$near" ] && say writable yes
disk=$(df -Pk "$near" 2>/dev/null)
disk=\${disk##*"$newline"}
say disk "$disk"
inodes=$(df -Pi "$near" 2>/dev/null)
say inodes "\${inodes##*"$newline"}"
mount=\${disk##*% }
if [ -r /proc/mounts ]; then
  last=
  while read -r _ at _ options _; do [ "$at" = "$mount" ] && last=$options; done </proc/mounts
  say mount "$last"
fi
for t in ${[...neededTools, ...digestTools, ...otherTools].join(' ')}; do
  command -v "$t" >/dev/null 2>&1 && say tool "$t"
done
some() { for f do [ -s "$f" ] && return; done; return 1; }
for l in ${askedLibraries.join(' ')}; do
  some /lib/$l /usr/lib/$l /lib64/$l /usr/lib64/$l /usr/local/lib/$l /lib/*-linux-gnu/$l /usr/lib/*-linux-gnu/$l ||
    some $(ldconfig -p 2>/dev/null | sed -n "s|^[[:space:]]*$l .*=> ||p") && say library "$l"
done
${askSudo ? sudoQuestion : ''}${askMore ? moreQuestions : ''}${ancestorsFact}say end ''
`
}

const sudoQuestion = `if command -v sudo >/dev/null 2>&1; then
  if sudo -n true </dev/null >/dev/null 2>&1; then say sudo passwordless; else say sudo password; fi
else say sudo none; fi
`

// A lock is seen in /proc/locks by the inode of its file, which needs no root.
const moreQuestions = `say cores "$(getconf _NPROCESSORS_ONLN 2>/dev/null)"
say memoryKb "$(sed -n 's/^MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo 2>/dev/null)"
[ -r /proc/meminfo ] || say memory "$(sysctl -n hw.memsize 2>/dev/null)"
say time "$(date +%s)"
release() { sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | tr -d '"'; }
say os "$(release ID) $(release VERSION_ID)"
command -v sw_vers >/dev/null 2>&1 && say os "macOS $(sw_vers -productVersion)"
if [ -S "/run/user/$(id -u)/systemd/private" ]; then say services systemd-user
elif [ -d /run/systemd/system ]; then say services systemd
elif command -v launchctl >/dev/null 2>&1; then say services launchd
elif [ -d /run/openrc ]; then say services openrc
else say services none; fi
if command -v apt-get >/dev/null 2>&1; then
  apt=free
  for f in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock; do
    inode=$(ls -id "$f" 2>/dev/null | { read -r i _; echo "$i"; })
    [ -n "$inode" ] && grep -q ":$inode " /proc/locks 2>/dev/null && apt=locked
  done
  say apt "$apt"
fi
sed -n 's|^[^ ]* [^ ]* [^ ]* 00010000 0001 [^ ]* *[0-9]* \\(/.*\\)|\\1|p' /proc/net/unix 2>/dev/null |
  { n=0; while [ "$n" -lt 3 ] && read -r s; do [ -S "$s" ] && [ -w "$s" ] && { say socket "$s"; n=$((n + 1)); }; done; }
`
