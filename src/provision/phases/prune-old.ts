import { nodePaths } from '../../protocol/paths.ts'
import { quote } from '../../transport/shell.ts'
import type { Phase } from '../phase.ts'
import { isEmpty } from '../plan.ts'

/** Removes what nothing uses any more and the marks, now that the node is verified. */
export const pruneOld: Phase = {
  name: 'prune-old',
  title: 'removing what is old',
  timeoutMs: 120_000,
  settled: ({ lock }) => (lock === undefined ? 'unchanged' : undefined),
  async run(provisioning, signal) {
    const { facts, options, plan } = provisioning
    const { releases, files } = plan.prune
    const marks = [nodePaths.previous, nodePaths.unverified, nodePaths.unfinished].map((path) => path(options.fleetId))
    const script = `cd ${quote(facts.dir)} || exit 1
rm -f ${marks.join(' ')}
${removal(
  releases.map((name) => `releases/${name}`),
  '-rf',
)}
${removal(
  files.filter((path) => !path.startsWith('blobs/')),
  '-f',
)}
${sweepBlobs}`
    await provisioning.run(script, 'old files could not be removed', { signal })
    return isEmpty(plan) ? 'unchanged' : 'changed'
  },
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
