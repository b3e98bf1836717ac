/**
 * Of node:http, but not imported: an import reads every export of a module, and reading one of these loads an HTTP client
 * that nobody here uses, for two thirds of the time that a short call of the agent takes.
 */
export const { createServer, request } = process.getBuiltinModule('node:http')
