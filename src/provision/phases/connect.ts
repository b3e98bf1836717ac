import type { Phase } from '../phase.ts'

export const connect: Phase = {
  name: 'connect',
  title: 'connecting',
  // A person may be asked for a secret; every wait for the host has a deadline of its own.
  timeoutMs: 3_600_000,
  async run(provisioning, signal) {
    provisioning.transport = await provisioning.options.connect(provisioning.host, signal)
    return 'unchanged'
  },
}
