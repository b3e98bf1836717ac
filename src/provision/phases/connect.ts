import type { Phase } from '../phase.ts'

export const connect: Phase = {
  name: 'connect',
  title: 'connecting',
  timeoutMs: 120_000,
  async run(provisioning, signal) {
    provisioning.transport = await provisioning.options.connect(provisioning.host, signal)
    return 'unchanged'
  },
}
