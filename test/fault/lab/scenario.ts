import type { CpnProcess } from '../../helpers/cli.ts'
import type { Lab } from './lab.ts'
import type { LabNode } from './lab-node.ts'

/** What a fault finds before the run is started. */
export interface Preparation {
  lab: Lab
  /** The node that the fault is about, which has a job in work when it strikes. */
  victim: LabNode
  /** The other nodes. */
  others: LabNode[]
  /** Absolute folder of the run's pictures, a copy of its own. */
  pictures: string
  /** Absolute folder of the run's outputs. */
  out: string
  /** Names of inputs that the fault has touched: they do not end as in peace. */
  touched: string[]
  /** What else has to be true when the run has ended, as the fault sees it. */
  checks: (() => Promise<void> | void)[]
  /** Takes the fault back, in reverse order: when the run has ended, before the command is given once more. */
  undo: AsyncDisposableStack
  /** The same when everything has been looked at. */
  atEnd: AsyncDisposableStack
}

/** What a fault may lay hands on. */
export interface Stage extends Preparation {
  /** The run in work. */
  run: CpnProcess
  /** Its id in the ledger. */
  id: string
}

export interface Fault {
  /** Reason why it cannot be made here; false where it can. */
  missing?: string | false
  /** Comes before the run is started. */
  prepare?: (stage: Preparation) => Promise<void> | void
  /** Does it, to a fleet that works. */
  strike: (stage: Stage) => Promise<void> | void
}

/** When a fault strikes: so many pictures are written, and the victim has a job in work, which is made sure of. */
export interface Moment {
  written: number
}

export interface Outcome {
  /** Exit code of the run; null when it was killed. Default 0. */
  exitCode?: number | null
  /** What the person is told. */
  tells?: RegExp
  /** How an attempt that was in work on the victim has to end, by its code; default: in any way. */
  noticed?: RegExp
  /** What becomes of the inputs that the fault has touched; all others end as in peace. */
  touched?: 'done' | 'failed' | 'quarantined'
  /** Results are compared after the same command was given once more, to its good end. */
  again?: boolean
}

/** A row of the table: nothing but data. */
export interface Scenario {
  fault: string
  moment: Moment
  /** Given to the run besides. */
  args?: string[]
  /** Default: all results are as in peace. */
  outcome?: Outcome
  /** Name of the picture set; default 'many'. */
  set?: string
  /** One of the few that every change runs. */
  short?: true
}
