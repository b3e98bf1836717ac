// Parts of undici that are loaded without the rest of it; its own types are for the whole.

declare module 'undici/lib/dispatcher/pool.js' {
  export { Pool as default } from 'undici'
}

declare module 'undici/lib/api/api-request.js' {
  import type { Dispatcher, Pool } from 'undici'
  export default function request(this: Pool, options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData>
}
