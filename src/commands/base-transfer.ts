import { Flags } from '@oclif/core'
import type { OnProgress, TransferReport } from '../actions/transfer/copy.ts'
import { exitCodes } from '../common/error-codes.ts'
import type { Host } from '../inventory/inventory.ts'
import type { Way } from '../transport/transfer/entries.ts'
import { formatBytes, formatDuration } from '../ui/format.ts'
import { runHostTasks } from '../ui/host-tasks.ts'
import { BaseCommand } from './base.ts'

export interface TransferJson {
  hosts: {
    name: string
    files: number
    bytes: number
    /** How the bytes went: by SFTP where the host runs no commands. */
    way: Way | null
    seconds: number | null
    error: object | null
  }[]
}

export interface TransferWork {
  title: string
  parallel: number
  hosts: Host[]
  run: (host: Host, onProgress: OnProgress) => Promise<TransferReport>
}

/** A command that moves files between here and many hosts; a host that fails stops no other. */
export abstract class TransferCommand extends BaseCommand {
  static override baseFlags = {
    ...BaseCommand.baseFlags,
    parallel: Flags.integer({ min: 1, default: 16, helpValue: 'N', description: 'Hosts in work at once.' }),
  }

  protected async transfer({ title, parallel, hosts, run }: TransferWork): Promise<TransferJson> {
    const { signal } = this.context()
    const byName = new Map(hosts.map((host) => [host.name, host]))
    const outcomes = await runHostTasks(
      [...byName.keys()],
      async (name, report) => {
        const begin = performance.now()
        const result = await run(byName.get(name)!, (bytes, total) => {
          report(progressOf(bytes, total, performance.now() - begin), { passing: true })
        })
        return { result, summary: summaryOf(result) }
      },
      { title, concurrency: parallel, signal },
    )
    const failed = outcomes.filter(({ error }) => error).length
    if (signal.aborted && failed > 0) this.exitWith(exitCodes.interrupted)
    else if (failed > 0) this.exitWith(failed === outcomes.length ? exitCodes.noHost : exitCodes.partial)
    return {
      hosts: outcomes.map(({ host, result, error }) => ({
        name: host,
        files: result?.files ?? 0,
        bytes: result?.bytes ?? 0,
        way: result?.way ?? null,
        seconds: result ? Number(result.seconds.toFixed(3)) : null,
        error: error?.toJSON() ?? null,
      })),
    }
  }
}

function progressOf(bytes: number, total: number, ms: number): string {
  const percent = total > 0 ? Math.floor((bytes / total) * 100) : 100
  return `${percent} % of ${formatBytes(total)}, ${rateOf(bytes, ms)}`
}

function summaryOf({ files, bytes, seconds, way }: TransferReport): string {
  const counted = files === 1 ? '1 file' : `${files.toLocaleString('en')} files`
  const taken = `${formatDuration(seconds * 1000)} (${rateOf(bytes, seconds * 1000)})`
  return `${counted}, ${formatBytes(bytes)} in ${taken}${way === 'sftp' ? ', by SFTP' : ''}`
}

function rateOf(bytes: number, ms: number): string {
  return `${formatBytes(ms > 0 ? (bytes / ms) * 1000 : 0)}/s`
}
