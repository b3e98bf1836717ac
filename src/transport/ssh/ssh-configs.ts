import { readFile } from 'node:fs/promises'
import { unlessAborted } from '../../common/deadline.ts'
import { type Destination, readCommonConfig, readSshConfig, type SshConfig } from './ssh-config.ts'

/**
 * ~/.ssh/config for many destinations. Each `ssh -G` is a process: one answers for all hosts as long as no line of the
 * configuration tells them apart.
 */
export class SshConfigs {
  #common: Promise<SshConfig | undefined> | undefined

  async read(destination: Destination, signal?: AbortSignal): Promise<SshConfig> {
    const { address, user, port } = destination
    this.#common ??= readCommon()
    // The process is everybody's: who gives up leaves it to the others.
    const common = await unlessAborted(this.#common, signal)
    // Other forms (`user@host`, a URI) are ssh's to take apart.
    if (!common || !/^[\w.:-]+$/.test(address)) return readSshConfig(destination, signal)
    return { ...common, hostname: address.toLowerCase(), user: user ?? common.user, port: port ?? common.port }
  }
}

async function readCommon(): Promise<SshConfig | undefined> {
  const found = await readCommonConfig()
  if (!found || found.files.length === 0) return undefined
  const texts = await Promise.all(found.files.map((file) => readFile(file, 'utf8').catch(() => undefined)))
  return texts.every((text) => text !== undefined && isSameForAll(text)) ? found.config : undefined
}

/** True when no line of an ssh_config depends on the host: neither whom it is for nor a token in it. */
export function isSameForAll(text: string): boolean {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line))
  return lines.every((line) => /^\s*Host\s+\*\s*$/i.test(line) || !/^\s*"?(Host|Match|Canonical\w*)\b|%|\$/i.test(line))
}
