import { markerOf } from '../protocol/locked-login.ts'
import { quote } from './shell.ts'

/*
 * Nothing that is started on a host may outlive the connection it was started over. sshd makes each command the leader
 * of a process group of its own, so the group is what is ended: politely first, then for good. A script that wants
 * something to stay puts it into a session of its own (setsid).
 */

/** Seconds between the polite end and the other one. */
const graceSeconds = 2

/**
 * A script whose process group ends as soon as the file descriptor `lifeline` reports its end. With 0, the default,
 * stdin is the lifeline and the script has an empty stdin; any other descriptor leaves the script its stdin.
 */
export function withLifeline(script: string, lifeline = 0): string {
  const endGroup = `trap '' TERM; kill -TERM 0; sleep ${graceSeconds}; kill -KILL 0`
  return [
    ...(lifeline === 0 ? ['exec 3<&0 </dev/null'] : lifeline === 3 ? [] : [`exec 3<&${lifeline}`]),
    // read is a builtin: the watcher is one process and gone with one kill.
    `{ while read -r _; do :; done; ${endGroup}; } <&3 3<&- >/dev/null 2>&1 &`,
    'lifeline=$!',
    `/bin/sh -c ${quote(script)} 3<&-`,
    'code=$?',
    'kill "$lifeline" 2>/dev/null',
    'exit "$code"',
  ].join('\n')
}

/** Says on stdout and on stderr that everything after it is the script's. */
export function withMarkers(script: string, nonce: string): string {
  const say = `printf '%s\\n' ${markerOf(nonce)}`
  return `${say}; ${say} >&2\n${script}`
}

/**
 * A script under a guard: it says its process group after the marker on stderr, waits for a line on stdin that says
 * the guard has it, and becomes the script then, with the rest of stdin.
 */
export function underGuard(script: string, nonce: string): string {
  return [
    // Linux without procps has /proc; macOS has ps.
    'group=$(ps -o pgid= -p $$ 2>/dev/null | tr -d " ")',
    `if [ -z "$group" ]; then read -r stat < /proc/$$/stat; set -- \${stat##*) }; group=$3; fi`,
    `printf '%s\\n' ${markerOf(nonce)}`,
    `printf '%s\\n%s\\n' ${markerOf(nonce)} "$group" >&2`,
    'read -r go || exit 1',
    `exec /bin/sh -c ${quote(script)}`,
  ].join('\n')
}

/** What the guard understands on its stdin, one per line; `group` is a process group. */
export const guardOrders = {
  watch: (group: string) => `+ ${group}\n`,
  forget: (group: string) => `- ${group}\n`,
  end: (group: string) => `x ${group}\n`,
}

/**
 * One guard per connection ends the groups it watches when its stdin does. Like this commands have their stdin to
 * themselves, and the guard takes one session however many there are.
 */
export function guardScript(): string {
  return [
    'groups=" "',
    `end() { [ $# -gt 0 ] || return 0; for group in $*; do kill -s TERM -- "-$group"; done; sleep ${graceSeconds}`,
    'for group in $*; do kill -s KILL -- "-$group"; done; } 2>/dev/null',
    `forget() { case $groups in *" $1 "*) groups="\${groups%% $1 *} \${groups#* $1 }" ;; esac; }`,
    'while read -r order group; do',
    '  case $order in',
    '    +) groups="$groups$group " ;;',
    '    -) forget "$group" ;;',
    '    x) forget "$group"; end "$group" & ;;',
    '  esac',
    'done',
    'end $groups',
  ].join('\n')
}
