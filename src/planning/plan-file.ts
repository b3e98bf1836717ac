import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalJson, sha256 } from '../common/digest.ts'

/** What a plan is about: `predict` of the same is what it is compared with. */
export interface Planned {
  /** Absolute. */
  paths: readonly string[]
  /** Real path of the folder of the outputs. */
  out: string
  pipelineDigest: string
}

/** As much of a plan as its run is compared with. */
export interface KeptPlan {
  /** ISO 8601, UTC. */
  createdAt: string
  /** Images that were left to be looked at. */
  images: number
  /** As summary.json counts them: from when a node could work. */
  seconds: { expected: number; low: number; high: number }
  imagesPerSecond: number
  /** Of the images, by node, 0..1. */
  shares: Record<string, number>
}

/** A plan and the run that came after it. */
export interface SettledPlan extends KeptPlan {
  run: string
  /** What the run did. */
  took: Pick<KeptPlan, 'images' | 'imagesPerSecond' | 'shares'> & { seconds: number }
}

/** Takes the place of an older plan of the same. */
export function keepPlan(dir: string, about: Planned, plan: KeptPlan): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  write(fileOf(dir, about), plan)
}

/** The last plan that no run came after; undefined where there is none. */
export function planOf(dir: string, about: Planned): KeptPlan | undefined {
  return read(fileOf(dir, about))
}

/** From now on the plan is that of its run. */
export function settlePlan(dir: string, about: Planned, plan: SettledPlan): void {
  write(runFile(dir, plan.run), plan)
  rmSync(fileOf(dir, about), { force: true })
}

/** What was planned before a run; undefined where nothing was. */
export function planOfRun(dir: string, run: string): SettledPlan | undefined {
  return read(runFile(dir, run))
}

export function forgetPlanOf(dir: string, run: string): void {
  rmSync(runFile(dir, run), { force: true })
}

function fileOf(dir: string, { paths, out, pipelineDigest }: Planned): string {
  return join(dir, `${sha256(canonicalJson({ paths, out, pipelineDigest })).slice(0, 32)}.json`)
}

const runFile = (dir: string, run: string) => join(dir, `run-${run}.json`)

function write(file: string, value: object): void {
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  renameSync(temporary, file)
}

/** One that cannot be read is none: it is worth no error. */
function read<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch {
    return undefined
  }
}
