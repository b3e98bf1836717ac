import type { CpnProcess } from '../../helpers/cli.ts'
import type { Lab } from './lab.ts'
import type { LabNode } from './lab-node.ts'

/** What a fault may lay hands on. */
export interface Stage {
  lab: Lab
  /** The node that the fault is about, which has a job in work when it strikes. */
  victim: LabNode
  /** The other nodes. */
  others: LabNode[]
  /** Absolute folder of the run's pictures, a copy of its own. */
  pictures: string
  /** Absolute folder of the run's outputs. */
  out: string
  /** The run in work. */
  run: CpnProcess
  /** Undoes, in reverse order, when the run and its check have ended. */
  cleanUp: AsyncDisposableStack
}

export interface Fault {
  /** Reason why it cannot be made here; false where it can. */
  missing?: string | false
  /** Comes before the run is started. */
  prepare?: (stage: Omit<Stage, 'run'>) => Promise<void> | void
  /** Does it, to a fleet that works. */
  strike: (stage: Stage) => Promise<void> | void
}

/** When a fault strikes: so many pictures are written, and the victim has a job in work. */
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
  /** Pictures that do not end as in peace, with what became of them. */
  except?: Record<string, 'failed' | 'quarantined' | 'any'>
  /** Results are compared after the same command was given once more, to its good end. */
  again?: boolean
}

/** A row of the table: nothing but data. */
export interface Scenario {
  fault: string
  moment: Moment
  /** Default: all results are as in peace. */
  outcome?: Outcome
  /** Name of the picture set; default 'many'. */
  set?: string
  /** One of the few that every change runs. */
  short?: true
}
