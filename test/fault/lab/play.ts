import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CpnProcess, CpnResult } from '../../helpers/cli.ts'
import { countWritten, readPredictions } from '../../helpers/run-output.ts'
import type { Lab } from './lab.ts'
import { type Attempt, attemptsOf, inFlight } from './ledger.ts'
import { assertSame, readResults } from './results.ts'
import type { Fault, Outcome, Preparation, Scenario, Stage } from './scenario.ts'
import { strikeBusy, whileHeld } from './strike.ts'

const runMs = 150_000
const lookMs = 50
let played = 0

/** Plays one scenario on a fleet that is well, and mends the fleet afterwards. Rejects when the outcome is another. */
export async function play(lab: Lab, scenario: Scenario, fault: Fault): Promise<void> {
  const { set = 'many', moment, args = [], outcome = {} } = scenario
  const oracle = await lab.oracle(set)
  const name = `row-${++played}`
  const folder = lab.home.folder
  cpSync(join(folder, set), join(folder, name), { recursive: true })
  const [victim, ...others] = lab.nodes
  await using atEnd = new AsyncDisposableStack()
  atEnd.defer(() => lab.heal())
  const undo = atEnd.use(new AsyncDisposableStack())
  const out = `${name}-out`
  const places = { pictures: join(folder, name), out: join(folder, out) }
  const prepared: Preparation = { lab, victim: victim!, others, ...places, touched: [], checks: [], undo, atEnd }
  await fault.prepare?.(prepared)
  const run = lab.predict(name, out, args)
  const ended = within(run)
  const stage = await strikeAt(moment.written, prepared, run, ended, fault)
  const { noticed } = outcome
  // A copy on another node may be faster than what notices a silence: as long as images wait there are no copies.
  if (noticed) await whileHeld(others, () => untilNoticed(stage, noticed, ended))
  const result = await ended
  assertEnded(result, run, outcome)
  // A master that is killed takes what it had not written down with it: that the victim was at work has to do.
  if (outcome.exitCode !== null) proveHit(stage, outcome)
  for (const check of stage.checks) await check()
  if (outcome.again) {
    await undo.disposeAsync()
    await lab.home.ok(run.args)
  }
  assertSame(oracle, readResults(stage.out), stage.touched)
  assertTouched(stage, outcome)
}

interface Struck extends Stage {
  /** When, in milliseconds since 1970. */
  at: number
}

/** Waits for the moment and strikes while the victim has a job in work. */
async function strikeAt(
  written: number,
  prepared: Preparation,
  run: CpnProcess,
  ended: Promise<CpnResult>,
  fault: Fault,
): Promise<Struck> {
  const isOver = watch(ended)
  while (!isOver() && countWritten(prepared.out) < written) await sleep(5)
  assert.ok(!isOver(), `the run was over before the fault: ${run.describe()}`)
  const [, id] = await run.waitFor(/^run (\S+) on /m)
  const stage = { ...prepared, run, id: id! }
  return { ...stage, at: await strikeBusy(prepared.victim, () => fault.strike(stage)) }
}

/** Waits until the fault is noticed, or the run is over without that. */
async function untilNoticed(struck: Struck, noticed: RegExp, ended: Promise<CpnResult>): Promise<void> {
  const isOver = watch(ended)
  while (!isOver() && !endsOf(hitBy(struck)).some((end) => noticed.test(end))) await sleep(lookMs)
}

/** Whether something has come to its end. */
function watch(ended: Promise<unknown>): () => boolean {
  let over = false
  const end = (): void => {
    over = true
  }
  ended.then(end, end)
  return () => over
}

function assertEnded(result: CpnResult, run: CpnProcess, { exitCode = 0, tells }: Outcome): void {
  assert.equal(result.exitCode, exitCode, run.describe())
  if (tells) assert.match(result.stderr, tells)
}

/** The fault has to have met a job in flight, and, where it is to be noticed, to have ended one. */
function proveHit(struck: Struck, { noticed }: Outcome): void {
  const { at, victim } = struck
  const hit = hitBy(struck)
  assert.ok(
    hit.length > 0,
    `no job in flight on ${victim.name} at ${at}: ${JSON.stringify(onVictim(struck).slice(-20))}`,
  )
  if (!noticed) return
  const ends = endsOf(hit)
  const isNoticed = ends.some((end) => noticed.test(end))
  assert.ok(isNoticed, `no attempt that was in work ended by ${noticed}: ${ends.join('; ')}`)
}

function onVictim({ lab, id, victim }: Struck): Attempt[] {
  return attemptsOf(lab.home, id).filter(({ node }) => node === victim.name)
}

function hitBy(struck: Struck): Attempt[] {
  return inFlight(onVictim(struck), struck.victim.name, struck.at)
}

function endsOf(attempts: Attempt[]): string[] {
  return attempts.map(({ error, state }) => error ?? state ?? 'nothing')
}

function assertTouched({ out, touched }: Struck, outcome: Outcome): void {
  const lines = new Map(readPredictions(out).map((line) => [line.path, line]))
  for (const path of touched) {
    const line = lines.get(path) as { state?: string } | undefined
    assert.ok(line, `${path} is lost`)
    assert.equal(line.state ?? 'done', outcome.touched, JSON.stringify(line))
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
