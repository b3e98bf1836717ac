import { findPackageJSON } from 'node:module'
import { dirname } from 'node:path'

/** Absolute folder of cpn's package.json, whether this runs from src/ or from dist/. */
export const packageRoot = dirname(findPackageJSON(import.meta.url)!)
