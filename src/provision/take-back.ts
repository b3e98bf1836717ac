import { randomUUID } from 'node:crypto'
import { nodePaths } from '../protocol/paths.ts'
import { quote } from '../transport/shell.ts'
import { auditWords } from './audit.ts'
import { inheritWords, type LockOwner, lockWatcher, unlockWords } from './lock.ts'

/** How an owner of a lock begins that takes a release back on the host itself; it is done within a minute or so. */
export const takingBack = 'cpn on the host itself'

const detach = `require('node:child_process').spawn('/bin/sh', ['-c', process.argv[1]], { detached: true, stdio: 'ignore', cwd: '/' }).unref()`

interface TakingBack {
  /** remoteDir, absolute. */
  dir: string
  fleetId: string
  /** The lock of the provisioning that is watched. */
  token: string
  /** Digest of the release that is switched to, whose runtime the host has. */
  release: string
}

/**
 * Shell words that leave a watcher behind on the host, out of reach of the connection's end. As long as the new release is
 * not verified it looks whether the provisioning is still at work; when the master is gone, the connection cut, the
 * lease run out or the lock broken, it takes the lock and brings the release before back into use. So a release that
 * nobody verified does not stay, whatever becomes of the master. Another provisioning that is faster takes over its duty.
 */
export function watchWords({ dir, fleetId, token, release }: TakingBack): string {
  const runtime = quote(`${dir}/${nodePaths.release(release)}/bin/node`)
  return `${runtime} -e ${quote(detach)} ${quote(takeBackScript({ dir, fleetId, token, release }))} || exit 1`
}

function takeBackScript({ dir, fleetId, token, release }: TakingBack): string {
  const owner: LockOwner = { token: `back-${randomUUID()}`, name: `${takingBack}, taking back ${release.slice(0, 12)}` }
  const [previous, unverified, current] = [nodePaths.previous, nodePaths.unverified, nodePaths.current].map((path) =>
    path(fleetId),
  )
  return `cd ${quote(dir)} || exit 1
umask 077
unset NODE_OPTIONS NODE_PATH
${inheritWords(owner)}undecided() { [ -h ${previous} ] || [ -e ${unverified} ]; }
ours() { [ "$(field token lock)" = ${quote(token)} ]; }
nap=
trap '[ -z "$nap" ] || kill "$nap" 2>/dev/null' USR1
ours && echo $$ >${lockWatcher}
while undecided; do
  [ -e lock ] || break
  ours || exit 0
  held || break
  sleep 1 &
  nap=$!
  wait "$nap"
  nap=
done
ours && rm -f ${lockWatcher}
undecided && take || exit 0
if [ -h ${previous} ]; then
  ${previous}/bin/node --version >/dev/null 2>&1 || { LD_LIBRARY_PATH=$PWD/${previous}/lib; export LD_LIBRARY_PATH; }
  ${previous}/bin/node -e ${quote(`require('node:fs').renameSync('${previous}', '${current}')`)} &&
    ${quote(`${dir}/${current}`)}/bin/cpn-agent start
else
  ${quote(`${dir}/${current}`)}/bin/cpn-agent uninstall
  rm -f ${current} ${nodePaths.stopped(fleetId)} ${unverified}
fi
${auditWords(dir, fleetId, { event: 'rolled-back', from: release, reason: 'the provisioning was cut off' })}
${unlockWords(owner.token)}
`
}
