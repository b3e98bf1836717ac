import { dirname } from 'node:path/posix'
import { nodePaths } from '../protocol/paths.ts'
import { quote } from '../transport/shell.ts'
import type { Provisioning } from './provisioning.ts'

// rename(2) replaces a symbolic link in one step; `mv` cannot do that everywhere, the runtime can.
const replaceLink = `
const [target, path] = process.argv.slice(1)
const { symlinkSync, renameSync, rmSync, openSync, fsyncSync } = require('node:fs')
const { dirname } = require('node:path')
rmSync(path + '.new', { force: true })
symlinkSync(target, path + '.new')
renameSync(path + '.new', path)
fsyncSync(openSync(dirname(path)))
`

/**
 * Lets the fleet's `current` lead to a release, and `previous` to the one before; '' marks that there was none, and
 * without one nothing is noted. `watch` are words that run when it is noted and nothing is switched yet.
 */
export async function pointTo(
  provisioning: Provisioning,
  digest: string,
  before: string | undefined,
  watch: string,
  signal: AbortSignal,
): Promise<void> {
  const { fleetId } = provisioning.options
  const release = provisioning.quoted(nodePaths.release(digest))
  const point = (path: string, to: string) =>
    `${release}/bin/node -e ${quote(replaceLink)} ../../${nodePaths.release(to)} ${provisioning.quoted(path)} || exit 1`
  const script = [
    'umask 077',
    'unset NODE_OPTIONS NODE_PATH',
    `${release}/bin/node --version >/dev/null 2>&1 || { LD_LIBRARY_PATH=${release}/lib; export LD_LIBRARY_PATH; }`,
    `mkdir -p ${provisioning.quoted(dirname(nodePaths.current(fleetId)))} || exit 1`,
    ...(before ? [point(nodePaths.previous(fleetId), before)] : []),
    ...(before === '' ? [`: >${provisioning.quoted(nodePaths.unverified(fleetId))} || exit 1`] : []),
    watch,
    point(nodePaths.current(fleetId), digest),
  ].join('\n')
  await provisioning.run(script, 'the release could not be switched', { signal })
}
