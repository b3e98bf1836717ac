import { nodePaths } from '../../protocol/paths.ts'
import { quote } from '../../transport/shell.ts'
import type { Phase } from '../phase.ts'

/** Removes what nothing uses any more, now that the new release is verified. */
export const pruneOld: Phase = {
  name: 'prune-old',
  title: 'removing what is old',
  timeoutMs: 120_000,
  settled({ plan, replaced }) {
    const { releases, files, previous } = plan.prune
    return replaced !== undefined || previous || releases.length + files.length > 0 ? undefined : 'unchanged'
  },
  async run(provisioning, signal) {
    const { facts, options, plan } = provisioning
    const { releases, files } = plan.prune
    const script = `cd ${quote(facts.dir)} || exit 1
rm -f ${nodePaths.previous(options.fleetId)} ${nodePaths.unverified(options.fleetId)}
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
    return 'changed'
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
