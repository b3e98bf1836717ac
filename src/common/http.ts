/**
 * Of node:http, but not imported: an import reads every export of a module, and reading one of these loads an HTTP client
 * that nobody here uses, which takes longer than the start of Node.js itself.
 */
export const { createServer, request } = process.getBuiltinModule('node:http')
