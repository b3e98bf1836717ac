import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CpnProcess, CpnResult } from '../../helpers/cli.ts'
import { countWritten, readPredictions } from '../../helpers/run-output.ts'
import { attemptsOf, inFlight } from './attempts.ts'
import type { Lab } from './lab.ts'
import { assertSame, readResults } from './results.ts'
import type { Fault, Outcome, Scenario, Stage } from './scenario.ts'

const runMs = 150_000
let played = 0

/** Plays one scenario on a fleet that is well, and mends the fleet afterwards. Rejects when the outcome is another. */
export async function play(lab: Lab, scenario: Scenario, fault: Fault): Promise<void> {
  const { set = 'many', moment, outcome = {} } = scenario
  const oracle = await lab.oracle(set)
  const name = `row-${++played}`
  const folder = lab.home.folder
  cpSync(join(folder, set), join(folder, name), { recursive: true })
  const [victim, ...others] = lab.nodes
  await using mended = new AsyncDisposableStack()
  mended.defer(() => lab.heal())
  const cleanUp = mended.use(new AsyncDisposableStack())
  const set_ = { lab, victim: victim!, others, pictures: join(folder, name), out: join(folder, `${name}-out`), cleanUp }
  await fault.prepare?.(set_)
  const stage: Stage = { ...set_, run: lab.predict(name, `${name}-out`) }
  const ended = within(stage.run)
  const struckAt = await strike(stage, fault, moment.written, ended)
  assertEnded(await ended, stage.run, outcome)
  await proveHit(stage, struckAt, outcome)
  if (outcome.again) {
    await cleanUp.disposeAsync()
    await lab.home.ok(stage.run.args)
  }
  const except = outcome.except ?? {}
  assertSame(oracle, readResults(stage.out), Object.keys(except))
  assertExcept(stage.out, except)
}

/** Waits for the moment, strikes, and tells when. */
async function strike(stage: Stage, fault: Fault, written: number, ended: Promise<CpnResult>): Promise<number> {
  let over = false
  void ended.finally(() => {
    over = true
  })
  while (!over && countWritten(stage.out) < written) await sleep(5)
  assert.ok(!over, `the run was over before the fault: ${stage.run.describe()}`)
  await stage.victim.busy()
  const at = Date.now()
  await fault.strike(stage)
  return at
}

function assertEnded(result: CpnResult, run: CpnProcess, { exitCode = 0, tells }: Outcome): void {
  assert.equal(result.exitCode, exitCode, run.describe())
  if (tells) assert.match(result.stderr, tells)
}

/** The fault has to have met a job in flight, and, where it is to be noticed, to have ended one. */
function proveHit({ lab, run, victim }: Stage, at: number, { noticed }: Outcome): void {
  const id = /^run (\S+) on /m.exec(run.stderr)?.[1]
  assert.ok(id, run.describe())
  const attempts = attemptsOf(lab.home, id)
  const hit = inFlight(attempts, victim.name, at)
  assert.ok(hit.length > 0, `the fault met no job in flight on ${victim.name}: ${JSON.stringify(attempts.slice(-20))}`)
  if (!noticed) return
  const ends = hit.map(({ error }) => error ?? 'done')
  assert.ok(
    ends.some((end) => noticed.test(end)),
    `no attempt that was in work ended by ${noticed}: ${ends.join('; ')}`,
  )
}

function assertExcept(out: string, except: NonNullable<Outcome['except']>): void {
  const lines = new Map(readPredictions(out).map((line) => [line.path, line]))
  for (const [path, state] of Object.entries(except)) {
    const line = lines.get(path) as { state?: string } | undefined
    assert.ok(line, `${path} is lost`)
    if (state !== 'any') assert.equal(line.state, state, JSON.stringify(line))
  }
}

/** The end of a run; one that hangs is killed and fails. */
async function within(run: CpnProcess): Promise<CpnResult> {
  let hung = false
  const timer = setTimeout(() => {
    hung = true
    run.kill('SIGKILL')
  }, runMs)
  const result = await run.exited.finally(() => clearTimeout(timer))
  if (hung) throw new Error(`the run did not end within ${runMs / 1000} s: ${run.describe()}`)
  return result
}
