import type { Fault } from '../lab/scenario.ts'
import { linkFaults } from './links.ts'
import { processFaults } from './processes.ts'

/** All faults by the names that the table uses. */
export const faults: Record<string, Fault> = { ...processFaults, ...linkFaults }
