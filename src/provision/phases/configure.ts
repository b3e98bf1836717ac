import { nodePaths } from '../../protocol/paths.ts'
import { quote } from '../../transport/shell.ts'
import { modelListPath } from '../holdings.ts'
import type { Phase } from '../phase.ts'
import { configText, modelListText } from '../plan.ts'

/** Writes the fleet's settings: the agent's, and which models it put on the host. */
export const configure: Phase = {
  name: 'configure',
  title: 'writing settings',
  timeoutMs: 30_000,
  settled: ({ plan }) => (plan.configure || plan.listModels ? undefined : 'unchanged'),
  async run(provisioning, signal) {
    const { host, options } = provisioning
    const { fleetId, models } = options
    const fleet = provisioning.quoted(nodePaths.fleet(fleetId))
    const script = [
      'umask 077',
      `mkdir -p ${fleet} || exit 1`,
      replaceFile(provisioning.path(nodePaths.config(fleetId)), configText(host, fleetId)),
      replaceFile(provisioning.path(modelListPath(fleetId)), modelListText(models)),
    ].join('\n')
    await provisioning.run(script, 'the settings could not be written', { signal })
    return 'changed'
  },
}

function replaceFile(path: string, text: string): string {
  return `printf '%s\\n' ${quote(text)} >${quote(`${path}.new`)} && mv -f ${quote(`${path}.new`)} ${quote(path)} || exit 1`
}
