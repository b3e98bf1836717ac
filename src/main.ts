/** What bin/run.js needs of oclif, bundled with the commands so that there is one copy of it. */
export { execute, settings } from '@oclif/core'
