import { nodePaths } from '../../protocol/paths.ts'
import { quote } from '../../transport/shell.ts'
import { auditWords } from '../audit.ts'
import type { Phase } from '../phase.ts'
import { isEmpty, type Plan } from '../plan.ts'
import type { Provisioning } from '../provisioning.ts'

/** Removes what nothing uses any more and the marks, now that the node is verified. */
export const pruneOld: Phase = {
  name: 'prune-old',
  title: 'removing what is old',
  timeoutMs: 120_000,
  settled: ({ isWorking }) => (isWorking ? 'unchanged' : undefined),
  async run(provisioning, signal) {
    const { facts, options, plan, lock } = provisioning
    const marks = [nodePaths.previous, nodePaths.unverified, nodePaths.unfinished].map((path) => path(options.fleetId))
    const script = `cd ${quote(facts.dir)} || exit 1
rm -f ${marks.join(' ')} || exit 1
${lock === undefined ? '' : `${audit(provisioning)}\n${oldFiles(plan)}`}`
    await provisioning.run(script, 'old files could not be removed', { signal })
    return isEmpty(plan) ? 'unchanged' : 'changed'
  },
}

function audit(provisioning: Provisioning): string {
  const { before, facts, options, release } = provisioning
  return auditWords(facts.dir, options.fleetId, { event: 'provisioned', from: before, to: release.digest })
}

/** Only under the lock: what another provisioning has just sent is in no release yet. */
function oldFiles({ prune: { releases, files } }: Plan): string {
  const paths = releases.map((name) => `releases/${name}`)
  const others = files.filter((path) => !path.startsWith('blobs/'))
  return `${removal(paths, '-rf')}\n${removal(others, '-f')}\n${sweepBlobs}`
}

/** A blob with one link is in no release. */
export const sweepBlobs = `ls -ln blobs 2>/dev/null | while read -r _ links _ _ _ _ _ _ name; do
  [ "$links" = 1 ] && [ -n "$name" ] && rm -f "blobs/$name"
done
true
`

function removal(paths: string[], flags: string): string {
  return paths.length > 0 ? `rm ${flags} ${paths.map(quote).join(' ')}` : ''
}
