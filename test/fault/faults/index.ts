import type { Fault } from '../lab/scenario.ts'
import { answerFaults } from './answers.ts'
import { fleetFaults } from './fleet.ts'
import { hostFaults } from './hosts.ts'
import { linkFaults } from './links.ts'
import { masterFaults } from './master.ts'
import { poisonFaults } from './poison.ts'
import { processFaults } from './processes.ts'

/** All faults by the names that the table uses. */
export const faults: Record<string, Fault> = {
  ...processFaults,
  ...poisonFaults,
  ...linkFaults,
  ...answerFaults,
  ...hostFaults,
  ...fleetFaults,
  ...masterFaults,
}
