import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Project } from '../test/helpers/project.ts'

export interface TimedRun {
  stdout: string
  /** From the start of the process to its end. */
  seconds: number
  /** User and system time of the process with all its threads. */
  cpuMs: number
}

/** Runs the built program to its end, which has to be good. */
export async function timedCpn(home: Project, args: string[]): Promise<TimedRun> {
  const file = join(home.folder, 'cpu-ms')
  const hook = pathToFileURL(join(import.meta.dirname, 'cpu-at-exit.ts')).href
  const env = { NODE_OPTIONS: `--import=${hook}`, CPN_BENCH_CPU: file }
  const started = performance.now()
  const { stdout } = await home.ok(args, { env, timeoutMs: 600_000 })
  const seconds = (performance.now() - started) / 1000
  return { stdout, seconds, cpuMs: Number(readFileSync(file, 'utf8')) }
}
